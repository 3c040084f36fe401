"""Whether a chosen partner may be told: the rules that withhold, in order, as one table.

Pure. A rule looks at the dossier after the event and at the clock of the attempt, never at the content. What can be
told but not now (no lens, a leak, something that waits) is not judged here: that is held, see `expathub.core.holding`.
"""

from __future__ import annotations

import msgspec

from expathub.core.catalogue import SelectorKind
from expathub.core.dossier import WITHDRAWN, Dossier
from expathub.core.reasons import Withheld
from expathub.core.route import Route, Rule
from expathub.core.times import day


class Question(msgspec.Struct, frozen=True, gc=False):
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


def withheld_because(question: Question) -> Withheld | None:
    """Return the first reason not to tell, or None."""
    for rule in question.route.rules:
        if rule.holds(question):
            return rule.reason
    return None


def _has_ended(it: Question) -> bool:
    ended = it.route.partner.ended
    return ended is not None and day(it.at_ms) >= ended


def _is_secret(it: Question) -> bool:
    return it.dossier.is_secret and not it.takes_back


def _has_no_consent(it: Question) -> bool:
    return it.dossier.consents.get(it.route.partner.id, WITHDRAWN) == WITHDRAWN and not it.takes_back


def _has_outlived_consent(it: Question) -> bool:
    until_ms = it.dossier.consents.get(it.route.partner.id)
    return until_ms is not None and until_ms <= it.at_ms and not it.takes_back


def _has_expired(it: Question) -> bool:
    return it.expires_ms is not None and it.expires_ms <= it.at_ms


def _was_never_told(it: Question) -> bool:
    """Say nothing to correct what a partner never had; while something older waits for it, it may still get that."""
    return not it.was_told and (it.is_first or it.route.kind.effects.withdraws_consent)


def _has_no_grant(it: Question) -> bool:
    ended = it.route.kind.versions[it.route.major].ended
    return not it.route.fields or (ended is not None and day(it.at_ms) >= ended)


def _may_end(route: Route) -> bool:
    return route.partner.ended is not None


def _leaves_government(route: Route) -> bool:
    """Geheimhouding (70.10): nothing personal leaves government, whatever was agreed before."""
    return route.is_outside and not route.kind.public


def _rests_on_consent(route: Route) -> bool:
    return route.selector is SelectorKind.REFERRED_PARTNER


def _follows_what_was_told(route: Route) -> bool:
    return route.selector is SelectorKind.EARLIER_RECIPIENTS


def _any(_: Route) -> bool:
    return True


def _may_have_nothing(route: Route) -> bool:
    return not route.fields or route.kind.versions[route.major].ended is not None


RULES = (
    Rule(Withheld.PARTNER_ENDED, _may_end, _has_ended),
    Rule(Withheld.SECRECY, _leaves_government, _is_secret),
    Rule(Withheld.CONSENT_WITHDRAWN, _rests_on_consent, _has_no_consent),
    Rule(Withheld.EXPIRED, _rests_on_consent, _has_outlived_consent),
    Rule(Withheld.EXPIRED, _any, _has_expired),
    Rule(Withheld.NEVER_TOLD, _follows_what_was_told, _was_never_told),
    Rule(Withheld.NOT_GRANTED, _may_have_nothing, _has_no_grant),
)
"""All reasons that keep an event from a partner that was chosen, first match first: where they can hold, and when."""
