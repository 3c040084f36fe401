"""Whether everything that one schema accepts is accepted by another: proof, counterexample, or neither.

A goal is proven keyword by keyword (`rules`), from what is known of the value (`Known`); where that fails, case by case
over the alternatives of what is known. A circle of references is proven by induction over the size of the value. What
is neither proven nor refuted by an example is undecided, and said to be so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from expathub.core.compatibility.documents import Judge, Part, Sameness, made
from expathub.core.compatibility.known import Known
from expathub.core.compatibility.witness import Witnesses
from expathub.core.pointers import render

STEPS_MAX: Final = 4_000
"""So many goals are looked at; what needs more is undecided."""


_Question: TypeAlias = tuple[frozenset[Part], Part]


@dataclass(frozen=True, slots=True)
class Finding:
    """A goal that does not follow: where it stands, why, what changed if that is plain, and, in a tuple, an example.

    The example is a value that is accepted by all that was known and not by the goal: it refutes. It is looked for
    where the finding is made and then carried outwards, and is forgotten where it does not stand up.
    """

    pointer: str
    reason: str
    what: str = ""
    example: tuple[Any] | None = field(default=None, compare=False)

    @property
    def refuted(self) -> bool:
        """Whether an example refutes the goal."""
        return self.example is not None


class Rule(Protocol):
    """Proves one keyword of a goal."""

    def __call__(self, prover: Prover, known: Known, goal: Part) -> Iterable[Finding]:
        """Yield what does not follow."""
        ...


class Entry(NamedTuple):
    """A rule, and the types of values that its keyword is about: others it lets pass."""

    rule: Rule
    about: frozenset[str]


class Prover:
    """Proves goals for one pair of documents."""

    def __init__(self, judge: Judge, rules: Mapping[str, Entry], steps_max: int = STEPS_MAX) -> None:
        """Take the rule of each keyword."""
        self._judge, self._rules, self._steps_left = judge, rules, steps_max
        self._witnesses = Witnesses(judge)
        self._same = Sameness()
        self._shown: dict[_Question, bool] = {}
        self._begun: dict[_Question, int] = {}
        self._told: set[_Question] = set()
        self._assumptions = 0
        self._quiet = False

    def known(self, *parts: Part) -> Known:
        """Return what some schemas say together."""
        return Known(parts, self._judge)

    def prove(self, known: Known, goal: Part) -> tuple[Finding, ...]:
        """Return what keeps `goal` from following; nothing means that it is proven."""
        if self.follows(known, goal):
            return ()
        question = (known.key, goal)
        if self._quiet or self._steps_left <= 0:
            return (self.open(goal, "the schemas are too large to be compared in full"),)
        if question in self._told:
            return ()  # told where the circle of references began
        self._told.add(question)
        findings = [self._upheld(known, goal, finding) for finding in self._failures(known, goal)]
        self._told.discard(question)
        return tuple(dict.fromkeys(findings))

    def _upheld(self, known: Known, goal: Part, finding: Finding) -> Finding:
        """Return a finding with its example if that is one here, else without."""
        if finding.example is None:
            return finding
        value = finding.example[0]
        return finding if known.accepts(value) and not self.holds(goal, value) else replace(finding, example=None)

    def follows(self, known: Known, goal: Part) -> bool:
        """Tell whether a goal is proven."""
        if goal.schema is True or known.is_empty or any(self._same(part.whole, goal) for part in known.parts):
            return True
        question = (known.key, goal)
        if question in self._shown:
            return self._shown[question]
        if question in self._begun:
            # By induction: the same question about a smaller value. About the very same value it would prove nothing.
            self._assumptions += 1
            return known.depth > self._begun[question]
        self._steps_left -= 1
        if self._steps_left < 0:
            return False
        was_quiet, self._quiet = self._quiet, True
        assumptions = self._assumptions
        self._begun[question] = known.depth
        shown = self._attempt(known, goal)
        del self._begun[question]
        self._quiet = was_quiet
        if self._assumptions == assumptions:
            self._shown[question] = shown
        return shown

    def _attempt(self, known: Known, goal: Part) -> bool:
        if known.all_values is not None:
            return all(self.holds(goal, value) for value in known.all_values)
        if not any(True for _ in self._direct(known, goal)):
            return True
        return any(all(self.follows(case, goal) for case in cases) for cases in self._cases(known, goal))

    def _failures(self, known: Known, goal: Part) -> Iterator[Finding]:
        """Say what is wrong, of the cases that there are in those that fail."""
        if known.values is not None:
            yield self._unlisted(known, goal)
            return
        cases = next(self._cases(known, goal), None)
        if cases is None:
            yield from self._direct(known, goal)
            return
        for case in cases:
            yield from self.prove(case, goal)

    def _direct(self, known: Known, goal: Part) -> Iterator[Finding]:
        if goal.is_false:
            yield self.missing(known, goal, (), "nothing is allowed here any more")
            return
        entries = (entry for keyword, entry in self._rules.items() if goal.has(keyword))
        for entry in dict.fromkeys(entries):
            if entry.about & known.atoms:
                yield from entry.rule(self, known, goal)

    def _unlisted(self, known: Known, goal: Part) -> Finding:
        missing = [value for value in known.values or () if not self.holds(goal, value)]
        count = f"{len(missing)} listed value{'s' if len(missing) > 1 else ''}"
        broken = [key for key in self._rules if goal.has(key) and self._rejects(goal, key, missing)]
        pointer = self.pointer(goal, broken[:1])
        return Finding(pointer, f"{count} would not be accepted", example=(missing[0],))

    def _rejects(self, goal: Part, keyword: str, values: list[object]) -> bool:
        schema = goal.only(keyword)
        return any(not self._judge(goal.document.root, schema, value) for value in values)

    def holds(self, goal: Part, value: object) -> bool:
        """Tell whether a schema accepts a value."""
        return self._judge(goal.document.root, goal.schema, value)

    # --- cases ---------------------------------------------------------------------------------------------------

    def _cases(self, known: Known, goal: Part) -> Iterator[list[Known]]:
        """Yield ways to take apart what is known; each covers every value."""
        for part in known.parts:
            for keyword in ("anyOf", "oneOf"):
                if part.has(keyword):
                    rest = part.less(keyword)
                    yield [known.instead(part, rest, part.at(keyword, i)) for i in range(len(part.get(keyword)))]
            if part.has("if"):
                yield self.both_ways(known, part)
        if len(known.atoms - {"fraction"}) > 1 and any(
            goal.has(keyword) for keyword in ("anyOf", "oneOf", "not", "if")
        ):
            yield [known.also(made({"type": atom})) for atom in sorted(known.atoms - {"fraction"})] + (
                [known.also(made({"type": "number"}))] if "fraction" in known.atoms else []
            )

    def both_ways(self, known: Known, part: Part) -> list[Known]:
        """Take apart by a condition: it holds, or it does not."""
        rest = known.instead(part, part.less("if", "then", "else"))
        return [
            rest.also(part.at("if"), *([part.at("then")] if part.has("then") else [])),
            rest.also(*([part.at("else")] if part.has("else") else [])),
        ]

    def given(self, known: Known, condition: Part, *, holds: bool) -> Known:
        """Return what is known where the `if` of `condition` holds, or does not: with it what hangs on the same one."""
        test = condition.at("if")
        branch = "then" if holds else "else"
        alike = (one for one in known.parts if one.has(branch) and one.has("if"))
        follows = [one.at(branch) for one in alike if self._same(one.at("if"), test)]
        return known.also(*([test] if holds else []), *follows)

    def is_apart(self, known: Known, other: Part) -> bool:
        """Tell whether what is known and another schema certainly share no value."""
        return known.also(other).is_empty or any(
            part.has("not") and self.follows(self.known(other), part.at("not")) for part in known.parts
        )

    def of_member(self, known: Known, name: str, member: Known, goal: Part) -> Iterator[Finding]:
        """Prove a goal about a member; its examples are carried out to the object."""
        for finding in self.prove(member, goal):
            outer = finding.example and self._witnesses.with_member(known, name, finding.example[0])
            yield replace(finding, example=outer)

    def of_element(self, known: Known, index: int, goal: Part) -> Iterator[Finding]:
        """Prove a goal about an element; its examples are carried out to the list."""
        for finding in self.prove(known.element(index), goal):
            outer = finding.example and self._witnesses.with_element(known, index, finding.example[0])
            yield replace(finding, example=outer)

    # --- findings ------------------------------------------------------------------------------------------------

    def missing(
        self, known: Known, goal: Part, steps: Iterable[str | int], reason: str, *, beside: tuple[str, ...] = ()
    ) -> Finding:
        """Say that a goal does not follow; look for a value that shows it (with the keywords `beside` it, if named)."""
        path = tuple(steps)
        # What is left over for `unevaluated…` depends on all of the schema; every other keyword can be tried alone.
        is_alone = bool(path) and not str(path[0]).startswith("unevaluated")
        schema = goal.only(str(path[0]), *beside) if is_alone else goal.schema
        example = None if self._quiet else self._witnesses.find(known, goal, schema)
        return Finding(self.pointer(goal, path), reason, example=example)

    def open(self, goal: Part, reason: str, *steps: str) -> Finding:
        """Say that nothing is known about a goal."""
        return Finding(self.pointer(goal, steps), reason)

    @staticmethod
    def pointer(goal: Part, steps: Iterable[str | int]) -> str:
        """Return the place of a keyword of a goal."""
        return render((*goal.path, *steps))
