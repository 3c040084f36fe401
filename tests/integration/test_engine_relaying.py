"""The engine on a real broker when nothing goes wrong: relaying, sharing, handing over, staying quiet."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from expathub.kafka.lane_plan import LanePlan
from expathub.kafka.observer import Happening, Phase
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults, until_ready


def bench_on(kafka: str, **changes: Any) -> Bench:
    return Bench(bootstrap=kafka, prefix=f"relay-{uuid.uuid4().hex[:8]}", **changes)


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


async def test_every_record_is_relayed_once_and_in_order_and_memory_survives_a_restart(kafka: str) -> None:
    bench = await bench_on(kafka, lanes=3).make_topics()
    told = Told()
    for turn in (1, 2):
        for lane in range(3):
            await bench.publish(lane, numbers(200))
        async with bench.running(told):
            await told.until_relayed(turn * 600)
    assert faults(await bench.copied(), {bench.input(lane): range(400) for lane in range(3)}) == CLEAN
    assert [await bench.committed(lane) for lane in range(3)] == [400, 400, 400]
    assert told.of(Happening.GIVEN_UP) == []
    assert told.of(Happening.CAREFUL) == []  # the first engine has left word that nothing went wrong


async def test_many_records_go_in_one_transaction_and_batches_stay_within_their_bounds(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    told = Told()
    await bench.publish(0, [b"x" * 1000] * 3000)
    async with bench.running(told, batch_records_max=700, batch_bytes_max=500_000, buffer_bytes_max=600_000):
        await told.until_relayed(3000)
    sizes = [report.records for report in told.batches]
    assert 100 < max(sizes) <= 500
    assert told.of(Happening.BUFFER_FULL) != []
    assert faults(await bench.copied(), {bench.input(0): range(3000)}) == CLEAN


async def test_two_members_share_twenty_two_lanes_ten_or_more_each(kafka: str) -> None:
    bench = await bench_on(kafka, lanes=22).make_topics()
    first, second = Told(), Told()
    for lane in range(22):
        await bench.publish(lane, numbers(30))
    async with bench.running(first) as one:
        await first.until(Happening.TAKEN_OVER, times=22)
        async with bench.running(second) as other:
            await until_ready(one, other)
            shares = [len(engine.health().lanes) for engine in (one, other)]
            for lane in range(22):
                await bench.publish(lane, numbers(30))
            await until_sum([first, second], 22 * 60)
    assert sum(shares) == 22
    assert min(shares) >= 10
    assert faults(await bench.copied(), {bench.input(lane): range(60) for lane in range(22)}) == CLEAN
    assert first.of(Happening.GIVEN_UP) == second.of(Happening.GIVEN_UP) == []


async def until_sum(told: list[Told], records: int) -> None:
    async with asyncio.timeout(30):
        while sum(one.records for one in told) < records:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_quiet_lane_renews_its_marker_and_its_offset(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    told = Told()
    async with bench.running(told, renewal_seconds=0.2):
        await told.until(Happening.RENEWED, times=2)
        written = await bench.end(bench.changelog(0))
        await told.until(Happening.RENEWED, times=4)
        assert await bench.end(bench.changelog(0)) > written
    assert await bench.committed(0) == 0


async def test_a_quiet_lane_stands_behind_what_an_aborted_transaction_left_in_its_input(kafka: str) -> None:
    """Else retention could move the beginning of the topic past the marker, which would look like a loss."""
    bench = await bench_on(kafka).make_topics()
    told = Told()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=bench.prefix + ".partner")
    async with bench.running(told, renewal_seconds=0.3), producer:
        async with producer.transaction():
            await producer.send_and_wait(bench.input(0).topic, b"1", key=b"a")
        await told.until_relayed(1)
        assert await bench.committed(0) == 2
        await producer.begin_transaction()
        await producer.send_and_wait(bench.input(0).topic, b"never", key=b"a")
        await producer.abort_transaction()
        seen = len(told.of(Happening.RENEWED))
        await told.until(Happening.RENEWED, times=seen + 2)
    assert await bench.committed(0) == await bench.end(bench.input(0)) == 4


async def test_records_without_key_or_value_are_relayed(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    told = Told()
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    async with producer, bench.running(told):
        await producer.send_and_wait(bench.input(0).topic, None, key=b"a")
        await producer.send_and_wait(bench.input(0).topic, b"v", headers=[("h", None), ("h", b"\xff")])
        await told.until_relayed(2)
    copies = await bench.copied()
    assert {(copy.key, copy.value) for copy in copies} == {(b"a", b""), (None, b"v")}


async def test_an_engine_that_is_told_to_stop_before_it_has_joined_stops(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    engine = bench.engine(Told())
    task = asyncio.create_task(engine.run())
    await asyncio.sleep(0)
    engine.stop()
    await asyncio.wait_for(task, 10)
    assert not engine.health().ready


async def test_health_names_every_lane_and_is_ready_when_all_run(kafka: str) -> None:
    bench = await bench_on(kafka, lanes=2).make_topics()
    told = Told()
    engine = bench.engine(told)
    assert not engine.health().ready
    async with bench.running(told) as engine:
        await until_ready(engine)
        assert {name: lane.phase for name, lane in engine.health().lanes.items()} == {
            lane.name: Phase.RUNNING for lane in bench.plan()
        }
    assert not engine.health().ready


@pytest.mark.parametrize("repeated", ["changelog", "transactional_id"])
def test_two_lanes_cannot_share_what_must_be_their_own(repeated: str) -> None:
    bench = Bench(bootstrap="none", prefix="p", lanes=2)
    one, other = bench.plan()
    with pytest.raises(ValueError, match="share"):
        LanePlan([one, replace(other, **{repeated: getattr(one, repeated)})])
