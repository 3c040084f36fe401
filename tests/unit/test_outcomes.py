"""What became of records in an outbox, as read from the journal and the refusals."""

from __future__ import annotations

import asyncio

import pytest

from expathub.core.records import InputRecord, Position
from expathub.kafka import outcomes
from expathub.kafka.outcomes import Outcome, Verdict, Verdicts, verdict_of

ORIGIN = Position("outbox.ind", 0, 7)


def record(topic: str, origin: Position = ORIGIN, code: bytes | None = None) -> InputRecord:
    headers = [("hub-origin", str(origin).encode())]
    if code is not None:
        headers.append(("hub-code", code))
    return InputRecord(Position(topic, 0, 0), None, b"", tuple(headers), 0)


def test_a_record_in_the_journal_was_accepted() -> None:
    assert verdict_of(record("hub.journal")) == Verdict(Outcome.ACCEPTED)


def test_a_record_among_the_refusals_has_its_code() -> None:
    assert verdict_of(record("hub.refusals", code=b"schema")) == Verdict(Outcome.REFUSED, "schema")


def test_a_duplicate_is_no_refusal() -> None:
    assert verdict_of(record("hub.refusals", code=b"duplicate")) == Verdict(Outcome.DUPLICATE, "duplicate")


async def test_a_verdict_that_comes_before_it_is_asked_for_is_kept() -> None:
    verdicts = Verdicts("outbox.ind")
    verdicts.note(record("hub.journal"))

    assert await verdicts.on(ORIGIN, 0.1) == Verdict(Outcome.ACCEPTED)


async def test_a_verdict_that_comes_later_is_waited_for() -> None:
    verdicts = Verdicts("outbox.ind")
    asyncio.get_running_loop().call_later(0.01, verdicts.note, record("hub.refusals", code=b"schema"))

    assert await verdicts.on(ORIGIN, 5) == Verdict(Outcome.REFUSED, "schema")


async def test_a_verdict_that_does_not_come_in_time_is_none() -> None:
    assert await Verdicts("outbox.ind").on(ORIGIN, 0.01) is None


async def test_verdicts_on_other_outboxes_are_not_kept() -> None:
    verdicts = Verdicts("outbox.ind")
    verdicts.note(record("hub.journal", Position("outbox.ind-2", 0, 7)))

    assert await verdicts.on(Position("outbox.ind-2", 0, 7), 0.01) is None


async def test_verdicts_that_nobody_asks_for_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "KEPT_MAX", 2)
    verdicts = Verdicts("outbox.ind")
    for offset in range(5):
        verdicts.note(record("hub.journal", Position("outbox.ind", 0, offset)))

    assert await verdicts.on(Position("outbox.ind", 0, 0), 0.01) is None
    assert await verdicts.on(Position("outbox.ind", 0, 4), 0.01) == Verdict(Outcome.ACCEPTED)
