"""Kafka away at the start, and for a while under load: the engine waits, says so, and loses nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from expathub.kafka import local_broker
from expathub.kafka.observer import Happening
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults, until_ready


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@pytest.fixture
def address() -> tuple[str, int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return f"127.0.0.1:{port}", port


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    local_broker.stop(tmp_path)


async def test_an_engine_waits_for_kafka_at_its_start_and_goes_on_after_an_outage(
    address: tuple[str, int], data: Path
) -> None:
    bootstrap, port = address
    bench = Bench(bootstrap=bootstrap, prefix="outage", lanes=3)
    told = Told()
    async with bench.running(told) as engine:
        await told.until(Happening.KAFKA_AWAITED, times=2)
        assert not engine.health().joined
        await asyncio.to_thread(local_broker.start, data, port=port)
        await bench.make_topics()
        for lane in range(3):
            await bench.publish(lane, numbers(100))
        for lane in range(3):
            await bench.until_committed(lane, 100)
        await until_ready(engine)
        for lane in range(3):
            await bench.publish(lane, [b"x" * 300] * 3000)
        await asyncio.to_thread(local_broker.stop, data)  # in the middle of it
        seen = len(told.of(Happening.KAFKA_AWAITED))
        await told.until(Happening.KAFKA_AWAITED, times=seen + 2)
        assert not engine.health().ready
        await asyncio.to_thread(local_broker.start, data, port=port)
        for lane in range(3):
            await bench.until_committed(lane, 3100, within_seconds=120)
        await until_ready(engine)
    assert faults(await bench.copied(), {bench.input(lane): range(3100) for lane in range(3)}) == CLEAN


async def test_an_engine_that_waits_for_kafka_stops_when_it_is_told_to(address: tuple[str, int]) -> None:
    bench = Bench(bootstrap=address[0], prefix="outage")
    told = Told()
    async with bench.running(told) as engine:
        await told.until(Happening.KAFKA_AWAITED)
        engine.stop()
    assert [event["reason"] for event in told.of(Happening.KAFKA_AWAITED)] == ["KafkaConnectionError"]
