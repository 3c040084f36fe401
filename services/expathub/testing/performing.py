"""Perform a script on a real hub: publish it, watch all topics meanwhile, and return what they hold in the end.

Needs Kafka with the hub's topics, and the two stages running somewhere. Starts and stops nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from expathub.core.records import InputRecord, Position
from expathub.kafka.reading import Reader
from expathub.testing.history import Accepted, History, Part, Refused, Row, parse
from expathub.testing.observing import topics_of
from expathub.testing.operations import OperationLog
from expathub.testing.playing import Player
from expathub.testing.script import Publication, Script
from expathub.testing.sending import Sender
from expathub.testing.verdict import Sent

SETTLE_SECONDS = 60.0
"""How long after the last publication the hub may take to bring everything to rest."""

READ_BACK_SECONDS = 60.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Watch:
    """Who wants to know what happens while it does; each is called in the event loop and must be quick."""

    on_sending: Callable[[Publication], None] = lambda _: None
    on_sent: Callable[[Sent], None] = lambda _: None
    on_part: Callable[[Part], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Performance:
    """What was sent, what all topics hold of the time since the beginning, and how long it took to come to rest."""

    sent: Sequence[Sent]
    history: History
    seconds: float


class Progress:
    """Follows which of the records that were sent are decided on, and which of the accepted ones dispatched.

    What others send at the same time is none of its business: on a busy cluster there is always something on its way.
    """

    def __init__(self) -> None:
        self._sent: set[Position] = set()
        self._outcomes: dict[Position, Position | None] = {}  # origin → place in the journal, None where refused
        self._handled: set[Position] = set()
        self._on_the_way: set[Position] = set()  # origins
        self._last: Position | None = None

    def sent(self, sent: Sent) -> None:
        """Note a record that waits for a decision."""
        self.expect(sent.position)

    def expect(self, position: Position) -> None:
        """Note where a record lies that waits for a decision."""
        self._sent.add(position)
        self._last = position
        self._follow(position)

    def read(self, part: Part) -> None:
        """Note what a record of any topic says."""
        match part:
            case Accepted():
                self._outcomes[part.origin] = part.position
                self._follow(part.origin)
            case Refused():
                self._outcomes[part.origin] = None
                self._follow(part.origin)
            case Row():
                self._handled.add(part.journal)

    def _follow(self, origin: Position) -> None:
        if origin in self._sent:
            self._on_the_way.add(origin)

    @property
    def is_settled(self) -> bool:
        """Whether nothing that was sent is on its way any more."""
        self._on_the_way = {origin for origin in self._on_the_way if not self._has_arrived(origin)}
        return not self._on_the_way

    def done(self, stage: str) -> int:
        """Count what a stage has done: records decided on by intake, accepted events handled by dispatch."""
        return len(self._outcomes) if stage == "intake" else len(self._handled)

    def on_the_way(self) -> frozenset[Position]:
        """Return the origins of what was sent and has not arrived yet."""
        return frozenset() if self.is_settled else frozenset(self._on_the_way)

    @property
    def is_last_settled(self) -> bool:
        """Whether the record that was sent last is not on its way any more; False before anything was sent."""
        return self._last is not None and self._has_arrived(self._last)

    def _has_arrived(self, origin: Position) -> bool:
        if origin not in self._outcomes:
            return False
        place = self._outcomes[origin]
        return place is None or place in self._handled


class LiveHub:
    """A hub's topics, opened for one performance."""

    def __init__(self, reader: Reader, sender: Sender) -> None:
        self._reader = reader
        self._sender = sender
        self._records: list[InputRecord] = []

    @classmethod
    @asynccontextmanager
    async def of(
        cls, bootstrap: str, partners: Iterable[str], log: OperationLog | None = None, abort_every: int = 0
    ) -> AsyncIterator[LiveHub]:
        """Open the topics of these partners from here on; raises `KafkaUnreachableError`. See `Sender` for the rest."""
        async with (
            Reader.of(bootstrap, *topics_of(partners)) as reader,
            Sender.of(bootstrap, log, abort_every) as sender,
        ):
            await reader.from_end()
            yield cls(reader, sender)

    async def perform(
        self, script: Script, per_second: float, watch: Watch | None = None, settle_seconds: float = SETTLE_SECONDS
    ) -> Performance:
        """Publish the whole script, wait until it has come to rest (or too long), and read back what there is.

        Judging is not done here. What is missing after the time is the judge's to find.
        """
        watch, progress = watch or Watch(), Progress()
        player = Player(self._sender.send, watch.on_sending, _both(progress.sent, watch.on_sent))

        def note(record: InputRecord) -> None:
            self._records.append(record)
            part = parse(record)
            if part is None:
                return
            progress.read(part)
            if isinstance(part, Accepted | Refused):
                player.note_decided(part.origin)
            watch.on_part(part)

        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch(note))
            with suppress(TimeoutError):
                async with asyncio.timeout(len(script.publications) / per_second + settle_seconds):
                    await player.play(script, per_second)
                    await until(lambda: progress.is_settled)
            seconds = time.monotonic() - began
            watching.cancel()
        async for record in self._reader.until(await self._reader.ends(), READ_BACK_SECONDS):
            note(record)
        return Performance(player.sent, History.of(self._records), seconds)

    async def _watch(self, note: Callable[[InputRecord], None]) -> None:
        async for batch in self._reader.batches():
            for record in batch:
                note(record)


def _both(first: Callable[[Sent], None], second: Callable[[Sent], None]) -> Callable[[Sent], None]:
    def call(sent: Sent) -> None:
        first(sent)
        second(sent)

    return call


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; looked at often enough for people."""
    while not holds():  # noqa: ASYNC110 - many things change it
        await asyncio.sleep(POLL_SECONDS)
