"""Editions of event types, read from folders: what partners know of a type, and nothing that is only ours.

Read without the hub's own rules for schemas, so that an edition of long ago, or of somebody else, can be compared too.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from expathub.configuration.faults import Faults
from expathub.configuration.tree import listed, read_json, read_yaml
from expathub.core.compatibility.editions import Edition, Life

_SCHEMA = re.compile(r"v([1-9][0-9]{0,2})\.json")
_LENS = re.compile(r"v([1-9][0-9]{0,2})-v[1-9][0-9]{0,2}\.lens\.yaml")

ABOUT = "about.yaml"


def read_editions(folder: Path) -> dict[str, Edition]:
    """Read all event types below a folder; raises `ConfigurationError` where a file cannot be read."""
    faults = Faults()
    folders = [entry for entry in listed(folder, faults) if (entry / ABOUT).is_file()]
    found = {entry.name: _read(entry, faults) for entry in folders}
    faults.raise_if_any()
    return found


def read_edition(folder: Path) -> Edition:
    """Read one event type; raises `ConfigurationError` where a file cannot be read."""
    faults = Faults()
    edition = _read(folder, faults)
    faults.raise_if_any()
    return edition


def read_schema_file(file: Path) -> Any:
    """Read one schema; raises `ConfigurationError` where it cannot be read."""
    faults = Faults()
    document = read_json(file, faults)
    faults.raise_if_any()
    return document.value if document else None


def _read(folder: Path, faults: Faults) -> Edition:
    schemas: dict[int, Any] = {}
    lenses: dict[int, Any] = {}
    for entry in listed(folder, faults):
        if match := _SCHEMA.fullmatch(entry.name):
            document = read_json(entry, faults)
            schemas[int(match[1])] = document.value if document else True
        elif match := _LENS.fullmatch(entry.name):
            document = read_yaml(entry, faults)
            value = document.value if document else None
            lenses[int(match[1])] = value.get("up") if isinstance(value, dict) else None
    about = read_yaml(folder / ABOUT, faults)
    versions = about.value.get("versions") if about and isinstance(about.value, dict) else None
    lives = versions if isinstance(versions, dict) else {}
    return Edition(
        schemas, lenses, {int(major): life_of(life) for major, life in lives.items() if str(major).isdecimal()}
    )


def life_of(life: Any) -> Life:
    """Read `sunset` and `ended` of a version; what is no date is none."""
    found = life if isinstance(life, dict) else {}
    return Life(_day(found.get("sunset")), _day(found.get("ended")))


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
