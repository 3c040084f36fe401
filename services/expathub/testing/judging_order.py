"""What is in the wrong place: L5 reordered, L7 inconsistent.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from expathub.testing.case import grouped
from expathub.testing.evidence import Evidence, Expected
from expathub.testing.history import Accepted, Received
from expathub.testing.verdict import Finding, Kind


def reordered(evidence: Evidence) -> Iterator[Finding]:
    """L5: per dossier the journal keeps each sender's order, and each inbox the journal's, in one partition, by key."""
    for accepted in evidence.case.journal:
        if accepted.key != accepted.subject.encode():
            yield Finding(Kind.REORDERED, "not keyed by its dossier, so in no order", str(accepted.position))
    for received in evidence.case.inboxes:
        if received.key != received.reference.encode():
            where, partner = str(received.position), received.partner
            yield Finding(Kind.REORDERED, "not keyed by its dossier, so in no order", where, partner)
    yield from _journal_keeps_the_senders_order(evidence)
    for line in evidence.lines.values():
        yield from _inbox_keeps_the_journals_order(line)
    if evidence.expected is not None:
        yield from _dossiers_are_in_order(evidence, evidence.expected)


def inconsistent(evidence: Evidence) -> Iterator[Finding]:
    """L7: whoever reads the topics from the beginning finds the same records at the same offsets."""
    first, second = evidence.beside.first, evidence.beside.second
    if second is None:
        return
    for at in sorted(first.keys() | second.keys()):
        if first.get(at) != second.get(at):
            what = "another record for a second reader" if at in first and at in second else "for one reader only"
            yield Finding(Kind.INCONSISTENT, what, str(at))


def _journal_keeps_the_senders_order(evidence: Evidence) -> Iterator[Finding]:
    lines = grouped(evidence.case.journal, lambda one: (one.origin.topic, one.origin.partition, one.subject))
    for accepted in (one for line in lines.values() for one in _out_of_order(line)):
        yield Finding(Kind.REORDERED, "not in the order in which it was sent", str(accepted.position))


def _out_of_order(line: Sequence[Accepted]) -> Iterator[Accepted]:
    for earlier, later in pairwise(line):
        if later.origin < earlier.origin or later.position.partition != earlier.position.partition:
            yield later


def _inbox_keeps_the_journals_order(line: Sequence[Received]) -> Iterator[Finding]:
    """Nothing in a dossier overtakes, but what says so (`hub-overtakes`: a withdrawal for one who was told)."""
    for earlier, later in pairwise(one for one in line if not one.overtakes):
        if later.origin < earlier.origin:
            yield Finding(Kind.REORDERED, "not in the journal's order", str(later.position), later.partner)
    for earlier, later in pairwise(line):
        if later.position.partition != earlier.position.partition:
            yield Finding(Kind.REORDERED, "a dossier in two partitions", str(later.position), later.partner)


def _dossiers_are_in_order(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    for (partner, subject), line in evidence.lines.items():
        place = {event: number for number, event in enumerate(expected.queues.get((partner, subject), ()))}
        for earlier, later in pairwise(one for one in line if one.event in place):
            if place[later.event] < place[earlier.event]:
                yield Finding(Kind.REORDERED, "not in the order in which it happened", str(later.position), partner)
