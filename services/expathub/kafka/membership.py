"""One membership in the stage's group: the consumer, the lanes that the group has given us, and the pump between them.

It ends when the engine is to stop, or when a lane is given up; then every lane finishes its batch and the consumer
leaves the group. Callbacks of a rebalance only note and pause: no heartbeat goes out while they run (R1).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Coroutine
from typing import Any, Generic, TypeVar

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from expathub.kafka import failpoints, raw_records, watchdog
from expathub.kafka.giving_up import GivenUpError
from expathub.kafka.group_consumer import is_unreadable
from expathub.kafka.lane import Lane
from expathub.kafka.lane_plan import LanePlan, name_of
from expathub.kafka.observer import Cause, Happening, LaneHealth, Phase
from expathub.kafka.surroundings import Surroundings

E = TypeVar("E")

_POLL_MS = 200
_BEAT_SECONDS = 0.5
_LEAVE_SECONDS = 4.0
_SINGLY_SECONDS = 5.0
"""How long partitions are read one by one after the client could not read one of them."""
_SINGLY_PAUSE_SECONDS = 0.01


class Membership(ConsumerRebalanceListener, Generic[E]):
    """A member of the stage's group and the lanes that it has been given."""

    def __init__(self, plan: LanePlan[E], around: Surroundings[E]) -> None:
        self._plan = plan
        self._around = around
        self._lanes: dict[TopicPartition, Lane[E]] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._unplanned: set[TopicPartition] = set()
        self._missing: frozenset[str] = frozenset()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closing = False
        self._singly_until = 0.0
        self.joined = False

    def lanes(self) -> dict[str, LaneHealth]:
        """How each lane is that this member has been given, and each that nobody can have."""
        found = {lane.spec.name: lane.health for lane in self._lanes.values()}
        for partition in self._unplanned:
            found[name_of(partition)] = LaneHealth(Phase.STOPPED, Cause.UNPLANNED)
        for lane in self._plan:
            if lane.input.topic in self._missing:
                found[lane.name] = LaneHealth(Phase.STOPPED, Cause.TOPIC_MISSING, lane.input.topic)
        return found

    async def run(self, stopping: asyncio.Event) -> None:
        """Be a member until `stopping`; raises `GivenUpError` or `KafkaError` when it must end before."""
        consumer = self._around.consumer
        work: tuple[Coroutine[Any, Any, Any], ...] = (
            stopping.wait(),
            self._watch_topics(),
            self._beat(),
            self._pump(),
            watchdog.watch(consumer, self._hungry, self._around.settings.stuck_seconds),
        )
        own = [asyncio.ensure_future(one) for one in work]
        try:
            await asyncio.wait({self._ended, *own}, return_when=asyncio.FIRST_COMPLETED)
            for one in (self._ended, *own):
                if one.done():
                    one.result()
        finally:
            self._closing = True
            await self._leave_lanes()
            for task in own:
                task.cancel()
            await asyncio.gather(*own, return_exceptions=True)
            if not self._ended.done():
                self._ended.cancel()
            self.joined = False
            await consumer.leave(_LEAVE_SECONDS)

    # What the group tells us

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note and pause; each lane's task does the rest."""
        self._around.consumer.hold_back(assigned)
        if self._closing:
            return
        self.joined = True
        self._unplanned = {partition for partition in assigned if self._plan.find(partition) is None}
        for partition in assigned:
            spec = self._plan.find(partition)
            if spec is None:
                self._around.tell(Happening.STOPPED, name_of(partition), {"cause": Cause.UNPLANNED.value, "detail": ""})
                continue
            lane = self._lanes[partition] = Lane(spec, self._around)
            task = self._tasks[partition] = asyncio.ensure_future(self._live(lane))
            task.add_done_callback(self._note_end)
        self._forget_others()
        self._around.tell(Happening.JOINED, None, {"lanes": len(assigned)})

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Let every lane finish its batch; heartbeats go on meanwhile."""
        if failpoints.armed:
            await failpoints.reach("revoked")
        await self._leave_lanes()
        self.joined = False
        if revoked:
            self._around.tell(Happening.LEFT, None, {"lanes": len(revoked)})

    async def _live(self, lane: Lane[E]) -> None:
        if failpoints.armed:
            await failpoints.reach("assigned", lane.spec.name)
        await lane.run()

    def _note_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._ended.done():
            self._ended.set_exception(error)

    def _forget_others(self) -> None:
        """Let go of what we remember of lanes that others have now."""
        ours = {lane.spec.name for lane in self._lanes.values()}
        for name in self._around.memories.keys() - ours:
            del self._around.memories[name]

    async def _leave_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.leave()
        tasks = set(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._around.settings.release_seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        self._lanes.clear()
        self._tasks.clear()
        self._unplanned.clear()

    # What runs beside the lanes

    async def _watch_topics(self) -> None:
        """Subscribe to those inputs that are there, and again when one appears: no topic is made by asking for it."""
        while True:
            there = frozenset(topic for topic in self._plan.inputs if self._around.view.has(topic))
            missing = self._plan.inputs - there
            for topic in missing - self._missing:
                self._around.tell(Happening.STOPPED, topic, {"cause": Cause.TOPIC_MISSING.value, "detail": topic})
            if there:
                self._around.consumer.subscribe(there, self)
            self._missing = missing
            await asyncio.sleep(self._around.settings.look_again_seconds)
            try:
                await self._around.view.refresh()
            except KafkaError as error:
                raise GivenUpError("kafka-silent") from error

    async def _beat(self) -> None:
        while True:
            self._around.pulse.beat()
            await asyncio.sleep(_BEAT_SECONDS)

    async def _pump(self) -> None:
        """Carry fetched records to their lanes."""
        while True:
            if time.monotonic() > self._singly_until:
                await self._carry(_POLL_MS)
                continue
            for partition in list(self._lanes):  # the client does not say which partition it cannot read
                await self._carry(0, partition)
            await asyncio.sleep(_SINGLY_PAUSE_SECONDS)

    async def _carry(self, timeout_ms: int, *only: TopicPartition) -> None:
        """Carry what has been fetched (of one partition), or deal with what the client raised in place of it."""
        consumer = self._around.consumer
        try:
            fetched = await consumer.fetch(timeout_ms, *only)
        except Exception as error:  # noqa: BLE001 (a parser that fails raises what it likes)
            # Whatever else the client had in hand is lost to us, though its positions are past it.
            for lane in self._running():
                consumer.rewind(lane.spec.input, lane.next_fetch)
            await self._met(error, *only)
            return
        for partition, records in fetched.items():
            behind = await consumer.position(partition)
            fed = self._lanes.get(partition)
            if fed is not None and behind is not None:
                fed.feed(records, behind)

    async def _met(self, error: Exception, *only: TopicPartition) -> None:
        if isinstance(error, NoOffsetForPartitionError):
            return  # a lane that is not ready yet; it will seek
        if isinstance(error, OffsetOutOfRangeError):
            for lane in self._running():
                if (offset := error.args[0].get(lane.spec.input)) is not None:
                    lane.stop(Cause.OUT_OF_RANGE, f"next {offset}")
        elif isinstance(error, TopicAuthorizationFailedError):
            for lane in self._running():
                if lane.spec.input.topic in error.args:
                    lane.stop(Cause.NOT_AUTHORISED, lane.spec.input.topic)
        elif not is_unreadable(error):
            raise error
        elif only:
            await self._read_raw(self._lanes[only[0]], error)
        else:
            self._singly_until = time.monotonic() + _SINGLY_SECONDS

    async def _read_raw(self, lane: Lane[E], error: Exception) -> None:
        """Read on with tolerance where the client cannot; if that fails too, only this lane stops."""
        if not lane.running:
            return
        position = f"{lane.spec.name}/{lane.next_fetch}"
        around = self._around
        try:
            records, behind = await raw_records.fetch(
                around.view, lane.spec.input, lane.next_fetch, around.settings.fetch_bytes_max
            )
        except CorruptRecordException as worse:
            lane.stop(Cause.UNREADABLE, f"{position}: {worse}")
            return
        around.tell(Happening.UNREADABLE, lane.spec.name, {"position": position, "error": type(error).__name__})
        if lane in self._running():  # it may have been left while we asked
            around.consumer.rewind(lane.spec.input, behind)
            lane.feed(records, behind)
            self._singly_until = 0.0

    def _hungry(self) -> list[Lane[E]]:
        return [lane for lane in self._lanes.values() if lane.hungry]

    def _running(self) -> list[Lane[E]]:
        return [lane for lane in self._lanes.values() if lane.running]
