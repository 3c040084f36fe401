"""The rules by which goals about objects are proven: members, their names and their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from expathub.core.compatibility.documents import Part, made
from expathub.core.compatibility.inclusion import Entry, Finding, Prover, Rule
from expathub.core.compatibility.known import Known, in_place, matches
from expathub.core.compatibility.patterns import NOTHING, example, included
from expathub.core.compatibility.witness import STRANGE

_OBJECT: Final = "object"


def _required(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for index, name in enumerate(goal.get("required")):
        if name not in known.required:
            finding = prover.missing(known, goal, ["required"], f"`{name}` may be missing")
            yield replace(finding, pointer=prover.pointer(goal, ["required", index]), what=f"`{name}` is required")


def _properties(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for name in goal.get("properties"):
        yield from prover.of_member(known, name, known.member(name), goal.at("properties", name))


def _pattern_properties(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for pattern in goal.get("patternProperties"):
        asked = goal.at("patternProperties", pattern)
        for name in sorted(known.names):
            if matches(known.judge, pattern, name):
                yield from prover.of_member(known, name, known.member(name), asked)
        yield from _of_pattern(prover, known, pattern, asked)


def _of_pattern(prover: Prover, known: Known, pattern: str, asked: Part) -> Iterator[Finding]:
    """Prove the schema of members that no schema names and that fit an expression, if there can be any."""
    escaped = ("".join(one if one.isalnum() else f"\\{one}" for one in name) for name in sorted(known.names))
    named = f"^(?:{'|'.join(escaped)})$" if known.names else NOTHING
    if included([pattern], named):
        return
    name = example([pattern], named) or STRANGE
    yield from prover.of_member(known, name, known.others(pattern), asked)


def _additional(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    patterns = frozenset(goal.get("patternProperties", ()))
    names = frozenset(goal.get("properties", ()))
    yield from _rest(prover, known, goal, "additionalProperties", names, patterns)


def _unevaluated(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    names, patterns, everything = _evaluated(prover, known, goal)
    if not everything:
        yield from _rest(prover, known, goal, "unevaluatedProperties", names, patterns)


def _rest(
    prover: Prover, known: Known, goal: Part, keyword: str, names: frozenset[str], patterns: frozenset[str]
) -> Iterator[Finding]:
    """Prove the schema of all members but those in `names` and those that fit `patterns`."""
    asked = goal.at(keyword)
    beside = ("properties", "patternProperties")
    for name in sorted(known.names - names):
        if any(matches(known.judge, pattern, name) for pattern in patterns):
            continue
        member = known.member(name)
        if asked.is_false:
            if not member.is_empty:
                finding = prover.missing(known, goal, [keyword], f"`{name}` is not known here any more", beside=beside)
                yield replace(finding, pointer=prover.pointer(goal, ["properties", name]))
        else:
            yield from prover.of_member(known, name, member, asked)
    for pattern in known.patterns:
        if pattern not in patterns:
            yield from _of_pattern(prover, known, pattern, asked)
    others = known.others()
    if not asked.is_false:
        yield from prover.of_member(known, STRANGE, others, asked)
    elif not others.is_empty:
        yield prover.missing(known, goal, [keyword], "members that are not named may be there", beside=beside)


def _evaluated(prover: Prover, known: Known, goal: Part) -> tuple[frozenset[str], frozenset[str], bool]:
    """Collect the members that a goal evaluates for certain, in the alternatives too that are proven to hold."""
    names, patterns, everything = set[str](), set[str](), False
    left, seen = [goal.less("unevaluatedProperties")], set[Part]()
    while left:
        part = left.pop()
        seen.add(part)
        names.update(part.get("properties", ()))
        patterns.update(part.get("patternProperties", ()))
        everything |= part.has("additionalProperties") or part.has("unevaluatedProperties")
        left.extend(one for one in in_place(part) if one not in seen and prover.follows(known, one))
    return frozenset(names), frozenset(patterns), everything


def _property_names(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    asked = goal.at("propertyNames")
    strict = [part.at("propertyNames") for part in known.parts if part.has("propertyNames")]
    names = prover.known(made({"type": "string"}), *strict)
    if prover.follows(names, asked):
        return
    is_closed = known.others().is_empty and not known.patterns
    wrong = [n for n in known.names if not known.member(n).is_empty and not prover.holds(asked, n)]
    if wrong or not is_closed:
        yield prover.missing(known, goal, ["propertyNames"], "members of other names would not be accepted")


def _number_of_members(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    least = max(known.least("minProperties"), len(known.required))
    if least < int(goal.get("minProperties", 0)):
        yield prover.missing(known, goal, ["minProperties"], "objects with fewer members would not be accepted")
    most = known.most("maxProperties")
    if known.others().is_empty and not known.patterns:
        named = sum(not known.member(name).is_empty for name in known.names)
        most = named if most is None else min(most, named)
    if goal.has("maxProperties") and (most is None or most > int(goal.get("maxProperties"))):
        yield prover.missing(known, goal, ["maxProperties"], "objects with more members would not be accepted")


def _dependent_required(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for name, needed in goal.get("dependentRequired").items():
        there = known.also(made({"required": [name]}))
        if not there.is_empty and not there.required.issuperset(needed):
            yield prover.missing(
                known, goal, ["dependentRequired"], f"`{name}` may be there without what it must come with"
            )


def _dependent_schemas(prover: Prover, known: Known, goal: Part) -> Iterator[Finding]:
    for name in goal.get("dependentSchemas"):
        with_name = [part for part in known.parts if name in part.get("dependentSchemas", ())]
        follows = [part.at("dependentSchemas", name) for part in with_name]
        there = known.also(made({"type": "object", "required": [name]}), *follows)
        if prover.prove(there, goal.at("dependentSchemas", name)):
            yield prover.missing(known, goal, ["dependentSchemas"], f"what comes with `{name}` may be otherwise")


_RULES: Final[Mapping[str, Rule]] = {
    "required": _required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "unevaluatedProperties": _unevaluated,
    "propertyNames": _property_names,
    "minProperties": _number_of_members,
    "maxProperties": _number_of_members,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
}

RULES: Final = {keyword: Entry(rule, frozenset({_OBJECT})) for keyword, rule in _RULES.items()}
