"""What to do at a take-over, decided from what was found: pure, so that every case stands in a unit test.

Covers R4 (marker against committed offset, configuration, format, keys), R5 (range of the input) and the memory of R9
(how often the first record has been the death of somebody). How the facts are gathered is `lane_takeover`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from expathub.kafka.marker import Marker
from expathub.kafka.observer import Cause


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who wants the lane: this run of this process, its configuration and what it can read."""

    owner: str
    format: int
    revision: int
    digest: str
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found after the fencing. Offsets are of the input, but for `changelog_start`."""

    marker: Marker | None
    committed: int | None
    input_start: int
    input_end: int
    changelog_start: int
    """First offset that the changelog still has; above 0 something was deleted from it."""
    windowed: bool
    """What the changelog loses by retention is older than anything that may be asked for."""


@dataclass(frozen=True, slots=True)
class Take:
    """Go on at `next`, with the care that R9 asks for (see `Marker` for the last three)."""

    next: int
    takeovers: int
    deaths: int = 0
    careful_until: int = 0
    singly_until: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not go on by yourself."""

    cause: Cause
    detail: str


Decision: TypeAlias = Take | Stop


def given_up_at(deaths_max: int) -> int:
    """Return the count of deaths at which not even poison is tried any more."""
    return 2 * deaths_max


def decide(found: Findings, claimant: Claimant, batch_records_max: int, deaths_max: int) -> Decision:
    """Say whether and where the claimant goes on with a lane."""
    marker = found.marker
    if marker is not None and (hindrance := _hindrance(marker, claimant)):
        return hindrance
    start = _start(found)
    if isinstance(start, Stop):
        return start
    if not found.input_start <= start <= found.input_end:
        reach = f"next {start}, the topic has {found.input_start} to {found.input_end}"
        return Stop(Cause.OUT_OF_RANGE, reach)
    if marker is None:
        return Take(start, takeovers=1)
    take = Take(start, marker.takeovers + 1, marker.deaths, marker.careful_until, marker.singly_until)
    if marker.owner != claimant.owner:  # we know of ourselves that we have not died
        take = _careful(take, marker, min(found.input_end, start + batch_records_max))
    if take.deaths >= given_up_at(deaths_max):
        return Stop(Cause.POISON_FAILED, f"at or after {start}, {take.deaths} deaths")
    return take


def _hindrance(marker: Marker, claimant: Claimant) -> Stop | None:
    """Say why this claimant must not touch what a marker's writer has left."""
    if marker.format > claimant.format:
        return Stop(Cause.FORMAT_NEWER, f"format {marker.format}, this process reads {claimant.format}")
    if marker.revision > claimant.revision:
        return Stop(Cause.CONFIGURATION_OLDER, f"revision {marker.revision}, this process has {claimant.revision}")
    if marker.revision == claimant.revision and marker.digest != claimant.digest:
        return Stop(Cause.CONFIGURATION_OLDER, f"revision {marker.revision} with another digest")
    for number, fingerprint in marker.keys.items():
        if number not in claimant.keys:
            return Stop(Cause.KEY_MISSING, f"key {number}")
        if claimant.keys[number] != fingerprint:
            return Stop(Cause.KEY_DIFFERS, f"key {number}")
    return None


def _start(found: Findings) -> int | Stop:
    """Find the next offset by marker and committed offset; where both are, they must agree (R4)."""
    marker, committed = found.marker, found.committed
    if marker is not None and committed in (None, marker.next):
        return marker.next  # a quiet group's offsets expire, its marker does not
    if marker is not None:
        return Stop(Cause.DISAGREE, f"marker {marker.next}, offset {committed}")
    if committed is None:
        return found.input_start
    if found.windowed and found.changelog_start > 0:
        return committed  # emptied by retention: nothing that is still within the window can have been in it
    return Stop(Cause.DISAGREE, f"no marker, offset {committed}")


def _careful(take: Take, marker: Marker, batch_end: int) -> Take:
    """Add the care that the last owner's end asks for (R9); it could have died of any record of its next batch."""
    if marker.trying is not None and marker.alone:
        singly_until = max(take.singly_until, marker.trying_until)
        return replace(take, deaths=take.deaths + 1, singly_until=singly_until)
    if marker.trying is not None:  # one of these, and nobody knows which
        return replace(take, singly_until=max(take.singly_until, marker.trying_until))
    if not marker.released:
        return replace(take, careful_until=max(take.careful_until, batch_end))
    return take
