"""Memory: what one remembered id and one dossier take, and whether anything else grows over a day's worth of events."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import psutil

from benchmarks.latency import hub
from benchmarks.plan import Extent, Note
from benchmarks.publish import drained
from benchmarks.rounds import publish
from benchmarks.stand import Stand
from benchmarks.workload import arrivals
from expathub.core.dossier import Dossier, Told
from expathub.core.dossiers import Dossiers
from expathub.core.remembered import Remembered

STEPS = 10
PHASES = 5
"""Into so many parts a day is cut; the first warms up."""


def own(ids: int) -> dict[str, Any]:
    """Measure in processes of their own what is kept."""
    return {what: _in_a_process(what, ids) for what in _KEEP}


def _in_a_process(what: str, count: int) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", what, str(count)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300).stdout)


def _keep_applied(state: Remembered, numbers: range) -> None:
    state.apply((_digest(number), _moment(number) + _digest(-number)) for number in numbers)


def _keep_restored(state: Remembered, numbers: range) -> None:
    state.restore(None, b"".join(_digest(number) + _moment(number) + _digest(-number) for number in numbers))


def _keep_dossiers(state: Dossiers, numbers: range) -> None:
    for number in numbers:
        subject = f"{number:08x}-0000-4000-8000-{number:012x}"
        types = {"nl.expats.aankomst-aangemeld": (f"hub.journal/1/{number}", f"hub.journal/1/{number + 1}")}
        told = {name: Told(subject, 0, types) for name in ("heerlen", "ind", "maastricht")}
        state.apply([(subject.encode(), Dossier(residence="0935", told=told))])


_KEEP: dict[str, tuple[Callable[[], Any], Callable[[Any, range], None]]] = {
    "id_applied": (Remembered, _keep_applied),
    "id_restored": (Remembered, _keep_restored),
    "dossier_of_three": (Dossiers, _keep_dossiers),
}
"""How state comes to be: what is kept, as batches are committed or as it is loaded."""


def _digest(number: int) -> bytes:
    return blake2b(number.to_bytes(8, signed=True), digest_size=16).digest()


def _moment(number: int) -> bytes:
    return (1_790_000_000_000 + number).to_bytes(8)


def bytes_each(what: str, count: int) -> float:
    """Return the most bytes that each of `count` or fewer has taken: tables grow in leaps."""
    make, keep = _KEEP[what]
    state = make()
    keep(state, range(1))
    gc.collect()
    before, worst, size = _rss(), 0.0, count // STEPS
    for step in range(STEPS):
        for begin in range(step * size, (step + 1) * size, 1000):
            keep(state, range(begin, min(begin + 1000, (step + 1) * size)))
        if step:  # of a few the heap's own leaps are too large a part
            worst = max(worst, (_rss() - before) / ((step + 1) * size))
    return worst


def _rss() -> int:
    return psutil.Process().memory_info().rss


def of_a_day(stand: Stand, extent: Extent, note: Note) -> dict[str, Any]:
    """Put a day's worth of events through the whole hub as fast as it goes; returns its memory after each part."""
    today, points = datetime.now(UTC).date(), []
    part = extent.day // PHASES
    with hub(stand) as (process,):
        for phase in range(PHASES):
            _, values = arrivals(stand.known, part, phase, today, dossiers=min(5_000, part))
            publish(stand, values)
            asyncio.run(drained(stand))
            points.append({"events": (phase + 1) * part, "rss_mib": process.memory_info().rss / 2**20})
            note(f"  {points[-1]['events']} events: {points[-1]['rss_mib']:.1f} MiB")
    grown = (points[-1]["rss_mib"] - points[0]["rss_mib"]) * 2**20
    return {"points": points, "bytes_an_event": grown / (extent.day - part)}


if __name__ == "__main__":
    sys.stdout.write(f"{bytes_each(sys.argv[1], int(sys.argv[2]))}\n")
