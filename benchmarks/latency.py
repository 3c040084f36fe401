"""From publish to inbox: open loop at a fixed rate, from the intended time to a committed read, beside the broker."""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import psutil

from benchmarks.publish import fill, keys_of
from benchmarks.stand import Stand, outbox
from benchmarks.workload import arrivals
from expathub.core import topic_names
from expathub.kafka.reading import Reader

READER = "ind"
"""Is told of every arrival."""

WARM_SECONDS = 5
_PATIENCE_SECONDS = 120.0


@contextmanager
def hub(stand: Stand, *services: str) -> Iterator[list[psutil.Process]]:
    """Run the hub: both stages in one process (`up`), or each of `services` in its own."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "expathub", service],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(stand.environment),
        )
        for service in services or ("up",)
    ]
    try:
        yield [psutil.Process(one.pid) for one in started]
    finally:
        for one in started:
            one.send_signal(signal.SIGTERM)
        for one in started:
            one.wait(60)


def measure(stand: Stand, rate: float, seconds: float, *services: str) -> dict[str, Any]:
    """Publish at a rate for so long; returns percentiles in milliseconds, and what it cost."""
    count = int(rate * (seconds + WARM_SECONDS))
    seed = int(rate)
    with hub(stand, *services) as processes:
        return asyncio.run(_measure(stand, rate, count, seed, processes))


async def _measure(
    stand: Stand, rate: float, count: int, seed: int, processes: Sequence[psutil.Process]
) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    _, values = arrivals(stand.known, count, seed, today)
    places = {str(orjson.loads(value)["id"]): number for number, value in enumerate(values)}
    _, first = arrivals(stand.known, 4, seed + 1, today)
    arrived: dict[int, float] = {}
    async with Reader.of(stand.bootstrap, topic_names.inbox(READER)) as reader:
        await reader.from_end()
        await fill(stand.bootstrap, outbox(), first, keys_of(first))  # the hub is there once these have come through
        await asyncio.wait_for(_collect(reader, {}, arrived, len(first)), _PATIENCE_SECONDS)
        generating = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.generator", json.dumps({"rate": rate, "count": count, "seed": seed})),
            stdout=subprocess.PIPE,
        )
        before, broker = _cpu(processes), stand.broker_seconds()
        await asyncio.wait_for(_collect(reader, places, arrived, count), count / rate + _PATIENCE_SECONDS)
        spent = (_cpu(processes) - before, stand.broker_seconds() - broker)
        said = json.loads((await generating.communicate())[0])
    warm = int(rate * WARM_SECONDS)
    took = [1000 * (arrived[number] - said["begun"] - number / rate) for number in range(warm, count)]
    return {
        "rate": rate,
        "events": len(took),
        **percentiles(took),
        "generator_late": percentiles(said["late_ms"][warm:]),
        "hub_cpu_us": 1e6 * spent[0] / count,
        "broker_cpu_us": 1e6 * spent[1] / count,
        "hub_core_share": spent[0] * rate / count,
        "broker_core_share": spent[1] * rate / count,
    }


async def _collect(reader: Reader, places: dict[str, int], arrived: dict[int, float], count: int) -> None:
    """Note when each event is there, until all are; without `places` just count."""
    seen = 0
    async for batch in reader.batches():
        now = time.monotonic()
        for record in batch:
            number = places.get(str(orjson.loads(record.value or b"{}").get("id")))
            if number is not None:
                arrived[number] = now
            seen += number is not None or not places
        if seen >= count:
            return


def _cpu(processes: Sequence[psutil.Process]) -> float:
    return sum(one.cpu_times().user + one.cpu_times().system for one in processes)


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the percentiles that count."""
    cuts = statistics.quantiles(milliseconds, n=1000, method="inclusive")
    named = {"p50": cuts[499], "p90": cuts[899], "p99": cuts[989], "max": max(milliseconds)}
    return {name: round(value, 2) for name, value in named.items()}
