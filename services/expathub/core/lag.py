"""How far a consumer group is behind, from plain readings of Kafka: pure, and the same for hub and partners.

Covers one moment: what is unread, what was lost to retention, what is unknown. What it means over time
(stalled, catching up, stopped) is not judged here.

Three things that other tools get wrong are settled in `lag_of`: a group without a commit has no lag number at all;
offsets below the log's start are lost, not lag; and a transaction's marker takes an offset but is no record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class LagState(Enum):
    """What can be said of one partition or group now, the worst last."""

    OK = "ok"
    BEHIND = "behind"
    NO_COMMIT = "no-commit"
    LOST = "lost"
    UNKNOWN = "unknown"


_WORST_FIRST = (LagState.LOST, LagState.UNKNOWN, LagState.BEHIND, LagState.NO_COMMIT, LagState.OK)
"""Lost records are certain and for ever, so they outrank what is only unknown; a quiet member is the least news."""


@dataclass(frozen=True, slots=True)
class PartitionReading:
    """What was read of one partition for one group; offsets are None where they could not be read.

    `committed` is the next offset the group will read, None without a commit. `end` is the end for a
    read_committed reader (last stable offset). `unread` counts the records (no markers) from the commit to the
    end, as far as they were counted: `counted_all` says whether all were. `oldest_unread_ms` is the broker's
    time of the first of them (epoch, ms). `member` is the client that holds the partition. `fault` names why
    the reading failed.
    """

    topic: str
    partition: int
    committed: int | None = None
    log_start: int | None = None
    end: int | None = None
    unread: int | None = None
    counted_all: bool = False
    oldest_unread_ms: int | None = None
    member: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """The judgement of one reading.

    `records` is None where there is no number to give; `at_most` marks it as an upper bound (markers may be in
    it). `lost` counts offsets that retention took before the group read them. `seconds` is the age of the oldest
    unread record.
    """

    reading: PartitionReading
    state: LagState
    records: int | None = None
    at_most: bool = False
    lost: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """A group over all its partitions; numbers are sums (records, lost) and maxima (seconds) of what is known."""

    group: str
    partner: str | None
    members: int | None
    state: LagState
    records: int | None
    at_most: bool
    lost: int
    seconds: float | None
    partitions: tuple[PartitionLag, ...]


def lag_of(reading: PartitionReading, now_ms: int) -> PartitionLag:
    """Judge one reading at `now_ms` (epoch, ms). Never negative, never a number where none is known."""
    if reading.fault is not None or reading.log_start is None or reading.end is None:
        return PartitionLag(reading, LagState.UNKNOWN)
    if reading.committed is None:
        return PartitionLag(reading, LagState.NO_COMMIT)
    lost = max(0, reading.log_start - reading.committed)
    offsets = max(0, reading.end - max(reading.committed, reading.log_start))
    counted = reading.unread if reading.unread is not None and reading.counted_all else None
    records = min(offsets, counted) if counted is not None else offsets
    seconds = _age(reading, now_ms) if records else 0.0
    return PartitionLag(
        reading=reading,
        state=_state(records, lost),
        records=records,
        at_most=counted is None and offsets > 0,
        lost=lost,
        seconds=seconds,
    )


def group_lag(
    group: str, partner: str | None, members: int | None, readings: Iterable[PartitionReading], now_ms: int
) -> GroupLag:
    """Sum up a group: its state is the worst of its partitions, and one bad partition never blanks the rest."""
    partitions = tuple(lag_of(reading, now_ms) for reading in readings)
    known = [partition.records for partition in partitions if partition.records is not None]
    ages = [partition.seconds for partition in partitions if partition.seconds is not None]
    return GroupLag(
        group=group,
        partner=partner,
        members=members,
        state=_worst(partition.state for partition in partitions),
        records=sum(known) if known else None,
        at_most=any(partition.at_most for partition in partitions),
        lost=sum(partition.lost for partition in partitions),
        seconds=max(ages) if ages else None,
        partitions=partitions,
    )


def _state(records: int, lost: int) -> LagState:
    if lost:
        return LagState.LOST
    return LagState.BEHIND if records else LagState.OK


def _age(reading: PartitionReading, now_ms: int) -> float | None:
    """Return the age of the oldest unread record in seconds; a clock that runs behind the broker's gives 0."""
    if reading.oldest_unread_ms is None:
        return None
    return max(0, now_ms - reading.oldest_unread_ms) / 1000


def _worst(states: Iterable[LagState]) -> LagState:
    """Return the worst state; a group without any partition is without a commit."""
    found = set(states)
    return next((state for state in _WORST_FIRST if state in found), LagState.NO_COMMIT)
