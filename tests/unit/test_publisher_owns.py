"""A municipality speaks for itself alone: two of them claim one dossier, and neither can take it unseen."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.configuration import load
from expathub.configuration.sampling import Wish, sample
from expathub.core.accounting import violations
from expathub.core.catalogue import EventType
from expathub.core.configuration import Configuration
from expathub.shipped import shipped
from expathub.testing.in_memory import MemoryHub
from expathub.testing.small_world import KEYS, START_MS

TODAY = date(2026, 11, 24)
DOSSIER = "3f1c7a52-8d0e-4b6a-9c2f-5e7d1a9b4c60"
INSCRIBED = "nl.brp.ingeschreven.immigratie"
MOVED = "nl.brp.verhuisd.intergemeentelijk"
MOVED_WITHIN = "nl.brp.verhuisd.binnengemeentelijk"
ARRIVAL = "nl.expats.aankomst-aangemeld"
PERMIT = "nl.verblijfsvergunningen.vergunning-verleend"


@cache
def configuration() -> Configuration:
    return load(shipped("deploy", "partners.yaml"), shipped("schemas"))


OWNED = [
    (kind.name, major)
    for kind in configuration().catalogue.types.values()
    if kind.publisher_owns
    for major in kind.versions
]
TOWNS = {one.id: one.municipality or "" for one in configuration().partners.by_id.values() if one.municipality}


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(configuration(), KEYS, START_MS)


def said(name: str, partner: str, major: int | None = None, seed: int = 0) -> dict[str, Any]:
    """Invent an event about the one dossier, as this partner says it."""
    wish = Wish(name, major, seed=seed, subject=DOSSIER, publisher=partner)
    return next(iter(sample(configuration(), wish, TODAY)))


def naming(event: dict[str, Any], kind: EventType, major: int, code: str) -> dict[str, Any]:
    """Let an event name another municipality in the field that its publisher must own."""
    assert kind.publisher_owns is not None
    *path, last = kind.publisher_owns[major].removeprefix("/data/").split("/")
    place = event["data"]
    for part in path:
        place = place[part]
    place[last] = code
    return event


def told(hub: MemoryHub, partner: str, name: str) -> int:
    return sum(event["type"].startswith(f"{name}.v") for event in hub.told(partner))


@pytest.mark.parametrize(("name", "major"), OWNED)
def test_nobody_speaks_for_another_in_any_type_and_version(name: str, major: int, hub: MemoryHub) -> None:
    kind = configuration().catalogue.types[name]

    hub.publish("maastricht", naming(said(name, "maastricht", major), kind, major, TOWNS["heerlen"]))

    (receipt,) = hub.receipts("maastricht")
    assert kind.publisher_owns is not None
    assert (receipt["code"], receipt["pointer"]) == ("not-your-municipality", kind.publisher_owns[major])
    assert hub.records("hub.journal") == ()
    assert all(not hub.told(partner) for partner in TOWNS)


@settings(max_examples=60, deadline=None)
@given(
    owned=st.sampled_from(OWNED),
    speaker=st.sampled_from(sorted(TOWNS)),
    claimed=st.sampled_from(sorted({*TOWNS.values(), "1711", "0363"})),
    seed=st.integers(0, 50),
)
def test_an_event_is_accepted_when_and_only_when_it_names_its_speaker(
    owned: tuple[str, int], speaker: str, claimed: str, seed: int
) -> None:
    name, major = owned
    hub = MemoryHub(configuration(), KEYS, START_MS)
    kind = configuration().catalogue.types[name]

    hub.publish(speaker, naming(said(name, speaker, major, seed), kind, major, claimed))

    assert len(hub.records("hub.journal")) == (1 if claimed == TOWNS[speaker] else 0)
    assert violations(hub.books()) == []


def test_who_claims_a_dossier_for_itself_is_believed_and_the_other_is_told_at_once(hub: MemoryHub) -> None:
    hub.publish("heerlen", said(INSCRIBED, "heerlen"))
    hub.publish("maastricht", said(INSCRIBED, "maastricht"))

    assert hub.receipts("maastricht") == []
    assert told(hub, "heerlen", INSCRIBED) == 1
    (claim,) = hub.told("heerlen")
    assert claim["data"]["gemeentecode"] == TOWNS["maastricht"]


def test_a_claim_cannot_hide_whom_it_takes_the_dossier_from(hub: MemoryHub) -> None:
    hub.publish("heerlen", said(INSCRIBED, "heerlen"))
    move = said(MOVED, "maastricht", 2)
    move["data"]["van"]["gemeentecode"] = TOWNS["vaals"]  # not where the newcomer was
    hub.publish("maastricht", move)

    assert told(hub, "heerlen", MOVED) == 1
    assert told(hub, "vaals", MOVED) == 0


def test_a_claim_gives_nothing_of_what_was_told_before(hub: MemoryHub) -> None:
    arrival = said(ARRIVAL, "expat-centre")
    arrival["data"]["gemeentecode"] = TOWNS["heerlen"]
    hub.publish("expat-centre", arrival)
    hub.publish("ind", said(PERMIT, "ind"))
    hub.publish("maastricht", said(INSCRIBED, "maastricht"))

    assert (told(hub, "heerlen", ARRIVAL), told(hub, "heerlen", PERMIT)) == (1, 1)
    assert hub.told("maastricht") == []
    assert told(hub, "heerlen", INSCRIBED) == 1


def test_two_that_take_turns_are_told_of_each_other_every_time(hub: MemoryHub) -> None:
    for turn in range(3):
        hub.publish("heerlen", said(INSCRIBED, "heerlen", seed=turn))
        hub.publish("maastricht", said(INSCRIBED, "maastricht", seed=turn))

    assert told(hub, "heerlen", INSCRIBED) == 3
    assert told(hub, "maastricht", INSCRIBED) == 2
    assert violations(hub.books()) == []


def test_an_event_without_effect_on_the_residence_moves_nobody(hub: MemoryHub) -> None:
    hub.publish("heerlen", said(INSCRIBED, "heerlen"))
    hub.publish("maastricht", said(MOVED_WITHIN, "maastricht"))
    hub.publish("ind", said(PERMIT, "ind"))

    assert told(hub, "heerlen", PERMIT) == 1
    assert hub.told("maastricht") == []
