"""Two processes of each stage share the work, one after the other is killed at a random moment, and nobody notices.

SIGKILL twenty times (or as often as asked) while newcomers' lives go on, a new process in the place of each; then
every topic is read back and judged: nothing lost, doubled, torn, reordered or over-disclosed, and the books add up.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from expathub.configuration import load
from expathub.shipped import shipped
from expathub.testing.history import History
from expathub.testing.journeys import write
from expathub.testing.judgement import account, judge
from expathub.testing.performing import LiveHub, Performance
from expathub.testing.processes import Bench, Child
from expathub.testing.script import Outcome

SEED = 20
KILLS = int(os.environ.get("EXPATHUB_TEST_KILLS", "20"))  # `make faults` asks for more
PAUSE_SECONDS = (0.5, 6.0)  # up to the session timeout: kills hit rebalances, loads and plain work alike
PER_SECOND = 50.0
EVENTS = KILLS * 200  # as long as the kills last
SETTLE_SECONDS = 240.0
TEST_SECONDS = 300 + KILLS * 30  # far more than it takes, for a machine that has other things to do
SERVICES = ("intake", "intake", "dispatch", "dispatch")


@pytest.fixture
def bench(fresh_kafka: str, tmp_path: Path) -> Bench:
    bench = Bench(fresh_kafka, tmp_path / "hub")
    assert bench.command("provision", "apply").code == 0
    return bench


class Crew:
    """The four processes; whoever is killed is replaced."""

    def __init__(self, bench: Bench, stack: ExitStack) -> None:
        self._bench = bench
        self._stack = stack
        self.members = [self._start(name) for name in SERVICES]
        self.killed: list[Child] = []

    def _start(self, name: str) -> Child:
        return self._stack.enter_context(self._bench.service(name))

    def kill_and_replace(self, place: int) -> None:
        """Kill a process, and start another in its place."""
        victim = self.members[place]
        victim.address()  # it has started, and takes part or is about to: a kill before that would prove nothing
        victim.signal(signal.SIGKILL)
        victim.wait()
        self.killed.append(victim)
        self.members[place] = self._start(victim.name)


async def kill(crew: Crew, dice: Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        await asyncio.to_thread(crew.kill_and_replace, dice.randrange(len(SERVICES)))


@pytest.mark.timeout(TEST_SECONDS)
async def test_kills_under_load_lose_double_tear_and_reorder_nothing(bench: Bench) -> None:
    configuration = load(shipped("deploy", "partners.yaml"), shipped("schemas"))
    script = write(configuration, events=EVENTS, seed=SEED, now=datetime.now(UTC))
    dice = Random(SEED)
    with ExitStack() as stack:
        crew = Crew(bench, stack)
        for member in crew.members:
            await asyncio.to_thread(member.wait_until_ready)
        async with LiveHub.of(bench.bootstrap, configuration.partners.by_id) as live, asyncio.TaskGroup() as tasks:
            performing = tasks.create_task(live.perform(script, PER_SECOND, settle_seconds=SETTLE_SECONDS))
            tasks.create_task(kill(crew, dice))
        performance = performing.result()
        last = [member for member in crew.members if member.is_running()]
    assert len(crew.killed) == KILLS
    assert all(member.process.returncode == -signal.SIGKILL for member in crew.killed)
    assert len(last) == len(SERVICES), "no process may end by itself"
    assert_everything_is_in_its_place(performance, script.count(Outcome.ACCEPTED))
    verdict = judge(performance.history, performance.sent, script)
    assert not verdict.findings
    assert verdict.accepted == script.count(Outcome.ACCEPTED)
    assert verdict.refused == script.count(Outcome.REFUSED)
    assert verdict.duplicates == script.count(Outcome.DUPLICATE)


def assert_everything_is_in_its_place(performance: Performance, accepted: int) -> None:
    """Nobody else uses this cluster: all that its topics hold must add up."""
    assert len(performance.sent) == EVENTS
    history: History = performance.history
    assert len(history.outboxes) == EVENTS
    assert len(history.journal) == accepted
    assert account(history).is_clean
