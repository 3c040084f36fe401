"""From a record to an event that keeps the profile, or to the reason why it is none.

The first step of intake, and the only code that reads what a partner wrote. Who may send what, and whether `data`
fits its schema, is judged later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from expathub.core import cloudevents, profile
from expathub.core.cloudevents import EnvelopeError
from expathub.core.event import Event, Refusal
from expathub.core.identifiers import holds_bsn, is_uuid
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord
from expathub.core.strict_json import DOCUMENT_BYTES_MAX

_ROOMLESS: Final = frozenset(
    {"specversion", "source", "type", "subject", "time", "datacontenttype", "dataschema", "expirytime"}
)
"""Attributes that hold no BSN when they keep to the profile: their form leaves no room, or was searched already."""


def decode(record: InputRecord) -> Event | Refusal:
    """Read the event of a record; returns a `Refusal` for whatever is none, and raises nothing on any bytes."""
    try:
        event = cloudevents.read(record)
    except EnvelopeError as fault:
        return _refusal(fault.reason, fault.pointer, fault.attributes)
    if len(event.canonical) > DOCUMENT_BYTES_MAX:  # numbers may have grown (1e15), and headers are part of it
        return _refusal(Reason.TOO_LARGE, "", event.attributes)
    rule = profile.broken(event)
    place = _place_of_bsn(event, record.key, _ROOMLESS if rule is None else _ROOMLESS & profile.kept(event))
    if place is not None:
        return _refusal(Reason.BSN_IN_ATTRIBUTE, place, event.attributes)
    if rule is not None:
        return _refusal(rule.reason, f"/{rule.attribute}", event.attributes)
    return event


def read_accepted(canonical: bytes) -> Event:
    """Read an event that intake has accepted, from a record of the hub's own; nothing is checked again."""
    attributes = orjson.loads(canonical)
    data = attributes.pop("data", None)
    return Event(attributes, data, canonical)


# --- numbers of persons ------------------------------------------------------------------------------------------


def _place_of_bsn(event: Event, key: bytes | None, cleared: frozenset[str]) -> str | None:
    """Point at what holds a BSN; "" for the key, or a name that must not be shown (Wabb art. 10, 11).

    Attributes and keys end up in logs and traces of every system on the way; `cleared` ones need no search.
    """
    for name, value in event.attributes.items():
        if name not in cleared and _is_telling(name, str(value)):
            return cloudevents.known_pointer((name,))
    if key is None or key == str(event.attributes.get("subject")).encode():
        return None
    return "" if holds_bsn(key) else None


def _is_telling(name: str, text: str) -> bool:
    """Tell whether an attribute's value, or a name that anybody made up, holds a BSN."""
    if is_uuid(text) and name in cloudevents.KINDS:
        return False
    # Nanoseconds are nine digits too.
    return holds_bsn(f"{name} {text}".encode()) and not profile.is_time(text)


# --- refusals ----------------------------------------------------------------------------------------------------


def _refusal(reason: Reason, pointer: str, attributes: Mapping[str, Any]) -> Refusal:
    """Refuse, and name the event by its `source` and `id` where these are fit to be repeated."""
    source, identity = attributes.get("source"), attributes.get("id")
    return Refusal.because(
        reason,
        pointer,
        source=source if _is_repeatable(source) and profile.is_source(str(source)) else None,
        id=identity if _is_repeatable(identity) and profile.is_id(str(identity)) else None,
    )


def _is_repeatable(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and not holds_bsn(value.encode())
