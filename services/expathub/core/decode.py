"""From a record to an event that keeps the profile, or to the reason why it is none.

The first step of intake, and the only code that reads what a partner wrote. Who may send what, and whether `data`
fits its schema, is judged later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import orjson

from expathub.core import cloudevents, profile
from expathub.core.cloudevents import EnvelopeError
from expathub.core.event import Event, Refusal
from expathub.core.identifiers import BSN_DIGITS, NAMELESS, UUID_SHAPE, holds_bsn
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
_USUAL: Final = ("id", "subject", "time")
_NEW_IN_EVERY_EVENT: Final = frozenset(
    {"dataref", "sequence", "partitionkey", "correlationid", "causationid", "traceparent", "expirytime", "recordedtime"}
).union(_USUAL)
_KEPT_MAX: Final = 64
_KEPT_CHARACTERS_MAX: Final = 1024
"""So many steady values are kept for one set of names, and of so many characters together."""


def _check_of(name: str, fits: Callable[[Any], object]) -> Callable[[Any], object]:
    """Make the whole check of an attribute."""
    return fits if name in _FORM_LEAVES_NO_ROOM else lambda text: bool(fits(text)) and not _is_telling(text)


_FITS: Final = {rule.attribute: rule.fits for rule in profile.MUST}
_CHECKS: Final = {
    name: _check_of(name, _FITS.get(name, str.isprintable))  # without a rule, whatever needs no closer look
    for name, kind in cloudevents.KINDS.items()
    if kind is str and name != "sequencetype"  # it says what `sequence` may be: the table knows
}
_REQUIRED: Final = frozenset(rule.attribute for rule in profile.MUST if rule.required)


class _Checks:
    """The checks of all events with the same attributes: what depends on the names is asked once.

    Attribute by attribute the checks were a fifth of intake. What comes back in event after event (`source`, `type`
    …) is judged as one tuple, once; `id`, `subject` and `time` have the same form in nearly all events.
    """

    __slots__ = ("_changing", "_good", "_steady", "_unusual", "_values_of")

    def __init__(self, names: tuple[str, ...]) -> None:
        steady = [name for name in names if name not in _NEW_IN_EVERY_EVENT]
        self._steady = tuple(map(_CHECKS.__getitem__, steady))
        self._values_of = itemgetter(*steady)  # `specversion`, `source` and `type` at least: so it makes a tuple
        self._unusual = tuple((name, _CHECKS[name]) for name in names if name in _NEW_IN_EVERY_EVENT)
        self._changing = tuple(pair for pair in self._unusual if pair[0] not in _USUAL)
        self._good: set[tuple[str, ...]] = set()

    def hold(self, attributes: Mapping[str, Any]) -> bool:
        """Tell whether each attribute keeps its rule and holds no BSN."""
        values = self._values_of(attributes)
        if values not in self._good and not self._learn(values):
            return False
        is_usual = _have_usual_form(attributes["id"], attributes["subject"], attributes.get("time", ""))
        left = self._changing if is_usual else self._unusual
        return not left or all(check(attributes[name]) for name, check in left)

    def _learn(self, values: tuple[str, ...]) -> bool:
        """Judge steady values that are not known, and keep them if they are good."""
        if not all(check(value) for check, value in zip(self._steady, values, strict=True)):
            return False
        if sum(map(len, values)) <= _KEPT_CHARACTERS_MAX:
            if len(self._good) == _KEPT_MAX:
                self._good.clear()
            self._good.add(values)
        return True


_HEXADECIMAL_TO_ZERO = bytes(ord("0") if octet in b"0123456789abcdef" else octet for octet in range(256))
_USUAL_FORMS: Final = frozenset(b" ".join((UUID_SHAPE, UUID_SHAPE, time)) for time in profile.TIME_SHAPES)


def _have_usual_form(identity: str, subject: str, time: str) -> bool:
    """Tell whether two are UUIDs and one is a moment; if not, each may still keep its rule.

    A form has two spaces, those between the texts, so no text can stand in for a part of its neighbour. A moment may
    hold no digit of hexadecimal beyond 9: those are lower case, and its letters are not.
    """
    form = f"{identity} {subject} {time}".encode().translate(_HEXADECIMAL_TO_ZERO)
    return form in _USUAL_FORMS and time.isupper() and subject not in NAMELESS and profile.does_exist(time)


@lru_cache(maxsize=256)
def _checks_of(names: tuple[str, ...]) -> _Checks | None:
    """Return the checks of a set of names; None where one is missing, or needs a closer look whatever it holds."""
    return _Checks(names) if _REQUIRED.issubset(names) and _CHECKS.keys() >= set(names) else None


def _is_certainly_good(event: Event, key: bytes | None) -> bool:
    """Tell whether an event keeps all rules and holds no BSN; false means that it needs a closer look."""
    attributes = event.attributes
    if len(attributes) > len(_CHECKS):  # some are unknown, and so many names are not worth keeping
        return False
    checks = _checks_of(tuple(attributes))
    return checks is not None and checks.hold(attributes) and (key is None or key == attributes["subject"].encode())


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
