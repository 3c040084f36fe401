"""The same work as FastStream's own subscribers and publishers do it: at least once, without a transaction.

Two ways: a batch subscriber that publishes record by record without waiting for each and waits for all at its end, and
a subscriber of single records that waits for each. Both use the floor's functions for the work itself. A batch
publisher is not used: in FastStream 0.7 its records cannot have headers of their own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.partitioner import murmur2
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from benchmarks.clock import Clock
from benchmarks.floor import IntakeFloor
from benchmarks.loop import BATCH_BYTES, BATCH_RECORDS, FETCH_BYTES, Floor, Making, Ranges


class Relay:
    """One FastStream broker that does a stage's work."""

    def __init__(self, bootstrap: str, made: Making, prefix: str, ranges: Ranges, clock: Clock) -> None:
        self.broker = KafkaBroker(
            bootstrap, logger=None, log_level=logging.DEBUG, max_batch_size=BATCH_BYTES, acks="all", linger_ms=0
        )
        self._made, self._prefix, self._clock = made, prefix, clock
        self._ends = {partition: end for partition, (_, end) in ranges.items()}
        self._floors: Mapping[int, Floor] = {partition: made.floor() for partition in ranges}

    def work(self, records: Any) -> list[tuple[str, int, bytes | None, bytes, list[tuple[str, bytes]]]]:
        """Work records out; returns topic, partition, key, value, headers."""
        made, out = self._made, []

        def put(topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> None:
            partition = (murmur2(key) & 0x7FFFFFFF) % made.partitions[topic] if key is not None else 0
            out.append((self._prefix + topic, partition, key, value, headers))

        for record in records:
            floor = self._floors[record.partition]
            if isinstance(floor, IntakeFloor):
                floor.floor_intake(record, put)
            else:
                floor.at_ms = time.time_ns() // 1_000_000
                floor.floor_dispatch(record, put)
        for partition in {record.partition for record in records}:
            floor = self._floors[partition]
            out.extend((self._prefix + made.changelog, partition, key, value, []) for key, value in floor.pack())
            floor.commit()
        return out

    async def publish(self, output: Any, *, no_confirm: bool) -> Any:
        """Publish one record."""
        topic, partition, key, value, headers = output
        texts = {name: text.decode() for name, text in headers}
        return await self.broker.publish(
            value, topic, key=key, partition=partition, headers=texts, no_confirm=no_confirm
        )

    def mine(self, records: Any) -> list[Any]:
        """Return the records that belong to the round."""
        return [record for record in records if record.offset < self._ends[record.partition]]

    def note(self, records: int) -> None:
        """Take note of what is done."""
        self._clock.batch(records)


async def run(way: str, bootstrap: str, made: Making, prefix: str, ranges: Ranges, clock: Clock) -> None:
    """Work off what the ranges name; they must begin where the group's offsets are set to."""
    relay = Relay(bootstrap, made, prefix, ranges, clock)
    subscribe = _subscribe_batch if way == "faststream-batch" else _subscribe_single
    subscribe(relay, made.source, f"{prefix}group.{made.source}")
    clock.begin()
    async with relay.broker:
        await relay.broker.start()
        await clock.done.wait()


def _subscribe_batch(relay: Relay, topic: str, group: str) -> None:
    @relay.broker.subscriber(
        topic,
        group_id=group,
        batch=True,
        max_records=BATCH_RECORDS,
        max_partition_fetch_bytes=FETCH_BYTES,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def relay_batch(message: KafkaMessage) -> None:
        raw: tuple[ConsumerRecord[Any, Any], ...] = message.raw_message  # type: ignore[assignment] # of a batch
        records = relay.mine(raw)
        stored = [await relay.publish(output, no_confirm=True) for output in relay.work(records)]
        await asyncio.gather(*stored)
        relay.note(len(records))


def _subscribe_single(relay: Relay, topic: str, group: str) -> None:
    @relay.broker.subscriber(
        topic,
        group_id=group,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def relay_single(message: KafkaMessage) -> None:
        records = relay.mine([message.raw_message])
        for output in relay.work(records):
            await relay.publish(output, no_confirm=False)
        relay.note(len(records))
