"""An engine of a bench in a process of its own, to be stopped, killed and woken.

`python -m expathub.testing.engine_member BOOTSTRAP PREFIX LANES [name=value …]` runs it until SIGTERM and prints what
it tells as JSON, one line each; values are JSON. `member` starts such a process and listens to it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from expathub.kafka import failpoints
from expathub.kafka.engine import Engine
from expathub.kafka.observer import BatchReport, Detail, Happening
from expathub.testing.counting import CountingStage
from expathub.testing.engine_bench import Bench

_OWN = frozenset({"output_partitions", "step_seconds", "restore_seconds", "window_ms"})
"""What is said of the bench; every other name is a setting of the engine."""


@dataclass
class Member:
    """A running process and the lines that it has printed."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Take in what it prints until it ends."""
        if self.process.stdout is None:
            raise ValueError("nobody listens to this process")
        async for line in self.process.stdout:
            self.lines.append(orjson.loads(line))
            self._changed.set()

    async def until(self, event: Happening, times: int = 1, within_seconds: float = 40.0) -> None:
        """Wait for an event; raises `TimeoutError`."""
        async with asyncio.timeout(within_seconds):
            while len(self.of(event)) < times:
                self._changed.clear()
                await self._changed.wait()

    def of(self, event: Happening) -> list[dict[str, Any]]:
        """Return all events of this name."""
        return [line for line in self.lines if line.get("event") == event]


@asynccontextmanager
async def member(bench: Bench, name: str, failpoint: str = "", **changes: Any) -> AsyncIterator[Member]:
    """Run an engine as a process with the client id `name`; it is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "expathub.testing.engine_member", bench.bootstrap, bench.prefix, str(bench.lanes)),
        *(f"{key}={orjson.dumps(value).decode()}" for key, value in {"client_id": name, **changes}.items()),
        env={**os.environ, **({failpoints.VARIABLE: failpoint} if failpoint else {})},
        stdout=asyncio.subprocess.PIPE,
    )
    one = Member(process)
    listening = asyncio.create_task(one.listen())
    try:
        yield one
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


class _Printing:
    """An observer that prints JSON lines."""

    def batch(self, report: BatchReport) -> None:
        """Print a report."""
        _print({"batch": report.lane, "records": report.records, "next": report.next_offset})

    def event(self, name: Happening, lane: str | None, details: Mapping[str, Detail]) -> None:
        """Print an event."""
        _print({"event": name.value, "lane": lane, **details})


def _print(line: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


async def work(bench: Bench) -> None:
    """Run an engine until SIGTERM."""
    engine = Engine(CountingStage(bench.prefix, bench.step_seconds), bench.plan(), bench.settings(), _Printing())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, engine.stop)
    await engine.run()


def bench_from(words: Sequence[str]) -> Bench:
    """Read a bench from a command line: BOOTSTRAP PREFIX LANES [name=value …], values as JSON."""
    bootstrap, prefix, lanes, *changes = words
    bench = Bench(bootstrap=bootstrap, prefix=prefix, lanes=int(lanes))
    read = {name: orjson.loads(value) for name, _, value in (change.partition("=") for change in changes)}
    bench = replace(bench, **{name: value for name, value in read.items() if name in _OWN})
    return replace(bench, changes={name: value for name, value in read.items() if name not in _OWN})


if __name__ == "__main__":
    asyncio.run(work(bench_from(sys.argv[1:])))
