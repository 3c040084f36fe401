"""National tables: codes with what they stand for, since when, until when, and what came after.

Pure: the rows are read from `schemas/tables` by `expathub.configuration.tables`. A table that is not complete judges
the codes that it knows; of others it judges the form alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Row:
    """One code. `until` is the first day on which it no longer holds: what ends today has ended.

    `successor` took its place; `iso` is the country in ISO 3166-1 alpha-2; `is_special` is a code that names nothing,
    such as "unknown".
    """

    code: str
    name: str
    since: date | None = None
    until: date | None = None
    successor: str | None = None
    iso: str | None = None
    is_special: bool = False

    def holds_on(self, day: date) -> bool:
        """Tell whether the code may be used on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Table:
    """One national table as of a day. `digits` is how long its codes are."""

    number: int
    digits: int
    as_of: date
    is_complete: bool
    rows: Mapping[str, Row]

    def names(self, code: str) -> bool:
        """Tell whether a code names something, now or once; a table that is not complete trusts the form."""
        row = self.rows.get(code)
        if row is not None:
            return not row.is_special
        return not self.is_complete and re.fullmatch(rf"[0-9]{{{self.digits}}}", code) is not None

    def names_now(self, code: str) -> bool:
        """Tell whether a code names something on the day that the table describes."""
        row = self.rows.get(code)
        return self.names(code) and (row is None or row.holds_on(self.as_of))

    def successor(self, code: str, day: date) -> str:
        """Return the code that holds on a day for what `code` named: itself, or what came after it, step by step."""
        for _ in range(len(self.rows)):
            row = self.rows.get(code)
            if row is None or row.successor is None or row.until is None or day < row.until:
                break
            code = row.successor
        return code

    def predecessors(self, code: str) -> frozenset[str]:
        """Return the codes that were merged into `code`, directly or by way of another."""
        found: frozenset[str] = frozenset()
        front = {code}
        while front:
            front = {row.code for row in self.rows.values() if row.successor in front} - found
            found |= front
        return found

    def iso(self, code: str) -> str | None:
        """Return the ISO 3166-1 country of a code; several codes may have the same."""
        row = self.rows.get(code)
        return row.iso if row else None

    def code_of(self, iso: str) -> str | None:
        """Return the one code for an ISO 3166-1 country that holds on the day of the table, or None."""
        found = [row.code for row in self.rows.values() if row.iso == iso and row.holds_on(self.as_of)]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that the hub uses: 32 nationalities, 33 municipalities, 34 countries, 56 residence titles."""

    nationalities: Table
    municipalities: Table
    countries: Table
    titles: Table
