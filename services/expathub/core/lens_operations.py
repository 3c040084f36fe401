"""The operations that lenses are made of: a closed set, each with its way there and its way back.

Documented for authors in `docs/lenses.md`. Join, remove, unwrap and from-list are the inverses of split,
add, wrap and to-list.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, TypeAlias

from expathub.core.lens import ABSENT, Operation, Tree, UnreachableError, Why, pointer_of, put, same, take, value_at
from expathub.core.pointers import Path


@dataclass(frozen=True, slots=True)
class Move:
    """A field gets another name or place."""

    source: Path
    target: Path
    lost_up: tuple[Path, ...] = ()
    lost_down: tuple[Path, ...] = ()

    @property
    def older(self) -> tuple[Path, ...]:
        """The field before."""
        return (self.source,)

    @property
    def newer(self) -> tuple[Path, ...]:
        """The field after."""
        return (self.target,)

    def up(self, data: Tree) -> None:
        """Move the value there."""
        _move(data, self.source, self.target)

    def down(self, data: Tree) -> None:
        """Move the value back."""
        _move(data, self.target, self.source)


def _move(data: Tree, source: Path, target: Path) -> None:
    value = take(data, source)
    if value is not ABSENT:
        put(data, target, value)


@dataclass(frozen=True, slots=True)
class Add:
    """The newer major has a field more. `value` is what it implies for the older one (`ABSENT`: not there).

    With `beside` it is added only where that field of the newer side is there. Another value cannot go down, unless
    `drops`: then it is lost.
    """

    field: Path
    value: Any = ABSENT
    beside: Path | None = None
    drops: bool = False

    @property
    def older(self) -> tuple[Path, ...]:
        """Nothing."""
        return ()

    @property
    def newer(self) -> tuple[Path, ...]:
        """The field added."""
        return (self.field,)

    @property
    def lost_up(self) -> tuple[Path, ...]:
        """Nothing."""
        return ()

    @property
    def lost_down(self) -> tuple[Path, ...]:
        """The field, where it drops."""
        return (self.field,) if self.drops else ()

    def up(self, data: Tree) -> None:
        """Add the implied value."""
        if self.value is not ABSENT and (self.beside is None or value_at(data, self.beside) is not ABSENT):
            put(data, self.field, self.value)

    def down(self, data: Tree) -> None:
        """Remove the field if it says no more than is implied."""
        value = take(data, self.field)
        if not (value is ABSENT or self.drops or same(value, self.value)):
            raise UnreachableError(pointer_of(self.field), Why.VALUE)


@dataclass(frozen=True, slots=True)
class InPlace(ABC):
    """An operation that changes a value where it stands; nothing happens where there is none."""

    field: Path
    lost_up: tuple[Path, ...] = dataclass_field(default=(), kw_only=True)
    lost_down: tuple[Path, ...] = dataclass_field(default=(), kw_only=True)

    @property
    def older(self) -> tuple[Path, ...]:
        """The field."""
        return (self.field,)

    @property
    def newer(self) -> tuple[Path, ...]:
        """The field."""
        return (self.field,)

    def up(self, data: Tree) -> None:
        """Change the value to the newer form."""
        value = take(data, self.field)
        if value is not ABSENT:
            put(data, self.field, self.raised(value))

    def down(self, data: Tree) -> None:
        """Change the value to the older form."""
        value = take(data, self.field)
        if value is not ABSENT:
            put(data, self.field, self.lowered(value))

    @abstractmethod
    def raised(self, value: Any) -> Any:
        """Return the newer form of a value."""

    @abstractmethod
    def lowered(self, value: Any) -> Any:
        """Return the older form of a value."""

    def unreachable(self, why: Why) -> UnreachableError:
        """Say that the value cannot be carried."""
        return UnreachableError(pointer_of(self.field), why)


@dataclass(frozen=True, slots=True)
class Wrap(InPlace):
    """A value becomes the only member of an object in its place."""

    member: str

    @property
    def newer(self) -> tuple[Path, ...]:
        """The member."""
        return ((*self.field, self.member),)

    def raised(self, value: Any) -> Any:
        """Wrap the value."""
        return {self.member: value}

    def lowered(self, value: Any) -> Any:
        """Unwrap it; an object with other members than this one cannot go down."""
        if not isinstance(value, dict) or value.keys() != {self.member}:
            raise self.unreachable(Why.FORM)
        return value[self.member]


@dataclass(frozen=True, slots=True)
class ToList(InPlace):
    """A value becomes a list of one."""

    def raised(self, value: Any) -> Any:
        """Put the value in a list."""
        return [value]

    def lowered(self, value: Any) -> Any:
        """Take the one element out."""
        if not isinstance(value, list) or len(value) != 1:
            raise self.unreachable(Why.SEVERAL)
        return value[0]


Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Recode(InPlace):
    """A code list is replaced: each value has one in the other major. Build it with `recode`."""

    upwards: Mapping[tuple[str, Scalar], Scalar]
    downwards: Mapping[tuple[str, Scalar], Scalar]

    def raised(self, value: Any) -> Any:
        """Replace the older code."""
        return self._replaced(value, self.upwards)

    def lowered(self, value: Any) -> Any:
        """Replace the newer code."""
        return self._replaced(value, self.downwards)

    def _replaced(self, value: Any, table: Mapping[tuple[str, Scalar], Scalar]) -> Any:
        name = None if isinstance(value, (dict, list)) else _key(value)
        if name is None or name not in table:
            raise self.unreachable(Why.TABLE)
        return table[name]


def _key(value: Scalar) -> tuple[str, Scalar]:
    """Tell 1, 1.0 and true apart, which Python's dictionaries do not."""
    return type(value).__name__, value


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: `only` is `up` or `down` where the row is not used the other way."""

    older: Scalar
    newer: Scalar
    only: str | None = None


def recode(field: Path, rows: Sequence[Row]) -> Recode:
    """Build a table; raises `ValueError` where a value has two counterparts in one direction."""
    upwards = [(_key(row.older), row.newer) for row in rows if row.only != "down"]
    downwards = [(_key(row.newer), row.older) for row in rows if row.only != "up"]
    if len(dict(upwards)) < len(upwards) or len(dict(downwards)) < len(downwards):
        raise ValueError("a value has two counterparts")
    return Recode(
        field,
        dict(upwards),
        dict(downwards),
        lost_up=(field,) if any(row.only == "up" for row in rows) else (),
        lost_down=(field,) if any(row.only == "down" for row in rows) else (),
    )


@dataclass(frozen=True, slots=True)
class Form:
    """How a text is written: literal text with named parts, as `{jaar}-{maand}`. Build it with `form`."""

    names: tuple[str, ...]
    pattern: re.Pattern[str]
    template: str

    def split(self, text: str) -> dict[str, str] | None:
        """Return the parts of a text written so, or None."""
        match = self.pattern.fullmatch(text)
        return match.groupdict() if match else None

    def join(self, parts: Mapping[str, str]) -> str | None:
        """Write the parts so; None where it would not be read back as the same parts."""
        text = self.template.format_map(parts)
        return text if self.split(text) == dict(parts) else None


_PART = re.compile(r"\{([a-z]+)\}")


def form(template: str, parts: Mapping[str, str]) -> Form:
    """Build a form; `parts` gives each name a regular expression. Raises `ValueError` where it makes none."""
    pieces = _PART.split(template)
    names = tuple(pieces[1::2])
    if not names or len(set(names)) < len(names) or not set(names) <= parts.keys():
        raise ValueError("each part stands once in the template and has a pattern")
    if any(re.search(r"[{}]", literal) for literal in pieces[::2]):
        raise ValueError("braces enclose the name of a part")
    source = "".join(
        f"(?P<{piece}>{parts[piece]})" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)
    )
    try:
        return Form(names, re.compile(source), template)
    except re.error as problem:
        raise ValueError(f"a pattern is no regular expression: {problem}") from None


@dataclass(frozen=True, slots=True)
class Split:
    """A text becomes several fields. The first of `forms` that fits is used; they differ in the parts they have.

    `numbers` names the parts that the newer major has as whole numbers.
    """

    field: Path
    forms: tuple[Form, ...]
    into: Mapping[str, Path]
    numbers: frozenset[str] = frozenset()
    lost_up: tuple[Path, ...] = ()
    lost_down: tuple[Path, ...] = ()

    @property
    def older(self) -> tuple[Path, ...]:
        """The text."""
        return (self.field,)

    @property
    def newer(self) -> tuple[Path, ...]:
        """The parts."""
        return tuple(self.into.values())

    def up(self, data: Tree) -> None:
        """Split the text."""
        value = take(data, self.field)
        if value is ABSENT:
            return
        parts = next(filter(None, (form.split(value) for form in self.forms)), None) if isinstance(value, str) else None
        if parts is None:
            raise UnreachableError(pointer_of(self.field), Why.FORM)
        for name, text in parts.items():
            put(data, self.into[name], self._newer_value(name, text))

    def _newer_value(self, name: str, text: str) -> str | int:
        if name not in self.numbers:
            return text
        if not re.fullmatch(r"0|[1-9][0-9]{0,14}", text):  # 007 would come back as 7
            raise UnreachableError(pointer_of(self.field), Why.FORM)
        return int(text)

    def down(self, data: Tree) -> None:
        """Join the parts that are there."""
        parts: dict[str, str] = {}
        for name, path in self.into.items():
            value = take(data, path)
            if value is not ABSENT:
                parts[name] = self._older_text(name, value)
        if not parts:
            return
        form = next((form for form in self.forms if set(form.names) == parts.keys()), None)
        if form is None:
            raise UnreachableError(pointer_of(self.field), Why.INCOMPLETE)
        text = form.join(parts)
        if text is None or next(filter(None, (form.split(text) for form in self.forms))) != parts:
            raise UnreachableError(pointer_of(self.field), Why.AMBIGUOUS)
        put(data, self.field, text)

    def _older_text(self, name: str, value: object) -> str:
        expected = int if name in self.numbers else str
        if type(value) is not expected:
            raise UnreachableError(pointer_of(self.into[name]), Why.FORM)
        return str(value)


@dataclass(frozen=True, slots=True)
class Rewrite(InPlace):
    """A text is written otherwise, with the same parts: `2026-03-01` and `20260301`."""

    before: Form
    after: Form

    def raised(self, value: Any) -> Any:
        """Write it as the newer major does."""
        return self._rewritten(value, self.before, self.after)

    def lowered(self, value: Any) -> Any:
        """Write it as the older major does."""
        return self._rewritten(value, self.after, self.before)

    def _rewritten(self, value: Any, source: Form, target: Form) -> str:
        parts = source.split(value) if isinstance(value, str) else None
        if parts is None:
            raise self.unreachable(Why.FORM)
        text = target.join(parts)
        if text is None:
            raise self.unreachable(Why.AMBIGUOUS)
        return text


@dataclass(frozen=True, slots=True)
class Inverse:
    """An operation the other way round: join is the inverse of split, remove of add, unwrap of wrap."""

    of: Operation

    @property
    def older(self) -> tuple[Path, ...]:
        """What it makes."""
        return self.of.newer

    @property
    def newer(self) -> tuple[Path, ...]:
        """What it takes."""
        return self.of.older

    @property
    def lost_up(self) -> tuple[Path, ...]:
        """What it loses down."""
        return self.of.lost_down

    @property
    def lost_down(self) -> tuple[Path, ...]:
        """What it loses up."""
        return self.of.lost_up

    def up(self, data: Tree) -> None:
        """Do what it undoes."""
        self.of.down(data)

    def down(self, data: Tree) -> None:
        """Undo it."""
        self.of.up(data)
