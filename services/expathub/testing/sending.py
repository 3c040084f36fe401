"""Putting publications into outboxes as a careful partner does: idempotent, logged, and again until it is known.

With a log every attempt is an operation (see `operations`), and one whose outcome is unknown is followed by another
with the same event: that is what the ids are for. Some publications are first sent in a transaction that is aborted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from expathub.core.records import Position
from expathub.testing.operations import End, OperationLog
from expathub.testing.script import Publication

REQUEST_BYTES_MAX = 2**20
AGAIN_SECONDS = 0.5
_GOODBYE_SECONDS = 2.0


class Sender:
    """Sends publications; every `abort_every`th (0: none) is first sent in a transaction that is aborted."""

    def __init__(self, bootstrap: str, log: OperationLog | None, abort_every: int) -> None:
        self._bootstrap = bootstrap
        self._log = log
        self._abort_every = abort_every
        self._producers: list[AIOKafkaProducer] = []
        self._aborting = asyncio.Lock()
        self._renewing = asyncio.Lock()
        self._name = f"expathub-testing.{uuid4()}"
        self._numbers = count()

    @classmethod
    @asynccontextmanager
    async def of(cls, bootstrap: str, log: OperationLog | None = None, abort_every: int = 0) -> AsyncIterator[Sender]:
        """Open a sender; raises the client's error when Kafka does not answer."""
        if abort_every and log is None:
            raise ValueError("what is taken back must be logged")
        sender = cls(bootstrap, log, abort_every)
        try:
            await sender._start()
            yield sender
        finally:
            for producer in sender._producers:
                with suppress(TimeoutError, KafkaError):
                    async with asyncio.timeout(_GOODBYE_SECONDS):
                        await producer.stop()

    async def send(self, publication: Publication) -> Position:
        """Send until Kafka has it for good; returns its offset. Without a log the client's first error is raised."""
        if self._log is None:
            return await self._attempt(self._producers[-1], publication)
        if self._abort_every and publication.number % self._abort_every == 0:
            await self._take_back(self._log, publication)
        while True:
            producer, number = self._producers[-1], self._log.invoke(publication)
            try:
                position = await self._attempt(producer, publication)
            except KafkaError:
                self._log.ended(number, End.UNKNOWN)
                await self._renew(producer)
            else:
                self._log.ended(number, End.OK, position)
                return position

    async def _attempt(self, producer: AIOKafkaProducer, publication: Publication) -> Position:
        stored = await producer.send_and_wait(
            publication.topic, publication.value, publication.key, partition=0, headers=list(publication.headers)
        )
        return Position(stored.topic, stored.partition, stored.offset)

    async def _take_back(self, log: OperationLog, publication: Publication) -> None:
        """Send in a transaction and abort it; a name of its own for each, as their order is nobody's business."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            transactional_id=f"{self._name}.{next(self._numbers)}",
            max_request_size=REQUEST_BYTES_MAX,
        )
        number = log.invoke(publication)
        try:
            async with self._aborting:
                await producer.start()
                await producer.begin_transaction()
                position = await self._attempt(producer, publication)
                await producer.abort_transaction()
            log.ended(number, End.FAILED, position)
        except KafkaError:  # never committed, whatever else
            log.ended(number, End.FAILED)
        finally:
            with suppress(KafkaError):
                await producer.stop()

    async def _renew(self, broken: AIOKafkaProducer) -> None:
        """Go on with a new producer: after some errors the old one's sequence numbers have a gap for good."""
        async with self._renewing:
            while broken is self._producers[-1]:
                await asyncio.sleep(AGAIN_SECONDS)
                with suppress(KafkaError):
                    await self._start()

    async def _start(self) -> None:
        # Idempotent, so that a retry of the client is no second record.
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, enable_idempotence=True, max_request_size=REQUEST_BYTES_MAX
        )
        try:
            await producer.start()
        except KafkaError:
            await producer.stop()
            raise
        self._producers.append(producer)
