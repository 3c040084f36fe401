"""The accounting of the hub: nothing that came in is without an outcome, and nothing has two.

Pure; anybody who can read the topics can check it (design §3):
- every offset of an outbox that holds a record is the `hub-origin` of exactly one record of journal and refusals;
- every record of the journal has at least one row, and for each partner at most one final row (told or withheld);
- what waits is a parked row that no final row has answered; the newest counts.
Covers neither whether the right partners were told, nor order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self

import orjson

DOSSIER = "dossier"
"""What an event waits for that stands behind poison: it has not been read, so that nobody has been chosen yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the journal: where it stands and which offset of an outbox it came from."""

    position: str
    origin: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row about a record of the journal. `held` is the code while it waits; without one the row is final.

    `partner` is None where nobody is named. `waits` is what the row says it waits or waited for.
    """

    journal: str
    partner: str | None
    held: str | None = None
    waits: str | None = None

    @classmethod
    def read(cls, value: bytes) -> Self:
        """Read the value of a record of `hub.disclosures` or `hub.parked`; raises `ValueError` where it is none."""
        row = orjson.loads(value)
        if not isinstance(row, dict) or "journal" not in row or "partner" not in row:
            raise ValueError("not a row about an event")
        return cls(row["journal"], row["partner"], row.get("held"), row.get("waits"))


@dataclass(frozen=True, slots=True)
class Books:
    """All that is compared: offsets of outboxes, entries of the journal, origins of refusals, and the rows.

    `parked` stands in the order in which it was written, at least for each record of the journal.
    """

    outboxes: Collection[str]
    journal: Collection[Entry]
    refusals: Collection[str]
    disclosures: Collection[Row]
    parked: Collection[Row]


class Wrong(Enum):
    """What can be wrong with the books."""

    NO_OUTCOME = "neither in the journal nor among the refusals"
    TWO_OUTCOMES = "more than one record in journal and refusals"
    NO_ORIGIN = "came from no offset of an outbox"
    NO_ROW = "no row says what became of it"
    TWO_ROWS = "more than one final row for one partner"
    TWO_ANSWERS = "more than one final row for one selector"
    NO_EVENT = "a row about a record that the journal does not have"


@dataclass(frozen=True, slots=True)
class Violation:
    """Where the books do not add up: a position, and the partner where one is concerned."""

    wrong: Wrong
    position: str
    partner: str | None = None

    def __str__(self) -> str:
        """Say it in a line."""
        about = f" ({self.partner})" if self.partner else ""
        return f"{self.position}{about}: {self.wrong.value}"


def violations(books: Books) -> list[Violation]:
    """List all that does not add up; empty for a hub that keeps its promise."""
    return [*_outcomes(books), *_rows(books)]


def still_waiting(rows: Iterable[Row]) -> list[Row]:
    """List the parked rows that nothing has answered yet, the newest for each partner or selector of each event."""
    return [row for about in _by_event(rows).values() for row in _open(about)]


def _outcomes(books: Books) -> Iterator[Violation]:
    found = Counter(entry.origin for entry in books.journal)
    found.update(books.refusals)
    known = set(books.outboxes)
    for origin in books.outboxes:
        if found[origin] != 1:
            yield Violation(Wrong.TWO_OUTCOMES if found[origin] else Wrong.NO_OUTCOME, origin)
    for origin in found:
        if origin not in known:
            yield Violation(Wrong.NO_ORIGIN, origin)


def _rows(books: Books) -> Iterator[Violation]:
    about = _by_event((*books.disclosures, *books.parked))
    known = {entry.position for entry in books.journal}
    for entry in books.journal:
        if entry.position not in about:
            yield Violation(Wrong.NO_ROW, entry.position)
    for position, rows in about.items():
        if position not in known:
            yield Violation(Wrong.NO_EVENT, position)
        final = [row for row in rows if row.held is None]
        for partner, count in Counter(row.partner for row in final).items():
            if count > 1:
                yield Violation(Wrong.TWO_ROWS, position, partner)
        for waits, count in Counter(row.waits for row in final if row.waits not in (None, DOSSIER)).items():
            if count > 1:
                yield Violation(Wrong.TWO_ANSWERS, position, waits)


def _by_event(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    about: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        about[row.journal].append(row)
    return about


def _open(rows: Collection[Row]) -> Iterator[Row]:
    newest = {(row.partner, row.waits): row for row in rows if row.held is not None}
    told = {row.partner for row in rows if row.held is None}
    found = {row.waits for row in rows if row.partner is not None or row.held is None}
    for row in newest.values():
        if row.partner is not None:
            is_answered = row.partner in told
        elif row.waits == DOSSIER:
            is_answered = any(other.waits != DOSSIER or other.held is None for other in rows)
        else:
            is_answered = row.waits in found
        if not is_answered:
            yield row
