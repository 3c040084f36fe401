"""What should become of an accepted event, by the rules of the design in their simplest form.

An oracle for tests: it knows what really happened to a newcomer (the simulator says so, see `Meaning`), so it reads no
event, folds no record and converts nothing. Of the hub it takes the catalogue as data: recipients × fields. Pure.

The rules, design §3, §5 and §6, in the order in which they count for one dossier:

1. an event that makes the dossier secret turns what waits for partners outside government into `secrecy`;
2. a withdrawal turns what waits under the consent into `consent-withdrawn`;
3. a residence that becomes known is told, in order, what waited for it;
4. then the event itself: to each partner that a selector chooses, by the first grant that does, never its sender.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from expathub.core.catalogue import EventType, Grant, SelectorKind
from expathub.core.configuration import Configuration
from expathub.core.partners import HUB_OPERATOR, Partner
from expathub.testing.script import NOBODY, EventKey, Fate, Outcome

RESIDENCE = SelectorKind.MUNICIPALITY_OF_RESIDENCE.value


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event really means for its dossier; partners by id.

    `residence` is where the newcomer lives from now on, `former` the municipality that the event says was left,
    `consent` the partner that a consent names. `beyond` holds the majors to which no lens can carry this very event.
    """

    residence: str | None = None
    former: str | None = None
    is_secret: bool | None = None
    consent: str | None = None
    beyond: frozenset[int] = frozenset()


NOTHING = Meaning()


@dataclass(frozen=True, slots=True)
class Act:
    """An event that intake accepts, as whoever caused it knows it."""

    kind: EventType
    sender: str
    subject: str
    event: EventKey
    meaning: Meaning = NOTHING


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event that waits: for whom it is, and by which grant."""

    act: Act
    grant: Grant


@dataclass(slots=True)
class _Dossier:
    residence: str | None = None
    is_secret: bool = False
    consents: dict[str, bool] = field(default_factory=dict)  # partner → whether it still holds
    told: set[str] = field(default_factory=set)
    waiting: dict[str, list[_Waiting]] = field(default_factory=dict)  # partner or selector → in order


@dataclass(slots=True)
class _Fate:
    told: dict[str, frozenset[str]] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    waited: set[str] = field(default_factory=set)


class Oracle:
    """Follows all dossiers; ask it for the fate of each event when the play is written."""

    def __init__(self, configuration: Configuration, today: date) -> None:
        partners = configuration.partners.by_id
        self._partners = {name: partner for name, partner in partners.items() if name != HUB_OPERATOR}
        self._ended = {name for name, one in partners.items() if one.ended and one.ended <= today}
        self._dossiers: dict[str, _Dossier] = defaultdict(_Dossier)
        self._fates: dict[EventKey, _Fate] = {}
        self.queues: dict[tuple[str, str], list[EventKey]] = defaultdict(list)

    def accept(self, act: Act) -> None:
        """Take an event that intake accepts, in the order of its dossier."""
        self._fates[act.event] = _Fate()
        dossier = self._dossiers[act.subject] if not act.kind.public else _Dossier()
        former = dossier.residence or act.meaning.former
        earlier = [*dossier.told, *(waiter for waiter in dossier.waiting if waiter != RESIDENCE)]
        self._change(dossier, act)
        for partner, grant in self._chosen(dossier, act, former, earlier):
            self._tell_or_not(dossier, act, partner, grant)
        fate = self._fates[act.event]
        if not (fate.told or fate.withheld or fate.held):
            fate.withheld[NOBODY] = "no-recipient"

    def fate(self, event: EventKey) -> Fate:
        """Say what should have become of an accepted event by now."""
        fate = self._fates[event]
        return Fate(
            Outcome.ACCEPTED,
            told=dict(fate.told),
            withheld=dict(fate.withheld),
            held=dict(fate.held),
            waited=frozenset(fate.waited),
        )

    # --- rules 1 to 3: what the event changes -------------------------------------------------------------------------

    def _change(self, dossier: _Dossier, act: Act) -> None:
        if act.meaning.is_secret is not None:
            dossier.is_secret = act.meaning.is_secret
        if act.meaning.is_secret:
            for waiter in [waiter for waiter in dossier.waiting if self._is_outside(waiter)]:
                self._withhold_waiting(dossier, waiter, "secrecy")
        if act.kind.effects.withdraws_consent:
            for partner in dossier.consents:
                dossier.consents[partner] = False
                if partner not in dossier.told:
                    self._withhold_waiting(dossier, partner, "consent-withdrawn")
        elif act.meaning.consent:
            dossier.consents[act.meaning.consent] = True
        if act.meaning.residence:
            dossier.residence = act.meaning.residence
            for waiting in dossier.waiting.pop(RESIDENCE, []):
                self._release(dossier, waiting, act.meaning.residence)

    def _withhold_waiting(self, dossier: _Dossier, waiter: str, reason: str) -> None:
        for waiting in dossier.waiting.pop(waiter, []):
            fate = self._fates[waiting.act.event]
            del fate.held[waiter]
            fate.withheld[waiter] = reason

    def _release(self, dossier: _Dossier, waiting: _Waiting, residence: str) -> None:
        fate = self._fates[waiting.act.event]
        del fate.held[RESIDENCE]
        self._tell_or_not(dossier, waiting.act, residence, waiting.grant)
        if residence in fate.told:
            fate.waited.add(residence)

    # --- rule 4: who is told ------------------------------------------------------------------------------------------

    def _chosen(
        self, dossier: _Dossier, act: Act, former: str | None, earlier: list[str]
    ) -> Iterator[tuple[str, Grant]]:
        taken = {act.sender}
        for grant in act.kind.grants:
            for partner in self._who(grant, dossier, act, former, earlier):
                if partner not in taken:
                    taken.add(partner)
                    yield partner, grant

    def _who(self, grant: Grant, dossier: _Dossier, act: Act, former: str | None, earlier: list[str]) -> Iterable[str]:
        match grant.selector.kind:
            case SelectorKind.ROLE:
                return [name for name, partner in self._partners.items() if grant.selector.role in partner.roles]
            case SelectorKind.EVERYONE:
                return list(self._partners)
            case SelectorKind.MUNICIPALITY_OF_RESIDENCE:
                return [dossier.residence or RESIDENCE]
            case SelectorKind.FORMER_MUNICIPALITY:
                return [former] if former and former in self._partners else []
            case SelectorKind.REFERRED_PARTNER:
                return [act.meaning.consent] if act.meaning.consent else list(dossier.consents)
            case SelectorKind.EARLIER_RECIPIENTS:
                return earlier

    def _tell_or_not(self, dossier: _Dossier, act: Act, partner: str, grant: Grant) -> None:
        fate = self._fates[act.event]
        reason = None if partner == RESIDENCE else self._reason_to_withhold(dossier, act, partner, grant)
        if reason:
            fate.withheld[partner] = reason
            return
        code = self._reason_to_hold(dossier, act, partner)
        if code:
            fate.held[partner] = code
            dossier.waiting.setdefault(partner, []).append(_Waiting(act, grant))
            return
        fate.told[partner] = frozenset(grant.fields[self._pinned(act.kind, partner)])
        self.queues[partner, act.subject].append(act.event)
        dossier.told.add(partner)

    def _reason_to_withhold(self, dossier: _Dossier, act: Act, partner: str, grant: Grant) -> str | None:
        if partner in self._ended:
            return "partner-ended"
        if act.kind.effects.withdraws_consent and partner in dossier.told:
            return None  # what takes back must arrive, whatever changed since (GDPR art. 19)
        if dossier.is_secret and self._is_outside(partner) and not act.kind.public:
            return "secrecy"
        if grant.selector.kind is SelectorKind.REFERRED_PARTNER and not dossier.consents.get(partner):
            return "consent-withdrawn"
        if grant.selector.kind is SelectorKind.EARLIER_RECIPIENTS and partner not in dossier.told:
            return None if dossier.waiting.get(partner) else "never-told"
        return None if grant.fields.get(self._pinned(act.kind, partner)) else "not-granted"

    def _reason_to_hold(self, dossier: _Dossier, act: Act, partner: str) -> str | None:
        waits = dossier.waiting.get(partner)
        if partner == RESIDENCE:
            return "residence-unknown"
        overtakes = act.kind.effects.withdraws_consent and partner in dossier.told
        if waits and not overtakes:
            return "held-behind"
        return "unreachable-version" if self._pinned(act.kind, partner) in act.meaning.beyond else None

    def _pinned(self, kind: EventType, partner: str) -> int:
        return (self._partners[partner].reads or {}).get(kind.name, kind.newest)

    def _is_outside(self, name: str) -> bool:
        partner: Partner | None = self._partners.get(name)
        return partner is not None and partner.is_outside_government
