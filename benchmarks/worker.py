"""One measured process: works off what it is told, and prints what it spent as a line of JSON.

python -m benchmarks.worker '{"way": "engine", "stage": "intake", "expected": 1000, "ranges": {"0": [0, 1000]}}'
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks import loop
from benchmarks.clock import Clock
from benchmarks.loop import Making, Ranges, changelog_of
from benchmarks.tables import Tables
from expathub.configuration import load
from expathub.core import topic_names
from expathub.kafka import topics
from expathub.settings import load_settings
from expathub.shell import collecting, reference_keys


def making(stage: str, partner: str) -> tuple[str, Making]:
    """Return Kafka's address and what a loop is made of."""
    settings = load_settings()
    known = load(settings.partners, settings.schemas)
    source = topic_names.outbox(partner) if stage == "intake" else topic_names.JOURNAL
    partitions = {topic.name: topic.partitions for topic in topics.plan(known)}
    keys = reference_keys.load(settings.reference_keys).numbered
    made = Making(source, changelog_of(stage, partner), partitions, Tables.of(known), partner, keys)
    return settings.bootstrap, made


async def work(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is asked; returns what was spent. A process loads only what it measures."""
    clock = Clock(asked["expected"])
    stage, way = asked["stage"], asked["way"]
    if way == "engine":
        from benchmarks import engine

        await engine.run(stage, clock, until_told=asked.get("until_told", False))
        return clock.spent().as_json()
    ranges: Ranges = {int(at): (start, end) for at, (start, end) in asked["ranges"].items()}
    bootstrap, made = making(stage, asked["partner"])
    collecting.look_seldom()  # whoever writes such a loop by hand finds this out too
    if way == "floor":
        await loop.run(stage, bootstrap, made, ranges, clock)
    else:
        from benchmarks import peers

        await peers.run(way, bootstrap, made, asked["prefix"], ranges, clock)
    return clock.spent().as_json()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(work(json.loads(sys.argv[1])))) + "\n")
