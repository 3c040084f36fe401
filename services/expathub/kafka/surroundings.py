"""What all lanes of one membership share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from expathub.core.stage import Stage
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.giving_up import GivenUpError
from expathub.kafka.group_consumer import GroupConsumer
from expathub.kafka.lane_plan import LaneSpec
from expathub.kafka.lane_state import Memory
from expathub.kafka.observer import Detail, Happening, Observer
from expathub.kafka.partitioning import Partitioner
from expathub.kafka.takeover import Claimant

E = TypeVar("E")


@dataclass(slots=True)
class Pulse:
    """Notices that the whole process stood still: stopped, starved, or busy in one piece of work.

    A process that was still for longer than its session no longer knows whose a lane is. Should it go on to fence, it
    would throw out its rightful successor (R1).
    """

    limit_seconds: float
    beat_at: float = field(default_factory=time.monotonic)
    stood_still: bool = False

    def beat(self) -> None:
        """Take note that the event loop runs."""
        now = time.monotonic()
        self.stood_still |= now - self.beat_at > self.limit_seconds
        self.beat_at = now

    def check(self) -> None:
        """Raise `GivenUpError` when the process stood still since it joined."""
        self.beat()
        if self.stood_still:
            raise GivenUpError("stood-still")


@dataclass(slots=True)
class Surroundings(Generic[E]):
    """One membership in the group, as its lanes see it."""

    stage: Stage[E]
    settings: EngineSettings
    observer: Observer
    owner: str
    clock_ms: Callable[[], int]
    consumer: GroupConsumer
    view: ClusterView
    partitioner: Partitioner
    pulse: Pulse
    memories: dict[str, Memory[E]]

    def memory(self, spec: LaneSpec[E]) -> Memory[E]:
        """Return what this process still remembers of a lane, or an empty memory, which is kept from now on.

        A compacted changelog forgets deletions after a day, so a memory must not be older than a fraction of that.
        """
        known = self.memories.get(spec.name)
        if known is None or time.monotonic() - known.touched > self.settings.memory_seconds:
            known = self.memories[spec.name] = Memory(spec.new_state())
        return known

    def claimant(self, spec: LaneSpec[E]) -> Claimant:
        """Return who we are to a lane."""
        settings = self.settings
        state = self.memory(spec).state
        return Claimant(self.owner, state.format, settings.revision, settings.digest, settings.keys)

    def tell(self, name: Happening, lane: str | None = None, details: Mapping[str, Detail] | None = None) -> None:
        """Tell the observer of an event."""
        self.observer.event(name, lane, details or {})
