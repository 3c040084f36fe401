"""Whom an event is for: the closed set of selectors, worked out against the dossier.

Pure. Says who is chosen and by which grant; whether a chosen partner may be told is `expathub.core.judging`.
A partner that several grants choose gets the first of them in `about.yaml`, never a union. The sender is never a
recipient of its own event, and neither is a partner of the hub itself (design §6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from expathub.core.catalogue import EventType, Grant, SelectorKind
from expathub.core.dossier import Dossier, former_of, named_of
from expathub.core.event import Event
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
        selector, routes = grant.selector.kind, {one.id: self.route(kind, grant, one) for one in self.everyone}
        always = ALWAYS[selector](self, grant) if selector in ALWAYS else ()
        return Aim(grant, selector, SELECT.get(selector), always, routes)

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
    """A grant with what looks for its partners (`always` are those that it has anyhow), and the routes to them all."""

    grant: Grant
    selector: SelectorKind
    select: Callable[[Situation], Iterable[Partner]] | None
    always: tuple[Partner, ...]
    routes: Mapping[str, Route]


class Situation(msgspec.Struct, frozen=True, gc=False):
    """What selectors look at: the dossier before and after the event, and the event itself."""

    directory: Directory
    before: Dossier
    after: Dossier
    kind: EventType
    major: int
    event: Event


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """The routes to those chosen, in the order of the grants.

    `unknown` is the grant whose municipality nobody knows yet.
    """

    routes: tuple[Route, ...]
    unknown: Grant | None = None


def choose(situation: Situation, sender: str) -> Chosen:
    """Work out the selectors of the event's type, first grant first."""
    taken = {sender}
    routes: list[Route] = []
    unknown: Grant | None = None
    for aim in situation.directory.aims(situation.kind):
        for partner in aim.always if aim.select is None else aim.select(situation):
            name = partner.id
            if name not in taken:
                taken.add(name)
                routes.append(aim.routes[name])
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


def _role(directory: Directory, grant: Grant) -> tuple[Partner, ...]:
    return directory.by_role[grant.selector.role]


def _everyone(directory: Directory, _: Grant) -> tuple[Partner, ...]:
    return directory.everyone


def _residence(situation: Situation) -> Iterable[Partner]:
    return _municipality(situation, situation.after.residence)


def _former(situation: Situation) -> Iterable[Partner]:
    """Choose the municipality that lost the newcomer: what the dossier knew goes before what the event claims."""
    known = situation.before.residence
    return _municipality(situation, known or former_of(situation.kind, situation.major, situation.event))


def _municipality(situation: Situation, code: str | None) -> Iterable[Partner]:
    partner = situation.directory.by_code.get(code) if code else None
    return (partner,) if partner else ()


def _referred(situation: Situation) -> Iterable[Partner]:
    """Choose the partner that this event's consent names, else those that the dossier's consents name.

    Whether the consent still holds is judged later, so that the record says that somebody was left out, and why.
    """
    named = named_of(situation.kind, situation.major, situation.event)
    return _known(situation, (named,) if named else situation.after.consents)


def _earlier(situation: Situation) -> Iterable[Partner]:
    """Choose those who were told something of this dossier, or for whom something of it waits (GDPR art. 19).

    Also for whom something waited until this very event: that it is not told is then on record.
    """
    waits = (*situation.before.waits, *situation.after.waits)
    return _known(situation, dict.fromkeys((*situation.after.told, *(wait.partner for wait in waits if wait.partner))))


def _known(situation: Situation, names: Iterable[str]) -> Iterable[Partner]:
    by_id = situation.directory.by_id
    return [by_id[name] for name in names if name in by_id]


ALWAYS: Mapping[SelectorKind, Callable[[Directory, Grant], tuple[Partner, ...]]] = {
    SelectorKind.ROLE: _role,
    SelectorKind.EVERYONE: _everyone,
}
"""The kinds of selectors that choose the same partners whatever happened."""

SELECT: Mapping[SelectorKind, Callable[[Situation], Iterable[Partner]]] = {
    SelectorKind.MUNICIPALITY_OF_RESIDENCE: _residence,
    SelectorKind.FORMER_MUNICIPALITY: _former,
    SelectorKind.REFERRED_PARTNER: _referred,
    SelectorKind.EARLIER_RECIPIENTS: _earlier,
}
"""How each of the other kinds looks for partners."""
