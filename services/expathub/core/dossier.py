"""What the journal has said about one newcomer, and how an event changes it (the fold).

Pure and table-driven: which event types say what is in the catalogue (`EventType.effects`). Covers neither who is
told (`expathub.core.routing`, `expathub.core.judging`) nor what waits (`expathub.core.holding`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from expathub.core.catalogue import EventType
from expathub.core.event import Event
from expathub.core.pointers import read
from expathub.core.times import deadline

CONSENTS_MAX = 64
"""How many partners' consents one dossier keeps; there are fewer partners outside government than this."""

NAME_CHARACTERS_MAX = 64
"""Longer is neither a municipality code nor a partner's id, and is not remembered."""

WITHDRAWN = -1
"""In place of until when a consent lasts: it was withdrawn (GDPR art. 7(3))."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What one partner was told: the reference it knows, the number of its key, and per type the first and last.

    Positions of the journal; never a list of events, so that an entry stays small whatever happens (design R8).
    """

    reference: str
    key: int
    types: dict[str, tuple[str, str]]


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """An event that waits: kept once, however many wait for it. `expires_ms` None is never."""

    body: bytes
    sender: str
    source: str
    id: str
    type: str
    expires_ms: int | None = None

    def __repr__(self) -> str:
        """Show the type only: the body holds personal data."""
        return f"Kept({self.type})"


class Wait(msgspec.Struct, frozen=True, array_like=True):
    """One wait: an event, for a partner or (while nobody can say which partner) for a selector.

    `selector` is how the partner was chosen, `besides` who was chosen beside a selector that waits, `waits` what the
    final row repeats: the partner, or the selector under which the wait began.
    """

    position: str
    partner: str | None
    selector: str
    code: str
    since_ms: int
    waits: str
    besides: tuple[str, ...] = ()


class Unfolded(msgspec.Struct, frozen=True, array_like=True):
    """A record behind poison, or the poison itself: nothing of it is known to the dossier yet."""

    position: str
    is_poison: bool


class Dossier(msgspec.Struct, frozen=True, array_like=True):
    """All that the hub remembers of one dossier. New fields go to the end and have a default.

    `residence` is a municipality code. `secrecy` 0 is none. `consents` maps a partner to until when (ms; None is for
    ever, `WITHDRAWN` no longer). `has_gap`: an event could not be folded, so that nothing leaves government any more.
    """

    residence: str | None = None
    secrecy: int = 0
    consents: dict[str, int | None] = {}
    told: dict[str, Told] = {}
    kept: dict[str, Kept] = {}
    waits: tuple[Wait, ...] = ()
    unfolded: tuple[Unfolded, ...] = ()
    has_gap: bool = False

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return f"Dossier({len(self.told)} told, {len(self.waits)} waiting)"

    @property
    def is_secret(self) -> bool:
        """Whether nothing personal may leave government: said so, or something it said could not be read."""
        return self.secrecy > 0 or self.has_gap


BLANK = Dossier()
"""The dossier of which nothing is known."""

Fold: TypeAlias = Callable[[Dossier, EventType, int, Event], Dossier]


def fold(dossier: Dossier, kind: EventType, major: int, event: Event) -> Dossier:
    """Return the dossier after an event; the very same object where the event says nothing new."""
    for one in FOLDS:
        dossier = one(dossier, kind, major, event)
    return dossier


def former_of(kind: EventType, major: int, event: Event) -> str | None:
    """Return the code of the municipality that an event itself says was left, or None."""
    return _text(_said(kind.effects.former, major, event))


def named_of(kind: EventType, major: int, event: Event) -> str | None:
    """Return the partner that the consent in an event names, or None."""
    return _text(_said(kind.effects.consent_partner, major, event))


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and len(said) <= NAME_CHARACTERS_MAX else None


def _said(pointers: Mapping[int, str] | None, major: int, event: Event) -> Any:
    return read(event.attributes, event.data, pointers[major]) if pointers and major in pointers else None


def _residence(dossier: Dossier, kind: EventType, major: int, event: Event) -> Dossier:
    if kind.effects.residence is None:
        return dossier
    code = _text(_said(kind.effects.residence, major, event))
    return dossier if code in (None, dossier.residence) else replace(dossier, residence=code)


def _secrecy(dossier: Dossier, kind: EventType, major: int, event: Event) -> Dossier:
    said = _said(kind.effects.secrecy, major, event) if kind.effects.secrecy else None
    if said is None:
        return dossier
    level = int(said) if isinstance(said, int) else 1  # a schema lets nothing else through; if it does: fail closed
    return dossier if level == dossier.secrecy else replace(dossier, secrecy=level)


def _consent(dossier: Dossier, kind: EventType, major: int, event: Event) -> Dossier:
    """Note a consent to be referred, or its end: for the partner that a withdrawal names, else for all of them."""
    named = named_of(kind, major, event) if kind.effects.consent_partner else None
    if kind.effects.withdraws_consent:
        ended = {one: WITHDRAWN for one in dossier.consents if named in (None, one)}
        return replace(dossier, consents=dossier.consents | ended) if ended else dossier
    if named is None:
        return dossier
    until_ms = deadline(_said(kind.effects.consent_until, major, event))
    # The newest stands last, and the oldest goes: whatever names an event brings, an entry stays small (design R8).
    others = [(one, until) for one, until in dossier.consents.items() if one != named]
    return replace(dossier, consents=dict([*others[1 - CONSENTS_MAX :], (named, until_ms)]))


FOLDS: tuple[Fold, ...] = (_residence, _secrecy, _consent)
"""What an event can say of a dossier; each leaves it as it is where the type has no such effect."""
