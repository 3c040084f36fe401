"""The lens operation `convert`, and the closed set of ways in which it can say a value otherwise.

Each goes both ways and knows its domain: for a value outside it there is no counterpart, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from expathub.core.lens import Why
from expathub.core.lens_operations import InPlace
from expathub.core.values.dates import read_digits, read_object
from expathub.core.values.tables import Table


class Conversion(Protocol):
    """A way to say a value otherwise. `raised` and `lowered` return the counterpart, or why there is none."""

    def raised(self, value: Any) -> Any | Why:
        """Return the newer form."""
        ...

    def lowered(self, value: Any) -> Any | Why:
        """Return the older form."""
        ...


@dataclass(frozen=True, slots=True)
class RegisterDate:
    """A date of the population register: eight digits become the object that says what is known of it."""

    def raised(self, value: Any) -> Any | Why:
        """Read the digits."""
        found = read_digits(value) if isinstance(value, str) else None
        return Why.FORM if found is None else found.as_object()

    def lowered(self, value: Any) -> Any | Why:
        """Read the object."""
        found = read_object(value) if isinstance(value, Mapping) else None
        return Why.FORM if found is None else str(found)


@dataclass(frozen=True, slots=True)
class Multiple:
    """A whole number in a smaller unit: weeks become days. What is no whole number of the older unit cannot go down."""

    times: int

    def raised(self, value: Any) -> Any | Why:
        """Count in the smaller unit."""
        return value * self.times if type(value) is int else Why.FORM

    def lowered(self, value: Any) -> Any | Why:
        """Count in the larger unit."""
        if type(value) is not int:
            return Why.FORM
        return Why.UNIT if value % self.times else value // self.times


@dataclass(frozen=True, slots=True)
class Country:
    """A country of national table 34 becomes one of ISO 3166-1; a code that is closed comes back as today's."""

    table: Table

    def raised(self, value: Any) -> Any | Why:
        """Look up the ISO code."""
        return (self.table.iso(value) if isinstance(value, str) else None) or Why.TABLE

    def lowered(self, value: Any) -> Any | Why:
        """Look up the code of the register."""
        return (self.table.code_of(value) if isinstance(value, str) else None) or Why.TABLE


@dataclass(frozen=True, slots=True)
class Convert(InPlace):
    """A value is said otherwise."""

    by: Conversion

    def raised(self, value: Any) -> Any:
        """Say it as the newer major does."""
        return self._there(self.by.raised(value))

    def lowered(self, value: Any) -> Any:
        """Say it as the older major does."""
        return self._there(self.by.lowered(value))

    def _there(self, found: Any) -> Any:
        if isinstance(found, Why):
            raise self.unreachable(found)
        return found
