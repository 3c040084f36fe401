"""Dates as the population register has them: what is not known stays unknown, and is never made up.

The register writes eight digits with zeros for what is unknown (`20260300`: in March 2026); its interfaces write an
object with a `type`. Both say the same, so one can be turned into the other and back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

_EIGHT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MEMBERS: Mapping[str, Mapping[str, type]] = {
    "Datum": {"datum": str},
    "JaarMaandDatum": {"jaar": int, "maand": int},
    "JaarDatum": {"jaar": int},
    "DatumOnbekend": {"onbekend": bool},
}


@dataclass(frozen=True, slots=True)
class IncompleteDate:
    """A date as far as it is known; `day` needs `month`, `month` needs `year`. Nothing known is a date too."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        """Write it in eight digits, zeros for what is unknown (LO BRP)."""
        return f"{self.year or 0:04}{self.month or 0:02}{self.day or 0:02}"

    def as_object(self) -> dict[str, Any]:
        """Write it as the interfaces of the register do: `{"type": "JaarDatum", "jaar": 2026}`."""
        if self.year is None:
            return {"type": "DatumOnbekend", "onbekend": True}
        if self.month is None:
            return {"type": "JaarDatum", "jaar": self.year}
        if self.day is None:
            return {"type": "JaarMaandDatum", "jaar": self.year, "maand": self.month}
        return {"type": "Datum", "datum": f"{self.year:04}-{self.month:02}-{self.day:02}"}


def read_digits(text: str) -> IncompleteDate | None:
    """Read eight digits; None for what is no such date: a day without a month, a month without a year, 30 February."""
    match = _EIGHT.fullmatch(text)
    return _checked(*map(int, match.groups())) if match else None


def read_object(value: Mapping[str, Any]) -> IncompleteDate | None:
    """Read the object form; None for anything else."""
    members = _MEMBERS.get(str(value.get("type")))
    if members is None or value.keys() != members.keys() | {"type"}:
        return None
    if any(type(value[name]) is not kind for name, kind in members.items()):  # true is no year
        return None
    if "onbekend" in members:
        return IncompleteDate() if value["onbekend"] else None
    if "datum" in members:
        written = _ISO.fullmatch(value["datum"])
        found = _checked(*map(int, written.groups())) if written else None
    else:
        found = _checked(value["jaar"], value.get("maand", 0), 0)
    return found if found is not None and found.as_object()["type"] == value["type"] else None


def is_incomplete_date(text: str) -> bool:
    """Tell whether `text` is a date in eight digits, zeros for what is unknown."""
    return read_digits(text) is not None


def _checked(year: int, month: int, day: int) -> IncompleteDate | None:
    if (day and not month) or (month and not year) or not 0 <= year <= date.max.year:
        return None
    try:
        date(year or 1, month or 1, day or 1)
    except ValueError:
        return None
    return IncompleteDate(year or None, month or None, day or None)
