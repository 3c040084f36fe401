"""One way to talk to a hub, for both there are: the one in memory, and real services on a real Kafka.

A test that is written against `Hub` runs on either, and what it sees through `Observation` must be the same on both:
so a partner's developer can trust the quick one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from aiokafka import AIOKafkaProducer

from expathub.core.configuration import Configuration
from expathub.core.records import ForeignHeaders, InputRecord, Position
from expathub.core.references import ReferenceKeys
from expathub.core.replay import KeptBack, Replayed
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, outbox
from expathub.kafka import replaying
from expathub.kafka.reading import Reader
from expathub.testing.history import Accepted, Refused, Row, parse
from expathub.testing.in_memory import STRUCTURED, MemoryHub
from expathub.testing.performing import POLL_SECONDS, Progress, until

SETTLE_SECONDS = 120.0
"""How long a record may take to be decided on and dispatched; long, because a machine may have other things to do."""

REQUEST_BYTES_MAX = 2**20


class Hub(Protocol):
    """A hub to which partners publish, and whose topics anybody may read."""

    async def publish(
        self, partner: str, value: bytes | None, headers: ForeignHeaders = STRUCTURED, key: bytes | None = None
    ) -> Position:
        """Put a record into an outbox, and return when all that follows from it is there."""
        ...

    async def records(self) -> Sequence[InputRecord]:
        """Return what all topics hold, each partition's records in order."""
        ...

    async def replay(self, subject: str) -> Sequence[Replayed | KeptBack]:
        """Return what partners would get for the whole journal of a dossier, with permission as of now."""
        ...


class InMemory:
    """The hub in memory."""

    def __init__(self, configuration: Configuration, keys: ReferenceKeys, now_ms: int) -> None:
        self._hub = MemoryHub(configuration, keys, now_ms)

    async def publish(
        self, partner: str, value: bytes | None, headers: ForeignHeaders = STRUCTURED, key: bytes | None = None
    ) -> Position:
        """Put a record into an outbox; both stages have worked when this returns."""
        return self._hub.publish(partner, value, headers, key)

    async def records(self) -> Sequence[InputRecord]:
        """Return what all topics hold."""
        return self._hub.everything()

    async def replay(self, subject: str) -> Sequence[Replayed | KeptBack]:
        """Play the dossier's journal again."""
        return self._hub.replay(subject)


class OnKafka:
    """A hub whose services run somewhere, on a Kafka that nobody else uses."""

    def __init__(
        self,
        reader: Reader,
        producer: AIOKafkaProducer,
        bootstrap: str,
        configuration: Configuration,
        keys: ReferenceKeys,
    ) -> None:
        self._reader = reader
        self._producer = producer
        self._bootstrap = bootstrap
        self._configuration = configuration
        self._keys = keys
        self._progress = Progress()
        self._records: list[InputRecord] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, bootstrap: str, configuration: Configuration, keys: ReferenceKeys) -> AsyncIterator[OnKafka]:
        """Open all topics of the hub; raises `KafkaUnreachableError`."""
        async with (
            Reader.of(bootstrap, *_topics(configuration.partners.by_id)) as reader,
            AIOKafkaProducer(
                bootstrap_servers=bootstrap, enable_idempotence=True, max_request_size=REQUEST_BYTES_MAX
            ) as producer,
        ):
            await reader.from_beginning()
            hub = cls(reader, producer, bootstrap, configuration, keys)
            watching = asyncio.create_task(hub._watch())
            try:
                yield hub
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    async def publish(
        self, partner: str, value: bytes | None, headers: ForeignHeaders = STRUCTURED, key: bytes | None = None
    ) -> Position:
        """Put a record into an outbox and wait for what follows; raises `TimeoutError`."""
        stored = await self._producer.send_and_wait(outbox(partner), value, key, partition=0, headers=list(headers))
        position = Position(stored.topic, stored.partition, stored.offset)
        self._progress.expect(position)
        async with asyncio.timeout(SETTLE_SECONDS):
            await until(lambda: self._progress.is_settled)
        return position

    async def records(self) -> Sequence[InputRecord]:
        """Return what all topics hold by now; what a transaction wrote comes topic by topic, so ask for the ends."""
        ends = await self._reader.ends()
        async with asyncio.timeout(SETTLE_SECONDS):
            while await self._reader.behind(ends):  # noqa: ASYNC110 (another task reads)
                await asyncio.sleep(POLL_SECONDS)
        return tuple(self._records)

    async def replay(self, subject: str) -> Sequence[Replayed | KeptBack]:
        """Play the dossier's journal again."""
        now_ms = int(time.time() * 1000)
        request = replaying.Request(0, now_ms, now_ms, subject)
        played = replaying.replay(self._bootstrap, self._configuration, self._keys, request)
        return [one async for one in played]

    async def _watch(self) -> None:
        async for batch in self._reader.batches():
            for record in batch:
                self._records.append(record)
                part = parse(record)
                if isinstance(part, Accepted | Refused | Row):
                    self._progress.read(part)


def _topics(partners: Iterable[str]) -> list[str]:
    names = list(partners)
    return [JOURNAL, REFUSALS, DISCLOSURES, PARKED, *map(inbox, names), *map(outbox, names)]
