"""The commands that an operator's choice comes to, and exactly what they will touch.

Pure. One command per dossier and partner, with the positions chosen, so that nothing is touched that was not shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from expathub.core.catalogue import Command
from expathub.core.commands import Order
from expathub.core.trail import Outcome

POSITIONS_MAX = 1_000
"""How many positions one command may name, by its schema."""

TYPES = {
    Command.RELEASE: "nl.expathub.vrijgegeven.v1",
    Command.DISCARD: "nl.expathub.weggelegd.v1",
}
"""The event types of the commands about what waits (design §5)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What an operator chose; None chooses all."""

    subject: str | None = None
    partner: str | None = None
    code: str | None = None

    def takes(self, row: Outcome) -> bool:
        """Tell whether a row that is held is chosen."""
        return (
            self.subject in (None, row.subject)
            and self.partner in (None, row.partner)
            and self.code in (None, row.reason)
        )


@dataclass(frozen=True, slots=True)
class Instruction:
    """One command about one dossier, and the rows that it covers."""

    subject: str
    partner: str | None
    positions: tuple[str, ...]
    touched: tuple[Outcome, ...]

    def event(self, command: Command, id: str, source: str, at: str, by: str, why: str) -> dict[str, Any]:
        """Write the command as the event that `hub-operator` publishes."""
        return {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": TYPES[command],
            "subject": self.subject,
            "time": at,
            "datacontenttype": "application/json",
            "data": {"partner": self.partner, "positions": list(self.positions), "by": by, "why": why},
        }


def instructions(held: Iterable[Outcome], choice: Choice) -> Iterator[Instruction]:
    """Turn a choice among what is held into commands, dossier by dossier, in the order of the journal."""
    by_dossier: dict[str, list[Outcome]] = defaultdict(list)
    for row in sorted(held, key=lambda row: row.journal):
        by_dossier[row.subject].append(row)
    for subject, rows in by_dossier.items():
        chosen: dict[str | None, dict[str, None]] = defaultdict(dict)
        for row in filter(choice.takes, rows):
            chosen[row.partner][str(row.journal)] = None
        for partner, named in chosen.items():
            positions = tuple(named)
            for first in range(0, len(positions), POSITIONS_MAX):
                some = positions[first : first + POSITIONS_MAX]
                order = Order(partner, frozenset(some))
                touched = tuple(row for row in rows if order.covers(str(row.journal), row.partner))
                yield Instruction(subject, partner, some, touched)
