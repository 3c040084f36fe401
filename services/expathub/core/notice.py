"""An event of the journal on its way to partners: read when needed, and made into each partner's view once.

Pure. Brings lens, minimisation and the second filter together; who may be told is decided elsewhere.
"""

from __future__ import annotations

import msgspec
import orjson

from expathub.core import guard
from expathub.core.catalogue import EventType
from expathub.core.decode import read_accepted
from expathub.core.dossier import Kept
from expathub.core.event import Event
from expathub.core.lens import UnreachableError, carry
from expathub.core.minimise import minimise
from expathub.core.reasons import Held
from expathub.core.records import InputRecord
from expathub.core.routing import Route
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


class View(msgspec.Struct, frozen=True):
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

    __slots__ = ("_event", "_views", "kept", "kind", "major", "origin", "position", "subject", "waits")

    def __init__(self, subject: str, position: str, kept: Kept, kind: EventType, major: int, waits: str | None) -> None:
        self.subject = subject
        self.position = position
        self.origin = position.encode()
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

    def view(self, route: Route, reference: str) -> View | Held:
        """Make what the partner may read, or say why that cannot be made; equal views are made once."""
        name = (route.major, id(route.grant), reference, route.is_outside)
        view = self._views.get(name)
        if view is None:
            view = self._views[name] = self._make(route, reference)
        return view

    def _make(self, route: Route, reference: str) -> View | Held:
        attributes, data = self.event.attributes, self.event.data
        if route.major != self.major:
            try:
                data = carry(self.kind.lenses, data, self.major, route.major)
            except UnreachableError:
                return Held.UNREACHABLE_VERSION
        kept = minimise(attributes, data, route.fields)
        told = {name: attributes[name] for name in _FIXED if name in attributes}
        told |= kept.extensions
        told |= {"type": route.type, "subject": reference, "data": kept.data}
        value = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        if route.is_outside and guard.finds_leak(value, None if self.kind.public else self.subject):
            return Held.LEAK_STOPPED
        return View(value, kept.fields)
