"""How the demonstration is shown: live in a terminal, as plain lines without one, or not at all (`--json`).

Each show has the same three moments: notes while things start, the board while it is played, the outcome.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from expathub.demo.board import Board, Line
from expathub.demo.run import Outcome
from expathub.demo.summary import summary
from expathub.demo.view import QUIET, View, plain

FRAMES_PER_SECOND = 8


class Show(Protocol):
    """What a demonstration is shown on."""

    def note(self, text: str) -> None:
        """Say what is being started."""

    def begin(self, board: Board) -> None:
        """Show this board from now on."""

    def end(self, outcome: Outcome) -> None:
        """Show how it went."""

    def draw(self) -> None:
        """Bring what is shown up to date."""

    def add(self, more: RenderableType) -> None:
        """Show something more below."""

    def say(self, line: str) -> None:
        """Print a line as it is: a person may copy it."""

    def close(self) -> None:
        """Leave the terminal as it was, however the demonstration ended."""


class LiveShow:
    """A picture that changes in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._since = time.monotonic()
        self._view: View | None = None
        self._live: Live | None = None

    def note(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        self._console.print(Text.assemble((f"{time.monotonic() - self._since:4.1f} s  ", QUIET), text))

    def begin(self, board: Board) -> None:
        """Start the picture."""
        self._view = View(board, len(board.script.publications))
        self._since = time.monotonic()
        self._live = Live(self._view, console=self._console, auto_refresh=False)
        self._live.start()

    def draw(self) -> None:
        """Draw the next frame."""
        if self._view and self._live:
            self._view.seconds = time.monotonic() - self._since
            self._live.refresh()

    def end(self, outcome: Outcome) -> None:
        """Leave the last frame, and print what is left to read below it."""
        self.draw()
        self.close()
        self._console.print(summary(outcome))

    def add(self, more: RenderableType) -> None:
        """Print it below."""
        self._console.print(more)

    def say(self, line: str) -> None:
        """Print a line as it is."""
        _say(self._console, line)

    def close(self) -> None:
        """Leave the last frame."""
        if self._live:
            self._live.stop()
            self._live = None


class PlainShow:
    """One line for each publication as soon as its fate is known; for pipes and log files."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._since = time.monotonic()
        self._board: Board | None = None
        self._open: list[Line] = []
        self._seen = 0

    def note(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        self._print(text)

    def begin(self, board: Board) -> None:
        """Follow this board."""
        self._board = board

    def draw(self) -> None:
        """Print what has become complete since the last time."""
        if self._board is None:
            return
        self._open += self._board.lines[self._seen :]
        self._seen = len(self._board.lines)
        for line in [line for line in self._open if line.is_complete]:
            self._print(plain(line))
        self._open = [line for line in self._open if not line.is_complete]

    def end(self, outcome: Outcome) -> None:
        """Print what is left to read."""
        self.draw()
        self._console.print(summary(outcome))

    def add(self, more: RenderableType) -> None:
        """Print it below."""
        self._console.print(more)

    def say(self, line: str) -> None:
        """Print a line as it is."""
        _say(self._console, line)

    def close(self) -> None:
        """Nothing to leave."""

    def _print(self, text: str) -> None:
        _say(self._console, f"{time.monotonic() - self._since:5.1f} s  {text}")


class QuietShow:
    """Nothing but notes while things start and what is wrong at the end, on standard error."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        """Print a line."""
        _say(self._console, text)

    def begin(self, board: Board) -> None:
        """Nothing to show."""

    def draw(self) -> None:
        """Nothing to show."""

    def end(self, outcome: Outcome) -> None:
        """Print the findings, if there are any."""
        for finding in outcome.verdict.findings:
            self.note(str(finding))

    def add(self, more: RenderableType) -> None:
        """Nothing to show."""

    def say(self, line: str) -> None:
        """Print a line as it is."""
        _say(self._console, line)

    def close(self) -> None:
        """Nothing to leave."""


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)


@asynccontextmanager
async def drawing(show: Show) -> AsyncIterator[None]:
    """Keep a show up to date while the context lasts."""

    async def redraw() -> None:
        while True:
            show.draw()
            await asyncio.sleep(1 / FRAMES_PER_SECOND)

    frames = asyncio.create_task(redraw())
    try:
        yield
    finally:
        frames.cancel()
        show.close()
