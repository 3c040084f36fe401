"""Newcomers' lives without end: a hub under a steady load, act after act, until told to stop.

An act is a script of its own (`expathub.testing.journeys`), with its own dossiers, some of which never rest; all
partners publish. Acts overlap where the hub is slow, so the load goes on whatever happens. What was sent and what
should have become of it is kept for a judge; of what is read meanwhile only what the play needs, and a checksum.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer, TopicPartition

from expathub.core.configuration import Configuration
from expathub.core.partners import HUB_OPERATOR
from expathub.core.records import InputRecord, Position
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, outbox
from expathub.kafka.reading import Reader
from expathub.testing.history import Accepted, History, Part, Refused, parse
from expathub.testing.journeys import Hot, write
from expathub.testing.performing import Progress, until
from expathub.testing.playing import Player
from expathub.testing.script import Publication, Script
from expathub.testing.verdict import Sent

REQUEST_BYTES_MAX = 2**20
READ_BACK_SECONDS = 900.0
_ACTS_AT_ONCE = 4
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much load, and of which kind.

    An act of 800 events has some 110 dossiers, 1 % of them hot: 30 % of all events are about that one.
    """

    seed: int
    per_second: float = 40.0
    act_events: int = 800
    hot: Hot = field(default_factory=lambda: Hot(dossiers=1, share=0.3))


def topics_of(partners: Iterable[str]) -> list[str]:
    """List all topics whose records have to add up."""
    names = list(partners)
    return [JOURNAL, REFUSALS, DISCLOSURES, PARKED, *map(inbox, names), *map(outbox, names)]


class Checksums:
    """A running checksum per partition: two readers of the same records have the same."""

    def __init__(self) -> None:
        self.by_partition: dict[TopicPartition, int] = {}

    def add(self, record: InputRecord) -> None:
        """Take a record in; each partition's must come in order."""
        at = TopicPartition(record.position.topic, record.position.partition)
        text = repr((record.position.offset, record.key, record.value, record.headers)).encode()
        self.by_partition[at] = zlib.crc32(text, self.by_partition.get(at, 0))

    def differing(self, other: Checksums) -> list[str]:
        """List the partitions of which the two have read different records."""
        everywhere = self.by_partition.keys() | other.by_partition.keys()
        return sorted(
            f"{at.topic}/{at.partition}" for at in everywhere if self.by_partition.get(at) != other.by_partition.get(at)
        )


class Load:
    """A steady load on one hub."""

    def __init__(self, configuration: Configuration, plan: Plan, reader: Reader, producer: AIOKafkaProducer) -> None:
        self._configuration = configuration
        self._plan = plan
        self._reader = reader
        self._producer = producer
        self._players: list[Player] = []
        self._stopping = asyncio.Event()
        self.acts: list[Script] = []
        self.sent: list[Sent] = []
        self.seen = Checksums()
        self.progress = Progress()
        self.records_read = 0

    @classmethod
    @asynccontextmanager
    async def on(cls, bootstrap: str, configuration: Configuration, plan: Plan) -> AsyncIterator[Load]:
        """Open the topics of a hub that nobody else uses; raises `KafkaUnreachableError`."""
        # Idempotent, so that a retry of the client is no second record.
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, max_request_size=REQUEST_BYTES_MAX
        )
        async with Reader.of(bootstrap, *topics_of(configuration.partners.by_id)) as reader:
            await reader.from_beginning()
            await producer.start()
            try:
                yield cls(configuration, plan, reader, producer)
            finally:
                await producer.stop()

    def stop(self) -> None:
        """Begin no further act; `run` returns when those under way have been sent."""
        self._stopping.set()

    async def run(self) -> None:
        """Play acts until `stop`."""
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as acts:
                acts.create_task(self._fail_with(watching))
                await self._begin_acts(acts)
                await self._all_players_done()
                watching.cancel()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def catch_up(self, within_seconds: float) -> float | None:
        """Wait until all that is on its way now has arrived; returns how long that took, None where it did not."""
        began = time.monotonic()
        waiting_for = self.progress.on_the_way()
        try:
            async with asyncio.timeout(within_seconds):
                await until(lambda: not (waiting_for & self.progress.on_the_way()))
        except TimeoutError:
            return None
        return time.monotonic() - began

    async def read_to_the_end(self) -> None:
        """Read on to where all topics end now; after `run`. Raises `TimeoutError`."""
        async for record in self._reader.until(await self._reader.ends(), READ_BACK_SECONDS):
            self._note(record)

    @property
    def publishers(self) -> Mapping[str, int]:
        """How much each partner has sent."""
        counts = dict.fromkeys(sorted(self._configuration.partners.by_id.keys() - {HUB_OPERATOR}), 0)
        for one in self.sent:
            counts[one.publication.partner] += 1
        return counts

    @property
    def dossiers(self) -> int:
        """Of how many subjects something was sent."""
        return len({one.publication.subject for one in self.sent})

    async def _begin_acts(self, acts: asyncio.TaskGroup) -> None:
        act_seconds = self._plan.act_events / self._plan.per_second
        while not self._stopping.is_set():
            script = await asyncio.to_thread(self._write, len(self.acts))
            self.acts.append(script)
            acts.create_task(self._play(script))
            await self._sleep(act_seconds)
            while len(self._players) >= _ACTS_AT_ONCE and not self._stopping.is_set():
                await self._sleep(_POLL_SECONDS)

    async def _sleep(self, seconds: float) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({stopping}, timeout=seconds)
        stopping.cancel()

    async def _all_players_done(self) -> None:
        await until(lambda: not self._players)

    async def _fail_with(self, watching: asyncio.Task[None]) -> None:
        await asyncio.wait({watching})
        if not watching.cancelled():
            watching.result()

    def _write(self, number: int) -> Script:
        return write(
            self._configuration,
            events=self._plan.act_events,
            seed=self._plan.seed + number,
            now=datetime.now(UTC),
            run=f"act {number}",
            hot=self._plan.hot,
        )

    async def _play(self, script: Script) -> None:
        player = Player(self._send, on_sent=self._note_sent)
        self._players.append(player)
        try:
            await player.play(script, self._plan.per_second)
        finally:
            self._players.remove(player)

    def _note_sent(self, sent: Sent) -> None:
        self.sent.append(sent)
        self.progress.sent(sent)

    async def _send(self, publication: Publication) -> Position:
        stored = await self._producer.send_and_wait(
            publication.topic, publication.value, publication.key, partition=0, headers=list(publication.headers)
        )
        return Position(stored.topic, stored.partition, stored.offset)

    async def _watch(self) -> None:
        async for batch in self._reader.batches():
            for record in batch:
                self._note(record)

    def _note(self, record: InputRecord) -> None:
        self.records_read += 1
        self.seen.add(record)
        part = parse(record)
        if part is None:
            return
        self.progress.read(part)
        if isinstance(part, Accepted | Refused):
            for player in self._players:
                player.note_decided(part.origin)


def merged(acts: Iterable[Script]) -> Script:
    """Join acts to one script for a judge; their dossiers and events are each other's not."""
    plays = list(acts)
    return Script(
        publications=tuple(publication for play in plays for publication in play.publications),
        queues={key: events for play in plays for key, events in play.queues.items()},
        secrets=frozenset().union(*(play.secrets for play in plays)),
        outsiders=frozenset().union(*(play.outsiders for play in plays)),
    )


async def read_back(
    bootstrap: str, partners: Iterable[str], note: Callable[[int], None] = lambda _: None
) -> tuple[History, Checksums]:
    """Read every topic from the beginning with a reader of its own; raises `TimeoutError`."""
    parts: list[Part] = []
    checksums = Checksums()
    async with Reader.of(bootstrap, *topics_of(partners)) as reader:
        await reader.from_beginning()
        async for record in reader.until(await reader.ends(), READ_BACK_SECONDS):
            checksums.add(record)
            part = parse(record)
            if part is not None:
                parts.append(part)
                note(len(parts))
    return History.of_parts(parts), checksums
