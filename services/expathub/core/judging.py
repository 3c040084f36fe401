"""Whether a chosen partner may be told: the rules that withhold, in order, as one table.

Pure. A rule looks at the dossier after the event and at the clock of the attempt, never at the content. What can be
told but not now (no lens, a leak, something that waits) is not judged here: that is held, see `expathub.core.holding`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from expathub.core.catalogue import SelectorKind
from expathub.core.dossier import WITHDRAWN, Dossier
from expathub.core.reasons import Withheld
from expathub.core.routing import Route
from expathub.core.times import day


class Question(msgspec.Struct, frozen=True):
    """What is asked: may an event go this way, now.

    `expires_ms` is the event's own `expirytime`. `is_first` says that nothing older of this dossier waits for the
    partner.
    """

    route: Route
    dossier: Dossier
    expires_ms: int | None
    at_ms: int
    is_first: bool

    @property
    def was_told(self) -> bool:
        """Whether the partner was told anything of this dossier."""
        return self.route.partner.id in self.dossier.told

    @property
    def takes_back(self) -> bool:
        """Whether this takes back what the partner was told: it must arrive, whatever changed since (GDPR art. 19)."""
        return self.route.kind.effects.withdraws_consent and self.was_told

    @property
    def needs_consent(self) -> bool:
        """Whether the partner was chosen because a consent names it."""
        return self.route.selector is SelectorKind.REFERRED_PARTNER and not self.takes_back


def withheld_because(question: Question) -> Withheld | None:
    """Return the first reason not to tell, or None."""
    for reason, holds in RULES:
        if holds(question):
            return reason
    return None


def _has_ended(it: Question) -> bool:
    ended = it.route.partner.ended
    return ended is not None and day(it.at_ms) >= ended


def _is_secret(it: Question) -> bool:
    """Geheimhouding (70.10): nothing personal leaves government, whatever was agreed before."""
    return it.dossier.is_secret and it.route.is_outside and not it.route.kind.public and not it.takes_back


def _has_no_consent(it: Question) -> bool:
    return it.needs_consent and it.dossier.consents.get(it.route.partner.id, WITHDRAWN) == WITHDRAWN


def _has_expired(it: Question) -> bool:
    until_ms = it.dossier.consents.get(it.route.partner.id) if it.needs_consent else None
    return any(end is not None and end <= it.at_ms for end in (it.expires_ms, until_ms))


def _was_never_told(it: Question) -> bool:
    """Say nothing to correct what a partner never had; while something older waits for it, it may still get that."""
    if it.route.selector is not SelectorKind.EARLIER_RECIPIENTS or it.was_told:
        return False
    return it.is_first or it.route.kind.effects.withdraws_consent


def _has_no_grant(it: Question) -> bool:
    ended = it.route.kind.versions[it.route.major].ended
    return not it.route.fields or (ended is not None and day(it.at_ms) >= ended)


RULES: tuple[tuple[Withheld, Callable[[Question], bool]], ...] = (
    (Withheld.PARTNER_ENDED, _has_ended),
    (Withheld.SECRECY, _is_secret),
    (Withheld.CONSENT_WITHDRAWN, _has_no_consent),
    (Withheld.EXPIRED, _has_expired),
    (Withheld.NEVER_TOLD, _was_never_told),
    (Withheld.NOT_GRANTED, _has_no_grant),
)
"""All reasons that keep an event from a partner that was chosen, first match first."""
