"""The hand-written loop around the floor's functions: fetch, work, send, commit.

One consumer, and one transactional producer for each partition, as only that fences a zombie.

It knows where its input ends, and nothing of groups, markers, take-overs or faults. Its state is read from its own
changelog before anything is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import murmur2

from benchmarks.clock import Clock
from benchmarks.floor import DispatchFloor, IntakeFloor
from benchmarks.tables import Tables
from expathub.kafka import topics
from expathub.kafka.reading import Reader

Floor: TypeAlias = IntakeFloor | DispatchFloor
Ranges: TypeAlias = Mapping[int, tuple[int, int]]
"""Partition to first offset and the one after the last."""

PREFIX = "floor."
"""Prefix of the topics that the hand-written loop writes."""

BATCH_RECORDS = 1_000
BATCH_BYTES = 512 * 1024
FETCH_BYTES = 1024 * 1024


@dataclass(slots=True)
class Loop:
    """The loop over one partition."""

    floor: Floor
    consumer: AIOKafkaConsumer
    producer: AIOKafkaProducer
    source: TopicPartition
    changelog: TopicPartition
    end: int
    partitions: Mapping[str, int]
    clock: Clock
    hashes: dict[bytes, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Work off the partition."""
        position = await self.consumer.position(self.source)
        while position < self.end:
            fetched = await self.consumer.getmany(self.source, max_records=BATCH_RECORDS, timeout_ms=200)
            records = [record for record in fetched.get(self.source, ()) if record.offset < self.end]
            if records:
                await self._relay(records)
            position = await self.consumer.position(self.source)

    async def _relay(self, records: Sequence[Any]) -> None:
        floor, producer, partitions, hashes = self.floor, self.producer, self.partitions, self.hashes
        builders: dict[tuple[str, int], list[Any]] = {}

        def put(topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> None:
            number = hashes.get(key) if key is not None else 0
            if number is None and key is not None:
                number = hashes[key] = murmur2(key) & 0x7FFFFFFF
            add((topic, (number or 0) % partitions[topic]), key, value, headers)

        def add(at: tuple[str, int], key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> None:
            own = builders.get(at)
            if own is None:
                own = builders[at] = [producer.create_batch()]
            if own[-1].append(timestamp=None, key=key, value=value, headers=headers) is None:
                own.append(producer.create_batch())
                own[-1].append(timestamp=None, key=key, value=value, headers=headers)

        if isinstance(floor, IntakeFloor):
            for record in records:
                floor.floor_intake(record, put)
        else:
            floor.at_ms = time.time_ns() // 1_000_000
            for record in records:
                floor.floor_dispatch(record, put)
        for key, value in floor.pack():
            add((self.changelog.topic, self.changelog.partition), key, value, [])
        async with producer.transaction():
            stored = [
                await producer.send_batch(builder, PREFIX + topic, partition=partition)
                for (topic, partition), own in builders.items()
                for builder in own
            ]
            await asyncio.gather(*stored)
            await producer.send_offsets_to_transaction({self.source: records[-1].offset + 1}, f"{PREFIX}group")
        floor.commit()
        self.clock.batch(len(records))


async def run(stage: str, bootstrap: str, made: Making, ranges: Ranges, clock: Clock) -> None:
    """Work off what the ranges name, each partition beside the others."""
    sources = {partition: TopicPartition(made.source, partition) for partition in ranges}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    producers = {
        partition: AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            transactional_id=f"{PREFIX}{stage}.{partition}",
            max_batch_size=BATCH_BYTES,
            max_request_size=2 * 1024 * 1024,
            retry_backoff_ms=5,
        )
        for partition in ranges
    }
    loops = []
    await asyncio.gather(consumer.start(), *(producer.start() for producer in producers.values()))
    try:
        for partition, (_, end) in ranges.items():
            changelog = TopicPartition(made.changelog, partition)
            floor = made.floor()
            await load(bootstrap, TopicPartition(PREFIX + made.changelog, partition), floor)
            loops.append(
                Loop(floor, consumer, producers[partition], sources[partition], changelog, end, made.partitions, clock)
            )
        clock.begin()
        consumer.assign(list(sources.values()))
        for partition, (start, _) in ranges.items():
            consumer.seek(sources[partition], start)
        await asyncio.gather(*(loop.run() for loop in loops))
    finally:
        await asyncio.gather(consumer.stop(), *(producer.stop() for producer in producers.values()))


@dataclass(frozen=True, slots=True)
class Making:
    """What a loop of a stage is made of."""

    source: str
    changelog: str
    partitions: Mapping[str, int]
    tables: Tables
    partner: str
    keys: Mapping[int, bytes]

    def floor(self) -> Floor:
        """Make the floor of one partition."""
        if self.source.startswith("outbox."):
            return IntakeFloor(self.tables, self.partner)
        return DispatchFloor(self.tables, self.keys)


async def load(bootstrap: str, changelog: TopicPartition, floor: Floor) -> None:
    """Read a floor's state back."""
    async with Reader.of(bootstrap, changelog.topic) as reader:
        starts, ends = await reader.starts(), await reader.ends()
        reader.from_offsets({changelog: starts[changelog]})
        async for record in reader.until({changelog: ends[changelog]}, 120):
            if isinstance(floor, DispatchFloor):
                floor.dossiers[record.key or b""] = record.value or b""
                continue
            value = record.value or b""
            for begin in range(0, len(value), 40):
                floor.seen[value[begin : begin + 16]] = value[begin + 16 : begin + 40]


def changelog_of(stage: str, partner: str) -> str:
    """Name the topic of a stage's state."""
    return topics.seen(partner) if stage == "intake" else topics.DOSSIERS
