"""Whom an event is for: the closed set of selectors, worked out against the dossier.

Pure. Says who is chosen and by which grant; whether a chosen partner may be told is `expathub.core.judging`.
A partner that several grants choose gets the first of them in `about.yaml`, never a union. The sender is never a
recipient of its own event, and neither is a partner of the hub itself (design §6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from expathub.core.catalogue import EventType, Grant, SelectorKind
from expathub.core.dossier import Dossier
from expathub.core.judging import RULES
from expathub.core.partners import Partner, Partners, Role
from expathub.core.route import Route

RESERVED_PREFIX = "hub-"
"""Partners whose id begins so are the hub's own: no event is ever told to one."""


class Directory:
    """Partners as selectors look for them, without the hub's own. Ended ones stay: they are chosen and withheld."""

    __slots__ = ("_aims", "_routes", "by_code", "by_id", "by_role", "everyone")

    def __init__(self, partners: Partners) -> None:
        self.everyone = tuple(partner for partner in partners.by_id.values() if not _is_reserved(partner))
        self.by_id: Mapping[str, Partner] = {partner.id: partner for partner in self.everyone}
        self.by_role: Mapping[Role | None, tuple[Partner, ...]] = {
            role: tuple(partner for partner in self.everyone if role in partner.roles) for role in Role
        }
        self.by_code: Mapping[str, Partner] = {
            partner.municipality: partner for partner in self.everyone if partner.municipality
        }
        self._aims: dict[str, tuple[Aim, ...]] = {}  # what depends on the configuration alone is worked out once
        self._routes: dict[tuple[str, int, str], Route] = {}

    def aims(self, kind: EventType) -> tuple[Aim, ...]:
        """Return the grants of an event type, each with what looks for its partners."""
        aims = self._aims.get(kind.name)
        if aims is None:
            aims = self._aims[kind.name] = tuple(self._aim(kind, grant) for grant in kind.grants)
        return aims

    def _aim(self, kind: EventType, grant: Grant) -> Aim:
        routes = {partner.id: self.route(kind, grant, partner) for partner in self.everyone}
        return Aim(grant, grant.selector.kind, SELECT[grant.selector.kind], routes)

    def route(self, kind: EventType, grant: Grant | None, partner: Partner) -> Route:
        """Return the route of an event type to a partner by a grant."""
        name = (kind.name, id(grant), partner.id)
        route = self._routes.get(name)
        if route is None:
            route = self._routes[name] = Route.of(kind, partner, grant, RULES)
        return route


def _is_reserved(partner: Partner) -> bool:
    return Role.OPERATOR in partner.roles or partner.id.startswith(RESERVED_PREFIX)


class Aim(msgspec.Struct, frozen=True):
    """A grant with what looks for its partners, and the routes to all that it could find."""

    grant: Grant
    selector: SelectorKind
    select: Callable[[Situation, Grant], Iterable[Partner]]
    routes: Mapping[str, Route]


class Situation(msgspec.Struct, frozen=True):
    """What selectors look at: the dossier before and after the event, and what the event itself says.

    `former` is the municipality it says was left, `named` the partner that the consent in it names.
    """

    directory: Directory
    before: Dossier
    after: Dossier
    former: str | None = None
    named: str | None = None


class Chosen(msgspec.Struct, frozen=True):
    """The routes to those chosen, in the order of the grants.

    `unknown` is the grant whose municipality nobody knows yet.
    """

    routes: tuple[Route, ...]
    unknown: Grant | None = None


def choose(kind: EventType, sender: str, situation: Situation) -> Chosen:
    """Work out the selectors of an event type, first grant first."""
    taken = {sender}
    routes: list[Route] = []
    unknown: Grant | None = None
    for aim in situation.directory.aims(kind):
        for partner in aim.select(situation, aim.grant):
            if partner.id not in taken:
                taken.add(partner.id)
                routes.append(aim.routes[partner.id])
        if unknown is None and situation.after.residence is None and _waits_for_residence(situation, aim.selector):
            unknown = aim.grant
    return Chosen(tuple(routes), unknown)


def _waits_for_residence(situation: Situation, selector: SelectorKind) -> bool:
    """Tell whether a municipality that is not known yet is among those chosen.

    It is one of the earlier recipients too when something waits for it: what corrects that must follow it.
    """
    if selector is SelectorKind.EARLIER_RECIPIENTS:
        return any(wait.partner is None for wait in situation.after.waits)
    return selector is SelectorKind.MUNICIPALITY_OF_RESIDENCE


def _role(situation: Situation, grant: Grant) -> Iterable[Partner]:
    return situation.directory.by_role[grant.selector.role]


def _everyone(situation: Situation, _: Grant) -> Iterable[Partner]:
    return situation.directory.everyone


def _residence(situation: Situation, _: Grant) -> Iterable[Partner]:
    return _municipality(situation, situation.after.residence)


def _former(situation: Situation, _: Grant) -> Iterable[Partner]:
    """Choose the municipality that lost the newcomer: what the dossier knew goes before what the event claims."""
    return _municipality(situation, situation.before.residence or situation.former)


def _municipality(situation: Situation, code: str | None) -> Iterable[Partner]:
    partner = situation.directory.by_code.get(code) if code else None
    return (partner,) if partner else ()


def _referred(situation: Situation, _: Grant) -> Iterable[Partner]:
    """Choose the partner that this event's consent names, else those that the dossier's consents name.

    Whether the consent still holds is judged later, so that the record says that somebody was left out, and why.
    """
    named = (situation.named,) if situation.named else situation.after.consents
    return (partner for one in named if (partner := situation.directory.by_id.get(one)))


def _earlier(situation: Situation, _: Grant) -> Iterable[Partner]:
    """Choose those who were told something of this dossier, or for whom something of it waits (GDPR art. 19).

    Also for whom something waited until this very event: that it is not told is then on record.
    """
    waits = (*situation.before.waits, *situation.after.waits)
    known = dict.fromkeys((*situation.after.told, *(wait.partner for wait in waits if wait.partner)))
    return (partner for one in known if (partner := situation.directory.by_id.get(one)))


SELECT: Mapping[SelectorKind, Callable[[Situation, Grant], Iterable[Partner]]] = {
    SelectorKind.ROLE: _role,
    SelectorKind.MUNICIPALITY_OF_RESIDENCE: _residence,
    SelectorKind.FORMER_MUNICIPALITY: _former,
    SelectorKind.REFERRED_PARTNER: _referred,
    SelectorKind.EARLIER_RECIPIENTS: _earlier,
    SelectorKind.EVERYONE: _everyone,
}
"""How each kind of selector looks for partners."""
