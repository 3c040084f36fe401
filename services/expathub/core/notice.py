"""An event of the journal on its way to partners: read when needed, and made into each partner's view once.

Pure. Brings lens, minimisation and the second filter together; who may be told is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import orjson

from expathub.core import guard
from expathub.core.catalogue import EventType, Grant
from expathub.core.decode import read_accepted
from expathub.core.dossier import Kept
from expathub.core.event import Event, TypeRef
from expathub.core.judging import pinned
from expathub.core.lens import UnreachableError, carry
from expathub.core.minimise import minimise
from expathub.core.partners import Partner
from expathub.core.reasons import Held
from expathub.core.records import InputRecord
from expathub.core.times import deadline

_FIXED = ("specversion", "id", "source", "time", "datacontenttype")
"""Attributes that every partner gets as they are; `type` and `subject` are its own."""


class _Envelope(msgspec.Struct, frozen=True):
    """What an accepted event says of itself; all that is read of an event that may not be folded yet."""

    source: str
    id: str
    type: str
    subject: str
    expirytime: str | None = None


_read_envelope = msgspec.json.Decoder(_Envelope).decode


def kept_of(record: InputRecord) -> tuple[str, Kept]:
    """Read a record of the journal as a dossier keeps it, with its subject."""
    body, sender = record.value or b"", record.header("hub-partner") or b""
    event = _read_envelope(body)
    kept = Kept(body, sender.decode(), event.source, event.id, event.type, deadline(event.expirytime))
    return event.subject, kept


@dataclass(frozen=True, slots=True)
class View:
    """An event as one partner may read it: the bytes, and which granted fields are in them."""

    value: bytes
    fields: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the fields' names alone."""
        return f"View({', '.join(self.fields)})"


class Notice:
    """One event of the journal while it is passed on.

    `waits` is set where the whole dossier waited, so that the final row can say so.
    """

    __slots__ = ("_event", "_views", "kept", "kind", "major", "position", "subject", "waits")

    def __init__(self, subject: str, position: str, kept: Kept, kind: EventType, major: int, waits: str | None) -> None:
        self.subject = subject
        self.position = position
        self.kept = kept
        self.kind = kind
        self.major = major
        self.waits = waits
        self._event: Event | None = None
        self._views: dict[tuple[int, int, str, bool], View | Held] = {}

    @property
    def event(self) -> Event:
        """The event itself, decoded at the first use."""
        if self._event is None:
            self._event = read_accepted(self.kept.body)
        return self._event

    def view(self, partner: Partner, grant: Grant, reference: str) -> View | Held:
        """Make what `partner` may read, or say why that cannot be made; equal views are made once."""
        major, is_outside = pinned(self.kind, partner), partner.is_outside_government
        name = (major, id(grant), reference, is_outside)
        view = self._views.get(name)
        if view is None:
            view = self._views[name] = self._make(major, grant, reference, is_outside=is_outside)
        return view

    def _make(self, major: int, grant: Grant, reference: str, *, is_outside: bool) -> View | Held:
        event = self.event
        try:
            data = carry(self.kind.lenses, event.data, self.major, major)
        except UnreachableError:
            return Held.UNREACHABLE_VERSION
        kept = minimise(event.attributes, data, grant.fields[major])
        told = {name: event.attributes[name] for name in _FIXED if name in event.attributes}
        told |= kept.extensions
        told |= {"type": str(TypeRef(self.kind.name, major)), "subject": reference, "data": kept.data}
        value = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        own_id = None if self.kind.public else event.subject
        if is_outside and guard.finds_leak(value, own_id):
            return Held.LEAK_STOPPED
        return View(value, kept.fields)
