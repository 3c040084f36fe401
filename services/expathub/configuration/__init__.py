"""Reading `schemas/` and `deploy/partners.yaml` into frozen values, and saying exactly what is wrong with them.

`load` is all that a service needs. It is total: whatever the files hold, it returns a configuration that can be used
or raises `ConfigurationError` with every fault found: file, line, what, and how to mend it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from expathub.configuration.catalogue import TypeFiles, build_catalogue, read_catalogue
from expathub.configuration.examples import Tally, check_examples
from expathub.configuration.faults import ConfigurationError, Fault, Faults
from expathub.configuration.partners import read_partners, refuse_ended_pins
from expathub.configuration.released import refuse_broken_promises
from expathub.configuration.routes import refuse_forbidden_routes
from expathub.configuration.tables import read_tables
from expathub.configuration.tree import Document
from expathub.core.configuration import Configuration

__all__ = ["ConfigurationError", "Fault", "Tally", "check", "load"]


def load(partners: Path, schemas: Path) -> Configuration:
    """Read the partners file and the folder of event types.

    Raises `ConfigurationError` with all faults at once. Examples are not read: `expathub check` does that.
    """
    return _load(partners, schemas).configuration


def check(partners: Path, schemas: Path, today: date) -> tuple[Configuration, Tally]:
    """Load, prove with the examples that schemas, publishers and lenses do what they say, and that releases hold.

    Raises `ConfigurationError`: with the faults of the files, or, once there are none, with those of the examples.
    """
    read = _load(partners, schemas)
    faults = Faults()
    tally = check_examples(read.configuration, read.types, today, faults)
    refuse_ended_pins(read.configuration.partners, read.configuration.catalogue.types, read.partners, today, faults)
    refuse_broken_promises(schemas, faults)
    faults.raise_if_any()
    return read.configuration, tally


@dataclass(frozen=True, slots=True)
class _Read:
    """A configuration without faults, and the files that it was made of."""

    configuration: Configuration
    types: Mapping[str, TypeFiles]
    partners: Document


def _load(partners: Path, schemas: Path) -> _Read:
    faults = Faults()
    tables, table_files = read_tables(schemas, faults)
    folders = read_catalogue(schemas, faults, tables)
    files = {name: read for name, read in folders.items() if read is not None}
    majors = {name: frozenset(read.majors) if read else None for name, read in folders.items()}
    found, document = read_partners(partners, majors, tables.municipalities, faults)
    if found is not None:
        refuse_forbidden_routes(files, found, faults)
    faults.raise_if_any()
    assert found is not None and document is not None, "what is missing was noted as a fault"  # noqa: S101, PT018
    digest = _digest(files, document, table_files)
    return _Read(Configuration(build_catalogue(files), found, digest), files, document)


def _digest(files: Mapping[str, TypeFiles], partners: Document, tables: Mapping[int, Document]) -> str:
    """Hash what the files mean: order of keys, comments and layout change nothing."""
    content = {
        "partners": partners.value,
        "tables": {str(number): document.value for number, document in tables.items()},
        "types": {
            name: {
                "about": read.about.value,
                "schemas": {str(major): schema.document.value for major, schema in read.schemas.items()},
                "lenses": {str(older): lens.source for older, lens in read.lenses.items()},
            }
            for name, read in files.items()
        },
    }
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
