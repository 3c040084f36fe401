"""Lenses: two-way changes between adjacent majors of an event type's `data`.

A lens is a list of operations. Each has two directions that undo each other: `up` towards the newer major, `down`
towards the older, where the list runs backwards. A plan never changes what it is given, and it never guesses: what it
cannot carry raises `Unreachable`, and the disclosure waits for a person.

Covers applying lenses; `expathub.configuration.lenses` reads them from their files and holds them against the schemas.
Paths here start at `data`; pointers, in errors, at the event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

from expathub.core.pointers import Path, render

Plan: TypeAlias = Callable[[Any], Any]
"""A compiled direction of a lens: `data` of one major to `data` of the next; raises `Unreachable`."""

Tree: TypeAlias = dict[str, Any]


class Why(Enum):
    """Why a value cannot be carried."""

    FORM = "form"  # the text or number is not written as the operation expects
    TABLE = "table"  # the value stands in no row of the table
    VALUE = "value"  # a field that the other major lacks has another value than the one implied there
    SEVERAL = "several"  # a list that becomes one value has not exactly one element
    INCOMPLETE = "incomplete"  # parts that become one value are not all there
    AMBIGUOUS = "ambiguous"  # the way back would give something else
    OCCUPIED = "occupied"  # something stands where the value would go
    NO_LENS = "no-lens"  # there is no lens between two majors


class UnreachableError(Exception):
    """A value cannot be carried to the other major; `pointer` says where, `why` the reason, never the value."""

    def __init__(self, pointer: str, why: Why) -> None:
        """Point at the value."""
        super().__init__(f"{pointer}: {why.value}")
        self.pointer = pointer
        self.why = why


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""Stands for a field that is not there, which is not the same as null."""


class Operation(Protocol):
    """One two-way change. `up` and `down` change a tree that the plan owns."""

    @property
    def older(self) -> tuple[Path, ...]:
        """The fields of the older side that it takes."""
        ...

    @property
    def newer(self) -> tuple[Path, ...]:
        """The fields of the newer side that it makes."""
        ...

    @property
    def lost_up(self) -> tuple[Path, ...]:
        """The fields of the older side that do not come back after up and down."""
        ...

    @property
    def lost_down(self) -> tuple[Path, ...]:
        """The fields of the newer side that do not come back after down and up."""
        ...

    def up(self, data: Tree) -> None:
        """Change the older form into the newer."""
        ...

    def down(self, data: Tree) -> None:
        """Change the newer form into the older."""
        ...


@dataclass(frozen=True, slots=True)
class Lens:
    """A lens between two adjacent majors, compiled. `changes` tells partners in words what it does, by language."""

    operations: tuple[Operation, ...]
    changes: Mapping[str, str]
    source: Any = None

    @property
    def lost_up(self) -> tuple[Path, ...]:
        """The fields of the older major that do not survive up and down."""
        return tuple(path for operation in self.operations for path in operation.lost_up)

    @property
    def lost_down(self) -> tuple[Path, ...]:
        """The fields of the newer major that do not survive down and up."""
        return tuple(path for operation in self.operations for path in operation.lost_down)

    def up(self) -> Plan:
        """Compile the way to the newer major."""
        return _plan([operation.up for operation in self.operations])

    def down(self) -> Plan:
        """Compile the way to the older major."""
        return _plan([operation.down for operation in reversed(self.operations)])


def _plan(steps: Sequence[Callable[[Tree], None]]) -> Plan:
    def plan(data: Any) -> Any:
        if not isinstance(data, dict):
            raise UnreachableError("/data", Why.FORM)
        changed = dict(data)
        for step in steps:
            step(changed)
        return changed

    return plan


def carry(lenses: Mapping[tuple[int, int], Plan], data: Any, source: int, target: int) -> Any:
    """Carry `data` from major `source` to `target`, one adjacent step at a time; raises `UnreachableError`."""
    step = 1 if target > source else -1
    for major in range(source, target, step):
        plan = lenses.get((major, major + step))
        if plan is None:
            raise UnreachableError("/data", Why.NO_LENS)
        data = plan(data)
    return data


# ---------------------------------------------------------------------------------------------------- trees


def _get(data: Tree, path: Path) -> Any:
    value: Any = data
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return ABSENT
        value = value[part]
    return value


def _take(data: Tree, path: Path) -> Any:
    """Remove and return the value at `path`; an object that this empties goes too, as it stands for nothing more."""
    value = _get(data, path)
    if value is ABSENT:
        return ABSENT
    owners = [data]
    for part in path[:-1]:
        owners[-1][part] = dict(owners[-1][part])  # the plan owns only what it has copied
        owners.append(owners[-1][part])
    del owners[-1][path[-1]]
    for owner, part in zip(reversed(owners[:-1]), reversed(path[:-1]), strict=True):
        if owner[part]:
            break
        del owner[part]
    return value


def _put(data: Tree, path: Path, value: object) -> None:
    """Add a value at `path`, with the objects on the way; never over something that is there."""
    owner = data
    for part in path[:-1]:
        inner = owner.get(part, {})
        if not isinstance(inner, dict):
            raise UnreachableError(_pointer(path), Why.OCCUPIED)
        owner[part] = dict(inner)
        owner = owner[part]
    if path[-1] in owner:
        raise UnreachableError(_pointer(path), Why.OCCUPIED)
    owner[path[-1]] = value


def _pointer(path: Path) -> str:
    return render(("data", *path))


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same; 1, 1.0 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def without(data: Any, paths: tuple[Path, ...]) -> Any:
    """Return `data` without the fields at `paths`, and without objects that this empties."""
    if not paths or not isinstance(data, dict):
        return data
    rest = dict(data)
    for path in paths:
        _take(rest, path)
    return rest


# ---------------------------------------------------------------------------------------------- operations


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
    value = _take(data, source)
    if value is not ABSENT:
        _put(data, target, value)


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
        if self.value is not ABSENT and (self.beside is None or _get(data, self.beside) is not ABSENT):
            _put(data, self.field, self.value)

    def down(self, data: Tree) -> None:
        """Remove the field if it says no more than is implied."""
        value = _take(data, self.field)
        if not (value is ABSENT or self.drops or same(value, self.value)):
            raise UnreachableError(_pointer(self.field), Why.VALUE)


@dataclass(frozen=True, slots=True)
class Wrap:
    """A value becomes the only member of an object in its place."""

    field: Path
    member: str
    lost_up: tuple[Path, ...] = ()
    lost_down: tuple[Path, ...] = ()

    @property
    def older(self) -> tuple[Path, ...]:
        """The bare value."""
        return (self.field,)

    @property
    def newer(self) -> tuple[Path, ...]:
        """The member."""
        return ((*self.field, self.member),)

    def up(self, data: Tree) -> None:
        """Wrap the value."""
        value = _take(data, self.field)
        if value is not ABSENT:
            _put(data, self.field, {self.member: value})

    def down(self, data: Tree) -> None:
        """Unwrap it; an object with other members than this one cannot go down."""
        value = _take(data, self.field)
        if value is ABSENT:
            return
        if not isinstance(value, dict) or value.keys() != {self.member}:
            raise UnreachableError(_pointer(self.field), Why.FORM)
        _put(data, self.field, value[self.member])


@dataclass(frozen=True, slots=True)
class ToList:
    """A value becomes a list of one."""

    field: Path
    lost_up: tuple[Path, ...] = ()
    lost_down: tuple[Path, ...] = ()

    @property
    def older(self) -> tuple[Path, ...]:
        """The single value."""
        return (self.field,)

    @property
    def newer(self) -> tuple[Path, ...]:
        """The list."""
        return (self.field,)

    def up(self, data: Tree) -> None:
        """Put the value in a list."""
        value = _take(data, self.field)
        if value is not ABSENT:
            _put(data, self.field, [value])

    def down(self, data: Tree) -> None:
        """Take the one element out."""
        value = _take(data, self.field)
        if value is ABSENT:
            return
        if not isinstance(value, list) or len(value) != 1:
            raise UnreachableError(_pointer(self.field), Why.SEVERAL)
        _put(data, self.field, value[0])


Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Recode:
    """A code list is replaced: each value has one in the other major. Build it with `recode`."""

    field: Path
    upwards: Mapping[tuple[str, Scalar], Scalar]
    downwards: Mapping[tuple[str, Scalar], Scalar]
    lost_up: tuple[Path, ...] = ()
    lost_down: tuple[Path, ...] = ()

    @property
    def older(self) -> tuple[Path, ...]:
        """The field."""
        return (self.field,)

    @property
    def newer(self) -> tuple[Path, ...]:
        """The field."""
        return (self.field,)

    def up(self, data: Tree) -> None:
        """Replace the older code."""
        self._replace(data, self.upwards)

    def down(self, data: Tree) -> None:
        """Replace the newer code."""
        self._replace(data, self.downwards)

    def _replace(self, data: Tree, table: Mapping[tuple[str, Scalar], Scalar]) -> None:
        value = _take(data, self.field)
        if value is ABSENT:
            return
        key = (type(value).__name__, value)
        if isinstance(value, (dict, list)) or key not in table:
            raise UnreachableError(_pointer(self.field), Why.TABLE)
        _put(data, self.field, table[key])


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: `only` is `up` or `down` where the row is not used the other way."""

    older: Scalar
    newer: Scalar
    only: str | None = None


def recode(field: Path, rows: Sequence[Row]) -> Recode:
    """Build a table; raises `ValueError` where a value has two counterparts in one direction."""
    upwards = [((type(row.older).__name__, row.older), row.newer) for row in rows if row.only != "down"]
    downwards = [((type(row.newer).__name__, row.newer), row.older) for row in rows if row.only != "up"]
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
        value = _take(data, self.field)
        if value is ABSENT:
            return
        parts = next(filter(None, (form.split(value) for form in self.forms)), None) if isinstance(value, str) else None
        if parts is None:
            raise UnreachableError(_pointer(self.field), Why.FORM)
        for name, text in parts.items():
            _put(data, self.into[name], self._newer_value(name, text))

    def _newer_value(self, name: str, text: str) -> str | int:
        if name not in self.numbers:
            return text
        if not re.fullmatch(r"0|[1-9][0-9]{0,14}", text):  # 007 would come back as 7
            raise UnreachableError(_pointer(self.field), Why.FORM)
        return int(text)

    def down(self, data: Tree) -> None:
        """Join the parts that are there."""
        parts: dict[str, str] = {}
        for name, path in self.into.items():
            value = _take(data, path)
            if value is not ABSENT:
                parts[name] = self._older_text(name, value)
        if not parts:
            return
        form = next((form for form in self.forms if set(form.names) == parts.keys()), None)
        if form is None:
            raise UnreachableError(_pointer(self.field), Why.INCOMPLETE)
        text = form.join(parts)
        if text is None or next(filter(None, (form.split(text) for form in self.forms))) != parts:
            raise UnreachableError(_pointer(self.field), Why.AMBIGUOUS)
        _put(data, self.field, text)

    def _older_text(self, name: str, value: object) -> str:
        expected = int if name in self.numbers else str
        if type(value) is not expected:
            raise UnreachableError(_pointer(self.into[name]), Why.FORM)
        return str(value)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A text is written otherwise, with the same parts: `2026-03-01` and `20260301`."""

    field: Path
    before: Form
    after: Form
    lost_up: tuple[Path, ...] = ()
    lost_down: tuple[Path, ...] = ()

    @property
    def older(self) -> tuple[Path, ...]:
        """The field."""
        return (self.field,)

    @property
    def newer(self) -> tuple[Path, ...]:
        """The field."""
        return (self.field,)

    def up(self, data: Tree) -> None:
        """Write it as the newer major does."""
        self._rewrite(data, self.before, self.after)

    def down(self, data: Tree) -> None:
        """Write it as the older major does."""
        self._rewrite(data, self.after, self.before)

    def _rewrite(self, data: Tree, source: Form, target: Form) -> None:
        value = _take(data, self.field)
        if value is ABSENT:
            return
        parts = source.split(value) if isinstance(value, str) else None
        if parts is None:
            raise UnreachableError(_pointer(self.field), Why.FORM)
        text = target.join(parts)
        if text is None:
            raise UnreachableError(_pointer(self.field), Why.AMBIGUOUS)
        _put(data, self.field, text)


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
