"""The accounting of the hub finds what does not add up, and only that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expathub.core.accounting import DOSSIER, Books, Entry, Row, Violation, Wrong, still_waiting, violations

J1, J2 = "hub.journal/0/0", "hub.journal/0/1"
O1, O2, O3 = (f"outbox.ind/0/{offset}" for offset in range(3))
SELECTOR = "municipality-of-residence"

GOOD = Books(
    outboxes=[O1, O2, O3],
    journal=[Entry(J1, O1), Entry(J2, O2)],
    refusals=[O3],
    disclosures=[Row(J1, "ind"), Row(J1, "vaals", waits=SELECTOR)],
    parked=[Row(J1, None, "residence-unknown", SELECTOR), Row(J2, "ind", "unreachable-version", "ind")],
)


def test_good_books_add_up() -> None:
    assert violations(GOOD) == []
    assert still_waiting([*GOOD.disclosures, *GOOD.parked]) == [Row(J2, "ind", "unreachable-version", "ind")]


BROKEN = {
    "an offset without outcome": (replace(GOOD, refusals=[]), Violation(Wrong.NO_OUTCOME, O3)),
    "an offset refused twice": (replace(GOOD, refusals=[O3, O3]), Violation(Wrong.TWO_OUTCOMES, O3)),
    "an offset accepted and refused": (replace(GOOD, refusals=[O3, O1]), Violation(Wrong.TWO_OUTCOMES, O1)),
    "an outcome of nothing": (replace(GOOD, outboxes=[O1, O2]), Violation(Wrong.NO_ORIGIN, O3)),
    "an event without row": (replace(GOOD, parked=GOOD.parked[:1]), Violation(Wrong.NO_ROW, J2)),  # type: ignore[index]
    "a partner told twice": (
        replace(GOOD, disclosures=[*GOOD.disclosures, Row(J1, "ind")]),
        Violation(Wrong.TWO_ROWS, J1, "ind"),
    ),
    "nobody twice": (
        replace(GOOD, disclosures=[*GOOD.disclosures, Row(J2, None), Row(J2, None)]),
        Violation(Wrong.TWO_ROWS, J2),
    ),
    "a selector answered twice": (
        replace(GOOD, disclosures=[*GOOD.disclosures, Row(J1, "stein", waits=SELECTOR)]),
        Violation(Wrong.TWO_ANSWERS, J1, SELECTOR),
    ),
    "a row about nothing": (
        replace(GOOD, disclosures=[*GOOD.disclosures, Row("hub.journal/0/9", "ind")]),
        Violation(Wrong.NO_EVENT, "hub.journal/0/9"),
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_does_not_add_up_is_found(what: str) -> None:
    books, expected = BROKEN[what]

    assert violations(books) == [expected]


def test_a_violation_is_said_in_a_line() -> None:
    assert str(Violation(Wrong.NO_OUTCOME, O1)) == f"{O1}: neither in the journal nor among the refusals"
    assert str(Violation(Wrong.TWO_ROWS, J1, "ind")) == f"{J1} (ind): more than one final row for one partner"


PARKED_FOR_SELECTOR = Row(J1, None, "residence-unknown", SELECTOR)
PARKED_FOR_DOSSIER = Row(J1, None, "poison", DOSSIER)
WAITS = {
    "nothing answers": ([PARKED_FOR_SELECTOR], [PARKED_FOR_SELECTOR]),
    "another partner was told": ([PARKED_FOR_SELECTOR, Row(J1, "ind")], [PARKED_FOR_SELECTOR]),
    "the selector was answered": ([PARKED_FOR_SELECTOR, Row(J1, "vaals", waits=SELECTOR)], []),
    "nobody was meant": ([PARKED_FOR_SELECTOR, Row(J1, None, waits=SELECTOR)], []),
    "it waits for the partner now": (
        [PARKED_FOR_SELECTOR, Row(J1, "vaals", "leak-stopped", SELECTOR)],
        [Row(J1, "vaals", "leak-stopped", SELECTOR)],
    ),
    "the newest code counts": (
        [Row(J1, "ind", "held-behind", "ind"), Row(J1, "ind", "leak-stopped", "ind")],
        [Row(J1, "ind", "leak-stopped", "ind")],
    ),
    "the partner was told": ([Row(J1, "ind", "held-behind", "ind"), Row(J1, "ind")], []),
    "the dossier waits": ([PARKED_FOR_DOSSIER], [PARKED_FOR_DOSSIER]),
    "the poison was discarded": ([PARKED_FOR_DOSSIER, Row(J1, None, waits=DOSSIER)], []),
    "the poison was folded and waits": (
        [PARKED_FOR_DOSSIER, Row(J1, "ind", "leak-stopped", "ind")],
        [Row(J1, "ind", "leak-stopped", "ind")],
    ),
}


@pytest.mark.parametrize("what", WAITS)
def test_what_waits_is_what_no_row_has_answered(what: str) -> None:
    rows, expected = WAITS[what]

    assert still_waiting(rows) == expected


def test_a_row_is_read_from_its_record() -> None:
    assert Row.read(b'{"journal":"j","partner":null,"held":"poison","waits":"dossier"}') == Row(
        "j", None, "poison", "dossier"
    )
    for broken in (b"[]", b"{}", b"", b'{"journal":"j"}'):
        with pytest.raises(ValueError, match=r"."):
            Row.read(broken)
