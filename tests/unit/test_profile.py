"""The rules of the profile, one by one: what keeps them and what breaks them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from expathub.core import profile
from expathub.core.event import Event, TypeRef, split_type
from expathub.core.reasons import Reason

KEEPS_ALL: dict[str, Any] = {
    "specversion": "1.0",
    "id": "5f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0001",
    "source": "urn:nld:oin:00000099000000935000:systeem:burgerzaken",
    "type": "nl.brp.verhuisd.intergemeentelijk.v2",
    "subject": "3f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0002",
    "time": "2026-01-31T09:30:00.123Z",
    "datacontenttype": "application/json",
    "dataschema": "https://schemas.example/verhuisd/2.json",
    "dataref": "https://brp.example/verhuizingen/1",
    "sequence": "00000000000000000042",
    "expirytime": "2026-02-28T00:00:00Z",
    "dataclassification": "confidential",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "partitionkey": "3f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0002",
}


def event(**changes: Any) -> Event:
    """Make an event with some attributes changed, or left out (None)."""
    attributes = {name: value for name, value in (KEEPS_ALL | changes).items() if value is not None}
    return Event(attributes, {}, orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS))


def test_an_event_that_keeps_all_rules_breaks_none_and_needs_no_advice() -> None:
    assert profile.broken(event()) is None
    assert profile.advice(event()) == ()


def test_only_five_attributes_are_required_and_the_type_of_the_payload() -> None:
    required = {"specversion", "id", "source", "type", "subject"}
    optional = KEEPS_ALL.keys() - required

    assert profile.broken(event(**dict.fromkeys(optional))) is None
    for name in required:
        rule = profile.broken(event(**{name: None}))
        assert rule is not None
        assert f"profile-{name}" == rule.reason.value


KEPT: dict[str, list[str]] = {
    "id": ["x", "A234-1234-1234", "urn:uuid:0", "€" * 255],
    "source": [
        "urn:nld:oin:00000001823288444000:systeem:BRP-component",
        "urn:nld:kvknr:09220932.burgerzakensysteem",
        "urn:nld:kvknr:09220932",
        *("https://aachen.example/newcomer-service", "urn:example:hasselt:onthaal", "mailto:a@b.example"),
    ],
    "type": ["nl.expats.aankomst-aangemeld.v1", "nl.brp.ingeschreven.immigratie.v12", "de.example.zuzug.v1"],
    "time": [
        *("2026-01-31T09:30:00Z", "2024-02-29T23:59:59+01:00", "2026-12-31T00:00:00.123456789-00:00"),
        *("0001-01-01T00:00:00Z", "9998-12-31T23:59:59-23:59", "1970-01-01T00:00:00.0Z"),
    ],
    "datacontenttype": [
        *(
            "application/json",
            "Application/JSON",
            "application/json; charset=UTF-8",
            'application/json;charset="utf-8"',
        ),
        "application/geo+json",
    ],
    "dataschema": ["urn:example:schema:1", "https://schemas.example/a%20b.json#x"],
    "dataref": ["/verhuizingen/1", "https://brp.example:8443/1?a=b@c", "//brp.example/1", "x"],
    "sequence": ["1", "a", "0" * 20],
    "expirytime": ["2026-01-31T09:30:00+02:00"],
    "dataclassification": ["public", "internal", "restricted"],
}

BROKEN: dict[str, list[str]] = {
    "specversion": ["0.3", "1.1", "1", "", "1.0 "],
    "id": ["", "x" * 256, "1.2", "x" * 1_024],
    "source": [
        *("", "/relative", "brp", "urn:nld:oin:000000990000009350000:systeem:x", "urn:nld:gemeente-x.systeem"),
        *("urn:nld:oin:00000099000000935000", "urn:nld:oin:00000099000000935000:systeem:", "URN:NLD:x", "urn:nld:"),
        *("urn:nld:kvknr:0922093", "https://user:pass@aachen.example/", "https://aachen.example/a b", "https:"),
        *("x:" + "y" * 254, "https://aachen.example/%zz", "urn:example: x", "https://aachen.example/é"),
    ],
    "type": [
        *("", "verhuisd.v1", "nl.verhuisd.v1", "nl.brp.verhuisd", "nl.brp.verhuisd.v0", "nl.brp.verhuisd.v01"),
        *("nl.BRP.verhuisd.v1", "NL.brp.verhuisd.v1", "nl.brp.verhuisd.v1.v2", "nl.brp.v1.verhuisd.v2", "nl.brp..x.v1"),
        *(
            "nl.brp.verhuisd.V1",
            "nl.brp.verhuisd.v1 ",
            "nl.brp.-x.v1",
            "nl.brp.x-.v1",
            "nl.a.b.c.d.e.f.v1",
            "v1.a.b.v1",
        ),
        *("nl.brp.verhuisd.v10000", "nl.brp." + "x" * 250 + ".v1", "nl.brp.999990342.v1", "nl.brp.verhuisd.1.0.v1"),
    ],
    "subject": [
        *("", "999990342", "3F0C5A1E-3B0E-4C1D-9A55-3A3A5B6B0002", "3f0c5a1e3b0e4c1d9a553a3a5b6b0002", "dossier-1"),
        *("00000000-0000-0000-0000-000000000000", "{3f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0002}"),
    ],
    "time": [
        *("", "2026-01-31", "2026-01-31T09:30:00", "2026-01-31T09:30Z", "2026-01-31 09:30:00Z", "2026-01-31t09:30:00z"),
        *("2026-01-31T24:00:00Z", "2026-06-30T23:59:60Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z"),
        *("2026-00-10T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z"),
        *("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-31T09:60:00Z", "2026-01-31T09:30:00+24:00"),
        *("2026-01-31T09:30:00+0100", "2026-01-31T09:30:00+01", "2026-01-31T09:30:00.Z", "2026-01-31T09:30:00,5Z"),
        *("2026-01-31T09:30:00.1234567890Z", "20260131T093000Z", "2026-W05-6T09:30:00Z", "+2026-01-31T09:30:00Z"),
        *(
            "1769851800",
            "\u0662\u0660\u0662\u0666-01-31T09:30:00Z",
            "2026-01-31T09:30:00Z\n",
            "2026-01-31T09:30:00+01:60",
        ),
    ],
    "datacontenttype": [
        *("", "text/plain", "application/xml", "application/json; charset=latin-1", "application/json; charset=utf-7"),
        *("application/cloudevents+json", "application/json; version=1", "json", "application/" + "x" * 250 + "+json"),
        "application/json, application/json",
    ],
    "dataschema": [
        "",
        "/schemas/1.json",
        "schemas",
        "https://u:p@schemas.example/1",
        "http://schemas.example/1.json",
        "file:///etc/passwd",
        "https://x.example/" + "x" * 2_048,
    ],
    "dataref": [
        "",
        "https://u@brp.example/1",
        "//u:p@brp.example/1",
        "https://brp.example/a b",
        "%",
        "\\\\server\\share",
    ],
    "sequence": [""],
    "sequencetype": ["", "String"],
    "expirytime": ["", "2026-01-31", "tomorrow"],
    "dataclassification": ["", "secret", "Public"],
}


def cases(table: dict[str, list[str]]) -> list[Any]:
    """List the cases of a table by attribute and number."""
    return [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in table.items()
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(("name", "value"), cases(KEPT))
def test_a_value_that_keeps_its_rule(name: str, value: str) -> None:
    assert profile.broken(event(**{name: value})) is None


@pytest.mark.parametrize(("name", "value"), cases(BROKEN))
def test_a_value_that_breaks_its_rule(name: str, value: str) -> None:
    rule = profile.broken(event(**{name: value}))

    assert rule is not None
    assert f"profile-{name}" == rule.reason.value


@pytest.mark.parametrize("sequence", ["1", "2147483647", "-2147483648", "00000000000000000042"])
@pytest.mark.parametrize("kind", ["Integer", "integer"])
def test_a_sequence_of_integers_holds_integers_of_32_bits(sequence: str, kind: str) -> None:
    assert profile.broken(event(sequence=sequence, sequencetype=kind)) is None


@pytest.mark.parametrize("sequence", ["a", "2147483648", "1.0", "", "-", None])
def test_another_sequence_than_its_sequencetype_says_is_refused(sequence: str | None) -> None:
    rule = profile.broken(event(sequence=sequence, sequencetype="Integer"))

    assert rule is not None
    assert rule.reason is Reason.PROFILE_SEQUENCE


def test_the_first_rule_that_is_broken_is_named() -> None:
    rule = profile.broken(event(specversion="0.3", id="", time="x"))

    assert rule is not None
    assert rule.number == 1


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (14, {"id": "A234-1234-1234"}),
        (15, {"source": "https://aachen.example/newcomer-service"}),
        (15, {"source": "urn:nld:oin:00000077000000935000:systeem:x"}),
        (16, {"type": "de.example.zuzug.v1"}),
        (17, {"time": "2026-01-31T09:30:00+01:00"}),
        (17, {"time": None}),
        (18, {"datacontenttype": "application/geo+json"}),
        (19, {"dataschema": None}),
        (20, {"sequence": "42"}),
        (20, {"sequence": "00000000000000000042", "sequencetype": "Integer"}),
        (21, {"traceparent": "00-0-0-0"}),
        (22, {"partitionkey": "another"}),
        (23, {"dataref": "x" * 65_536}),
    ],
)
def test_advice_is_given_and_refuses_nothing(number: int, changes: dict[str, Any]) -> None:
    assert [number] == [rule.number for rule in profile.advice(event(**changes))]


def test_what_is_absent_needs_no_advice_where_it_is_optional() -> None:
    bare = event(sequence=None, traceparent=None, partitionkey=None, source="urn:nld:kvknr:09220932")

    assert profile.advice(bare) == ()


def test_a_type_is_its_name_and_its_major_version() -> None:
    assert TypeRef("nl.brp.verhuisd.intergemeentelijk", 2) == split_type("nl.brp.verhuisd.intergemeentelijk.v2")
    assert str(split_type("nl.brp.verhuisd.intergemeentelijk.v2")) == "nl.brp.verhuisd.intergemeentelijk.v2"
    assert split_type("nl.brp.verhuisd.intergemeentelijk") is None
