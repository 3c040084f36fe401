"""What the hub did with each event, put together from its own records: the answer to an auditor's first questions.

Pure. Reads records of the journal, the refusals, the disclosures and the parked rows (their form is in the design,
§5) and joins them by journal position. Says nothing about content: an event's data stays in `Received.canonical`,
which only a caller with a stated reason shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import orjson

from expathub.core.accounting import Row, still_waiting
from expathub.core.records import InputRecord, Position


class OutcomeKind(Enum):
    """What became of an event for one partner."""

    TOLD = "told"
    WITHHELD = "withheld"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row about one event and one partner (or nobody).

    `subject` is the dossier, `type` the event's type in the version that the partner reads.
    `reason` is the code of what was withheld or is held; `waits` the partner or selector that waits or waited.
    `at` is when it was told or withheld, or since when it is held (RFC 3339). `journal` is the event's position.
    """

    kind: OutcomeKind
    position: Position
    journal: Position
    subject: str
    type: str
    disclosure: str
    partner: str | None
    at: str
    reason: str | None = None
    waits: str | None = None
    fields: tuple[str, ...] = ()
    ground: str | None = None
    reference: str | None = None

    @property
    def account(self) -> Row:
        """The row as the accounting looks at it."""
        held = self.reason if self.kind is OutcomeKind.HELD else None
        return Row(str(self.journal), self.partner, held, self.waits)


@dataclass(frozen=True, slots=True)
class Received:
    """An accepted event, from its journal record, with what became of it."""

    position: Position
    origin: Position
    sender: str
    received_at: str
    source: str
    id: str
    type: str
    subject: str
    canonical: bytes
    outcomes: tuple[Outcome, ...] = ()

    def __repr__(self) -> str:
        """Show the position only: the event may hold personal data."""
        return f"Received({self.position})"


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that intake did not accept (`code` `duplicate` for a repetition of an accepted event)."""

    position: Position
    origin: Position
    sender: str
    received_at: str
    code: str
    pointer: str
    subject: str | None


def received_from(record: InputRecord) -> Received:
    """Read a record of the journal."""
    event: Mapping[str, Any] = orjson.loads(record.value or b"{}")
    return Received(
        position=record.position,
        origin=Position.parse(_text(record, "hub-origin")),
        sender=_text(record, "hub-partner"),
        received_at=_text(record, "hub-received-at"),
        source=str(event.get("source", "")),
        id=str(event.get("id", "")),
        type=str(event.get("type", "")),
        subject=str(event.get("subject", "")),
        canonical=record.value or b"",
    )


def refused_from(record: InputRecord) -> Refused:
    """Read a record of the refusals; its value is the sender's bytes and is not looked at."""
    return Refused(
        position=record.position,
        origin=Position.parse(_text(record, "hub-origin")),
        sender=_text(record, "hub-partner"),
        received_at=_text(record, "hub-received-at"),
        code=_text(record, "hub-code"),
        pointer=_text(record, "hub-pointer"),
        subject=record.key.decode() if record.key else None,
    )


def outcome_from(record: InputRecord) -> Outcome:
    """Read a row of the disclosures or of the parked rows."""
    row: Mapping[str, Any] = orjson.loads(record.value or b"{}")
    kind = next((kind for kind in (OutcomeKind.WITHHELD, OutcomeKind.HELD) if kind.value in row), OutcomeKind.TOLD)
    return Outcome(
        kind=kind,
        position=record.position,
        journal=Position.parse(row["journal"]),
        subject=(record.key or b"").decode(),
        type=row["type"],
        disclosure=row["disclosure"],
        partner=row["partner"],
        at=row["since"] if kind is OutcomeKind.HELD else row["at"],
        reason=row.get(kind.value),
        waits=row.get("waits"),
        fields=tuple(row.get("fields", ())),
        ground=row.get("ground"),
        reference=row.get("reference"),
    )


def current(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Keep what counts now, in order: every final row, and of what is held the newest row that nothing has ended."""
    rows = sorted(outcomes, key=lambda outcome: outcome.position)
    # Held rows before final ones or after: two topics have no common order, and the accounting needs none.
    waiting = {account: outcome for outcome in rows if (account := outcome.account).held is not None}
    open_rows = still_waiting(outcome.account for outcome in rows)
    return (
        *(outcome for outcome in rows if outcome.kind is not OutcomeKind.HELD),
        *(waiting[account] for account in open_rows),
    )


def told_in_order(
    journal: Iterable[Received], refusals: Iterable[Refused], outcomes: Iterable[Outcome]
) -> tuple[Received | Refused, ...]:
    """Join events with what became of them; in the order in which the hub received them."""
    by_event: dict[Position, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_event[outcome.journal].append(outcome)
    events = (replace(event, outcomes=current(by_event.get(event.position, ()))) for event in journal)
    entries: list[Received | Refused] = [*events, *refusals]
    return tuple(sorted(entries, key=lambda entry: (entry.received_at, entry.position)))


def _text(record: InputRecord, name: str) -> str:
    """Return a header of the hub's own as text; the hub writes UTF-8, and an absent one reads as empty."""
    return (record.header(name) or b"").decode()
