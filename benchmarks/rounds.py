"""Rounds: the same records, worked off by each way in turn, each in a process of its own, and read back.

A round's figures count only if every way has written the same. A round in which the floor moved by more than a tenth
from its median so far is run again, at most three times in a row of rounds: then the machine, not a way, has changed.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from aiokafka import TopicPartition

from benchmarks import equality
from benchmarks.clock import Spent
from benchmarks.publish import fill, keys_of, set_offsets
from benchmarks.stand import PUBLISHER, Stand, outbox
from expathub.core import topic_names

T = TypeVar("T")

Ranges: TypeAlias = dict[int, tuple[int, int]]

PREFIXES = {"engine": "", "floor": "floor.", "faststream-batch": "fsb.", "faststream-single": "fs1."}
"""Each way, and the prefix of the topics that it writes."""

SINGLE_PART = 40
"""Of so many events of a round the way that takes them one by one gets one: it is a hundred times slower."""

MOVED_MAX, REPEATS_MAX = 0.10, 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way spent on one stage in one round; microseconds of CPU, events a second."""

    cpu_us: float
    broker_us: float
    """CPU of the broker meanwhile, start and end of the way's process included."""
    rate: float
    records: int
    batches: int

    @classmethod
    def of(cls, spent: Spent, broker_seconds: float, records: int) -> Measured:
        """Make it of what a process reported."""
        done = max(1, spent.records)
        return cls(
            cpu_us=1e6 * spent.cpu_seconds / done,
            broker_us=1e6 * broker_seconds / records,
            rate=spent.records / spent.wall_seconds if spent.wall_seconds else 0.0,
            records=spent.records,
            batches=spent.batches,
        )


Round: TypeAlias = Mapping[str, Mapping[str, Measured]]
"""Stage to way to what it spent."""


def publish(stand: Stand, values: Sequence[bytes], keys: Sequence[bytes] = ()) -> Ranges:
    """Put events into the outbox, with their subjects for keys unless others are given; returns where they stand."""
    return _grown(
        stand, outbox(), lambda: asyncio.run(fill(stand.bootstrap, outbox(), values, keys or keys_of(values)))
    )


def _grown(stand: Stand, topic: str, make: Callable[[], Any]) -> Ranges:
    before = stand.ends(topic)
    make()
    return {at: (before[topic, at], end) for (_, at), end in stand.ends(topic).items()}


def one_round(stand: Stand, values: Sequence[bytes], ways: Sequence[str], stages: Sequence[str] = tuple("id")) -> Round:
    """Publish events and let each way work them off, first intake, then dispatch; `ways` in this order."""
    taken = publish(stand, values)
    journal: Ranges = {}

    def intake() -> None:
        found["intake"] = compete(stand, "intake", taken, len(values), ways if "i" in stages else ("engine",))

    found: dict[str, Mapping[str, Measured]] = {}
    journal = _grown(stand, topic_names.JOURNAL, intake)
    if "d" in stages:
        found["dispatch"] = compete(stand, "dispatch", journal, len(values), ways)
    return found


def compete(stand: Stand, stage: str, ranges: Ranges, count: int, ways: Sequence[str]) -> dict[str, Measured]:
    """Let each way work off the same records of one stage, and compare what they have written."""
    names = equality.outputs(stand, stage, PUBLISHER)
    source = outbox() if stage == "intake" else topic_names.JOURNAL
    found, written = {}, {}
    for way in ways:
        prefix = PREFIXES[way]
        own, expected = _share(way, ranges, count)
        since = stand.ends(*(prefix + name for name in names))
        before = stand.broker_seconds()
        spent = measure(stand, way, stage, own, expected)
        found[way] = Measured.of(spent, stand.broker_seconds() - before, expected)
        written[way] = (equality.read(stand, prefix, since), own)
    everything = written["engine"][0]
    for way, (records, own) in written.items():
        if way != "engine" and own == ranges:
            equality.require_equal(way, everything, records)
        elif way != "engine":
            _require_part(way, everything, records, equality.origins(source, own))
    return found


def _require_part(way: str, everything: equality.Written, records: equality.Written, of: set[str]) -> None:
    """Compare where a way has had a part of the records: of them all that is written, states aside."""
    part = {
        at: [one for one in there if dict(one[1]).get("hub-origin", b"").decode() in of]
        for at, there in everything.items()
        if not at[0].startswith(("hub.seen.", "hub.dossiers"))
    }
    own = {at: there for at, there in records.items() if not at[0].startswith(("hub.seen.", "hub.dossiers"))}
    equality.require_equal(way, {at: there for at, there in part.items() if there}, own)


def _share(way: str, ranges: Ranges, count: int) -> tuple[Ranges, int]:
    """Return what of a round a way gets: all of it, or the slow one the first of each partition."""
    if way != "faststream-single":
        return ranges, count
    part = {at: (start, start + (end - start) // SINGLE_PART) for at, (start, end) in ranges.items()}
    return part, sum(end - start for start, end in part.values())


def measure(stand: Stand, way: str, stage: str, ranges: Ranges, expected: int) -> Spent:
    """Run one way in a process of its own."""
    prefix = PREFIXES[way]
    source = outbox() if stage == "intake" else topic_names.JOURNAL
    if way.startswith("faststream"):
        offsets = {TopicPartition(source, at): start for at, (start, _) in ranges.items()}
        asyncio.run(set_offsets(stand.bootstrap, f"{prefix}group.{source}", offsets))
    return in_a_process(
        {"way": way, "stage": stage, "ranges": ranges, "expected": expected, "partner": PUBLISHER, "prefix": prefix}
    )


def in_a_process(asked: Mapping[str, Any]) -> Spent:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(asked)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600)
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


def in_turns(ways: Sequence[T], number: int) -> list[T]:
    """Return the ways in another order each round, so that none always follows the same."""
    return [*ways[number % len(ways) :], *ways[: number % len(ways)]]


def steady(count: int, run: Callable[[int], Round], note: Callable[[str], None]) -> tuple[list[Round], int]:
    """Run rounds until there are `count` in which the floor was steady; returns them and how many were run again."""
    kept: list[Round] = []
    again = number = 0
    while len(kept) < count:
        found = run(number)
        number += 1
        note(describe(number, found))
        if again < REPEATS_MAX and kept and _has_moved(kept, found):
            again += 1
            note("  the floor has moved by more than a tenth: this round is run again")
            continue
        kept.append(found)
    return kept, again


def _has_moved(kept: Sequence[Round], found: Round) -> bool:
    for stage, ways in found.items():
        if "floor" in ways:
            usual = statistics.median(one[stage]["floor"].cpu_us for one in kept)
            if abs(ways["floor"].cpu_us / usual - 1) > MOVED_MAX:
                return True
    return False


def describe(number: int, found: Round) -> str:
    """Say a round in one line."""
    stages = (
        f"{stage}: " + ", ".join(f"{way} {one.cpu_us:.1f}" for way, one in ways.items())
        for stage, ways in found.items()
    )
    return f"  round {number}: {'; '.join(stages)} µs"
