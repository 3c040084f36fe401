"""Ways to spoil a good event: the building blocks of the table of bad input.

Pure. Each takes a good event and returns the record that somebody sends in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID, uuid5

import orjson

from expathub.core.reasons import Flag, Reason
from expathub.core.records import ForeignHeaders

Event: TypeAlias = dict[str, Any]

CENTRE = "expat-centre"
STRUCTURED: ForeignHeaders = (("content-type", b"application/cloudevents+json"),)
IDS = UUID("5a1c8f0e-9d47-5b3c-8a7e-2f6d1b0c9e34")
"""The namespace of the ids of the table's events: the same case has the same id each time."""

_ARRIVAL = {
    "wijziging": "nieuw",
    "gemeentecode": "0935",
    "verwachteAankomst": "2026-12-01",
    "langerDanVierMaanden": True,
    "verblijfsdoel": "kennismigrant",
    "gezinsdossiers": 0,
    "taal": "en",
}
_MOVE = {
    "wijziging": "nieuw",
    "datumVan": {"type": "Datum", "datum": "2026-05-01"},
    "van": {"gemeentecode": "0917"},
    "naar": {"gemeentecode": "0935"},
    "functieAdres": "woonadres",
    "geheimhouding": 0,
    "inOnderzoek": False,
}
GOOD: Mapping[str, Mapping[str, Any]] = {
    CENTRE: {
        "source": "urn:nld:oin:00000099000100001000:systeem:expatbalie",
        "type": "nl.expats.aankomst-aangemeld.v1",
        "data": _ARRIVAL,
    },
    "maastricht": {
        "source": "urn:nld:oin:00000099000000935000:systeem:burgerzaken",
        "type": "nl.brp.verhuisd.intergemeentelijk.v2",
        "data": _MOVE,
    },
}
"""What the senders of the table may say, with the partners and the catalogue that the hub ships."""


def good(sender: str, name: str) -> Event:
    """Return an event of `sender` that is accepted; `name` gives it its id and its dossier."""
    return {
        "specversion": "1.0",
        "id": str(uuid5(IDS, f"{name} id")),
        "subject": str(uuid5(IDS, f"{name} dossier")),
        "time": "2026-11-20T09:00:00Z",
        "datacontenttype": "application/json",
        **GOOD[sender],
    }


@dataclass(frozen=True, slots=True)
class Message:
    """What is put into the outbox; shows nothing of itself, as no record does."""

    value: bytes | None = field(repr=False)
    headers: ForeignHeaders = field(default=STRUCTURED, repr=False)
    key: bytes | None = field(default=None, repr=False)


Spoil: TypeAlias = Callable[[Event], Message]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that somebody sends, in words, and what comes of it.

    `row` is the kind of input. `reason` is the code of the refusal; None means that it is accepted, with `flags`.
    `after_good` says that the good event was accepted before, so that this one repeats its id.
    """

    row: int
    sent: str
    reason: Reason | None
    pointer: str
    spoil: Spoil = field(repr=False)
    sender: str = CENTRE
    after_good: bool = False
    flags: tuple[Flag, ...] = ()

    @property
    def name(self) -> str:
        """The case as one sentence that begins with its row."""
        answer = "is accepted" if self.reason is None else f"is refused as {self.reason.value}"
        if self.reason is Reason.DUPLICATE:
            answer = "is a duplicate"
        return f"{self.row:02d} {self.sent} {answer}"

    def good(self) -> Event:
        """Return the good event that is spoilt."""
        return good(self.sender, self.name)

    def message(self) -> Message:
        """Return what is sent."""
        return self.spoil(self.good())


# --- ways --------------------------------------------------------------------------------------------------------


def written(event: Mapping[str, Any]) -> bytes:
    """Write an event as JSON, in the order in which it stands."""
    return orjson.dumps(event)


def changed(event: Mapping[str, Any], changes: Mapping[str, Any]) -> Event:
    """Give an event other members; `…` takes one out."""
    return {name: value for name, value in {**event, **changes}.items() if value is not ...}


def as_it_is(event: Event) -> Message:
    """Send the event as it is."""
    return Message(written(event))


def value(content: bytes | None, *, key: bytes | None = None) -> Spoil:
    """Send something else altogether."""
    return lambda _: Message(content, key=key)


def whole(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the text of the event."""
    return lambda event: Message(change(written(event)))


def swapped(old: bytes, new: bytes) -> Spoil:
    """Write something else in one place of the text; raises `ValueError` where that place is not there."""

    def change(text: bytes) -> bytes:
        at = text.index(old)
        return text[:at] + new + text[at + len(old) :]

    return whole(change)


def number(text: bytes) -> Spoil:
    """Write a number of `data` in another way."""
    return swapped(b'"gezinsdossiers":0', b'"gezinsdossiers":' + text)


def beside(text: bytes) -> Spoil:
    """Write more members into `data`."""
    return swapped(b'"taal"', text + b',"taal"')


def attributes(**changes: Any) -> Spoil:
    """Give the event other attributes."""
    return lambda event: Message(written(changed(event, changes)))


def data(**changes: Any) -> Spoil:
    """Give the event other members of `data`."""
    return lambda event: Message(written({**event, "data": changed(event["data"], changes)}))


def key(text: bytes | None) -> Spoil:
    """Send the good event under this key."""
    return lambda event: Message(written(event), key=text)


def headers(*more: tuple[str, bytes | None]) -> Spoil:
    """Send the good event with more headers."""
    return lambda event: Message(written(event), (*STRUCTURED, *more))


def media(content_type: bytes | None) -> Spoil:
    """Send the good event under this media type, or without one."""
    held: ForeignHeaders = () if content_type is None else (("content-type", content_type),)
    return lambda event: Message(written(event), held)


def binary(
    *more: tuple[str, bytes | None],
    body: bytes | None = None,
    content_type: bytes = b"application/json",
    **changes: Any,
) -> Spoil:
    """Send the event in binary mode, with other attributes, more headers, or another body."""

    def spoil(event: Event) -> Message:
        told = changed(event, changes)
        content = told.pop("data")
        del told["datacontenttype"]
        named = tuple((f"ce_{name}", str(value).encode()) for name, value in told.items())
        sent = orjson.dumps(content) if body is None else body
        return Message(sent, (("content-type", content_type), *named, *more))

    return spoil
