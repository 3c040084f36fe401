"""What should not be there: L2 doubled, L3 aborted but visible, L8 phantom.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from expathub.core.accounting import Wrong
from expathub.core.records import Position
from expathub.testing.case import name_of
from expathub.testing.evidence import Evidence
from expathub.testing.script import NOBODY
from expathub.testing.verdict import Finding, Kind

_DOUBLES = frozenset({Wrong.TWO_OUTCOMES, Wrong.TWO_ROWS, Wrong.TWO_ANSWERS})


def doubled(evidence: Evidence) -> Iterator[Finding]:
    """L2: one outcome per record, one event in journal and inbox, one row per partner, one receipt per refusal."""
    for violation in evidence.violations:
        if violation.wrong in _DOUBLES:
            where, partner = violation.position, violation.partner or NOBODY
            yield Finding(Kind.DOUBLED, violation.wrong.value, where, partner)
    for refusal in evidence.case.refusals:
        if evidence.case.receipts.get(refusal.origin, 0) > int(refusal.code != "duplicate"):
            yield Finding(Kind.DOUBLED, "a receipt too many", str(refusal.origin), refusal.partner)
    for event, count in Counter(accepted.event for accepted in evidence.case.journal).items():
        if count > 1:
            yield Finding(Kind.DOUBLED, "in the journal more than once", name_of(event))
    yield from _doubled_in_inboxes(evidence)


def _doubled_in_inboxes(evidence: Evidence) -> Iterator[Finding]:
    """Find what a partner has twice; a replay repeats what was told before, but is itself told once."""
    received = (*evidence.case.inboxes, *evidence.case.replays)
    for (partner, event, replay), count in Counter((one.partner, one.event, one.replay) for one in received).items():
        if count > 1:
            what = "in the inbox more than once" if replay is None else "in one replay more than once"
            yield Finding(Kind.DOUBLED, what, name_of(event), partner)


def aborted_visible(evidence: Evidence) -> Iterator[Finding]:
    """L3: nothing comes of a record of a transaction that was aborted, a partner's or the hub's own."""
    case, aborted = evidence.case, evidence.beside.aborted
    decided = ((one.origin, one.position) for part in (case.journal, case.refusals) for one in part)
    for at in (at for origin, at in decided if origin in aborted):
        yield Finding(Kind.ABORTED_VISIBLE, "came of an aborted record", str(at))
    for at in sorted({*case.rows, *case.parked} & aborted):
        yield Finding(Kind.ABORTED_VISIBLE, "a row about an aborted record", str(at))
    for received in case.inboxes:
        if received.origin in aborted:
            where, partner = str(received.position), received.partner
            yield Finding(Kind.ABORTED_VISIBLE, "told, from an aborted record", where, partner)
    for accepted in case.journal:
        if accepted.event in evidence.beside.taken_back:
            yield Finding(Kind.ABORTED_VISIBLE, "its sender has taken it back", str(accepted.position))


def phantom(evidence: Evidence) -> Iterator[Finding]:
    """L8: everything in journal, refusals, rows and inboxes goes back to a record that a partner sent."""
    aborted = evidence.beside.aborted
    for violation in evidence.violations:
        if violation.wrong is Wrong.NO_ORIGIN and Position.parse(violation.position) not in aborted:
            yield Finding(Kind.PHANTOM, violation.wrong.value, violation.position)
    for received in evidence.case.inboxes:
        accepted = evidence.places.get(received.origin)
        if (accepted is None or accepted.event != received.event) and received.origin not in aborted:
            where, partner = str(received.position), received.partner
            yield Finding(Kind.PHANTOM, "in the inbox, not in the journal", where, partner)
    for at in sorted(evidence.beside.uncalled):
        yield Finding(Kind.PHANTOM, "in an outbox, and nobody sent it", str(at))
    yield from _about_nothing(evidence)


def _about_nothing(evidence: Evidence) -> Iterator[Finding]:
    """Find rows about a record that the journal has not, and receipts for one that was never refused."""
    if not evidence.case.is_whole:
        return
    known = evidence.places.keys() | evidence.beside.aborted
    for at in sorted({*evidence.case.rows, *evidence.case.parked} - known):
        yield Finding(Kind.PHANTOM, "a row about a record that the journal does not have", str(at))
    refused = {refusal.origin for refusal in evidence.case.refusals}
    for at in sorted(evidence.case.receipts.keys() - refused):
        yield Finding(Kind.PHANTOM, "a receipt for what was not refused", str(at))
