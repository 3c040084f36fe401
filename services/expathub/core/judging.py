"""Whether a chosen partner may be told: the rules that withhold, in order, as one table.

Pure. A rule looks at the dossier after the event and at the clock of the attempt, never at the content. What can be
told but not now (no lens, a leak, something that waits) is not judged here: that is held, see `expathub.core.holding`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from expathub.core.catalogue import EventType, Grant, SelectorKind
from expathub.core.dossier import WITHDRAWN, Dossier
from expathub.core.partners import Partner
from expathub.core.reasons import Withheld
from expathub.core.times import day


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: may this partner be told this event, by this grant, now.

    `expires_ms` is the event's own `expirytime`. `is_first` says that nothing older of this dossier waits for it.
    """

    partner: Partner
    grant: Grant
    kind: EventType
    dossier: Dossier
    expires_ms: int | None
    at_ms: int
    is_first: bool

    @property
    def was_told(self) -> bool:
        """Whether the partner was told anything of this dossier."""
        return self.partner.id in self.dossier.told

    @property
    def takes_back(self) -> bool:
        """Whether this takes back what the partner was told: it must arrive, whatever changed since (GDPR art. 19)."""
        return self.kind.effects.withdraws_consent and self.was_told


def pinned(kind: EventType, partner: Partner) -> int:
    """Return the major version that a partner reads of an event type: the one it pinned, else the newest."""
    return (partner.reads or {}).get(kind.name, 0) or kind.newest


def withheld_because(question: Question) -> Withheld | None:
    """Return the first reason not to tell, or None."""
    for reason, holds in RULES:
        if holds(question):
            return reason
    return None


def _has_ended(it: Question) -> bool:
    return it.partner.ended is not None and day(it.at_ms) >= it.partner.ended


def _is_secret(it: Question) -> bool:
    """Geheimhouding (70.10): nothing personal leaves government, whatever was agreed before."""
    return it.dossier.is_secret and not it.kind.public and it.partner.is_outside_government and not it.takes_back


def _has_no_consent(it: Question) -> bool:
    if it.grant.selector.kind is not SelectorKind.REFERRED_PARTNER or it.takes_back:
        return False
    return it.dossier.consents.get(it.partner.id, WITHDRAWN) == WITHDRAWN


def _has_expired(it: Question) -> bool:
    if it.expires_ms is not None and it.expires_ms <= it.at_ms:
        return True
    if it.grant.selector.kind is not SelectorKind.REFERRED_PARTNER or it.takes_back:
        return False
    until_ms = it.dossier.consents[it.partner.id]
    return until_ms is not None and until_ms <= it.at_ms


def _was_never_told(it: Question) -> bool:
    """Say nothing to correct what a partner never had; while something older waits for it, it may still get that."""
    if it.grant.selector.kind is not SelectorKind.EARLIER_RECIPIENTS or it.was_told:
        return False
    return it.is_first or it.kind.effects.withdraws_consent


def _has_no_grant(it: Question) -> bool:
    major = pinned(it.kind, it.partner)
    ended = it.kind.versions[major].ended
    return not it.grant.fields.get(major) or (ended is not None and day(it.at_ms) >= ended)


RULES: tuple[tuple[Withheld, Callable[[Question], bool]], ...] = (
    (Withheld.PARTNER_ENDED, _has_ended),
    (Withheld.SECRECY, _is_secret),
    (Withheld.CONSENT_WITHDRAWN, _has_no_consent),
    (Withheld.EXPIRED, _has_expired),
    (Withheld.NEVER_TOLD, _was_never_told),
    (Withheld.NOT_GRANTED, _has_no_grant),
)
"""All reasons that keep an event from a partner that was chosen, first match first."""
