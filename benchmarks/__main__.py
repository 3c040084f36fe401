"""Measure the hub: `make bench`. Prints tables; exits 1 where a figure of the design is missed, and names it.

    python -m benchmarks [--only SECTION …] [--quick] [--json FILE]

Each section stands on a broker of its own; within it, rounds take turns. See docs/evidence/performance.md for how to
read the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks import growth, latency, memory, page, tables_of_text, verdict
from benchmarks.plan import FULL, QUICK, TINY, Extent, Note
from benchmarks.rounds import PREFIXES, Round, in_turns, one_round, steady
from benchmarks.stand import Stand, standing
from benchmarks.summary import of_rounds
from benchmarks.workload import arrivals

Section: TypeAlias = Callable[[Stand, Extent, Note], Any]


def cost(stand: Stand, extent: Extent, note: Note) -> dict[str, Any]:
    """Compare both stages with the floor and with FastStream doing the same."""
    for way in extent.ways:
        if PREFIXES[way]:
            stand.make_topics(PREFIXES[way])
    today = datetime.now(UTC).date()

    def run(number: int) -> Round:
        _, values = arrivals(stand.known, extent.events, number, today)
        return one_round(stand, values, in_turns(extent.ways, number))

    kept, again = steady(extent.rounds, run, note)
    return {"rounds": len(kept), "events": extent.events, "again": again, **of_rounds(kept)}


def with_floor(measure: Section) -> Section:
    """Make the floor's topics first."""

    def section(stand: Stand, extent: Extent, note: Note) -> Any:
        stand.make_topics(PREFIXES["floor"])
        return measure(stand, extent.of_growth, note)

    return section


def latencies(stand: Stand, extent: Extent, note: Note) -> list[dict[str, Any]]:
    """Measure publish to inbox at each rate."""
    found = []
    for rate, seconds in extent.latency:
        found.append(latency.measure(stand, rate, seconds))
        note(f"  {found[-1]}")
    return found


def remembered(stand: Stand, extent: Extent, note: Note) -> dict[str, Any]:
    """Measure what is kept, and what grows."""
    return {"own": memory.own(extent.ids), "day": memory.of_a_day(stand, extent, note)}


SECTIONS: Mapping[str, Section] = {
    "cost": cost,
    "latency": latencies,
    "recipients": with_floor(growth.recipients),
    "size": with_floor(growth.sizes),
    "dossiers": with_floor(growth.dossiers),
    "processes": with_floor(growth.processes),
    "bad": with_floor(growth.bad_events),
    "memory": remembered,
}


def conditions() -> dict[str, Any]:
    """Say on what was measured."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, check=False)  # noqa: S607
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit.stdout.decode().strip(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in ("aiokafka", "faststream", "orjson", "jsonschema-rs")},
    }


def run(names: list[str], extent: Extent, bootstrap: str | None) -> dict[str, Any]:
    """Run sections; returns everything as a JSON value."""
    found: dict[str, Any] = {"conditions": conditions(), "sections": {}}
    for name in names:
        begun = time.monotonic()
        _note(f"{name} …")
        with standing(bootstrap) as stand:
            found["conditions"]["kafka"] = stand.kafka
            found["sections"][name] = SECTIONS[name](stand, extent, _note)
        _note(f"{name} took {time.monotonic() - begun:.0f} s")
    found["held_to"] = [one.as_json() for one in verdict.judge(found["sections"])]
    return found


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """Run what is asked; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="fewer rounds and events: a look, no evidence")
    how.add_argument("--tiny", action="store_true", help="next to nothing, and no verdict: whether it runs at all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--evidence", action="store_true", help="write docs/evidence/performance.* from it")
    parser.add_argument("--bootstrap", metavar="HOST:PORT", help="a broker on which nothing of a hub is yet")
    asked = parser.parse_args()
    extent = QUICK if asked.quick else TINY if asked.tiny else FULL
    found = run(asked.only or list(SECTIONS), extent, asked.bootstrap)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if asked.evidence:
        page.write(found)
    sys.stdout.write(tables_of_text.render(found))
    missed = [one for one in found["held_to"] if not one["kept"]]
    return 1 if missed and not asked.tiny else 0


if __name__ == "__main__":
    sys.exit(main())
