"""What an auditor is told: the history of a dossier, the account of a period, commands, and a replay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from expathub.core.account import Account, Ledger, account
from expathub.core.accounting import Wrong
from expathub.core.catalogue import Command, Version
from expathub.core.configuration import Configuration
from expathub.core.decode import decode
from expathub.core.event import Event
from expathub.core.orders import POSITIONS_MAX, Choice, instructions
from expathub.core.records import InputRecord, Position
from expathub.core.replay import KeptBack, Permissions, Replay, Replayed
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, is_of_the_hub, outbox
from expathub.core.trail import (
    Outcome,
    OutcomeKind,
    Received,
    Refused,
    current,
    outcome_from,
    received_from,
    refused_from,
    told_in_order,
)
from expathub.testing.in_memory import STRUCTURED, MemoryHub
from expathub.testing.small_world import (
    CODES,
    HUB_SOURCE,
    KEYS,
    START_MS,
    configuration,
    event,
    partners,
    subject,
    types,
)

A_DAY_MS = 86_400_000


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(configuration(), KEYS, START_MS)


def stuck_hub(*names: str) -> MemoryHub:
    """Make a hub in which types have a second major that no lens leads to."""
    return MemoryHub(stuck_configuration(*names), KEYS, START_MS)


def stuck_configuration(*names: str) -> Configuration:
    kinds = types()
    for name in names:
        kind = kinds[name]
        kinds[name] = replace(
            kind,
            versions={1: kind.versions[1], 2: Version(2, {}, kind.versions[1].validate)},
            grants=tuple(replace(grant, fields={**grant.fields, 2: grant.fields[1]}) for grant in kind.grants),
        )
    return configuration(kinds)


def arrive(hub: MemoryHub, where: str = "maastricht", id: str = "arrival", dossier: int = 1) -> None:
    hub.publish("expat-centre", event("aankomst", "expat-centre", dossier, id, {"gemeente": CODES[where]}))


def permit(hub: MemoryHub, id: str = "permit", dossier: int = 1) -> None:
    hub.publish("ind", event("vergunning", "ind", dossier, id, {"doel": "gvva"}))


def refer(hub: MemoryHub, id: str = "referral") -> None:
    hub.publish("expat-centre", event("doorverwijzing", "expat-centre", 1, id, {"partner": "aachen", "naam": "Noor"}))


def outcomes(hub: MemoryHub) -> list[Outcome]:
    return [outcome_from(record) for topic in (DISCLOSURES, PARKED) for record in hub.records(topic)]


def received(hub: MemoryHub) -> list[Received]:
    return [received_from(record) for record in hub.records(JOURNAL)]


def refused(hub: MemoryHub) -> list[Refused]:
    return [refused_from(record) for record in hub.records(REFUSALS)]


def held(hub: MemoryHub) -> list[Outcome]:
    return [row for row in current(outcomes(hub)) if row.kind is OutcomeKind.HELD]


def test_a_history_says_in_order_what_came_in_and_what_became_of_it(hub: MemoryHub) -> None:
    permit(hub)
    hub.now_ms += 1
    hub.publish("ind", event("vergunning", "ind", 1, "bad", {"fout": 1}))
    hub.now_ms += 1
    arrive(hub)

    entries = told_in_order(received(hub), refused(hub), outcomes(hub))

    assert [type(entry) for entry in entries] == [Received, Refused, Received]
    first, bad, last = entries
    assert isinstance(first, Received)
    assert isinstance(bad, Refused)
    assert isinstance(last, Received)
    assert (first.sender, first.id, str(first.origin)) == ("ind", "permit", "outbox.ind/0/0")
    assert [(one.partner, one.kind.value) for one in first.outcomes] == [
        ("expat-centre", "told"),
        ("maastricht", "told"),
    ]
    assert first.outcomes[1].waits == "municipality-of-residence"
    assert (bad.code, bad.pointer, bad.subject) == ("schema", "/data", subject(1))
    assert last.outcomes[0].fields == ("/data/gemeente",)
    assert last.outcomes[0].ground == "grond municipality-of-residence"


def test_a_history_says_since_when_something_is_held_and_what_was_withheld(hub: MemoryHub) -> None:
    permit(hub)
    hub.publish("ind", event("aantekening", "ind", 1, "note"))

    waiting, nobody = held(hub), [row for row in current(outcomes(hub)) if row.kind is OutcomeKind.WITHHELD]

    assert [(row.waits, row.reason, row.at) for row in waiting] == [
        ("municipality-of-residence", "residence-unknown", "2026-09-21T14:13:20.000Z")
    ]
    assert [(row.partner, row.reason) for row in nobody] == [(None, "no-recipient")]


def test_a_refusal_without_a_dossier_has_no_subject(hub: MemoryHub) -> None:
    hub.publish("ind", b"{")

    assert [one.subject for one in refused(hub)] == [None]


def test_no_description_shows_what_an_event_says(hub: MemoryHub) -> None:
    permit(hub)
    arrive(hub)
    first = next(one for one in play(hub) if isinstance(one, Replayed))

    assert repr(received(hub)[0]) == "Received(hub.journal/0/0)"
    assert repr(first) == "Replayed(expat-centre, hub.journal/0/0)"


# --- accounts


def ledger(hub: MemoryHub, **changed: Any) -> Ledger:
    boxes = {
        record.position: record.received_ms
        for record in hub.everything()
        if record.position.topic.startswith(outbox(""))
    }
    return replace(Ledger(boxes, {}, received(hub), refused(hub), outcomes(hub)), **changed)


def drawn_up(books: Ledger, is_taken_in: Callable[[Position], bool] = lambda _: True, *, start_ms: int = 0) -> Account:
    return account(books, is_taken_in, lambda _: True, start_ms, START_MS + A_DAY_MS)


def test_an_account_counts_what_came_in_and_what_became_of_it(hub: MemoryHub) -> None:
    arrive(hub)
    arrive(hub)
    hub.publish("ind", event("vergunning", "ind", 1, "bad", {"fout": 1}))
    permit(hub, dossier=2)

    drawn = drawn_up(ledger(hub))

    assert drawn.as_json() == {
        "received": 4,
        "accepted": 2,
        "refused": {"duplicate": 1, "schema": 1},
        "pending": 0,
        "told": 3,
        "withheld": {},
        "held": {"residence-unknown": 1},
        "violations": [],
    }


def test_an_account_of_a_period_leaves_out_what_came_before(hub: MemoryHub) -> None:
    arrive(hub)
    hub.now_ms += 1000
    permit(hub)

    drawn = drawn_up(ledger(hub), start_ms=START_MS + 1)

    assert (drawn.received, drawn.accepted, drawn.told) == (1, 1, 2)


def test_an_account_names_what_has_no_outcome(hub: MemoryHub) -> None:
    arrive(hub)
    lost = Position(outbox("ind"), 0, 7)
    books = ledger(hub)

    drawn = drawn_up(replace(books, outboxes={**books.outboxes, lost: START_MS}))

    assert drawn.as_json()["violations"] == [{"position": str(lost), "partner": None, "wrong": "no-outcome"}]


def test_what_no_stage_has_come_to_yet_is_pending(hub: MemoryHub) -> None:
    arrive(hub)
    late = Position(outbox("ind"), 0, 7)
    books = ledger(hub)

    drawn = drawn_up(replace(books, outboxes={**books.outboxes, late: START_MS}), lambda place: place != late)

    assert (drawn.pending, drawn.wrong) == (1, ())


def test_an_event_without_rows_is_wrong_once_dispatch_has_passed_it(hub: MemoryHub) -> None:
    arrive(hub)
    books = ledger(hub, outcomes=[])

    passed = account(books, lambda _: True, lambda _: True, 0, START_MS + 1)
    ahead = account(books, lambda _: True, lambda _: False, 0, START_MS + 1)

    assert [one.wrong for one in passed.wrong] == [Wrong.NO_ROW]
    assert (ahead.pending, ahead.wrong) == (1, ())


def test_what_retention_took_from_an_outbox_is_no_phantom_and_what_nobody_sent_is_one(hub: MemoryHub) -> None:
    arrive(hub)
    (origin,) = ledger(hub).outboxes
    gone = drawn_up(ledger(hub, outboxes={}, starts={(origin.topic, origin.partition): 1}))
    phantom = drawn_up(ledger(hub, outboxes={}))

    assert gone.wrong == ()
    assert [one.wrong for one in phantom.wrong] == [Wrong.NO_ORIGIN]


def test_an_event_told_twice_is_wrong_whatever_is_pending(hub: MemoryHub) -> None:
    arrive(hub)
    twice = [*outcomes(hub), *outcomes(hub)]

    drawn = account(ledger(hub, outcomes=twice), lambda _: False, lambda _: False, 0, START_MS + 1)

    assert {one.wrong for one in drawn.wrong} == {Wrong.TWO_ROWS}


# --- commands


def test_a_choice_becomes_one_command_per_dossier_and_partner_with_the_positions_chosen() -> None:
    hub = stuck_hub("vergunning")
    arrive(hub)
    permit(hub, "permit-1")
    permit(hub, "permit-2")
    arrive(hub, id="arrival-2", dossier=2)
    permit(hub, "permit-3", dossier=2)

    orders = list(instructions(held(hub), Choice(subject=subject(1), partner="maastricht")))

    assert [(one.subject, one.partner, one.positions) for one in orders] == [
        (subject(1), "maastricht", ("hub.journal/0/1", "hub.journal/0/2"))
    ]
    assert [row.reason for row in orders[0].touched] == ["unreachable-version", "held-behind"]


def test_a_choice_by_code_touches_only_what_is_held_for_it() -> None:
    hub = stuck_hub("vergunning")
    arrive(hub)
    permit(hub, "permit-1")
    permit(hub, "permit-2")

    orders = list(instructions(held(hub), Choice(code="unreachable-version")))

    assert {row.partner for one in orders for row in one.touched} == {"maastricht", "expat-centre"}
    assert {one.positions for one in orders} == {("hub.journal/0/1",)}


def test_a_command_for_nobody_in_particular_shows_everything_that_it_touches() -> None:
    hub = stuck_hub("vergunning")
    permit(hub)

    for_nobody = list(instructions(held(hub), Choice(code="residence-unknown")))

    assert [one.partner for one in for_nobody] == [None]
    assert {row.partner for row in for_nobody[0].touched} == {None, "expat-centre"}


def test_a_command_never_names_more_positions_than_its_schema_allows() -> None:
    hub = stuck_hub("vergunning")
    arrive(hub)
    permit(hub)
    row = next(one for one in held(hub) if one.partner == "maastricht")
    many = [replace(row, journal=Position(JOURNAL, 0, offset)) for offset in range(POSITIONS_MAX + 1)]

    assert [len(one.positions) for one in instructions(many, Choice())] == [POSITIONS_MAX, 1]


@pytest.mark.parametrize("command", [Command.RELEASE, Command.DISCARD])
def test_a_command_is_an_event_that_intake_accepts_and_dispatch_obeys(command: Command) -> None:
    hub = stuck_hub("vergunning")
    arrive(hub)
    permit(hub)
    (order, *_) = instructions(held(hub), Choice(partner="maastricht"))
    written = order.event(command, "order-1", HUB_SOURCE, "2026-09-21T14:00:00Z", "beheer-1", "proef")
    assert isinstance(
        decode(InputRecord(Position("x", 0, 0), None, orjson.dumps(written), STRUCTURED, START_MS)), Event
    )
    written["source"] = partners()["hub-operator"].source  # the small world's own operator
    if command is Command.RELEASE:
        hub.reconfigure(configuration(), KEYS)

    hub.publish("hub-operator", written)

    rows = [row for row in current(outcomes(hub)) if str(row.journal) == "hub.journal/0/1"]
    expected = (OutcomeKind.TOLD, None) if command is Command.RELEASE else (OutcomeKind.WITHHELD, "discarded")
    assert expected in [(row.kind, row.reason) for row in rows if row.partner == "maastricht"]


# --- replay


def play(
    hub: MemoryHub,
    is_asked: Callable[[Position], bool] = lambda _: True,
    *,
    as_of_ms: int = START_MS + A_DAY_MS,
    configured: Configuration | None = None,
) -> list[Replayed | KeptBack]:
    permissions = Permissions(configured or configuration())
    for record in hub.records(JOURNAL):
        permissions.note(record)
    playing = Replay(configured or configuration(), KEYS, permissions, as_of_ms, is_asked)
    return [one for record in hub.records(JOURNAL) for one in playing.feed(record)]


def told_again(played: list[Replayed | KeptBack], partner: str) -> list[bytes | None]:
    return [one.output.value for one in played if isinstance(one, Replayed) and one.partner == partner]


def test_a_replay_gives_exactly_what_the_inboxes_hold(hub: MemoryHub) -> None:
    permit(hub)
    arrive(hub)
    refer(hub)
    hub.publish("portal", event("artikel", "portal", 9, "article", {"titel": "Wonen"}))

    played = play(hub)

    for partner in partners():
        assert told_again(played, partner) == [record.value for record in hub.inbox(partner)]


def test_a_replay_is_the_same_again(hub: MemoryHub) -> None:
    permit(hub)
    arrive(hub)

    assert play(hub) == play(hub)


def test_what_was_held_and_went_later_belongs_to_its_own_place(hub: MemoryHub) -> None:
    permit(hub)
    arrive(hub)

    played = play(hub, lambda position: position.offset == 0)

    assert [(one.partner, one.origin.offset) for one in played] == [("expat-centre", 0), ("maastricht", 0)]


def test_routing_is_as_it_was_whatever_came_later(hub: MemoryHub) -> None:
    arrive(hub)
    permit(hub)
    arrive(hub, "heerlen", "arrival-2")

    played = play(hub, lambda position: position.offset == 1)

    assert {one.partner for one in played} == {"expat-centre", "maastricht"}


def test_permission_is_as_of_the_moment(hub: MemoryHub) -> None:
    arrive(hub)
    refer(hub)
    before = play(hub, lambda position: position.offset == 1)
    hub.publish("maastricht", event("inschrijving", "maastricht", 1, "secret", {"gemeente": "0935", "geheim": 7}))
    after = play(hub, lambda position: position.offset == 1)

    assert len(told_again(before, "aachen")) == 1
    assert after == [KeptBack("aachen", Position(JOURNAL, 0, 1), "secrecy")]


def test_a_consent_that_was_withdrawn_since_does_not_count(hub: MemoryHub) -> None:
    arrive(hub)
    refer(hub)
    hub.publish("expat-centre", event("intrekking", "expat-centre", 1, "withdrawal", {"verwijzing": "x"}))

    played = play(hub, lambda position: position.offset == 1)

    assert played == [KeptBack("aachen", Position(JOURNAL, 0, 1), "consent-withdrawn")]


def test_a_consent_that_has_run_out_by_the_moment_does_not_count(hub: MemoryHub) -> None:
    arrive(hub)
    data = {"partner": "aachen", "naam": "Noor", "tot": "2026-09-22T00:00:00Z"}
    hub.publish("expat-centre", event("doorverwijzing", "expat-centre", 1, "referral", data))

    early = play(hub, lambda position: position.offset == 1, as_of_ms=START_MS)
    late = play(hub, lambda position: position.offset == 1)

    assert len(told_again(early, "aachen")) == 1
    assert late == [KeptBack("aachen", Position(JOURNAL, 0, 1), "expired")]


def test_the_hubs_own_topics_are_known_by_name() -> None:
    assert all(map(is_of_the_hub, (inbox("ind"), outbox("ind"), JOURNAL, "__consumer_offsets")))
    assert not is_of_the_hub("audit.copy")
