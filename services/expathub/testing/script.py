"""What a simulation publishes and what should become of it: the script that a player plays and a judge reads.

Values only. Who makes a script is `expathub.testing.region`; who compares it with what happened is
`expathub.testing.judgement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from expathub.core.records import ForeignHeaders

NOBODY = ""
"""Stands in `Fate.withheld` for "no partner was chosen": the row whose `partner` is null."""

EventKey: TypeAlias = tuple[str, str]
"""`source` and `id`: what makes an event one event (CloudEvents 1.0 §3.1)."""


class Outcome(Enum):
    """What intake makes of a record."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Fate:
    """What should have become of one published record once everything has come to rest.

    `told` maps each partner that should have it in its inbox to the JSON Pointers that it may have at most.
    `withheld` maps a partner (or `NOBODY`) to the reason. `held` maps who still waits, a partner or the word of a
    selector, to the reason. `waited` are those of `told` who got it only after a wait.
    """

    outcome: Outcome
    code: str | None = None
    told: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    withheld: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    held: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    waited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Publication:
    """One record that a partner sends to its outbox, byte for byte, and what should become of it.

    `number` counts from 0 within a script. `subject` is the dossier (or the public event's own subject) that the
    simulator means, also where the record itself is beyond reading. `deed` is what happened, for people.
    `after` is the publication that must have been decided on first, where another partner's word comes before this
    one's: partners act on what they know, so the order within a dossier is the script's.
    """

    number: int
    partner: str
    subject: str
    deed: str
    event: EventKey
    value: bytes | None
    headers: ForeignHeaders
    fate: Fate
    after: int | None = None

    @property
    def topic(self) -> str:
        """The outbox it goes to."""
        return f"outbox.{self.partner}"

    @property
    def key(self) -> bytes:
        """The record's key: the dossier, so that order holds (design R6)."""
        return self.subject.encode()

    def __repr__(self) -> str:
        """Show what happened and where, never the event."""
        return f"Publication({self.number}, {self.partner}, {self.deed!r})"


@dataclass(frozen=True, slots=True)
class Script:
    """A whole simulation.

    `queues` holds, per (partner, dossier), the events that this partner should be told of, in order.
    `secrets` are the newcomers' national numbers and dossier ids: none of them may be found in an inbox of one of
    the `outsiders`, the partners outside Dutch government (design §6).
    """

    publications: tuple[Publication, ...]
    queues: Mapping[tuple[str, str], tuple[EventKey, ...]]
    secrets: frozenset[str] = frozenset()
    outsiders: frozenset[str] = frozenset()

    def count(self, outcome: Outcome) -> int:
        """Count the publications that should end so."""
        return sum(publication.fate.outcome is outcome for publication in self.publications)
