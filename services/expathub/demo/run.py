"""The demonstration from the first record to the verdict: who publishes, who reads, who watches, and in what order.

Brings the parts together: the simulator's script, a player, the partners' own programs, a bystander that reads all
topics, the board. What is started before and tidied up after is `expathub.demo.hub`'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker

from expathub.core.records import InputRecord, Position
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, outbox
from expathub.demo import partner
from expathub.demo.board import Board
from expathub.demo.hub import Hub
from expathub.demo.partner import Handle, Notification
from expathub.kafka.reading import Reader
from expathub.testing.history import Accepted, History, Refused
from expathub.testing.judgement import judge
from expathub.testing.playing import Player
from expathub.testing.script import Publication, Script
from expathub.testing.verdict import Verdict

SETTLE_SECONDS = 60.0
"""How long after the last publication the hub may take to bring everything to rest."""

ARRIVAL_SECONDS = 5.0
READ_BACK_SECONDS = 60.0
POLL_SECONDS = 0.05
CALM_PER_SECOND, BRISK_PER_SECOND = 10.0, 200.0
PLAY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went; `seconds` from the first publication to rest."""

    board: Board
    verdict: Verdict
    seconds: float


def pace(events: int) -> float:
    """Return how many events a second to publish: a play of about `PLAY_SECONDS`, calm at least, brisk at most."""
    return min(BRISK_PER_SECOND, max(CALM_PER_SECOND, events / PLAY_SECONDS))


async def play(hub: Hub, script: Script, on_start: Callable[[Board], None]) -> Outcome:
    """Play a script on a running hub and judge what became of it; `on_start` is given the board to look at."""
    names = [name for name in hub.configuration.partners.by_id if not name.startswith("hub-")]
    board = Board(script, names)
    topics = [JOURNAL, REFUSALS, DISCLOSURES, PARKED, *map(inbox, names), *map(outbox, names)]
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(Reader.of(hub.bootstrap, *topics))
        await reader.from_end()
        producer = await stack.enter_async_context(_producer(hub.bootstrap))
        await stack.enter_async_context(_programs(hub.bootstrap, names, board))
        await hub.ready()
        on_start(board)
        return await _perform(script, board, reader, producer)


async def _perform(script: Script, board: Board, reader: Reader, producer: AIOKafkaProducer) -> Outcome:
    records: list[InputRecord] = []
    player = Player(_sender(producer), lambda publication: board.sending(publication, time.monotonic()), board.sent)
    per_second = pace(len(script.publications))
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_watch(reader, board, player, records))
        with suppress(TimeoutError):  # what is missing then is the judge's to say
            async with asyncio.timeout(len(script.publications) / per_second + SETTLE_SECONDS):
                await player.play(script, per_second)
                await _until(lambda: board.is_settled)
        seconds = time.monotonic() - began
        with suppress(TimeoutError):
            async with asyncio.timeout(ARRIVAL_SECONDS):
                await _until(lambda: board.has_arrived)
        watching.cancel()
    async for record in reader.until(await reader.ends(), READ_BACK_SECONDS):
        _note(record, board, player, records)
    return Outcome(board, judge(History.of(records), player.sent, script), seconds)


async def _watch(reader: Reader, board: Board, player: Player, records: list[InputRecord]) -> None:
    """Read all topics as they grow; tell the player what is decided, and the board everything."""
    async for batch in reader.batches():
        for record in batch:
            _note(record, board, player, records)


def _note(record: InputRecord, board: Board, player: Player, records: list[InputRecord]) -> None:
    records.append(record)
    part = board.read(record)
    if isinstance(part, Accepted | Refused):
        player.note_decided(part.origin)


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - many things change it, ten times a second is soon enough
        await asyncio.sleep(POLL_SECONDS)


def _sender(producer: AIOKafkaProducer) -> Callable[[Publication], Awaitable[Position]]:
    async def send(publication: Publication) -> Position:
        stored = await producer.send_and_wait(
            publication.topic,
            publication.value,
            publication.key,
            partition=0,
            headers=list(publication.headers),
        )
        return Position(stored.topic, stored.partition, stored.offset)

    return send


@asynccontextmanager
async def _producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """Open a producer for all outboxes: idempotent, so that a retry of the client is no second record."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, max_request_size=2**20)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def _programs(bootstrap: str, names: Iterable[str], board: Board) -> AsyncIterator[None]:
    """Run each partner's own program on its inbox."""
    logging.getLogger(partner.__name__).setLevel(logging.ERROR)  # it warns, per inbox, that it will make no topic
    programs: list[KafkaBroker] = []
    for name in names:
        program = partner.connect(bootstrap)
        partner.listen(program, name, _handler(name, board))
        programs.append(program)
    try:
        await asyncio.gather(*(program.start() for program in programs))
        yield
    finally:
        await asyncio.gather(*(program.stop() for program in programs))


def _handler(name: str, board: Board) -> Handle:
    async def handle(notification: Notification) -> None:
        board.arrived(name, (notification.source, notification.id), time.monotonic())

    return handle
