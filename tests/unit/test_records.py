from __future__ import annotations

import pytest

from expathub.core.dossier import Kept
from expathub.core.holding import Rules
from expathub.core.records import InputRecord, Output, Position
from expathub.core.routing import Directory
from expathub.testing.small_world import configuration


def test_a_position_is_read_as_it_is_written() -> None:
    position = Position("outbox.ind", 0, 42)

    assert Position.parse(str(position)) == position


@pytest.mark.parametrize("text", ["", "/0/1", "outbox.ind", "outbox.ind/0", "outbox.ind/a/1"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Position.parse(text)


def test_no_record_shows_its_content() -> None:
    record = InputRecord(Position("outbox.ind", 0, 42), b"key", b"999990019", (("a", b"999990019"),), 1)

    assert repr(record) == "InputRecord(outbox.ind/0/42)"
    assert repr(Output("inbox.ind", b"999990019", b"999990019", ())) == "Output(inbox.ind)"


def test_the_last_of_several_headers_counts() -> None:
    record = InputRecord(Position("outbox.ind", 0, 42), None, None, (("a", b"1"), ("a", b"2")), 1)

    assert (record.header("a"), record.header("b")) == (b"2", None)


def test_a_kept_event_without_a_type_is_a_fault_of_ours_that_names_its_position() -> None:
    configured = configuration()
    rules = Rules(configured.catalogue.types, Directory(configured.partners))

    with pytest.raises(ValueError, match=r"hub\.journal/0/1"):
        rules.notice("subject", "hub.journal/0/1", Kept(b"{}", "ind", "source", "id", "no type"))
