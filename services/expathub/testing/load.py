"""Newcomers' lives without end: a hub under a steady load, act after act, until told to stop.

An act is a script of its own (`expathub.testing.journeys`), with its own dossiers, some of which never rest; all
partners publish. Acts overlap where the hub is slow, so the load goes on whatever happens. What was sent and what
should have become of it is kept for a judge, and a log of every attempt.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from expathub.core.configuration import Configuration
from expathub.core.partners import HUB_OPERATOR
from expathub.core.records import InputRecord
from expathub.kafka.reading import Reader
from expathub.testing import operations
from expathub.testing.history import Accepted, Refused, parse
from expathub.testing.journeys import Hot, write
from expathub.testing.observing import topics_of
from expathub.testing.operations import Operation, OperationLog
from expathub.testing.performing import Progress, until
from expathub.testing.playing import Player
from expathub.testing.script import Script
from expathub.testing.sending import Sender
from expathub.testing.verdict import Sent

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
    abort_every: int = 50
    """One event in so many is first sent in a transaction that is aborted."""
    hot: Hot = field(default_factory=lambda: Hot(dossiers=1, share=0.3))


class Load:
    """A steady load on one hub."""

    def __init__(self, configuration: Configuration, plan: Plan, reader: Reader, sender: Sender, log: Path) -> None:
        self._configuration = configuration
        self._plan = plan
        self._reader = reader
        self._sender = sender
        self._log = log
        self._players: list[Player] = []
        self._stopping = asyncio.Event()
        self.acts: list[Script] = []
        self.sent = 0
        self.dossiers: set[str] = set()
        self.publishers = dict.fromkeys(sorted(configuration.partners.by_id.keys() - {HUB_OPERATOR}), 0)
        """How much each partner has sent."""
        self.progress = Progress()

    @classmethod
    @asynccontextmanager
    async def on(cls, bootstrap: str, configuration: Configuration, plan: Plan, log: Path) -> AsyncIterator[Load]:
        """Open the topics of a hub that nobody else uses, and a log of operations; raises `KafkaUnreachableError`."""
        async with (
            Reader.of(bootstrap, *topics_of(configuration.partners.by_id)) as reader,
            _logged(bootstrap, log, plan.abort_every) as sender,
        ):
            await reader.from_end()
            yield cls(configuration, plan, reader, sender, log)

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

    @property
    def operations(self) -> list[Operation]:
        """Every attempt to send, from the log."""
        return operations.read(self._log)

    async def _begin_acts(self, acts: asyncio.TaskGroup) -> None:
        act_seconds = self._plan.act_events / self._plan.per_second
        while not self._stopping.is_set():
            written = await asyncio.to_thread(self._write, len(self.acts))
            script = renumbered(written, len(self.acts) * self._plan.act_events)
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
        player = Player(self._sender.send, on_sent=self._note_sent)
        self._players.append(player)
        try:
            await player.play(script, self._plan.per_second)
        finally:
            self._players.remove(player)

    def _note_sent(self, sent: Sent) -> None:
        self.sent += 1
        self.dossiers.add(sent.publication.subject)
        self.publishers[sent.publication.partner] += 1
        self.progress.sent(sent)

    async def _watch(self) -> None:
        async for batch in self._reader.batches():
            for record in batch:
                self._note(record)

    def _note(self, record: InputRecord) -> None:
        part = parse(record)
        if part is None:
            return
        self.progress.read(part)
        if isinstance(part, Accepted | Refused):
            for player in self._players:
                player.note_decided(part.origin)


@asynccontextmanager
async def _logged(bootstrap: str, log: Path, abort_every: int) -> AsyncIterator[Sender]:
    with OperationLog(log, durable=False) as written:  # a busy disk must not hold up the play
        async with Sender.of(bootstrap, written, abort_every) as sender:
            yield sender


def merged(acts: Iterable[Script]) -> Script:
    """Join acts to one script for a judge; their dossiers and events are each other's not."""
    plays = list(acts)
    return Script(
        publications=tuple(publication for play in plays for publication in play.publications),
        queues={key: events for play in plays for key, events in play.queues.items()},
        secrets=frozenset().union(*(play.secrets for play in plays)),
        outsiders=frozenset().union(*(play.outsiders for play in plays)),
    )


def renumbered(play: Script, first: int) -> Script:
    """Give publications the numbers that they have when `first` others stand before them."""
    moved = (
        replace(one, number=one.number + first, after=None if one.after is None else one.after + first)
        for one in play.publications
    )
    return replace(play, publications=tuple(moved))
