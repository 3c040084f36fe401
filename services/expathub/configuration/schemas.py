"""One version's JSON Schema: whether the hub may trust it, what fields it knows, and its compiled validator.

The hub takes less than all of JSON Schema 2020-12 (`expathub.configuration.schema_rules`). So nothing unknown can ride
along, no name that a sender made up can turn up in a pointer, and no pattern can be made to run for long: the regular
expressions are linear in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from expathub.configuration.faults import Faults
from expathub.configuration.schema_rules import BRANCHES, DIALECT, NATIONAL, judge_schema, types_of
from expathub.configuration.tables import shipped_tables
from expathub.configuration.tree import DEPTH_MAX, Document
from expathub.core.catalogue import SchemaFault
from expathub.core.identifiers import is_bsn
from expathub.core.pointers import EACH, render
from expathub.core.values.formats import formats
from expathub.core.values.tables import Tables

PARTS_MAX = 5000
"""So many parts may a schema have with its references unfolded."""

_META_SCHEMA = jsonschema_rs.Draft202012Validator({"$ref": DIALECT})
_Kind = jsonschema_rs.ValidationErrorKind


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


def read_schema(document: Document, faults: Faults, tables: Tables | None = None) -> Schema | None:
    """Judge a schema and compile it; None, with faults, where the hub may not use it.

    `tables` are what the formats of codes are held against: the shipped ones if they are not given.
    """
    before = len(faults.found)
    _hold_against_meta_schema(document, faults)
    if len(faults.found) == before:
        judge_schema(document, faults)
    if len(faults.found) > before:
        return None
    try:
        fields = known_fields(document.value)
        validator = jsonschema_rs.Draft202012Validator(
            document.value,
            validate_formats=True,
            ignore_unknown_formats=False,
            formats=formats(tables or shipped_tables()),
            pattern_options=jsonschema_rs.RegexOptions(),
            keywords={NATIONAL: NationalNumber},
            offline=True,
        )
    except OverflowError:
        faults.add(document.file, 1, f"the references unfold to more than {PARTS_MAX} parts", "Write it flatter")
        return None
    except (jsonschema_rs.ValidationError, ValueError) as problem:
        loc = tuple(getattr(problem, "instance_path", ()))
        faults.add(document.file, document.line(loc), _not_allowed(str(problem)), "Correct the keyword's value")
        return None
    return Schema(document, fields, _validate_with(validator))


def _hold_against_meta_schema(document: Document, faults: Faults) -> None:
    if not isinstance(document.value, dict):
        faults.add(document.file, 1, "a schema is an object", "Write the schema of `data`")
    elif not _META_SCHEMA.is_valid(document.value):
        for error in _META_SCHEMA.iter_errors(document.value):
            line = document.line(tuple(error.instance_path))
            faults.add(document.file, line, _not_allowed(error.message), "Correct the keyword's value")


def _not_allowed(message: str) -> str:
    return f"JSON Schema 2020-12 does not allow this ({message.splitlines()[0][:200]})"


def _validate_with(validator: jsonschema_rs.Draft202012Validator) -> Callable[[Any], SchemaFault | None]:
    def validate(data: Any) -> SchemaFault | None:
        if validator.is_valid(data):
            return None
        error = _meant(next(validator.iter_errors(data)))
        path = ["data", *error.instance_path]
        if isinstance(error.kind, _Kind.Required):
            path.append(error.kind.property)  # the schema's own name, so it may be told
        return SchemaFault(render(tuple(path)), str(error.schema_path[-1]))

    return validate


def _meant(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Follow alternatives as long as only one can be meant: the one whose constants and code lists fit."""
    while isinstance(error.kind, (_Kind.OneOfNotValid, _Kind.AnyOf)):
        fitting = [
            errors
            for errors in error.kind.context
            if not any(isinstance(e.kind, (_Kind.Constant, _Kind.Enum)) for e in errors)
        ]
        if len(fitting) != 1:
            break
        error = fitting[0][0]
    return error


class NationalNumber:
    """The keyword `x-nationaal-nummer`: a BSN must pass the 11-test (domain rule of the BRP), the others their form."""

    def __init__(self, _schema: dict[str, Any], value: object, _path: list[str | int]) -> None:
        self._is_bsn = value == "bsn"

    def validate(self, instance: object) -> None:
        """Raise where the text is no number of this kind."""
        if self._is_bsn and isinstance(instance, str) and not is_bsn(instance):
            raise ValueError("not a BSN")


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
        inside = [Field("properties" in schema or "object" in types_of(schema), NATIONAL in schema)]
        inside += [self.collect(below, (*path, *step), depth + 1) for below, step in self._below(schema)]
        if pointer in self.found:
            inside.append(self.found[pointer])
        total = Field(any(field.holds_objects for field in inside), any(field.national for field in inside))
        self.found[pointer] = total
        return total

    def _below(self, schema: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
        if "$ref" in schema:
            yield self._root["$defs"][schema["$ref"].removeprefix("#/$defs/")], ()
        for keyword in BRANCHES:
            for branch in schema.get(keyword, ()):
                yield branch, ()
        for name, below in schema.get("properties", {}).items():
            yield below, (name,)
        if "items" in schema:
            yield schema["items"], (EACH,)
