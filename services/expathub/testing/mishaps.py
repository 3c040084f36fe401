"""What goes wrong on purpose: records that intake must refuse, each with its code, and records that are sent twice.

Pure. `MISHAPS` is the table; each row makes one record about a newcomer and says with which code it comes back. The
dossier must not notice any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson

from expathub.testing import contents
from expathub.testing.actors import Newcomer
from expathub.testing.envelope import STRUCTURED_TYPE, Mode, Record, pack
from expathub.testing.people import bsns_for_tests
from expathub.testing.script import Fate, Outcome, Publication

Event: TypeAlias = dict[str, Any]
Spoil: TypeAlias = Callable[[Event], Record]
"""Makes a bad record of a good event."""


_NOBODYS = "urn:nld:oin:00000099000000000000:systeem:niemand"


def _structured(event: Mapping[str, Any]) -> Record:
    return pack(event, Mode.STRUCTURED)


def _text(change: Callable[[bytes], bytes | None]) -> Spoil:
    """Spoil the text of the event."""

    def spoil(event: Event) -> Record:
        return change(orjson.dumps(event)), (("content-type", STRUCTURED_TYPE),)

    return spoil


def _attributes(**changes: str) -> Spoil:
    """Give the event other attributes."""
    return lambda event: _structured({**event, **changes})


def _without(*names: str) -> Spoil:
    """Leave fields out of `data`."""
    return lambda event: _structured(
        {**event, "data": {name: value for name, value in event["data"].items() if name not in names}}
    )


def _batch(event: Event) -> Record:
    return orjson.dumps([event]), (("content-type", b"application/cloudevents-batch+json"),)


def _no_content_type(event: Event) -> Record:
    return orjson.dumps(event), ()


MISHAPS: Mapping[str, tuple[str, Spoil]] = MappingProxyType(
    {
        "malformed-json": ("sends half an event", _text(lambda text: text[: len(text) // 2])),
        "duplicate-key": (
            "names a field twice",
            _text(lambda text: text.replace(b'{"specversion"', b'{"id":"x","specversion"', 1)),
        ),
        "not-utf-8": ("sends another encoding", _text(lambda text: text.replace(b'"nieuw"', b'"nieuw\xe9"', 1))),
        "no-value": ("sends nothing at all", _text(lambda _: None)),
        "batch": ("sends a batch", _batch),
        "content-type": ("forgets the content type", _no_content_type),
        "profile-time": ("forgets the time zone", _attributes(time="2026-01-31T09:30:00")),
        "profile-subject": ("names no dossier", _attributes(subject="dossier-1")),
        "bsn-in-attribute": ("puts a BSN in an attribute", _attributes(correlationid=bsns_for_tests()[0])),
        "not-your-source": (
            "speaks in another's name",
            _attributes(source=_NOBODYS),
        ),
        "unknown-type": ("uses a type nobody knows", _attributes(type="nl.expats.koffie-gedronken.v1")),
        "unknown-version": ("uses a version nobody knows", _attributes(type=f"{contents.REGISTRATION}.v99")),
        "not-your-type": ("says what the IND says", _attributes(type=f"{contents.PERMIT}.v1")),
        "schema": ("leaves a field out", _without("datumVestiging")),
    }
)
"""Per reason code what the municipality does, and how the record is spoilt."""


def spoils(newcomer: Newcomer, code: str) -> Publication:
    """Have the newcomer's municipality send a registration that comes back with this code; raises `KeyError`."""
    region, home, (deed, spoil) = newcomer.region, newcomer.home, MISHAPS[code]
    content = contents.registration(newcomer.person, home.code, region.today, "https://burgerzaken.example/x")
    event = region.event(home.partner, content, newcomer.person.dossier)
    return _refused(newcomer, home.id, deed, event, spoil(event), code)


def speaks_for_another(newcomer: Newcomer, municipality: str) -> Publication:
    """Have a municipality register somebody as another's resident."""
    region, home = newcomer.region, newcomer.home
    speaker = region.municipality(municipality)
    content = contents.registration(newcomer.person, home.code, region.today, "https://burgerzaken.example/x")
    event = region.event(speaker.partner, content, newcomer.person.dossier)
    deed = f"registers {newcomer.person.name} in {home.id}"
    return _refused(newcomer, speaker.id, deed, event, _structured(event), "not-your-municipality")


def resends(newcomer: Newcomer, publication: Publication) -> Publication:
    """Have a partner send the very same event once more, in any mode: it is told once."""
    region, event = newcomer.region, _event_of(publication)
    deed = f"sends again: {publication.deed}"
    record = pack(event, region.any_mode())
    fate = Fate(Outcome.DUPLICATE, "duplicate")
    return region.send(publication.partner, newcomer.person.dossier, deed, publication.event, record, fate)


def reuses_id(newcomer: Newcomer, publication: Publication) -> Publication:
    """Have a partner send another event under an id that it has used."""
    event = _event_of(publication)
    event["time"] = newcomer.region.moment()
    deed = "uses an id once more"
    return _refused(newcomer, publication.partner, deed, event, _structured(event), "same-id-other-bytes")


def _refused(newcomer: Newcomer, sender: str, deed: str, event: Event, record: Record, code: str) -> Publication:
    key = (event["source"], event["id"])
    return newcomer.region.send(sender, newcomer.person.dossier, deed, key, record, Fate(Outcome.REFUSED, code))


def _event_of(publication: Publication) -> Event:
    """Read an event back from the record in which it was sent."""
    headers = {name: (value or b"").decode() for name, value in publication.headers}
    content = orjson.loads(publication.value or b"")
    if headers["content-type"].startswith("application/cloudevents"):
        return dict(content)
    attributes = {name.removeprefix("ce_"): text for name, text in headers.items() if name.startswith("ce_")}
    return {**attributes, "datacontenttype": headers["content-type"], "data": content}
