"""Both stages with the catalogue and the partners that the hub ships: what they say is what the stages do."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from expathub.configuration import load
from expathub.core.accounting import violations
from expathub.core.configuration import Configuration
from expathub.core.event import split_type
from expathub.core.refusing import RECEIPT_TYPE
from expathub.shipped import shipped
from expathub.testing.in_memory import MemoryHub
from expathub.testing.small_world import KEYS, START_MS

NEWCOMER = "3f1c7a52-8d0e-4b6a-9c2f-5e7d1a9b4c60"


@cache
def configuration() -> Configuration:
    return load(shipped("deploy", "partners.yaml"), shipped("schemas"))


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(configuration(), KEYS, START_MS)


def example(type_name: str, major: int, file: str, **changes: Any) -> dict[str, Any]:
    """Read a good example of the catalogue, about the newcomer of these tests."""
    path = shipped("schemas") / type_name / "examples" / f"v{major}" / f"{file}.json"
    event: dict[str, Any] = orjson.loads(path.read_bytes())
    data = {**event["data"], **changes.pop("data", {})}
    return {**event, "subject": NEWCOMER, **changes, "data": data}


def source(partner: str) -> str:
    return configuration().partners.by_id[partner].source


def got(hub: MemoryHub, partner: str) -> list[str]:
    return [told["type"] for told in hub.told(partner)]


def name_of(path: Path) -> str:
    return str(path.relative_to(shipped("schemas")))


def examples(kind: str) -> list[Path]:
    return sorted(shipped("schemas").glob(f"*/examples/{kind}/*.json"))


@pytest.mark.parametrize("path", examples("v[0-9]*"), ids=name_of)
def test_every_good_example_is_accepted_from_its_sender_and_accounted_for(path: Path, hub: MemoryHub) -> None:
    event = orjson.loads(path.read_bytes())
    reference = split_type(event["type"])
    assert reference is not None
    senders = [
        partner.id
        for partner in configuration().partners.by_id.values()
        if partner.source == event["source"]
        and partner.roles & configuration().catalogue.types[reference.name].publishers
    ]

    for sender in senders:  # none for what only the hub itself says
        hub.publish(sender, event)

    assert len(hub.records("hub.journal")) == len(senders)
    assert violations(hub.books()) == []


@pytest.mark.parametrize("path", examples("refused"), ids=name_of)
def test_every_refused_example_is_refused_as_it_says_and_the_receipt_keeps_its_schema(
    path: Path, hub: MemoryHub
) -> None:
    refused = orjson.loads(path.read_bytes())

    hub.publish(refused["publisher"], refused["event"])

    (receipt,) = hub.receipts(refused["publisher"])
    assert (receipt["code"], receipt["pointer"]) == (refused["expect"], refused["pointer"])
    reference = split_type(RECEIPT_TYPE)
    assert reference is not None
    assert configuration().catalogue.types[reference.name].versions[reference.major].validate(receipt) is None


def test_a_permit_before_the_arrival_reaches_the_first_municipality_in_order(hub: MemoryHub) -> None:
    hub.publish("ind", example("nl.verblijfsvergunningen.vergunning-verleend", 1, "kennismigrant"))
    arrival = example("nl.expats.aankomst-aangemeld", 1, "kennismigrant-met-gezin", data={"gemeentecode": "0981"})
    hub.publish("expat-centre", arrival)

    assert got(hub, "vaals") == [
        "nl.verblijfsvergunningen.vergunning-verleend.v1",
        "nl.expats.aankomst-aangemeld.v1",
    ]
    assert violations(hub.books()) == []


def test_a_date_that_the_older_version_cannot_say_waits_for_that_municipality_alone(hub: MemoryHub) -> None:
    arrival = example("nl.expats.aankomst-aangemeld", 1, "kennismigrant-met-gezin", data={"gemeentecode": "1729"})
    hub.publish("expat-centre", arrival)
    move = example("nl.brp.verhuisd.intergemeentelijk", 2, "dag-onbekend", source=source("heerlen"))
    move["data"] |= {"van": {"gemeentecode": "1729"}, "naar": {"gemeentecode": "0917"}}
    hub.publish("heerlen", move)

    assert [(row.partner, row.held) for row in hub.waiting()] == [("gulpen-wittem", "unreachable-version")]
    assert got(hub, "expat-centre") == ["nl.brp.verhuisd.intergemeentelijk.v2"]


def test_a_referral_leaves_the_country_with_consent_and_its_withdrawal_follows(hub: MemoryHub) -> None:
    hub.publish("expat-centre", example("nl.expats.doorverwijzing-aangemaakt", 1, "naar-aachen"))
    hub.publish("expat-centre", example("nl.expats.toestemming-ingetrokken", 1, "alles"))

    assert got(hub, "aachen") == [
        "nl.expats.doorverwijzing-aangemaakt.v1",
        "nl.expats.toestemming-ingetrokken.v1",
    ]
    assert got(hub, "hasselt") == []
    assert all(NEWCOMER.encode() not in (record.value or b"") for record in hub.inbox("aachen"))


def test_of_a_secret_dossier_nothing_leaves_the_country(hub: MemoryHub) -> None:
    inscribed = example("nl.brp.ingeschreven.immigratie", 1, "geheim")
    people = configuration().partners.by_id.values()
    (sender,) = (one.id for one in people if one.source == inscribed["source"] and one.municipality)
    hub.publish(sender, inscribed)
    hub.publish("expat-centre", example("nl.expats.doorverwijzing-aangemaakt", 1, "naar-aachen"))

    assert hub.receipts(sender) == hub.receipts("expat-centre") == []
    assert hub.inbox("aachen") == ()
    assert [row["withheld"] for row in hub.final() if "withheld" in row] == ["secrecy"]
