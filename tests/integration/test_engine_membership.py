"""Members that come, go, load slowly, stand still and die: who has a lane is never in doubt (R1, R10)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from typing import Any

import pytest
from aiokafka import TopicPartition

from expathub.kafka import failpoints
from expathub.kafka.failpoints import Failpoint
from expathub.kafka.group_consumer import GroupConsumer
from expathub.kafka.observer import Happening
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults, until_ready
from expathub.testing.engine_member import member

SESSION_SECONDS = 6.0


def bench_on(kafka: str, **changes: Any) -> Bench:
    return Bench(bootstrap=kafka, prefix=f"member-{uuid.uuid4().hex[:8]}", **changes)


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


async def test_a_rebalance_in_mid_batch_waits_for_the_batch(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes gets the lane after the commit, not instead of it."""
    bench = await bench_on(kafka, lanes=2).make_topics()
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def reach(step: str, lane: str | None = None) -> None:
        del lane
        if step == "acknowledged" and work.is_set() and not inside.is_set():
            inside.set()
            await go_on.wait()

    work = asyncio.Event()
    monkeypatch.setattr(failpoints, "armed", Failpoint("acknowledged", "sleep", 0, 0, None))
    monkeypatch.setattr(failpoints, "reach", reach)
    first, second = Told(), Told()
    async with bench.running(first) as one:
        await until_ready(one)
        work.set()
        for lane in (0, 1):
            await bench.publish(lane, numbers(50))
        await asyncio.wait_for(inside.wait(), 20)
        async with bench.running(second) as other:
            await asyncio.sleep(1.0)  # the first member has heard of the rebalance at its next heartbeat
            assert second.of(Happening.JOINED) == []
            go_on.set()
            await until_ready(one, other)
            for lane in (0, 1):
                await bench.publish(lane, numbers(50))
            for lane in (0, 1):
                await bench.until_committed(lane, 100)
    assert first.of(Happening.GIVEN_UP) == second.of(Happening.GIVEN_UP) == []
    assert faults(await bench.copied(), {bench.input(lane): range(100) for lane in (0, 1)}) == CLEAN


async def test_a_load_three_session_timeouts_long_is_one_take_over_and_no_further_rebalance(kafka: str) -> None:
    """Loading inside the group's callback, where no heartbeat goes out, two members put each other out for ever."""
    bench = await bench_on(kafka, lanes=2).make_topics()
    async with bench.running(Told()):
        for lane in (0, 1):
            await bench.publish(lane, numbers(300), keys=[b"%d" % number for number in range(300)])
        for lane in (0, 1):
            await bench.until_committed(lane, 300)
    pause = 3.1 * SESSION_SECONDS / 300
    slow: dict[str, Any] = {"restore_seconds": pause / 2}  # two lanes at a time in the first member
    async with member(bench, "one", **slow) as one:
        await one.until(Happening.JOINED)
        async with member(bench, "two", **slow | {"restore_seconds": pause}) as two:
            await two.until(Happening.JOINED)
            begun = time.monotonic()
            await two.until(Happening.TAKEN_OVER)
            took = time.monotonic() - begun
            await one.until(Happening.TAKEN_OVER)
            for lane in (0, 1):
                await bench.publish(lane, numbers(30), keys=[b"%d" % number for number in range(300)])
            for lane in (0, 1):
                await bench.until_committed(lane, 330)
            assert took > 2.5 * SESSION_SECONDS
            assert len(two.of(Happening.JOINED)) == len(two.of(Happening.TAKEN_OVER)) == 1
            assert len(one.of(Happening.JOINED)) == 2
            assert len(one.of(Happening.TAKEN_OVER)) == 1
            assert one.of(Happening.GIVEN_UP) == two.of(Happening.GIVEN_UP) == []
    assert faults(await bench.copied(), {bench.input(lane): range(330) for lane in (0, 1)}) == CLEAN


@pytest.mark.parametrize(
    ("failpoint", "reason"), [("committing:pause:2", "fenced"), ("fencing:pause", "stood-still")], ids=str
)
async def test_a_process_that_stood_still_wakes_as_a_zombie_and_harms_nobody(
    kafka: str, failpoint: str, reason: str
) -> None:
    """Stopped by SIGSTOP in mid-commit, or just before it would fence: then it would throw out its own successor."""
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(50))
    async with member(bench, "zombie", failpoint) as zombie:
        await zombie.until(Happening.JOINED)
        successor = Told()
        async with bench.running(successor, client_id="successor"):
            await bench.until_committed(0, 50)  # after a whole session timeout
            os.kill(zombie.process.pid, signal.SIGCONT)
            await zombie.until(Happening.GIVEN_UP)
            assert zombie.of(Happening.GIVEN_UP)[0]["reason"] == reason
            await zombie.until(Happening.JOINED, times=2)
            await bench.publish(0, numbers(50))
            await bench.until_committed(0, 100)
            assert successor.of(Happening.GIVEN_UP) == []
    assert faults(await bench.copied(), {bench.input(0): range(100)}) == CLEAN


async def test_sigterm_under_load_ends_within_the_limit_and_loses_nothing(kafka: str) -> None:
    bench = await bench_on(kafka, lanes=4).make_topics()
    for lane in range(4):
        await bench.publish(lane, [b"x" * 500] * 2000)
    async with member(bench, "one", batch_records_max=100) as one:
        await bench.until_committed(0, 100)
        begun = time.monotonic()
        one.process.terminate()
        assert await asyncio.wait_for(one.process.wait(), 25) == 0
        assert time.monotonic() - begun < 10
    async with bench.running(Told()):
        for lane in range(4):
            await bench.until_committed(lane, 2000)
    assert faults(await bench.copied(), {bench.input(lane): range(2000) for lane in range(4)}) == CLEAN


async def test_a_client_that_lost_its_way_is_noticed_and_replaced(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing and has nothing, while records lie before its lanes: for ever, if nobody looks."""
    bench = await bench_on(kafka, lanes=2).make_topics()
    told = Told()
    lost = asyncio.Event()
    fetch = GroupConsumer.fetch

    async def fetch_or_not(consumer: GroupConsumer, timeout_ms: int, *only: TopicPartition) -> Any:
        if lost.is_set() and len(told.of(Happening.GIVEN_UP)) == 0:
            await asyncio.sleep(0.1)
            return {}
        return await fetch(consumer, timeout_ms, *only)

    monkeypatch.setattr(GroupConsumer, "fetch", fetch_or_not)
    async with bench.running(told, stuck_seconds=1.0) as engine:
        await until_ready(engine)
        await asyncio.sleep(2.5)  # nothing to do is not stuck
        assert told.of(Happening.GIVEN_UP) == []
        lost.set()
        await asyncio.sleep(0.5)  # a fetch that had begun before is over
        await bench.publish(0, numbers(10))
        await told.until(Happening.GIVEN_UP)
        await bench.until_committed(0, 10)
    assert [event["reason"] for event in told.of(Happening.GIVEN_UP)] == ["stuck"]
    assert faults(await bench.copied(), {bench.input(0): range(10)}) == CLEAN
