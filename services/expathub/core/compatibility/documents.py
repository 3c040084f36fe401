"""JSON Schema 2020-12 documents as the gate sees them: parts with a place, references, and what is the same.

Knows where schemas stand inside schemas, and nothing of what keywords mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

import orjson

from expathub.core.pointers import Path, parse, render

Schema: TypeAlias = Mapping[str, Any] | bool

LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Keywords that hold a list of schemas."""

MAPS: Final = ("properties", "patternProperties", "dependentSchemas", "$defs")
"""Keywords that hold schemas by name."""

SINGLE: Final = (
    *("items", "contains", "unevaluatedItems"),
    *("additionalProperties", "unevaluatedProperties", "propertyNames"),
    *("not", "if", "then", "else"),
)
"""Keywords that hold one schema."""

CLOSING: Final = ("additionalProperties", "unevaluatedProperties")

ANNOTATIONS: Final = frozenset({"$schema", "$id", "$comment", "$anchor", "title", "description", "examples", "default"})
"""Keywords that say something and assert nothing; `$defs` asserts only where something refers to it."""

BEYOND: Final = frozenset({"$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"})
"""Keywords that the gate cannot follow."""


class Judge(Protocol):
    """A validator: whether `value` is valid under `schema`, whose local references lead into `root`."""

    def __call__(self, root: Any, schema: Schema, value: object) -> bool:
        """Validate."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Document:
    """A schema file; `root` must not change."""

    root: Any
    keys: dict[str, Part] = field(default_factory=dict)

    def part(self, path: Path = ()) -> Part:
        """Return the schema at a path that is there."""
        schema = self.root
        for step in path:
            schema = schema[int(step)] if isinstance(schema, list) else schema[step]
        return Part(self, path, schema)

    def resolve(self, reference: str) -> Part | None:
        """Follow a reference into the same document; None where it leads anywhere else."""
        fragment = (
            reference.removeprefix(str(self.root.get("$id", ""))) if isinstance(self.root, Mapping) else reference
        )
        if not fragment.startswith("#") or "%" in fragment or (len(fragment) > 1 and fragment[1] != "/"):
            return None
        try:
            return self.part(parse(fragment[1:]))
        except (KeyError, IndexError, ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Part:
    """One schema with its place; `without` are keywords that were taken apart already and say nothing here."""

    document: Document
    path: Path
    schema: Schema = field(compare=False)
    without: frozenset[str] = frozenset()

    def get(self, keyword: str, default: Any = None) -> Any:
        """Return the value of a keyword."""
        if isinstance(self.schema, bool) or keyword in self.without:
            return default
        return self.schema.get(keyword, default)

    def has(self, keyword: str) -> bool:
        """Tell whether the keyword is there."""
        return not isinstance(self.schema, bool) and keyword in self.schema and keyword not in self.without

    def at(self, *steps: str | int) -> Part:
        """Return a schema below this one."""
        schema: Any = self.schema
        for step in steps:
            schema = schema[step]
        return Part(self.document, (*self.path, *map(str, steps)), schema)

    def less(self, *keywords: str) -> Part:
        """Return this without some keywords."""
        return Part(self.document, self.path, self.schema, self.without | set(keywords))

    @property
    def whole(self) -> Part:
        """The same schema with nothing taken away."""
        return Part(self.document, self.path, self.schema)

    def only(self, *keywords: str) -> dict[str, Any]:
        """Return some keywords as a schema of its own, for a judge; references need the document."""
        return {keyword: self.get(keyword) for keyword in keywords if self.has(keyword)}

    @property
    def is_false(self) -> bool:
        """Whether nothing is valid here."""
        return self.schema is False or self.get("not") in ({}, True)

    @property
    def target(self) -> Part | None:
        """Where `$ref` leads."""
        return self.document.resolve(self.get("$ref")) if self.has("$ref") else None


@lru_cache(maxsize=4096)
def _made(text: bytes) -> Document:
    return Document(orjson.loads(text))


def made(schema: Mapping[str, Any]) -> Part:
    """Return a schema that stands in no file; the same for the same content, so that a proof comes to an end."""
    return _made(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).part()


def below(schema: Schema) -> Iterator[tuple[Path, Schema]]:
    """Yield the schemas that stand directly inside one."""
    if isinstance(schema, bool):
        return
    for keyword in LISTS:
        for index, inner in enumerate(schema.get(keyword, ())):
            yield (keyword, str(index)), inner
    for keyword in MAPS:
        for name, inner in schema.get(keyword, {}).items():
            yield (keyword, name), inner
    for keyword in SINGLE:
        if keyword in schema:
            yield (keyword,), schema[keyword]


def everywhere(schema: Schema, path: Path = ()) -> Iterator[tuple[Path, Schema]]:
    """Yield a schema and all that stand inside it."""
    yield path, schema
    for step, inner in below(schema):
        yield from everywhere(inner, (*path, *step))


def beyond(document: Document) -> tuple[str, str] | None:
    """Return the place and the name of a keyword that the gate cannot follow, or None."""
    for path, schema in everywhere(document.root):
        for keyword in () if isinstance(schema, bool) else schema:
            if keyword in BEYOND or (keyword == "$id" and path):
                return render((*path, keyword)), keyword
    return None


def opened(schema: Any) -> Any:
    """Return a schema as a reader holds it against an event: members that it does not know are passed over.

    Every `additionalProperties: false` and `unevaluatedProperties: false` is gone, but for those under `not` and `if`:
    what a closed object decides there would turn into its opposite.
    """
    if isinstance(schema, bool):
        return schema
    found = {key: value for key, value in schema.items() if not (key in CLOSING and value is False)}
    for keyword in LISTS:
        if keyword in found:
            found[keyword] = [opened(inner) for inner in found[keyword]]
    for keyword in MAPS:
        if keyword in found:
            found[keyword] = {name: opened(inner) for name, inner in found[keyword].items()}
    for keyword in found.keys() & (set(SINGLE) - {"not", "if"}):
        found[keyword] = opened(found[keyword])
    return found


class Sameness:
    """Whether two schemas say the same in the same words: annotations do not count, references are followed."""

    def __init__(self) -> None:
        self._assumed: set[tuple[Part, Part]] = set()

    def __call__(self, one: Part, other: Part) -> bool:
        """Compare two schemas; a circle of references is the same where nothing in it differs."""
        if one == other or (one, other) in self._assumed:
            return True
        if isinstance(one.schema, bool) or isinstance(other.schema, bool):
            return one.schema is other.schema
        before = set(self._assumed)
        self._assumed.add((one, other))
        if self._agree(one, other):
            return True
        self._assumed = before  # what was found under an assumption falls with it
        return False

    def _agree(self, one: Part, other: Part) -> bool:
        keywords = [_asserting(part) for part in (one, other)]
        return keywords[0] == keywords[1] and all(self._alike(keyword, one, other) for keyword in keywords[0])

    def _alike(self, keyword: str, one: Part, other: Part) -> bool:
        left, right = one.get(keyword), other.get(keyword)
        if keyword == "$ref":
            targets = one.target, other.target
            return targets[0] is not None and targets[1] is not None and self(targets[0], targets[1])
        if keyword in LISTS:
            steps = range(len(left))
            return len(left) == len(right) and all(self(one.at(keyword, i), other.at(keyword, i)) for i in steps)
        if keyword in MAPS:
            return left.keys() == right.keys() and all(self(one.at(keyword, n), other.at(keyword, n)) for n in left)
        if keyword in SINGLE:
            return self(one.at(keyword), other.at(keyword))
        if keyword in {"required", "enum"}:
            return sorted(map(canonical, left)) == sorted(map(canonical, right))
        return canonical(left) == canonical(right)


def _asserting(part: Part) -> set[str]:
    schema = part.schema
    keywords = set() if isinstance(schema, bool) else set(schema)
    return keywords - ANNOTATIONS - part.without - {"$defs"}


def canonical(value: Any) -> bytes:
    """Return a JSON value in one spelling; 1 and 1.0 are the same number."""
    return orjson.dumps(_whole(value), option=orjson.OPT_SORT_KEYS)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return {name: _whole(one) for name, one in value.items()} if isinstance(value, dict) else value
