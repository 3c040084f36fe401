"""The configuration as somebody would type it in who writes the loop by hand: plain tables, made once at the start.

Only set-up is taken from the hub's configuration (schemas, grants, partners); nothing here runs for an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from expathub.configuration.schema_rules import NATIONAL
from expathub.configuration.tables import shipped_tables
from expathub.core.catalogue import EventType, Grant, SelectorKind, Version
from expathub.core.configuration import Configuration
from expathub.core.identifiers import is_bsn
from expathub.core.partners import Partner
from expathub.core.values.formats import formats


@dataclass(frozen=True, slots=True)
class Target:
    """A partner as a recipient."""

    id: str
    id_bytes: bytes
    inbox: str
    is_outside: bool


@dataclass(frozen=True, slots=True)
class GrantTable:
    """A grant by which one selector's partners are told the same fields of one type in one major.

    `partners` are those that a role or `everyone` chooses. `members` are names in `data`, each with None where the
    whole is granted, else the names below it that are; `lists` are those members that are lists of such objects.
    `extensions` are attributes.
    """

    kind: SelectorKind
    partners: tuple[Target, ...]
    ground: str
    fields: tuple[str, ...]
    members: Mapping[str, tuple[str, ...] | None]
    lists: frozenset[str]
    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypeTable:
    """An event type in one major: its validator, whom it is for, and where it says something of the dossier."""

    text: str
    name: str
    public: bool
    is_valid: Callable[[Any], bool]
    grants: tuple[GrantTable, ...]
    residence: str | None
    secrecy: str | None
    consent: tuple[str, ...] | None
    """The member of `data` that names a partner, then the path of until when."""


@dataclass(frozen=True, slots=True)
class Tables:
    """All that the hand-written loop knows beforehand."""

    types: Mapping[str, TypeTable]
    by_id: Mapping[str, Target]
    by_code: Mapping[str, Target]
    sources: Mapping[str, str]
    """Partner to the `source` that it has to use."""
    hub_source: str
    digest: bytes
    publishes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Partner to the types that it may publish."""

    @classmethod
    def of(cls, known: Configuration) -> Tables:
        """Write out the configuration."""
        partners = [partner for partner in known.partners.by_id.values() if not partner.id.startswith("hub-")]
        targets = {partner.id: _target(partner) for partner in partners}
        types = {
            f"{kind.name}.v{version.major}": _type(kind, version, partners, targets)
            for kind in known.catalogue.types.values()
            for version in kind.versions.values()
            if version.major == kind.newest
        }
        return cls(
            types=types,
            by_id=targets,
            by_code={partner.municipality: targets[partner.id] for partner in partners if partner.municipality},
            sources={partner.id: partner.source for partner in partners},
            hub_source=known.partners.hub_source,
            digest=known.digest.encode(),
            publishes={
                partner.id: frozenset(
                    text
                    for text, table in types.items()
                    if known.catalogue.types[table.name].publishers & partner.roles
                )
                for partner in partners
            },
        )


def _target(partner: Partner) -> Target:
    return Target(partner.id, partner.id.encode(), f"inbox.{partner.id}", partner.is_outside_government)


def _type(kind: EventType, version: Version, partners: list[Partner], targets: Mapping[str, Target]) -> TypeTable:
    major, effects = version.major, kind.effects
    validator = jsonschema_rs.Draft202012Validator(
        dict(version.schema),
        validate_formats=True,
        formats=formats(shipped_tables()),  # what a schema's words mean belongs to the schema: the same for both
        pattern_options=jsonschema_rs.RegexOptions(),
        keywords={NATIONAL: _NationalNumber},
    )
    consent = effects.consent_partner and (
        _member(effects.consent_partner, major) or "",
        *((effects.consent_until or {}).get(major, "").split("/")[2:]),
    )
    return TypeTable(
        text=f"{kind.name}.v{major}",
        name=kind.name,
        public=kind.public,
        is_valid=validator.is_valid,
        grants=tuple(_grant(grant, major, partners, targets) for grant in kind.grants),
        residence=_member(effects.residence, major),
        secrecy=_member(effects.secrecy, major),
        consent=consent or None,
    )


def _member(pointers: Mapping[int, str] | None, major: int) -> str | None:
    return pointers[major].removeprefix("/data/") if pointers and major in pointers else None


def _grant(grant: Grant, major: int, partners: list[Partner], targets: Mapping[str, Target]) -> GrantTable:
    kind, role = grant.selector.kind, grant.selector.role
    chosen = [one for one in partners if kind is SelectorKind.EVERYONE or role in one.roles]
    pointers = grant.fields.get(major, ())
    paths = [pointer.split("/")[1:] for pointer in pointers]
    members: dict[str, tuple[str, ...] | None] = {}
    for _, name, *below in (path for path in paths if path[0] == "data"):
        members[name] = (*(members.get(name) or ()), below[-1]) if below else None
    return GrantTable(
        kind=kind,
        partners=tuple(targets[one.id] for one in chosen),
        ground=grant.ground,
        fields=pointers,
        members=members,
        lists=frozenset(path[1] for path in paths if "*" in path),
        extensions=tuple(path[0] for path in paths if path[0] != "data"),
    )


class _NationalNumber:
    """The hub's own keyword of a schema: a BSN passes the eleven test."""

    def __init__(self, _schema: dict[str, Any], value: object, _path: list[str | int]) -> None:
        self._is_bsn = value == "bsn"

    def validate(self, instance: object) -> None:
        """Raise where a text is no number of this kind."""
        if self._is_bsn and isinstance(instance, str) and not is_bsn(instance):
            raise ValueError("not a BSN")
