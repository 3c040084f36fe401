"""Three brokers under load: killed one by one, the controller, restarted in turn, two of them gone, all of them gone.

Two processes of each stage go on all the while; none is started anew. After each ordeal every topic is judged, and
nothing may be left to do. `EXPATHUB_TEST_FAULTS=full` runs all of it, `BROKER_KILLS=100` that many kills in turn.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import pytest

from expathub.testing.brokers import Brokers
from expathub.testing.ordeal import Load, Ordeal, Outlived
from expathub.testing.processes import Bench, Child, until

FULL = os.environ.get("EXPATHUB_TEST_FAULTS") == "full"
IN_FULL = pytest.mark.skipif(not FULL, reason="takes minutes: set EXPATHUB_TEST_FAULTS=full")
KILLS = int(os.environ.get("BROKER_KILLS", "3"))
RESULT = Path(os.environ.get("FAULTS_RESULTS", "var/faults")) / "brokers.json"

SEED = int(os.environ.get("SEED", "40"))
PER_SECOND = 20.0
EVENTS = 700 if FULL else 300
NODES = 3
LAG_SECONDS = 240.0  # what it took is in the result; a busy machine must not fail a sound hub
TEST_SECONDS = 900 + 100 * KILLS
DOWN_SECONDS = 15.0
"""How long a cluster without its majority is left so: longer than a transaction's deadline and a session."""
IDLE_SHARE = 1.0
"""Of one core, for all four processes together."""

pytestmark = pytest.mark.timeout(TEST_SECONDS)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    with Brokers.of(tmp_path_factory.mktemp("brokers"), NODES) as brokers:
        yield brokers


@pytest.fixture(scope="module")
def ordeal(brokers: Brokers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    bench = Bench(brokers.bootstrap, tmp_path_factory.mktemp("hub"))
    with Ordeal.of(bench) as ordeal:
        yield ordeal


async def test_each_broker_killed_in_turn_under_load_changes_nothing(brokers: Brokers, ordeal: Ordeal) -> None:
    async def kill_each(load: Load) -> None:
        for turn, node in enumerate(brokers.ids):
            await load.reaches((2 * turn + 1) / (2 * NODES + 1))
            await asyncio.to_thread(brokers.kill, node)
            await load.reaches((2 * turn + 2) / (2 * NODES + 1))  # it goes on without that one
            await back(brokers)

    began = datetime.now(UTC)
    for number in range((KILLS + NODES - 1) // NODES):
        outlived = await ordeal.outlive("each-in-turn", SEED + number, EVENTS, PER_SECOND, kill_each)
        kills = NODES * (number + 1)
        print(f"{kills} kills, clean: {outlived.is_clean}, recovery: {outlived.recovery_seconds} s", flush=True)  # noqa: T201
        ordeal.write_result(RESULT, began, {"broker-kill": kills})
        assert_outlived(ordeal, outlived)


@IN_FULL
async def test_the_active_controller_killed_under_load_changes_nothing(brokers: Brokers, ordeal: Ordeal) -> None:
    async def kill_controller(load: Load) -> None:
        for share in (0.1, 0.5):
            await load.reaches(share)
            controller = await asyncio.to_thread(brokers.controller)
            await asyncio.to_thread(brokers.kill, controller)
            assert await asyncio.to_thread(brokers.controller) != controller
            await load.reaches(share + 0.2)
            await back(brokers)

    assert_outlived(ordeal, await ordeal.outlive("controller", SEED, 600, PER_SECOND, kill_controller))


@IN_FULL
async def test_a_rolling_restart_under_load_changes_nothing(brokers: Brokers, ordeal: Ordeal) -> None:
    async def restart_each(load: Load) -> None:
        for turn, node in enumerate(brokers.ids):
            await load.reaches((turn + 1) / (NODES + 1))
            await asyncio.to_thread(brokers.stop, node)
            await back(brokers)

    assert_outlived(ordeal, await ordeal.outlive("rolling", SEED, 800, PER_SECOND, restart_each))


@IN_FULL
async def test_without_a_majority_the_hub_refuses_and_says_so_and_goes_on_after(
    brokers: Brokers, ordeal: Ordeal
) -> None:
    async def leave_one(load: Load) -> None:
        await load.reaches(0.3)
        left, *others = brokers.ids
        await asyncio.to_thread(brokers.kill, *others)
        await asyncio.to_thread(wait_until_it_says_so, ordeal)
        stands, busy = load.sent, cpu_seconds(ordeal)
        await asyncio.sleep(DOWN_SECONDS)
        busy = cpu_seconds(ordeal) - busy
        assert brokers.up == [left]
        assert busy < IDLE_SHARE * DOWN_SECONDS, "whoever waits must not storm at closed doors"
        assert load.sent == stands, "one copy of three is not enough, and nothing may be taken for stored"
        assert load.sent < load.events
        await back(brokers)

    assert_outlived(ordeal, await ordeal.outlive("two-of-three", SEED, 400, PER_SECOND, leave_one))


@IN_FULL
async def test_all_brokers_killed_at_once_lose_nothing(brokers: Brokers, ordeal: Ordeal) -> None:
    """A kill leaves what the system has of their files; a power cut of all three at once is promised by nobody."""

    async def kill_all(load: Load) -> None:
        for share in (0.3, 0.6):
            await load.reaches(share)
            await asyncio.to_thread(brokers.kill, *brokers.ids)
            await asyncio.to_thread(wait_until_it_says_so, ordeal)
            await back(brokers)

    assert_outlived(ordeal, await ordeal.outlive("all-at-once", SEED, 600, PER_SECOND, kill_all))


def cpu_seconds(ordeal: Ordeal) -> float:
    """Return the CPU time of all processes so far."""
    times = [psutil.Process(member.process.pid).cpu_times() for member in ordeal.members]
    return sum(one.user + one.system for one in times)


async def back(brokers: Brokers) -> None:
    await asyncio.to_thread(brokers.start)
    await brokers.until_whole()


def wait_until_it_says_so(ordeal: Ordeal) -> None:
    """Wait until every process answers that it is not ready, and its log has said why."""
    for member in ordeal.members:
        until(partial(is_not_ready, member), f"{member.name} to say that it is not ready")
        assert member.get("/healthz").status == 200, "to wait is no reason to be restarted"
        until(partial(has_complained, member), f"{member.name} to log why")


def is_not_ready(member: Child) -> bool:
    return not member.is_ready()


def has_complained(member: Child) -> bool:
    return bool(member.events("kafka_awaited") or member.events("given_up"))


def assert_outlived(ordeal: Ordeal, outlived: Outlived) -> None:
    assert list(outlived.findings) == []
    assert ordeal.ended() == [], "no process may end by itself"
    for member in ordeal.members:
        member.wait_until_ready()
    assert_nothing_is_left_to_do(ordeal)


def assert_nothing_is_left_to_do(ordeal: Ordeal) -> None:
    deadline = time.monotonic() + LAG_SECONDS
    while (left := records_left(ordeal)) != {"hub.intake": 0, "hub.dispatch": 0}:
        assert time.monotonic() < deadline, left
        time.sleep(1.0)


def records_left(ordeal: Ordeal) -> dict[str, int]:
    groups = json.loads(ordeal.bench.command("lag", "--json").out)["groups"]
    return {one["group"]: one["records"] for one in groups if one["group"].startswith("hub.")}
