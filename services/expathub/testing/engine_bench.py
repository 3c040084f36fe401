"""A bench to try the engine on: the topics of a counting stage, its lanes and settings, and the check of what it did.

`expathub.testing.engine_member` runs engines of a bench in processes of their own, to be killed.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from expathub.kafka.engine import Engine
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.lane_plan import LanePlan, LaneSpec
from expathub.kafka.observer import BatchReport, Detail, Happening
from expathub.testing import group_members
from expathub.testing.counting import CountingStage, CountState

_READ_MS = 500
_SETTLE_SECONDS = 0.05
_STOP_SECONDS = 25.0
"""Design R10: so long may an engine take to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Topics and lanes of one trial; `prefix` keeps trials apart on one broker."""

    bootstrap: str
    prefix: str
    lanes: int = 1
    output_partitions: int = 3
    step_seconds: float = 0.0
    restore_seconds: float = 0.0
    window_ms: int | None = None
    group_name: str = "group"
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the engine's defaults."""

    def input(self, lane: int) -> TopicPartition:
        """Return the input partition of a lane: each lane has a topic of its own."""
        return TopicPartition(f"{self.prefix}.in{lane}", 0)

    def changelog(self, lane: int) -> TopicPartition:
        """Return the changelog partition of a lane: all in one topic."""
        return TopicPartition(f"{self.prefix}.changelog", lane)

    @property
    def copies(self) -> str:
        """The topic that the stage writes to."""
        return f"{self.prefix}.copies"

    @property
    def group(self) -> str:
        """The stage's group."""
        return f"{self.prefix}.{self.group_name}"

    def plan(self) -> LanePlan[int]:
        """Return the lanes."""
        return LanePlan(self.spec(lane) for lane in range(self.lanes))

    def spec(self, lane: int) -> LaneSpec[int]:
        """Return one lane."""
        return LaneSpec(
            input=self.input(lane),
            changelog=self.changelog(lane),
            transactional_id=f"{self.prefix}.{lane}",
            new_state=lambda: CountState(slow_seconds=self.restore_seconds),
            window_ms=self.window_ms,
        )

    def settings(self, **changes: Any) -> EngineSettings:
        """Return the settings; a trial looks again, hears of others and comes back sooner than an operation would."""
        chosen: dict[str, Any] = {
            "revision": 1,
            "digest": "d1",
            "look_again_seconds": 0.5,
            "heartbeat_interval_ms": 300,
            "rejoin_first_seconds": 0.2,
            "client_id": self.prefix,
            **self.changes,
            **changes,
        }
        return EngineSettings(bootstrap=self.bootstrap, group=self.group, **chosen)

    def engine(self, told: Told | None = None, **changes: Any) -> Engine[int]:
        """Return an engine."""
        stage = CountingStage(self.prefix, self.step_seconds)
        return Engine(stage, self.plan(), self.settings(**changes), told or Told())

    @asynccontextmanager
    async def running(self, told: Told, **changes: Any) -> AsyncIterator[Engine[int]]:
        """Run an engine while the block lasts; raises what the engine raises."""
        engine = self.engine(told, **changes)
        task = asyncio.create_task(engine.run())
        task.add_done_callback(told.note_end)
        try:
            yield engine
        finally:
            engine.stop()
            await asyncio.wait_for(task, _STOP_SECONDS)

    async def make_topics(self) -> Self:
        """Make all topics and wait until they have leaders."""
        topics = {self.input(lane).topic: 1 for lane in range(self.lanes)}
        topics |= {self.changelog(0).topic: self.lanes, self.copies: self.output_partitions}
        compacted = f"{self.prefix}.compacted"
        await self.make({**topics, compacted: 1}, {compacted: {"cleanup.policy": "compact"}})
        return self

    async def make(self, topics: Mapping[str, int], configs: Mapping[str, dict[str, str]] | None = None) -> None:
        """Make topics with so many partitions."""
        new = [NewTopic(name, count, 1, topic_configs=(configs or {}).get(name)) for name, count in topics.items()]
        async with self._admin() as admin:
            await admin.create_topics(new)
            while any(  # noqa: ASYNC110 (only asking again tells)
                topic["error_code"] or any(one["leader"] < 0 for one in topic["partitions"])
                for topic in await admin.describe_topics(list(topics))
            ):
                await asyncio.sleep(_SETTLE_SECONDS)

    async def publish(self, lane: int, values: Iterable[bytes], keys: Sequence[bytes] = (b"a", b"b", b"c")) -> None:
        """Write `values` into a lane's input, with `keys` in turn."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=2)
        await producer.start()
        try:
            sent = [
                await producer.send(self.input(lane).topic, value, key=keys[index % len(keys)])
                for index, value in enumerate(values)
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def copied(self) -> list[Copy]:
        """Read the stage's copies, up to the end as of now."""
        return await read_topic(self.bootstrap, self.copies)

    async def committed(self, lane: int) -> int | None:
        """Return the group's offset of a lane's input."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.group, enable_auto_commit=False)
        await consumer.start()
        try:
            committed: int | None = await consumer.committed(self.input(lane))
        finally:
            await consumer.stop()
        return committed

    async def until_committed(self, lane: int, offset: int, within_seconds: float = 30.0) -> None:
        """Wait until the group's offset of a lane is at least `offset`; raises `TimeoutError`."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.group, enable_auto_commit=False)
        await consumer.start()
        try:
            async with asyncio.timeout(within_seconds):
                while (await consumer.committed(self.input(lane)) or 0) < offset:  # noqa: ASYNC110 (as above)
                    await asyncio.sleep(_SETTLE_SECONDS)
        finally:
            await consumer.stop()

    async def commit(self, lane: int, offset: int) -> None:
        """Set the group's offset of a lane by hand, as somebody might who should not; the group must be empty."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign([self.input(lane)])
            await consumer.commit({self.input(lane): offset})
        finally:
            await consumer.stop()

    async def delete_before(self, partition: TopicPartition, offset: int) -> None:
        """Let retention take all records of a partition before `offset`."""
        async with self._admin() as admin:
            await admin.delete_records({partition: RecordsToDelete(offset)})

    async def end(self, partition: TopicPartition) -> int:
        """Return the offset behind a partition's newest record, uncommitted ones included."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            ends: dict[TopicPartition, int] = await consumer.end_offsets([partition])
        finally:
            await consumer.stop()
        return ends[partition]

    async def topics(self) -> set[str]:
        """Return the names of all topics of this trial."""
        async with self._admin() as admin:
            return {name for name in await admin.list_topics() if name.startswith(f"{self.prefix}.")}

    async def evict(self, keep: Container[str] = ()) -> list[str]:
        """Put every member of the group out, but those whose client id is in `keep`; returns the ids of those put out.

        That is what the broker does with a member that is silent for a whole session timeout, without the wait.
        """
        out = await group_members.put_out(self.bootstrap, self.group, lambda member: member.client_id not in keep)
        return [member.client_id for member in out]

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


@dataclass(frozen=True, slots=True)
class Copy:
    """One record that was read back."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]

    @property
    def origin(self) -> str:
        """The input position that it comes from."""
        return self.headers["hub-origin"].decode()


async def read_topic(bootstrap: str, topic: str, isolation: str = "read_committed") -> list[Copy]:
    """Read all records of a topic; waits until its open transactions are over."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level=isolation, auto_offset_reset="none", fetch_max_wait_ms=50
    )
    looker = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await asyncio.gather(consumer.start(), looker.start())
    found = []
    try:
        await looker.topics()
        metadata = await looker._client.fetch_all_metadata()  # noqa: SLF001 (partitions of a topic that is not subscribed)
        partitions = [TopicPartition(topic, number) for number in metadata.partitions_for_topic(topic) or ()]
        ends = await looker.end_offsets(partitions)
        begins = await looker.beginning_offsets(partitions)
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, begins[partition])
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for partition, records in (await consumer.getmany(timeout_ms=_READ_MS)).items():
                found += [
                    Copy(partition.partition, record.offset, record.key, record.value, dict(record.headers))
                    for record in records
                ]
    finally:
        await asyncio.gather(consumer.stop(), looker.stop())
    return found


def faults(copies: Iterable[Copy], expected: Mapping[TopicPartition, Iterable[int]]) -> dict[str, list[str]]:
    """Say what was lost, doubled or reordered; empty lists when all is well.

    `expected` are the input offsets. Within a key the copies' numbers must be 1, 2, 3 … in the order of the topic and
    of the input: that fails when order is lost, and when a memory was taken up that does not fit the work.
    """
    copies = list(copies)
    seen = Counter(copy.origin for copy in copies)
    wanted = {f"{at.topic}/{at.partition}/{offset}" for at, offsets in expected.items() for offset in offsets}
    by_key: dict[tuple[str, bytes | None], list[Copy]] = defaultdict(list)
    for copy in sorted(copies, key=lambda one: (one.partition, one.offset)):
        by_key[copy.origin.rsplit("/", 1)[0], copy.key].append(copy)
    reordered = []
    for (lane, key), run in by_key.items():
        counts = [int(copy.headers["count"]) for copy in run]
        offsets = [int(copy.origin.rsplit("/", 1)[1]) for copy in run]
        if counts != list(range(1, len(run) + 1)) or offsets != sorted(offsets):
            reordered.append(f"{lane} {key!r}: {counts[:20]} {offsets[:20]}")
    return {
        "lost": sorted(wanted - seen.keys()),
        "doubled": sorted(origin for origin, times in seen.items() if times > 1),
        "strange": sorted(seen.keys() - wanted),
        "reordered": reordered,
    }


CLEAN: dict[str, list[str]] = {"lost": [], "doubled": [], "strange": [], "reordered": []}


@dataclass(slots=True)
class Told:
    """An observer that keeps what it is told, for a test to wait for."""

    batches: list[BatchReport] = field(default_factory=list)
    events: list[tuple[Happening, str | None, Mapping[str, Detail]]] = field(default_factory=list)
    failure: BaseException | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def batch(self, report: BatchReport) -> None:
        """Keep a report."""
        self.batches.append(report)
        self._changed.set()

    def event(self, name: Happening, lane: str | None, details: Mapping[str, Detail]) -> None:
        """Keep an event."""
        self.events.append((name, lane, details))
        self._changed.set()

    def note_end(self, engine: asyncio.Task[None]) -> None:
        """Take note that the engine has ended: who still waits for it fails at once."""
        if not engine.cancelled() and engine.exception() is not None:
            self.failure = engine.exception()
            self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        if self.failure is not None:
            raise self.failure
        await self._changed.wait()

    def of(self, name: Happening, lane: str | None = None) -> list[Mapping[str, Detail]]:
        """Return the details of all events of this name (of this lane)."""
        return [details for event, at, details in self.events if event is name and lane in (None, at)]

    @property
    def records(self) -> int:
        """How many records were relayed."""
        return sum(report.records for report in self.batches)

    async def until(self, name: Happening, times: int = 1, lane: str | None = None, within: float = 30.0) -> None:
        """Wait for the event; raises `TimeoutError`."""
        async with asyncio.timeout(within):
            while len(self.of(name, lane)) < times:
                await self._change()

    async def until_relayed(self, records: int, within: float = 30.0) -> None:
        """Wait until so many records were relayed; raises `TimeoutError`."""
        async with asyncio.timeout(within):
            while self.records < records:
                await self._change()


async def until_ready(*engines: Engine[int], within_seconds: float = 30.0) -> None:
    """Wait until each engine has lanes and all of them run; raises `TimeoutError`."""
    async with asyncio.timeout(within_seconds):
        while not all(engine.health().ready and engine.health().lanes for engine in engines):  # noqa: ASYNC110
            await asyncio.sleep(_SETTLE_SECONDS)
