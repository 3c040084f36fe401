"""The rules that a JSON Schema of the catalogue keeps beside those of JSON Schema 2020-12 itself.

Every object closed, every text and list bounded, every reference local and without a circle, every pattern anchored,
national numbers marked. Takes a schema that the meta-schema of 2020-12 has found well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from expathub.configuration.faults import Faults
from expathub.configuration.inventing import KINDS, SAMPLE
from expathub.configuration.tree import DEPTH_MAX, Document, Loc
from expathub.core.values.formats import NAMES

DIALECT = "https://json-schema.org/draft/2020-12/schema"

NATIONAL = "x-nationaal-nummer"
"""Marks a number that identifies a person nationally: never granted to anybody outside government (Wabb art. 10)."""

NATIONAL_KINDS = ("a-nummer", "bsn", "documentnummer", "v-nummer")

BRANCHES = ("oneOf", "anyOf", "allOf")

_NATIONAL_NAMES = re.compile(r"(?i)bsn|burgerservicenummer|[av]-?nummer|vreemdelingnummer|documentnummer")
_NAME = re.compile(r"[a-z][A-Za-z0-9]{0,63}")
FORMATS = frozenset({"date", "date-time", "email", "uri", "uuid"}) | NAMES
"""The formats that are checked: those of JSON Schema that the library knows, and the hub's own."""
_KEYWORDS = frozenset(
    "$schema $id $comment $defs $ref title description examples type enum const properties required"
    " additionalProperties unevaluatedProperties dependentRequired minProperties maxProperties items minItems maxItems"
    " uniqueItems minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"
    f" oneOf anyOf allOf {NATIONAL} {SAMPLE}".split()
)
_SAYS_WHAT = frozenset({"type", "enum", "const", "$ref", *BRANCHES})
_BOUNDS_TEXT = frozenset({"pattern", "maxLength", "enum", "const"})
_REF = re.compile(r"#/\$defs/([A-Za-z][A-Za-z0-9-]*)")
_CLASS_OR_ESCAPE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")


def judge_schema(document: Document, faults: Faults) -> None:
    """Note every break of a rule."""
    _Linter(document, faults).lint()


class _Linter:
    """The rules, one method each, over every part of a schema."""

    def __init__(self, document: Document, faults: Faults) -> None:
        self._document, self._faults = document, faults

    def lint(self) -> None:
        """Note every break of a rule."""
        root = self._document.value
        if root.get("$schema") != DIALECT:
            self._add(("$schema",), "the schema does not say that it is JSON Schema 2020-12", f'Write "{DIALECT}"')
        if root.get("type") != "object":
            self._add(("type",), "`data` must be an object", 'Write "type": "object"')
        self._references(root)
        for loc, schema in _parts(root, ()):
            self._part(loc, schema)

    def _part(self, loc: Loc, schema: object) -> None:
        if not isinstance(schema, dict):
            self._add(loc, "this is not a schema with keywords", "Say what may stand here; true lets anything in")
            return
        for keyword in sorted(schema.keys() - _KEYWORDS):
            self._add((*loc, keyword), f"the keyword `{keyword}` is not one the hub knows", "Correct or remove it")
        if not _SAYS_WHAT & schema.keys():
            self._add(loc, "this lets any value in", "Say its `type`")
        self._object(loc, schema)
        self._list(loc, schema)
        self._text(loc, schema)
        self._annotations(loc, schema)

    def _object(self, loc: Loc, schema: dict[str, Any]) -> None:
        properties = schema.get("properties", {})
        is_object = "object" in types_of(schema) or "properties" in schema
        if is_object and schema.get("additionalProperties", schema.get("unevaluatedProperties")) is not False:
            self._add(loc, "this object is open", 'Close it: "additionalProperties": false')
        for name in properties:
            here = (*loc, "properties", name)
            if not _NAME.fullmatch(name):
                self._add(here, "a field name is letters and digits, small first", "Rename the field")
            is_marked = NATIONAL in self._resolved(properties[name])
            if _NATIONAL_NAMES.fullmatch(name) and not is_marked:
                self._add(here, "this looks like a national number and is not marked", f"Add `{NATIONAL}`")
        for index, name in enumerate(schema.get("required", [])):
            if name not in properties and "properties" in schema:
                self._add((*loc, "required", index), "a field is required that is not there", "Add it to `properties`")

    def _list(self, loc: Loc, schema: dict[str, Any]) -> None:
        if "array" in types_of(schema) and not {"items", "maxItems"} <= schema.keys():
            self._add(loc, "this list is unbounded", "Give it `items` and `maxItems`")

    def _text(self, loc: Loc, schema: dict[str, Any]) -> None:
        if "string" in types_of(schema) and not _BOUNDS_TEXT & schema.keys():
            self._add(loc, "this text is unbounded", "Give it a `pattern`, `maxLength`, `enum` or `const`")
        if not _is_anchored(schema.get("pattern", "^$")):
            self._add((*loc, "pattern"), "this pattern may match a part of the text", "Anchor it: ^…$, or ^(…|…)$")
        if "format" in schema and schema["format"] not in FORMATS:
            self._add(
                (*loc, "format"), "the hub does not check this format", f"Use one of {', '.join(sorted(FORMATS))}"
            )

    def _annotations(self, loc: Loc, schema: dict[str, Any]) -> None:
        if schema.get(NATIONAL, "bsn") not in NATIONAL_KINDS:
            self._add((*loc, NATIONAL), "this kind of number is unknown", f"Use one of {', '.join(NATIONAL_KINDS)}")
        if SAMPLE in schema and str(schema[SAMPLE]) not in KINDS:
            self._add((*loc, SAMPLE), "this kind of sample is unknown", f"Use one of {', '.join(sorted(KINDS))}")

    def _references(self, root: dict[str, Any]) -> None:
        definitions = root.get("$defs", {})
        uses: dict[str, set[str]] = {}
        for loc, schema in _parts(root, ()):
            if not isinstance(schema, dict) or "$ref" not in schema:
                continue
            match = _REF.fullmatch(schema["$ref"])
            if match is None:
                self._add((*loc, "$ref"), "a schema refers to nothing outside itself", "Use #/$defs/<name>")
            elif match[1] not in definitions:
                self._add((*loc, "$ref"), "`$defs` has no such definition", "Add it or correct the name")
            elif loc[:1] == ("$defs",):
                uses.setdefault(str(loc[1]), set()).add(match[1])
        for name in uses:
            if name in _reachable(name, uses):
                self._add(("$defs", name), "this definition refers to itself", "Write it without a circle")

    def _resolved(self, schema: object) -> dict[str, Any]:
        """Follow local references; what is odd about them is noted elsewhere."""
        merged: dict[str, Any] = dict(schema) if isinstance(schema, dict) else {}
        for _ in range(DEPTH_MAX):
            match = _REF.fullmatch(merged.pop("$ref", ""))
            target = self._document.value.get("$defs", {}).get(match[1]) if match else None
            if not isinstance(target, dict):
                break
            merged = {**target, **merged}
        return merged

    def _add(self, loc: Loc, what: str, mend: str) -> None:
        self._faults.add(self._document.file, self._document.line(loc), what, mend)


def _reachable(start: str, uses: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    front = set(uses[start])
    while front:
        reached |= front
        front = {after for name in front for after in uses.get(name, ())} - reached
    return reached


def _is_anchored(pattern: str) -> bool:
    """Whether a pattern starts with ^, ends with $, and has no alternative outside parentheses."""
    bare = _CLASS_OR_ESCAPE.sub("", pattern)
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            return False
    return bare.startswith("^") and bare.endswith("$")


def types_of(schema: Mapping[str, Any]) -> list[Any]:
    """Return the JSON types that a schema names."""
    kinds = schema.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _parts(schema: object, loc: Loc) -> Iterator[tuple[Loc, object]]:
    """Yield a schema and every schema written inside it, with its place in the file; references are not followed."""
    yield loc, schema
    if not isinstance(schema, dict):
        return
    for keyword in ("properties", "$defs"):
        for name, part in schema.get(keyword, {}).items():
            yield from _parts(part, (*loc, keyword, name))
    if "items" in schema:
        yield from _parts(schema["items"], (*loc, "items"))
    for keyword in BRANCHES:
        for index, branch in enumerate(schema.get(keyword, ())):
            yield from _parts(branch, (*loc, keyword, index))
