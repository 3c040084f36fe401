"""What is known of a value that several schemas accept at once: types, bounds, members and elements.

Everything here errs to one side: what is said is true of every such value, though there may be more to say. That is
what a proof of inclusion may build on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial, reduce
from itertools import chain
from math import lcm
from typing import Any, Final

from expathub.core.compatibility.documents import Judge, Part, made
from expathub.core.compatibility.patterns import NOTHING, included, of_length

ATOMS: Final = frozenset({"null", "boolean", "object", "array", "string", "integer", "fraction"})
"""The types, with `number` taken apart: a number is whole or it is not."""

DEPTH_MAX: Final = 6
"""So deep it is looked for what can never be; deeper down it is not noticed."""


RANGE_MAX: Final = 64
"""Up to so many whole numbers are tried one by one."""


def atoms_of(types: Any) -> frozenset[str]:
    """Return the types that the value of the keyword `type` names."""
    names = {types} if isinstance(types, str) else set(types)
    return frozenset(names - {"number"} | ({"integer", "fraction"} if "number" in names else set()))


def atom_of(value: object) -> str:
    """Return the type of a JSON value."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if float(value).is_integer() else "fraction"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _common(one: Fraction, other: Fraction) -> Fraction:
    """Return the least common multiple of two numbers."""
    scale = lcm(one.denominator, other.denominator)
    return Fraction(lcm(int(one * scale), int(other * scale)), scale)


def exact(number: float) -> Fraction:
    """Return a number as it is written: 0.1 is a tenth."""
    return Fraction(str(number))


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a range of numbers, itself part of it or not."""

    at: Fraction
    open: bool = False


class Known:
    """What some schemas say together."""

    def __init__(self, parts: tuple[Part, ...], judge: Judge, depth: int = 0) -> None:
        """Follow references and `allOf`."""
        self.parts = tuple(dict.fromkeys(chain.from_iterable(_spread(part, frozenset()) for part in parts)))
        self.key = frozenset(self.parts)
        self.judge = judge
        self.depth = depth

    def also(self, *parts: Part) -> Known:
        """Return what is known when more schemas hold."""
        return Known((*self.parts, *parts), self.judge, self.depth)

    def instead(self, part: Part, *parts: Part) -> Known:
        """Return what is known with one schema replaced by others."""
        return Known((*(one for one in self.parts if one != part), *parts), self.judge, self.depth)

    def _with_branch(self, part: Part, keyword: str, index: int) -> Known:
        """Return what is known where one of several alternatives holds."""
        rest = (one for one in self.parts if one != part)
        return Known((*rest, part.less(keyword), part.at(keyword, index)), self.judge, self.depth + 1)

    def _below(self, parts: Iterator[Part]) -> Known:
        return Known(tuple(parts), self.judge, self.depth + 1)

    def accepts(self, value: object) -> bool:
        """Tell whether all the schemas accept a value."""
        return all(self.judge(part.document.root, part.schema, value) for part in self.parts)

    def said(self, keyword: str) -> Iterator[Any]:
        """Yield what the schemas say under a keyword."""
        return (part.get(keyword) for part in self.parts if part.has(keyword))

    # --- values and types ----------------------------------------------------------------------------------------

    @cached_property
    def values(self) -> tuple[Any, ...] | None:
        """All the values that there are, where a schema lists them."""
        for part in self.parts:
            if part.has("const") or part.has("enum"):
                listed = [part.get("const")] if part.has("const") else part.get("enum")
                return tuple(value for value in listed if self.accepts(value))
        return None

    @cached_property
    def atoms(self) -> frozenset[str]:
        """The types that a value may have."""
        found = ATOMS
        for types in self.said("type"):
            found &= atoms_of(types)
        if self.values is not None:
            found &= {atom_of(value) for value in self.values}
        if self.step is not None and self.step.denominator == 1:
            found -= {"fraction"}
        return frozenset() if any(part.is_false for part in self.parts) else found

    @cached_property
    def all_values(self) -> tuple[Any, ...] | None:
        """All the values that there are, also where there are few for other reasons than a list."""
        if self.values is not None:
            return self.values
        if self.atoms <= {"null", "boolean"}:
            return tuple(filter(self.accepts, (None, False, True)))
        if self.atoms != {"integer"} or self.low is None or self.high is None:
            return None
        first, last = int(self.low.at), int(self.high.at)
        return tuple(filter(self.accepts, range(first, last + 1))) if last - first < RANGE_MAX else None

    # --- bounds --------------------------------------------------------------------------------------------------

    def least(self, keyword: str) -> int:
        """Return the greatest of some lower bounds of a size."""
        return max((int(value) for value in self.said(keyword)), default=0)

    def most(self, keyword: str) -> int | None:
        """Return the least of some upper bounds of a size."""
        return min((int(value) for value in self.said(keyword)), default=None)

    @cached_property
    def low(self) -> Bound | None:
        """The lower end of the numbers; of whole numbers the first itself."""
        ends = [Bound(exact(value)) for value in self.said("minimum")]
        ends += [Bound(exact(value), open=True) for value in self.said("exclusiveMinimum")]
        end = max(ends, key=lambda bound: (bound.at, bound.open), default=None)
        if end is None or "fraction" in self.atoms:
            return end
        first = -(-end.at.numerator // end.at.denominator)
        return Bound(Fraction(first + (end.open and first == end.at)))

    @cached_property
    def high(self) -> Bound | None:
        """The upper end of the numbers; of whole numbers the last itself."""
        ends = [Bound(exact(value)) for value in self.said("maximum")]
        ends += [Bound(exact(value), open=True) for value in self.said("exclusiveMaximum")]
        end = min(ends, key=lambda bound: (bound.at, not bound.open), default=None)
        if end is None or "fraction" in self.atoms:
            return end
        last = end.at.numerator // end.at.denominator
        return Bound(Fraction(last - (end.open and last == end.at)))

    @cached_property
    def step(self) -> Fraction | None:
        """The number of which all numbers are multiples."""
        steps = [exact(value) for value in self.said("multipleOf")]
        return reduce(_common, steps) if steps else None

    @property
    def expressions(self) -> list[str]:
        """Regular expressions that every text fits, its length among them."""
        found = list(self.said("pattern"))
        least, most = self.least("minLength"), self.most("maxLength")
        return [*found, of_length(least, most)] if least or most is not None else found

    # --- members -------------------------------------------------------------------------------------------------

    @cached_property
    def required(self) -> frozenset[str]:
        """The members that are there, also because another one is."""
        found = set(chain.from_iterable(self.said("required")))
        before = -1
        while len(found) > before:
            before = len(found)
            for dependent in self.said("dependentRequired"):
                found.update(*(names for name, names in dependent.items() if name in found))
        return frozenset(found)

    @cached_property
    def names(self) -> frozenset[str]:
        """The members that a schema names."""
        return frozenset(chain.from_iterable(self.said("properties"))) | self.required

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """The expressions by which a schema describes members."""
        return tuple(dict.fromkeys(chain.from_iterable(self.said("patternProperties"))))

    def member(self, name: str) -> Known:
        """Return what is known of a member."""
        return self._below(chain.from_iterable(self._of_member(part, name) for part in self.parts))

    def _of_member(self, part: Part, name: str) -> Iterator[Part]:
        described = False
        if name in part.get("properties", ()):
            described = True
            yield part.at("properties", name)
        for pattern in part.get("patternProperties", ()):
            if matches(self.judge, pattern, name):
                described = True
                yield part.at("patternProperties", pattern)
        if part.has("additionalProperties") and not described:
            yield part.at("additionalProperties")
        elif part.has("unevaluatedProperties") and not Evaluated.of(part).may_know(name, self.judge):
            yield part.at("unevaluatedProperties")

    def others(self, pattern: str | None = None) -> Known:
        """Return what is known of members that no schema names: that fit `pattern`, or none of `patterns`."""
        of_part = self._unmatched if pattern is None else partial(_matched, pattern=pattern)
        return self._below(chain.from_iterable(map(of_part, self.parts)))

    def _unmatched(self, part: Part) -> Iterator[Part]:
        if part.has("additionalProperties"):
            yield part.at("additionalProperties")
        elif part.has("unevaluatedProperties"):
            evaluated = Evaluated.of(part)
            if not evaluated.all and evaluated.patterns.issubset(self.patterns):
                yield part.at("unevaluatedProperties")

    # --- elements ------------------------------------------------------------------------------------------------

    @property
    def places(self) -> int:
        """How many elements have a schema of their own."""
        return max((len(schemas) for schemas in self.said("prefixItems")), default=0)

    def element(self, index: int) -> Known:
        """Return what is known of an element; from `places` on all are alike."""
        return self._below(chain.from_iterable(_of_element(part, index) for part in self.parts))

    @cached_property
    def elements_max(self) -> int | None:
        """How many elements there can be at most."""
        most = self.most("maxItems")
        if any(self.said("uniqueItems")) and not self.places:
            values = self.element(0).all_values
            most = most if values is None else min(len(values), len(values) if most is None else most)
        for index in range(min(self.places + 1, 64)):
            if most is not None and index >= most:
                break
            if self.element(index).is_empty:
                return index
        return most

    # --- nothing at all ------------------------------------------------------------------------------------------

    @cached_property
    def is_empty(self) -> bool:
        """Whether there certainly is no such value; false may also mean that nobody noticed."""
        if self.depth > DEPTH_MAX:
            return False
        if self.values == () or not any(map(self._can_be, self.atoms)):
            return True
        return any(
            all(self._with_branch(part, keyword, index).is_empty for index in range(len(branches)))
            for part in self.parts
            for keyword in ("anyOf", "oneOf")
            if (branches := part.get(keyword)) is not None
        )

    def _can_be(self, atom: str) -> bool:
        if atom in {"integer", "fraction"}:
            return not (self.low and self.high) or self.low.at <= self.high.at
        if atom == "string":
            return self._is_within("minLength", "maxLength") and included(self.expressions, NOTHING) is not True
        if atom == "array":
            most = self.elements_max
            return most is None or self.least("minItems") <= most
        if atom == "object":
            return self._is_within("minProperties", "maxProperties") and not any(
                self.member(name).is_empty for name in self.required
            )
        return True

    def _is_within(self, least: str, most: str) -> bool:
        limit = self.most(most)
        return limit is None or self.least(least) <= limit


def matches(judge: Judge, pattern: str, name: str) -> bool:
    """Tell whether a member's name fits an expression."""
    schema = made({"pattern": pattern})
    return judge(schema.document.root, schema.schema, name)


def _spread(part: Part, seen: frozenset[Part]) -> Iterator[Part]:
    """Yield a schema and all that must hold with it at the same place."""
    if part in seen:
        return
    yield part
    target = part.target
    if target is not None:
        yield from _spread(target, seen | {part})
    for index in range(len(part.get("allOf", ()))):
        yield from _spread(part.at("allOf", index), seen | {part})


def _matched(part: Part, pattern: str) -> Iterator[Part]:
    patterns = part.get("patternProperties", ())
    for wider in patterns:
        if wider == pattern or included([pattern], wider):
            yield part.at("patternProperties", wider)
    if part.has("additionalProperties") and not patterns:
        yield part.at("additionalProperties")


def _of_element(part: Part, index: int) -> Iterator[Part]:
    prefix = part.get("prefixItems", ())
    if index < len(prefix):
        yield part.at("prefixItems", index)
    elif part.has("items"):
        yield part.at("items")
    elif part.has("unevaluatedItems") and not _may_know_elements(part.whole, frozenset()):
        yield part.at("unevaluatedItems")


IN_PLACE: Final = ("allOf", "anyOf", "oneOf")
CONDITIONAL: Final = ("if", "then", "else")


def in_place(part: Part) -> Iterator[Part]:
    """Yield the schemas that judge the same value as this one, whether they must hold or may."""
    target = part.target
    if target is not None:
        yield target
    for keyword in IN_PLACE:
        yield from (part.at(keyword, index) for index in range(len(part.get(keyword, ()))))
    yield from (part.at(keyword) for keyword in CONDITIONAL if part.has(keyword))
    yield from (part.at("dependentSchemas", name) for name in part.get("dependentSchemas", ()))


def _may_know_elements(part: Part, seen: frozenset[Part]) -> bool:
    """Tell whether another keyword than `prefixItems` may take elements away from `unevaluatedItems`."""
    if part.has("items") or part.has("contains"):
        return True
    return any(
        inner not in seen
        and (inner.has("unevaluatedItems") or inner.has("prefixItems") or _may_know_elements(inner, seen | {part}))
        for inner in in_place(part)
    )


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The members that `unevaluatedProperties` may pass over: by name, by expression, or all."""

    names: frozenset[str]
    patterns: frozenset[str]
    all: bool

    @classmethod
    def of(cls, part: Part) -> Evaluated:
        """Collect what a schema and those in its place may evaluate."""
        names: set[str] = set()
        patterns: set[str] = set()
        everything, left, seen = False, [part.whole], set[Part]()
        while left:
            one = left.pop()
            seen.add(one)
            names.update(one.get("properties", ()))
            patterns.update(one.get("patternProperties", ()))
            everything |= one.has("additionalProperties") or (one != part.whole and one.has("unevaluatedProperties"))
            left.extend(inner for inner in in_place(one) if inner not in seen)
        return cls(frozenset(names), frozenset(patterns), everything)

    def may_know(self, name: str, judge: Judge) -> bool:
        """Tell whether a member may be evaluated."""
        return self.all or name in self.names or any(matches(judge, pattern, name) for pattern in self.patterns)
