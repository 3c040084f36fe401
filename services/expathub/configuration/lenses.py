"""From `vN-vM.lens.yaml` to a lens of the core, held against the schemas of both majors.

Every field of the older major must go somewhere and every field of the newer come from somewhere; the operations are
followed from one set of fields to the other, so a forgotten field or a wrong name is found without any example.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path as File
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field as Limits
from pydantic import StringConstraints, model_validator

from expathub.configuration.faults import Faults
from expathub.configuration.forms import DataPointer, Form, Text, Words, fill
from expathub.configuration.schema_rules import NATIONAL
from expathub.configuration.schemas import Schema
from expathub.configuration.tables import shipped_tables
from expathub.configuration.tree import Document, Loc, read_yaml
from expathub.core.conversions import Convert, Country, Multiple, RegisterDate
from expathub.core.lens import ABSENT, Lens, Operation
from expathub.core.lens_operations import (
    Add,
    Inverse,
    Move,
    Recode,
    Rewrite,
    Row,
    Split,
    ToList,
    Wrap,
    form,
    recode,
)
from expathub.core.pointers import EACH, Path, parse, render
from expathub.core.values.tables import Tables

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9]{0,63}$")]
PartName = Annotated[str, StringConstraints(pattern=r"^[a-z]+$", max_length=64)]
Value: TypeAlias = str | int | bool | None


class MoveForm(Form):
    """`move`: a field gets another name or place."""

    source: Annotated[DataPointer, Limits(alias="from")]
    to: DataPointer

    def operation(self) -> Operation:
        """Build it."""
        return Move(_path(self.source), _path(self.to))


class AddForm(Form):
    """`add` and `remove`: one side has a field more."""

    field: DataPointer
    value: Value = None
    beside: DataPointer | None = None
    otherwise: Literal["hold", "drop"] = "hold"
    note: Words | None = None

    @model_validator(mode="after")
    def _losses_are_told(self) -> AddForm:
        if self.otherwise == "drop" and self.note is None:
            raise ValueError("`otherwise: drop` loses a value, so a `note` tells partners which")
        return self

    def operation(self) -> Operation:
        """Build it; a `value` that is not written is no value, `null` cannot be implied."""
        value = ABSENT if self.value is None else self.value
        beside = _path(self.beside) if self.beside else None
        return Add(_path(self.field), value, beside, drops=self.otherwise == "drop")


class WrapForm(Form):
    """`wrap` and `unwrap`: a value and an object that has it as its only member."""

    field: DataPointer
    member: Annotated[Name, Limits(alias="as")]

    def operation(self) -> Operation:
        """Build it."""
        return Wrap(_path(self.field), self.member)


class ListForm(Form):
    """`to-list` and `from-list`: a value and a list of one."""

    field: DataPointer

    def operation(self) -> Operation:
        """Build it."""
        return ToList(_path(self.field))


class RowForm(Form):
    """One row of a table."""

    old: Value
    new: Value
    only: Literal["up", "down"] | None = None


class RecodeForm(Form):
    """`recode`: a code list is replaced."""

    field: DataPointer
    table: Annotated[list[RowForm], Limits(min_length=1, max_length=1000)]
    note: Words | None = None

    @model_validator(mode="after")
    def _losses_are_told(self) -> RecodeForm:
        if self.note is None and any(row.only for row in self.table):
            raise ValueError("a row with `only` loses a value, so a `note` tells partners which")
        return self

    def operation(self) -> Recode:
        """Build it; raises `ValueError` where a value has two counterparts."""
        return recode(_path(self.field), [Row(row.old, row.new, row.only) for row in self.table])


class ConvertForm(Form):
    """`convert`: a value is said otherwise."""

    field: DataPointer
    by: Literal["brp-datum", "landcode-iso", "veelvoud"]
    times: Annotated[int, Limits(ge=2, le=1_000_000)] | None = None
    note: Words | None = None

    @model_validator(mode="after")
    def _keys_agree(self) -> ConvertForm:
        if (self.times is not None) is not (self.by == "veelvoud"):
            raise ValueError("`times` goes with `veelvoud`, and with nothing else")
        if self.by == "landcode-iso" and self.note is None:
            raise ValueError("a closed country code comes back as today's, so a `note` tells partners")
        return self

    def conversion(self, tables: Tables) -> Convert:
        """Build it; a code of the register that is closed does not come back."""
        field = _path(self.field)
        if self.times is not None:
            return Convert(field, Multiple(self.times))
        if self.by == "brp-datum":
            return Convert(field, RegisterDate())
        return Convert(field, Country(tables.countries), lost_up=(field,))


class SplitForm(Form):
    """`split` and `join`: a text and several fields."""

    field: DataPointer
    forms: Annotated[list[Text], Limits(min_length=1, max_length=10)]
    parts: Annotated[dict[PartName, Text], Limits(min_length=1, max_length=20)]
    fields: dict[PartName, DataPointer]
    numbers: Annotated[list[PartName], Limits(default_factory=list)]

    @model_validator(mode="after")
    def _parts_agree(self) -> SplitForm:
        if not self.fields.keys() == self.parts.keys() >= set(self.numbers):
            raise ValueError("`parts` and `fields` name the same parts, `numbers` some of them")
        return self

    def operation(self) -> Split:
        """Build it; raises `ValueError` where forms or patterns make no sense."""
        forms = tuple(form(template, self.parts) for template in self.forms)
        used = [frozenset(each.names) for each in forms]
        if len(set(used)) < len(used) or frozenset().union(*used) != self.parts.keys():
            raise ValueError("forms differ in the parts they have, and use them all")
        fields = {name: _path(pointer) for name, pointer in self.fields.items()}
        return Split(_path(self.field), forms, fields, frozenset(self.numbers))


class RewriteForm(Form):
    """`rewrite`: a text is written otherwise."""

    field: DataPointer
    old: Text
    new: Text
    parts: Annotated[dict[PartName, Text], Limits(min_length=1, max_length=20)]

    def operation(self) -> Rewrite:
        """Build it; raises `ValueError` where forms or patterns make no sense."""
        before, after = form(self.old, self.parts), form(self.new, self.parts)
        if set(before.names) != set(after.names):
            raise ValueError("`old` and `new` have the same parts")
        return Rewrite(_path(self.field), before, after)


class Change(Form):
    """One operation: exactly one of these keys."""

    move: MoveForm | None = None
    add: AddForm | None = None
    remove: AddForm | None = None
    wrap: WrapForm | None = None
    unwrap: WrapForm | None = None
    to_list: ListForm | None = None
    from_list: ListForm | None = None
    recode: RecodeForm | None = None
    split: SplitForm | None = None
    join: SplitForm | None = None
    rewrite: RewriteForm | None = None
    convert: ConvertForm | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Change:
        if len(self.model_fields_set) != 1:
            raise ValueError("one operation stands in each item of the list")
        return self

    def operation(self, tables: Tables) -> Operation:
        """Build the operation; raises `ValueError` where it makes no sense."""
        name = next(iter(self.model_fields_set))
        if self.convert is not None:
            return self.convert.conversion(tables)
        operation: Operation = getattr(self, name).operation()
        return Inverse(operation) if name in _INVERSE else operation

    def note(self) -> dict[str, str] | None:
        """Return what it tells partners of its loss, by language."""
        form: Form = getattr(self, next(iter(self.model_fields_set)))
        note: Words | None = getattr(form, "note", None)
        return note.model_dump() if note else None


_INVERSE = frozenset({"remove", "unwrap", "from_list", "join"})


class LensFile(Form):
    """`vN-vM.lens.yaml`: what changed, in words, and the operations from the older major to the newer."""

    changes: Words
    up: Annotated[list[Change], Limits(max_length=200)]


def lens_of(operations: Iterable[Mapping[str, Any]], tables: Tables | None = None) -> Lens:
    """Build a lens of operations as a file lists them, held against no schema: to try one out.

    Raises `ValueError` where an operation makes no sense. `tables` are the shipped ones if they are not given.
    """
    known = tables or shipped_tables()
    return Lens(tuple(Change.model_validate(one).operation(known) for one in operations), {})


def read_lens(file: File, older: Schema | None, newer: Schema | None, tables: Tables, faults: Faults) -> Lens | None:
    """Read a lens and hold it against the schemas; None where a fault was noted or a schema is missing."""
    document = read_yaml(file, faults)
    filled = fill(LensFile, document, faults) if document else None
    if document is None or filled is None or older is None or newer is None:
        return None
    operations: list[Operation] = []
    for index, change in enumerate(filled.up):
        try:
            operations.append(change.operation(tables))
        except ValueError as problem:
            faults.add(file, document.line(("up", index)), f"this operation makes no sense ({problem})", "Correct it")
            return None
    fields = _Fields(document, older, newer, faults)
    fields.follow(operations)
    fields.keep_marks(operations)
    notes = tuple(note for change in filled.up if (note := change.note()) is not None)
    return Lens(tuple(operations), filled.changes.model_dump(), document.value, notes)


class _Fields:
    """Follows the fields of the older major through the operations to those of the newer."""

    def __init__(self, document: Document, older: Schema, newer: Schema, faults: Faults) -> None:
        self._document, self._faults = document, faults
        self._older = {parse(pointer)[1:] for pointer in older.fields}
        self._newer = {parse(pointer)[1:] for pointer in newer.fields}
        self._older_numbers = _national_numbers(older)
        self._newer_numbers = _national_numbers(newer)

    def follow(self, operations: list[Operation]) -> None:
        """Note what an operation takes that is not there, and what is left over at the end."""
        known, made = set(self._older), set[Path]()
        for index, operation in enumerate(operations):
            here: Loc = ("up", index)
            for path in operation.older:
                if path not in known:
                    what = f"there is no field `{_pointer(path)}` to take"
                    self._add(here, what, "Name a field of the older major, or one made above")
                known = {field for field in known if field[: len(path)] != path}
            for path in operation.newer:
                known |= self._below(path)
                made.add(path)
        for path in sorted(made & known - self._newer):
            self._add(("up",), f"the newer schema has no field `{_pointer(path)}`", "Correct the name")
        for path in sorted(self._leaves(known) - self._newer - made):
            what = f"the field `{_pointer(path)}` of the older major goes nowhere"
            self._add(("up",), what, "Move, recode or remove it")
        owners = {path[:length] for path in made for length in range(1, len(path))}
        for path in sorted(self._leaves(self._newer) - known):
            if path[:-1] in owners:
                continue  # beside what was made, so perhaps its alternative: the laws on examples judge that
            what = f"the field `{_pointer(path)}` of the newer major comes from nowhere"
            self._add(("up",), what, "Move, recode or add it")

    def keep_marks(self, operations: list[Operation]) -> None:
        """Note a national number that would lose its mark on the way, and with the mark its protection."""
        numbers = self._older_numbers
        for operation in operations:
            numbers = _followed(numbers, operation.older, operation.newer)
        back = self._newer_numbers
        for operation in reversed(operations):
            back = _followed(back, operation.newer, operation.older)
        unmarked = ((numbers & self._newer) - self._newer_numbers, (back & self._older) - self._older_numbers)
        for major, paths in zip(("newer", "older"), unmarked, strict=True):
            for path in sorted(paths):
                what = f"a national number comes to `{_pointer(path)}` of the {major} major, which is not marked as one"
                self._add(("up",), what, f"Mark it with `{NATIONAL}`")

    def _below(self, path: Path) -> set[Path]:
        """Return a field made at `path`, the objects around it, and all the newer schema knows inside it."""
        around = {path[:length] for length in range(1, len(path) + 1)}
        return around | {field for field in self._newer if field[: len(path)] == path}

    @staticmethod
    def _leaves(fields: set[Path]) -> set[Path]:
        inner = {field[:-1] for field in fields if field}
        return {field for field in fields if field not in inner and field[-1:] != (EACH,)}

    def _add(self, loc: Loc, what: str, mend: str) -> None:
        self._faults.add(self._document.file, self._document.line(loc), what, mend)


def _national_numbers(schema: Schema) -> frozenset[Path]:
    return frozenset(
        parse(pointer)[1:] for pointer, field in schema.fields.items() if field.national and not field.holds_objects
    )


def _followed(numbers: frozenset[Path], taken: tuple[Path, ...], made: tuple[Path, ...]) -> frozenset[Path]:
    """Say where numbers are after an operation that makes `made` of `taken`, with all that is inside."""
    there: set[Path] = set()
    for number in numbers:
        inside = [number[len(path) :] for path in taken if number[: len(path)] == path]
        there |= {path + inside[0] for path in made} if inside else {number}
    return frozenset(there)


def _path(pointer: str) -> Path:
    return parse(pointer)[1:]


def _pointer(path: Path) -> str:
    return render(("data", *path))
