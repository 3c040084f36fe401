"""R9 on a real broker: a record on which the work dies, raises or cannot be written becomes poison; no other does."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest

from expathub.core.records import InputRecord
from expathub.core.stage import Lookup, Step
from expathub.kafka.observer import Cause, Happening, LaneHealth, Phase
from expathub.kafka.resume import resume_lane
from expathub.testing.counting import DIE, EXIT_CODE, LARGE, RAISE, REFUSED, CountingStage
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults
from expathub.testing.engine_member import member


def bench_on(kafka: str, **changes: Any) -> Bench:
    return Bench(bootstrap=kafka, prefix=f"poison-{uuid.uuid4().hex[:8]}", **changes)


async def poisoned(bench: Bench) -> list[str]:
    return sorted(copy.origin.rsplit("/", 1)[1] for copy in await bench.copied() if copy.value == b"poison")


async def test_a_record_that_raises_is_poison_within_a_second_and_the_next_goes_through(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    told = Told()
    async with bench.running(told):
        await bench.publish(0, [b"1"])
        await bench.until_committed(0, 1)
        begun = time.monotonic()
        await bench.publish(0, [b"2", RAISE, b"3", b"4"])
        await bench.until_committed(0, 5)
        took = time.monotonic() - begun
    assert await poisoned(bench) == ["2"]
    assert faults(await bench.copied(), {bench.input(0): range(5)}) == CLEAN
    assert told.of(Happening.GIVEN_UP) == []
    assert [event["error"] for event in told.of(Happening.STEP_RAISED)] == ["RuntimeError"] * 4
    assert {event["where"].rpartition(":")[0] for event in told.of(Happening.STEP_RAISED)} == {  # type: ignore[union-attr]
        "expathub.testing.counting"
    }
    assert [event["reason"] for event in told.of(Happening.POISONED)] == ["died-too-often"]
    assert took < 3  # a second where nothing else runs on the machine


async def test_a_copy_too_large_to_be_written_makes_its_record_poison_at_once(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    told = Told()
    await bench.publish(0, [b"1", LARGE, b"2", LARGE, b"3"])
    async with bench.running(told):
        await bench.until_committed(0, 5)
    assert await poisoned(bench) == ["1", "3"]
    assert faults(await bench.copied(), {bench.input(0): range(5)}) == CLEAN
    assert [event["reason"] for event in told.of(Happening.POISONED)] == ["output-too-large"] * 2
    assert told.of(Happening.GIVEN_UP) == []


async def test_an_output_that_the_broker_refuses_for_good_makes_its_record_poison(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    told = Told()
    await bench.publish(0, [b"1", b"2", REFUSED, b"3"])
    async with bench.running(told):
        await bench.until_committed(0, 4)
    assert await poisoned(bench) == ["2"]
    assert faults(await bench.copied(), {bench.input(0): range(4)}) == CLEAN
    assert [event["reason"] for event in told.of(Happening.GIVEN_UP)] == ["output-refused"] * 2


async def dies(bench: Bench, failpoint: str = "") -> int | None:
    """Run an engine as a process until it ends by itself; returns its exit code."""
    async with member(bench, "mortal", failpoint) as mortal:
        await asyncio.wait_for(mortal.process.wait(), 40)
    await bench.evict()
    return mortal.process.returncode


async def test_a_record_on_which_three_processes_died_between_the_marks_is_poison(kafka: str) -> None:
    """The first dies of a batch; from then on records go alone, and whose work never ends is counted."""
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, [DIE, b"1"])
    assert [await dies(bench) for _ in range(4)] == [EXIT_CODE] * 4
    told = Told()
    async with bench.running(told):
        await bench.until_committed(0, 2)
    assert await poisoned(bench) == ["0"]
    assert [event["deaths"] for event in told.of(Happening.POISONED)] == [3]
    assert faults(await bench.copied(), {bench.input(0): range(2)}) == CLEAN


async def test_the_poisonous_record_among_many_is_found_and_no_other_is_blamed(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, [b"v"] * 5 + [DIE] + [b"v"] * 20)
    # Of the batch; of a trial of four; then three times alone.
    assert [await dies(bench) for _ in range(5)] == [EXIT_CODE] * 5
    told = Told()
    async with bench.running(told):
        await bench.until_committed(0, 26)
    assert await poisoned(bench) == ["5"]
    assert faults(await bench.copied(), {bench.input(0): range(26)}) == CLEAN


async def test_after_an_unclean_end_a_backlog_goes_in_trials_that_grow(kafka: str) -> None:
    """Record by record through all that one batch may have held would take a minute."""
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, [b"v"] * 500)
    assert await dies(bench, "worked:kill9") == -9
    told = Told()
    async with bench.running(told):
        await bench.until_committed(0, 500)
    assert [report.records for report in told.batches] == [1, 2, 4, 8, 16, 32, 64, 128, 245]
    assert faults(await bench.copied(), {bench.input(0): range(500)}) == CLEAN


async def test_deaths_elsewhere_never_make_a_record_poison(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, [b"1"])
    for failpoint in ("fetched:kill9", *["tried:kill9"] * 3, "offsets-sent:kill9:2"):
        assert await dies(bench, failpoint) == -9
    told = Told()
    async with bench.running(told):
        await bench.until_committed(0, 1)
    assert told.of(Happening.POISONED) == []
    assert faults(await bench.copied(), {bench.input(0): range(1)}) == CLEAN


class ExhaustedStage(CountingStage):
    """A stage in a process that has run out of memory."""

    def step(self, record: InputRecord, remembered: Lookup[int], at_ms: int) -> Step[int]:
        del record, remembered, at_ms
        raise MemoryError


async def test_a_process_that_runs_out_of_memory_ends_and_blames_no_record(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it happened to work on is as good as any; only a record on which process after process ends is poison."""
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, [b"1", b"2"])
    told = Told()
    with monkeypatch.context() as poor:
        poor.setattr("expathub.testing.engine_bench.CountingStage", ExhaustedStage)
        for _ in range(2):  # of the batch, then of the first record alone
            with pytest.raises(MemoryError):
                await asyncio.wait_for(bench.engine(told).run(), 60)
    async with bench.running(told):
        await bench.until_committed(0, 2)
    assert told.of(Happening.STEP_RAISED) == told.of(Happening.POISONED) == []
    assert faults(await bench.copied(), {bench.input(0): range(2)}) == CLEAN


class WorsePoisonStage(CountingStage):
    """A stage that raises on poison too."""

    def poison(self, record: InputRecord, remembered: Lookup[int], at_ms: int) -> Step[int]:
        del record, remembered, at_ms
        raise RuntimeError("as asked")


async def test_a_record_that_not_even_poison_can_be_made_of_stops_its_lane_only(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await bench_on(kafka, lanes=2).make_topics()
    monkeypatch.setattr("expathub.testing.engine_bench.CountingStage", WorsePoisonStage)
    await bench.publish(0, [b"1", RAISE, b"2"])
    told = Told()
    name = bench.spec(0).name
    async with bench.running(told) as engine:
        await told.until(Happening.STOPPED, lane=name)
        await bench.publish(1, [b"1"])
        await bench.until_committed(1, 1)
        await asyncio.sleep(1.5)  # it looks again meanwhile, and finds that nothing has changed
        assert engine.health().lanes[name].cause is Cause.POISON_FAILED
        assert told.of(Happening.RESUMED) == []
        assert engine.health().lanes[bench.spec(1).name] == LaneHealth(Phase.RUNNING)
        await resume_lane(bench.spec(0), bench.settings(), 2)
        await bench.until_committed(0, 3)
    assert faults(await bench.copied(), {bench.input(0): [0, 2], bench.input(1): [0]}) == CLEAN
