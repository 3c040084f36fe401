"""When a performance has come to rest: everything that was sent is decided on, and what was accepted is dispatched."""

from __future__ import annotations

from expathub.core.records import Position
from expathub.testing.history import Accepted, Refused, Row
from expathub.testing.performing import Progress
from expathub.testing.script import Fate, Outcome, Publication
from expathub.testing.verdict import Sent

ORIGIN, OTHER = Position("outbox.ind", 0, 4), Position("outbox.ind", 0, 5)
PLACE = Position("hub.journal", 2, 9)
EVENT = ("urn:x", "1")
SENT = Sent(Publication(0, "ind", "a", "acts", EVENT, b"{}", (), Fate(Outcome.ACCEPTED)), ORIGIN)


def accepted(origin: Position) -> Accepted:
    return Accepted(PLACE, origin, EVENT, "t", "a", "ind", b"a")


def row(journal: Position) -> Row:
    return Row(Position("hub.parked", 0, 0), "d", journal, EVENT, "t", "", None, None, "residence-unknown", None)


def test_nothing_sent_is_at_rest() -> None:
    assert Progress().is_settled


def test_what_was_accepted_is_at_rest_when_it_was_dispatched() -> None:
    progress = Progress()
    progress.sent(SENT)
    assert not progress.is_settled
    progress.read(accepted(ORIGIN))
    assert not progress.is_settled
    progress.read(row(PLACE))
    assert progress.is_settled


def test_what_was_refused_is_at_rest() -> None:
    progress = Progress()
    progress.sent(SENT)
    progress.read(Refused(Position("hub.refusals", 0, 0), ORIGIN, "ind", "schema"))
    assert progress.is_settled


def test_records_may_be_read_before_it_is_known_that_they_were_sent() -> None:
    progress = Progress()
    progress.read(row(PLACE))
    progress.read(accepted(ORIGIN))
    progress.sent(SENT)
    assert progress.is_settled


def test_what_others_send_is_not_waited_for() -> None:
    progress = Progress()
    progress.read(accepted(OTHER))
    assert progress.is_settled
