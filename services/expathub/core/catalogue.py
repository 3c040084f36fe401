"""The catalogue: event types, their versions, and who may know which fields on which ground.

Read from `schemas/` by `expathub.configuration`; frozen, and total once loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from expathub.core.partners import Role


class SelectorKind(Enum):
    """The closed set of ways to choose recipients."""

    ROLE = "role"
    MUNICIPALITY_OF_RESIDENCE = "municipality-of-residence"
    FORMER_MUNICIPALITY = "former-municipality"
    REFERRED_PARTNER = "referred-partner"
    EARLIER_RECIPIENTS = "earlier-recipients"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Selector:
    """One way to choose recipients; written `role:ind` or by its kind's word."""

    kind: SelectorKind
    role: Role | None = None

    def __str__(self) -> str:
        """Return the form used in `about.yaml` and in `waits` of a disclosure."""
        return f"role:{self.role.value}" if self.role else self.kind.value


@dataclass(frozen=True, slots=True)
class Grant:
    """What the recipients that `selector` chooses may know, and why.

    `fields` maps a major version to JSON Pointers from the root of the event (`/data/datumVan`); a pointer
    to an object or array grants the whole of it. Extension attributes are granted the same way (`/dataref`).
    """

    selector: Selector
    ground: str
    purpose: str
    fields: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """Where data breaks its schema: a pointer from the root of the event, and the keyword broken."""

    pointer: str
    keyword: str


@dataclass(frozen=True, slots=True)
class Version:
    """One major version of an event type; `validate` returns the first fault of a `data` value, or None."""

    major: int
    schema: Mapping[str, Any]
    validate: Callable[[Any], SchemaFault | None]
    sunset: date | None = None
    ended: date | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Effects:
    """What an event of this type says about its dossier, as pointers from the root of the event.

    All of them hold for every major (a pointer that differs is given per major).
    `residence`: code of the municipality of residence from now on. `former`: code of the municipality left.
    `secrecy`: an integer, 0 is none (geheimhouding 70.10) or a boolean. `consent_partner`/`consent_until`:
    the partner a consent to be referred names, and until when (RFC 3339). `withdraws_consent`: this event ends
    the consent for those who were told.
    """

    residence: Mapping[int, str] | None = None
    former: Mapping[int, str] | None = None
    secrecy: Mapping[int, str] | None = None
    consent_partner: Mapping[int, str] | None = None
    consent_until: Mapping[int, str] | None = None
    withdraws_consent: bool = False


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the content of an event is kept, and how long the account of whom it was told; and on which ground."""

    content_days: int
    account_years: int
    ground: str


class Command(Enum):
    """What an operator can order; an event type of `hub-operator` each."""

    RELEASE = "release"
    DISCARD = "discard"
    ERASE = "erase"


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type with all its majors. `lenses` is keyed by (from major, to major)."""

    name: str
    title: Mapping[str, str]
    meaning: Mapping[str, str]
    publishers: frozenset[Role]
    grants: tuple[Grant, ...]
    versions: Mapping[int, Version]
    lenses: Mapping[tuple[int, int], Callable[[Any], Any]]
    classification: str
    public: bool = False
    publisher_owns: Mapping[int, str] | None = None
    effects: Effects = Effects()
    command: Command | None = None
    published_when: Mapping[str, str] = field(default_factory=dict)
    not_published_when: Mapping[str, str] = field(default_factory=dict)
    retention: Retention | None = None

    @property
    def newest(self) -> int:
        """The highest major version."""
        return max(self.versions)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All event types by name (without version)."""

    types: Mapping[str, EventType]
