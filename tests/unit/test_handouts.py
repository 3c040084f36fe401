"""What partners get to read is what they get: closed schemas, the catalogue as a page, AsyncAPI."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import jsonschema_rs
import pytest

from expathub.configuration import load
from expathub.configuration.sampling import Wish, sample
from expathub.configuration.tables import shipped_tables
from expathub.core.catalogue import SelectorKind
from expathub.core.lens import UnreachableError, carry
from expathub.core.minimise import minimise
from expathub.core.partners import Partner
from expathub.core.values.formats import formats
from expathub.handouts.views import View, granted, views
from expathub.shipped import shipped

CONFIGURATION = load(shipped("deploy", "partners.yaml"), shipped("schemas"))
PARTNERS = CONFIGURATION.partners.by_id
TODAY = date(2026, 11, 1)


def validator(schema: Any) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, formats=formats(shipped_tables()))


def events(view: View) -> list[dict[str, Any]]:
    """Return events of the type as partners send them, in all majors, and the examples."""
    name = view.kind.name
    found = [
        json.loads(file.read_text("utf-8")) for file in sorted(shipped("schemas").glob(f"{name}/examples/v*/*.json"))
    ]
    for major, version in view.kind.versions.items():
        if version.ended is None and view.kind.publishers:
            found += sample(CONFIGURATION, Wish(name, major, 10), TODAY)
    return found


def told(view: View, event: dict[str, Any]) -> dict[str, Any] | None:
    """Return an event as it comes to the partner's inbox; None where no lens carries it."""
    source = int(event["type"].rpartition(".v")[2])
    try:
        data = carry(view.kind.lenses, event["data"], source, view.major)
    except UnreachableError:
        return None
    attributes = {name: value for name, value in event.items() if name != "data"}
    kept = minimise(attributes, data, view.fields)
    fixed: dict[str, Any] = {
        name: event[name] for name in ("specversion", "id", "source", "time", "datacontenttype") if name in event
    }
    return {**fixed, **kept.extensions, "type": view.name, "subject": event["subject"], "data": kept.data}


@pytest.mark.parametrize("partner", ["expat-centre", "ind", "heerlen", "aachen", "gip", "portal"])
def test_what_comes_to_an_inbox_is_valid_by_the_schema_that_the_partner_was_given(partner: str) -> None:
    shown = list(views(CONFIGURATION, PARTNERS[partner]))
    assert shown
    for view in shown:
        check = validator(view.schema)
        came = [one for event in events(view) if (one := told(view, event)) is not None]
        assert came
        for event in came:
            assert check.is_valid(event), (view.name, str(view.grant.selector), next(check.iter_errors(event)).message)
            assert not check.is_valid({**event, "data": {**event["data"], "onbekend": 1}})


def names(schema: Any) -> set[str]:
    """Collect the names of all members that a schema knows."""
    if isinstance(schema, list):
        return set().union(*map(names, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", ())).union(*map(names, schema.values()))


def test_no_number_of_persons_is_in_a_schema_for_anybody_outside_government() -> None:
    for partner in PARTNERS.values():
        if partner.is_outside_government:
            known = set().union(*(names(view.schema) for view in views(CONFIGURATION, partner)))
            assert known.isdisjoint({"burgerservicenummer", "vNummer", "aNummer", "dataref"}), partner.id


def test_whom_a_selector_can_never_choose_is_shown_nothing_by_it() -> None:
    stranger = Partner("x", "X", frozenset(), "urn:x:y")

    assert {SelectorKind.EARLIER_RECIPIENTS, SelectorKind.EVERYONE} >= {
        view.grant.selector.kind for view in views(CONFIGURATION, stranger)
    }


def test_a_granted_schema_is_closed_and_asks_only_for_what_is_sure() -> None:
    inner = {"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}, "y": {"type": "integer"}}}
    schema = {
        "$schema": "s",
        "type": "object",
        "required": ["a", "b", "list", "either"],
        "properties": {
            "a": {"$ref": "#/$defs/inner", "description": "Beside."},
            "b": {"$ref": "#/$defs/inner"},
            "c": {"type": "string", "x-voorbeeld": "naam", "enum": ["q"]},
            "list": {"type": "array", "maxItems": 3, "minItems": 1, "items": {"$ref": "#/$defs/inner"}},
            "free": {"type": "array", "items": {"$ref": "#/$defs/inner"}},
            "either": {"oneOf": [inner, {**inner, "allOf": [inner]}]},
            "secret": {"type": "string"},
        },
        "$defs": {"inner": inner},
    }
    paths = (("a", "x"), ("b", "y"), ("c",), ("list", "*", "x"), ("free", "*", "y"), ("either", "x"))
    only_x = {
        "type": "object",
        "additionalProperties": False,
        "required": ["x"],
        "properties": {"x": {"type": "string"}},
    }
    only_y = {"type": "object", "additionalProperties": False, "properties": {"y": {"type": "integer"}}}

    assert granted(schema, paths) == {
        "type": "object",
        "additionalProperties": False,
        "required": ["a", "either"],
        "properties": {
            "a": {**only_x, "description": "Beside."},
            "b": only_y,
            "c": {"type": "string", "enum": ["q"]},
            "list": {"type": "array", "maxItems": 3, "items": only_x},
            "free": {"type": "array", "items": only_y},
            "either": {"anyOf": [only_x, {**only_x, "allOf": [only_x]}]},
        },
    }
