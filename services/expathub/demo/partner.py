"""A partner's own program, small: it reads the partner's inbox with FastStream. Copy this file and make it yours.

What it shows, because each of these is easy to get wrong:

* the inbox holds CloudEvents 1.0 as JSON (structured mode). FastStream decodes JSON only under the content type
  `application/json`, so `decode` reads `application/cloudevents+json` itself;
* the hub writes in transactions: `read_committed` keeps out of sight what it has taken back;
* the hub never tells an event twice, but a consumer that stops between its work and its commit reads it again.
  So remember `source` and `id` *with* the work (one database transaction), and skip what you know;
* a failure of your own (the database is away) must not lose the event: `NACK_ON_ERROR` reads it again, in order;
* your consumer groups begin with your partner id: the hub's rights are given by that prefix.

Take what you need out of `data` and leave the rest: within a major version fields may be added.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import orjson
from faststream import AckPolicy, BaseMiddleware, StreamMessage
from faststream.kafka import KafkaBroker, KafkaMessage
from pydantic import AwareDatetime, BaseModel, ConfigDict
from typing_extensions import override

RECEIPT = "nl.expathub.gebeurtenis-geweigerd.v1"
"""The type of the receipt for an event of yours that the hub refused."""

REMEMBERED_MAX = 100_000
RETRY_SECONDS = 1.0


class Notification(BaseModel):
    """A CloudEvent as the hub tells it: `subject` is *your* reference of the dossier, `data` what you may know."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str | None = None
    time: AwareDatetime | None = None
    data: dict[str, Any] = {}

    def __repr__(self) -> str:
        """Show what it is about, never what it says: it may hold personal data, and logs are read by many."""
        return f"Notification({self.type}, {self.id})"


class Refusal(BaseModel):
    """The `data` of a receipt: where your event was, which rule it broke, and at which field."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    position: str
    code: str
    pointer: str
    source: str | None = None
    id: str | None = None


Handle = Callable[[Notification], Awaitable[None]]


async def decode(message: KafkaMessage) -> Any:
    """Read the record's value as JSON, whatever its content type is called."""
    return orjson.loads(message.body)


class Remembered:
    """The events that were handled, the newest `REMEMBERED_MAX`. Keep yours in the database, beside the work."""

    def __init__(self) -> None:
        self._events: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __contains__(self, event: tuple[str, str]) -> bool:
        """Say whether the event was handled."""
        return event in self._events

    def add(self, event: tuple[str, str]) -> None:
        """Remember an event, and forget the oldest if there are too many."""
        self._events[event] = None
        if len(self._events) > REMEMBERED_MAX:
            self._events.popitem(last=False)


class Pause(BaseMiddleware):
    """Wait a moment before a failed event is read again: FastStream would do so at once, and for ever."""

    @override
    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]) -> Any:
        """Run the rest of the way, and pause if it fails."""
        try:
            return await call_next(msg)
        except Exception:
            await asyncio.sleep(RETRY_SECONDS)
            raise


def listen(broker: KafkaBroker, partner: str, handle: Handle, program: str = "demo") -> None:
    """Let `handle` have each event of the partner's inbox once, in order per dossier; `broker.start()` begins.

    `program` names what reads: two programs of one partner each get every event, two processes of one share them.
    """
    remembered = Remembered()

    @broker.subscriber(
        f"inbox.{partner}",
        group_id=f"{partner}.{program}",
        auto_offset_reset="earliest",  # a new program reads what is still there
        isolation_level="read_committed",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        decoder=decode,
    )
    async def read(notification: Notification) -> None:
        event = (notification.source, notification.id)
        if event not in remembered:
            await handle(notification)
            remembered.add(event)


def connect(bootstrap: str) -> KafkaBroker:
    """Make the connection that one or more `listen` share."""
    return KafkaBroker(
        bootstrap,
        client_id="partner",
        consumer_only=True,
        middlewares=[Pause],
        allow_auto_create_topics=False,  # a typing error must not make a topic
        log_level=logging.DEBUG,  # two lines for every record are for finding faults
        logger=logging.getLogger(__name__),
    )
