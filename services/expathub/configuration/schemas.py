"""One version's JSON Schema: whether the hub may trust it, what fields it knows, and its compiled validator.

The hub takes less than all of JSON Schema 2020-12: only the keywords below, every object closed, every text and list
bounded, every reference local and without a circle. So nothing unknown can ride along, no name that a sender made up
can turn up in a pointer, and no pattern can be made to run for long (the regular expressions are linear in time).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from expathub.configuration.faults import Faults
from expathub.configuration.inventing import SAMPLE
from expathub.configuration.tree import DEPTH_MAX, Document, Loc
from expathub.core.catalogue import SchemaFault
from expathub.core.identifiers import is_bsn
from expathub.core.pointers import EACH, render

DIALECT = "https://json-schema.org/draft/2020-12/schema"

PARTS_MAX = 5000
"""So many parts may a schema have with its references unfolded."""

NATIONAL = "x-nationaal-nummer"
"""Marks a number that identifies a person nationally: never granted to anybody outside government (Wabb art. 10)."""

NATIONAL_KINDS = frozenset({"bsn", "a-nummer", "v-nummer", "documentnummer"})

_NATIONAL_NAMES = re.compile(r"(?i)bsn|burgerservicenummer|[av]-?nummer|vreemdelingnummer|documentnummer")
_NAME = re.compile(r"[a-z][A-Za-z0-9]{0,63}")
_FORMATS = frozenset({"date", "date-time", "email", "uri", "uuid"})
_KEYWORDS = frozenset(
    "$schema $id $comment $defs $ref title description examples type enum const properties required"
    " additionalProperties unevaluatedProperties dependentRequired minProperties maxProperties items minItems maxItems"
    " uniqueItems minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"
    f" oneOf anyOf allOf {NATIONAL} {SAMPLE}".split()
)
_SAYS_WHAT = frozenset({"type", "enum", "const", "$ref", "oneOf", "anyOf", "allOf"})
_BOUNDS_TEXT = frozenset({"pattern", "maxLength", "enum", "const"})
_BRANCHES = ("oneOf", "anyOf", "allOf")
_REF = re.compile(r"#/\$defs/([A-Za-z][A-Za-z0-9-]*)")


@dataclass(frozen=True, slots=True)
class Field:
    """What a schema knows at one pointer: whether objects stand there or below, and a national number."""

    holds_objects: bool
    national: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """A trusted schema, the fields it knows by pointer from the root of the event, and its validator."""

    document: Document
    fields: Mapping[str, Field]
    validate: Callable[[Any], SchemaFault | None]


def read_schema(document: Document, kinds: frozenset[str], faults: Faults) -> Schema | None:
    """Judge a schema and compile it; None, with faults, where the hub may not use it. `kinds`: those of samples."""
    before = len(faults.found)
    schema = document.value
    _Linter(document, kinds, faults).lint()
    if len(faults.found) > before:
        return None
    try:
        fields = known_fields(schema)
        validator = jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=True,
            ignore_unknown_formats=False,
            pattern_options=jsonschema_rs.RegexOptions(),
            keywords={NATIONAL: _NationalNumber},
            offline=True,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as problem:
        loc = tuple(getattr(problem, "instance_path", ()))
        what = f"JSON Schema 2020-12 does not allow this ({str(problem).splitlines()[0][:200]})"
        faults.add(document.file, document.line(loc), what, "Correct the keyword's value")
        return None
    except OverflowError:
        faults.add(document.file, 1, f"the references unfold to more than {PARTS_MAX} parts", "Write it flatter")
        return None
    return Schema(document, fields, _validate_with(validator))


def _validate_with(validator: jsonschema_rs.Draft202012Validator) -> Callable[[Any], SchemaFault | None]:
    def validate(data: Any) -> SchemaFault | None:
        if validator.is_valid(data):
            return None
        error = next(validator.iter_errors(data))
        kind, path = error.kind, ["data", *error.instance_path]
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
            path.append(kind.property)  # the schema's own name, so it may be told
        return SchemaFault(render(tuple(path)), _keyword(error))

    return validate


def _keyword(error: jsonschema_rs.ValidationError) -> str:
    return str(next((part for part in reversed(error.schema_path) if isinstance(part, str)), "false"))


class _NationalNumber:
    """The keyword `x-nationaal-nummer`: a BSN must pass the 11-test (domain rule of the BRP), the others their form."""

    def __init__(self, _schema: dict[str, Any], value: object, _path: list[str | int]) -> None:
        self._is_bsn = value == "bsn"

    def validate(self, instance: object) -> None:
        """Raise where the text is no number of this kind."""
        if self._is_bsn and isinstance(instance, str) and not is_bsn(instance):
            raise ValueError("not a BSN")


class _Linter:
    """The rules of this module's opening, one method each, over every part of a schema."""

    def __init__(self, document: Document, kinds: frozenset[str], faults: Faults) -> None:
        self._document, self._kinds, self._faults = document, kinds, faults

    def lint(self) -> None:
        """Note every break of a rule."""
        root = self._document.value
        if not isinstance(root, dict):
            self._add((), "a schema is an object", "Write the schema of `data`")
            return
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
        if not isinstance(properties, dict) or not isinstance(schema.get("required", []), list):
            return  # the meta-schema says so better
        is_object = "object" in _types(schema) or "properties" in schema
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
        if "array" in _types(schema) and not {"items", "maxItems"} <= schema.keys():
            self._add(loc, "this list is unbounded", "Give it `items` and `maxItems`")

    def _text(self, loc: Loc, schema: dict[str, Any]) -> None:
        if "string" in _types(schema) and not _BOUNDS_TEXT & schema.keys():
            self._add(loc, "this text is unbounded", "Give it a `pattern`, `maxLength`, `enum` or `const`")
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and not (pattern.startswith("^") and pattern.endswith("$")):
            self._add((*loc, "pattern"), "this pattern may match a part of the text", "Anchor it: ^…$")
        if "format" in schema and schema["format"] not in _FORMATS:
            self._add(
                (*loc, "format"), "the hub does not check this format", f"Use one of {', '.join(sorted(_FORMATS))}"
            )

    def _annotations(self, loc: Loc, schema: dict[str, Any]) -> None:
        if schema.get(NATIONAL, "bsn") not in NATIONAL_KINDS:
            self._add(
                (*loc, NATIONAL), "this kind of number is unknown", f"Use one of {', '.join(sorted(NATIONAL_KINDS))}"
            )
        if SAMPLE in schema and schema[SAMPLE] not in self._kinds:
            self._add((*loc, SAMPLE), "this kind of sample is unknown", f"Use one of {', '.join(sorted(self._kinds))}")

    def _references(self, root: dict[str, Any]) -> None:
        definitions = root.get("$defs", {})
        uses: dict[str, set[str]] = {}
        for loc, schema in _parts(root, ()):
            if not isinstance(schema, dict) or "$ref" not in schema:
                continue
            match = _REF.fullmatch(str(schema["$ref"]))
            if match is None:
                self._add((*loc, "$ref"), "a schema refers to nothing outside itself", "Use #/$defs/<name>")
            elif not isinstance(definitions, dict) or match[1] not in definitions:
                self._add((*loc, "$ref"), "`$defs` has no such definition", "Add it or correct the name")
            elif loc[:1] == ("$defs",):
                uses.setdefault(str(loc[1]), set()).add(match[1])
        for name in uses:
            if name in _reachable(name, uses):
                self._add(("$defs", name), "this definition refers to itself", "Write it without a circle")

    def _resolved(self, schema: object) -> dict[str, Any]:
        """Follow one local reference; anything odd is noted elsewhere."""
        if not isinstance(schema, dict):
            return {}
        match = _REF.fullmatch(str(schema.get("$ref", "")))
        definitions = self._document.value.get("$defs")
        target = definitions.get(match[1]) if match and isinstance(definitions, dict) else None
        return {**target, **schema} if isinstance(target, dict) else schema

    def _add(self, loc: Loc, what: str, mend: str) -> None:
        self._faults.add(self._document.file, self._document.line(loc), what, mend)


def _reachable(start: str, uses: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    front = set(uses[start])
    while front:
        reached |= front
        front = {after for name in front for after in uses.get(name, ())} - reached
    return reached


def _types(schema: Mapping[str, Any]) -> list[Any]:
    kinds = schema.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _parts(schema: object, loc: Loc) -> Iterator[tuple[Loc, object]]:
    """Yield a schema and every schema written inside it, with its place in the file; references are not followed."""
    yield loc, schema
    if not isinstance(schema, dict):
        return
    for keyword in ("properties", "$defs"):
        inside = schema.get(keyword)
        for name, part in inside.items() if isinstance(inside, dict) else ():
            yield from _parts(part, (*loc, keyword, name))
    if "items" in schema:
        yield from _parts(schema["items"], (*loc, "items"))
    for keyword in _BRANCHES:
        branches = schema.get(keyword)
        for index, branch in enumerate(branches if isinstance(branches, list) else ()):
            yield from _parts(branch, (*loc, keyword, index))


def known_fields(schema: Mapping[str, Any]) -> dict[str, Field]:
    """Return every field of a linted schema by its pointer (`/data/…`, `*` for each element of a list).

    Raises `OverflowError` where the references unfold to more than `PARTS_MAX` parts.
    """
    walk = _Walk(schema)
    walk.collect(schema, ("data",), 0)
    return walk.found


class _Walk:
    """One walk over a schema as it applies to an event, references followed."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._parts = 0
        self.found: dict[str, Field] = {}

    def collect(self, schema: Mapping[str, Any], path: tuple[str, ...], depth: int) -> Field:
        """Note what `schema` knows at `path` and below; branches add up."""
        self._parts += 1
        if self._parts > PARTS_MAX or depth > 2 * DEPTH_MAX:
            raise OverflowError
        pointer = render(path)
        inside = [Field("properties" in schema or "object" in _types(schema), NATIONAL in schema)]
        inside += [self.collect(below, (*path, *step), depth + 1) for below, step in self._below(schema)]
        if pointer in self.found:
            inside.append(self.found[pointer])
        total = Field(any(field.holds_objects for field in inside), any(field.national for field in inside))
        self.found[pointer] = total
        return total

    def _below(self, schema: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
        if "$ref" in schema:
            yield self._root["$defs"][schema["$ref"].removeprefix("#/$defs/")], ()
        for keyword in _BRANCHES:
            for branch in schema.get(keyword, ()):
                yield branch, ()
        for name, below in schema.get("properties", {}).items():
            yield below, (name,)
        if "items" in schema:
            yield schema["items"], (EACH,)
