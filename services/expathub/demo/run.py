"""The demonstration from the first record to the verdict: who publishes, who reads, who watches, and in what order.

Brings the parts together: the simulator's script, a player, the partners' own programs, a bystander that reads all
topics, the board. What is started before and tidied up after is `expathub.demo.hub`'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from faststream.kafka import KafkaBroker

from expathub.demo import partner
from expathub.demo.board import Board
from expathub.demo.hub import Hub
from expathub.demo.partner import Handle, Notification
from expathub.testing.judgement import judge
from expathub.testing.performing import LiveHub, Watch, until
from expathub.testing.script import Script
from expathub.testing.verdict import Verdict

ARRIVAL_SECONDS = 5.0
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
    """Play a script on a hub and judge what became of it; `on_start` is given the board to look at."""
    names = [name for name in hub.configuration.partners.by_id if not name.startswith("hub-")]
    board = Board(script, names)
    watch = Watch(lambda publication: board.sending(publication, time.monotonic()), board.sent, board.read)
    async with LiveHub.of(hub.bootstrap, names) as live, _programs(hub.bootstrap, names, board):
        await hub.ready()
        _stop_if_asked()
        on_start(board)
        performance = await live.perform(script, pace(len(script.publications)), watch)
        with suppress(TimeoutError):  # the inboxes are judged, not who reads them
            async with asyncio.timeout(ARRIVAL_SECONDS):
                await until(lambda: board.has_arrived)
    return Outcome(board, judge(performance.history, performance.sent, script), performance.seconds)


def _stop_if_asked() -> None:
    """Stop where Ctrl-C came while clients were starting: one of them may have swallowed it."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


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
