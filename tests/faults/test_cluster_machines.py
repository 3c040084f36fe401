"""What a machine does to a sound process: the broker's disk is full, the clock is wrong, memory runs out.

The hub waits or ends, says so, and loses, doubles and reorders nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random

import psutil
import pytest

from expathub.core.records import InputRecord
from expathub.core.topic_names import DISCLOSURES
from expathub.kafka.reading import read_all
from expathub.testing.brokers import Brokers
from expathub.testing.ordeal import SERVICES, Load, Ordeal
from expathub.testing.processes import Bench, Child, until
from expathub.testing.wrong_clock import set_wrong

FULL = os.environ.get("EXPATHUB_TEST_FAULTS") == "full"
SEED = int(os.environ.get("SEED", "50"))
PER_SECOND = 20.0
DISK_MB = 300
TEN_MINUTES = 600.0
JUMP_SECONDS = 5.0

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not FULL, reason="takes minutes: set EXPATHUB_TEST_FAULTS=full"),
]


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One data folder for all hubs on this broker: with another key of references they would not go on."""
    return Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))


# --- F21: the broker's disk is full


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk in memory with room for one broker and little else."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "expathub-test", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root on Linux alone")
    try:
        yield folder
    finally:
        # Lazily: what the broker had mapped may be let go a moment after its end.
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(ballast: Path) -> None:
    """Leave not one free block."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
async def test_a_broker_whose_disk_is_full_stops_and_nothing_is_lost_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, Brokers.of(disk / "kafka", nodes=1) as brokers:
        bench = Bench(brokers.bootstrap, tmp_path / "hub")
        with Ordeal.of(bench, ("intake", "dispatch")) as ordeal:

            async def fill_the_disk(load: Load) -> None:
                await load.reaches(0.3)
                await asyncio.to_thread(fill, disk / "ballast")
                await asyncio.to_thread(until, lambda: brokers.up == [], "the broker to stop")
                for member in ordeal.members:
                    await asyncio.to_thread(until, partial(is_waiting, member), "the hub to say so")
                assert bench.command("publish", "--as", "ind", "-", given="{}").code == 69
                (disk / "ballast").unlink()
                await asyncio.to_thread(brokers.start)

            outlived = await ordeal.outlive("disk-full", SEED, 500, PER_SECOND, fill_the_disk)
            assert list(outlived.findings) == []
            assert ordeal.ended() == []


def is_waiting(member: Child) -> bool:
    return not member.is_ready() and bool(member.events("kafka_awaited"))


# --- F25: clocks


async def test_clocks_that_are_wrong_and_jump_change_neither_order_nor_ids(bench: Bench, tmp_path: Path) -> None:
    """Each of four processes is ten minutes ahead or behind, and every second jumps by five: lanes change hands too."""
    clocks = [tmp_path / f"clock-{number}" for number in range(len(SERVICES))]
    dice = Random(SEED)

    def jump() -> None:
        for number, clock in enumerate(clocks):
            set_wrong(clock, TEN_MINUTES * (-1) ** number + dice.choice((-JUMP_SECONDS, 0.0, JUMP_SECONDS)))

    jump()
    with Ordeal.of(bench, clocks=clocks) as ordeal:

        async def keep_jumping(load: Load) -> None:
            while load.sent < 0.9 * load.events:
                jump()
                await asyncio.sleep(1.0)
                if load.sent > load.events / 2:
                    clocks.reverse()  # those that were ahead are behind now

        outlived = await ordeal.outlive("clocks", SEED, 500, PER_SECOND, keep_jumping)
        assert list(outlived.findings) == []
        assert ordeal.ended() == []
    errors = clock_errors(await read_all(bench.bootstrap, DISCLOSURES))
    assert min(errors) < -TEN_MINUTES / 2
    assert max(errors) > TEN_MINUTES / 2


def clock_errors(disclosures: Sequence[InputRecord]) -> list[float]:
    """Compare what dispatch took for the time with the broker's clock, in seconds."""
    moments = (datetime.fromisoformat(json.loads(record.value or b"")["at"]) for record in disclosures)
    return [at.timestamp() - record.received_ms / 1000 for at, record in zip(moments, disclosures, strict=True)]


# --- F26: memory


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can be set on Linux alone")
@pytest.mark.parametrize("victim", ["intake", "dispatch"])
async def test_a_process_that_runs_out_of_memory_ends_and_another_goes_on(bench: Bench, victim: str) -> None:
    """It has no room for the lanes that the other of its kind leaves it when that is killed."""
    with ExitStack() as later, Ordeal.of(bench) as ordeal:
        poor, other = (member for member in ordeal.members if member.name == victim)

        async def starve(load: Load) -> None:
            await load.reaches(0.2)
            leave_no_memory(poor)
            other.process.kill()
            await asyncio.to_thread(until, lambda: not poor.is_running(), f"{victim} to end")
            later.enter_context(bench.service(victim))

        outlived = await ordeal.outlive(f"memory-{victim}", SEED, 500, PER_SECOND, starve)
        assert list(outlived.findings) == []
        assert poor.process.returncode == 1 or poor.process.returncode < 0
        assert len(ordeal.ended()) == 2


def leave_no_memory(child: Child) -> None:
    """Let a process have what it has, and no more."""
    limit = psutil.Process(child.process.pid).memory_info().vms
    resource.prlimit(child.process.pid, resource.RLIMIT_AS, (limit, limit))
