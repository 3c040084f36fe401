"""Values that show that something does not follow: built from the schemas themselves, tried one by one.

Finding none proves nothing. What is found is only ever used to say "breaks" instead of "undecidable".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from expathub.core.compatibility.documents import Judge, Part, Schema
from expathub.core.compatibility.known import Known
from expathub.core.compatibility.patterns import example

DEPTH_MAX: Final = 4
TRIED_MAX: Final = 400
TEXT_MAX: Final = 10_000

STRANGE: Final = "onbekendVeld"
"""The name of a member that no schema knows."""

_FORMATS: Final = (
    *("2026-01-31", "2026-01-31T09:30:00Z", "09:30:00Z", "P1D", "a@example.nl", "https://example.nl/a"),
    *("999990342", "0987654321", "0935", "9089", "0052", "23", "nl", "NL", "6211DW"),
    *("3f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0002", "192.0.2.1", "2001:db8::1", "example.nl", "/a", "^a$", "urn:example:a"),
)
_MAIL: Final = "@example.nl"
_LINK: Final = "https://example.nl/"
_NUMBERS: Final = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
)  # fmt: skip
_LENGTHS: Final = ("minLength", "maxLength")
_SIZES: Final = ("minItems", "maxItems", "minContains", "maxContains")


class Witnesses:
    """Looks for values."""

    def __init__(self, judge: Judge) -> None:
        """Take the judge that has the last word."""
        self._judge = judge

    def find(self, known: Known, goal: Part, schema: Schema) -> tuple[Any] | None:
        """Return a value, in a tuple, that is accepted by all that is known and not by `schema` of `goal`."""
        together = known.also(goal)
        for value in islice(self._candidates(known, together, 0), TRIED_MAX):
            if not self._judge(goal.document.root, schema, value) and known.accepts(value):
                return (value,)
        return None

    def with_member(self, known: Known, name: str, value: object) -> tuple[Any] | None:
        """Return an object that is accepted and has a member of a value, in a tuple."""
        objects = (base for base in self._objects(known, known, 0) if isinstance(base, dict))
        tried = ({**base, name: value} for base in islice(objects, TRIED_MAX // 4))
        return next(((one,) for one in tried if known.accepts(one)), None)

    def with_element(self, known: Known, index: int, value: object) -> tuple[Any] | None:
        """Return a list that is accepted and has an element of a value, in a tuple."""
        others = [*self._elements(known.element(index), known, 1), value]
        before = [next(self._some(known.element(place), 1), value) for place in range(index)]
        tried = ([*before, value, *others[:more]] for more in range(len(others) + 1))
        return next(((one,) for one in tried if known.accepts(one)), None)

    def _some(self, known: Known, depth: int) -> Iterator[Any]:
        """Yield values that are accepted."""
        tried = islice(self._candidates(known, known, depth), TRIED_MAX // (depth + 1))
        return (value for value in tried if known.accepts(value))

    def _candidates(self, known: Known, together: Known, depth: int) -> Iterator[Any]:
        """Yield values that might be accepted; `together` also knows what might reject them."""
        for part in together.parts:
            yield from part.get("enum", ())
            yield from part.get("examples", ())
            yield from ([part.get("const")] if part.has("const") else [])
        yield from (None, True, False)
        atoms = known.atoms
        yield from _numbers(together) if atoms & {"integer", "fraction"} else ()
        yield from _texts(known, together) if "string" in atoms else ()
        if depth < DEPTH_MAX:
            yield from self._branches(known, together, depth)
            yield from self._objects(known, together, depth) if "object" in atoms else ()
            yield from self._arrays(known, together, depth) if "array" in atoms else ()

    def _branches(self, known: Known, together: Known, depth: int) -> Iterator[Any]:
        for part in together.parts:
            branches = [part.at(word, i) for word in ("anyOf", "oneOf") for i in range(len(part.get(word, ())))]
            branches += [part.at(word) for word in ("not", "if", "then", "else") if part.has(word)]
            for branch in branches:
                yield from islice(self._candidates(known.also(branch), together.also(branch), depth + 1), 60)

    def _objects(self, known: Known, together: Known, depth: int) -> Iterator[Any]:
        choices = {name: list(islice(self._some(known.member(name), depth + 1), 3)) for name in together.names}
        least = {name: choices[name][0] for name in sorted(known.required) if choices.get(name)}
        full = {name: values[0] for name, values in choices.items() if values}
        yield from ({}, least, full)
        for name, values in choices.items():
            yield {key: value for key, value in full.items() if key != name}
            yield from ({**base, name: value} for value in values for base in (least, full))
        for name in (*_names(together), STRANGE):
            for value in islice(self._some(known.member(name), depth + 1), 3):
                yield {**least, name: value}
        yield from _grown(least, together)

    def _arrays(self, known: Known, together: Known, depth: int) -> Iterator[Any]:
        places = [self._elements(known.element(index), together, depth + 1) for index in range(together.places + 1)]
        sizes = {size + step for keyword in _SIZES for size in together.said(keyword) for step in (-1, 0, 1)}
        for size in sorted({0, 1, 2, *range(together.places + 2), *sizes}):
            if not 0 <= size <= TEXT_MAX or not all(places[: size and min(size, len(places))]):
                continue
            plain = [places[min(index, len(places) - 1)] for index in range(size)]
            yield [values[0] for values in plain]
            yield [values[index % len(values)] for index, values in enumerate(plain)]
            yield [values[-1] for values in plain]
            if size:
                yield from ([*(values[0] for values in plain[:-1]), last] for last in plain[-1])

    def _elements(self, known: Known, together: Known, depth: int) -> list[Any]:
        """Return some elements, also such as a list must contain."""
        contained = [part.at("contains") for part in together.parts if part.has("contains")]
        wanted = [known, *(known.also(part) for part in contained)]
        return [value for one in wanted for value in islice(self._some(one, depth), 3)]


def _numbers(together: Known) -> Iterator[Any]:
    yield from (0, 1, -1, 0.5, 1.5, 0.25)
    for keyword in _NUMBERS:
        for number in together.said(keyword):
            yield from (number, number + 1, number - 1, number + 0.5, number - 0.5)
            yield from (factor * number for factor in (2, 3, 4, 5, 7))


def _texts(known: Known, together: Known) -> Iterator[str]:
    yield from ("", "a", "0", *_FORMATS)
    for keyword in _LENGTHS:
        for length in together.said(keyword):
            for size in (min(max(length + step, 0), TEXT_MAX) for step in (-1, 0, 1)):
                yield from ("a" * size, "0" * size, "a" * (size - len(_MAIL)) + _MAIL, (_LINK + "a" * size)[:size])
    expressions = known.expressions
    goals: Iterable[str | None] = (None, *(one for one in together.expressions if one not in expressions))
    texts = (example(expressions, goal) for goal in goals if expressions or goal is not None)
    yield from (text for text in texts if text is not None)


def _names(together: Known) -> Iterator[str]:
    """Yield names of members that a schema speaks of without describing them."""
    for dependent in together.said("dependentRequired"):
        yield from dependent
    for dependent in together.said("dependentSchemas"):
        yield from dependent


def _grown(least: dict[str, Any], together: Known) -> Iterator[dict[str, Any]]:
    """Yield objects with as many members as a limit on their number asks to try."""
    for keyword in ("minProperties", "maxProperties"):
        for limit in together.said(keyword):
            for size in range(max(limit - 1, 0), min(limit + 2, TEXT_MAX)):
                yield dict([*least.items(), *((f"veld{index}", 1) for index in range(size))][:size])
