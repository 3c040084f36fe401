"""What waits in a dossier: for a partner, or for the municipality that nobody knows yet; and how it goes on.

Pure. A wait is looked at again at every record of its dossier: what may not be told any more is withheld, what waits
only behind another goes when that one has gone, and what an operator releases is judged as of now. Order per partner
is kept throughout; what takes back what a partner was told is all that may overtake (design §5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from msgspec.structs import replace

from expathub.core.case import Case
from expathub.core.catalogue import EventType, Grant, SelectorKind
from expathub.core.dossier import Dossier, Kept, Wait
from expathub.core.event import Event, split_type
from expathub.core.judging import Question, withheld_because
from expathub.core.notice import Notice
from expathub.core.partners import Partner
from expathub.core.reasons import Held, Withheld
from expathub.core.route import Route
from expathub.core.routing import Directory

RESIDENCE = SelectorKind.MUNICIPALITY_OF_RESIDENCE.value
"""What an event waits for while nobody knows the municipality of residence."""

Asked: TypeAlias = Callable[[str, str | None], bool]
"""Whether an order covers what waits at a position of the journal for a partner (None: for nobody yet)."""

Fronts: TypeAlias = Mapping[str | None, str]
"""For whom something waits: a partner (or None for the municipality not known yet) to the first position."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The configuration as dispatch looks things up in it."""

    types: Mapping[str, EventType]
    directory: Directory

    def notice(
        self, subject: str, position: str, kept: Kept, *, event: Event | None = None, waits: str | None = None
    ) -> Notice:
        """Make a notice of an event; its type is known, as types are never taken out of the catalogue."""
        reference = split_type(kept.type)
        if reference is None:
            raise ValueError(f"the event at {position} has no event type")
        return Notice(subject, position, kept, self.types[reference.name], reference.major, event=event, waits=waits)


def nothing_asked(_position: str, _partner: str | None) -> bool:
    """Be the order that nobody gave."""
    return False


def offer(case: Case, notice: Notice, route: Route) -> None:
    """Tell a chosen partner, or say why not, or keep it for later."""
    behind = _behind(fronts(case.dossier.waits), route.partner) if case.dossier.waits else None
    question = Question(route, case.judged, notice.kept.expires_ms, case.at_ms, is_first=behind is None)
    reason = withheld_because(question)
    if reason is not None:
        case.withhold(notice, route, reason, notice.waits)
        return
    code = _attempt(case, notice, question, behind, notice.waits)
    if code is not None:
        name = route.partner.id
        _hold(case, notice, route, Wait(notice.position, name, _selector(route), code.value, case.at_ms, name))


def offer_to_unknown(case: Case, notice: Notice, grant: Grant, besides: Iterable[str]) -> None:
    """Keep an event for the municipality that will be the first to be known; `besides` were chosen already."""
    if notice.kind.effects.withdraws_consent:
        case.withhold(notice, None, Withheld.NEVER_TOLD, RESIDENCE)
        return
    code = Held.RESIDENCE_UNKNOWN.value
    wait = Wait(notice.position, None, str(grant.selector), code, case.at_ms, RESIDENCE, tuple(besides))
    _hold(case, notice, None, wait)


def is_overdue(case: Case) -> bool:
    """Tell whether time alone has ended something: what waits must then be looked at, whatever the event says."""
    ends = (*(kept.expires_ms for kept in case.dossier.kept.values()), *case.dossier.consents.values())
    return any(end is not None and 0 <= end <= case.at_ms for end in ends)


def settle(case: Case, rules: Rules, released: Asked = nothing_asked, discarded: Asked = nothing_asked) -> None:
    """Look again at all that waits, in the order of the journal, with what the dossier knows now."""
    if not case.dossier.waits:
        return
    left: list[Wait] = []
    ahead: dict[str | None, str] = {}
    for wait in case.dossier.waits:
        stays = _review(case, rules, wait, ahead, released, discarded)
        if stays is not None:
            left.append(stays)
            ahead.setdefault(stays.partner, stays.position)
    case.dossier = without_spare(replace(case.dossier, waits=tuple(left)))


def fronts(waits: Iterable[Wait]) -> Fronts:
    """Say for whom something waits, and where the first of it stands."""
    first: dict[str | None, str] = {}
    for wait in waits:
        first.setdefault(wait.partner, wait.position)
    return first


def without_spare(dossier: Dossier) -> Dossier:
    """Drop the events that nothing waits for any more."""
    needed = {wait.position for wait in dossier.waits} | {one.position for one in dossier.unfolded}
    if needed == dossier.kept.keys():
        return dossier
    return replace(dossier, kept={position: kept for position, kept in dossier.kept.items() if position in needed})


def _review(case: Case, rules: Rules, wait: Wait, ahead: Fronts, released: Asked, discarded: Asked) -> Wait | None:
    """Return the wait as it goes on, or None where it has come to its end."""
    notice = rules.notice(case.subject, wait.position, case.dossier.kept[wait.position])
    if discarded(wait.position, wait.partner):
        case.withhold(notice, _route(rules, notice, wait), Withheld.DISCARDED, _repeated(wait))
        return None
    if wait.partner is not None:
        return _review_partner(case, rules, notice, wait, ahead, is_asked=released(wait.position, wait.partner))
    if notice.kept.expires_ms is not None and notice.kept.expires_ms <= case.at_ms:
        case.withhold(notice, None, Withheld.EXPIRED, wait.waits)
        return None
    if case.dossier.residence is None:
        return wait
    municipality = rules.directory.by_code.get(case.dossier.residence)
    if municipality is None or municipality.id in (notice.kept.sender, *wait.besides):
        case.withhold(notice, None, Withheld.NO_RECIPIENT, wait.waits)
        return None
    found = replace(wait, partner=municipality.id)
    return _review_partner(case, rules, notice, found, ahead, is_asked=True)


def _review_partner(
    case: Case, rules: Rules, notice: Notice, wait: Wait, ahead: Fronts, *, is_asked: bool
) -> Wait | None:
    """Judge again what waits for a partner; try again where it is asked, or where nothing older waits any more."""
    route = _route(rules, notice, wait)
    if route is None or not _is_still_meant(route):
        case.withhold(notice, route, Withheld.NO_LONGER_RECIPIENT, _repeated(wait))
        return None
    behind = _behind(ahead, route.partner)
    question = Question(route, case.judged, notice.kept.expires_ms, case.at_ms, is_first=behind is None)
    reason = withheld_because(question)
    if reason is not None:
        case.withhold(notice, route, reason, _repeated(wait))
        return None
    if not is_asked and (behind is not None or wait.code != Held.HELD_BEHIND.value):
        return wait
    code = _attempt(case, notice, question, behind, _repeated(wait))
    if code is None:
        return None
    stays = replace(wait, code=code.value)
    case.park(notice, route, stays)
    return stays


def _attempt(case: Case, notice: Notice, question: Question, behind: str | None, waits: str | None) -> Held | None:
    """Tell a partner that may be told, or return why it must wait; only what takes back may overtake."""
    if behind is not None and not question.takes_back:
        return Held.HELD_BEHIND
    route = question.route
    reference = case.reference(notice, route)
    view = notice.view(route, reference.text)
    if isinstance(view, Held):
        return view
    case.tell(notice, route, reference, view, waits, overtakes=behind)
    return None


def _hold(case: Case, notice: Notice, route: Route | None, wait: Wait) -> None:
    if not case.has_room(notice, len(wait.besides)):
        case.withhold(notice, route, Withheld.HELD_FULL, notice.waits or _repeated(wait))
        return
    dossier = case.dossier
    kept = dossier.kept if notice.position in dossier.kept else {**dossier.kept, notice.position: notice.kept}
    case.dossier = replace(dossier, waits=(*dossier.waits, wait), kept=kept)
    case.park(notice, route, wait)


def _behind(ahead: Fronts, partner: Partner) -> str | None:
    """Return the first position that waits for a partner.

    What waits for a municipality not known yet may turn out to wait for this one, and would then come too late.
    """
    own = ahead.get(partner.id)
    return own if own is not None or partner.municipality is None else ahead.get(None)


def _selector(route: Route) -> str:
    return str(route.grant.selector) if route.grant else ""


def _route(rules: Rules, notice: Notice, wait: Wait) -> Route | None:
    """Find the way to the partner that something waits for, by the selector that chose it; the rest as of now."""
    partner = rules.directory.by_id.get(wait.partner) if wait.partner else None
    grant = next((grant for grant in notice.kind.grants if str(grant.selector) == wait.selector), None)
    return rules.directory.route(notice.kind, grant, partner) if partner else None


def _is_still_meant(route: Route) -> bool:
    if route.grant is None:
        return False
    role = route.grant.selector.role
    return role is None or role in route.partner.roles


def _repeated(wait: Wait) -> str | None:
    """Return what a final row repeats: the selector under which the wait began, nothing where that is the partner."""
    return None if wait.waits == wait.partner else wait.waits
