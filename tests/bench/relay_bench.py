"""What the relay costs: `make bench` runs this program and prints a table.

Two questions, on a broker of its own with the JIT at full strength:

1. **CPU per event of each stage**, against a hand-written loop on the same client that does the same work: the same
   pure stage, the same record batches, one transaction a batch, the same state. The loop knows no group, no marker,
   no take-over and no fault. Engine and loop take turns over the same records; the ratio within a round counts, for
   microseconds of one machine say little about another. Exit 1 if the median ratio is above the bound.
2. **Publish to inbox**: open loop at a fixed rate, from the time at which an event was meant to be published until a
   reader of committed records has it.

Every round reads back nothing but counts: that the relay loses nothing is what the tests are for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from expathub.configuration import load
from expathub.configuration.sampling import Wish, sample
from expathub.core import topic_names
from expathub.core.dispatch import DispatchStage
from expathub.core.dossiers import Dossiers
from expathub.core.intake import IntakeStage
from expathub.core.remembered import Remembered
from expathub.dispatch import wiring as dispatch_wiring
from expathub.intake import wiring as intake_wiring
from expathub.kafka import local_broker, topics
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.lane_state import LaneState
from expathub.kafka.observer import BatchReport, Detail, Happening
from expathub.kafka.partitioning import Partitioner
from expathub.kafka.reading import Reader, as_input
from expathub.settings import load_settings
from expathub.shell import reference_keys
from expathub.shell.plan import Ground

PUBLISHER, TYPE, READER = "expat-centre", "nl.expats.aankomst-aangemeld", "ind"
RATIO_MAX = 1.25
"""The bound of the design on CPU per event, engine ÷ hand-written loop."""

STAGES = {"intake": intake_wiring, "dispatch": dispatch_wiring}
FLOOR = "floor."
"""Prefix of the topics that the hand-written loop writes."""


def events(count: int, seed: int) -> Iterator[bytes]:
    """Invent `count` different arrivals, each of a dossier of its own."""
    settings = load_settings()
    known = load(settings.partners, settings.schemas)
    wish = Wish(TYPE, count=count, seed=seed, publisher=PUBLISHER)
    return map(orjson.dumps, sample(known, wish, datetime.now(UTC).date()))


async def publish(bootstrap: str, values: Iterable[bytes]) -> None:
    """Put events into the publisher's outbox as fast as it goes."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=256 * 1024, linger_ms=5) as producer:
        await asyncio.gather(*[await send(producer, value) for value in values])


async def send(producer: AIOKafkaProducer, value: bytes) -> asyncio.Future[Any]:
    """Send one event as a partner does; the future ends when the broker has it."""
    key = str(orjson.loads(value)["subject"]).encode()
    headers = [("content-type", b"application/cloudevents+json")]
    sent: asyncio.Future[Any] = await producer.send(topic_names.outbox(PUBLISHER), value, key=key, headers=headers)
    return sent


# --- one stage, measured in a process of its own


class Clock:
    """CPU time of this process from the end of the first batch on: start-up and take-over are no cost of an event."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self._measured = 0
        self._begun: float | None = None
        self.microseconds = 0.0
        self.done = asyncio.Event()

    def batch(self, records: int) -> None:
        """Take note of a committed batch."""
        self._left -= records
        if self._begun is None:
            self._begun = time.process_time()
        else:
            self._measured += records
        if self._left <= 0 and not self.done.is_set():
            spent = time.process_time() - self._begun
            self.microseconds = 1e6 * spent / max(1, self._measured)
            self.done.set()


class Watch:
    """An observer of an engine that counts batches."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def batch(self, report: BatchReport) -> None:
        """Take note of a committed batch."""
        self._clock.batch(report.records)

    def event(self, name: Happening, lane: str | None, details: Mapping[str, Detail]) -> None:
        """Say on standard error what should not happen in a bench."""
        if name in {Happening.STOPPED, Happening.GIVEN_UP, Happening.STEP_RAISED}:
            sys.stderr.write(f"{name.value} {lane} {dict(details)}\n")


async def measure_engine(stage: str, expected: int) -> float:
    """Let the stage's engine work off `expected` records; return microseconds of CPU an event."""
    clock = Clock(expected)
    engine = STAGES[stage].make(Ground.read(), Watch(clock))
    running = asyncio.create_task(engine.run())
    await asyncio.wait({running, asyncio.create_task(clock.done.wait())}, return_when=asyncio.FIRST_COMPLETED)
    engine.stop()
    await running
    return clock.microseconds


class AnyStage(Protocol):
    """A stage, whatever its entries are."""

    def step(self, record: Any, remembered: Any, at_ms: int) -> Any:
        """Say what becomes of a record."""


@dataclass(slots=True)
class Loop:
    """The hand-written loop over one partition: what a good programmer writes who knows that nothing goes wrong."""

    bootstrap: str
    stage: AnyStage
    state: LaneState[Any]
    source: TopicPartition
    start: int
    end: int
    partitions: Mapping[str, int]
    clock: Clock

    async def run(self) -> None:
        """Work off the partition from `start` to `end`."""
        bounds = EngineSettings(bootstrap=self.bootstrap, group="", client_id="", revision=0, digest="")
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed",
            max_partition_fetch_bytes=bounds.fetch_bytes_max,
        )
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            transactional_id=f"{FLOOR}{self.source.topic}.{self.source.partition}",
            max_batch_size=bounds.output_batch_bytes,
            max_request_size=bounds.request_bytes_max,
            retry_backoff_ms=bounds.retry_backoff_ms,
        )
        async with consumer, producer:
            consumer.assign([self.source])
            consumer.seek(self.source, self.start)
            position, partitioner = self.start, Partitioner()
            while position < self.end:
                fetched = await consumer.getmany(self.source, max_records=bounds.batch_records_max, timeout_ms=1000)
                records = [record for batch in fetched.values() for record in batch if record.offset < self.end]
                if records:
                    await self._relay(producer, partitioner, records)
                position = await consumer.position(self.source)

    async def _relay(self, producer: Any, partitioner: Partitioner, records: Sequence[Any]) -> None:
        entries: dict[bytes, Any] = {}
        builders: dict[tuple[str, int], list[Any]] = {}

        def put(topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any) -> None:
            own = builders.setdefault((topic, partition), [])
            if not own or own[-1].append(timestamp=None, key=key, value=value, headers=headers) is None:
                own.append(producer.create_batch())
                own[-1].append(timestamp=None, key=key, value=value, headers=headers)

        def remembered(key: bytes) -> Any:
            return entries.get(key) or self.state.get(key)

        at_ms = time.time_ns() // 1_000_000
        for record in records:
            step = self.stage.step(as_input(record), remembered, at_ms)
            entries.update(step.entries)
            for output in step.outputs:
                partition = partitioner.pick(output.key, record.offset, self.partitions[output.topic])
                put(FLOOR + output.topic, partition, output.key, output.value, list(output.headers))
        for key, value in self.state.pack(tuple(entries.items())):
            put(f"{FLOOR}state", self.source.partition, key, value, [])
        async with producer.transaction():
            stored = [
                await producer.send_batch(builder, topic, partition=partition)
                for (topic, partition), own in builders.items()
                for builder in own
            ]
            await asyncio.gather(*stored)
            await producer.send_offsets_to_transaction({self.source: records[-1].offset + 1}, f"{FLOOR}group")
        self.state.apply(entries.items())
        self.clock.batch(len(records))


async def measure_loop(stage: str, expected: int, ranges: Mapping[int, Sequence[int]]) -> float:
    """Let the hand-written loop work off the same records; return microseconds of CPU an event."""
    ground = Ground.read()
    known, bootstrap = ground.configuration, ground.settings.bootstrap
    clock = Clock(expected)
    counts = {topic.name: topic.partitions for topic in topics.plan(known)}
    if stage == "intake":
        source, made, state = topic_names.outbox(PUBLISHER), IntakeStage(known), Remembered
    else:
        keys = reference_keys.load(ground.settings.reference_keys)
        source, made, state = topic_names.JOURNAL, DispatchStage(known, keys), Dossiers  # type: ignore[assignment]
    loops = [
        Loop(bootstrap, made, state(), TopicPartition(source, partition), start, end, counts, clock)
        for partition, (start, end) in ranges.items()
    ]
    await asyncio.gather(*(loop.run() for loop in loops))
    return clock.microseconds


# --- rounds


def in_a_process(*arguments: str) -> float:
    """Run one measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, check=True, timeout=300)
    return float(done.stdout)


def ends(bootstrap: str, topic: str) -> dict[int, int]:
    """Return the next offset of each partition of `topic`."""

    async def ask() -> dict[int, int]:
        async with Reader.of(bootstrap, topic) as reader:
            return {at.partition: offset for at, offset in (await reader.ends()).items()}

    return asyncio.run(ask())


async def make_floor_topics(bootstrap: str) -> None:
    """Make the topics that the hand-written loop writes, with as many partitions as the hub's."""
    settings = load_settings()
    planned = topics.plan(load(settings.partners, settings.schemas))
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        made = [NewTopic(FLOOR + topic.name, topic.partitions, 1) for topic in planned]
        await admin.create_topics([*made, NewTopic(f"{FLOOR}state", topics.JOURNAL_PARTITIONS, 1)])
    finally:
        await admin.close()


def one_round(bootstrap: str, count: int, number: int) -> dict[str, Pair]:
    """Publish `count` events; let each stage work them off by its engine and by the loop, in turns."""
    outbox = topic_names.outbox(PUBLISHER)
    starts = {topic: ends(bootstrap, topic) for topic in (outbox, topic_names.JOURNAL)}
    asyncio.run(publish(bootstrap, events(count, number)))
    figures = {}
    for stage, topic in (("intake", outbox), ("dispatch", topic_names.JOURNAL)):
        ranges = {at: (starts[topic][at], end) for at, end in ends(bootstrap, topic).items()}
        if sum(end - start for start, end in ranges.values()) < count:
            sys.exit(f"{topic} has less than the {count} events of the round: the bench itself is wrong")
        ways = {"engine": [], "loop": [json.dumps(ranges)]}
        turns = sorted(ways, reverse=bool(number % 2))
        spent = {way: in_a_process(way, stage, str(count), *ways[way]) for way in turns}
        figures[stage] = Pair(spent["engine"], spent["loop"])
    return figures


@dataclass(frozen=True, slots=True)
class Pair:
    """Microseconds of CPU an event: the engine's and the hand-written loop's."""

    engine: float
    loop: float

    @property
    def ratio(self) -> float:
        """How many times the loop the engine takes."""
        return self.engine / self.loop


# --- publish to inbox


async def latencies(bootstrap: str, rate: float, seconds: float) -> list[float]:
    """Publish on a fixed schedule; return milliseconds from each intended time to a committed read, in order."""
    values = list(events(int(rate * seconds), seed=0))
    intended: dict[str, float] = {}
    found: list[float] = []

    async def read() -> None:
        async with Reader.of(bootstrap, topic_names.inbox(READER)) as reader:
            await reader.from_end()
            ready.set()
            async for batch in reader.batches():
                now = time.monotonic()
                came.set()
                ids = (str(orjson.loads(record.value or b"{}").get("id")) for record in batch)
                found.extend(1000 * (now - intended.pop(id)) for id in ids if id in intended)
                if len(found) == len(values):
                    return

    ready, came = asyncio.Event(), asyncio.Event()
    reading = asyncio.create_task(read())
    await ready.wait()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await (await send(producer, next(events(1, seed=-1))))  # the hub is there once this one has come through
        await asyncio.wait_for(came.wait(), timeout=60)
        begun = time.monotonic()
        for number, value in enumerate(values):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            intended[str(orjson.loads(value)["id"])] = due  # the intended time, however late we are ourselves
            await send(producer, value)
    await asyncio.wait_for(reading, timeout=60)
    return found[int(rate) :]  # the first second warms up


@contextmanager
def hub() -> Iterator[None]:
    """Run both stages in one process, as `expathub up` does; they are warm when it is given."""
    with subprocess.Popen(
        [sys.executable, "-m", "expathub", "up"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)


# --- the whole


def report_cost(rounds: Sequence[Mapping[str, Pair]]) -> bool:
    """Print the table of CPU figures; return whether every stage keeps the bound."""
    sys.stdout.write("\nCPU per event, microseconds: median (lowest-highest) of the rounds\n")
    sys.stdout.write(f"{'stage':<10}{'engine':>20}{'hand-written':>20}{'ratio':>22}\n")
    kept = True
    for stage in STAGES:
        pairs = [found[stage] for found in rounds]
        ratios = [pair.ratio for pair in pairs]
        kept = kept and statistics.median(ratios) <= RATIO_MAX
        engine, loop = _spread([pair.engine for pair in pairs], 1), _spread([pair.loop for pair in pairs], 1)
        sys.stdout.write(f"{stage:<10}{engine:>20}{loop:>20}{_spread(ratios, 2):>22}\n")
    sys.stdout.write(f"bound on the median ratio: {RATIO_MAX}: {'kept' if kept else 'BROKEN'}\n")
    return kept


def _spread(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def report_latency(found: Sequence[float], rate: float) -> None:
    """Print the percentiles of publish to inbox."""
    cuts = statistics.quantiles(found, n=100)
    sys.stdout.write(
        f"\nPublish to inbox at {rate:g} events/s, {len(found)} events, milliseconds: "
        f"p50 {cuts[49]:.1f}, p90 {cuts[89]:.1f}, p99 {cuts[98]:.1f}, max {max(found):.1f}\n"
    )


def run_all(rounds: int, count: int, rate: float, seconds: float) -> int:
    """Run everything on a broker of its own; return the exit code."""
    with tempfile.TemporaryDirectory() as folder, local_broker.temporary(Path(folder), fast=False) as cluster:
        os.environ |= {"EXPATHUB_BOOTSTRAP": cluster.bootstrap, "EXPATHUB_DATA": folder, "EXPATHUB_LOG_LEVEL": "error"}
        subprocess.run([sys.executable, "-m", "expathub", "provision", "apply"], check=True, stdout=subprocess.DEVNULL)
        asyncio.run(make_floor_topics(cluster.bootstrap))
        sys.stdout.write(
            f"{rounds} rounds of {count} events; Python {sys.version.split()[0]}, {os.cpu_count()} cores\n"
        )
        figures = []
        for number in range(1, rounds + 1):
            figures.append(one_round(cluster.bootstrap, count, number))
            each = ", ".join(f"{stage} {pair.engine:.1f}/{pair.loop:.1f}" for stage, pair in figures[-1].items())
            sys.stdout.write(f"round {number}: {each}\n")
            sys.stdout.flush()
        kept = report_cost(figures)
        with hub():
            report_latency(asyncio.run(latencies(cluster.bootstrap, rate, seconds)), rate)
    return 0 if kept else 1


def main() -> int:
    """Run the bench, or one measurement of it."""
    if len(sys.argv) > 1 and sys.argv[1] in {"engine", "loop"}:
        way, stage, expected, *more = sys.argv[1:]
        if way == "engine":
            spent = asyncio.run(measure_engine(stage, int(expected)))
        else:
            ranges = {int(at): span for at, span in json.loads(more[0]).items()}
            spent = asyncio.run(measure_loop(stage, int(expected), ranges))
        sys.stdout.write(f"{spent}\n")
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000, help="events a round")
    parser.add_argument("--rate", type=float, default=200.0, help="events a second, for publish to inbox")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to publish at that rate")
    asked = parser.parse_args()
    return run_all(asked.rounds, asked.events, asked.rate, asked.seconds)


if __name__ == "__main__":
    sys.exit(main())
