"""How the cost of an event grows: with recipients, size, dossiers known, processes, and the share of bad events."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer

from benchmarks import equality, micro
from benchmarks.clock import Spent
from benchmarks.plan import Extent, Note
from benchmarks.publish import drained, keys_of
from benchmarks.rounds import Measured, Round, in_turns, measure, one_round, publish, steady
from benchmarks.stand import PUBLISHER, RECIPIENTS, Stand
from benchmarks.summary import of_rounds, spread
from benchmarks.workload import arrivals, sized, spoiled
from expathub.core import topic_names
from expathub.kafka.partitioning import Partitioner

PAIR = ("engine", "floor")
SIZES = (300, 1024, 10 * 1024)
DOSSIERS = (1_000, 100_000)
BAD_SHARES = (0.0, 0.1)


def recipients(stand: Stand, extent: Extent, note: Note) -> list[dict[str, Any]]:
    """Measure dispatch for one, four and sixteen recipients of an event of 1 KiB."""
    found = []
    for count, type in RECIPIENTS.items():
        note(f"{count} recipients")
        shape = Shape(type, 1024, extent.events, "d")
        found.append({"recipients": count, **_of_shape(stand, extent, note, shape)})
    return found


def sizes(stand: Stand, extent: Extent, note: Note) -> list[dict[str, Any]]:
    """Measure both stages for events of 0.3, 1 and 10 KiB with one recipient."""
    found = []
    for size in SIZES:
        note(f"{size / 1024:.1f} KiB")
        count = max(1, extent.events * 1024 // max(1024, size // 2))
        found.append({"bytes": size, **_of_shape(stand, extent, note, Shape(RECIPIENTS[1], size, count, "id"))})
    return found


@dataclass(frozen=True, slots=True)
class Shape:
    """Events of one kind: their type, about how many bytes, how many a round, and at which stages they are measured."""

    type: str
    bytes: int
    events: int
    stages: str


def _of_shape(stand: Stand, extent: Extent, note: Note, shape: Shape) -> dict[str, Any]:
    source = stand.known.partners.by_id[PUBLISHER].source

    def run(number: int) -> Round:
        seed = zlib.crc32(f"{shape}/{number}".encode())
        values = sized(source, shape.type, shape.bytes, shape.events, seed)
        return one_round(stand, values, in_turns(PAIR, number), shape.stages)

    kept, again = steady(extent.rounds, run, note)
    return {"events": shape.events, "again": again, **of_rounds([_only(one, shape.stages) for one in kept])}


def _only(found: Round, stages: str) -> Round:
    return {stage: ways for stage, ways in found.items() if stage[0] in stages}


def dossiers(stand: Stand, extent: Extent, note: Note) -> list[dict[str, Any]]:
    """Measure dispatch when so many dossiers are known before; needs a stand on which nothing has happened yet."""
    found, there = [], 0
    today = datetime.now(UTC).date()
    for known in extent.dossiers:
        note(f"{known} dossiers")
        if known > there:
            _, values = arrivals(stand.known, known, 0, today, dossiers=known)
            _let_pass(stand, values)
            there = known

        def run(number: int, known: int = known) -> Round:
            _, values = arrivals(stand.known, extent.events, known + number, today, dossiers=known)
            return one_round(stand, values, in_turns(PAIR, number), "d")

        kept, again = steady(extent.rounds, run, note)
        found.append({"dossiers": known, "again": again, **of_rounds([_only(one, "d") for one in kept])})
    return found


def _let_pass(stand: Stand, values: Sequence[bytes]) -> None:
    """Let both ways get to know dossiers; what they write is compared in the rounds that follow."""
    before = stand.ends(topic_names.JOURNAL)
    measure(stand, "engine", "intake", publish(stand, values), len(values))
    journal = {at: (before[topic, at], end) for (topic, at), end in stand.ends(topic_names.JOURNAL).items()}
    for way in PAIR:
        measure(stand, way, "dispatch", journal, len(values))


def bad_events(stand: Stand, extent: Extent, note: Note) -> list[dict[str, Any]]:
    """Measure intake with none and with a tenth of bad events; each must be refused and have its receipt."""
    spent: dict[float, list[Measured]] = {share: [] for share in BAD_SHARES}
    today = datetime.now(UTC).date()
    for number in range(extent.rounds):
        for share in in_turns(BAD_SHARES, number):
            _, good = arrivals(stand.known, extent.events, 1000 * number + int(100 * share), today)
            values, bad = spoiled(good, share)
            spent[share].append(_intake(stand, values, keys_of(good), bad))
        note("  " + ", ".join(f"{share:.0%} bad {ways[-1].cpu_us:.1f} µs" for share, ways in spent.items()))
    clean = spread([one.cpu_us for one in spent[0.0]])["median"]
    return [
        {
            "share": share,
            "cpu_us": spread([one.cpu_us for one in ways]),
            "rate": spread([one.rate for one in ways]),
            "each_bad_us": spread([(one.cpu_us - (1 - share) * clean) / share for one in ways]) if share else None,
        }
        for share, ways in spent.items()
    ]


def _intake(stand: Stand, values: Sequence[bytes], keys: Sequence[bytes], bad: int) -> Measured:
    receipts = topic_names.inbox(PUBLISHER)
    names = (*equality.outputs(stand, "intake", PUBLISHER), receipts)
    since = stand.ends(*names)
    ranges = publish(stand, values, keys)
    before = stand.broker_seconds()
    spent = measure(stand, "engine", "intake", ranges, len(values))
    broker = stand.broker_seconds() - before
    written = equality.read(stand, "", since)
    counts = [equality.count(written, topic) for topic in (topic_names.JOURNAL, topic_names.REFUSALS, receipts)]
    if counts != [len(values) - bad, bad, bad]:
        raise equality.UnequalError(f"journal, refusals, receipts: {counts} for {len(values)} events, {bad} bad")
    return Measured.of(spent, broker, len(values))


# --- processes


def processes(stand: Stand, extent: Extent, note: Note) -> list[dict[str, Any]]:
    """Measure dispatch by one process and by two: all records become visible at once, when every lane runs."""
    spent: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for number in range(extent.rounds):
        for count in in_turns((1, 2), number):
            spent[count].append(_dispatch(stand, extent.events, count, seed=10 * number + count))
        note("  " + ", ".join(f"{count}: {own[-1][0]:.1f} µs, {own[-1][1]:.0f}/s" for count, own in spent.items()))
    return [
        {"processes": count, "cpu_us": spread([one[0] for one in own]), "rate": spread([one[1] for one in own])}
        for count, own in spent.items()
    ]


def _dispatch(stand: Stand, events: int, count: int, seed: int) -> tuple[float, float]:
    """Return microseconds of CPU an event of all processes together, and events a second."""
    asked = {"way": "engine", "stage": "dispatch", "expected": events, "partner": PUBLISHER, "until_told": True}
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(asked)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    for one in started:
        one.stdout.readline() if one.stdout else ""
    opened = asyncio.run(_fill_journal(stand, events, seed))
    asyncio.run(drained(stand))
    spent = [Spent(**json.loads(one.communicate()[0].splitlines()[-1])) for one in started]
    working = [one for one in spent if one.records]
    wall = max(one.ended for one in working) - opened
    records = sum(one.records for one in working)
    return 1e6 * sum(one.cpu_seconds for one in working) / records, records / wall


async def _fill_journal(stand: Stand, events: int, seed: int) -> float:
    """Write what intake would make of events into the journal, in one transaction; returns when it was committed."""
    _, values = arrivals(stand.known, events, seed, datetime.now(UTC).date())
    taken = micro.ways("intake", stand.known, PUBLISHER)["hub"]()(micro.outbox_records(values, PUBLISHER))
    count, partitioner = stand.partitions()[topic_names.JOURNAL], Partitioner()
    producer = AIOKafkaProducer(
        bootstrap_servers=stand.bootstrap, transactional_id="bench.fill", max_batch_size=512 * 1024
    )
    async with producer:
        await producer.begin_transaction()
        sent = [
            await producer.send(topic, value, key=key, partition=partitioner.pick(key, 0, count), headers=list(headers))
            for topic, key, value, headers in taken
            if topic == topic_names.JOURNAL
        ]
        await asyncio.gather(*sent)
        opened = time.monotonic()
        await producer.commit_transaction()
    return opened
