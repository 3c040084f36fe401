"""What the files of event types say to people beyond the catalogue of the core: changes in words, and examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from expathub.configuration.catalogue import read_catalogue
from expathub.configuration.faults import Faults
from expathub.configuration.tree import listed, read_json


def changes_in_words(schemas: Path) -> dict[str, dict[int, dict[str, str]]]:
    """Return what each lens changes, by event type, by the older of its majors, by language, with all that it loses."""
    read = read_catalogue(schemas, Faults())
    return {
        name: {
            older: {language: _told(lens.changes, lens.source, language) for language in lens.changes}
            for older, lens in files.lenses.items()
        }
        for name, files in read.items()
        if files is not None
    }


def _told(changes: Any, source: Any, language: str) -> str:
    operations = source.get("up", []) if isinstance(source, dict) else []
    notes = [inner["note"][language] for one in operations for inner in one.values() if "note" in inner]
    return " ".join([changes[language], *notes])


def good_examples(schemas: Path) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Return the good examples of each event type and major."""
    faults = Faults()
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for folder in sorted(schemas.glob("*/examples/v*")):
        documents = (read_json(file, faults) for file in listed(folder, faults))
        name, major = folder.parents[1].name, int(folder.name.removeprefix("v"))
        found[name, major] = [document.value for document in documents if document]
    faults.raise_if_any()
    return found
