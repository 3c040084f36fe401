"""What an engine tells of itself: one report per batch and a closed list of named events. It writes no log itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

Detail: TypeAlias = str | int | float | bool | None


class Happening(StrEnum):
    """The named events. Details are counts, seconds, positions, topic names and names of errors: never content."""

    KAFKA_AWAITED = "kafka_awaited"  # `reason`, `seconds` until the next attempt
    JOINED = "joined"  # `lanes`: how many
    LEFT = "left"  # `lanes`; the group takes them back, or the process ends
    GIVEN_UP = "given_up"  # `reason`, `seconds` until the process joins anew, `error` behind it
    TAKEN_OVER = "taken_over"  # `next`, `takeovers`, `seconds`, `records` read from the changelog, `kept`
    STOPPED = "stopped"  # `cause`, `detail`
    RESUMED = "resumed"  # a stopped lane found that it may go on
    RELEASED = "released"
    RENEWED = "renewed"  # an idle lane renewed its marker
    STEP_RAISED = "step_raised"  # `position`, `error`, `deaths`
    CAREFUL = "careful"  # `until`: records one by one from here to there
    POISONED = "poisoned"  # `position`, `deaths`, `reason`
    UNREADABLE = "unreadable"  # `position`: the client could not parse a record, read in the tolerant way
    BUFFER_FULL = "buffer_full"  # the lane is paused until its buffer is worked off


class Phase(StrEnum):
    """What a lane is at."""

    TAKING_OVER = "taking-over"
    RUNNING = "running"
    STOPPED = "stopped"
    LEAVING = "leaving"


class Cause(StrEnum):
    """Why a lane is stopped (R4, R5, R9). The other lanes go on."""

    DISAGREE = "marker-and-offset-disagree"
    CONFIGURATION_OLDER = "configuration-older"
    FORMAT_NEWER = "state-format-newer"
    KEY_MISSING = "key-missing"
    KEY_DIFFERS = "key-differs"
    OUT_OF_RANGE = "offset-out-of-range"
    TOPIC_MISSING = "topic-missing"
    UNPLANNED = "partition-unplanned"
    NOT_AUTHORISED = "not-authorised"
    UNREADABLE = "record-unreadable"
    CHANGELOG_UNREADABLE = "changelog-unreadable"
    POISON_FAILED = "poison-failed"


@dataclass(frozen=True, slots=True)
class LaneHealth:
    """How a lane is; `cause` and `detail` say why it is stopped."""

    phase: Phase
    cause: Cause | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How an engine is: `ready` when it is a member of its group and every lane it has been given is running."""

    ready: bool
    joined: bool
    lanes: Mapping[str, LaneHealth]


@dataclass(frozen=True, slots=True)
class BatchReport:
    """One committed batch. `seconds` from the first record's work on, `transaction_seconds` from begin to commit."""

    lane: str
    records: int
    next_offset: int
    outputs: int
    tally: Mapping[str, int]
    seconds: float
    transaction_seconds: float


class Observer(Protocol):
    """Who is told. Must be quick and must not raise."""

    def batch(self, report: BatchReport) -> None:
        """Take note of a committed batch."""
        ...

    def event(self, name: Happening, lane: str | None, details: Mapping[str, Detail]) -> None:
        """Take note of a named event, of a lane or of the whole engine (`lane` None)."""
        ...


class Silence:
    """An observer that takes note of nothing."""

    def batch(self, report: BatchReport) -> None:
        """Do nothing."""

    def event(self, name: Happening, lane: str | None, details: Mapping[str, Detail]) -> None:
        """Do nothing."""
