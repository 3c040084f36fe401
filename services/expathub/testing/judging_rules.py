"""What is against the rules of the work: L9 leaked, L11 unexpected.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from expathub.core.records import Position
from expathub.testing.case import is_within, name_of, waiting
from expathub.testing.evidence import Evidence, Expected
from expathub.testing.history import Received
from expathub.testing.script import Fate, Outcome
from expathub.testing.verdict import Finding, Kind


def leaked(evidence: Evidence) -> Iterator[Finding]:
    """L9: nobody is told who may not be, no field outside grant and record, no national number abroad or in a log."""
    yield from _no_more_than_recorded(evidence)
    if evidence.expected is not None:
        yield from _nobody_was_told_more(evidence, evidence.expected)
        yield from _nothing_national_left(evidence, evidence.expected)


def unexpected(evidence: Evidence) -> Iterator[Finding]:
    """L11: outcome, refusal code, and the reasons to withhold and to hold are those that the rules give."""
    if evidence.expected is not None:
        yield from _outcomes_are_as_expected(evidence, evidence.expected)
        yield from _withheld_and_held_as_expected(evidence, evidence.expected)


def _no_more_than_recorded(evidence: Evidence) -> Iterator[Finding]:
    recorded = {
        (row.journal, row.partner, row.disclosure): row.fields
        for place in evidence.places
        for row in evidence.case.rows.get(place, ())
        if row.fields is not None
    }
    for one in evidence.case.inboxes:
        fields = recorded.get((one.origin, one.partner, one.disclosure))
        if fields is not None and not is_within(one.pointers, fields):
            yield Finding(Kind.LEAKED, "more fields than recorded", str(one.position), one.partner)


def _nobody_was_told_more(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    for one in evidence.case.inboxes:
        if _is_unfinished(one, evidence, expected):
            continue
        fate = expected.fates.get(one.event)
        if fate is None or one.partner not in fate.told:
            yield Finding(Kind.LEAKED, "told, and not entitled", str(one.position), one.partner)
        elif not is_within(one.pointers, fate.told[one.partner]):
            yield Finding(Kind.LEAKED, "fields outside the grant", str(one.position), one.partner)


def _is_unfinished(one: Received, evidence: Evidence, expected: Expected) -> bool:
    accepted = evidence.places.get(one.origin)
    return accepted is not None and accepted.subject in expected.unfinished


def _nothing_national_left(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    for one in evidence.case.inboxes:
        if one.partner in expected.outsiders and expected.secrets & _numbers_in(one.text):
            yield Finding(Kind.LEAKED, "a national number or dossier id", str(one.position), one.partner)
    national = frozenset(secret for secret in expected.secrets if secret.isdigit())  # a dossier id names nobody
    for name, text in evidence.beside.texts.items():
        if national & _numbers_in(text):
            yield Finding(Kind.LEAKED, "a national number", name)


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{9,}")
_LENGTHS = (9, 10)
"""How many digits a BSN has, and the numbers of the register and the IND."""


def _numbers_in(text: str) -> frozenset[str]:
    """Find all that could be a dossier id or a national number, inside longer numbers too."""
    runs = _DIGITS.findall(text)
    parts = (run[at : at + length] for run in runs for length in _LENGTHS for at in range(len(run) - length + 1))
    return frozenset((*map(str.lower, _UUID.findall(text)), *parts))


def _outcomes_are_as_expected(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    found: dict[Position, tuple[Outcome, str | None]] = {
        accepted.origin: (Outcome.ACCEPTED, None) for accepted in evidence.case.journal
    }
    for refusal in evidence.case.refusals:
        is_duplicate = refusal.code == "duplicate"
        found[refusal.origin] = (Outcome.DUPLICATE if is_duplicate else Outcome.REFUSED, refusal.code)
    for one in expected.sent:
        fate, outcome = one.publication.fate, found.get(one.position)
        if outcome is not None and outcome != _pair(fate):
            should, did = (" ".join(filter(None, (way.value, code))) for way, code in (_pair(fate), outcome))
            yield Finding(Kind.UNEXPECTED, f"{did}, should be {should}", str(one.position))


def _pair(fate: Fate) -> tuple[Outcome, str | None]:
    return fate.outcome, fate.code


def _withheld_and_held_as_expected(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    for event, fate in expected.fates.items():
        accepted = evidence.accepted.get(event)
        if accepted is None:
            continue
        rows = evidence.case.rows.get(accepted.position, ())
        held = waiting(evidence.case, accepted.position)
        if not rows and not held:
            continue  # nothing became of it at all: that has a judgement of its own
        withheld = {row.partner: row.withheld for row in rows if row.withheld is not None}
        for partner, did, should in _differences(withheld, fate.withheld):
            yield Finding(Kind.UNEXPECTED, f"withheld: {did}, should be {should}", name_of(event), partner)
        for waiter, did, should in _differences(held, fate.held):
            yield Finding(Kind.UNEXPECTED, f"held: {did}, should be {should}", name_of(event), waiter)


def _differences(found: Mapping[str, str], expected: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*found, *expected}):
        if found.get(name) != expected.get(name):
            yield name, found.get(name, "no"), expected.get(name, "no")
