"""Sample events: accepted from whom they name, the same for the same arguments, and about nobody real."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub import configuration
from expathub.configuration.inventing import Dice, Scene, inventor
from expathub.configuration.sampling import COUNT_MAX, Wish, sample
from expathub.core.admission import Submission, admit
from expathub.core.configuration import Configuration
from expathub.core.decode import decode
from expathub.core.event import Event
from expathub.core.identifiers import is_bsn
from expathub.core.partners import Partner, Partners, Role
from expathub.core.records import InputRecord, Position
from expathub.errors import MisconfiguredError, UsageError
from expathub.shipped import shipped

TODAY = date(2026, 11, 24)
FOUND = configuration.load(shipped("deploy", "partners.yaml"), shipped("schemas"))
MOVED = "nl.brp.verhuisd.intergemeentelijk"
PUBLISHABLE = [
    (name, major, partner.id)
    for name, event_type in FOUND.catalogue.types.items()
    for major in event_type.versions
    for partner in FOUND.partners.by_id.values()
    if partner.roles & event_type.publishers
]


def samples(type: str = MOVED, found: Configuration = FOUND, **rest: Any) -> list[dict[str, Any]]:
    return list(sample(found, Wish(type, **rest), TODAY))


def refusal(event: Mapping[str, Any]) -> object:
    """Send an event the way of a record, from the partner whose source it names."""
    sender = next(partner for partner in FOUND.partners.by_id.values() if partner.source == event["source"])
    headers = (("content-type", b"application/cloudevents+json"),)
    subject = event["subject"].encode()
    decoded = decode(InputRecord(Position("outbox.x", 0, 0), subject, orjson.dumps(event), headers, 0))
    return admit(Submission.of(decoded, sender, FOUND.catalogue, TODAY)) if isinstance(decoded, Event) else decoded


@pytest.mark.parametrize(("name", "major", "partner"), PUBLISHABLE)
def test_whoever_publishes_whatever_it_is_accepted(name: str, major: int, partner: str) -> None:
    for event in samples(name, version=major, count=3, publisher=partner):
        assert refusal(event) is None
        assert event["type"] == f"{name}.v{major}"
        assert event["source"] == FOUND.partners.by_id[partner].source


@settings(max_examples=50, deadline=None)
@given(
    chosen=st.sampled_from(PUBLISHABLE),
    count=st.integers(1, 4),
    seed=st.integers(-(2**70), 2**70),
    subject=st.none() | st.uuids(version=4),
)
def test_the_same_arguments_give_the_same_bytes(
    chosen: tuple[str, int, str], count: int, seed: int, subject: uuid.UUID | None
) -> None:
    name, major, partner = chosen
    wish = Wish(name, major, count, seed, str(subject) if subject else None, partner)

    once, again = (orjson.dumps(list(sample(FOUND, wish, TODAY))) for _ in range(2))

    assert once == again
    assert all(refusal(event) is None for event in orjson.loads(once))


def test_what_is_left_out_is_the_same_as_what_it_stands_for() -> None:
    assert samples(MOVED) == samples(f"{MOVED}.v2") == samples(MOVED, version=2, publisher="beek", seed=0, count=1)


def test_ids_are_name_based_and_differ_with_every_argument() -> None:
    subject = "2b7e4c1a-90d3-4f5b-8a6e-1c9d0e7f3a52"
    wishes = [
        Wish(MOVED),
        Wish(MOVED, 1),
        Wish(MOVED, count=2),
        Wish(MOVED, seed=1),
        Wish(MOVED, subject=subject),
        Wish(MOVED, publisher="stein"),
        Wish("nl.brp.bsn-toegekend"),
    ]
    ids = [event["id"] for wish in wishes for event in sample(FOUND, wish, TODAY)]

    assert len(set(ids)) == len(ids) == 8
    assert all(uuid.UUID(id).version == 5 for id in ids)


def test_samples_stay_the_same_from_release_to_release() -> None:
    assert samples("nl.expathub.gewist")[0]["id"] == "5c3f3bd5-ff7f-5d46-b08c-3bf91df8b9bb"


def test_each_has_a_dossier_of_its_own_unless_one_is_given() -> None:
    subject = "2B7E4C1A-90D3-4F5B-8A6E-1C9D0E7F3A52"

    assert len({event["subject"] for event in samples(count=20)}) == 20
    assert {event["subject"] for event in samples(count=20, subject=subject)} == {subject.lower()}


def test_a_municipality_names_itself_and_comes_from_elsewhere() -> None:
    for event in samples(publisher="heerlen", count=30):
        assert event["data"]["naar"]["gemeentecode"] == "0917"
        assert event["data"]["van"]["gemeentecode"] != "0917"


def test_codes_are_those_of_partners_and_many_of_them() -> None:
    codes = {event["data"]["gemeentecode"] for event in samples("nl.expats.aankomst-aangemeld", count=200)}

    assert codes <= {partner.municipality for partner in FOUND.partners.by_id.values()}
    assert len(codes) == 16


def moments(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from moments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from moments(inner)
    elif isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}", value):
        yield value


def test_times_lie_in_the_past_and_what_must_still_hold_in_the_future() -> None:
    every = [event for name, major, partner in PUBLISHABLE for event in samples(name, version=major, publisher=partner)]
    years = {moment[:4] for event in every for moment in moments(event["data"])}

    assert {event["time"][:4] for event in every} == {"2025"}
    assert years <= {"2025", "2026", "2040"}
    assert {event["expirytime"][:4] for event in every if "expirytime" in event} == {"2040"}


def test_numbers_of_persons_are_from_the_range_for_tests() -> None:
    numbers = {event["data"]["burgerservicenummer"] for event in samples("nl.brp.bsn-toegekend", count=100)}

    assert len(numbers) > 50
    assert all(number.startswith("99999") and is_bsn(number) for number in numbers)


def test_consents_name_somebody_abroad_or_the_border_information() -> None:
    named = {event["data"]["partner"] for event in samples("nl.expats.doorverwijzing-aangemaakt", count=60)}

    assert named == {"aachen", "hasselt", "gip"}


def test_an_ordinary_move_can_be_read_in_both_versions() -> None:
    assert {event["data"]["datumVan"]["type"] for event in samples(count=30)} == {"Datum"}


def test_a_public_event_carries_no_sign_of_personal_data() -> None:
    event = samples("nl.voorlichting.artikel-gepubliceerd")[0]

    assert event["dataclassification"] == "public"
    assert "dataregulation" not in event


REFUSED = [
    pytest.param(Wish("nl.brp.onbekend"), "no event type nl.brp.onbekend", id="unknown type"),
    pytest.param(Wish("NL.brp verhuisd"), "no event type", id="no type at all"),
    pytest.param(Wish(MOVED, version=3), "has no major 3", id="unknown major"),
    pytest.param(Wish(f"{MOVED}.v3"), "has no major 3", id="unknown major in the name"),
    pytest.param(Wish(f"{MOVED}.v1", version=2), "different majors", id="two majors"),
    pytest.param(Wish(MOVED, publisher="ind"), "ind cannot publish", id="a partner that may not"),
    pytest.param(Wish(MOVED, publisher="mheer"), "no partner mheer", id="no such partner"),
    pytest.param(Wish("nl.expathub.gebeurtenis-geweigerd"), "No partner can publish", id="nobody may"),
    pytest.param(Wish(MOVED, count=0), "between 1 and", id="none"),
    pytest.param(Wish(MOVED, count=COUNT_MAX + 1), "between 1 and", id="too many"),
    pytest.param(Wish(MOVED, subject="999990342"), "not a UUID", id="a subject that is no UUID"),
    pytest.param(Wish(MOVED, subject=str(uuid.UUID(int=0))), "not a UUID", id="the UUID of nobody"),
]


@pytest.mark.parametrize(("wish", "what"), REFUSED)
def test_what_nobody_could_send_is_a_wrong_question(wish: Wish, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        sample(FOUND, wish, TODAY)


def with_partners(*changed: Partner) -> Configuration:
    return dataclasses.replace(FOUND, partners=Partners(1, FOUND.partners.hub_source, {one.id: one for one in changed}))


def test_whoever_has_ended_publishes_no_more() -> None:
    beek, stein = FOUND.partners.by_id["beek"], FOUND.partners.by_id["stein"]
    found = with_partners(dataclasses.replace(beek, ended=TODAY), stein)

    assert samples(found=found)[0]["source"] == stein.source
    with pytest.raises(UsageError, match="These can: stein"):
        samples(found=found, publisher="beek")


def test_a_major_that_has_ended_is_not_sent_and_the_newest_live_one_is_the_default() -> None:
    event_type = FOUND.catalogue.types[MOVED]
    newest = dataclasses.replace(event_type.versions[2], ended=TODAY)
    ended = dataclasses.replace(event_type, versions={**event_type.versions, 2: newest})
    found = dataclasses.replace(FOUND, catalogue=dataclasses.replace(FOUND.catalogue, types={MOVED: ended}))

    assert samples(found=found)[0]["type"] == f"{MOVED}.v1"
    with pytest.raises(UsageError, match=r"Major 2 of .* has ended"):
        samples(found=found, version=2)


def test_a_lonely_municipality_moves_people_to_itself() -> None:
    event = samples(found=with_partners(FOUND.partners.by_id["beek"]))[0]

    assert event["data"]["van"] == event["data"]["naar"] == {"gemeentecode": "0888"}


def test_without_anybody_to_refer_to_there_is_no_referral() -> None:
    with pytest.raises(MisconfiguredError, match="no partner to refer to"):
        samples("nl.expats.doorverwijzing-aangemaakt", found=with_partners(FOUND.partners.by_id["expat-centre"]))


# ---------------------------------------------------------------------------------------------- inventing

SCHEMAS = [
    pytest.param({"type": "number", "minimum": 0.5, "maximum": 1.5}, {1}, id="number"),
    pytest.param({"type": "integer", "exclusiveMinimum": 2, "exclusiveMaximum": 5}, {3, 4}, id="exclusive bounds"),
    pytest.param({"type": "integer", "multipleOf": 10, "minimum": 1, "maximum": 30}, {10, 20, 30}, id="multiples"),
    pytest.param({"type": ["boolean", "null"]}, {True, False}, id="the first of several types"),
    pytest.param({"type": "null"}, {None}, id="null"),
    pytest.param({"enum": ["a", "b"]}, {"a", "b"}, id="enum"),
    pytest.param({"enum": ["a", "b"], "examples": ["b"]}, {"b"}, id="examples win"),
    pytest.param({"oneOf": [{"const": 1}, {"const": 2}]}, {1}, id="the first alternative"),
    pytest.param({"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 4}]}, {3, 4}, id="all together"),
    pytest.param(
        {"$ref": "#/$defs/x", "maximum": 4, "$defs": {"x": {"type": "integer", "minimum": 4}}}, {4}, id="a reference"
    ),
    pytest.param({"type": "string", "maxLength": 1}, set("rglwtsh"), id="short text"),
]


def drawn(schema: Mapping[str, Any], count: int = 200) -> list[Any]:
    make = inventor(schema)
    partner = FOUND.partners.by_id["beek"]
    return [make(Scene((partner,), partner, "x", Dice(str(number)))) for number in range(count)]


@pytest.mark.parametrize(("schema", "values"), SCHEMAS)
def test_values_are_drawn_from_all_that_the_schema_allows(schema: Mapping[str, Any], values: set[Any]) -> None:
    assert set(drawn(schema)) == values


def test_objects_have_what_they_must_and_sometimes_what_they_may() -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"const": 1}, "b": {"const": 2}},
        "allOf": [{"properties": {"c": {"const": 3}}, "required": ["c"]}],
    }

    assert {json.dumps(value, sort_keys=True) for value in drawn(schema)} == {
        '{"a": 1, "b": 2, "c": 3}',
        '{"a": 1, "c": 3}',
    }


def test_lists_keep_their_bounds_and_repeat_nothing_where_they_must_not() -> None:
    schema = {"type": "array", "items": {"enum": [1, 2]}, "minItems": 1, "maxItems": 9, "uniqueItems": True}

    assert {tuple(value) for value in drawn(schema)} == {(1,), (2,), (1, 2), (2, 1)}


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ("date", r"2025-\d\d-\d\d"),
        ("date-time", r"2025-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        ("uuid", r"[0-9a-f-]{14}4[0-9a-f-]{21}"),
        ("email", r"[a-z]+\.\d+@voorbeeld\.example"),
        ("uri", r"https://voorbeeld\.example/[a-z]+"),
    ],
)
def test_formats_are_written_as_they_must_be(written: str, shape: str) -> None:
    assert all(re.fullmatch(shape, value) for value in drawn({"type": "string", "format": written}))


def test_dice_fall_everywhere_and_the_same_for_the_same_seed() -> None:
    dice = Dice("a")

    assert {dice.below(6) for _ in range(200)} == set(range(6))
    assert [Dice("x").below(100) for _ in range(3)] == [Dice("x").below(100)] * 3


def test_one_partner_more_changes_few_picks() -> None:
    codes = [f"{number:04}" for number in range(16)]
    changed = sum(Dice(str(n)).pick_partner(codes) != Dice(str(n)).pick_partner([*codes, "1711"]) for n in range(500))

    assert changed < 70


def test_the_hubs_own_operator_is_no_municipality() -> None:
    assert Role.OPERATOR in FOUND.partners.by_id["hub-operator"].roles
