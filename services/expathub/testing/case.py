"""The part of a history that is judged, and the ways to look things up in it.

Pure. On a broker in use the records of others are none of a case's business.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from expathub.core import accounting
from expathub.core.records import Position
from expathub.testing.history import Accepted, History, Received, Refused, Row
from expathub.testing.script import NOBODY, EventKey
from expathub.testing.verdict import Sent

T = TypeVar("T")
K = TypeVar("K")

FIXED = frozenset({"/specversion", "/id", "/source", "/type", "/subject", "/time", "/datacontenttype"})
"""Attributes that every inbox event has, whatever its grant."""


@dataclass(frozen=True, slots=True)
class Case:
    """The part of a history that is judged, with the ways to look things up in it.

    `origins` are the offsets of outboxes that must be accounted for, `stored` those that can be read. All else follows
    from them: on a broker in use the records of others are none of this case's business.
    """

    origins: frozenset[Position]
    stored: frozenset[Position]
    journal: tuple[Accepted, ...]
    refusals: tuple[Refused, ...]
    rows: Mapping[Position, tuple[Row, ...]]
    parked: Mapping[Position, tuple[Row, ...]]
    inboxes: tuple[Received, ...]
    replays: tuple[Received, ...]
    receipts: Mapping[Position, int]
    is_whole: bool
    """Whether this is all that the cluster holds, with nothing of others in it."""


@dataclass(frozen=True, slots=True)
class Ours:
    """How to know the records of one run among those of others: by their events and by their dossiers."""

    events: frozenset[EventKey]
    subjects: frozenset[str]

    @classmethod
    def of(cls, sent: Iterable[Sent], taken_back: frozenset[EventKey] = frozenset()) -> Ours:
        """Take the marks of what was sent, and of what was sent and taken back."""
        publications = [one.publication for one in sent]
        return cls(
            taken_back | {publication.event for publication in publications},
            frozenset(publication.subject for publication in publications),
        )


def case_of(
    history: History, origins: frozenset[Position], ours: Ours | None, aborted: frozenset[Position] = frozenset()
) -> Case:
    """Cut the case about `origins` out of a history; without `ours` all of the history is the case.

    What became of `aborted` records belongs to it too: nothing should have.
    """
    concerned = origins | aborted

    def is_ours(accepted: Accepted) -> bool:
        if ours is None or accepted.origin in concerned:
            return True
        return accepted.event in ours.events or accepted.subject in ours.subjects

    journal = tuple(filter(is_ours, history.journal))
    places = frozenset(accepted.position for accepted in journal)
    inboxes = [
        one
        for one in history.inboxes
        if ours is None or one.origin in places or one.origin in aborted or one.event in ours.events
    ]
    return Case(
        origins=origins,
        stored=frozenset(record.position for record in history.outboxes),
        journal=journal,
        refusals=tuple(one for one in history.refusals if ours is None or one.origin in concerned),
        rows=grouped(history.disclosures, lambda row: row.journal),
        parked=grouped(history.parked, lambda row: row.journal),
        inboxes=tuple(one for one in inboxes if one.replay is None),
        replays=tuple(one for one in inboxes if one.replay is not None),
        receipts=Counter(receipt.refused for receipt in history.receipts),
        is_whole=ours is None,
    )


def grouped(values: Iterable[T], key: Callable[[T], K]) -> Mapping[K, tuple[T, ...]]:
    """Group values by what `key` gives, each group in the order of `values`."""
    groups: dict[K, list[T]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return {name: tuple(members) for name, members in groups.items()}


def waiting(case: Case, journal: Position) -> Mapping[str, str]:
    """Map who still waits for an event, a partner or a selector, to why: what no final row has answered."""
    rows = (*case.rows.get(journal, ()), *case.parked.get(journal, ()))
    left = accounting.still_waiting(map(entry_of, rows))
    return {row.partner or row.waits or NOBODY: row.held or "" for row in left}


def entry_of(row: Row) -> accounting.Row:
    """Give a row the form that the accounting of the core reads."""
    return accounting.Row(str(row.journal), row.partner or None, row.held, row.waits)


@lru_cache(maxsize=4096)  # the same few shapes of events come back again and again
def is_within(pointers: frozenset[str], granted: frozenset[str]) -> bool:
    """Say whether each pointer is fixed, granted, or inside something granted as a whole.

    In a grant the step `*` stands for every element of a list.
    """
    allowed = [pointer.split("/") for pointer in FIXED | granted]
    return all(any(_covers(grant, pointer.split("/")) for grant in allowed) for pointer in pointers)


def _covers(grant: list[str], pointer: list[str]) -> bool:
    if len(grant) > len(pointer):
        return False
    return all(step == found or (step == "*" and found.isdigit()) for step, found in zip(grant, pointer, strict=False))


def name_of(event: EventKey) -> str:
    """Name an event by source and id, as the hub's own logs do."""
    return " ".join(event)
