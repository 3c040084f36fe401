"""From a record to an event that keeps the profile, or to the reason why it is none.

The first step of intake, and the only code that reads what a partner wrote. Who may send what, and whether `data`
fits its schema, is judged later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from expathub.core import cloudevents, profile
from expathub.core.cloudevents import EnvelopeError
from expathub.core.event import Event, Refusal
from expathub.core.identifiers import BSN_DIGITS, holds_bsn, is_uuid
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord
from expathub.core.strict_json import DOCUMENT_BYTES_MAX


def decode(record: InputRecord) -> Event | Refusal:
    """Read the event of a record; returns a `Refusal` for whatever is none, and raises nothing on any bytes."""
    try:
        event = cloudevents.read(record)
    except EnvelopeError as fault:
        return _refusal(fault.reason, fault.pointer, fault.attributes)
    if len(event.canonical) > DOCUMENT_BYTES_MAX:  # numbers may have grown (1e15), and headers are part of it
        return _refusal(Reason.TOO_LARGE, "", event.attributes)
    if _is_certainly_good(event, record.key):
        return event
    place = place_of_bsn(event, record.key)
    if place is not None:
        return _refusal(Reason.BSN_IN_ATTRIBUTE, place, event.attributes)
    rule = profile.broken(event)
    if rule is not None:
        return _refusal(rule.reason, f"/{rule.attribute}", event.attributes)
    return event


def read_accepted(canonical: bytes) -> Event:
    """Read an event that intake has accepted, from a record of the hub's own; nothing is checked again."""
    attributes = orjson.loads(canonical)
    data = attributes.pop("data", None)
    return Event(attributes, data, canonical)


# --- numbers of persons ------------------------------------------------------------------------------------------


def place_of_bsn(event: Event, key: bytes | None) -> str | None:
    """Point at what holds a BSN; "" for the key, or a name that must not be shown (Wabb art. 10, 11).

    Attributes and keys end up in logs and traces of every system on the way.
    """
    for name, value in event.attributes.items():
        if _is_telling(str(value)) or (name not in cloudevents.KINDS and _is_telling(name)):
            return cloudevents.known_pointer((name,))
    return "" if key is not None and holds_bsn(key) else None


def _is_telling(text: str) -> bool:
    """Tell whether a value, or a name that anybody made up, holds a BSN; nanoseconds are nine digits too."""
    return len(text) >= BSN_DIGITS and holds_bsn(text.encode()) and not profile.is_time(text)


# --- the quick way -----------------------------------------------------------------------------------------------

_FORM_LEAVES_NO_ROOM: Final = frozenset({"subject", "time", "expirytime"})
_NEW_IN_EVERY_EVENT: Final = frozenset(
    {"dataref", "sequence", "partitionkey", "correlationid", "causationid", "traceparent", "recordedtime"}
)


def _check_of(name: str, fits: Callable[[Any], object]) -> Callable[[Any], object]:
    """Make the whole check of an attribute; what comes back in event after event is judged once."""
    if name in _FORM_LEAVES_NO_ROOM:
        return fits

    def is_good(text: str) -> bool:
        return bool(fits(text)) and not _is_telling(text)

    if name == "id":
        return lambda text: is_uuid(text) or is_good(text)
    return is_good if name in _NEW_IN_EVERY_EVENT else lru_cache(maxsize=64)(is_good)


_FITS: Final = {rule.attribute: rule.fits for rule in profile.MUST}
_CHECKS: Final = {
    name: _check_of(name, _FITS.get(name, str.isprintable))  # without a rule, whatever needs no closer look
    for name, kind in cloudevents.KINDS.items()
    if kind is str and name != "sequencetype"  # it says what `sequence` may be: the table knows
}
_REQUIRED: Final = frozenset(rule.attribute for rule in profile.MUST if rule.required)


def _is_certainly_good(event: Event, key: bytes | None) -> bool:
    """Tell whether an event keeps all rules and holds no BSN; false means that it needs a closer look."""
    attributes = event.attributes
    for name, value in attributes.items():
        check = _CHECKS.get(name)
        if check is None or not check(value):
            return False
    return _REQUIRED.issubset(attributes) and (key is None or key == attributes["subject"].encode())


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
