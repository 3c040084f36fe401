"""All that a judge looks at: the case, what should have become of it, and what readers saw beside the records.

Pure. `Beside` is what only some runs know: a second reading, aborted records, the stages' offsets, logs. What is not
known is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType

from expathub.core import accounting
from expathub.core.accounting import Books, Violation
from expathub.core.records import ForeignHeaders, InputRecord, Position
from expathub.testing.case import Case, entry_of, grouped
from expathub.testing.history import Accepted, Received
from expathub.testing.script import EventKey, Fate, Outcome, Script
from expathub.testing.verdict import Sent


def fingerprint(key: bytes | None, value: bytes | None, headers: ForeignHeaders) -> bytes:
    """Return 16 bytes that tell a record from every other, so that two readings can be compared without content."""
    digest = blake2b(digest_size=16)
    for part in (key, value, *(part for name, text in headers for part in (name.encode(), text))):
        digest.update(b"-" if part is None else b"%d:%b" % (len(part), part))
    return digest.digest()


def fingerprints(records: Iterable[InputRecord]) -> Mapping[Position, bytes]:
    """Return the fingerprint of each record."""
    return {one.position: fingerprint(one.key, one.value, one.headers) for one in records}


@dataclass(frozen=True, slots=True)
class Observation:
    """What readers saw of a whole cluster: the committed records, once in full and once more by their fingerprints."""

    records: tuple[InputRecord, ...]
    second: Mapping[Position, bytes]
    raw: frozenset[Position]
    """Where a reader of uncommitted records sees one: open, aborted and committed ones."""
    next_offsets: Mapping[tuple[str, int], int]
    unread: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Beside:
    """What was seen beside the committed records."""

    first: Mapping[Position, bytes] = field(default_factory=lambda: MappingProxyType({}))
    second: Mapping[Position, bytes] | None = None
    """Fingerprints of two independent readings of the same topics up to the same ends."""
    aborted: frozenset[Position] = frozenset()
    """Where only a reader of uncommitted records sees one, and where a sender has taken one back."""
    next_offsets: Mapping[tuple[str, int], int] | None = None
    """Committed offsets of the two stages, by input partition; None where nobody asked."""
    unread: frozenset[tuple[str, int]] = frozenset()
    """Partitions that could not be read to their end in time: a transaction is open there."""
    late: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """What took longer to come to rest than it may, in seconds by name."""
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Logs, metrics and the like, by name: none of them may hold a national number."""
    acknowledged: frozenset[Position] = frozenset()
    """Offsets at which Kafka has said that it has a partner's record for good."""
    taken_back: frozenset[EventKey] = frozenset()
    """Events that were sent in aborted transactions only."""
    uncalled: frozenset[Position] = frozenset()
    """Records of outboxes that no operation has sent, where nobody else sends."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the script says: the fate of each record that was sent, who should read what in which order.

    Nothing is expected of the dossiers in `unfinished`: something of theirs was never sent, and what follows from that
    only the hub's own rules could say.
    """

    sent: Sequence[Sent]
    fates: Mapping[EventKey, Fate]
    queues: Mapping[tuple[str, str], tuple[EventKey, ...]]
    secrets: frozenset[str]
    outsiders: frozenset[str]
    unfinished: frozenset[str]

    @classmethod
    def of(cls, sent: Sequence[Sent], script: Script, unfinished: frozenset[str] = frozenset()) -> Expected:
        """Take what a script expects of the records that were sent."""
        kept = [one for one in sent if one.publication.subject not in unfinished]
        accepted = [one.publication for one in kept if one.publication.fate.outcome is Outcome.ACCEPTED]
        return cls(
            sent=kept,
            fates={publication.event: publication.fate for publication in accepted},
            queues={line: events for line, events in script.queues.items() if line[1] not in unfinished},
            secrets=script.secrets,
            outsiders=script.outsiders,
            unfinished=unfinished,
        )


@dataclass(frozen=True)
class Evidence:
    """Everything together, and the ways to look things up in it."""

    case: Case
    expected: Expected | None = None
    beside: Beside = field(default_factory=Beside)

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """Where the books of the topics do not add up (design §3)."""
        books = Books(
            outboxes=[str(origin) for origin in sorted(self.case.origins)],
            journal=[accounting.Entry(str(one.position), str(one.origin)) for one in self.case.journal],
            refusals=[str(one.origin) for one in self.case.refusals],
            disclosures=[entry_of(row) for one in self.case.journal for row in self.case.rows.get(one.position, ())],
            parked=[entry_of(row) for one in self.case.journal for row in self.case.parked.get(one.position, ())],
        )
        return accounting.violations(books)

    @cached_property
    def places(self) -> Mapping[Position, Accepted]:
        """The journal by position."""
        return {accepted.position: accepted for accepted in self.case.journal}

    @cached_property
    def accepted(self) -> Mapping[EventKey, Accepted]:
        """The journal by event."""
        return {accepted.event: accepted for accepted in self.case.journal}

    @cached_property
    def got(self) -> Mapping[EventKey, frozenset[str]]:
        """Who has which event in the inbox."""
        by_event = grouped(self.case.inboxes, lambda one: one.event)
        return {event: frozenset(one.partner for one in found) for event, found in by_event.items()}

    @cached_property
    def lines(self) -> Mapping[tuple[str, str], Sequence[Received]]:
        """What each partner reads about each dossier, in the order of its inbox."""
        known = (one for one in self.case.inboxes if one.origin in self.places)
        return grouped(known, lambda one: (one.partner, self.places[one.origin].subject))

    @cached_property
    def last_decided(self) -> Mapping[tuple[str, int], int]:
        """The highest offset of each input partition of which something has become."""
        last: dict[tuple[str, int], int] = {}
        origins = (one.origin for part in (self.case.journal, self.case.refusals) for one in part)
        for at in (*origins, *self.case.rows, *self.case.parked):
            lane = (at.topic, at.partition)
            last[lane] = max(at.offset, last.get(lane, -1))
        return last

    def is_jumped(self, at: Position) -> bool:
        """Say whether something became of a later record of the same lane."""
        return at.offset < self.last_decided.get((at.topic, at.partition), -1)

    def is_passed(self, at: Position) -> bool:
        """Say whether the lane has left a record behind; where nobody looked at its offset, that is taken for so."""
        if self.beside.next_offsets is None or self.is_jumped(at):
            return True
        return at.offset < self.beside.next_offsets.get((at.topic, at.partition), 0)
