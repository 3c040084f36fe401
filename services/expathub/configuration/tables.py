"""The national tables: from `schemas/tables/*.yaml` to the values of the core.

They are part of the configuration: an installation may put an official export in their place, and a code list that
changes is a change of what the hub accepts. A folder of schemas without a table gets the one that is shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from expathub.configuration.faults import Faults
from expathub.configuration.forms import Day, Form, Text, Words, fill
from expathub.configuration.tree import Document, listed, read_yaml
from expathub.core.values.tables import Row, Table, Tables
from expathub.shipped import shipped

FOLDER = "tables"
"""The folder of the tables in that of the schemas."""

FILES: Mapping[int, str] = {32: "nationaliteiten", 33: "gemeenten", 34: "landen", 56: "verblijfstitels"}
"""The file of each table that the hub uses."""

Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,8}$")]


class RowForm(Form):
    """One code."""

    code: Code
    name: Text
    since: Day | None = None
    until: Day | None = None
    successor: Code | None = None
    iso: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    special: bool = False


class TableForm(Form):
    """`tables/<name>.yaml`."""

    table: int
    title: Words
    source: Text
    as_of: Day
    digits: Annotated[int, Field(ge=1, le=8)]
    complete: bool
    rows: Annotated[list[RowForm], Field(min_length=1, max_length=5000)]


def read_tables(schemas: Path, faults: Faults) -> tuple[Tables, dict[int, Document]]:
    """Read the tables beside the event types; the shipped ones stand in for what is missing or at fault."""
    folder = schemas / FOLDER
    documents: dict[int, Document] = {}
    tables: dict[int, Table] = {}
    _refuse_orphans(folder, faults)
    for number, name in FILES.items():
        file = folder / f"{name}.yaml"
        document = read_yaml(file, faults) if file.exists() else None
        table = _table(number, document, faults) if document else None
        if document is not None and table is not None:
            documents[number], tables[number] = document, table
    return _together(tables) if len(tables) == len(FILES) else _together(_shipped() | tables), documents


@cache
def _shipped() -> dict[int, Table]:
    faults = Faults()
    folder = shipped("schemas", FOLDER)
    found = {
        number: _table(number, read_yaml(folder / f"{name}.yaml", faults), faults) for number, name in FILES.items()
    }
    faults.raise_if_any()
    return {number: table for number, table in found.items() if table is not None}


def shipped_tables() -> Tables:
    """Return the tables that the hub brings."""
    return _together(_shipped())


def _together(tables: Mapping[int, Table]) -> Tables:
    return Tables(nationalities=tables[32], municipalities=tables[33], countries=tables[34], titles=tables[56])


def _refuse_orphans(folder: Path, faults: Faults) -> None:
    known = {f"{name}.yaml" for name in FILES.values()}
    for entry in listed(folder, faults) if folder.is_dir() else ():
        if entry.name not in known:
            faults.add(entry, 1, "the hub uses no such table", f"Name it one of {', '.join(sorted(known))}")


def _table(number: int, document: Document | None, faults: Faults) -> Table | None:
    form = fill(TableForm, document, faults) if document else None
    if document is None or form is None:
        return None
    before = len(faults.found)
    if form.table != number:
        faults.add(document.file, document.line(("table",)), f"this is not table {number}", "Correct the number")
    rows = {row.code: row for row in form.rows}
    for index, row in enumerate(form.rows):
        for what, mend in _wrong(form, rows, row):
            faults.add(document.file, document.line(("rows", index)), what, mend)
        if rows[row.code] is not row:
            faults.add(document.file, document.line(("rows", index)), "this code stands here twice", "Keep one of them")
    if len(faults.found) > before:
        return None
    return Table(form.table, form.digits, form.as_of, form.complete, {code: _row(row) for code, row in rows.items()})


def _wrong(form: TableForm, rows: Mapping[str, RowForm], row: RowForm) -> list[tuple[str, str]]:
    found = []
    if len(row.code) != form.digits:
        found.append((f"a code of this table has {form.digits} digits", "Correct the code"))
    if row.since and row.until and row.until <= row.since:
        found.append(("these dates are not in their order", "First `since`, then `until`"))
    if row.successor is not None and (row.until is None or row.successor not in rows):
        found.append(("a successor follows a code that has ended, and stands here too", "Add `until`, or the code"))
    if row.successor is not None and row.code in _line_of(rows, row.successor):
        found.append(("this code comes after itself", "Correct `successor`"))
    return found


def _line_of(rows: Mapping[str, RowForm], code: str | None) -> set[str]:
    line: set[str] = set()
    while code is not None and code in rows and code not in line:
        line.add(code)
        code = rows[code].successor
    return line


def _row(form: RowForm) -> Row:
    return Row(form.code, form.name, form.since, form.until, form.successor, form.iso, form.special)
