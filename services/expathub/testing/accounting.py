"""What the topics alone must show, whoever published: the accounting of the design's §3, order, and nothing twice.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from expathub.core import accounting
from expathub.core.accounting import Books, Wrong
from expathub.testing.case import Case, entry_of, grouped, is_within, name_of
from expathub.testing.history import Accepted
from expathub.testing.script import NOBODY
from expathub.testing.verdict import Finding, Kind

KINDS = {
    Wrong.NO_OUTCOME: Kind.UNACCOUNTED,
    Wrong.TWO_OUTCOMES: Kind.DOUBLED,
    Wrong.NO_ORIGIN: Kind.PHANTOM,
    Wrong.NO_ROW: Kind.UNACCOUNTED,
    Wrong.TWO_ROWS: Kind.DOUBLED,
    Wrong.TWO_ANSWERS: Kind.DOUBLED,
    Wrong.NO_EVENT: Kind.PHANTOM,
}
"""What it means for a verdict when the books do not add up."""


def structure(case: Case) -> Iterator[Finding]:
    """Yield all that is wrong with the topics in themselves."""
    yield from _books_add_up(case)
    yield from _receipts_match_refusals(case)
    yield from _nothing_is_doubled(case)
    yield from _rows_match_inboxes(case)
    yield from _journal_keeps_the_senders_order(case)
    yield from _inboxes_keep_the_journals_order(case)


def _books_add_up(case: Case) -> Iterator[Finding]:
    books = Books(
        outboxes=[str(origin) for origin in sorted(case.origins)],
        journal=[accounting.Entry(str(one.position), str(one.origin)) for one in case.journal],
        refusals=[str(one.origin) for one in case.refusals],
        disclosures=[entry_of(row) for one in case.journal for row in case.rows.get(one.position, ())],
        parked=[entry_of(row) for one in case.journal for row in case.parked.get(one.position, ())],
    )
    for violation in accounting.violations(books):
        what = violation.wrong.value
        yield Finding(KINDS[violation.wrong], what, violation.position, violation.partner or NOBODY)


def _receipts_match_refusals(case: Case) -> Iterator[Finding]:
    for refusal in case.refusals:
        expected, found = int(refusal.code != "duplicate"), case.receipts.get(refusal.origin, 0)
        if found < expected:
            yield Finding(Kind.TORN, "refused without a receipt", str(refusal.origin), refusal.partner)
        elif found > expected:
            yield Finding(Kind.DOUBLED, "a receipt too many", str(refusal.origin), refusal.partner)


def _nothing_is_doubled(case: Case) -> Iterator[Finding]:
    for event, count in Counter(accepted.event for accepted in case.journal).items():
        if count > 1:
            yield Finding(Kind.DOUBLED, "in the journal more than once", name_of(event))
    for (partner, event), count in Counter((one.partner, one.event) for one in case.inboxes).items():
        if count > 1:
            yield Finding(Kind.DOUBLED, "in the inbox more than once", name_of(event), partner)


def _rows_match_inboxes(case: Case) -> Iterator[Finding]:
    places = {accepted.position: accepted for accepted in case.journal}
    received = {(one.origin, one.partner, one.disclosure) for one in case.inboxes}
    told = {}
    for row in (row for place in places for row in case.rows.get(place, ()) if row.fields is not None):
        told[row.journal, row.partner, row.disclosure] = row
        if (row.journal, row.partner, row.disclosure) not in received:
            yield Finding(Kind.TORN, "disclosed on paper, not in the inbox", str(row.position), row.partner)
    for one in case.inboxes:
        accepted = places.get(one.origin)
        if accepted is None or accepted.event != one.event:
            yield Finding(Kind.PHANTOM, "in the inbox, not in the journal", str(one.position), one.partner)
        elif (recorded := told.get((one.origin, one.partner, one.disclosure))) is None:
            yield Finding(Kind.TORN, "in the inbox, not among the disclosures", str(one.position), one.partner)
        elif not is_within(one.pointers, recorded.fields or frozenset()):
            yield Finding(Kind.OVER_DISCLOSED, "more fields than recorded", str(one.position), one.partner)


def _journal_keeps_the_senders_order(case: Case) -> Iterator[Finding]:
    lines = grouped(case.journal, lambda one: (one.origin.topic, one.origin.partition, one.subject))
    for accepted in (one for line in lines.values() for one in _out_of_order(line)):
        yield Finding(Kind.REORDERED, "not in the order in which it was sent", str(accepted.position))


def _out_of_order(line: Sequence[Accepted]) -> Iterator[Accepted]:
    for earlier, later in pairwise(line):
        if later.origin < earlier.origin or later.position.partition != earlier.position.partition:
            yield later


def _inboxes_keep_the_journals_order(case: Case) -> Iterator[Finding]:
    """Nothing in a dossier overtakes, but what says so (`hub-overtakes`: a withdrawal for one who was told)."""
    subjects = case.subject_of()
    lines = grouped(
        (one for one in case.inboxes if one.origin in subjects), lambda one: (one.partner, subjects[one.origin])
    )
    for line in lines.values():
        for earlier, later in pairwise(one for one in line if not one.overtakes):
            if later.origin < earlier.origin:
                yield Finding(Kind.REORDERED, "not in the journal's order", str(later.position), later.partner)
        for earlier, later in pairwise(line):
            if later.position.partition != earlier.position.partition:
                yield Finding(Kind.REORDERED, "a dossier in two partitions", str(later.position), later.partner)
