"""The second stage, sentence by sentence of the contract: who is told what, who is not, and what is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid5

import orjson
import pytest

from expathub.core.accounting import violations
from expathub.core.catalogue import Grant
from expathub.core.disclosure_ids import NAMESPACE
from expathub.core.dispatch import DispatchStage
from expathub.core.notice import View
from expathub.core.records import InputRecord, Position
from expathub.core.references import ReferenceKeys
from expathub.testing.in_memory import MemoryHub
from expathub.testing.small_world import (
    CODES,
    ELSEWHERE,
    KEYS,
    LATER,
    REFERRED,
    START_MS,
    configuration,
    ended,
    event,
    partners,
    reading,
    source_of,
    subject,
    types,
)

EARLIER_TIME = "2026-09-01T00:00:00Z"


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(configuration(), KEYS, START_MS)


def say(hub: MemoryHub, kind: str, sender: str, id: str, data: dict[str, Any] | None = None, **more: Any) -> None:
    """Publish an event about the first dossier, and see it accepted."""
    before = len(hub.records("hub.journal"))
    hub.publish(sender, event(kind, sender, 1, id, data, **more))
    assert len(hub.records("hub.journal")) == before + 1, hub.receipts(sender)


def arrive(hub: MemoryHub, where: str = "maastricht", id: str = "arrival") -> None:
    say(hub, "aankomst", "expat-centre", id, {"gemeente": CODES.get(where, where)})


def refer(hub: MemoryHub, to: str = "aachen", id: str = "referral", until: str | None = None, **more: Any) -> None:
    say(hub, "doorverwijzing", "expat-centre", id, {"partner": to, "naam": "Noor", "tot": until}, **more)


def got(hub: MemoryHub, partner: str) -> list[str]:
    return [told["id"] for told in hub.told(partner)]


def withheld(hub: MemoryHub) -> list[tuple[str, str | None, str]]:
    """List who was not told what, and why."""
    return [(row["event"]["id"], row["partner"], row["withheld"]) for row in hub.final() if "withheld" in row]


def about(hub: MemoryHub, id: str) -> list[tuple[str | None, str]]:
    """List the final outcomes of an event: told, or why not."""
    return [(row["partner"], row.get("withheld", "told")) for row in hub.final() if row["event"]["id"] == id]


# --- records


def test_a_partner_reads_the_event_with_its_own_version_reference_and_fields(hub: MemoryHub) -> None:
    arrive(hub)

    (record,) = hub.inbox("maastricht")
    assert record.key == subject(1).encode()
    assert orjson.loads(record.value or b"") == {
        "specversion": "1.0",
        "id": "arrival",
        "source": source_of("expat-centre"),
        "type": "nl.proef.aankomst.v1",
        "time": "2026-09-21T14:00:00Z",
        "subject": subject(1),
        "datacontenttype": "application/json",
        "data": {"gemeente": "0935"},
    }
    (row,) = (row for row in hub.final() if row["partner"] == "maastricht")
    assert record.headers == (
        ("content-type", b"application/cloudevents+json"),
        ("hub-origin", b"hub.journal/0/0"),
        ("hub-disclosure", row["disclosure"].encode()),
    )


def test_a_disclosure_row_says_what_was_told_to_whom_on_which_ground(hub: MemoryHub) -> None:
    arrive(hub)

    record = hub.records("hub.disclosures")[0]
    assert record.key == subject(1).encode()
    assert record.headers == (
        ("content-type", b"application/json"),
        ("hub-origin", b"hub.journal/0/0"),
        ("hub-config", b"digest-1"),
    )
    assert orjson.loads(record.value or b"") == {
        "disclosure": str(uuid5(NAMESPACE, f"{source_of('expat-centre')}\0arrival\0maastricht")),
        "event": {"source": source_of("expat-centre"), "id": "arrival", "type": "nl.proef.aankomst.v1"},
        "journal": "hub.journal/0/0",
        "partner": "maastricht",
        "type": "nl.proef.aankomst.v1",
        "fields": ["/data/gemeente"],
        "ground": "grond municipality-of-residence",
        "reference": subject(1),
        "at": "2026-09-21T14:13:20.000Z",
    }


def test_a_withheld_row_has_the_reason_in_place_of_the_fields(hub: MemoryHub) -> None:
    say(hub, "aantekening", "ind", "note")

    (row,) = hub.final()
    assert row == {
        "disclosure": str(uuid5(NAMESPACE, f"{source_of('ind')}\0note\0")),
        "event": {"source": source_of("ind"), "id": "note", "type": "nl.proef.aantekening.v1"},
        "journal": "hub.journal/0/0",
        "partner": None,
        "type": "nl.proef.aantekening.v1",
        "withheld": "no-recipient",
        "ground": None,
        "reference": None,
        "at": "2026-09-21T14:13:20.000Z",
    }
    assert hub.parked() == []
    assert hub.dossier(subject(1)) is None


def test_a_parked_row_says_what_waits_for_whom_since_when_without_content(hub: MemoryHub) -> None:
    say(hub, "vergunning", "ind", "permit", {"doel": "kennismigrant"})

    (row,) = hub.parked()
    assert row == {
        "disclosure": str(uuid5(NAMESPACE, f"{source_of('ind')}\0permit\0")),
        "event": {"source": source_of("ind"), "id": "permit", "type": "nl.proef.vergunning.v1"},
        "journal": "hub.journal/0/0",
        "partner": None,
        "type": "nl.proef.vergunning.v1",
        "held": "residence-unknown",
        "waits": "municipality-of-residence",
        "since": "2026-09-21T14:13:20.000Z",
        "ground": None,
        "reference": None,
        "at": "2026-09-21T14:13:20.000Z",
    }
    assert got(hub, "expat-centre") == ["permit"]


# --- recipients


def test_the_sender_is_never_told_its_own_event(hub: MemoryHub) -> None:
    arrive(hub)
    say(hub, "correctie", "maastricht", "corrected", {"datum": "1"})

    assert about(hub, "corrected") == [("ind", "told")]


def test_a_partner_chosen_twice_gets_the_first_grant_and_never_a_union() -> None:
    kinds = types()
    first, second = Grant(REFERRED, "a", "", {1: ("/data/naam",)}), kinds["aankomst"].grants[1]
    both = replace(kinds["vervolg"], grants=(second, first, replace(second, ground="b")))
    hub = MemoryHub(configuration(kinds | {"vervolg": both}), KEYS, START_MS)
    refer(hub, "ind")

    say(hub, "vervolg", "expat-centre", "more", {"gemeente": "x", "naam": "y"})

    (told,) = (row for row in hub.final() if row["event"]["id"] == "more")
    assert (told["partner"], told["ground"], told["fields"]) == ("ind", second.ground, ["/data/gemeente"])


def test_everyone_is_all_partners_but_the_sender_and_the_hubs_own(hub: MemoryHub) -> None:
    say(hub, "artikel", "portal", "article", {"titel": "Welkom"})

    assert {row["partner"] for row in hub.final()} == {*partners()} - {"portal", "hub-operator"}
    assert hub.told("aachen")[0]["subject"] == subject(1)
    assert hub.dossier(subject(1)) is None


def test_the_former_municipality_is_the_one_the_dossier_knows_whatever_the_event_claims(hub: MemoryHub) -> None:
    arrive(hub, "maastricht")

    say(hub, "verhuizing", "heerlen", "move", {"naar": CODES["heerlen"], "van": CODES["vaals"]})

    assert (got(hub, "maastricht"), got(hub, "vaals")) == (["arrival", "move"], [])


def test_the_former_municipality_is_the_one_the_event_names_where_the_dossier_knows_none(hub: MemoryHub) -> None:
    say(hub, "verhuizing", "heerlen", "move", {"naar": CODES["heerlen"], "van": CODES["vaals"]})

    assert got(hub, "vaals") == ["move"]


def test_a_municipality_that_is_no_partner_is_nobody(hub: MemoryHub) -> None:
    arrive(hub, ELSEWHERE)
    say(hub, "vergunning", "ind", "permit")

    assert about(hub, "arrival") == [("ind", "told")]
    assert about(hub, "permit") == [("expat-centre", "told")]


def test_residence_follows_the_events_and_the_others_learn_nothing(hub: MemoryHub) -> None:
    arrive(hub, "maastricht")
    say(hub, "verhuizing", "heerlen", "move", {"naar": CODES["heerlen"], "van": CODES["maastricht"]})
    say(hub, "vergunning", "ind", "permit")

    assert got(hub, "heerlen") == ["permit"]
    assert got(hub, "maastricht") == ["arrival", "move"]
    assert got(hub, "vaals") == []


def test_corrections_go_to_exactly_those_who_were_told(hub: MemoryHub) -> None:
    arrive(hub)
    refer(hub)

    say(hub, "correctie", "expat-centre", "corrected", {"datum": "1"})

    assert {partner for partner in partners() if "corrected" in got(hub, partner)} == {"maastricht", "ind", "aachen"}


def test_a_correction_for_nobody_says_so(hub: MemoryHub) -> None:
    say(hub, "correctie", "ind", "corrected")

    assert about(hub, "corrected") == [(None, "no-recipient")]


def test_a_partner_that_has_ended_is_chosen_and_withheld() -> None:
    hub = MemoryHub(configuration(people=ended("maastricht", date(2026, 9, 22))), KEYS, START_MS)
    arrive(hub, id="today")
    hub.now_ms += 86_400_000
    arrive(hub, id="tomorrow")

    assert ("maastricht", "told") in about(hub, "today")
    assert ("maastricht", "partner-ended") in about(hub, "tomorrow")


# --- fields and versions


def test_a_field_that_no_grant_names_never_leaves(hub: MemoryHub) -> None:
    say(hub, "aankomst", "expat-centre", "arrival", {"gemeente": "0935", "bsn": "999990342", "nieuw": 1}, dataref="x")

    assert all(told["data"] == {"gemeente": "0935"} and "dataref" not in told for told in hub.told("maastricht"))


def test_each_partner_gets_the_fields_of_its_own_grant() -> None:
    kinds = types()
    residence, ind = kinds["aankomst"].grants
    other = replace(ind, fields={1: ("/data/doel",)})
    hub = MemoryHub(
        configuration(kinds | {"aankomst": replace(kinds["aankomst"], grants=(residence, other))}), KEYS, START_MS
    )

    say(hub, "aankomst", "expat-centre", "arrival", {"gemeente": "0935", "doel": "gvva"})

    assert (hub.told("maastricht")[0]["data"], hub.told("ind")[0]["data"]) == ({"gemeente": "0935"}, {"doel": "gvva"})


def test_each_partner_reads_the_version_it_pinned_and_the_newest_if_none() -> None:
    hub = MemoryHub(configuration(people=reading("expat-centre", 1)), KEYS, START_MS)
    arrive(hub, "maastricht")

    say(hub, "verhuizing", "heerlen", "old", {"naar": "0917", "van": "0935"})
    new = {"naar": {"code": "0935"}, "van": {"code": "0917"}}
    say(hub, "verhuizing", "maastricht", "new", new, type="nl.proef.verhuizing.v2")

    (to_maastricht,) = (told for told in hub.told("maastricht") if told["id"] == "old")
    assert (to_maastricht["type"], to_maastricht["data"]) == ("nl.proef.verhuizing.v2", {"naar": {"code": "0917"}})
    old, from_new = hub.told("expat-centre")
    assert (old["type"], old["data"]) == ("nl.proef.verhuizing.v1", {"naar": "0917"})
    assert (from_new["type"], from_new["data"]) == ("nl.proef.verhuizing.v1", {"naar": "0935"})
    assert hub.told("heerlen")[0]["data"] == {"naar": {"code": "0935"}}


def test_equal_views_are_encoded_once() -> None:
    hub = MemoryHub(configuration(), KEYS, START_MS)
    say(hub, "artikel", "expat-centre", "article", {"titel": "Welkom"})

    assert hub.inbox("ind")[0].value is hub.inbox("maastricht")[0].value


def test_a_version_without_a_grant_is_withheld() -> None:
    kinds = types()
    move = kinds["verhuizing"]
    bare = replace(move, grants=tuple(replace(grant, fields={2: ("/data/naar",)}) for grant in move.grants))
    hub = MemoryHub(configuration(kinds | {"verhuizing": bare}, reading("expat-centre", 1)), KEYS, START_MS)

    say(hub, "verhuizing", "heerlen", "move", {"naar": "0917", "van": "0935"})

    assert about(hub, "move") == [("maastricht", "told"), ("expat-centre", "not-granted")]


def test_a_version_that_has_ended_is_not_told_any_more() -> None:
    kinds = types()
    move = kinds["verhuizing"]
    versions = {**move.versions, 1: replace(move.versions[1], ended=date(2026, 9, 22))}
    people = reading("expat-centre", 1)
    hub = MemoryHub(configuration(kinds | {"verhuizing": replace(move, versions=versions)}, people), KEYS, START_MS)
    hub.now_ms += 86_400_000

    new = {"naar": {"code": "0917"}, "van": {"code": "0935"}}
    say(hub, "verhuizing", "heerlen", "move", new, type="nl.proef.verhuizing.v2")

    assert about(hub, "move") == [("maastricht", "told"), ("expat-centre", "not-granted")]


# --- references


def test_outside_government_each_partner_knows_a_dossier_by_a_reference_of_its_own(hub: MemoryHub) -> None:
    refer(hub, "aachen", "one")
    refer(hub, "gip", "two")

    (to_aachen,), (to_gip,) = hub.inbox("aachen"), hub.inbox("gip")
    names = {subject(1).encode(), to_aachen.key, to_gip.key}
    assert len(names) == 3
    assert hub.told("aachen")[0]["subject"].encode() == to_aachen.key
    assert [row["reference"].encode() for row in hub.final()] == [to_aachen.key, to_gip.key]


def test_a_dossier_keeps_the_reference_under_which_a_partner_was_told(hub: MemoryHub) -> None:
    refer(hub, "aachen", "one")
    hub.reconfigure(configuration(), ReferenceKeys({**KEYS.numbered, 2: b"x" * 32}))
    refer(hub, "aachen", "two")
    refer(hub, "gip", "three")

    first, second = hub.told("aachen")
    assert first["subject"] == second["subject"]
    dossier = hub.dossier(subject(1))
    assert dossier is not None
    assert {name: told.key for name, told in dossier.told.items()} == {"aachen": 1, "gip": 2}


def test_who_was_told_is_kept_as_first_and_last_and_never_as_a_list(hub: MemoryHub) -> None:
    for number in range(5):
        arrive(hub, id=f"a-{number}")

    dossier = hub.dossier(subject(1))
    assert dossier is not None
    assert dossier.told["ind"].types == {"nl.proef.aankomst": ("hub.journal/0/0", "hub.journal/0/4")}
    assert dossier.told["ind"].reference == subject(1)


# --- the law of the dossier


def test_secrecy_stops_everything_personal_outside_government_at_once(hub: MemoryHub) -> None:
    arrive(hub)
    refer(hub, "aachen", "before")
    say(hub, "inschrijving", "maastricht", "inscribed", {"gemeente": "0935", "geheim": 4})
    refer(hub, "aachen", "after")
    say(hub, "correctie", "expat-centre", "corrected")
    say(hub, "artikel", "expat-centre", "article")

    assert got(hub, "aachen") == ["before", "article"]
    assert ("aachen", "secrecy") in about(hub, "after")
    assert ("aachen", "secrecy") in about(hub, "corrected")
    assert ("ind", "told") in about(hub, "inscribed")


def test_secrecy_that_ends_lets_through_what_comes_after(hub: MemoryHub) -> None:
    for number, secret in enumerate((True, False)):
        say(hub, "inschrijving", "maastricht", f"i-{number}", {"gemeente": "0935", "geheim": secret})
        refer(hub, "aachen", f"r-{number}")

    assert got(hub, "aachen") == ["r-1"]


def test_secrecy_that_cannot_be_read_counts_as_secret(hub: MemoryHub) -> None:
    say(hub, "inschrijving", "maastricht", "i", {"gemeente": "0935", "geheim": "geen"})
    refer(hub)

    assert about(hub, "referral") == [("aachen", "secrecy")]


def test_a_referral_goes_only_to_the_partner_that_its_consent_names(hub: MemoryHub) -> None:
    refer(hub, "gip", "to-gip")
    refer(hub, "aachen", "to-aachen")

    assert (got(hub, "gip"), got(hub, "aachen")) == (["to-gip"], ["to-aachen"])


def test_what_follows_a_referral_goes_to_those_whose_consent_lives(hub: MemoryHub) -> None:
    refer(hub, "gip", "to-gip", until=EARLIER_TIME)
    refer(hub, "aachen", "to-aachen", until=LATER)

    say(hub, "vervolg", "expat-centre", "more", {"naam": "Noor"})

    assert about(hub, "more") == [("gip", "expired"), ("aachen", "told")]


def test_a_consent_that_names_nobody_the_hub_knows_reaches_nobody(hub: MemoryHub) -> None:
    refer(hub, "brussel")

    assert about(hub, "referral") == [(None, "no-recipient")]


def test_a_consent_whose_end_cannot_be_read_has_ended(hub: MemoryHub) -> None:
    refer(hub, "aachen", "one", until="ooit")
    say(hub, "doorverwijzing", "expat-centre", "two", {"partner": "aachen", "naam": "Noor", "tot": 7})

    assert withheld(hub) == [("one", "aachen", "expired"), ("two", "aachen", "expired")]


def test_an_event_is_told_until_it_expires(hub: MemoryHub) -> None:
    refer(hub, "aachen", "late", expirytime="2026-09-21T14:13:20Z")
    refer(hub, "aachen", "just", expirytime="2026-09-21T14:13:20.001Z")

    assert about(hub, "late") == [("aachen", "expired")]
    assert about(hub, "just") == [("aachen", "told")]


def test_a_withdrawal_reaches_exactly_those_who_were_told_and_ends_the_consent(hub: MemoryHub) -> None:
    refer(hub, "aachen", "one")
    refer(hub, "gip", "two")

    say(hub, "intrekking", "expat-centre", "withdrawn", {"verwijzing": "one"})
    say(hub, "vervolg", "expat-centre", "more")

    assert got(hub, "aachen") == ["one", "withdrawn"]
    assert got(hub, "gip") == ["two", "withdrawn"]
    assert about(hub, "more") == [("aachen", "consent-withdrawn"), ("gip", "consent-withdrawn")]


def test_a_withdrawal_that_names_a_partner_ends_that_consent_alone(hub: MemoryHub) -> None:
    refer(hub, "aachen", "one")
    refer(hub, "gip", "two")

    say(hub, "intrekking", "expat-centre", "withdrawn", {"partner": "gip"})
    say(hub, "vervolg", "expat-centre", "more")

    assert about(hub, "more") == [("aachen", "told"), ("gip", "consent-withdrawn")]


def test_a_withdrawal_reaches_those_told_also_of_a_secret_dossier(hub: MemoryHub) -> None:
    refer(hub)
    say(hub, "inschrijving", "maastricht", "inscribed", {"gemeente": "0935", "geheim": 7})

    say(hub, "intrekking", "expat-centre", "withdrawn", {"verwijzing": "referral"})

    assert got(hub, "aachen") == ["referral", "withdrawn"]


def test_a_new_consent_after_a_withdrawal_counts(hub: MemoryHub) -> None:
    refer(hub, id="one")
    say(hub, "intrekking", "expat-centre", "withdrawn")
    refer(hub, id="two")

    assert got(hub, "aachen") == ["one", "withdrawn", "two"]


def test_many_consents_stay_few(hub: MemoryHub) -> None:
    for number in range(70):
        refer(hub, f"partner-{number}", f"r-{number}")
    refer(hub, "x" * 65, "too-long")
    refer(hub, "partner-30", "again")

    dossier = hub.dossier(subject(1))
    assert dossier is not None
    assert len(dossier.consents) == 64
    assert list(dossier.consents)[-1] == "partner-30"


# --- commands


def test_a_command_has_no_recipient_and_leaves_one_row(hub: MemoryHub) -> None:
    say(hub, "vrijgegeven", "hub-operator", "order", {"partner": None, "positions": None})

    assert about(hub, "order") == [(None, "command")]
    assert hub.dossier(subject(1)) is None


# --- what must not happen


def test_an_event_of_no_type_ends_the_step_and_says_where_it_stands() -> None:
    stage = DispatchStage(configuration(), KEYS)
    broken = orjson.dumps({**event("document", "ind", 1, "x"), "type": "document"})
    record = InputRecord(Position("hub.journal", 2, 7), None, broken, (), START_MS)

    with pytest.raises(ValueError, match=r"hub\.journal/2/7 has no event type"):
        stage.step(record, lambda _: None, START_MS)


def test_a_view_shows_the_names_of_its_fields_alone() -> None:
    assert repr(View(b"Noor", ("/data/naam",))) == "View(/data/naam)"


# --- the same again


def test_the_same_inputs_give_the_same_bytes() -> None:
    hubs = [MemoryHub(configuration(), KEYS, START_MS) for _ in range(2)]
    for one in hubs:
        arrive(one)
        refer(one)
        say(one, "intrekking", "expat-centre", "withdrawn")

    assert hubs[0].everything() == hubs[1].everything()
    assert violations(hubs[0].books()) == []
