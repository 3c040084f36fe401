"""Lenses: two-way changes between adjacent majors of an event type's `data`.

A lens is a list of operations. Each has two directions that undo each other: `up` towards the newer major, `down`
towards the older, where the list runs backwards. A plan never changes what it is given, and it never guesses: what it
cannot carry raises `Unreachable`, and the disclosure waits for a person.

Covers applying lenses; the operations are in `expathub.core.lens_operations`, and `expathub.configuration.lenses` reads
lenses from their files and holds them against the schemas.
Paths here start at `data`; pointers, in errors, at the event.
"""

from __future__ import annotations

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
    UNIT = "unit"  # a number that is no whole number of the units of the other major
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
    """A lens between two adjacent majors, compiled.

    `changes` tells partners in words what it does, by language, and `notes` what is lost on the way, one for each loss.
    """

    operations: tuple[Operation, ...]
    changes: Mapping[str, str]
    source: Any = None
    notes: tuple[Mapping[str, str], ...] = ()

    @property
    def lost_up(self) -> frozenset[Path]:
        """The fields of the older major that do not survive up and down."""
        lost: frozenset[Path] = frozenset()
        for operation in reversed(self.operations):
            lost = _traced(lost, operation.newer, operation.older) | set(operation.lost_up)
        return lost

    @property
    def lost_down(self) -> frozenset[Path]:
        """The fields of the newer major that do not survive down and up."""
        lost: frozenset[Path] = frozenset()
        for operation in self.operations:
            lost = _traced(lost, operation.older, operation.newer) | set(operation.lost_down)
        return lost

    def up(self) -> Plan:
        """Compile the way to the newer major."""
        return _plan([operation.up for operation in self.operations])

    def down(self) -> Plan:
        """Compile the way to the older major."""
        return _plan([operation.down for operation in reversed(self.operations)])


def _traced(lost: frozenset[Path], made: tuple[Path, ...], taken: tuple[Path, ...]) -> frozenset[Path]:
    """Say what paths were called on the other side of an operation that makes `made` of `taken`."""
    moved = {path for path in lost if any(path[: len(one)] == one for one in made)}
    return (lost - moved) | (set(taken) if moved else set())


def _plan(steps: Sequence[Callable[[Tree], None]]) -> Plan:
    def plan(data: Any) -> Any:
        if not isinstance(data, dict):
            raise UnreachableError("/data", Why.FORM)
        changed = dict(data)
        for step in steps:
            step(changed)
        return changed

    return plan


def plans(lenses: Mapping[int, Lens]) -> dict[tuple[int, int], Plan]:
    """Compile the ways between all majors, also over several; `lenses` are those by the older of two majors.

    A way over several majors is one plan: all operations in a row, on one copy of the data.
    """
    compiled: dict[tuple[int, int], Plan] = {}
    for first in lenses:
        operations: tuple[Operation, ...] = ()
        last = first
        while last in lenses:
            operations += lenses[last].operations
            last += 1
            way = Lens(operations, {})
            compiled[first, last], compiled[last, first] = way.up(), way.down()
    return compiled


def carry(lenses: Mapping[tuple[int, int], Plan], data: Any, source: int, target: int) -> Any:
    """Carry `data` from major `source` to `target`; raises `UnreachableError`.

    In one go where there is a plan for it, else one adjacent step at a time.
    """
    whole = lenses.get((source, target))
    if whole is not None:
        return whole(data)
    step = 1 if target > source else -1
    for major in range(source, target, step):
        plan = lenses.get((major, major + step))
        if plan is None:
            raise UnreachableError("/data", Why.NO_LENS)
        data = plan(data)
    return data


# ---------------------------------------------------------------------------------------------------- trees


def value_at(data: Tree, path: Path) -> Any:
    """Return the value at `path`, or `ABSENT`."""
    value: Any = data
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return ABSENT
        value = value[part]
    return value


def take(data: Tree, path: Path) -> Any:
    """Remove and return the value at `path`; an object that this empties goes too, as it stands for nothing more."""
    if len(path) == 1:
        return data.pop(path[0], ABSENT)
    inner = data.get(path[0])
    if not isinstance(inner, dict):
        return ABSENT
    rest = dict(inner)  # the plan owns only what it has copied
    value = take(rest, path[1:])
    if value is ABSENT:
        return ABSENT
    if rest:
        data[path[0]] = rest
    else:
        del data[path[0]]
    return value


def put(data: Tree, path: Path, value: object) -> None:
    """Add a value at `path`, with the objects on the way; never over something that is there."""
    owner = data
    for part in path[:-1]:
        inner = owner.get(part, {})
        if not isinstance(inner, dict):
            raise UnreachableError(pointer_of(path), Why.OCCUPIED)
        owner[part] = dict(inner)
        owner = owner[part]
    if path[-1] in owner:
        raise UnreachableError(pointer_of(path), Why.OCCUPIED)
    owner[path[-1]] = value


def pointer_of(path: Path) -> str:
    """Return the pointer from the root of the event to a path of `data`."""
    return render(("data", *path))


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same; 1, 1.0 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def without(data: Any, paths: frozenset[Path]) -> Any:
    """Return `data` without the fields at `paths`, and without objects that this empties."""
    if not paths or not isinstance(data, dict):
        return data
    rest = dict(data)
    for path in sorted(paths):
        take(rest, path)
    return rest
