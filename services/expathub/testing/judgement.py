"""The verdict from what was sent and what all topics hold: lost, doubled, torn, reordered, told to the wrong ones.

Pure. `account` needs the topics alone; `judge` also compares with what a script says should have become of each
record. Neither calls the hub's own rules: a judge that asks the accused finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from expathub.core.records import Position
from expathub.testing.accounting import structure
from expathub.testing.case import Case, Ours, case_of, grouped, is_within, name_of, waiting
from expathub.testing.history import Accepted, History
from expathub.testing.script import EventKey, Fate, Outcome, Script
from expathub.testing.verdict import Finding, Kind, Sent, Verdict


def account(history: History) -> Verdict:
    """Check a whole cluster by its topics alone: every record accounted for, nothing doubled, torn or reordered."""
    case = case_of(history, frozenset(record.position for record in history.outboxes), None)
    return _verdict(case, structure(case))


def judge(history: History, sent: Sequence[Sent], script: Script) -> Verdict:
    """Check what became of the records in `sent`, against the topics and against what the script expects."""
    case = case_of(history, frozenset(one.position for one in sent), Ours.of(sent))
    expected = _Expected.of(case, sent, script)
    return _verdict(case, (*structure(case), *_comparison(case, expected)))


def is_settled(history: History, origins: Iterable[Position]) -> bool:
    """Say whether each of the outbox offsets was decided on, and each accepted one dispatched."""
    journaled = {accepted.origin: accepted.position for accepted in history.journal}
    refused = {refusal.origin for refusal in history.refusals}
    handled = {row.journal for row in (*history.disclosures, *history.parked)}
    return all(journaled[origin] in handled if origin in journaled else origin in refused for origin in origins)


def _verdict(case: Case, findings: Iterable[Finding]) -> Verdict:
    duplicates = sum(refusal.code == "duplicate" for refusal in case.refusals)
    rows = [row for accepted in case.journal for row in case.rows.get(accepted.position, ())]
    return Verdict(
        findings=tuple(findings),
        accepted=len(case.journal),
        refused=len(case.refusals) - duplicates,
        duplicates=duplicates,
        disclosures=sum(row.fields is not None for row in rows),
        parked=sum(len(waiting(case, accepted.position)) for accepted in case.journal),
    )


@dataclass(frozen=True, slots=True)
class _Expected:
    """The script beside what was found: the fate of each accepted event, and who got it."""

    sent: Sequence[Sent]
    script: Script
    fates: Mapping[EventKey, Fate]
    got: Mapping[EventKey, frozenset[str]]
    accepted: Mapping[EventKey, Accepted]

    @classmethod
    def of(cls, case: Case, sent: Sequence[Sent], script: Script) -> _Expected:
        by_event = grouped(case.inboxes, lambda one: one.event)
        return cls(
            sent=sent,
            script=script,
            fates={
                one.publication.event: one.publication.fate
                for one in sent
                if one.publication.fate.outcome is Outcome.ACCEPTED
            },
            got={event: frozenset(one.partner for one in found) for event, found in by_event.items()},
            accepted={accepted.event: accepted for accepted in case.journal},
        )


def _comparison(case: Case, expected: _Expected) -> Iterator[Finding]:
    yield from _outcomes_are_as_expected(case, expected)
    yield from _everybody_entitled_was_told(expected)
    yield from _nobody_was_told_more(case, expected)
    yield from _nothing_national_left(case, expected)
    yield from _withheld_and_held_as_expected(case, expected)
    yield from _dossiers_are_in_order(case, expected)


def _outcomes_are_as_expected(case: Case, expected: _Expected) -> Iterator[Finding]:
    found: dict[Position, tuple[Outcome, str | None]] = {
        accepted.origin: (Outcome.ACCEPTED, None) for accepted in case.journal
    }
    for refusal in case.refusals:
        is_duplicate = refusal.code == "duplicate"
        found[refusal.origin] = (Outcome.DUPLICATE if is_duplicate else Outcome.REFUSED, refusal.code)
    for one in expected.sent:
        fate, outcome = one.publication.fate, found.get(one.position)
        if outcome is None:
            yield Finding(Kind.LOST, "sent, and nothing became of it", str(one.position))
        elif outcome != (fate.outcome, fate.code):
            should, did = (" ".join(filter(None, (way.value, code))) for way, code in (_pair(fate), outcome))
            yield Finding(Kind.UNEXPECTED, f"{did}, should be {should}", str(one.position))


def _pair(fate: Fate) -> tuple[Outcome, str | None]:
    return fate.outcome, fate.code


def _everybody_entitled_was_told(expected: _Expected) -> Iterator[Finding]:
    for event, fate in expected.fates.items():
        for partner in sorted(set(fate.told) - expected.got.get(event, frozenset())):
            yield Finding(Kind.LOST, "not told", name_of(event), partner)


def _nobody_was_told_more(case: Case, expected: _Expected) -> Iterator[Finding]:
    for one in case.inboxes:
        fate = expected.fates.get(one.event)
        if fate is None or one.partner not in fate.told:
            yield Finding(Kind.OVER_DISCLOSED, "told, and not entitled", str(one.position), one.partner)
        elif not is_within(one.pointers, fate.told[one.partner]):
            yield Finding(Kind.OVER_DISCLOSED, "fields outside the grant", str(one.position), one.partner)


def _nothing_national_left(case: Case, expected: _Expected) -> Iterator[Finding]:
    for one in case.inboxes:
        if one.partner in expected.script.outsiders and expected.script.secrets & _numbers_in(one.text):
            yield Finding(Kind.OVER_DISCLOSED, "a national number or dossier id", str(one.position), one.partner)


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{9,}")
_LENGTHS = (9, 10)
"""How many digits a BSN has, and the numbers of the register and the IND."""


def _numbers_in(text: str) -> frozenset[str]:
    """Find all that could be a dossier id or a national number, inside longer numbers too."""
    runs = _DIGITS.findall(text)
    parts = (run[at : at + length] for run in runs for length in _LENGTHS for at in range(len(run) - length + 1))
    return frozenset((*map(str.lower, _UUID.findall(text)), *parts))


def _withheld_and_held_as_expected(case: Case, expected: _Expected) -> Iterator[Finding]:
    for event, fate in expected.fates.items():
        accepted = expected.accepted.get(event)
        if accepted is None:
            continue
        rows = case.rows.get(accepted.position, ())
        withheld = {row.partner: row.withheld for row in rows if row.withheld is not None}
        for partner, did, should in _differences(withheld, fate.withheld):
            yield Finding(Kind.UNEXPECTED, f"withheld: {did}, should be {should}", name_of(event), partner)
        for waiter, did, should in _differences(waiting(case, accepted.position), fate.held):
            yield Finding(Kind.UNEXPECTED, f"held: {did}, should be {should}", name_of(event), waiter)


def _differences(found: Mapping[str, str], expected: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*found, *expected}):
        if found.get(name) != expected.get(name):
            yield name, found.get(name, "no"), expected.get(name, "no")


def _dossiers_are_in_order(case: Case, expected: _Expected) -> Iterator[Finding]:
    subjects = case.subject_of()
    lines = grouped(
        (one for one in case.inboxes if one.origin in subjects), lambda one: (one.partner, subjects[one.origin])
    )
    for (partner, subject), line in lines.items():
        queue = expected.script.queues.get((partner, subject), ())
        place = {event: number for number, event in enumerate(queue)}
        known = [one for one in line if one.event in place]
        for earlier, later in pairwise(known):
            if place[later.event] < place[earlier.event]:
                yield Finding(Kind.REORDERED, "not in the order in which it happened", str(later.position), partner)
