"""How the board looks in a terminal of 80 columns or more: what happens, the partners, the hub. Decides nothing.

No colour carries a meaning that words do not carry too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from expathub.demo.board import Board, Line, Tally
from expathub.testing.script import NOBODY

TOLD, WITHHELD, HELD, REFUSED, QUIET = "green", "yellow", "cyan", "red", "bright_black"
PARTNER_COLUMNS = 3
ROWS_BESIDE_EVENTS = 17
"""Lines that everything but the list of events takes: header, rules, partners, hub."""
EVENT_ROWS_MIN, EVENT_ROWS_MAX = 4, 16


class View:
    """A board as rich draws it; `seconds` is how long the play lasts so far, `planned` how much will be published."""

    def __init__(self, board: Board, planned: int) -> None:
        self.board = board
        self.planned = planned
        self.seconds = 0.0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what fits the window."""
        room = (options.height or console.height) - ROWS_BESIDE_EVENTS
        rows = max(EVENT_ROWS_MIN, min(EVENT_ROWS_MAX, room))
        yield self.header()
        yield Rule("what happens", style=QUIET, align="left")
        yield events(self.board.lines, rows)
        yield Rule("partners", style=QUIET, align="left")
        yield partners(self.board)
        yield Rule("hub", style=QUIET, align="left")
        yield hub(self.board)

    def header(self) -> RenderableType:
        """Draw the title, the time and how far the play is."""
        row = Table.grid(expand=True, padding=(0, 1))
        row.add_column(no_wrap=True)
        row.add_column(ratio=1)
        row.add_column(justify="right", no_wrap=True)
        done = len(self.board.lines)
        row.add_row(
            Text("expathub demo", style="bold"),
            ProgressBar(total=max(self.planned, 1), completed=done, complete_style=TOLD, finished_style=TOLD),
            Text(f"{done}/{self.planned} events  {self.seconds:4.0f} s", style=QUIET),
        )
        return row


def events(lines: Sequence[Line], rows: int) -> RenderableType:
    """Draw the newest publications, the newest last, with what became of each."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(width=14, no_wrap=True, overflow="ellipsis", style="bold")
    table.add_column(ratio=4, no_wrap=True, overflow="ellipsis")
    table.add_column(ratio=5, no_wrap=True, overflow="ellipsis")
    shown = lines[-rows:]
    for line in shown:
        table.add_row(line.publication.partner, line.publication.deed, outcome(line))
    for _ in range(rows - len(shown)):
        table.add_row("", "", "")
    return table


def outcome(line: Line) -> Text:
    """Say what became of a publication, so far, in a few words."""
    if not line.outcome:
        return Text("…", style=QUIET)
    if line.outcome == "duplicate":
        return Text("sent before, told once", style=QUIET)
    if line.outcome == "refused":
        return Text.assemble((f"refused: {line.code}", REFUSED))
    if not line.is_handled:
        return Text("accepted …", style=QUIET)
    return Text("; ").join(consequences(line))


def consequences(line: Line, *, told: bool = True) -> Iterable[Text]:
    """Say who was told (unless not asked for), who waits, and who was not told and why."""
    if line.told and told:
        names = "everyone" if len(line.told) > PUBLIC_FROM else ", ".join(sorted(line.told))
        yield Text(f"→ {names}", style=TOLD)
    for waiter, code in sorted(line.held.items()):
        yield Text(f"{waiter} waits: {code}", style=HELD)
    for partner, reason in sorted(line.withheld):
        yield Text(f"{partner} not told: {reason}" if partner != NOBODY else f"nobody told: {reason}", style=WITHHELD)


PUBLIC_FROM = 12
"""Told to more partners than this, an event was for everyone."""


def partners(board: Board) -> RenderableType:
    """Draw how much each partner has sent and been told."""
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in range(PARTNER_COLUMNS):
        table.add_column(ratio=1, no_wrap=True)
    cells = [_partner(name, tally) for name, tally in board.tallies.items()]
    rows = -(-len(cells) // PARTNER_COLUMNS)
    for row in range(rows):
        table.add_row(*cells[row::rows])  # alphabetical, down the columns
    return table


def _partner(name: str, tally: Tally) -> RenderableType:
    cell = Table.grid(expand=True, padding=0)
    cell.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    cell.add_column(justify="right", no_wrap=True)
    cell.add_row(name, Text.assemble((f"{tally.sent:3}↑", QUIET), (f"{tally.told:4}↓", TOLD if tally.told else QUIET)))
    return cell


def hub(board: Board) -> RenderableType:
    """Draw the figures of the hub."""
    counts, lag = board.counts, board.lag
    p50, p99 = board.latency_ms(50), board.latency_ms(99)
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in range(4):
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for row in (
        (
            _figure("accepted", counts["accepted"]),
            _figure("refused", counts["refused"], REFUSED),
            _figure("duplicates", counts["duplicate"]),
            _figure("intake behind", lag["intake"]),
        ),
        (
            _figure("told", counts["told"], TOLD),
            _figure("withheld", counts["withheld"], WITHHELD),
            _figure("waiting", board.held, HELD),
            _figure("dispatch behind", lag["dispatch"]),
        ),
    ):
        table.add_row(*row)
    speed = "–" if p50 is None or p99 is None else f"half within {p50:.0f} ms, 99 of 100 within {p99:.0f} ms"
    return Group(table, Text.assemble(("published → in the inbox: ", QUIET), speed))


def _figure(name: str, count: int, style: str = "") -> Text:
    return Text.assemble((f"{name} ", QUIET), (str(count), style if count else QUIET))


def plain(line: Line) -> str:
    """Write a publication and what became of it as one line, for where there is no terminal."""
    return f"{line.publication.partner}: {line.publication.deed}: {outcome(line).plain}"
