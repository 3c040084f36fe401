"""Taking a lane over on a real broker: what is loaded, what must agree, what stops one lane and no other (R4, R5)."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from expathub.kafka import engine
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.group_consumer import GroupConsumer
from expathub.kafka.observer import Cause, Happening, LaneHealth, Phase
from expathub.kafka.resume import ResumeError, lane_status, resume_lane
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults, until_ready


def bench_on(kafka: str, **changes: Any) -> Bench:
    return Bench(bootstrap=kafka, prefix=f"take-{uuid.uuid4().hex[:8]}", **changes)


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


async def run_until(bench: Bench, committed: dict[int, int], **changes: Any) -> Told:
    """Run an engine until the lanes' offsets are there."""
    told = Told()
    async with bench.running(told, **changes):
        for lane, offset in committed.items():
            await bench.until_committed(lane, offset)
    return told


async def stopped(bench: Bench, lane: int, **changes: Any) -> LaneHealth:
    """Run an engine until the lane is stopped, and say how it was."""
    told = Told()
    name = bench.spec(lane).name
    async with bench.running(told, **changes) as running:
        await told.until(Happening.STOPPED, lane=name)
        return running.health().lanes[name]


async def test_a_lane_with_state_is_taken_over_while_other_transactions_are_open(kafka: str) -> None:
    """They hold back what a read_committed client is told of as the end; the load must read to the real one."""
    bench = await bench_on(kafka, lanes=2).make_topics()
    await bench.publish(0, numbers(100))
    await run_until(bench, {0: 100})
    other = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{bench.prefix}.other-lane")
    async with other:
        await other.begin_transaction()
        await other.send_and_wait(bench.copies, b"open", key=b"z", partition=0, headers=[("hub-origin", b"o/0/0")])
        await other.send_and_wait(bench.changelog(1).topic, b"7", key=b"z", partition=1)
        await bench.publish(0, numbers(100))
        told = await run_until(bench, {0: 200})
        assert told.of(Happening.TAKEN_OVER, bench.spec(0).name) != []
        await other.abort_transaction()
    assert faults(await bench.copied(), {bench.input(0): range(200)}) == CLEAN


async def test_a_load_waits_for_what_is_open_in_its_own_changelog(kafka: str) -> None:
    """As when a stranger writes there: the last stable offset is no end, and an empty poll proves nothing."""
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(30))
    await run_until(bench, {0: 30})
    stranger = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{bench.prefix}.stranger")
    told = Told()
    async with stranger:
        await stranger.begin_transaction()
        await stranger.send_and_wait(bench.changelog(0).topic, b"", key=b"hub-marker", partition=0)
        async with bench.running(told) as running:
            await told.until(Happening.JOINED)
            await asyncio.sleep(1.5)
            assert running.health().lanes[bench.spec(0).name].phase is Phase.TAKING_OVER
            await stranger.abort_transaction()
            await told.until(Happening.TAKEN_OVER)
            await bench.publish(0, numbers(30))
            await bench.until_committed(0, 60)
    assert faults(await bench.copied(), {bench.input(0): range(60)}) == CLEAN


async def test_marker_and_offset_that_disagree_stop_that_lane_only_until_it_is_resumed(kafka: str) -> None:
    bench = await bench_on(kafka, lanes=2).make_topics()
    for lane in (0, 1):
        await bench.publish(lane, numbers(20))
    await run_until(bench, {0: 20, 1: 20})
    await bench.commit(0, 10)
    for lane in (0, 1):
        await bench.publish(lane, numbers(20))
    told = Told()
    async with bench.running(told) as running:
        await told.until(Happening.STOPPED)
        await bench.until_committed(1, 40)
        assert running.health().lanes[bench.spec(0).name] == LaneHealth(
            Phase.STOPPED, Cause.DISAGREE, "marker 20, offset 10"
        )
        assert running.health().lanes[bench.spec(1).name].phase is Phase.RUNNING
        assert not running.health().ready
        assert await bench.committed(0) == 10
        resumed = await resume_lane(bench.spec(0), bench.settings(), "marker")
        await bench.until_committed(0, 40)
        assert running.health().ready
    assert (resumed.next, resumed.was_marker, resumed.was_offset, resumed.skipped, resumed.repeated) == (
        20,
        20,
        10,
        0,
        0,
    )
    assert faults(await bench.copied(), {bench.input(lane): range(40) for lane in (0, 1)}) == CLEAN
    assert told.of(Happening.GIVEN_UP) == []


async def test_a_lane_resumed_from_the_offset_repeats_what_lies_between(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(20))
    await run_until(bench, {0: 20})
    await bench.commit(0, 15)
    assert (await resume_lane(bench.spec(0), bench.settings(), "offsets")).repeated == 5
    await run_until(bench, {0: 20})
    origins = [copy.origin.rsplit("/", 1)[1] for copy in await bench.copied()]
    assert sorted(origin for origin in set(origins) if origins.count(origin) == 2) == ["15", "16", "17", "18", "19"]


async def test_what_is_not_stopped_or_not_ours_to_decide_is_not_resumed(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(5))
    await run_until(bench, {0: 5}, revision=3)
    with pytest.raises(ResumeError, match="not stopped"):
        await resume_lane(bench.spec(0), bench.settings(revision=3), "marker")
    with pytest.raises(ResumeError, match="configuration-older"):
        await resume_lane(bench.spec(0), bench.settings(revision=2), "marker")
    with pytest.raises(ResumeError, match="offsets 0 to 5, not 6"):
        await resume_lane(bench.spec(0), bench.settings(revision=3), 6)
    assert (await resume_lane(bench.spec(0), bench.settings(revision=3), 4)).repeated == 1


async def test_offsets_that_expired_do_not_matter_the_marker_wins(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(20))
    await run_until(bench, {0: 20})
    await bench.publish(0, numbers(20))
    await run_until(replace(bench, group_name="group-without-offsets"), {0: 40})
    assert faults(await bench.copied(), {bench.input(0): range(40)}) == CLEAN


@pytest.mark.parametrize("expired", ["offsets too", "changelog only"])
async def test_a_quiet_lane_whose_changelog_was_emptied_by_retention_goes_on(kafka: str, expired: str) -> None:
    bench = await bench_on(kafka, window_ms=1000).make_topics()
    await bench.publish(0, numbers(20))
    await run_until(bench, {0: 20})
    await bench.delete_before(bench.changelog(0), -1)
    await bench.delete_before(bench.input(0), 20)
    if expired == "offsets too":
        bench = replace(bench, group_name="group-without-offsets")
    await bench.publish(0, numbers(10), keys=[b"later"])
    told = await run_until(bench, {0: 30})
    assert told.of(Happening.STOPPED) == []
    assert faults(await bench.copied(), {bench.input(0): range(30)}) == CLEAN


async def test_a_store_of_record_that_lost_its_changelog_stops(kafka: str) -> None:
    """Without a window nothing may be missing: the committed offset alone says that there was a state."""
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(20))
    await run_until(bench, {0: 20})
    await bench.delete_before(bench.changelog(0), -1)
    assert await stopped(bench, 0) == LaneHealth(Phase.STOPPED, Cause.DISAGREE, "no marker, offset 20")


async def test_a_marker_older_than_the_window_is_found(kafka: str) -> None:
    bench = await bench_on(kafka, window_ms=1).make_topics()
    await bench.publish(0, numbers(20))
    await run_until(bench, {0: 20})
    await asyncio.sleep(0.05)
    await bench.publish(0, numbers(20))
    await run_until(replace(bench, group_name="group-without-offsets"), {0: 40})
    assert faults(await bench.copied(), {bench.input(0): range(40)}) == CLEAN


@pytest.fixture
def consumers(monkeypatch: pytest.MonkeyPatch) -> list[GroupConsumer]:
    """Collect the group consumers that engines make."""
    made: list[GroupConsumer] = []

    class Collected(GroupConsumer):
        def __init__(self, settings: EngineSettings) -> None:
            super().__init__(settings)
            made.append(self)

    monkeypatch.setattr(engine, "GroupConsumer", Collected)
    return made


@pytest.mark.parametrize("when", ["while it runs", "while nobody looks"])
async def test_an_offset_out_of_range_stops_that_lane_only(
    kafka: str, consumers: list[GroupConsumer], when: str
) -> None:
    bench = await bench_on(kafka, lanes=2).make_topics()
    for lane in (0, 1):
        await bench.publish(lane, numbers(10))
    await run_until(bench, {0: 10, 1: 10})
    told = Told()
    name = bench.spec(0).name
    if when == "while nobody looks":
        await bench.publish(0, numbers(10))
        await bench.delete_before(bench.input(0), 15)
    async with bench.running(told) as running:
        if when == "while it runs":
            await until_ready(running)
            consumers[-1].rewind(bench.input(0), 99)  # an offset that the topic does not have
        await told.until(Happening.STOPPED, lane=name)
        assert running.health().lanes[name].cause is Cause.OUT_OF_RANGE
        await bench.publish(1, numbers(10))
        await bench.until_committed(1, 20)
        if when == "while nobody looks":
            resumed = await resume_lane(bench.spec(0), bench.settings(), "log-start")
            assert resumed.skipped == 5
            await bench.until_committed(0, 20)


@pytest.mark.parametrize(
    ("before", "now", "cause"),
    [
        ({"revision": 2}, {"revision": 1}, Cause.CONFIGURATION_OLDER),
        ({"revision": 2, "digest": "a"}, {"revision": 2, "digest": "b"}, Cause.CONFIGURATION_OLDER),
        ({"keys": {"1": "f"}}, {"keys": {}}, Cause.KEY_MISSING),
        ({"keys": {"1": "f"}}, {"keys": {"1": "g"}}, Cause.KEY_DIFFERS),
    ],
)
async def test_a_process_that_is_behind_does_not_take_a_lane(
    kafka: str, before: dict[str, Any], now: dict[str, Any], cause: Cause
) -> None:
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(5))
    await run_until(bench, {0: 5}, **before)
    end = await bench.end(bench.changelog(0))
    await bench.publish(0, numbers(5))
    assert (await stopped(bench, 0, **now)).cause is cause
    assert await bench.end(bench.changelog(0)) == end
    await run_until(bench, {0: 10}, **before | {"revision": 3, "digest": "c"})
    assert faults(await bench.copied(), {bench.input(0): range(10)}) == CLEAN


async def test_topics_are_never_made_by_asking_for_them(kafka: str) -> None:
    """Neither an input that is missing nor an output; the lanes that have what they need go on."""
    bench = await bench_on(kafka, lanes=1).make_topics()
    there = await bench.topics()
    wider = replace(bench, lanes=2)  # a second lane without topics
    await bench.publish(0, numbers(5))
    told = Told()
    async with wider.running(told) as running:
        await bench.until_committed(0, 5)
        await bench.publish(0, [b"elsewhere"])
        await told.until(Happening.STOPPED, lane=bench.spec(0).name)
        health = running.health().lanes
        assert health[bench.spec(0).name] == LaneHealth(Phase.STOPPED, Cause.TOPIC_MISSING, f"{bench.prefix}.elsewhere")
        assert health[wider.spec(1).name] == LaneHealth(Phase.STOPPED, Cause.TOPIC_MISSING, wider.input(1).topic)
        assert await bench.topics() == there
        await bench.make({f"{bench.prefix}.elsewhere": 1})
        await bench.until_committed(0, 6)
        await bench.make({wider.input(1).topic: 1})
        await told.until(Happening.JOINED, times=2)
    assert await bench.topics() == there | {f"{bench.prefix}.elsewhere", wider.input(1).topic}


async def test_the_status_of_a_lane_is_seen_without_touching_it(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(5))
    async with bench.running(Told()) as running:
        await bench.until_committed(0, 5)
        status = await lane_status(bench.spec(0), bench.settings())
        assert running.health().ready
    assert status.marker is not None
    assert (status.marker.next, status.committed, status.input_start, status.input_end, status.stop) == (
        5,
        5,
        0,
        5,
        None,
    )
