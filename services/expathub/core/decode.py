"""From a record to an event that keeps the profile, or to the reason why it is none.

The first step of intake, and the only code that reads what a partner wrote. Who may send what, and whether `data`
fits its schema, is judged later.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from expathub.core import cloudevents, profile
from expathub.core.cloudevents import Envelope, EnvelopeError
from expathub.core.event import Event, Refusal
from expathub.core.identifiers import holds_bsn
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord
from expathub.core.strict_json import DOCUMENT_BYTES_MAX

_REPEATING: Final = frozenset({"specversion", "source", "type", "datacontenttype", "dataschema", "sequencetype"})
"""Attributes whose values come back in event after event."""


def decode(record: InputRecord) -> Event | Refusal:
    """Read the event of a record; returns a `Refusal` for whatever is none, and raises nothing on any bytes."""
    try:
        event = _assembled(cloudevents.read(record))
    except EnvelopeError as fault:
        return _refusal(fault.reason, fault.pointer, fault.attributes)
    rule = profile.broken(event)
    place = _place_of_bsn(event, record.key, has_good_form=rule is None)
    if place is not None:
        return _refusal(Reason.BSN_IN_ATTRIBUTE, place, event.attributes)
    if rule is not None and rule.reason is not None:
        return _refusal(rule.reason, f"/{rule.attribute}", event.attributes)
    return event


def read_accepted(canonical: bytes) -> Event:
    """Read an event that intake has accepted, from a record of the hub's own; nothing is checked again."""
    attributes = orjson.loads(canonical)
    data = attributes.pop("data", None)
    return Event(attributes, data, canonical)


def _assembled(envelope: Envelope) -> Event:
    members = {**envelope.attributes, "data": envelope.data} if envelope.has_data else envelope.attributes
    canonical = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    if len(canonical) > DOCUMENT_BYTES_MAX:  # numbers may have grown (1e15), and headers are part of it
        raise EnvelopeError(Reason.TOO_LARGE, "", envelope.attributes)
    return Event(envelope.attributes, envelope.data, canonical)


# --- numbers of persons ------------------------------------------------------------------------------------------


def _place_of_bsn(event: Event, key: bytes | None, *, has_good_form: bool) -> str | None:
    """Point at what holds a BSN; "" for the key or a name that must not be shown (Wabb art. 10, 11).

    Attributes and keys end up in logs and traces of every system on the way. In `has_good_form`, `subject` is known
    to be a UUID, and `time` may hold nine digits after its seconds.
    """
    for name, value in event.attributes.items():
        if name in _REPEATING:
            found = _holds_bsn_again(value)
        elif has_good_form and (name in {"subject", "time", "expirytime"}):
            continue
        else:
            found = holds_bsn(str(value).encode()) or (name not in cloudevents.KINDS and holds_bsn(name.encode()))
        if found:
            return cloudevents.known_pointer((name,))
    return "" if key is not None and key != event.subject.encode() and holds_bsn(key) else None


@lru_cache(maxsize=256)
def _holds_bsn_again(value: Any) -> bool:
    return holds_bsn(str(value).encode())


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
