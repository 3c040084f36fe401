"""How lag, history and durations are said to people: the same words in every command and in the demonstration.

Draws only; reads nothing. A state is always a word: colour only repeats it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from expathub.core.lag import GroupLag, LagState
from expathub.core.trail import Outcome, OutcomeKind, Received, Refused

COLOURS = {
    LagState.OK: "green",
    LagState.BEHIND: "yellow",
    LagState.NO_COMMIT: "dim",
    LagState.LOST: "red",
    LagState.UNKNOWN: "magenta",
}

NAMED_MAX = 3
"""How many partitions a note names."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def span(seconds: float) -> str:
    """Return a duration as people say it, in its largest unit and the next: `12 s`, `3 min 5 s`, `2 d 4 h`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def lag_table(lags: Sequence[GroupLag]) -> Table:
    """Lay groups out as a table."""
    table = Table("group", "state", box=None, pad_edge=False)
    for name in ("unread", "oldest", "lost", "members"):
        table.add_column(name, justify="right")
    table.add_column("note")
    for lag in lags:
        state, *rest = lag_cells(lag)
        table.add_row(lag.group, f"[{COLOURS[lag.state]}]{state}[/]", *rest)
    return table


def lag_line(lag: GroupLag) -> str:
    """Say one group on a line."""
    cells = zip(("state", "unread", "oldest", "lost", "members", "note"), lag_cells(lag), strict=True)
    return f"{lag.group}: " + ", ".join(f"{name} {text}" for name, text in cells if text)


def lag_cells(lag: GroupLag) -> tuple[str, str, str, str, str, str]:
    """Return state, unread, oldest, lost, members and note as text; empty where there is nothing to say."""
    unread = "–" if lag.records is None else f"{'≤' if lag.at_most else ''}{lag.records}"
    return (
        lag.state.value.replace("-", " "),
        unread,
        "–" if lag.seconds is None else span(lag.seconds),
        str(lag.lost) if lag.lost else "",
        "–" if lag.members is None else str(lag.members),
        _note(lag),
    )


def _note(lag: GroupLag) -> str:
    """Say which partitions make the state, where not all of them do."""
    odd = [one for one in lag.partitions if one.state is lag.state]
    if lag.state in (LagState.OK, LagState.NO_COMMIT) or len(odd) == len(lag.partitions) > 1:
        return ""
    named = [f"{one.reading.topic}/{one.reading.partition}" for one in odd]
    more = f" and {len(named) - NAMED_MAX} more" if len(named) > NAMED_MAX else ""
    return ", ".join(named[:NAMED_MAX]) + more


def history_lines(entry: Received | Refused) -> Iterator[str]:
    """Say what came in, and below it what became of it; partners that were told the same stand together."""
    if isinstance(entry, Refused):
        where = f" at {entry.pointer}" if entry.pointer else ""
        yield f"{entry.received_at}  refused   from {entry.sender}: {entry.code}{where}  ({entry.origin})"
        return
    yield f"{entry.received_at}  received  {entry.type} from {entry.sender}  ({entry.position})"
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in entry.outcomes:
        alike.setdefault((one.at, *_said(one)), []).append(_who(one))
    for (at, verb, rest), partners in alike.items():
        yield f"  {at}  {verb:9} {', '.join(partners)}: {rest}"


def _who(one: Outcome) -> str:
    nobody = one.waits if one.kind is OutcomeKind.HELD else None
    return one.partner or nobody or "nobody"


def _said(one: Outcome) -> tuple[str, str]:
    """Return what was done, and the rest of the sentence."""
    waited = f" (waited as {one.waits})" if one.waits and one.kind is not OutcomeKind.HELD else ""
    if one.kind is OutcomeKind.TOLD:
        return "told", f"{', '.join(one.fields) or 'no field'}; ground: {one.ground}{waited}"
    return one.kind.value, f"{one.reason}{waited}"
