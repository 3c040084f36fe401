"""From `schemas/` to the catalogue of the core: each event type's folder, and what its files mean for each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from expathub.configuration.faults import Faults
from expathub.configuration.forms import About, Life, fill
from expathub.configuration.lenses import read_lens
from expathub.configuration.rules import TypeRules
from expathub.configuration.schemas import Schema, read_schema
from expathub.configuration.tables import FOLDER, read_tables
from expathub.configuration.tree import Document, listed, read_json, read_yaml
from expathub.core.catalogue import (
    Catalogue,
    Command,
    Effects,
    EventType,
    Grant,
    Retention,
    Selector,
    SelectorKind,
    Version,
)
from expathub.core.lens import Lens, plans
from expathub.core.partners import Role
from expathub.core.values.tables import Tables

RELEASED = "released.json"
"""The record of what was released, beside the event types (`expathub.configuration.released`)."""

_TYPE_NAME = re.compile(r"nl(\.[a-z0-9]+(-[a-z0-9]+)*){2,4}")
_SCHEMA_FILE = re.compile(r"v([1-9][0-9]{0,2})\.json")
_LENS_FILE = re.compile(r"v([1-9][0-9]{0,2})-v([1-9][0-9]{0,2})\.lens\.yaml")
_EXAMPLES = re.compile(r"refused|v([1-9][0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class TypeFiles:
    """The files of one event type as read; what was missing or wrong is absent (a fault says so)."""

    name: str
    folder: Path
    about: Document
    form: About
    schemas: Mapping[int, Schema]
    lenses: Mapping[int, Lens]  # by the older of the two majors

    @property
    def majors(self) -> tuple[int, ...]:
        """The majors that `about.yaml` declares, ascending."""
        return tuple(sorted(map(int, self.form.versions)))


def read_catalogue(folder: Path, faults: Faults, tables: Tables | None = None) -> dict[str, TypeFiles | None]:
    """Read every event type below `folder`; None for one whose `about.yaml` cannot be read.

    `tables` are those beside the event types, read here if they are not given.
    """
    before = len(faults.found)
    entries = listed(folder, faults)
    if not entries and len(faults.found) == before:
        faults.add(folder, 1, "there is no event type here", "Correct the path")
    tables = tables or read_tables(folder, faults)[0]
    read: dict[str, TypeFiles | None] = {}
    for entry in entries:
        is_other = entry.name == FOLDER or entry.name.startswith(".")
        if is_other or (entry.is_file() and (entry.suffix == ".md" or entry.name == RELEASED)):
            continue
        if not entry.is_dir() or not _TYPE_NAME.fullmatch(entry.name):
            faults.add(
                entry, 1, "this is no folder of an event type", "Name it nl.<source>.<what happened>, or move it"
            )
            continue
        read[entry.name] = _read_type(entry, tables, faults)
    return read


def _read_type(folder: Path, tables: Tables, faults: Faults) -> TypeFiles | None:
    about = read_yaml(folder / "about.yaml", faults)
    form = fill(About, about, faults) if about else None
    if about is None or form is None:
        return None
    majors = sorted(map(int, form.versions))
    _refuse_gaps(about, majors, faults)
    _refuse_orphans(folder, frozenset(majors), faults)
    schemas: dict[int, Schema] = {}
    for major in majors:
        document = read_json(folder / f"v{major}.json", faults)
        schema = read_schema(document, faults, tables) if document else None
        if schema is not None:
            schemas[major] = schema
    lenses: dict[int, Lens] = {}
    for older, newer in pairwise(majors):
        lens = read_lens(
            folder / f"v{older}-v{newer}.lens.yaml", schemas.get(older), schemas.get(newer), tables, faults
        )
        if lens is not None:
            lenses[older] = lens
    files = TypeFiles(folder.name, folder, about, form, schemas, lenses)
    TypeRules(about, form, {major: schema.fields for major, schema in schemas.items()}, faults).judge()
    return files


def _refuse_gaps(about: Document, majors: list[int], faults: Faults) -> None:
    for expected, major in enumerate(majors, start=1):
        if major != expected:
            line = about.line(("versions", str(major)))
            faults.add(
                about.file, line, f"major {expected} is missing", "Majors count from 1 without gaps; ended ones stay"
            )
            return


def _refuse_orphans(folder: Path, majors: frozenset[int], faults: Faults) -> None:
    """Note every file that nothing in `about.yaml` accounts for."""
    for entry in listed(folder, faults):
        schema, lens = _SCHEMA_FILE.fullmatch(entry.name), _LENS_FILE.fullmatch(entry.name)
        is_known = (
            entry.name in ("about.yaml", "examples")
            or (schema is not None and int(schema[1]) in majors)
            or (lens is not None and {int(lens[1]), int(lens[2])} <= majors and int(lens[2]) == int(lens[1]) + 1)
        )
        if not is_known:
            faults.add(entry, 1, "`about.yaml` has no version for this file", "Add the version, or remove the file")
    examples = folder / "examples"
    for entry in listed(examples, faults) if examples.is_dir() else ():
        match = _EXAMPLES.fullmatch(entry.name)
        if match is None or (match[1] is not None and int(match[1]) not in majors):
            faults.add(entry, 1, "`about.yaml` has no version for these examples", "Use v<major> or refused")


def build_catalogue(read: Mapping[str, TypeFiles]) -> Catalogue:
    """Make the core's catalogue of files without faults."""
    return Catalogue({name: _event_type(files) for name, files in read.items()})


def _event_type(files: TypeFiles) -> EventType:
    form, majors = files.form, files.majors
    return EventType(
        name=files.name,
        title=form.title.model_dump(),
        meaning=form.meaning.model_dump(),
        publishers=frozenset(map(Role, form.publishers)),
        grants=tuple(
            Grant(
                selector=selector(recipient.to),
                ground=recipient.ground,
                purpose=recipient.purpose,
                fields={int(major): tuple(pointers) for major, pointers in recipient.fields.items()},
            )
            for recipient in form.recipients
        ),
        versions={major: _version(major, form.versions[str(major)], files.schemas[major]) for major in majors},
        lenses=plans(files.lenses),
        classification=form.classification,
        public=form.public,
        publisher_owns=per_major(form.publisher_owns, majors),
        effects=_effects(form, majors),
        command=Command(form.command) if form.command else None,
        published_when=form.published_when.model_dump(),
        not_published_when=form.not_published_when.model_dump(),
        retention=Retention(form.retention.content_days, form.retention.account_years, form.retention.ground),
    )


def selector(word: str) -> Selector:
    """Read a selector as `about.yaml` writes it."""
    kind, _, role = word.partition(":")
    return Selector(SelectorKind(kind), Role(role) if role else None)


def per_major(pointers: Mapping[str, str] | None, majors: tuple[int, ...]) -> dict[int, str] | None:
    """Spread `{"*": pointer}` over all majors."""
    if pointers is None:
        return None
    return {major: pointers.get(str(major), pointers.get("*", "")) for major in majors}


def _version(major: int, life: Life, schema: Schema) -> Version:
    return Version(
        major=major,
        schema=schema.document.value,
        validate=schema.validate,
        sunset=life.sunset,
        ended=life.ended,
        since=life.since,
    )


def _effects(form: About, majors: tuple[int, ...]) -> Effects:
    dossier, consent = form.dossier, form.dossier.consent
    return Effects(
        residence=per_major(dossier.residence, majors),
        former=per_major(dossier.former, majors),
        secrecy=per_major(dossier.secrecy, majors),
        consent_partner=per_major(consent.partner, majors) if consent else None,
        consent_until=per_major(consent.until, majors) if consent else None,
        withdraws_consent=dossier.withdraws_consent,
    )
