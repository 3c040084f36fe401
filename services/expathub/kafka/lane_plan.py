"""Which lanes a stage has: for each input partition its changelog, its transactional id and its empty state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiokafka import TopicPartition

from expathub.kafka.lane_state import LaneState

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class LaneSpec(Generic[E]):
    """One lane: the unit of ownership. A changelog partition belongs to one lane alone."""

    input: TopicPartition
    changelog: TopicPartition
    transactional_id: str
    new_state: Callable[[], LaneState[E]]
    window_ms: int | None = None
    """A load starts this long ago; None starts at the beginning (the changelog is compacted, or a store of record)."""

    @property
    def name(self) -> str:
        """Name the lane in logs, metrics and commands, e.g. `outbox.ind/0`."""
        return name_of(self.input)


class LanePlan(Generic[E]):
    """All lanes of a stage, whoever owns them."""

    def __init__(self, lanes: Iterable[LaneSpec[E]]) -> None:
        self._lanes = {lane.input: lane for lane in lanes}
        changelogs = {lane.changelog for lane in self}
        ids = {lane.transactional_id for lane in self}
        if not len(changelogs) == len(ids) == len(self._lanes):
            raise ValueError("two lanes share a changelog partition or a transactional id")

    def __iter__(self) -> Iterator[LaneSpec[E]]:
        """Iterate over the lanes."""
        return iter(self._lanes.values())

    def __len__(self) -> int:
        """Count the lanes."""
        return len(self._lanes)

    @property
    def inputs(self) -> frozenset[str]:
        """The topics that the stage reads."""
        return frozenset(partition.topic for partition in self._lanes)

    def find(self, partition: TopicPartition) -> LaneSpec[E] | None:
        """Return the lane of an input partition, or None when the stage has no such lane."""
        return self._lanes.get(partition)

    def named(self, name: str) -> LaneSpec[E]:
        """Return the lane called `name`; raises `KeyError`."""
        for lane in self:
            if lane.name == name:
                return lane
        raise KeyError(name)


def name_of(partition: TopicPartition) -> str:
    """Return the name of the lane that reads `partition`."""
    return f"{partition.topic}/{partition.partition}"
