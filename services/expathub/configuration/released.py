"""`schemas/released.json`: every schema, lens and sunset as it was last released, and what has become of it since.

The record holds the contents, not their digests: only so can a change be told from a compatible addition, also where
there is no git. `expathub schemas release` writes it; nobody edits it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from expathub.configuration.catalogue import RELEASED
from expathub.configuration.editions import life_of, read_editions
from expathub.configuration.faults import Faults
from expathub.configuration.judging import judge
from expathub.configuration.tree import Document, Loc, read_json, read_yaml
from expathub.core.compatibility.compare import Change
from expathub.core.compatibility.editions import Edition, Life, breaking, compare_types
from expathub.core.pointers import parse

_MEND = "Undo it, or make it a new major (docs/changing-a-schema.md)"
_SCHEMA = re.compile(r"v[0-9]+")


def read_released(schemas: Path, faults: Faults) -> dict[str, Edition] | None:
    """Read the record beside the event types; None where nothing was ever released, or a fault was noted."""
    file = schemas / RELEASED
    if not file.is_file():
        return None
    document = read_json(file, faults)
    try:
        return {name: _edition(entry) for name, entry in document.value.items()} if document else None
    except (AttributeError, KeyError, TypeError, ValueError):
        faults.add(file, 1, "this is no record of a release", "Take it from the last release")
        return None


def changes_since_release(schemas: Path, faults: Faults) -> list[Change]:
    """Return all changes since the last release; none where nothing was ever released."""
    released = read_released(schemas, faults)
    return compare_types(released, read_editions(schemas), judge) if released else []


def refuse_broken_promises(schemas: Path, faults: Faults) -> None:
    """Note each change since the last release that breaks a partner, at the file and line where it stands."""
    for change in breaking(changes_since_release(schemas, faults)):
        file, line = _place(schemas, change.pointer)
        what = f"this breaks what was released: {change.change} ({change.verdict.value}; {change.reason})"
        faults.add(file, line, what, _MEND)


def write_released(schemas: Path, editions: Mapping[str, Edition]) -> Path:
    """Write the record, a line for each schema and lens; the same editions give the same bytes."""
    rows = []
    for name, edition in sorted(editions.items()):
        versions = ",\n    ".join(
            f'"{major}": {_line({**_dates(edition.lives.get(major, Life())), "schema": schema})}'
            for major, schema in sorted(edition.schemas.items())
        )
        lenses = ",\n    ".join(f'"{older}": {_line(up)}' for older, up in sorted(edition.lenses.items()))
        inner = f"\n    {lenses}\n  " if lenses else ""
        rows.append(f'"{name}": {{\n  "versions": {{\n    {versions}\n  }},\n  "lenses": {{{inner}}}\n}}')
    file = schemas / RELEASED
    file.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
    return file


def _line(value: Any) -> str:
    return orjson.dumps(value).decode()


def _dates(life: Life) -> dict[str, str]:
    return {name: day.isoformat() for name, day in (("sunset", life.sunset), ("ended", life.ended)) if day}


def _edition(entry: Any) -> Edition:
    versions = entry["versions"].items()
    return Edition(
        schemas={int(major): version["schema"] for major, version in versions},
        lenses={int(older): up for older, up in entry["lenses"].items()},
        lives={int(major): life_of(version) for major, version in versions},
    )


def _place(schemas: Path, pointer: str) -> tuple[Path, int]:
    """Find the file and line of a change; of what is gone, the nearest that is there."""
    name, *rest = parse(pointer)
    folder = schemas / name
    if not folder.is_dir():
        return schemas / RELEASED, 1
    part = rest[0] if rest else ""
    if part.endswith(".lens") and (folder / f"{part}.yaml").is_file():
        return _located(read_yaml(folder / f"{part}.yaml", Faults()), rest[1:], folder / f"{part}.yaml")
    if _SCHEMA.fullmatch(part) and (folder / f"{part}.json").is_file():
        return _located(read_json(folder / f"{part}.json", Faults()), rest[1:], folder / f"{part}.json")
    return _located(read_yaml(folder / "about.yaml", Faults()), rest, folder / "about.yaml")


def _located(document: Document | None, rest: list[str], file: Path) -> tuple[Path, int]:
    loc: Loc = tuple(int(part) if part.isdecimal() and not _is_version(rest) else part for part in rest)
    return file, document.line(loc) if document else 1


def _is_version(rest: list[str]) -> bool:
    return rest[:1] == ["versions"]
