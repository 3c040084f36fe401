"""What one measured process spent: CPU and wall time from when it is ready to the end of its last batch.

Start-up, joining and loading are no cost of an event.
"""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process measured of itself."""

    records: int
    cpu_seconds: float
    wall_seconds: float
    ended: float
    """CLOCK_MONOTONIC at the end of the last batch: the same clock for all processes."""
    batches: int
    rss_mib: float

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return asdict(self)


def cpu_seconds() -> float:
    """Return the CPU time of this process and its ended children."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


class Clock:
    """Counts batches."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self._records = self._batches = 0
        self._begun = self._ended = (0.0, 0.0)
        self.done = asyncio.Event()

    def begin(self) -> None:
        """Begin to measure: all is ready, and no record has been fetched."""
        self._begun = self._ended = (cpu_seconds(), time.monotonic())

    def batch(self, records: int) -> None:
        """Take note of a committed batch."""
        self._left -= records
        self._batches += 1
        self._records += records
        self._ended = (cpu_seconds(), time.monotonic())
        if self._left <= 0:
            self.done.set()

    def spent(self) -> Spent:
        """Say what was spent."""
        begun = self._begun
        return Spent(
            records=self._records,
            cpu_seconds=self._ended[0] - begun[0],
            wall_seconds=self._ended[1] - begun[1],
            ended=self._ended[1],
            batches=self._batches,
            rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
