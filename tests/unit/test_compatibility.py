"""The compatibility gate keeps its word: what it calls compatible is, for every value that anybody thought of."""

from __future__ import annotations

import copy
import json
import os
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from expathub.configuration import load
from expathub.configuration.inventing import Dice, Scene, inventor
from expathub.configuration.judging import judge
from expathub.core.compatibility import inclusion
from expathub.core.compatibility.compare import Verdict, compare, includes
from expathub.core.compatibility.documents import Document, opened
from expathub.core.compatibility.rules import NATIONAL
from expathub.shipped import shipped

Json = Any

EXAMPLES = int(os.environ.get("EXPATHUB_TEST_EXAMPLES", "30"))


def follows(narrow: Json, wide: Json) -> bool | None:
    """Return True where proven, False where refuted by an example, None where undecided."""
    findings = includes(Document(narrow), Document(wide), judge)
    for example in (finding.example for finding in findings if finding.example):
        assert judge(narrow, narrow, example[0])
        assert not judge(wide, wide, example[0])
    return True if not findings else False if any(finding.refuted for finding in findings) else None


# --- soundness ---------------------------------------------------------------------------------------------------

NAMES = ("a", "b", "ab")
TEXTS = ("", "a", "b", "ab", "0", "00", "aaa", "2026-01-31")
NUMBERS = (-1, 0, 1, 2, 3, 1.5, 6)

leaf_values = st.sampled_from([None, True, False, *NUMBERS, *TEXTS])
values = st.recursive(
    leaf_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "c", ""]), inner, max_size=3),
    max_leaves=8,
)

sizes = st.integers(0, 3)
types = st.sampled_from(["null", "boolean", "object", "array", "string", "integer", "number"])
patterns = st.sampled_from(["^a", "b$", "^[ab]*$", "^[0-9]{1,2}$", "a", "^(a|b)$", "^a{1,2}b?$"])


def keyword_schemas(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Make schemas of some keywords each."""
    branches = st.lists(inner, min_size=1, max_size=3)
    members = st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    optional: dict[str, st.SearchStrategy[Json]] = {
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(values, min_size=1, max_size=4),
        "const": values,
        "minimum": st.sampled_from(NUMBERS),
        "maximum": st.sampled_from(NUMBERS),
        "exclusiveMinimum": st.sampled_from(NUMBERS),
        "exclusiveMaximum": st.sampled_from(NUMBERS),
        "multipleOf": st.sampled_from([1, 2, 3, 0.5, 1.5]),
        "minLength": sizes,
        "maxLength": sizes,
        "pattern": patterns,
        "format": st.sampled_from(["date"]),
        "properties": members,
        "patternProperties": st.dictionaries(patterns, inner, max_size=2),
        "additionalProperties": inner,
        "unevaluatedProperties": inner,
        "propertyNames": inner,
        "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        "minProperties": sizes,
        "maxProperties": sizes,
        "dependentRequired": st.dictionaries(
            st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=2, unique=True), max_size=2
        ),
        "dependentSchemas": st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
        "prefixItems": branches,
        "items": inner,
        "unevaluatedItems": inner,
        "contains": inner,
        "minContains": sizes,
        "maxContains": sizes,
        "minItems": sizes,
        "maxItems": sizes,
        "uniqueItems": st.booleans(),
        "allOf": branches,
        "anyOf": branches,
        "oneOf": branches,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "$ref": st.sampled_from(["#/$defs/x", "#/$defs/y"]),
    }
    some = st.lists(st.sampled_from(sorted(optional)), max_size=4, unique=True)
    return some.flatmap(lambda names: st.fixed_dictionaries({name: optional[name] for name in names}))


schemas: st.SearchStrategy[Json] = st.recursive(st.booleans() | st.just({}), keyword_schemas, max_leaves=8)


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """Make a whole document; its definitions refer to each other only through members, so that no circle is idle."""
    root = draw(schemas.filter(lambda schema: isinstance(schema, dict)))
    leaf = {"type": draw(types), "properties": {"a": {"$ref": "#/$defs/x"}}}
    more: dict[str, Json] = draw(st.sampled_from([{}, leaf]))
    return {**root, "$defs": {"x": {"properties": {"b": {"$ref": "#/$defs/y"}}, **more}, "y": leaf}}


def _holders(schema: Json) -> list[dict[str, Json]]:
    found = []
    left = [schema]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            found.append(one)
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
    return found


@st.composite
def edited(draw: st.DrawFn, schema: Json) -> Json:
    """Make another schema of one by a few small edits, so that there is often something to prove."""
    result = copy.deepcopy(schema)
    for _ in range(draw(st.integers(1, 3))):
        holder = draw(st.sampled_from(_holders(result)))
        keys = sorted(key for key in holder if key not in {"$defs", "x", "y", "$ref"})
        if not keys:
            continue
        key = draw(st.sampled_from(keys))
        value = holder[key]
        if isinstance(value, bool):
            holder[key] = True
        elif isinstance(value, int | float):
            holder[key] = max(value + draw(st.sampled_from([-1, 1, 2])), 0 if key.startswith(("min", "max")) else 1)
        elif isinstance(value, list) and len(value) > 1:
            holder[key] = draw(st.permutations(value))[: draw(st.integers(1, len(value)))]
        else:
            del holder[key]
    return result


def is_a_schema(schema: Json) -> bool:
    """Tell whether a document is JSON Schema 2020-12 that the judge takes."""
    try:
        judge(schema, schema, None)
    except Exception:  # noqa: BLE001 (whatever is wrong with it, it is no schema)
        return False
    return True


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.data())
def test_what_is_proven_holds_for_every_value(data: st.DataObject) -> None:
    narrow = data.draw(documents())
    wide = data.draw(edited(narrow) | documents())
    assume(is_a_schema(narrow) and is_a_schema(wide))

    if follows(narrow, wide):
        for value in data.draw(st.lists(values, min_size=20, max_size=40)):
            assert judge(wide, wide, value) or not judge(narrow, narrow, value)


PARTNERS = tuple(load(shipped("deploy", "partners.yaml"), shipped("schemas")).partners.by_id.values())
SHIPPED = sorted(shipped("schemas").glob("*/v*.json"))


@settings(deadline=None, max_examples=EXAMPLES // 4)
@given(st.data())
def test_a_change_of_the_catalogue_that_is_compatible_keeps_both_promises(data: st.DataObject) -> None:
    old = json.loads(data.draw(st.sampled_from(SHIPPED)).read_text("utf-8"))
    new = data.draw(edited(old))
    assume(is_a_schema(new) and isinstance(new.get("properties"), dict))

    if any(change.verdict is not Verdict.COMPATIBLE for change in compare(old, new, judge)):
        return
    for written, read in ((old, new), (new, opened(old))):
        invent = inventor(written)
        for seed in data.draw(st.lists(st.text(), min_size=5, max_size=10)):
            value = invent(Scene(PARTNERS, PARTNERS[0], str(uuid5(NAMESPACE_URL, seed)), Dice(seed)))
            assert judge(read, read, value) or not judge(written, written, value)


# --- verdicts ----------------------------------------------------------------------------------------------------

ANYTHING: Json = True

BASE: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["code"],
    "properties": {
        "code": {"$ref": "#/$defs/code"},
        "soort": {"enum": ["a", "b"]},
        "aantal": {"type": "integer", "minimum": 1, "maximum": 9},
        "lijst": {"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 3},
    },
    "$defs": {"code": {"type": "string", "pattern": "^[0-9]{4}$"}},
}

COMPATIBLE, READERS, WRITERS = Verdict.COMPATIBLE, Verdict.BREAKS_READERS, Verdict.BREAKS_WRITERS


def changed(path: str, value: Json) -> Json:
    """Return the base schema with one place changed; `...` removes it."""
    result = copy.deepcopy(BASE)
    *owners, last = path.strip("/").split("/")
    owner = result
    for name in owners:
        owner = owner[name]
    if value is ...:
        del owner[last]
    else:
        owner[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/properties/nieuw", {"type": "string"}, {("/properties/nieuw", COMPATIBLE)}),
        ("/properties/aantal", ..., {("/properties/aantal", WRITERS)}),
        ("/required", ["code", "soort"], {("/required/1", WRITERS)}),
        ("/required", [], {("/required/0", READERS)}),
        ("/properties/soort/enum", ["a", "b", "c"], {("/properties/soort/enum", READERS)}),
        ("/properties/soort/enum", ["a"], {("/properties/soort/enum", WRITERS)}),
        ("/properties/soort/enum", ["b", "a"], {("/properties/soort/enum", COMPATIBLE)}),
        ("/properties/aantal/maximum", 8, {("/properties/aantal/maximum", WRITERS)}),
        ("/properties/aantal/maximum", 10, {("/properties/aantal/maximum", READERS)}),
        ("/properties/aantal/exclusiveMaximum", 10, {("/properties/aantal/exclusiveMaximum", COMPATIBLE)}),
        ("/$defs/code/pattern", "^[0-8]{4}$", {("/$defs/code/pattern", WRITERS)}),
        ("/$defs/code/pattern", "^[0-9]{4,5}$", {("/$defs/code/pattern", READERS)}),
        ("/$defs/code/pattern", "^\\d\\d\\d\\d$", {("/$defs/code/pattern", COMPATIBLE)}),
        ("/$defs/code/maxLength", 4, {("/$defs/code/maxLength", COMPATIBLE)}),
        ("/$defs/andere", {"type": "null"}, {("/$defs/andere", COMPATIBLE)}),
        ("/properties/lijst/items/maxLength", 4, {("/properties/lijst/items/maxLength", WRITERS)}),
        ("/properties/lijst/maxItems", ..., {("/properties/lijst/maxItems", READERS)}),
        ("/additionalProperties", ..., {("/additionalProperties", COMPATIBLE)}),
        ("/properties/code/description", "Anders gezegd.", {("/properties/code/description", COMPATIBLE)}),
        ("/properties/code/title", "Anders gezegd.", {("/properties/code/title", COMPATIBLE)}),
        ("/properties/soort", True, {("/properties/soort/enum", READERS)}),
        ("/properties/aantal/type", "number", {("/properties/aantal/type", READERS)}),
        (
            "/properties/aantal/type",
            "string",
            {("/properties/aantal/type", READERS), ("/properties/aantal/type", WRITERS)},
        ),
    ],
)
def test_a_change_has_a_verdict_at_its_place(path: str, value: Json, expected: set[tuple[str, Verdict]]) -> None:
    found = compare(BASE, changed(path, value), judge)

    assert expected == {(change.pointer, change.verdict) for change in found}
    assert all(change.change and change.reason for change in found)


def test_an_alternative_comes_or_goes() -> None:
    one: Json = {"oneOf": [{"type": "string"}]}
    two: Json = {"oneOf": [{"type": "string"}, {"type": "null"}]}

    assert [("/oneOf", READERS)] == [(change.pointer, change.verdict) for change in compare(one, two, judge)]
    assert [("/oneOf", WRITERS)] == [(change.pointer, change.verdict) for change in compare(two, one, judge)]


def test_a_schema_is_read_openly_but_for_what_excludes() -> None:
    closed: Json = {"additionalProperties": False, "unevaluatedProperties": False}
    schema: Json = {**closed, "properties": {"a": closed, "b": True}, "items": closed, "anyOf": [closed], "not": closed}

    assert {"properties": {"a": {}, "b": True}, "items": {}, "anyOf": [{}], "not": closed} == opened(schema)


def test_nothing_changes_from_a_schema_to_itself_however_it_is_laid_out() -> None:
    assert [] == compare(BASE, json.loads(json.dumps(BASE, sort_keys=True)), judge)
    assert [] == compare(ANYTHING, ANYTHING, judge)


def test_a_schema_becomes_a_boolean() -> None:
    assert [("/const", READERS)] == [(one.pointer, one.verdict) for one in compare({"const": 1}, ANYTHING, judge)]


TREE: Json = {
    "$ref": "#/$defs/tak",
    "$defs": {
        "tak": {
            "type": "object",
            "properties": {"waarde": {"type": "integer"}, "links": {"$ref": "#/$defs/tak"}},
            "additionalProperties": False,
        }
    },
}


def test_references_in_a_circle_come_to_an_end() -> None:
    wider = copy.deepcopy(TREE)
    wider["$defs"]["tak"]["properties"]["waarde"] = {"type": "number"}
    longer = copy.deepcopy(TREE)
    longer["$defs"]["tak"]["properties"]["rechts"] = {"$ref": "#/$defs/tak"}

    assert follows(TREE, wider)
    assert follows(wider, TREE) is False
    assert {COMPATIBLE} == {change.verdict for change in compare(TREE, longer, judge)}
    assert [("/$defs/tak/properties/waarde/type", READERS)] == [
        (change.pointer, change.verdict) for change in compare(TREE, wider, judge)
    ]


def test_a_circle_about_the_very_same_value_proves_nothing() -> None:
    idle = {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}},
    }

    assert includes(Document({"type": "string"}), Document(idle), lambda *_: True)


@pytest.mark.parametrize("keyword", ["$dynamicRef", "$recursiveRef"])
def test_what_the_gate_cannot_follow_is_said_to_be_undecidable(keyword: str) -> None:
    found = compare({"type": "string"}, {"properties": {"a": {keyword: "#"}}}, judge)

    assert [Verdict.UNDECIDABLE] == [change.verdict for change in found]
    assert keyword in found[0].reason


@pytest.mark.parametrize(
    "reference", ["https://elders.example/schema.json", "#naam", "#/$defs/geen", "#/a%20b", "#/type/0/x"]
)
def test_a_reference_that_leads_nowhere_is_undecidable(reference: str) -> None:
    wide = Document({"type": "string", "$ref": reference})

    findings = includes(Document({"type": "string"}), wide, lambda *_: True)

    assert [("/$ref", False)] == [(one.pointer, one.refuted) for one in findings]


def test_what_takes_too_long_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inclusion.Prover.__init__, "__defaults__", (0,))

    found = compare(BASE, changed("/properties/soort/enum", ["a"]), judge)

    assert Verdict.UNDECIDABLE in {change.verdict for change in found}


def test_a_number_of_persons_keeps_its_test() -> None:
    with_test = {"type": "string", "x-nationaal-nummer": "bsn", "pattern": "^[0-9]{9}$"}
    without = {"type": "string", "pattern": "^[0-9]{9}$"}

    assert follows(with_test, without)
    assert follows(with_test, dict(with_test, title="x"))
    assert not follows(without, with_test)


OBJECT, ARRAY = {"type": "object"}, {"type": "array"}
LETTERS = {"type": "array", "items": {"enum": ["a", "b"]}}


WORDS = {True: "follows", False: "refuted", None: "undecided"}


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        # values and types
        ({"const": 1}, {"enum": [1, 2]}, "follows"),
        ({"enum": [1, "a"]}, {"type": "integer"}, "refuted"),
        ({"type": ["null", "boolean"]}, {"enum": [None, True, False]}, "follows"),
        ({"type": "integer", "minimum": 0, "maximum": 2}, {"enum": [0, 1, 2]}, "follows"),
        ({"type": "integer", "minimum": 0, "maximum": 200}, {"enum": [0, 1, 2]}, "refuted"),
        ({"type": "number", "multipleOf": 2}, {"type": "integer"}, "follows"),
        ({"multipleOf": 3, "allOf": [{"multipleOf": 5}], "type": "integer"}, {"multipleOf": 15}, "follows"),
        ({"type": "number"}, {"multipleOf": 0.5}, "refuted"),
        (
            {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 900},
            {"minimum": 1, "maximum": 899},
            "follows",
        ),
        ({"type": "number", "exclusiveMinimum": 0}, {"exclusiveMinimum": 0}, "follows"),
        ({"type": "number", "minimum": 0}, {"exclusiveMinimum": 0}, "refuted"),
        ({"type": "number", "maximum": 0}, {"exclusiveMaximum": 0}, "refuted"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, {"const": "x"}, "follows"),
        # texts
        ({"type": "string", "minLength": 3, "maxLength": 2}, {"const": "x"}, "follows"),
        ({"type": "string", "pattern": "^a$", "maxLength": 0}, {"const": "x"}, "follows"),
        ({"type": "string"}, {"minLength": 1}, "refuted"),
        ({"type": "string", "minLength": 1}, {"minLength": 1, "maxLength": 9}, "refuted"),
        ({"type": "string", "minLength": 2}, {"minLength": 1}, "follows"),
        ({"type": "string", "format": "date"}, {"format": "date"}, "follows"),
        ({"type": "string"}, {"format": "date"}, "refuted"),
        ({"type": "string", "format": "date", "maxLength": 10}, {"format": "date", "maxLength": 12}, "follows"),
        ({"type": "string", "pattern": "^a\\b$"}, {"pattern": "^a$"}, "undecided"),
        # alternatives
        ({"anyOf": [{"const": 1}, {"const": "a"}]}, {"type": ["integer", "string"]}, "follows"),
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}, "follows"),
        ({"type": "number"}, {"anyOf": [{"type": "integer"}, {"type": "number", "minimum": 0}]}, "refuted"),
        ({"type": ["number", "null"]}, {"anyOf": [{"type": "number"}, {"type": "null"}]}, "follows"),
        ({"type": "integer"}, {"oneOf": [{"type": "integer"}, {"minimum": 5}]}, "refuted"),
        ({"type": "integer"}, {"oneOf": [{"type": "integer"}, {"type": "string"}]}, "follows"),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, {"oneOf": [{"const": 2}, {"const": 1}]}, "follows"),
        ({"anyOf": [{"type": "string"}, False]}, {"type": "string"}, "follows"),
        ({"anyOf": [False, {"not": {}}]}, False, "follows"),
        (True, {"allOf": [{"type": "string"}]}, "refuted"),
        ({"not": {"type": "string"}}, {"not": {"const": "a"}}, "follows"),
        ({"not": {"const": "a"}}, {"not": {"type": "string"}}, "refuted"),
        ({"type": "integer"}, {"not": {"type": "string"}}, "follows"),
        ({"type": "string"}, {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, "follows"),
        # conditions
        (
            {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "null"}},
            {"type": ["string", "null"]},
            "follows",
        ),
        (
            {"if": {"type": "string"}, "then": {"minLength": 2}},
            {"if": {"type": "string"}, "then": {"minLength": 1}},
            "follows",
        ),
        (
            {"if": {"type": "string"}, "else": {"minimum": 2}},
            {"if": {"type": "string"}, "else": {"minimum": 1}},
            "follows",
        ),
        (
            {"if": {"type": "string"}, "then": {"minLength": 1}},
            {"if": {"type": "string"}, "then": {"minLength": 2}},
            "refuted",
        ),
        ({"type": "integer"}, {"if": {"type": "string"}, "then": False}, "follows"),
        ({"type": "string"}, {"if": {"type": "string"}, "else": False}, "follows"),
        ({"type": "string"}, {"if": {"minLength": 2}, "else": {"const": "a"}}, "refuted"),
        ({"allOf": [{"$ref": "#"}, {"type": "string"}]}, {"type": "string"}, "follows"),
        (True, {"anyOf": [{"type": "string"}, True]}, "follows"),
        # objects
        (OBJECT, {"required": ["a"]}, "refuted"),
        ({"required": ["a"], "dependentRequired": {"a": ["b"]}, **OBJECT}, {"required": ["b"]}, "follows"),
        ({"properties": {"a": False}, "required": ["a"], **OBJECT}, {"const": 1}, "follows"),
        ({"minProperties": 2, "maxProperties": 1, **OBJECT}, {"const": 1}, "follows"),
        ({"properties": {"a": {"const": 1}}, **OBJECT}, {"patternProperties": {"^a$": {"type": "integer"}}}, "follows"),
        (OBJECT, {"patternProperties": {"^a": {"type": "integer"}}}, "refuted"),
        ({"patternProperties": {"^a": {"const": 1}}, **OBJECT}, {"patternProperties": {"^a": {"const": 2}}}, "refuted"),
        (
            {"patternProperties": {"^a": {"const": 1}}, **OBJECT},
            {"patternProperties": {"^ab": {"type": "integer"}}},
            "follows",
        ),
        (
            {"additionalProperties": {"const": 1}, **OBJECT},
            {"patternProperties": {"^ab": {"type": "integer"}}},
            "follows",
        ),
        ({"additionalProperties": {"const": 1}, **OBJECT}, {"additionalProperties": {"type": "integer"}}, "follows"),
        ({"additionalProperties": {"type": "string"}, **OBJECT}, {"additionalProperties": {"const": "a"}}, "refuted"),
        ({"properties": {"a": {"type": "string"}}, **OBJECT}, {"additionalProperties": {"type": "integer"}}, "refuted"),
        (
            {"properties": {"ab": {}}, "additionalProperties": False, **OBJECT},
            {"patternProperties": {"^a": {}}, "additionalProperties": False},
            "follows",
        ),
        (
            {"patternProperties": {"^a": {}}, "additionalProperties": False, **OBJECT},
            {"additionalProperties": False},
            "refuted",
        ),
        (
            {"patternProperties": {"^a": {}}, "additionalProperties": False, **OBJECT},
            {"patternProperties": {"^a": {}}, "additionalProperties": False},
            "follows",
        ),
        (OBJECT, {"additionalProperties": False}, "refuted"),
        (
            {"properties": {"a": {}}, "unevaluatedProperties": False, **OBJECT},
            {"properties": {"a": {}}, "additionalProperties": False},
            "follows",
        ),
        (
            {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False, **OBJECT},
            {"allOf": [{"properties": {"a": {}, "b": {}}}], "unevaluatedProperties": False},
            "follows",
        ),
        (
            {"properties": {"a": {}, "b": {}}, "additionalProperties": False, **OBJECT},
            {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False},
            "refuted",
        ),
        (
            {"patternProperties": {"^a": {}}, "unevaluatedProperties": False, **OBJECT},
            {"patternProperties": {"^a": {}}, "additionalProperties": False},
            "follows",
        ),
        (
            {"allOf": [{"additionalProperties": {"const": 1}}], "unevaluatedProperties": False, **OBJECT},
            {"additionalProperties": {"const": 1}},
            "follows",
        ),
        (
            {"allOf": [{"additionalProperties": True}], "unevaluatedProperties": False, **OBJECT},
            {"unevaluatedProperties": False},
            "refuted",
        ),
        (OBJECT, {"additionalProperties": {"const": 1}, "allOf": [{"additionalProperties": True}]}, "refuted"),
        (OBJECT, {"allOf": [{"additionalProperties": True}], "unevaluatedProperties": False}, "follows"),
        (
            {"properties": {"a": {}}, "additionalProperties": False, **OBJECT},
            {"anyOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False},
            "follows",
        ),
        (
            {"$ref": "#/$defs/a", "unevaluatedProperties": False, "$defs": {"a": {"properties": {"a": {}}}}, **OBJECT},
            {"properties": {"a": {}}, "additionalProperties": False},
            "follows",
        ),
        ({"propertyNames": {"maxLength": 2}, **OBJECT}, {"propertyNames": {"maxLength": 3}}, "follows"),
        (
            {"properties": {"ab": {}}, "additionalProperties": False, **OBJECT},
            {"propertyNames": {"maxLength": 3}},
            "follows",
        ),
        (
            {"properties": {"abcd": {}}, "additionalProperties": False, **OBJECT},
            {"propertyNames": {"maxLength": 3}},
            "refuted",
        ),
        (OBJECT, {"propertyNames": {"maxLength": 3}}, "refuted"),
        ({"required": ["a", "b"], **OBJECT}, {"minProperties": 2}, "follows"),
        (OBJECT, {"minProperties": 2}, "refuted"),
        (OBJECT, {"maxProperties": 2}, "refuted"),
        (
            {"properties": {"a": {}, "b": False}, "additionalProperties": False, **OBJECT},
            {"maxProperties": 1},
            "follows",
        ),
        (
            {"properties": {"a": {}}, "additionalProperties": False, "maxProperties": 3, **OBJECT},
            {"maxProperties": 1},
            "follows",
        ),
        (OBJECT, {"dependentRequired": {"a": ["b"]}}, "refuted"),
        ({"properties": {"a": False}, **OBJECT}, {"dependentRequired": {"a": ["b"]}}, "follows"),
        ({"dependentRequired": {"a": ["b", "c"]}, **OBJECT}, {"dependentRequired": {"a": ["b"]}}, "follows"),
        (
            {"dependentSchemas": {"a": {"required": ["b", "c"]}}, **OBJECT},
            {"dependentSchemas": {"a": {"required": ["b"]}}},
            "follows",
        ),
        (OBJECT, {"dependentSchemas": {"a": {"required": ["b"]}}}, "refuted"),
        # lists
        ({"items": {"const": 1}, **ARRAY}, {"items": {"type": "integer"}}, "follows"),
        (
            {"prefixItems": [{"const": 1}], "items": False, **ARRAY},
            {"prefixItems": [{"type": "integer"}], "maxItems": 1},
            "follows",
        ),
        ({"prefixItems": [{"const": 1}], **ARRAY}, {"prefixItems": [{"type": "integer"}], "items": False}, "refuted"),
        ({"prefixItems": [{"const": 1}], "maxItems": 1, **ARRAY}, {"items": {"type": "integer"}}, "follows"),
        ({"maxItems": 2, **ARRAY}, {"prefixItems": [True, True], "items": False}, "follows"),
        ({"minItems": 3, "maxItems": 2, **ARRAY}, {"const": 1}, "follows"),
        (ARRAY, {"minItems": 1}, "refuted"),
        ({"contains": {"const": 1}, **ARRAY}, {"minItems": 1}, "follows"),
        ({"uniqueItems": True, **LETTERS}, {"maxItems": 2}, "follows"),
        ({"uniqueItems": True, "maxItems": 1, **LETTERS}, {"maxItems": 1}, "follows"),
        ({"uniqueItems": True, **ARRAY}, {"maxItems": 2}, "refuted"),
        (ARRAY, {"uniqueItems": True}, "refuted"),
        (ARRAY, {"uniqueItems": False}, "follows"),
        ({"maxItems": 1, **ARRAY}, {"uniqueItems": True}, "follows"),
        ({"uniqueItems": True, **ARRAY}, {"uniqueItems": True, "title": "x"}, "follows"),
        ({"contains": {"const": 1}, **ARRAY}, {"contains": {"type": "integer"}}, "follows"),
        ({"contains": {"const": "a"}, **ARRAY}, {"contains": {"type": "integer"}}, "refuted"),
        ({"items": {"const": 1}, "minItems": 1, **ARRAY}, {"contains": {"type": "integer"}}, "follows"),
        ({"contains": {"const": 1}, **ARRAY}, {"contains": {"const": 1}, "minContains": 2}, "refuted"),
        (
            {"contains": {"type": "integer"}, "maxContains": 1, **ARRAY},
            {"contains": {"const": 1}, "minContains": 0, "maxContains": 1},
            "follows",
        ),
        ({"maxItems": 1, **ARRAY}, {"contains": {"const": 1}, "minContains": 0, "maxContains": 1}, "follows"),
        (ARRAY, {"contains": {"const": 1}, "minContains": 0, "maxContains": 1}, "refuted"),
        (
            {"prefixItems": [{"const": 1}], "unevaluatedItems": False, **ARRAY},
            {"prefixItems": [True], "items": False},
            "follows",
        ),
        ({"maxItems": 1, **ARRAY}, {"prefixItems": [True], "unevaluatedItems": False}, "follows"),
        ({"maxItems": 1, **ARRAY}, {"items": True, "unevaluatedItems": False}, "follows"),
        ({"contains": True, "unevaluatedItems": {"const": 1}, **ARRAY}, {"items": {"const": 1}}, "refuted"),
        (
            {"allOf": [{"prefixItems": [True]}], "unevaluatedItems": {"const": 1}, **ARRAY},
            {"prefixItems": [True], "items": {"const": 1}},
            "undecided",
        ),
        ({"allOf": [{"title": "x"}], "unevaluatedItems": {"const": 1}, **ARRAY}, {"items": {"const": 1}}, "follows"),
        ({"maxItems": 1, **ARRAY}, {"contains": True, "minContains": 0, "unevaluatedItems": False}, "undecided"),
        (
            {"maxItems": 1, **ARRAY},
            {"allOf": [{"allOf": [{"prefixItems": [True]}]}], "unevaluatedItems": False},
            "undecided",
        ),
        ({"maxItems": 0, **ARRAY}, {"allOf": [{"allOf": [{"title": "x"}]}], "unevaluatedItems": False}, "follows"),
    ],
)
def test_one_keyword_after_the_other(narrow: Json, wide: Json, expected: str) -> None:
    assert expected == WORDS[follows(narrow, wide)]


WHOLE: Json = {"type": "integer"}
PLAIN: Json = {"type": "object"}
LIST: Json = {"type": "array"}


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        ({"const": 1.0}, {"const": 1}, "follows"),
        ({"enum": [[1.0, {"a": 2.0}]]}, {"const": [1, {"a": 2}]}, "follows"),
        ({**PLAIN, "patternProperties": {"^a": WHOLE}}, {"properties": {"ab": WHOLE}}, "follows"),
        ({**PLAIN, "patternProperties": {"^a": WHOLE}}, {"properties": {"b": WHOLE}}, "refuted"),
        ({**PLAIN, "patternProperties": {"^x": WHOLE}}, {"patternProperties": {"^a": WHOLE}}, "refuted"),
        (
            {**PLAIN, "properties": {"b": True, "a": WHOLE}, "additionalProperties": False},
            {"patternProperties": {"^a": WHOLE}},
            "follows",
        ),
        (
            {**PLAIN, "properties": {"a": False}, "additionalProperties": False},
            {"additionalProperties": False},
            "follows",
        ),
        (
            {**PLAIN, "dependentSchemas": {"a": {"required": ["b"]}}},
            {"dependentSchemas": {"a": {"required": ["c"]}}},
            "undecided",
        ),
        ({**PLAIN, "dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"a": ["c"]}}, "undecided"),
        ({**PLAIN, "minProperties": 1}, {"minProperties": 2}, "refuted"),
        ({**PLAIN, "maxProperties": 3}, {"maxProperties": 2}, "refuted"),
        (
            {**PLAIN, "minProperties": 3, "additionalProperties": {"type": "string"}},
            {"maxProperties": 2},
            "undecided",
        ),
        ({**PLAIN, "minProperties": 0}, {"maxProperties": 0}, "refuted"),
        ({"type": "string", NATIONAL: "bsn", "maxLength": 9}, {NATIONAL: "bsn"}, "follows"),
        ({**LIST, "minItems": 1, "items": {"const": 1}}, {"not": {"contains": {"const": 2}}}, "undecided"),
        ({**LIST, "maxItems": 3, "items": {"const": 1}}, {"not": {"minItems": 4}}, "follows"),
        ({"type": "string", "minLength": 2, "maxLength": 3}, {"not": {"minLength": 5}}, "follows"),
        (
            {"type": "string", "minLength": 2, "maxLength": 3, "format": "uuid"},
            {"format": "date"},
            "undecided",
        ),
    ],
)
def test_what_no_random_schema_is_sure_to_meet(narrow: Json, wide: Json, expected: str) -> None:
    assert expected == WORDS[follows(narrow, wide)]
