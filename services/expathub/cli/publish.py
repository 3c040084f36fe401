"""`expathub publish`: send lines as a partner, and say what became of each."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard

import orjson
import typer

from expathub.cli import lines
from expathub.cli.output import print_json, print_line, tell
from expathub.core.reasons import Reason
from expathub.errors import SomethingFoundError

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer
    from aiokafka.structs import RecordMetadata

    from expathub.core.records import Position
    from expathub.kafka.outcomes import Verdicts

CONTENT_TYPE = ("content-type", b"application/cloudevents+json")
IN_FLIGHT_MAX = 500
_STOP_SECONDS = 2.0
_PROGRESS_SECONDS = 1.0
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(slots=True)
class Sending:
    """A line on its way to Kafka; `stored_at` is set (monotonic seconds) when Kafka has it."""

    number: int
    id: str | None
    stored: asyncio.Future[RecordMetadata]
    stored_at: float = 0.0

    def __post_init__(self) -> None:
        """Note the moment when Kafka answers: from then on the wait for an outcome counts."""
        self.stored.add_done_callback(self._note)

    def _note(self, _: asyncio.Future[RecordMetadata]) -> None:
        self.stored_at = time.monotonic()


@dataclass(slots=True)
class Tally:
    """What the exit code and the last words are made of."""

    lines: int = 0
    refused: int = 0
    unknown: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one line by what became of it."""
        self.lines += 1
        self.refused += row.get("outcome") == "refused"
        self.unknown += "outcome" in row and row["outcome"] is None


def publish(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="CloudEvents, one JSON a line; - reads standard input.")
    ],
    partner: Annotated[str, typer.Option("--as", metavar="PARTNER", help="The partner that publishes.")],
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait", metavar="SECONDS", min=0.001, help="Wait so long, per line, for what the hub makes of it."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON a line, also on a terminal.")] = False,
) -> None:
    """Publish events as a partner: CloudEvents, one JSON a line.

    Each line is sent byte for byte, good or bad, and its position is printed. With --wait also its outcome: accepted,
    refused or duplicate, with the reason code (null: not known in time). Exit 1 if a line was refused or its outcome
    stayed unknown. A line on its way when a connection breaks may be stored twice: the hub passes one of the two on.
    """
    from expathub.cli.partner import known_partner
    from expathub.kafka import waiting
    from expathub.settings import load_settings

    settings = load_settings()
    waiting.silence_client()
    known_partner(settings, partner)
    show = print_json if as_json or not sys.stdout.isatty() else _print_for_people
    with lines.opened(file) as source:
        tally = asyncio.run(_Publication(settings.bootstrap, partner, wait, show).run(source))
    if tally.unknown:
        raise SomethingFoundError(
            f"{tally.unknown} of {tally.lines} lines have no outcome after {wait:g} s.", "Is `expathub intake` running?"
        )
    if tally.refused:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Publication:
    bootstrap: str
    partner: str
    wait_seconds: float | None
    show: Callable[[Mapping[str, Any]], None]

    async def run(self, source: lines.Chunked) -> Tally:
        """Send every line and show what became of each, in their order."""
        from expathub.core import topic_names
        from expathub.kafka import reading, waiting
        from expathub.kafka.outcomes import Verdicts

        outbox = topic_names.outbox(self.partner)
        await reading.partitions_of(self.bootstrap, outbox)
        tally, progress = Tally(), _Progress()
        async with AsyncExitStack() as stack:
            verdicts = (
                await stack.enter_async_context(Verdicts.of(self.bootstrap, outbox)) if self.wait_seconds else None
            )
            producer = await stack.enter_async_context(_producer(self.bootstrap))
            ahead = lines.ahead(_send(source, producer, outbox), IN_FLIGHT_MAX)
            sendings = await stack.enter_async_context(aclosing(ahead))
            with waiting.giving_up(self.bootstrap):
                async for sending in sendings:
                    row = await self._conclude(sending, verdicts)
                    tally.add(row)
                    self.show(row)
                    progress.show(tally.lines)
        return tally

    async def _conclude(self, sending: Sending, verdicts: Verdicts | None) -> Mapping[str, Any]:
        """Say in a row what became of a line."""
        position = await self._position(sending)
        row = {"line": sending.number, "id": sending.id, "position": position and str(position)}
        if position is None:
            return {**row, "outcome": "refused", "code": Reason.TOO_LARGE.value}
        if verdicts is None or self.wait_seconds is None:
            return row
        left = sending.stored_at + self.wait_seconds - time.monotonic()
        verdict = await verdicts.on(position, max(left, 0))
        return {**row, "outcome": verdict and verdict.outcome.value, "code": verdict and verdict.code}

    async def _position(self, sending: Sending) -> Position | None:
        """Wait until Kafka has the line; None if it is larger than Kafka takes."""
        from aiokafka.errors import MessageSizeTooLargeError

        from expathub.core.records import Position
        from expathub.kafka import waiting

        try:
            stored = await asyncio.wait_for(asyncio.shield(sending.stored), waiting.PATIENCE_SECONDS)
        except MessageSizeTooLargeError:
            tell(f"Line {sending.number} is larger than Kafka takes: it was not stored.")
            return None
        except TimeoutError:
            tell(f"{sending.number - 1} lines are stored for certain; of those after it nothing is known.")
            raise waiting.unreachable(self.bootstrap, waiting.PATIENCE_SECONDS) from None
        return Position(stored.topic, stored.partition, stored.offset)


async def _send(source: lines.Chunked, producer: AIOKafkaProducer, outbox: str) -> AsyncIterator[Sending]:
    from aiokafka.errors import MessageSizeTooLargeError

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
    from aiokafka import AIOKafkaProducer

    from expathub.kafka import waiting

    # Not idempotent: with sequence numbers, one line that Kafka refuses for its size would bring down all that follow
    # (the client counts on over the gap). What a repeated send doubles, the hub drops.
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=False,
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


def _print_for_people(row: Mapping[str, Any]) -> None:
    outcome = row["outcome"] or "no outcome yet" if "outcome" in row else "stored"
    code = f" ({row['code']})" if row.get("code") else ""
    print_line(f"line {row['line']}: {outcome}{code}  {row['position'] or '-'}  {row['id'] or '(no id)'}")


@dataclass(slots=True)
class _Progress:
    """Tells how far a long file is, where somebody looks on and the rows themselves go elsewhere."""

    shown_at: float = field(default_factory=time.monotonic)
    wanted: bool = field(default_factory=lambda: sys.stderr.isatty() and not sys.stdout.isatty())

    def show(self, count: int) -> None:
        now = time.monotonic()
        if self.wanted and now - self.shown_at >= _PROGRESS_SECONDS:
            self.shown_at = now
            tell(f"{count:,} lines")
