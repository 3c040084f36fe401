"""What waits and how it goes on: order, release, discard, poison, bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from expathub.core.accounting import violations
from expathub.core.catalogue import Grant, Selector, SelectorKind, Version
from expathub.core.configuration import Configuration
from expathub.core.dossier import Dossier
from expathub.core.dossiers import LARGEST_ENTRY_BYTES, encode
from expathub.core.partners import Role
from expathub.testing.in_memory import MemoryHub
from expathub.testing.small_world import (
    CODES,
    ELSEWHERE,
    FORMER,
    KEYS,
    START_MS,
    configuration,
    ended,
    event,
    partners,
    reading,
    subject,
    types,
)

Outcome = tuple[str | None, str]


def with_new_major(*names: str, lens: bool = False) -> Configuration:
    """Give types a second major; without a lens nobody that reads the newest can be reached from the first."""
    kinds = types()
    for name in names:
        kind = kinds[name]
        kinds[name] = replace(
            kind,
            versions={1: kind.versions[1], 2: Version(2, {}, kind.versions[1].validate)},
            grants=tuple(replace(grant, fields={**grant.fields, 2: grant.fields[1]}) for grant in kind.grants),
            lenses={(1, 2): dict, (2, 1): dict} if lens else {},
        )
    return configuration(kinds, digest="digest-2", revision=2)


def hub_of(*stuck: str) -> MemoryHub:
    """Make a hub that cannot carry the types called `stuck` to anybody."""
    return MemoryHub(with_new_major(*stuck), KEYS, START_MS)


@pytest.fixture
def hub() -> MemoryHub:
    return hub_of()


def say(hub: MemoryHub, kind: str, sender: str, id: str, data: dict[str, Any] | None = None, **more: Any) -> None:
    before = len(hub.records("hub.journal"))
    is_poison = more.pop("is_poison", False)
    hub.publish(sender, event(kind, sender, 1, id, data, **more), is_poison=is_poison)
    assert len(hub.records("hub.journal")) == before + 1, hub.receipts(sender)
    assert violations(hub.books()) == []
    hub.restart()  # whatever waits must survive in the changelog


def arrive(hub: MemoryHub, where: str = "maastricht", id: str = "arrival", **more: Any) -> None:
    say(hub, "aankomst", "expat-centre", id, {"gemeente": CODES.get(where, where)}, **more)


def permit(hub: MemoryHub, id: str = "permit", **more: Any) -> None:
    say(hub, "vergunning", "ind", id, {"doel": "gvva"}, **more)


def refer(hub: MemoryHub, id: str = "referral", **more: Any) -> None:
    say(hub, "doorverwijzing", "expat-centre", id, {"partner": "aachen", "naam": "Noor"}, **more)


def order(hub: MemoryHub, kind: str, partner: str | None = None, positions: list[str] | None = None) -> None:
    number = len(hub.records("hub.journal"))
    say(hub, kind, "hub-operator", f"order-{number}", {"partner": partner, "positions": positions})


def release(hub: MemoryHub, partner: str | None = None, positions: list[str] | None = None) -> None:
    order(hub, "vrijgegeven", partner, positions)


def discard(hub: MemoryHub, partner: str | None = None, positions: list[str] | None = None) -> None:
    order(hub, "weggelegd", partner, positions)


def got(hub: MemoryHub, partner: str) -> list[str]:
    return [told["id"] for told in hub.told(partner)]


def about(hub: MemoryHub, id: str) -> list[Outcome]:
    return [(row["partner"], row.get("withheld", "told")) for row in hub.final() if row["event"]["id"] == id]


def parked(hub: MemoryHub) -> list[tuple[str, str | None, str, str]]:
    return [(row["event"]["id"], row["partner"], row["held"], row["waits"]) for row in hub.parked()]


def waiting(hub: MemoryHub) -> list[tuple[str | None, str | None]]:
    return [(row.partner or row.waits, row.held) for row in hub.waiting()]


def dossier(hub: MemoryHub) -> Dossier:
    found = hub.dossier(subject(1))
    assert found is not None
    return found


# --- the residence that nobody knows yet


def test_what_comes_before_the_arrival_goes_in_order_to_the_first_residence_before_the_event_itself(
    hub: MemoryHub,
) -> None:
    permit(hub, "one")
    permit(hub, "two")
    assert waiting(hub) == [("municipality-of-residence", "residence-unknown")] * 2

    arrive(hub, "heerlen")

    assert got(hub, "heerlen") == ["one", "two", "arrival"]
    assert [record.header("hub-origin") for record in hub.inbox("heerlen")] == [
        b"hub.journal/0/0",
        b"hub.journal/0/1",
        b"hub.journal/0/2",
    ]
    rows = [row for row in hub.final() if row["partner"] == "heerlen"]
    assert [row.get("waits") for row in rows] == ["municipality-of-residence", "municipality-of-residence", None]
    assert waiting(hub) == []
    assert dossier(hub).kept == {}


def test_what_waited_for_a_residence_that_is_no_partner_has_no_recipient(hub: MemoryHub) -> None:
    permit(hub)
    arrive(hub, ELSEWHERE)

    assert about(hub, "permit") == [("expat-centre", "told"), (None, "no-recipient")]
    assert hub.final()[1]["waits"] == "municipality-of-residence"


def test_the_sender_is_not_told_what_it_sent_before_it_became_the_residence() -> None:
    kinds = types()
    kinds["vergunning"] = replace(kinds["vergunning"], publishers=frozenset({Role.MUNICIPALITY}))
    hub = MemoryHub(configuration(kinds), KEYS, START_MS)
    say(hub, "vergunning", "maastricht", "permit", {"doel": "gvva"})

    arrive(hub, "maastricht")

    assert about(hub, "permit") == [("expat-centre", "told"), (None, "no-recipient")]


def test_who_was_told_already_is_not_told_again_as_the_residence() -> None:
    kinds = types()
    first = Grant(FORMER, "g", "", {1: ("/data/doel",)})
    kinds["vergunning"] = replace(
        kinds["vergunning"],
        grants=(first, *kinds["vergunning"].grants),
        effects=replace(kinds["vergunning"].effects, former={1: "/data/van"}),
    )
    hub = MemoryHub(configuration(kinds), KEYS, START_MS)
    say(hub, "vergunning", "ind", "permit", {"doel": "gvva", "van": "0935"})

    arrive(hub, "maastricht")

    assert about(hub, "permit") == [("maastricht", "told"), ("expat-centre", "told"), (None, "no-recipient")]


def test_a_correction_of_what_waits_for_the_residence_follows_it(hub: MemoryHub) -> None:
    permit(hub)
    say(hub, "correctie", "ind", "corrected", {"datum": "1"})

    arrive(hub)

    assert got(hub, "maastricht") == ["permit", "corrected", "arrival"]


def test_a_withdrawal_says_nothing_to_a_residence_that_nobody_knows(hub: MemoryHub) -> None:
    permit(hub)

    say(hub, "intrekking", "expat-centre", "withdrawn")

    assert about(hub, "withdrawn") == [(None, "never-told")]


def test_what_waits_for_the_residence_expires_at_the_next_record(hub: MemoryHub) -> None:
    permit(hub, expirytime="2026-09-21T14:13:21Z")
    hub.now_ms += 1000

    say(hub, "aantekening", "ind", "note")

    assert about(hub, "permit") == [("expat-centre", "told"), (None, "expired")]
    assert waiting(hub) == []


def test_a_municipality_told_for_another_reason_waits_for_what_may_be_meant_for_it() -> None:
    kinds = types()
    kinds["document"] = replace(
        kinds["document"],
        grants=(Grant(Selector(SelectorKind.ROLE, Role.MUNICIPALITY), "g", "", {1: ("/data/doel",)}),),
    )
    hub = MemoryHub(configuration(kinds), KEYS, START_MS)
    permit(hub)
    say(hub, "document", "ind", "card")
    assert min(waiting(hub)) == ("heerlen", "held-behind")

    arrive(hub, "maastricht")

    assert got(hub, "maastricht") == ["permit", "card", "arrival"]
    assert got(hub, "heerlen") == got(hub, "vaals") == ["card"]
    assert waiting(hub) == []


def test_what_waited_for_the_residence_may_have_to_wait_for_that_partner() -> None:
    hub = hub_of("vergunning")
    permit(hub)
    arrive(hub)
    assert parked(hub)[1:] == [
        ("permit", None, "residence-unknown", "municipality-of-residence"),
        ("permit", "maastricht", "unreachable-version", "municipality-of-residence"),
        ("arrival", "maastricht", "held-behind", "maastricht"),
    ]

    hub.reconfigure(with_new_major("vergunning", lens=True), KEYS)
    release(hub)

    assert got(hub, "maastricht") == ["permit", "arrival"]
    (told,) = (row for row in hub.final() if (row["event"]["id"], row["partner"]) == ("permit", "maastricht"))
    assert told["waits"] == "municipality-of-residence"


# --- what waits for a partner


def test_only_that_dossier_of_that_partner_waits_and_the_rest_goes_on() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")
    permit(hub)
    hub.publish("ind", event("vergunning", "ind", 2, "other"))
    arrive(hub)

    assert parked(hub)[:3] == [
        ("card", "expat-centre", "unreachable-version", "expat-centre"),
        ("permit", "expat-centre", "held-behind", "expat-centre"),
        ("permit", None, "residence-unknown", "municipality-of-residence"),
    ]
    assert got(hub, "expat-centre") == ["other"]
    assert got(hub, "maastricht") == ["permit", "arrival"]


def test_a_release_judges_again_in_order_and_says_which_order_it_was() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")
    permit(hub)
    hub.now_ms += 5000
    hub.reconfigure(with_new_major("document", lens=True), KEYS)

    release(hub, "expat-centre")

    assert got(hub, "expat-centre") == ["card", "permit"]
    assert [dict(record.headers)["hub-command"] for record in hub.inbox("expat-centre")] == [b"hub.journal/0/2"] * 2
    rows = [record for record in hub.records("hub.disclosures") if record.header("hub-command")]
    assert [row.header("hub-config") for row in rows] == [b"digest-2"] * 2
    assert hub.final()[0]["withheld"] == "command"


def test_a_release_that_does_not_help_says_so_and_keeps_since() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")
    hub.now_ms += 5000

    release(hub)

    first, again = hub.parked()
    assert (again["held"], again["since"]) == ("unreachable-version", first["since"])
    assert again["at"] != first["at"]
    assert len(hub.waiting()) == 1


def test_a_release_of_one_partner_leaves_the_others() -> None:
    hub = hub_of("aankomst")
    arrive(hub)
    hub.reconfigure(with_new_major("aankomst", lens=True), KEYS)

    release(hub, "ind")

    assert (got(hub, "ind"), got(hub, "maastricht")) == (["arrival"], [])


def test_a_release_of_a_later_position_never_overtakes() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "one")
    say(hub, "document", "ind", "two")
    hub.reconfigure(with_new_major("document", lens=True), KEYS)

    release(hub, "expat-centre", ["hub.journal/0/1"])
    assert got(hub, "expat-centre") == []

    release(hub, "expat-centre", ["hub.journal/0/0"])
    assert got(hub, "expat-centre") == ["one", "two"]


def test_a_release_never_adds_a_recipient() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")
    kinds = dict(with_new_major("document", lens=True).catalogue.types)
    card = kinds["nl.proef.document"]
    wider = Grant(Selector(SelectorKind.EVERYONE), "g", "", {1: ("/data/doel",), 2: ("/data/doel",)})
    kinds[card.name] = replace(card, grants=(*card.grants, wider))
    hub.reconfigure(configuration(kinds), KEYS)

    release(hub)

    assert about(hub, "card") == [("expat-centre", "told")]


def test_a_release_withholds_from_a_partner_that_is_not_meant_any_more() -> None:
    hub = hub_of("document", "aankomst")
    say(hub, "document", "ind", "card")
    arrive(hub)
    kinds = dict(with_new_major("document", "aankomst", lens=True).catalogue.types)
    kinds["nl.proef.document"] = replace(kinds["nl.proef.document"], grants=())
    people = partners()
    people["ind"] = replace(people["ind"], roles=frozenset({Role.PORTAL}))
    del people["maastricht"]
    hub.reconfigure(configuration(kinds, people), KEYS)

    release(hub)

    assert about(hub, "card") == [("expat-centre", "no-longer-recipient")]
    assert about(hub, "arrival") == [(None, "no-longer-recipient"), ("ind", "no-longer-recipient")]


def test_a_discard_puts_aside_and_lets_what_stands_behind_go_on() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")
    permit(hub)

    discard(hub, "expat-centre", ["hub.journal/0/0"])

    assert about(hub, "card") == [("expat-centre", "discarded")]
    assert got(hub, "expat-centre") == ["permit"]


def test_a_discard_of_everything_also_puts_aside_what_waits_for_the_residence(hub: MemoryHub) -> None:
    permit(hub)

    discard(hub)
    arrive(hub)

    assert about(hub, "permit") == [("expat-centre", "told"), (None, "discarded")]
    assert got(hub, "maastricht") == ["arrival"]


def test_secrecy_turns_what_waits_into_withheld_in_the_same_step() -> None:
    hub = hub_of("doorverwijzing")
    refer(hub)

    say(hub, "inschrijving", "maastricht", "inscribed", {"gemeente": "0935", "geheim": 1})

    assert about(hub, "referral") == [("aachen", "secrecy")]
    assert waiting(hub) == []


def test_a_consent_that_ends_turns_what_waits_into_withheld_at_the_next_record() -> None:
    hub = hub_of("doorverwijzing")
    data = {"partner": "aachen", "naam": "Noor", "tot": "2026-09-21T14:13:21Z"}
    say(hub, "doorverwijzing", "expat-centre", "referral", data)
    hub.now_ms += 1000

    say(hub, "aantekening", "ind", "note")

    assert about(hub, "referral") == [("aachen", "expired")]


def test_a_partner_that_ends_gets_nothing_of_what_waits() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")
    hub.reconfigure(configuration(people=ended("expat-centre", date(2026, 9, 21))), KEYS)

    release(hub)

    assert about(hub, "card") == [("expat-centre", "partner-ended")]


def test_a_withdrawal_for_one_never_told_is_withheld_with_what_waits_under_that_consent() -> None:
    hub = hub_of("doorverwijzing")
    refer(hub)
    say(hub, "correctie", "expat-centre", "corrected")

    say(hub, "intrekking", "expat-centre", "withdrawn")

    assert about(hub, "referral") == [("aachen", "consent-withdrawn")]
    assert about(hub, "corrected") == [("aachen", "never-told")]
    assert about(hub, "withdrawn") == [("aachen", "never-told")]
    assert waiting(hub) == []
    assert got(hub, "aachen") == []


def test_a_withdrawal_overtakes_what_waits_for_one_who_was_told_and_says_so() -> None:
    hub = hub_of("document")
    permit(hub, "one")
    say(hub, "document", "ind", "card")
    kinds = types()
    kinds["intrekking"] = replace(kinds["intrekking"], publishers=frozenset({Role.IND}))
    stuck = with_new_major("document").catalogue.types
    hub.reconfigure(configuration({**stuck, "nl.proef.intrekking": kinds["intrekking"]}), KEYS)

    say(hub, "intrekking", "ind", "withdrawn", {"verwijzing": "one"})

    assert got(hub, "expat-centre") == ["one", "withdrawn"]
    assert dict(hub.inbox("expat-centre")[1].headers)["hub-overtakes"] == b"hub.journal/0/1"
    assert "hub-overtakes" not in dict(hub.inbox("expat-centre")[0].headers)


def test_a_correction_for_one_who_only_waits_queues_behind() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")
    say(hub, "correctie", "ind", "corrected")
    assert waiting(hub) == [("expat-centre", "unreachable-version"), ("expat-centre", "held-behind")]

    hub.reconfigure(with_new_major("document", lens=True), KEYS)
    release(hub)

    assert got(hub, "expat-centre") == ["card", "corrected"]


# --- what the second filter stops


def test_a_leak_is_stopped_and_only_that_disclosure_waits() -> None:
    kinds = types()
    careless = Grant(kinds["doorverwijzing"].grants[0].selector, "g", "", {1: ("/data/naam", "/data/bsn")})
    kinds["doorverwijzing"] = replace(kinds["doorverwijzing"], grants=(careless,))
    hub = MemoryHub(configuration(kinds), KEYS, START_MS)
    say(hub, "doorverwijzing", "expat-centre", "r", {"partner": "aachen", "naam": "Noor", "bsn": "999990342"})
    arrive(hub)

    assert waiting(hub) == [("aachen", "leak-stopped")]
    assert got(hub, "aachen") == []
    assert got(hub, "maastricht") == ["arrival"]

    hub.reconfigure(configuration(), KEYS)
    release(hub, "aachen")
    assert hub.told("aachen")[0]["data"] == {"naam": "Noor"}


def test_a_public_event_that_waits_is_kept_under_its_own_subject_until_it_is_told() -> None:
    kinds = with_new_major("artikel").catalogue.types
    hub = MemoryHub(configuration(kinds, reading("aachen", 1, of="artikel")), KEYS, START_MS)
    say(hub, "artikel", "expat-centre", "article", {"titel": "Welkom"})
    assert (got(hub, "aachen"), got(hub, "gip")) == (["article"], [])
    assert dossier(hub).told == {}

    hub.reconfigure(with_new_major("artikel", lens=True), KEYS)
    release(hub)

    assert got(hub, "gip") == ["article"]
    assert hub.dossier(subject(1)) is None


# --- bounds


def test_what_a_dossier_cannot_keep_is_withheld_and_said() -> None:
    hub = hub_of("document", "vergunning")
    heavy = {"doel": "x", "dik": ["y" * 16_000] * 12}
    for number in range(3):
        say(hub, "document", "ind", f"card-{number}", heavy)

    assert about(hub, "card-2") == [("expat-centre", "held-full")]
    assert len(hub.waiting()) == 2

    say(hub, "vergunning", "ind", "permit", heavy)
    assert about(hub, "permit") == [("expat-centre", "held-full"), (None, "held-full")]


def test_a_body_is_kept_once_for_all_who_wait_for_it() -> None:
    hub = hub_of("aankomst")
    heavy = ["y" * 16_000] * 15
    say(hub, "aankomst", "expat-centre", "one", {"gemeente": "0935", "dik": heavy})

    assert waiting(hub) == [("maastricht", "unreachable-version"), ("ind", "unreachable-version")]
    assert len(encode(dossier(hub))) < 300_000


def test_an_entry_stays_under_its_bound_however_much_waits() -> None:
    hub = hub_of("aankomst")
    for number in range(700):
        hub.publish("expat-centre", event("aankomst", "expat-centre", 1, f"a-{number}", {"gemeente": "0935"}))

    assert about(hub, "a-699") == [("maastricht", "held-full"), ("ind", "held-full")]
    assert len(encode(dossier(hub))) < LARGEST_ENTRY_BYTES


# --- poison


def test_poison_and_all_behind_it_waits_unfolded(hub: MemoryHub) -> None:
    arrive(hub, is_poison=True)
    permit(hub)

    assert parked(hub) == [
        ("arrival", None, "poison", "dossier"),
        ("permit", None, "held-behind", "dossier"),
    ]
    assert dossier(hub).residence is None
    assert hub.final() == []
    assert len(hub.waiting()) == 2


def test_other_dossiers_go_on_beside_poison(hub: MemoryHub) -> None:
    arrive(hub, is_poison=True)
    hub.publish("ind", event("document", "ind", 2, "other"))

    assert got(hub, "expat-centre") == ["other"]


def test_a_release_folds_poison_and_what_follows_in_order(hub: MemoryHub) -> None:
    arrive(hub, is_poison=True)
    permit(hub)

    release(hub)

    assert got(hub, "maastricht") == ["arrival", "permit"]
    assert hub.waiting() == []
    rows = [row for row in hub.final() if row.get("withheld") != "command"]
    assert {row["waits"] for row in rows} == {"dossier"}
    assert all(record.header("hub-command") for record in hub.inbox("maastricht"))
    assert (dossier(hub).kept, dossier(hub).unfolded) == ({}, ())


def test_a_discard_withholds_the_poison_alone_and_folds_the_rest(hub: MemoryHub) -> None:
    arrive(hub, "heerlen", is_poison=True)
    arrive(hub, "maastricht", id="second")

    discard(hub)

    assert about(hub, "arrival") == [(None, "discarded")]
    assert got(hub, "maastricht") == ["second"]


def test_a_discard_may_name_what_stands_behind_poison(hub: MemoryHub) -> None:
    arrive(hub, is_poison=True)
    permit(hub)

    discard(hub, positions=["hub.journal/0/1"])

    assert about(hub, "permit") == []
    discard(hub, positions=["hub.journal/0/0", "hub.journal/0/1"])
    assert about(hub, "permit") == about(hub, "arrival") == [(None, "discarded")]


def test_an_order_for_one_partner_or_another_position_leaves_poison(hub: MemoryHub) -> None:
    arrive(hub, is_poison=True)

    release(hub, "maastricht")
    discard(hub, "maastricht")
    release(hub, positions=["hub.journal/0/7"])

    assert len(dossier(hub).unfolded) == 1


def test_a_release_stops_at_the_next_poison(hub: MemoryHub) -> None:
    arrive(hub, id="one", is_poison=True)
    arrive(hub, id="two")
    arrive(hub, id="three", is_poison=True)
    arrive(hub, id="four")

    release(hub, positions=["hub.journal/0/0"])

    assert got(hub, "maastricht") == ["one", "two"]
    assert len(dossier(hub).unfolded) == 2


def test_what_is_unfolded_and_released_may_wait_for_a_partner() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card", is_poison=True)

    release(hub)

    assert waiting(hub) == [("expat-centre", "unreachable-version")]


def test_a_poisonous_command_is_not_carried_out_and_accounted_for() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")

    say(hub, "weggelegd", "hub-operator", "order", {"partner": None, "positions": None}, is_poison=True)

    assert about(hub, "order") == [(None, "command")]
    assert waiting(hub) == [("expat-centre", "unreachable-version")]


def test_what_cannot_be_kept_unfolded_closes_the_dossier_to_partners_outside_government(hub: MemoryHub) -> None:
    heavy = {"gemeente": "0935", "dik": ["y" * 16_000] * 12}
    for number in range(3):
        say(hub, "aankomst", "expat-centre", f"a-{number}", heavy, is_poison=number == 0)
    assert about(hub, "a-2") == [(None, "held-full")]

    release(hub)
    refer(hub)

    assert got(hub, "maastricht") == ["a-0", "a-1"]
    assert about(hub, "referral") == [("aachen", "secrecy")]

    order(hub, "gewist")
    refer(hub, "again")
    assert got(hub, "aachen") == ["again"]


# --- erase


def test_erasing_puts_aside_what_waits_and_forgets_all_but_what_protects(hub: MemoryHub) -> None:
    permit(hub)
    say(hub, "inschrijving", "maastricht", "inscribed", {"gemeente": "0935", "geheim": 2})
    hub.publish("ind", event("document", "ind", 1, "card"), is_poison=True)

    order(hub, "gewist")

    assert about(hub, "card") == [(None, "discarded")]
    assert dossier(hub) == Dossier(secrecy=2)


def test_erasing_a_dossier_that_is_not_secret_leaves_nothing() -> None:
    hub = hub_of("document")
    say(hub, "document", "ind", "card")

    order(hub, "gewist")

    assert about(hub, "card") == [("expat-centre", "discarded")]
    assert hub.dossier(subject(1)) is None
