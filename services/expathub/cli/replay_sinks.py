"""Where a replay goes: nowhere, into a file, or to a topic; all of it or, when interrupted, nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from expathub.core.replay import Replayed
from expathub.errors import MisconfiguredError, UsageError

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

TRANSACTION_MS = 900_000
"""All of a replay is one transaction; Apache Kafka allows no longer one by default."""

IN_FLIGHT_MAX = 500
"""How many records are on their way at once."""


class Sink(Protocol):
    """What takes replayed events."""

    async def put(self, one: Replayed) -> None:
        """Take one event."""
        ...


@asynccontextmanager
async def open_sink(bootstrap: str, file: Path | None, topic: str | None, as_of: str) -> AsyncIterator[Sink]:
    """Open what the command names; with neither a file nor a topic, nothing is written."""
    if file is not None:
        from expathub.cli.whole_file import whole_file

        with whole_file(file) as out:
            yield _File(out)
    elif topic is not None:
        async with _transaction(bootstrap, topic) as producer:
            sink = _Topic(producer, topic, as_of)
            yield sink
            await sink.settle()
    else:
        yield _Nowhere()


class _Nowhere:
    async def put(self, one: Replayed) -> None:
        """Write nothing."""


class _File:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    async def put(self, one: Replayed) -> None:
        """Write the event exactly as the inbox would hold it."""
        self._out.write((one.output.value or b"") + b"\n")


class _Topic:
    def __init__(self, producer: AIOKafkaProducer, topic: str, as_of: str) -> None:
        self._producer = producer
        self._topic = topic
        self._mark = as_of
        self._sent: list[asyncio.Future[object]] = []

    async def put(self, one: Replayed) -> None:
        """Send the event with the inbox's key and headers, marked as a replay for this partner."""
        mark = f"{one.partner} {self._mark}".encode()
        headers = [*one.output.headers, ("hub-replay", mark)]
        self._sent.append(await self._producer.send(self._topic, one.output.value, key=one.output.key, headers=headers))
        if len(self._sent) >= IN_FLIGHT_MAX:
            await self.settle()

    async def settle(self) -> None:
        """Wait for every record: the client would commit a transaction one of whose records was refused."""
        sent, self._sent = self._sent, []
        await asyncio.gather(*sent)


@asynccontextmanager
async def _transaction(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaProducer]:
    """Open one transaction for all of a replay; a topic that is not there is said, and never made."""
    from aiokafka import AIOKafkaProducer

    from expathub.kafka.reading import partitions_of

    try:
        await partitions_of(bootstrap, topic)
    except MisconfiguredError:
        raise UsageError(f"There is no topic {topic}.", "Make it first; a replay makes none.") from None
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=f"hub.replay.{os.getpid()}",
        transaction_timeout_ms=TRANSACTION_MS,
    )
    await producer.start()
    try:
        async with producer.transaction():
            yield producer
    finally:
        await producer.stop()
