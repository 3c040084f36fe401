"""The rules by which goals about lists are proven: elements, their number, and what must be among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from expathub.core.compatibility.documents import Part
from expathub.core.compatibility.inclusion import Entry, Finding, Prover, Rule
from expathub.core.compatibility.known import Known, in_place

_ARRAY: Final = "array"
_ELEMENT_WORDS: Final = ("prefixItems", "items", "contains", "unevaluatedItems")


def _prefix(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for index in range(len(goal.get("prefixItems"))):
        yield from _element(prover, known, index, goal.at("prefixItems", index))


def _items(prover: Prover, known: Known, goal: Part, keyword: str = "items") -> Iterator[Finding]:
    first = len(goal.get("prefixItems", ()))
    asked = goal.at(keyword)
    for index in range(first, max(first, known.places) + 1):
        if not asked.is_false:
            yield from _element(prover, known, index, asked)
        elif known.elements_max is None or known.elements_max > index:
            yield prover.missing(known, goal, [keyword], "longer lists would not be accepted", beside=("prefixItems",))
            return


def _element(prover: Prover, known: Known, index: int, asked: Part) -> Iterator[Finding]:
    if known.elements_max is None or known.elements_max > index:
        yield from prover.of_element(known, index, asked)


def _unevaluated(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    if goal.has("items"):
        return
    if goal.has("contains") or any(_knows_elements(part, frozenset({goal})) for part in in_place(goal)):
        yield prover.open(goal, "which elements are left over cannot be said", "unevaluatedItems")
    else:
        yield from _items(prover, known, goal, "unevaluatedItems")


def _knows_elements(part: Part, seen: frozenset[Part]) -> bool:
    if any(part.has(word) for word in _ELEMENT_WORDS):
        return True
    return any(one not in seen and _knows_elements(one, seen | {part}) for one in in_place(part))


def _number(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    if _fewest(known) < int(goal.get("minItems", 0)):
        yield prover.missing(known, goal, ["minItems"], "shorter lists would not be accepted")
    if goal.has("maxItems") and (known.elements_max is None or known.elements_max > int(goal.get("maxItems"))):
        yield prover.missing(known, goal, ["maxItems"], "longer lists would not be accepted")


def _fewest(known: Known) -> int:
    contained = [int(part.get("minContains", 1)) for part in known.parts if part.has("contains")]
    return max(known.least("minItems"), *contained, 0)


def _unique(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    if not goal.get("uniqueItems"):
        return
    is_short = known.elements_max is not None and known.elements_max <= 1
    if not any(known.said("uniqueItems")) and not is_short:
        yield prover.missing(known, goal, ["uniqueItems"], "lists that repeat an element would not be accepted")


def _contains(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    asked = goal.at("contains")
    least, most = int(goal.get("minContains", 1)), goal.get("maxContains")
    beside = ("minContains", "maxContains")
    if least and not _surely_contains(prover, known, asked, least):
        yield prover.missing(known, goal, ["contains"], "a list need not hold such an element", beside=beside)
    if most is not None and not _surely_at_most(prover, known, asked, int(most)):
        yield prover.missing(known, goal, ["contains"], "a list may hold more such elements", beside=beside)


def _surely_contains(prover: Prover, known: Known, asked: Part, least: int) -> bool:
    for part in known.parts:
        is_enough = part.has("contains") and int(part.get("minContains", 1)) >= least
        if is_enough and prover.follows(prover.known(part.at("contains")), asked):
            return True
    places = range(known.places + 1)
    return _fewest(known) >= least and all(prover.follows(known.element(index), asked) for index in places)


def _surely_at_most(prover: Prover, known: Known, asked: Part, most: int) -> bool:
    if known.elements_max is not None and known.elements_max <= most:
        return True
    return any(
        part.has("maxContains")
        and part.has("contains")
        and int(part.get("maxContains")) <= most
        and prover.follows(prover.known(asked), part.at("contains"))
        for part in known.parts
    )


_RULES: Final[Mapping[str, Rule]] = {
    "prefixItems": _prefix,
    "items": _items,
    "unevaluatedItems": _unevaluated,
    "minItems": _number,
    "maxItems": _number,
    "uniqueItems": _unique,
    "contains": _contains,
}

RULES: Final = {keyword: Entry(rule, frozenset({_ARRAY})) for keyword, rule in _RULES.items()}
