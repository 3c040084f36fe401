"""Play a script: every partner sends in its own order, and every dossier in the script's.

Partners act on what they know. So a record that follows another partner's in the same dossier is sent only when the
hub has decided on that one; whoever reads the topics says so with `note_decided`. Dossiers do not wait for each
other. The player knows no Kafka: it is given a function that sends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from expathub.core.records import Position
from expathub.testing.script import Publication, Script
from expathub.testing.verdict import Sent

Send = Callable[[Publication], Awaitable[Position]]
"""Sends a publication to its outbox, and returns its offset once Kafka has it for good."""


class Player:
    """Plays one script, once. `on_sending` is called just before each record leaves, `on_sent` when it has arrived."""

    def __init__(
        self,
        send: Send,
        on_sending: Callable[[Publication], None] = lambda _: None,
        on_sent: Callable[[Sent], None] = lambda _: None,
    ) -> None:
        self.sent: list[Sent] = []
        self._send = send
        self._on_sending = on_sending
        self._on_sent = on_sent
        self._decisions: dict[int, asyncio.Event] = {}
        self._numbers: dict[Position, int] = {}
        self._decided: set[Position] = set()

    def note_decided(self, origin: Position) -> None:
        """Take notice that the record at this outbox offset was accepted or refused."""
        self._decided.add(origin)
        number = self._numbers.get(origin)
        if number is not None:
            self._decision_on(number).set()

    async def play(self, script: Script, per_second: float) -> Sequence[Sent]:
        """Send everything, the `n`th publication not before `n / per_second` seconds; return what was sent, as sent."""
        first = min((publication.number for publication in script.publications), default=0)
        started = time.monotonic() - first / per_second
        async with asyncio.TaskGroup() as journeys:
            for journey in _journeys(script):
                journeys.create_task(self._journey(journey, started, per_second))
        return self.sent

    async def _journey(self, journey: Iterable[Publication], started: float, per_second: float) -> None:
        for publication in journey:
            await asyncio.sleep(started + publication.number / per_second - time.monotonic())
            if publication.after is not None:
                await self._decision_on(publication.after).wait()
            self._on_sending(publication)
            self._note_sent(Sent(publication, await self._send(publication)))

    def _note_sent(self, sent: Sent) -> None:
        self.sent.append(sent)
        self._numbers[sent.position] = sent.publication.number
        if sent.position in self._decided:  # the hub may be quicker than Kafka's answer to the sender
            self._decision_on(sent.publication.number).set()
        self._on_sent(sent)

    def _decision_on(self, number: int) -> asyncio.Event:
        return self._decisions.setdefault(number, asyncio.Event())


def _journeys(script: Script) -> Iterable[Sequence[Publication]]:
    by_subject: dict[str, list[Publication]] = {}
    for publication in script.publications:
        by_subject.setdefault(publication.subject, []).append(publication)
    return by_subject.values()
