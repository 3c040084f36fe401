"""Residence titles (national table 56): when one gives a right of residence."""

from __future__ import annotations

from datetime import date

from expathub.core.values.tables import Table


def gives_residence(table: Table, code: str, until: date | None, day: date) -> bool:
    """Tell whether a title gives a right on a day.

    `until` is its end date, None for indefinite. A title that ends on that very day has ended, as the register's own
    interface has it; one that names nothing ("no title any more", "unknown") never gave a right.
    """
    return table.names(code) and (until is None or day < until)
