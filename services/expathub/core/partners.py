"""Partners: organisations that publish and read events. Configuration, never constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from expathub.core.reasons import Reason

HUB_OPERATOR = "hub-operator"
"""The reserved partner that gives commands; it has an outbox, and no event is ever told to it."""


class Role(Enum):
    """What a partner is to the hub."""

    EXPAT_CENTRE = "expat-centre"
    IND = "ind"
    MUNICIPALITY = "municipality"
    FOREIGN_CENTRE = "foreign-centre"
    BORDER_INFO = "border-info"
    PORTAL = "portal"
    OPERATOR = "operator"  # reserved: only hub-operator has it


OUTSIDE_GOVERNMENT = frozenset({Role.FOREIGN_CENTRE, Role.BORDER_INFO, Role.PORTAL})
"""Roles that may never see a BSN or another national number (Wabb art. 10, 11) and get pairwise references."""


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation with an id, roles and a source URN.

    `ended` is the first day on which it no longer takes part; `strict` the advice of the profile that it is held to.
    """

    id: str
    name: str
    roles: frozenset[Role]
    source: str
    municipality: str | None = None
    languages: tuple[str, ...] = ()
    reads: Mapping[str, int] | None = None
    ended: date | None = None
    strict: frozenset[Reason] = frozenset()

    @property
    def is_outside_government(self) -> bool:
        """Whether any of its roles is outside the circle that may use national numbers."""
        return bool(self.roles & OUTSIDE_GOVERNMENT)


@dataclass(frozen=True, slots=True)
class Partners:
    """All partners of `deploy/partners.yaml`, the reserved `hub-operator` among them."""

    revision: int
    hub_source: str
    by_id: Mapping[str, Partner]
