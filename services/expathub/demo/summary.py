"""What is left to read when the play is over: each partner's figures, one newcomer's story, the verdict. Draws only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from expathub.demo.board import Board, Line
from expathub.demo.run import Outcome
from expathub.demo.view import QUIET, REFUSED, TOLD, consequences
from expathub.testing.case import FIXED
from expathub.testing.history import Received
from expathub.testing.verdict import Kind, Verdict

FINDINGS_SHOWN_MAX = 20


def summary(outcome: Outcome) -> RenderableType:
    """Draw everything that is left to read."""
    return Group(
        Rule("who was told how much", style=QUIET, align="left"),
        per_partner(outcome.board),
        Rule("the story of one newcomer", style=QUIET, align="left"),
        story(outcome.board),
        Rule("the verdict", style=QUIET, align="left"),
        verdict(outcome),
    )


def per_partner(board: Board) -> RenderableType:
    """Draw a row for each partner."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("partner", no_wrap=True)
    for title in ("published", "refused", "receipts", "told", "not told"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, tally in board.tallies.items():
        figures = (tally.sent, tally.refused, tally.receipts, tally.told, tally.withheld)
        table.add_row(name, *(Text(str(figure), style="" if figure else QUIET) for figure in figures))
    return table


def story(board: Board) -> RenderableType:
    """Tell what was published about the newcomer of whom most partners were told, and who was told what of it."""
    lines = most_telling(board)
    if not lines:
        return Text("Nobody's dossier was told to anybody.", style=QUIET)
    return Group(*(part for line in lines for part in _chapter(board, line)))


def most_telling(board: Board) -> Sequence[Line]:
    """Choose the dossier that shows most: many partners, and also something withheld or held for a while."""
    dossiers: dict[str, list[Line]] = {}
    for line in board.lines:
        if line.outcome == "accepted":
            dossiers.setdefault(line.publication.subject, []).append(line)
    return max((lines for lines in dossiers.values() if len(lines) > 1), key=_colour, default=())


def _colour(lines: Iterable[Line]) -> tuple[int, int]:
    told = {partner for line in lines for partner in line.told}
    reasons = {reason for line in lines for _, reason in line.withheld}
    waited = any(line.publication.fate.waited for line in lines)
    return len(told) + len(reasons) + waited, sum(len(line.told) for line in lines)


def _chapter(board: Board, line: Line) -> Iterator[RenderableType]:
    yield Text.assemble((line.publication.partner, "bold"), f" {line.publication.deed}")
    received = {one.partner: one for one in board.received.get(line.publication.event, ())}
    for partner in sorted(line.told):
        if partner in received:
            yield Padding(_reading(partner, received[partner]), (0, 0, 0, 2))
    for rest in consequences(line, told=False):
        yield Padding(rest, (0, 0, 0, 2))


def _reading(partner: str, one: Received) -> Text:
    """Say in which version a partner reads an event, and with which fields."""
    fields = sorted({_field(pointer) for pointer in one.pointers - FIXED})
    return Text.assemble(
        (f"→ {partner}", TOLD), (f" reads {one.type.rpartition('.')[2]}: ", QUIET), ", ".join(fields) or "no field"
    )


def _field(pointer: str) -> str:
    return ".".join(step for step in pointer.removeprefix("/data").removeprefix("/").split("/") if not step.isdigit())


def verdict(outcome: Outcome) -> RenderableType:
    """Say whether all is well, or what is not."""
    found = outcome.verdict
    figures = Text(
        f"{outcome.board.counts['published']} published in {outcome.seconds:.0f} s: {found.accepted} accepted, "
        f"{found.refused} refused, {found.duplicates} duplicates. {found.disclosures} disclosures made, "
        f"{outcome.board.counts['withheld']} withheld, {found.parked} waiting."
    )
    if found.is_clean:
        good = "All topics read back: nothing lost, doubled, torn, reordered or over-disclosed."
        return Group(figures, Text(good, style=f"bold {TOLD}"))
    return Group(figures, *_findings(found))


def _findings(found: Verdict) -> Iterator[Text]:
    kinds = ", ".join(f"{kind.value} {count}" for kind in Kind if (count := found.count(kind)))
    yield Text(f"Something is wrong: {kinds}.", style=f"bold {REFUSED}")
    for finding in found.findings[:FINDINGS_SHOWN_MAX]:
        yield Text(f"  {finding}")
    if len(found.findings) > FINDINGS_SHOWN_MAX:
        yield Text(f"  … and {len(found.findings) - FINDINGS_SHOWN_MAX} more", style=QUIET)
    yield Text("`expathub demo --keep` leaves topics and logs for a closer look.", style=QUIET)
