"""What is different between two schemas, and whom each difference breaks.

Two promises make a change compatible (`Verdict`):
- *writers*: whatever the old schema accepts, the new one accepts. Who still writes by the old schema is not refused.
- *readers*: whatever the new schema accepts, the old one accepts when it is read openly, that is without its
  `additionalProperties: false` and `unevaluatedProperties: false`. Who still reads by the old schema finds all that it
  knows as it knows it, and passes over members that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from expathub.core.compatibility.documents import (
    ANNOTATIONS,
    LISTS,
    MAPS,
    SINGLE,
    Document,
    Judge,
    Schema,
    beyond,
    canonical,
    opened,
)
from expathub.core.compatibility.inclusion import Finding, Prover
from expathub.core.compatibility.rules import RULES
from expathub.core.pointers import Path, parse, render


class Verdict(Enum):
    """Whom a change breaks."""

    COMPATIBLE = "compatible"
    BREAKS_READERS = "breaks-readers"
    BREAKS_WRITERS = "breaks-writers"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: where (a JSON Pointer into the schema), what, whom it breaks, and why."""

    pointer: str
    change: str
    verdict: Verdict
    reason: str


_UNDECIDED: Final = "neither a proof nor an example that breaks it was found"


def compare(old: Schema, new: Schema, judge: Judge) -> list[Change]:
    """Return every change from `old` to `new`, both JSON Schema 2020-12; nothing where they say the same.

    Sound: where all changes are compatible, both promises hold for every value (`tests/unit/test_compatibility.py`).
    """
    differences = list(_differences(old, new, ()))
    if not differences:
        return []
    before, after = Document(old), Document(new)
    strange = beyond(before) or beyond(after)
    if strange:
        return [Change(strange[0], "changed", Verdict.UNDECIDABLE, f"the gate cannot follow `{strange[1]}`")]
    writers = includes(before, after, judge)
    readers = includes(after, Document(opened(old)), judge)
    broken = [*_told(writers, Verdict.BREAKS_WRITERS), *_told(readers, Verdict.BREAKS_READERS)]
    words = {render(path): what for path, what in differences}
    rows = [replace(one, change=one.change or _what(one.pointer, words)) for one in broken]
    places = [change.pointer for change in rows]
    rows += [
        Change(pointer, what, Verdict.COMPATIBLE, _fine(pointer, what))
        for pointer, what in words.items()
        if not any(_is_near(pointer, place) for place in places)
    ]
    return sorted(dict.fromkeys(rows), key=lambda change: (change.pointer, change.verdict.value))


def includes(narrow: Document, wide: Document, judge: Judge) -> tuple[Finding, ...]:
    """Return what keeps `wide` from accepting all that `narrow` accepts; nothing means that it is proven."""
    prover = Prover(judge, RULES)
    return prover.prove(prover.known(narrow.part()), wide.part())


def _told(findings: tuple[Finding, ...], verdict: Verdict) -> Iterator[Change]:
    who = "old writers" if verdict is Verdict.BREAKS_WRITERS else "old readers"
    for one in findings:
        if one.refuted:
            yield Change(one.pointer, one.what, verdict, f"{who}: {one.reason}")
        else:
            yield Change(one.pointer, one.what, Verdict.UNDECIDABLE, f"{who}: perhaps {one.reason}; {_UNDECIDED}")


def _what(pointer: str, words: Mapping[str, str]) -> str:
    """Find the words for what was changed at a place, or around it or below it."""
    near = [what for place, what in words.items() if _is_near(place, pointer)]
    return words.get(pointer) or (near[0] if near else "changed elsewhere")


def _is_near(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _fine(pointer: str, what: str) -> str:
    if what == _DESCRIBED:
        return "it asserts nothing"
    if what.endswith("` added") and parse(pointer)[-2:-1] == ("properties",):
        return "optional: old writers leave it out, and old readers pass over it"
    return "old writers are still accepted, and old readers still read what they know"


_DESCRIBED: Final = "description changed"


# --- differences as they are written -----------------------------------------------------------------------------


def _differences(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every place where two schemas are written differently, and in what way."""
    if isinstance(old, bool) or isinstance(new, bool):
        if old is not new:
            yield path, "schema replaced"
        return
    for keyword in sorted(old.keys() | new.keys()):
        here = (*path, keyword)
        if keyword not in old or keyword not in new:
            verb = "added" if keyword in new else "removed"
            yield here, _DESCRIBED if keyword in ANNOTATIONS else f"{keyword} {verb}"
        elif keyword in SINGLE:
            yield from _differences(old[keyword], new[keyword], here)
        elif keyword in LISTS:
            yield from _in_lists(old[keyword], new[keyword], here)
        elif keyword in MAPS:
            yield from _in_maps(old[keyword], new[keyword], here)
        elif canonical(old[keyword]) != canonical(new[keyword]):
            yield here, _DESCRIBED if keyword in ANNOTATIONS else f"{keyword} changed"


def _in_maps(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield (*path, name), f"`{name}` {'added' if name in new else 'removed'}"
        else:
            yield from _differences(old[name], new[name], (*path, name))


def _in_lists(old: list[Any], new: list[Any], path: Path) -> Iterator[tuple[Path, str]]:
    for index in range(max(len(old), len(new))):
        here = (*path, str(index))
        if index >= len(old) or index >= len(new):
            yield here, f"alternative {'added' if index >= len(old) else 'removed'}"
        else:
            yield from _differences(old[index], new[index], here)
