"""The accounts of a period: what came in, what became of it, and where that does not add up.

Pure. What is not yet done is pending, not wrong: offsets that a stage has not committed yet are left to it. Where
retention took a record of an outbox, its outcome still counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from expathub.core.accounting import Books, Entry, Violation, Wrong, violations
from expathub.core.records import Position
from expathub.core.trail import Outcome, OutcomeKind, Received, Refused, current

Reached = Callable[[Position], bool]
"""Whether a stage had committed an offset before anything was read."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that was read: positions in the outboxes (with the broker's time, ms), journal, refusals and rows.

    `starts` is the oldest offset that each outbox partition (topic, number) still has.
    """

    outboxes: Mapping[Position, int]
    starts: Mapping[tuple[str, int], int]
    journal: Collection[Received]
    refusals: Collection[Refused]
    outcomes: Collection[Outcome]


@dataclass(frozen=True, slots=True)
class Account:
    """The figures of a period; `wrong` is empty where everything adds up."""

    received: int
    accepted: int
    refused: Mapping[str, int]
    pending: int
    told: int
    withheld: Mapping[str, int]
    held: Mapping[str, int]
    wrong: tuple[Violation, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the account as a JSON value."""
        return {
            "received": self.received,
            "accepted": self.accepted,
            "refused": dict(self.refused),
            "pending": self.pending,
            "told": self.told,
            "withheld": dict(self.withheld),
            "held": dict(self.held),
            "violations": [
                {"position": one.position, "partner": one.partner, "wrong": one.wrong.name.lower().replace("_", "-")}
                for one in self.wrong
            ],
        }


def account(ledger: Ledger, is_taken_in: Reached, is_dispatched: Reached, start_ms: int, end_ms: int) -> Account:
    """Draw up the account of all that was received from `start_ms` up to `end_ms` (epoch, ms; the end is not in it)."""
    own = {place: at for place, at in ledger.outboxes.items() if start_ms <= at < end_ms}
    gone = {place for place in _origins(ledger) if place.offset < ledger.starts.get((place.topic, place.partition), 0)}
    journal = [event for event in ledger.journal if event.origin in own]
    places = {str(event.position) for event in journal}
    rows = current(row for row in ledger.outcomes if str(row.journal) in places)
    wrong = violations(_books(ledger, gone))
    pending = {str(place) for place in own if not is_taken_in(place)}
    pending |= {str(event.position) for event in journal if not is_dispatched(event.position)}
    mine = places | {str(place) for place in own}
    return Account(
        received=len(own),
        accepted=len(journal),
        refused=_counted(refusal.code for refusal in ledger.refusals if refusal.origin in own),
        pending=len(pending),
        told=sum(row.kind is OutcomeKind.TOLD for row in rows),
        withheld=_counted(row.reason or "" for row in rows if row.kind is OutcomeKind.WITHHELD),
        held=_counted(row.reason or "" for row in rows if row.kind is OutcomeKind.HELD),
        wrong=tuple(one for one in wrong if _is_of(one, mine) and not _is_pending(one, pending)),
    )


def _is_of(violation: Violation, places: Collection[str]) -> bool:
    """Tell whether it concerns the period; what came from nowhere has no time, and concerns every period."""
    return violation.position in places or violation.wrong is Wrong.NO_ORIGIN


def _is_pending(violation: Violation, pending: Collection[str]) -> bool:
    """Tell whether something is only not done yet; what is there twice is wrong at any time."""
    return violation.wrong in (Wrong.NO_OUTCOME, Wrong.NO_ROW) and violation.position in pending


def _books(ledger: Ledger, gone: Collection[Position]) -> Books:
    return Books(
        outboxes=[str(place) for place in (*ledger.outboxes, *gone)],
        journal=[Entry(str(event.position), str(event.origin)) for event in ledger.journal],
        refusals=[str(refusal.origin) for refusal in ledger.refusals],
        disclosures=[row.account for row in ledger.outcomes if row.kind is not OutcomeKind.HELD],
        parked=[row.account for row in ledger.outcomes if row.kind is OutcomeKind.HELD],
    )


def _origins(ledger: Ledger) -> set[Position]:
    return {*(one.origin for one in ledger.journal), *(one.origin for one in ledger.refusals)}


def _counted(words: Iterable[str]) -> Mapping[str, int]:
    return dict(sorted(Counter(words).items()))
