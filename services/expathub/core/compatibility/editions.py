"""What is published of an event type, and what may become of it: schemas, lenses, and how long a major lives.

Inside a major only compatible additions; a lens is never edited, since events that were converted would come out
otherwise; a sunset is never brought forward; a type or a major is never taken away, it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from expathub.core.compatibility.compare import Change, Verdict, compare
from expathub.core.compatibility.documents import Judge, canonical, everywhere
from expathub.core.pointers import parse


@dataclass(frozen=True, slots=True)
class Life:
    """When a major is to be retired, as announced, and when it is; None where nobody has said."""

    sunset: date | None = None
    ended: date | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """An event type as partners know it; lenses (their operations upwards) by the older of the two majors."""

    schemas: Mapping[int, Any]
    lenses: Mapping[int, Any]
    lives: Mapping[int, Life]


def compare_types(old: Mapping[str, Edition], new: Mapping[str, Edition], judge: Judge) -> list[Change]:
    """Return every change between two catalogues; pointers begin with the name of the type."""
    found: list[Change] = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            found += _taken_away(f"/{name}", "event type removed", "a type is never taken away: its majors end")
        elif name not in old:
            found.append(Change(f"/{name}", "event type added", Verdict.COMPATIBLE, "nobody knows it yet"))
        else:
            found += _below(f"/{name}", compare_editions(old[name], new[name], judge))
    return found


def compare_editions(old: Edition, new: Edition, judge: Judge) -> list[Change]:
    """Return every change of one event type; pointers begin with `/v1`, `/v1-v2.lens` or `/versions/1`."""
    found: list[Change] = []
    for major in sorted(old.schemas.keys() | new.schemas.keys()):
        place = f"/v{major}"
        if major not in new.schemas:
            found += _taken_away(place, "major removed", "a major is never taken away: it ends, and its files stay")
        elif major not in old.schemas:
            found.append(Change(place, "major added", Verdict.COMPATIBLE, "partners move to it when they are ready"))
        else:
            found += _below(place, compare(old.schemas[major], new.schemas[major], judge))
            found += _lifetime(major, old.lives.get(major, Life()), new.lives.get(major, Life()))
    for older in sorted(old.lenses.keys() | new.lenses.keys()):
        found += _lens(older, old, new)
    return found


def _below(place: str, changes: list[Change]) -> Iterator[Change]:
    return (replace(change, pointer=place + change.pointer) for change in changes)


def _taken_away(place: str, what: str, reason: str) -> Iterator[Change]:
    yield Change(place, what, Verdict.BREAKS_READERS, reason)
    yield Change(place, what, Verdict.BREAKS_WRITERS, reason)


def _lifetime(major: int, old: Life, new: Life) -> Iterator[Change]:
    place = f"/versions/{major}"
    if new.sunset != old.sunset:
        is_sooner = old.sunset is not None and new.sunset is not None and new.sunset < old.sunset
        yield _judged(f"{place}/sunset", "sunset", is_sooner, "partners were promised more time")
    if new.ended != old.ended:
        promised = old.sunset or old.ended
        is_sooner = new.ended is not None and (promised is None or new.ended < promised)
        yield _judged(f"{place}/ended", "end", is_sooner, "it ends before, or without, an announced sunset")


def _judged(place: str, what: str, is_sooner: bool, reason: str) -> Change:  # noqa: FBT001 (the verdict itself)
    if is_sooner:
        return Change(place, f"{what} brought forward", Verdict.BREAKS_WRITERS, reason)
    return Change(place, f"{what} set", Verdict.COMPATIBLE, "not sooner than announced")


# --- lenses ------------------------------------------------------------------------------------------------------


def _lens(older: int, old: Edition, new: Edition) -> Iterator[Change]:
    place = f"/v{older}-v{older + 1}.lens"
    before, after = old.lenses.get(older), new.lenses.get(older)
    if before is None:
        yield Change(place, "lens added", Verdict.COMPATIBLE, "what could not be converted now can")
        return
    if after is None:
        yield Change(place, "lens removed", Verdict.BREAKS_READERS, "what was converted can be no more")
        return
    before, after = _without_words(before), _without_words(after)
    if canonical(before) == canonical(after):
        return
    same = next((i for i, (b, a) in enumerate(zip(before, after, strict=False)) if canonical(b) != canonical(a)), None)
    first = min(len(before), len(after)) if same is None else same
    here = f"{place}/up/{first}"
    if first == len(before) and _names(after[first:]).isdisjoint(_known(old, older) | _known(old, older + 1)):
        yield Change(here, "operations added", Verdict.COMPATIBLE, "they touch only fields that are new as well")
    else:
        yield Change(here, "operations changed", Verdict.BREAKS_READERS, "what was converted would come out otherwise")


def _without_words(operations: Any) -> Any:
    """Return a lens without what only people read."""
    if isinstance(operations, list):
        return [_without_words(one) for one in operations]
    if isinstance(operations, dict):
        return {name: _without_words(one) for name, one in operations.items() if name != "note"}
    return operations


def _names(operations: Any) -> frozenset[str]:
    """Collect the last names of the fields that operations speak of."""
    if isinstance(operations, str):
        return frozenset(parse(operations)[-1:] if operations.startswith("/data/") else ())
    inner = operations.values() if isinstance(operations, dict) else operations if isinstance(operations, list) else ()
    return frozenset().union(*map(_names, inner))


def _known(edition: Edition, major: int) -> frozenset[str]:
    """Collect the names of a major's fields, wherever they stand: a name that is new nowhere clashes with nothing."""
    places = (path for path, _ in everywhere(edition.schemas.get(major, True)))
    return frozenset(path[-1] for path in places if path[-2:-1] == ("properties",))


def breaking(changes: list[Change]) -> list[Change]:
    """Return the changes that are anything but compatible."""
    return [change for change in changes if change.verdict is not Verdict.COMPATIBLE]
