"""The event as the hub knows it: a CloudEvents 1.0 event that keeps the NL GOV profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

import msgspec

from expathub.core.reasons import Reason

TYPE_CHARACTERS_MAX: Final = 255
_TYPE = re.compile(r"([a-z]{2,}(?:\.(?!v[0-9]+\.)[a-z][a-z0-9]*(?:-[a-z0-9]+)*){2,5})\.v([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class TypeRef:
    """An event type with its major version: `nl.brp.verhuisd.intergemeentelijk` and 2."""

    name: str
    major: int

    def __str__(self) -> str:
        """Return the CloudEvents `type`, e.g. `nl.brp.verhuisd.intergemeentelijk.v2`."""
        return f"{self.name}.v{self.major}"


@lru_cache(maxsize=1024)
def split_type(text: str) -> TypeRef | None:
    """Read a CloudEvents `type`; None where it is no reverse domain name with exactly one version, at its end."""
    found = _TYPE.fullmatch(text) if len(text) <= TYPE_CHARACTERS_MAX else None
    return TypeRef(found[1], int(found[2])) if found else None


class Event(msgspec.Struct, frozen=True, gc=False):
    """A decoded event.

    `attributes` holds every context attribute (extensions too) as JSON values, `data` the JSON payload.
    `canonical` is the compact re-serialised event with sorted keys: what goes on, what is compared in
    deduplication, and the same for structured and binary mode.
    """

    attributes: Mapping[str, Any]
    data: Any
    canonical: bytes

    @property
    def id(self) -> str:
        """The CloudEvents `id`."""
        return str(self.attributes["id"])

    @property
    def source(self) -> str:
        """The CloudEvents `source`."""
        return str(self.attributes["source"])

    @property
    def type(self) -> str:
        """The CloudEvents `type`, with its major version."""
        return str(self.attributes["type"])

    @property
    def subject(self) -> str:
        """The dossier id; empty where the event has none."""
        return str(self.attributes.get("subject", ""))

    def __repr__(self) -> str:
        """Show nothing of the event: it may hold personal data."""
        return "Event(…)"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why intake does not accept a record.

    `pointer` is a JSON Pointer into the event that names only what profile or schema know ("" is the whole).
    `detail` is a fixed sentence for people that says what is wrong and what is expected; never a value.
    `source` and `id` are those of the event where they were readable.
    """

    reason: Reason
    pointer: str = ""
    detail: str = ""
    source: str | None = None
    id: str | None = None

    @classmethod
    def because(cls, reason: Reason, pointer: str = "", *, source: str | None = None, id: str | None = None) -> Self:
        """Refuse for `reason`, in its own words."""
        return cls(reason, pointer, f"{reason.meaning} {reason.remedy}", source, id)

    def __repr__(self) -> str:
        """Show the code and the pointer: neither carries a value."""
        return f"Refusal({self.reason.value}, {self.pointer!r})"
