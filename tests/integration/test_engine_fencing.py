"""A lane has one owner. Whoever lost it without noticing, at whatever step, changes nothing any more (R1, R3)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from expathub.kafka import failpoints
from expathub.kafka.failpoints import Failpoint
from expathub.kafka.observer import Happening
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults


@dataclass
class Gate:
    """Holds the first lane that reaches a step until it is opened: a lane that sleeps while its process lives."""

    step: str
    nth: int = 1
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def reach(self, step: str, lane: str | None = None) -> None:
        del lane
        if step == self.step:
            self.nth -= 1
            if self.nth == 0:
                self.reached.set()
                await self.opened.wait()


@pytest.fixture
def gate_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Gate]:
    def make(step: str, nth: int = 1) -> Gate:
        assert step in failpoints.STEPS
        gate = Gate(step, nth)
        monkeypatch.setattr(failpoints, "armed", Failpoint(step, "sleep", 0, 0, None))
        monkeypatch.setattr(failpoints, "reach", gate.reach)
        return gate

    return make


def bench_on(kafka: str, **changes: Any) -> Bench:
    return Bench(bootstrap=kafka, prefix=f"fence-{uuid.uuid4().hex[:8]}", **changes)


@pytest.mark.parametrize(
    ("step", "nth"),
    [
        ("worked", 1),
        ("begun", 2),  # the first transaction is that of the take-over
        ("sent", 2),
        ("acknowledged", 2),
        ("offsets-sent", 2),
    ],
)
async def test_a_lane_that_slept_through_its_succession_is_fenced_and_given_up(
    kafka: str, gate_at: Callable[..., Gate], step: str, nth: int
) -> None:
    sleeper = await sleep_through_a_succession(kafka, gate_at(step, nth))
    assert [event["reason"] for event in sleeper.of(Happening.GIVEN_UP)] == ["fenced"]


@pytest.mark.parametrize(
    ("step", "nth"), [("fenced", 1), ("loaded", 1), ("fetched", 1), ("committed", 2), ("applied", 2)]
)
async def test_a_lane_that_slept_outside_of_its_transactions_changes_nothing(
    kafka: str, gate_at: Callable[..., Gate], step: str, nth: int
) -> None:
    sleeper = await sleep_through_a_succession(kafka, gate_at(step, nth))
    assert {event["reason"] for event in sleeper.of(Happening.GIVEN_UP)} <= {"fenced"}


async def sleep_through_a_succession(kafka: str, gate: Gate) -> Told:
    """Let a lane fall asleep at a step, its group forget it, another take over and work, and then wake it."""
    bench = await bench_on(kafka).make_topics()
    await bench.publish(0, numbers(50))
    sleeper, successor = Told(), Told()
    async with bench.running(sleeper, client_id="sleeper"):
        await asyncio.wait_for(gate.reached.wait(), 20)
        await bench.evict()
        async with bench.running(successor, client_id="successor"):
            await bench.publish(0, numbers(50))
            await bench.until_committed(0, 100)
            gate.opened.set()
            await sleeper.until(Happening.JOINED, times=2)
            await bench.publish(0, numbers(50))
            await bench.until_committed(0, 150)
    assert faults(await bench.copied(), {bench.input(0): range(150)}) == CLEAN
    assert successor.of(Happening.GIVEN_UP) == []
    return sleeper


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]
