"""A lane that this process holds: fenced producer, loaded memory, and the place where the lane stands.

Every transaction of the lane goes through `Hold.commit`, which writes the marker; memory learns of it after the yes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from expathub.core.stage import Stage
from expathub.kafka import failpoints, marker
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.giving_up import GivenUpError, LaneStoppedError
from expathub.kafka.lane_plan import LaneSpec
from expathub.kafka.lane_state import Memory
from expathub.kafka.observer import Cause
from expathub.kafka.partitioning import Partitioner
from expathub.kafka.producer import LaneProducer
from expathub.kafka.sheet import Parcels, Sheet, pack
from expathub.kafka.takeover import Claimant, Take
from expathub.kafka.transaction import NOT_AUTHORISED, transact

E = TypeVar("E")

_LOOK_UP_SECONDS = 5.0
_RELEASE_SECONDS = 3.0


@dataclass(slots=True)
class Hold(Generic[E]):
    """One lane in this process's hands."""

    spec: LaneSpec[E]
    stage: Stage[E]
    settings: EngineSettings
    view: ClusterView
    partitioner: Partitioner
    producer: LaneProducer
    memory: Memory[E]
    mark: marker.Marker
    """As written with the last transaction (or as it will be with the first)."""
    clock_ms: Callable[[], int]
    trial: int = 1
    """How many records the next trial may have, as long as care is asked for."""
    topics: set[str] = field(default_factory=set)
    """Topics that the producer has looked up."""
    ended: float = 0.0
    """When the last transaction ended (monotonic, seconds)."""

    @property
    def name(self) -> str:
        """The lane's name."""
        return self.spec.name

    def sheet(self) -> Sheet[E]:
        """Begin the work of a batch."""
        parcels = Parcels(self.producer, self.settings.request_bytes_max)
        return Sheet(self.stage, self.memory.state, parcels, self.view, self.partitioner, self.clock_ms())

    async def commit(self, sheet: Sheet[E], next_offset: int) -> float:
        """Commit a batch that is worked out; returns the seconds of the transaction. Raises as `transact` does."""
        done = msgspec.structs.replace(
            self.mark, next=next_offset, at_ms=self.clock_ms(), released=False, trying=None, deaths=0
        )
        return await self._write(sheet, done, with_offset=True)

    async def note(self, *, with_offset: bool = False, **changes: object) -> None:
        """Commit a marker alone, with these fields changed."""
        noted = msgspec.structs.replace(self.mark, at_ms=self.clock_ms(), **changes)
        await self._write(self.sheet(), noted, with_offset=with_offset)

    async def release(self) -> None:
        """Leave word that nothing went wrong, for whoever has the lane next; if that fails, it will be careful."""
        with suppress(GivenUpError, LaneStoppedError, KafkaError, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self.note(released=True)

    async def breathe(self) -> None:
        """Wait until the broker has most likely finished the last transaction; meanwhile the next batch grows."""
        wait = self.ended + self.settings.pause_between_seconds - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _write(self, sheet: Sheet[E], mark: marker.Marker, *, with_offset: bool) -> float:
        header = (marker.HEADER, marker.encode(mark))
        entries = tuple(sheet.entries.items())
        pack(sheet, self.memory.state, self.spec.changelog, header)
        await self._look_up({partition.topic for partition in sheet.parcels.by_partition})
        await self.breathe()
        begun = time.monotonic()
        offsets = {self.spec.input: mark.next} if with_offset else {}
        settings = self.settings
        last = await transact(
            self.producer, sheet.parcels, offsets, settings.group, settings.commit_deadline_seconds, self.name
        )
        if failpoints.armed:
            await failpoints.reach("committed", self.name)
        self.memory.state.apply(entries)
        self.memory.marker = self.mark = mark
        # The commit's own record takes one offset. Not known (-1) only when a repeated request was answered late.
        stored = last[self.spec.changelog]
        self.memory.position = stored + 2 if stored >= 0 else None
        self.memory.touched = self.ended = time.monotonic()
        if failpoints.armed:
            await failpoints.reach("applied", self.name)
        return self.ended - begun

    async def _look_up(self, topics: set[str]) -> None:
        """Let the producer learn where topics are, before a transaction is open."""
        for topic in topics - self.topics:
            try:
                async with asyncio.timeout(_LOOK_UP_SECONDS):
                    await self.producer.look_up(topic)
            except NOT_AUTHORISED as error:
                raise LaneStoppedError(Cause.NOT_AUTHORISED, topic) from error
            except (TimeoutError, UnknownTopicOrPartitionError) as error:
                raise LaneStoppedError(Cause.TOPIC_MISSING, topic) from error
            self.topics.add(topic)


def first_mark(take: Take, claimant: Claimant, clock_ms: Callable[[], int]) -> marker.Marker:
    """Return the marker that a take-over writes."""
    return marker.Marker(
        next=take.next,
        format=claimant.format,
        revision=claimant.revision,
        digest=claimant.digest,
        keys=dict(claimant.keys),
        owner=claimant.owner,
        at_ms=clock_ms(),
        takeovers=take.takeovers,
        careful_until=take.careful_until,
        singly_until=take.singly_until,
        deaths=take.deaths,
    )
