r"""Regular expressions as automata: whether every text that one takes is taken by another, and texts that one takes.

Decides exactly for what is regular: literals, classes, groups, alternatives, repetition, and anchors at both ends.
Anything else (look-around, back references, word boundaries, anchors inside) is `None`, "cannot say", as is what grows
beyond the limits below. `\d` and `\w` are ASCII, as ECMA 262 has them, the dialect of JSON Schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from string import hexdigits
from typing import Final, TypeAlias

STATES_MAX: Final = 5_000
PAIRS_MAX: Final = 20_000

NOTHING: Final = "^[]$"
"""The expression of no text at all."""

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""A set of characters: inclusive ranges of code points, ascending."""

_LAST: Final = 0x10FFFF
_ANY: Final[Ranges] = ((0, _LAST),)
_ESCAPED: Final[dict[str, Ranges]] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "n": ((10, 10),),
    "r": ((13, 13),),
    "t": ((9, 9),),
}
_LINE_ENDS: Final[Ranges] = ((10, 10), (13, 13), (0x2028, 0x2029))
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|")
_HALVES: Final = range(0xD800, 0xE000)
_HEXADECIMAL: Final = {"x": 2, "u": 4}
_ENDS: Final = ("from", "to")
_PREFERRED: Final = "0a1A9zZ- "


class _UnsupportedError(Exception):
    """The expression is not regular, or not small."""


@dataclass(slots=True)
class _Automaton:
    """States with what leads on: by a character of `ranges`, or by nothing."""

    steps: list[list[tuple[Ranges, int]]] = field(default_factory=list)
    free: list[list[int]] = field(default_factory=list)
    start: int = 0
    end: int = 0

    def state(self) -> int:
        if len(self.steps) >= STATES_MAX:
            raise _UnsupportedError
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def closure(self, states: Iterable[int]) -> frozenset[int]:
        found, left = set(states), list(states)
        while left:
            for target in self.free[left.pop()]:
                if target not in found:
                    found.add(target)
                    left.append(target)
        return frozenset(found)

    def after(self, states: frozenset[int], character: int) -> frozenset[int]:
        return self.closure(
            {
                target
                for state in states
                for ranges, target in self.steps[state]
                if any(low <= character <= high for low, high in ranges)
            }
        )


_Piece: TypeAlias = Callable[[_Automaton, int], int]
"""Adds itself behind a state and returns the state where it ends; may be added several times."""


def _chain(pieces: Sequence[_Piece]) -> _Piece:
    def add(automaton: _Automaton, state: int) -> int:
        for piece in pieces:
            state = piece(automaton, state)
        return state

    return add


def _either(branches: Sequence[_Piece]) -> _Piece:
    def add(automaton: _Automaton, state: int) -> int:
        end = automaton.state()
        for branch in branches:
            begin = automaton.state()
            automaton.free[state].append(begin)
            automaton.free[branch(automaton, begin)].append(end)
        return end

    return add


def _one_of(ranges: Ranges) -> _Piece:
    def add(automaton: _Automaton, state: int) -> int:
        end = automaton.state()
        automaton.steps[state].append((ranges, end))
        return end

    return add


def _repeated(piece: _Piece, least: int, most: int | None) -> _Piece:
    def add(automaton: _Automaton, state: int) -> int:
        for _ in range(least):
            state = piece(automaton, state)
        if most is None:
            loop = automaton.state()
            automaton.free[state].append(loop)
            automaton.free[piece(automaton, loop)].append(loop)
            state = loop
        end = automaton.state()
        automaton.free[state].append(end)
        for _ in range(least, most or least):
            state = piece(automaton, state)
            automaton.free[state].append(end)
        return end

    return add


def _without(ranges: Ranges) -> Ranges:
    """Return all other characters."""
    rest, low = [], 0
    for begin, end in sorted(ranges):
        if begin > low:
            rest.append((low, begin - 1))
        low = max(low, end + 1)
    return (*rest, (low, _LAST)) if low <= _LAST else tuple(rest)


class _Parser:
    """Reads one expression by descent; raises `_UnsupportedError` at what is not taken."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def whole(self) -> _Piece:
        """Read all of it; without an anchor anything may stand before or behind."""
        branches = self._branches(top=True)
        if self._at < len(self._text):
            raise _UnsupportedError
        return _either(branches)

    def _branches(self, *, top: bool) -> list[_Piece]:
        branches = [self._branch(top=top)]
        while self._taken("|"):
            branches.append(self._branch(top=top))
        return branches

    def _branch(self, *, top: bool) -> _Piece:
        anything = _repeated(_one_of(_ANY), 0, None)
        pieces: list[_Piece] = [] if not top or self._taken("^") else [anything]
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            if top and self._text[self._at] == "$" and self._text[self._at + 1 : self._at + 2] in {"", "|"}:
                self._at += 1
                return _chain(pieces)
            pieces.append(self._quantified())
        return _chain([*pieces, anything] if top else pieces)

    def _quantified(self) -> _Piece:
        piece = self._atom()
        least, most = 1, 1 if not self._taken("?") else None
        if most is None:
            least, most = 0, 1
        elif self._taken("*"):
            least, most = 0, None
        elif self._taken("+"):
            least, most = 1, None
        elif self._taken("{"):
            least, most = self._counts()
        else:
            return piece
        self._taken("?")  # lazy or not, the texts are the same
        return _repeated(piece, least, most)

    def _counts(self) -> tuple[int, int | None]:
        inside, closed, _ = self._text[self._at :].partition("}")
        low, comma, high = inside.partition(",")
        if not closed or not low.isdecimal() or not (high.isdecimal() or high == ""):
            raise _UnsupportedError
        self._at += len(inside) + 1
        least = int(low)
        most = int(high) if high else None if comma else least
        if least > STATES_MAX or (most is not None and not least <= most <= STATES_MAX):
            raise _UnsupportedError
        return least, most

    def _atom(self) -> _Piece:
        if self._taken("("):
            if self._taken("?") and not self._taken(":"):
                raise _UnsupportedError
            branches = self._branches(top=False)
            self._expect(")")
            return _either(branches)
        if self._taken("["):
            return _one_of(self._class())
        if self._taken("."):
            return _one_of(_without(_LINE_ENDS))
        return _one_of(self._character(_SYNTAX))

    def _class(self) -> Ranges:
        negated = self._taken("^")
        found: list[tuple[int, int]] = []
        while not self._taken("]"):
            low = self._character(frozenset("["))
            if self._text[self._at : self._at + 1] == "-" and self._text[self._at + 1 : self._at + 2] not in {"]", ""}:
                self._at += 1
                high = self._character(frozenset("["))
                ends = {low[0], high[0]}
                if len(low) + len(high) > len(_ENDS) or any(one != other for one, other in ends) or low > high:
                    raise _UnsupportedError
                found.append((low[0][0], high[0][1]))
            else:
                found.extend(low)
        return _without(tuple(found)) if negated else tuple(sorted(found))

    def _character(self, special: frozenset[str]) -> Ranges:
        """Read one character, or an escape that stands for one or several."""
        character = self._next()
        if character != "\\":
            if character in special:
                raise _UnsupportedError
            return ((ord(character), ord(character)),)
        character = self._next()
        if character in _HEXADECIMAL:
            digits = self._text[self._at : self._at + _HEXADECIMAL[character]]
            if len(digits) < _HEXADECIMAL[character] or not all(one in hexdigits for one in digits):
                raise _UnsupportedError
            self._at += len(digits)
            return ((int(digits, 16), int(digits, 16)),)
        if character in _ESCAPED:
            return _ESCAPED[character]
        if character.isalnum():
            raise _UnsupportedError
        return ((ord(character), ord(character)),)

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise _UnsupportedError
        self._at += 1
        return self._text[self._at - 1]

    def _taken(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._taken(character):
            raise _UnsupportedError


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> _Automaton | None:
    automaton = _Automaton()
    try:
        piece = _Parser(pattern).whole()
        automaton.start = automaton.state()
        automaton.end = piece(automaton, automaton.start)
    except _UnsupportedError:
        return None
    return automaton


def of_length(least: int, most: int | None) -> str:
    """Return the expression of all texts of a length."""
    return rf"^(?:\n|[^\n]){{{least},{'' if most is None else most}}}$"


def included(patterns: Sequence[str], goal: str) -> bool | None:
    """Tell whether every text that all `patterns` take is taken by `goal`; None where that cannot be said."""
    known = [_compiled(pattern) for pattern in patterns]
    target = _compiled(goal)
    if target is None:
        return None
    # What cannot be read is left out: it could only make the set of texts smaller, so a yes stays a yes.
    readable = [automaton for automaton in known if automaton is not None]
    search = _Search(readable, target)
    found = search.first()
    if found is None:
        return None if search.is_cut else True
    return False if len(readable) == len(known) else None


def example(patterns: Sequence[str], but: str | None = None) -> str | None:
    """Return a text that all `patterns` take, and `but` does not; None where none was found."""
    known = [_compiled(pattern) for pattern in patterns]
    target = _compiled(but) if but is not None else None
    if any(automaton is None for automaton in known) or (but is not None and target is None):
        return None
    return _Search([automaton for automaton in known if automaton is not None], target).first()


_Node: TypeAlias = tuple[frozenset[int], ...]


class _Search:
    """Breadth first through the product of automata, for the shortest text that all take and the last does not."""

    def __init__(self, known: Sequence[_Automaton], target: _Automaton | None) -> None:
        self._known, self._all = len(known), [*known, *([target] if target else [])]
        self.is_cut = False

    def first(self) -> str | None:
        """Return the text, or None; `is_cut` then says whether that means that there is none."""
        start: _Node = tuple(one.closure([one.start]) for one in self._all)
        seen: dict[_Node, tuple[_Node, int] | None] = {start: None}
        level = [start]
        while level:
            following: list[_Node] = []
            for node in level:
                if self._is_found(node):
                    return _spelled(seen, node)
                for character in _representatives(self._all, node):
                    after = tuple(one.after(states, character) for one, states in zip(self._all, node, strict=True))
                    if after not in seen and all(after[: self._known]):
                        seen[after] = (node, character)
                        following.append(after)
            if len(seen) > PAIRS_MAX:
                self.is_cut = True
                return None
            level = following
        return None

    def _is_found(self, node: _Node) -> bool:
        accepts = [one.end in states for one, states in zip(self._all, node, strict=True)]
        return all(accepts[: self._known]) and not any(accepts[self._known :])


def _representatives(automata: Sequence[_Automaton], node: _Node) -> list[int]:
    """Return one character of each set that no transition tells apart, those that people can read first."""
    borders = {0, _HALVES.start, _HALVES.stop}
    for automaton, states in zip(automata, node, strict=True):
        for state in states:
            for ranges, _ in automaton.steps[state]:
                for low, high in ranges:
                    borders |= {low, high + 1}
    cuts = sorted(border for border in borders if border <= _LAST)
    found = []
    for index, low in enumerate(cuts):
        high = cuts[index + 1] - 1 if index + 1 < len(cuts) else _LAST
        if low in _HALVES:
            continue  # half of a character: no text holds one
        liked = [ord(one) for one in _PREFERRED if low <= ord(one) <= high]
        found.append(liked[0] if liked else low)
    return sorted(found, key=lambda one: (not chr(one).isprintable(), not chr(one).isascii()))


def _spelled(seen: dict[_Node, tuple[_Node, int] | None], node: _Node) -> str:
    text = []
    while (before := seen[node]) is not None:
        node, character = before
        text.append(chr(character))
    return "".join(reversed(text))
