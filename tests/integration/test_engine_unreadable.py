"""Records that the client's parser cannot read: a header name that is no UTF-8 must not hold up its lane."""

from __future__ import annotations

import asyncio
import struct
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c

from expathub.kafka import engine
from expathub.kafka.group_consumer import Fetched, GroupConsumer
from expathub.kafka.observer import Happening
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults, until_ready

PLACE = b"name-that-will-not-be-utf8"
NOT_UTF8 = b"\xff" * len(PLACE)


class BadBatch(BatchBuilder):
    """A batch whose header names are replaced, as a careless client in another language would write them."""

    def _build(self) -> Any:
        if self._buffer is None:
            whole: bytearray = super()._build()  # type: ignore[no-untyped-call] # aiokafka
            built = bytearray(whole).replace(PLACE, NOT_UTF8)
            struct.pack_into(">I", built, 17, calc_crc32c(bytes(built[21:])))
            self._buffer = built
        return self._buffer


async def publish_bad(bench: Bench, lane: int, compression: int = 0) -> None:
    """Write three records of which the second has a header that is no UTF-8."""
    producer = AIOKafkaProducer(bootstrap_servers=bench.bootstrap)
    await producer.start()
    batch = BadBatch(100_000, compression, is_transactional=0)  # type: ignore[no-untyped-call] # aiokafka
    for value, name in ((b"before", "good"), (b"bad", PLACE.decode()), (b"after", "good")):
        batch.append(timestamp=None, key=b"a", value=value, headers=[(name, b"v")])
    await (await producer.send_batch(batch, bench.input(lane).topic, partition=0))
    await producer.stop()


async def test_a_header_name_that_is_no_utf8_holds_nobody_up(kafka: str) -> None:
    """aiokafka raises at it and would pass over the good record before it in silence."""
    bench = await Bench(bootstrap=kafka, prefix=f"unreadable-{uuid.uuid4().hex[:8]}", lanes=3).make_topics()
    told = Told()
    async with bench.running(told):
        for lane in range(3):
            await bench.publish(lane, [b"%d" % number for number in range(100)])
        await publish_bad(bench, 1)
        for lane in range(3):
            await bench.publish(lane, [b"%d" % number for number in range(100)])
        await publish_bad(bench, 1)
        await bench.publish(1, [b"last"])
        for lane, offset in enumerate((200, 207, 200)):
            await bench.until_committed(lane, offset)
    expected = {bench.input(0): range(200), bench.input(1): range(207), bench.input(2): range(200)}
    assert faults(await bench.copied(), expected) == CLEAN
    assert {event["error"] for event in told.of(Happening.UNREADABLE)} <= {
        "UnicodeDecodeError",
        "CorruptRecordException",
    }
    assert told.of(Happening.UNREADABLE) != []
    assert told.of(Happening.GIVEN_UP) == []
    assert told.of(Happening.STOPPED) == []


async def test_what_the_client_drops_of_other_lanes_when_it_fails_is_read_again(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hands out all lanes at once, and at the one that it cannot read it forgets those that it has emptied."""
    monkeypatch.setattr(engine, "GroupConsumer", Hesitant)
    bench = await Bench(bootstrap=kafka, prefix=f"unreadable-{uuid.uuid4().hex[:8]}", lanes=8).make_topics()
    told = Told()
    async with bench.running(told) as running:
        await until_ready(running)
        for turn in range(1, 6):
            for lane in range(8):
                await bench.publish(lane, [b"v"] * 20)
            await publish_bad(bench, turn)
            for lane in range(8):
                await bench.until_committed(lane, 20 * turn + 3 * (0 < lane <= turn))
    lengths = {lane: 100 + 3 * (0 < lane <= 5) for lane in range(8)}
    assert faults(await bench.copied(), {bench.input(lane): range(length) for lane, length in lengths.items()}) == CLEAN
    assert len(told.of(Happening.UNREADABLE)) >= 5


class Hesitant(GroupConsumer):
    """Fetches so seldom that every lane has something by then."""

    async def fetch(self, timeout_ms: int, *only: TopicPartition) -> Mapping[TopicPartition, Sequence[Fetched]]:
        if not only:
            await asyncio.sleep(0.5)
        return await super().fetch(timeout_ms, *only)
