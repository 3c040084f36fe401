"""What partners get to read is what they get: closed schemas, the catalogue as a page, AsyncAPI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from expathub.cli.main import main
from expathub.configuration import load
from expathub.configuration.sampling import Wish, sample
from expathub.configuration.tables import shipped_tables
from expathub.core.catalogue import SelectorKind
from expathub.core.lens import UnreachableError, carry
from expathub.core.minimise import minimise
from expathub.core.partners import Partner
from expathub.core.values.formats import formats
from expathub.handouts.blocks import markdown
from expathub.handouts.catalogue_page import Writer
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


# --- pages -------------------------------------------------------------------------------------------------------

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("EXPATHUB_PARTNERS", str(shipped("deploy", "partners.yaml")))
    monkeypatch.setenv("EXPATHUB_SCHEMAS", str(shipped("schemas")))

    def run_it(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            main(["schemas", *arguments])
        return int(end.value.code or 0), capsys.readouterr().out

    return run_it


class Outline(HTMLParser):
    """Collects what a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.language, self.headings, self.tables, self.captions, self.open = "", list[int](), 0, 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.language = str(dict(attrs).get("lang")) if tag == "html" else self.language
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.open += [tag] if tag not in {"meta", "br"} else []

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("partner", [[], ["--partner", "heerlen"]], ids=["all", "heerlen"])
def test_a_page_can_be_read_with_a_screen_reader(run: Run, language: str, partner: list[str]) -> None:
    code, out = run("docs", "--format", "html", "--language", language, *partner)
    outline = Outline()
    outline.feed(out)

    assert (code, outline.language, outline.open) == (0, language, [])
    assert outline.tables == outline.captions > 0
    assert 1 == outline.headings[0] == outline.headings.count(1)
    assert all(after <= before + 1 for before, after in pairwise(outline.headings))


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_catalogue_names_every_type_field_ground_and_purpose(run: Run, language: str) -> None:
    out = run("docs", "--language", language)[1]

    for kind in CONFIGURATION.catalogue.types.values():
        assert f"## {kind.title[language]} ({kind.name})" in out
        for grant in kind.grants:
            assert grant.ground in out
            assert grant.purpose in out
            assert all(field in out for field in grant.fields[kind.newest])


def test_the_changes_of_a_lens_are_told_with_what_it_loses(run: Run) -> None:
    out = run("docs", "--language", "en")[1]

    assert "Both municipalities are objects" in out
    assert "In v1 it cannot be seen that an address is for post only." in out


def test_the_schemas_of_a_partner_are_printed_for_machines(run: Run) -> None:
    rows = json.loads(run("docs", "--partner", "aachen", "--json")[1])

    assert [view.schema for view in views(CONFIGURATION, PARTNERS["aachen"])] == [row["schema"] for row in rows]
    assert rows[0].keys() == {"type", "as", "ground", "schema"}


def test_a_partner_that_gets_nothing_is_told_so(run: Run) -> None:
    nobody = Partner("x", "X", frozenset(), "urn:x:y", reads=dict.fromkeys(CONFIGURATION.catalogue.types, 99))
    shown = markdown(Writer(CONFIGURATION, {}, "en").partner(nobody))

    assert "This partner gets nothing." in shown
    assert run("docs", "--partner", "nobody")[0] == 2
    assert run("docs", "--json")[0] == 2


def test_documents_are_written_into_a_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new"

    assert (0, f"{folder / 'catalogue.nl.md'}\n") == run("docs", "--out", str(folder))
    assert (0, f"{folder / 'ind.en.html'}\n") == run(
        "docs", "--partner", "ind", "--language", "en", "--format", "html", "--out", str(folder)
    )
    assert (0, f"{folder / 'ind.asyncapi.json'}\n") == run("asyncapi", "--partner", "ind", "--out", str(folder))
    assert run("docs", "--out", str(folder / "catalogue.nl.md" / "x"))[0] == 2


# --- AsyncAPI ----------------------------------------------------------------------------------------------------


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (one for key, one in value.items() if key == "$ref" and isinstance(one, str))
        yield from (reference for one in value.values() for reference in references(one))
    elif isinstance(value, list):
        yield from (reference for one in value for reference in references(one))


@pytest.mark.parametrize("arguments", [[], *(["--partner", name] for name in ("heerlen", "expat-centre", "gip"))])
def test_an_asyncapi_document_is_whole(run: Run, arguments: list[str]) -> None:
    document = json.loads(run("asyncapi", *arguments)[1])

    assert document["asyncapi"] == "3.0.0"
    hub = {**document["servers"]["hub"], "pathname": ""}  # FastStream's own model of AsyncAPI 3 wants it
    ApplicationSchema.model_validate({**document, "servers": {"hub": hub}})
    assert {f"#/channels/{name}" for name in document["channels"]} == set(references(document))
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in document["channels"])
    for operation in document["operations"].values():
        address = document["channels"][operation["channel"]["$ref"].rpartition("/")[2]]["address"]
        assert address.startswith("outbox." if operation["action"] == "send" else "inbox.")


def test_examples_are_valid_by_the_payload_that_they_stand_at(run: Run) -> None:
    document = json.loads(run("asyncapi")[1])
    messages = [message for channel in document["channels"].values() for message in channel["messages"].values()]

    shown = [(message, one) for message in messages for one in message.get("examples", ())]
    assert len(shown) > 20
    for message, example in shown:
        assert validator(message["payload"]["schema"]).is_valid(example["payload"])


def test_the_document_of_a_partner_shows_what_it_sends_and_gets_and_nothing_of_others(run: Run) -> None:
    document = json.loads(run("asyncapi", "--partner", "aachen")[1])

    assert {"outbox_aachen", "inbox_aachen"} == set(document["channels"])
    received = document["channels"]["inbox_aachen"]["messages"].values()
    assert [view.schema for view in views(CONFIGURATION, PARTNERS["aachen"])] == [
        message["payload"]["schema"] for message in received
    ]
    assert "hub-operator" not in json.dumps(document)
