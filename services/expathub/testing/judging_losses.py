"""What is missing: L1 lost, L4 torn, L6 skipped, L10 wedged.

Pure. A record of which nothing became is lost where the hub has gone on without it, and wedged where the hub still
stands before it: the first never mends, the second does as soon as the hub goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from expathub.core.accounting import Wrong
from expathub.core.records import Position
from expathub.testing.case import name_of
from expathub.testing.evidence import Evidence, Expected
from expathub.testing.script import EventKey, Fate
from expathub.testing.verdict import Finding, Kind

T = TypeVar("T")


def lost(evidence: Evidence) -> Iterator[Finding]:
    """L1: what Kafka took from a sender is decided on, what was accepted has its rows, and who is entitled was told."""
    for at in sorted(evidence.beside.acknowledged - evidence.case.stored):
        yield Finding(Kind.LOST, "acknowledged by Kafka, and not in the outbox", str(at))
    for what, at in _without_outcome(evidence):
        if evidence.is_passed(at):
            yield Finding(Kind.LOST, what, str(at))
    if evidence.expected is not None:
        for event, fate in _dispatched(evidence, evidence.expected):
            for partner in _missing(evidence, event, fate):
                yield Finding(Kind.LOST, "not told", name_of(event), partner)


def torn(evidence: Evidence) -> Iterator[Finding]:
    """L4: inbox and disclosure, refusal and receipt are there together; all recipients have an event, or none."""
    yield from _receipts_match_refusals(evidence)
    yield from _rows_match_inboxes(evidence)
    if evidence.expected is not None:
        for event, fate in _dispatched(evidence, evidence.expected):
            missing = _missing(evidence, event, fate)
            if missing and len(missing) < len(fate.told):
                for partner in missing:
                    yield Finding(Kind.TORN, "not told, and others were", name_of(event), partner)


def skipped(evidence: Evidence) -> Iterator[Finding]:
    """L6: nothing is missing between two records of a lane, or two events of a dossier in an inbox."""
    for what, at in _without_outcome(evidence):
        if evidence.is_jumped(at):
            yield Finding(Kind.SKIPPED, f"{what}, and something became of later ones", str(at))
    yield from _gaps_on_paper(evidence)
    if evidence.expected is not None:
        yield from _gaps_in_the_script(evidence, evidence.expected)


def wedged(evidence: Evidence) -> Iterator[Finding]:
    """L10: once the faults are over the hub comes to rest in time, and nothing is left before it."""
    for what, at in _without_outcome(evidence):
        if not evidence.is_passed(at):
            yield Finding(Kind.WEDGED, f"{what}, and the hub still stands before it", str(at))
    for topic, partition in sorted(evidence.beside.unread):
        yield Finding(Kind.WEDGED, "cannot be read to its end: a transaction stays open", f"{topic}/{partition}")
    for name, seconds in evidence.beside.late.items():
        yield Finding(Kind.WEDGED, f"not at rest after {seconds:.0f} s", name)


def _without_outcome(evidence: Evidence) -> Iterator[tuple[str, Position]]:
    """Name the records of outboxes and journal of which nothing became."""
    for violation in evidence.violations:
        if violation.wrong in (Wrong.NO_OUTCOME, Wrong.NO_ROW):
            yield violation.wrong.value, Position.parse(violation.position)


def _dispatched(evidence: Evidence, expected: Expected) -> Iterator[tuple[EventKey, Fate]]:
    """Name the events that dispatch has dealt with: of the others something else is said already."""
    for event, fate in expected.fates.items():
        accepted = evidence.accepted.get(event)
        if accepted and (accepted.position in evidence.case.rows or accepted.position in evidence.case.parked):
            yield event, fate


def _missing(evidence: Evidence, event: EventKey, fate: Fate) -> Sequence[str]:
    return sorted(set(fate.told) - evidence.got.get(event, frozenset()))


def _receipts_match_refusals(evidence: Evidence) -> Iterator[Finding]:
    for refusal in evidence.case.refusals:
        if refusal.code != "duplicate" and not evidence.case.receipts.get(refusal.origin):
            yield Finding(Kind.TORN, "refused without a receipt", str(refusal.origin), refusal.partner)


def _rows_match_inboxes(evidence: Evidence) -> Iterator[Finding]:
    told = {
        (row.journal, row.partner, row.disclosure): row
        for place in evidence.places
        for row in evidence.case.rows.get(place, ())
        if row.fields is not None
    }
    received = {(one.origin, one.partner, one.disclosure): one for one in evidence.case.inboxes}
    for key in told.keys() - received.keys():
        yield Finding(Kind.TORN, "disclosed on paper, not in the inbox", str(told[key].position), key[1])
    for key in received.keys() - told.keys():
        if key[0] in evidence.places:
            yield Finding(Kind.TORN, "in the inbox, not among the disclosures", str(received[key].position), key[1])


def _gaps_on_paper(evidence: Evidence) -> Iterator[Finding]:
    """Find what the disclosures say a partner was told between two events of a dossier that it did get."""
    told: defaultdict[tuple[str, str], list[Position]] = defaultdict(list)
    for place, accepted in evidence.places.items():
        for partner in {row.partner for row in evidence.case.rows.get(place, ()) if row.fields is not None}:
            told[partner, accepted.subject].append(place)
    for line, received in evidence.lines.items():
        for place in _between(told[line], {one.origin for one in received}):
            yield Finding(Kind.SKIPPED, "between two that are in the inbox", str(place), line[0])


def _gaps_in_the_script(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    for (partner, _), queue in expected.queues.items():
        got = {event for event in queue if partner in evidence.got.get(event, ())}
        for event in _between(queue, got):
            yield Finding(Kind.SKIPPED, "between two that were told", name_of(event), partner)


def _between(line: Sequence[T], got: Collection[T]) -> Iterator[T]:
    """Yield what is missing between two that are there."""
    seen = [index for index, one in enumerate(line) if one in got]
    for one in line[seen[0] : seen[-1]] if seen else ():
        if one not in got:
            yield one
