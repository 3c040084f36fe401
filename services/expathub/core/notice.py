"""An event of the journal on its way to partners: read when needed, and made into each partner's view once.

Pure. Brings lens, minimisation and the second filter together; who may be told is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from expathub.core import guard
from expathub.core.catalogue import EventType
from expathub.core.decode import read_accepted
from expathub.core.disclosure_ids import disclosure_seed
from expathub.core.dossier import Kept
from expathub.core.event import Event
from expathub.core.lens import UnreachableError, carry
from expathub.core.reasons import Held
from expathub.core.records import InputRecord
from expathub.core.route import Route
from expathub.core.times import deadline

FIXED = ("specversion", "id", "source", "time", "datacontenttype")
"""Attributes that every partner gets as they are; `type` and `subject` are its own."""


class _Envelope(msgspec.Struct, frozen=True):
    """What an accepted event says of itself."""

    source: str
    id: str
    type: str
    subject: str
    expirytime: str | None = None


_read_envelope = msgspec.json.Decoder(_Envelope).decode


def read_outside(record: InputRecord) -> tuple[str, Kept]:
    """Read only what the event of a journal record says of itself, by other means than `read_whole`.

    For an event on which reading, or what follows, has ended the process.
    """
    event = _read_envelope(record.value or b"")
    return event.subject, _kept(record, event.source, event.id, event.type, event.expirytime)


def read_whole(record: InputRecord) -> tuple[Event, Kept]:
    """Read the event of a journal record, and as a dossier keeps it."""
    event = read_accepted(record.value or b"")
    about = event.attributes
    return event, _kept(record, about["source"], about["id"], about["type"], about.get("expirytime"))


def _kept(record: InputRecord, source: str, id: str, type: str, expires: str | None) -> Kept:
    sender = record.header("hub-partner") or b""
    return Kept(record.value or b"", sender.decode(), source, id, type, deadline(expires))


class View(msgspec.Struct, frozen=True, gc=False):
    """An event as one partner may read it: the bytes, and which granted fields are in them."""

    value: bytes
    fields: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the fields' names alone."""
        return f"View({', '.join(self.fields)})"


class Notice:
    """One event of the journal while it is passed on. `seed` begins the ids of its disclosures.

    `waits` is set where the whole dossier waited, so that the final row can say so.
    """

    __slots__ = (
        "_event",
        "_fixed",
        "_views",
        "kept",
        "kind",
        "major",
        "name",
        "origin",
        "position",
        "seed",
        "subject",
        "waits",
    )

    def __init__(
        self,
        subject: str,
        position: str,
        kept: Kept,
        kind: EventType,
        major: int,
        *,
        event: Event | None = None,
        waits: str | None = None,
    ) -> None:
        self.subject = subject
        self.position = position
        self.origin = ("hub-origin", position.encode())
        self.kept = kept
        self.kind = kind
        self.major = major
        self.waits = waits
        self.name = {"source": kept.source, "id": kept.id, "type": kept.type}
        self._event = event
        self._fixed: dict[str, Any] = {}
        self.seed = disclosure_seed(kept.source, kept.id)
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
        event = self.event
        attributes, data = event.attributes, event.data
        if route.major != self.major:
            try:
                data = carry(self.kind.lenses, data, self.major, route.major)
            except UnreachableError:
                return Held.UNREACHABLE_VERSION
        kept = route.keep(attributes, data)
        if not self._fixed:
            self._fixed = {name: attributes[name] for name in FIXED if name in attributes}
        # The order of the members follows from the grant alone, so that it tells nothing of what is not granted.
        told = {**self._fixed, **kept.extensions, "type": route.type, "subject": reference, "data": kept.data}
        value = orjson.dumps(told)
        if route.is_outside and guard.finds_leak(value, None if self.kind.public else self.subject):
            return Held.LEAK_STOPPED
        return View(value, kept.fields)
