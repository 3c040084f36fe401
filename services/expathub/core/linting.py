"""A partner's own event against the profile: all that the hub would refuse or advise, at once.

The same rules as intake's, one by one (`expathub.core.profile`), for whoever writes events and wants the whole list.
Covers what one event shows by itself: not who sends it, nor whether `data` fits a schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from expathub.core import cloudevents, profile
from expathub.core.decode import place_of_bsn
from expathub.core.profile_statements import numbers_of
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Position

_HEADERS = (("content-type", b"application/cloudevents+json"),)


class Weight(Enum):
    """What the hub makes of a finding: it refuses the event, or it only advises."""

    MUST = "must"
    SHOULD = "should"


@dataclass(frozen=True, slots=True)
class Lint:
    """One thing that is wrong: its weight, reason, place, and the statements of the profile that it is about."""

    weight: Weight
    reason: Reason
    pointer: str

    @property
    def statements(self) -> tuple[int, ...]:
        """The numbers of `docs/profile-rules.md`; none where only the hub asks for it."""
        return numbers_of(self.reason)


def lint(text: bytes) -> tuple[Lint, ...]:
    """Return everything that is wrong with one event in structured mode; never a value of it."""
    try:
        event = cloudevents.read(InputRecord(Position("outbox.example", 0, 0), None, text, _HEADERS, 0))
    except cloudevents.EnvelopeError as fault:
        return (Lint(Weight.MUST, fault.reason, fault.pointer),)
    place = place_of_bsn(event, None)
    found = [] if place is None else [Lint(Weight.MUST, Reason.BSN_IN_ATTRIBUTE, place)]
    found += [Lint(Weight.MUST, rule.reason, f"/{rule.attribute}") for rule in profile.all_broken(event)]
    wrong = {one.pointer for one in found}
    advice = (rule for rule in profile.advice(event) if f"/{rule.attribute}" not in wrong)
    return (*found, *(Lint(Weight.SHOULD, rule.reason, f"/{rule.attribute}") for rule in advice))
