"""The hub's own engine as one of the ways that are measured: as its service makes it, its flow held back at first."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition

from benchmarks.clock import Clock
from expathub.dispatch import wiring as dispatch_wiring
from expathub.intake import wiring as intake_wiring
from expathub.kafka import topics
from expathub.kafka.group_consumer import GroupConsumer
from expathub.kafka.observer import BatchReport, Detail, Happening
from expathub.shell import collecting
from expathub.shell.plan import Ground

STAGES = {"intake": intake_wiring, "dispatch": dispatch_wiring}


class Watch:
    """An observer of an engine that counts batches."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def batch(self, report: BatchReport) -> None:
        """Take note of a committed batch."""
        self._clock.batch(report.records)

    def event(self, name: Happening, lane: str | None, details: Mapping[str, Detail]) -> None:
        """Say on standard error what should not happen in a bench."""
        if name in {Happening.STOPPED, Happening.GIVEN_UP, Happening.STEP_RAISED}:
            sys.stderr.write(f"{name.value} {lane} {dict(details)}\n")


class Gate:
    """Holds the flow of records back until every lane runs: then the clock begins, and they all flow."""

    def __init__(self, lanes: int, clock: Clock) -> None:
        self._lanes, self._clock = lanes, clock
        self._waiting: list[tuple[GroupConsumer, TopicPartition, int]] = []
        self._let_flow = GroupConsumer.let_flow

    def close(self) -> None:
        """Stand before all consumers of this process."""

        def held(consumer: GroupConsumer, partition: TopicPartition, offset: int) -> None:
            self.let_flow(consumer, partition, offset)

        GroupConsumer.let_flow = held  # type: ignore[method-assign,assignment] # there is no other place

    def let_flow(self, consumer: GroupConsumer, partition: TopicPartition, offset: int) -> None:
        """Stand in for the method of this name."""
        self._waiting.append((consumer, partition, offset))
        if len(self._waiting) == self._lanes:
            self._clock.begin()
        if len(self._waiting) >= self._lanes:
            for one in self._waiting[0 if len(self._waiting) == self._lanes else -1 :]:
                self._let_flow(*one)


async def run(stage: str, clock: Clock, *, until_told: bool) -> None:
    """Let the stage's engine work until so much is done, or until standard input is closed."""
    ground = Ground.read()
    made = STAGES[stage].make(ground, Watch(clock))
    if not until_told:
        lanes = topics.JOURNAL_PARTITIONS if stage == "dispatch" else len(ground.configuration.partners.by_id)
        Gate(lanes, clock).close()
    collecting.look_seldom()  # as the service does
    running = asyncio.create_task(made.run())
    waiting = asyncio.create_task(_told(made, clock) if until_told else clock.done.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    made.stop()
    await running


async def _told(made: Any, clock: Clock) -> None:
    """Say when all lanes run, then wait for the end of standard input."""
    while not made.health().ready:  # noqa: ASYNC110 (an engine is asked how it is)
        await asyncio.sleep(0.05)
    clock.begin()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
