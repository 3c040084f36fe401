"""Sending lines to an outbox and learning what became of each, in their order; what is printed is the command's."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata

from expathub.cli import lines
from expathub.cli.output import tell
from expathub.core import topic_names
from expathub.core.reasons import Reason
from expathub.core.records import Position
from expathub.kafka import reading, waiting
from expathub.kafka.outcomes import Verdicts

CONTENT_TYPE = ("content-type", b"application/cloudevents+json")
IN_FLIGHT_MAX = 2_000
_BATCH_BYTES = 128 * 1024
_STOP_SECONDS = 2.0
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(slots=True)
class Sending:
    """A line on its way to Kafka; `stored_at` is set (monotonic seconds) when Kafka has answered."""

    number: int
    id: str | None
    stored: asyncio.Future[RecordMetadata]
    stored_at: float = 0.0

    def __post_init__(self) -> None:
        """Note the moment when Kafka answers: from then on the wait for an outcome counts."""
        self.stored.add_done_callback(self._note)

    def _note(self, _: asyncio.Future[RecordMetadata]) -> None:
        self.stored_at = time.monotonic()


@dataclass(frozen=True, slots=True)
class Publication:
    """What a partner publishes in one go. `before_waiting` is called whenever the next row is not there yet."""

    bootstrap: str
    partner: str
    wait_seconds: float | None
    before_waiting: Callable[[], None]

    async def rows(self, source: lines.Chunked) -> AsyncIterator[Mapping[str, Any]]:
        """Send every line and yield what became of each, in their order.

        A row has `line`, `id`, `position`, and with a wait or where Kafka itself refuses a line `outcome` and `code`.
        Raises `KafkaUnreachableError`, and `MisconfiguredError` where there is no such outbox.
        """
        outbox = topic_names.outbox(self.partner)
        await reading.partitions_of(self.bootstrap, outbox)
        async with AsyncExitStack() as stack:
            watching = Verdicts.of(self.bootstrap, outbox)
            verdicts = await stack.enter_async_context(watching) if self.wait_seconds else None
            producer = await stack.enter_async_context(_producer(self.bootstrap))
            ahead = lines.ahead(_send(source, producer, outbox), IN_FLIGHT_MAX, self.before_waiting)
            sendings = await stack.enter_async_context(aclosing(ahead))
            with waiting.giving_up(self.bootstrap):
                async for sending in sendings:
                    yield await self._conclude(sending, verdicts)

    async def _conclude(self, sending: Sending, verdicts: Verdicts | None) -> Mapping[str, Any]:
        position = await self._position(sending)
        row = {"line": sending.number, "id": sending.id, "position": position and str(position)}
        if position is None:
            return {**row, "outcome": "refused", "code": Reason.TOO_LARGE.value}
        if verdicts is None or self.wait_seconds is None:
            return row
        left = sending.stored_at + self.wait_seconds - time.monotonic()
        self.before_waiting()
        verdict = await verdicts.on(position, max(left, 0))
        return {**row, "outcome": verdict and verdict.outcome.value, "code": verdict and verdict.code}

    async def _position(self, sending: Sending) -> Position | None:
        """Wait until Kafka has the line; None if it is larger than Kafka takes."""
        try:
            stored = await self._stored(sending)
        except MessageSizeTooLargeError:
            tell(f"Line {sending.number} is larger than Kafka takes: it was not stored.")
            return None
        except TimeoutError:
            tell(f"{sending.number - 1} lines were answered for; of those after it nothing is known.")
            raise waiting.unreachable(self.bootstrap, waiting.PATIENCE_SECONDS) from None
        return Position(stored.topic, stored.partition, stored.offset)

    async def _stored(self, sending: Sending) -> RecordMetadata:
        if not sending.stored.done():
            self.before_waiting()
            await asyncio.wait_for(asyncio.shield(sending.stored), waiting.PATIENCE_SECONDS)
        return sending.stored.result()


async def _send(source: lines.Chunked, producer: AIOKafkaProducer, outbox: str) -> AsyncIterator[Sending]:
    number = 0
    async for batch in lines.arriving(source):
        for line in batch:
            number += 1
            key, event_id = peek(line)
            try:
                stored = await producer.send(outbox, line, key=key, headers=[CONTENT_TYPE])
            except MessageSizeTooLargeError as error:
                stored = asyncio.get_running_loop().create_future()
                stored.set_exception(error)
            yield Sending(number, event_id, stored)


@asynccontextmanager
async def _producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    # Not idempotent: with sequence numbers, one line that Kafka refuses for its size would bring down all that follow
    # (the client counts on over the gap). What a repeated send doubles, the hub drops.
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=False,
        max_batch_size=_BATCH_BYTES,
        max_request_size=2 * lines.LINE_BYTES_MAX,
        request_timeout_ms=int(waiting.PATIENCE_SECONDS * 1000),
    )
    with waiting.giving_up(bootstrap):
        await producer.start()
    try:
        yield producer
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(producer.stop(), _STOP_SECONDS)


def peek(line: bytes) -> tuple[bytes | None, str | None]:
    """Read key and id of an event if they can be read: the key is its subject where that is a UUID."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(event, dict):
        return None, None
    subject, event_id = event.get("subject"), event.get("id")
    return (subject.encode() if _is_uuid(subject) else None), (event_id if isinstance(event_id, str) else None)


def _is_uuid(subject: object) -> TypeGuard[str]:
    return isinstance(subject, str) and _UUID.fullmatch(subject) is not None
