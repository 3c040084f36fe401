"""How an event type reaches one partner by one grant: what depends on the configuration alone, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from expathub.core.catalogue import EventType, Grant, SelectorKind
from expathub.core.event import TypeRef
from expathub.core.minimise import Plan, plan
from expathub.core.partners import Partner
from expathub.core.reasons import Withheld
from expathub.core.topic_names import inbox


class Rule(msgspec.Struct, frozen=True):
    """A reason not to tell: which routes it can concern at all, and when it holds there (see `core/judging`)."""

    reason: Withheld
    concerns: Callable[[Route], bool]
    holds: Callable[[Any], bool]


class Route(msgspec.Struct, frozen=True):
    """A type, a partner and the grant by which it was chosen; the version it reads, and what of that it may have.

    `grant` is None where the partner was chosen once and is not any more. `rules` are the reasons not to tell that
    can hold on this route.
    """

    kind: EventType
    partner: Partner
    grant: Grant | None
    selector: SelectorKind | None
    major: int
    type: str
    fields: tuple[str, ...]
    keep: Plan
    is_outside: bool
    inbox: str
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, kind: EventType, partner: Partner, grant: Grant | None, rules: tuple[Rule, ...]) -> Route:
        """Work out a route: a partner reads the major that it pinned, else the newest."""
        major = (partner.reads or {}).get(kind.name, kind.newest)
        fields = grant.fields.get(major, ()) if grant else ()
        route = cls(
            kind=kind,
            partner=partner,
            grant=grant,
            selector=grant.selector.kind if grant else None,
            major=major,
            type=str(TypeRef(kind.name, major)),
            fields=fields,
            keep=plan(fields),
            is_outside=partner.is_outside_government,
            inbox=inbox(partner.id),
            rules=(),
        )
        return msgspec.structs.replace(route, rules=tuple(rule for rule in rules if rule.concerns(route)))
