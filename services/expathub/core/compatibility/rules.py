"""The rules by which a goal is proven, keyword by keyword: a table. Texts, numbers and alternatives.

Each rule looks only at values that its keyword is about; where what is known rules such values out, it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from expathub.core.compatibility import array_rules, object_rules
from expathub.core.compatibility.documents import Part
from expathub.core.compatibility.inclusion import Entry, Finding, Prover, Rule
from expathub.core.compatibility.known import ATOMS, Bound, Known, atoms_of, exact
from expathub.core.compatibility.patterns import included, of_length

_NUMBERS: Final = frozenset({"integer", "fraction"})


def _type(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    missing = sorted(known.atoms - atoms_of(goal.get("type")))
    if missing:
        words = " and ".join("a number that is not whole" if one == "fraction" else one for one in missing)
        yield prover.missing(known, goal, ["type"], f"{words} would not be accepted")


def _listed(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    keyword = "const" if goal.has("const") else "enum"
    yield prover.missing(known, goal, [keyword], "values that are not listed would not be accepted")


def _reference(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    target = goal.target
    if target is None:
        yield prover.open(goal, "the reference leads out of the file, or nowhere", "$ref")
    else:
        yield from prover.prove(known, target)


# --- alternatives ------------------------------------------------------------------------------------------------


def _all_of(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for index in range(len(goal.get("allOf"))):
        yield from prover.prove(known, goal.at("allOf", index))


def _any_of(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    branches = [goal.at("anyOf", index) for index in range(len(goal.get("anyOf")))]
    if not any(prover.follows(known, branch) for branch in branches):
        yield prover.missing(known, goal, ["anyOf"], "a value need not fit any of the alternatives")


def _one_of(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    branches = [goal.at("oneOf", index) for index in range(len(goal.get("oneOf")))]
    fitting = next((branch for branch in branches if prover.follows(known, branch)), None)
    if fitting is None:
        yield prover.missing(known, goal, ["oneOf"], "a value need not fit exactly one of the alternatives")
    elif not all(prover.is_apart(known, branch) for branch in branches if branch != fitting):
        yield prover.missing(known, goal, ["oneOf"], "a value may fit more than one of the alternatives")


def _not(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    forbidden = goal.at("not")
    if not prover.is_apart(known, forbidden):
        yield prover.missing(known, goal, ["not"], "a value may be what is excluded here")


def _if(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for branch, holds in (("then", True), ("else", False)):
        if not goal.has(branch):
            continue
        case = prover.given(known, goal, holds=holds)
        apart = (not holds and prover.follows(known, goal.at("if"))) or (
            holds and prover.is_apart(known, goal.at("if"))
        )
        if not apart and prover.prove(case, goal.at(branch)):
            yield prover.missing(known, goal, [branch], "a value may break what the condition asks", beside=_CONDITION)


_CONDITION: Final = ("if", "then", "else")


# --- numbers -----------------------------------------------------------------------------------------------------


def _minimum(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for keyword, is_open in (("minimum", False), ("exclusiveMinimum", True)):
        if goal.has(keyword):
            asked, low = Bound(exact(goal.get(keyword)), is_open), known.low
            if low is None or (low.at, low.open) < (asked.at, asked.open):
                yield prover.missing(known, goal, [keyword], "smaller numbers would not be accepted")


def _maximum(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for keyword, is_open in (("maximum", False), ("exclusiveMaximum", True)):
        if goal.has(keyword):
            asked, high = Bound(exact(goal.get(keyword)), is_open), known.high
            if high is None or (high.at, not high.open) > (asked.at, not asked.open):
                yield prover.missing(known, goal, [keyword], "larger numbers would not be accepted")


def _multiple_of(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    steps = [known.step or Fraction(0)] + ([Fraction(1)] if "fraction" not in known.atoms else [])
    asked = exact(goal.get("multipleOf"))
    if not any(step and (step / asked).denominator == 1 for step in steps):
        yield prover.missing(known, goal, ["multipleOf"], "other multiples would not be accepted")


# --- texts -------------------------------------------------------------------------------------------------------


def _length(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for keyword, expression, words in (
        ("minLength", of_length(int(goal.get("minLength", 0)), None), "shorter"),
        ("maxLength", of_length(0, int(goal.get("maxLength", 0))), "longer"),
    ):
        if goal.has(keyword) and not _is_within(known, goal, keyword) and not included(known.expressions, expression):
            yield prover.missing(known, goal, [keyword], f"{words} texts would not be accepted")


def _is_within(known: Known, goal: Part, keyword: str) -> bool:
    """Tell quickly what two limits of the same kind say."""
    limit = int(goal.get(keyword))
    if keyword == "minLength":
        return known.least(keyword) >= limit
    most = known.most(keyword)
    return most is not None and most <= limit


def _pattern(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    asked = goal.get("pattern")
    if asked not in known.said("pattern") and not included(known.expressions, asked):
        yield prover.missing(known, goal, ["pattern"], "other texts would not be accepted")


def _format(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    if goal.get("format") not in known.said("format"):
        yield prover.missing(known, goal, ["format"], "texts of another form would not be accepted")


def _own_keyword(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    """Prove the hub's own keyword: the value must be the same (it asserts more than JSON Schema can say)."""
    if goal.get(NATIONAL) not in known.said(NATIONAL):
        yield prover.missing(known, goal, [NATIONAL], "other numbers would not be accepted")


NATIONAL: Final = "x-nationaal-nummer"

_ANY: Final[Mapping[str, Rule]] = {
    "type": _type,
    "const": _listed,
    "enum": _listed,
    "$ref": _reference,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
}
_OF_NUMBERS: Final[Mapping[str, Rule]] = {
    "minimum": _minimum,
    "exclusiveMinimum": _minimum,
    "maximum": _maximum,
    "exclusiveMaximum": _maximum,
    "multipleOf": _multiple_of,
}
_OF_TEXTS: Final[Mapping[str, Rule]] = {
    "minLength": _length,
    "maxLength": _length,
    "pattern": _pattern,
    "format": _format,
    NATIONAL: _own_keyword,
}

RULES: Final[Mapping[str, Entry]] = {
    **{keyword: Entry(rule, ATOMS) for keyword, rule in _ANY.items()},
    **{keyword: Entry(rule, _NUMBERS) for keyword, rule in _OF_NUMBERS.items()},
    **{keyword: Entry(rule, frozenset({"string"})) for keyword, rule in _OF_TEXTS.items()},
    **object_rules.RULES,
    **array_rules.RULES,
}
"""Every keyword that asserts something, and how it is proven."""
