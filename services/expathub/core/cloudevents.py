"""CloudEvents 1.0 in Kafka records, in structured and in binary mode, JSON payloads only.

Reads and writes the envelope and knows nothing of what a government event must look like (`profile`). Both modes of
one event read to the same attributes: binary mode has no types, so an extension that the hub does not know is text.
Sources: CloudEvents 1.0.2, its JSON event format and its Kafka protocol binding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeAlias

import orjson

from expathub.core import strict_json
from expathub.core.event import Event
from expathub.core.reasons import Reason
from expathub.core.records import ForeignHeaders, Headers, InputRecord

CONTENT_TYPE: Final = "content-type"
STRUCTURED: Final = "application/cloudevents+json"
JSON: Final = "application/json"
PREFIX: Final = "ce_"
_STRUCTURED_HEADERS: Final = ((CONTENT_TYPE, STRUCTURED.encode()),)

HEADERS_MAX: Final = 64
HEADER_BYTES_MAX: Final = 16 * 1024
"""Bytes of all header names and values of a record together."""

_INTEGER_MIN, _INTEGER_MAX = -(2**31), 2**31 - 1

Value: TypeAlias = str | bool | int
Attributes: TypeAlias = Mapping[str, Value]

KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys(("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"), str),
    # Extensions that the CloudEvents project documents
    **dict.fromkeys(("dataref", "sequence", "sequencetype", "partitionkey", "traceparent", "tracestate"), str),
    **dict.fromkeys(("correlationid", "causationid", "expirytime", "recordedtime", "severitytext"), str),
    **dict.fromkeys(("dataclassification", "dataregulation", "datacategory", "authtype", "authid"), str),
    **dict.fromkeys(("deprecationfrom", "deprecationsunset", "deprecationmigration"), str),
    **dict.fromkeys(("sampledrate", "severitynumber"), int),
    "deprecated": bool,
}
"""The attributes that the hub knows, and what they hold: only these names are shown in a pointer."""


class EnvelopeError(Exception):
    """Why a record is no event: a reason, a pointer, and the attributes as far as they could be read."""

    def __init__(self, reason: Reason, pointer: str = "", attributes: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.pointer = pointer
        self.attributes = attributes or {}


def read(record: InputRecord) -> Event:
    """Read the event of a record in whichever mode it has; raises `EnvelopeError` on whatever is none."""
    if record.value is None:
        raise EnvelopeError(Reason.NO_VALUE)
    if len(record.value) + len(record.key or b"") > strict_json.DOCUMENT_BYTES_MAX:
        raise EnvelopeError(Reason.TOO_LARGE)
    if record.headers == _STRUCTURED_HEADERS:
        return _read_structured(record.value, {})
    headers = _read_headers(record.headers)
    media = media_of(headers.get(CONTENT_TYPE, ""))
    if media is Media.EVENT:
        return _read_structured(record.value, headers)
    if media is Media.JSON and any(name.startswith(PREFIX) for name in headers):
        return _read_binary(record.value, headers)
    raise EnvelopeError(Reason.BATCH if media is Media.BATCH else Reason.CONTENT_TYPE)


def known_pointer(path: tuple[str | int, ...]) -> str:
    """Cut a path into an event to what is known here: an attribute's name, or `data` as a whole."""
    return f"/{path[0]}" if path and (path[0] in KINDS or path[0] == "data") else ""


# --- media types -------------------------------------------------------------------------------------------------

_MEDIA = re.compile(r"([a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+)((?:[ \t]*;[ \t]*charset=(?:utf-8|\"utf-8\"))?)[ \t]*")
_MEDIA_CHARACTERS_MAX: Final = 255


class Media(Enum):
    """What a media type means to the hub."""

    EVENT = "one event in structured mode"
    BATCH = "a batch of events"
    JSON = "JSON in UTF-8"
    OTHER = "nothing that the hub takes"


@lru_cache(maxsize=256)
def media_of(text: str) -> Media:
    """Classify a media type, whatever its case; a parameter other than `charset=utf-8` makes it `OTHER`."""
    found = _MEDIA.fullmatch(text.lower()) if len(text) <= _MEDIA_CHARACTERS_MAX else None
    if found is None:
        return Media.OTHER
    if found[1] == STRUCTURED:
        return Media.EVENT
    if found[1].startswith("application/cloudevents"):
        return Media.BATCH if found[1].startswith("application/cloudevents-batch") else Media.OTHER
    return Media.JSON if found[1] == JSON or found[1].endswith("+json") else Media.OTHER


# --- reading -----------------------------------------------------------------------------------------------------

_NAME = re.compile(r"[a-z0-9]{1,20}")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,9}")
_NOT_IN_ATTRIBUTES = re.compile(rf"[\t\n\r{strict_json.FORBIDDEN_CHARACTERS}]")
_TEXTS: Final = frozenset(name for name, kind in KINDS.items() if kind is str)
_NO_ATTRIBUTES_IN_BINARY: Final = frozenset({"data", "data_base64", "datacontenttype"})


def _read_headers(headers: ForeignHeaders) -> dict[str, str]:
    """Return all headers as text; those of the event must be there once."""
    found: dict[str, str] = {}
    if len(headers) > HEADERS_MAX:
        raise EnvelopeError(Reason.HEADERS_TOO_LARGE)
    size = 0
    for name, value in headers:
        size += len(name) + len(value or b"")
        if size > HEADER_BYTES_MAX:
            raise EnvelopeError(Reason.HEADERS_TOO_LARGE)
        if name in found and (name == CONTENT_TYPE or name.startswith(PREFIX)):
            raise EnvelopeError(Reason.HEADER_TWICE, _header_pointer(name))
        try:
            found[name] = value.decode()  # type: ignore[union-attr] # None is caught below
        except (AttributeError, UnicodeDecodeError):
            raise EnvelopeError(Reason.HEADER_NOT_TEXT, _header_pointer(name)) from None
    return found


def _header_pointer(name: str) -> str:
    return known_pointer((name.removeprefix(PREFIX),)) if name.startswith(PREFIX) else ""


def _read_structured(value: bytes, headers: Mapping[str, str]) -> Event:
    try:
        members, canonical = strict_json.parse(value)
    except strict_json.JsonError as fault:
        raise EnvelopeError(fault.reason, known_pointer(fault.path), _glimpse(value, fault)) from None
    if type(members) is not dict:
        raise EnvelopeError(Reason.NOT_AN_OBJECT)
    if "data_base64" in members:
        raise EnvelopeError(Reason.DATA_TWICE if "data" in members else Reason.DATA_BASE64, "/data", members)
    payload = {"data": members.pop("data")} if "data" in members else {}
    if "datacontenttype" in members and _are_plain(members, clean=True):
        event = Event(members, payload.get("data"), canonical)
    else:
        given = {name: _attribute(name, value, members) for name, value in members.items() if value is not None}
        event = _event({"datacontenttype": JSON} | given, payload)  # absent means just this (JSON event format §3.1.1)
    if len(headers) > 1:
        _require_agreement(event.attributes, headers)
    return event


def _event(attributes: Attributes, payload: Mapping[str, Any]) -> Event:
    """Put an event together; `payload` holds `data` if there is any."""
    canonical = orjson.dumps({**attributes, **payload}, option=orjson.OPT_SORT_KEYS)
    return Event(attributes, payload.get("data"), canonical)


def _glimpse(value: bytes, fault: strict_json.JsonError) -> Mapping[str, Any]:
    """Read the attributes of an event with a fault if they can be, so that its sender is told which one it was."""
    if fault.reason is Reason.DUPLICATE_KEY and len(fault.path) == 1:
        return {}  # two of an attribute: which one counts?
    try:
        members = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return members if isinstance(members, dict) else {}


def _are_plain(attributes: Mapping[str, Any], *, clean: bool) -> bool:
    """Tell cheaply whether all attributes are known strings of printable ASCII, with nothing to be done to them.

    In a `clean` document only tabs and line ends are left to look for.
    """
    if not _TEXTS.issuperset(attributes):
        return False
    try:
        text = "".join(attributes.values())
    except TypeError:
        return False
    if clean:
        return text.isascii() and "\n" not in text and "\r" not in text and "\t" not in text
    return text.isascii() and text.isprintable()


def _attribute(name: str, value: object, members: Mapping[str, Any]) -> Value:
    """Return an attribute of structured mode as the hub carries it."""
    kind = KINDS.get(name)
    if kind is None:
        _require_name(name, members)
    if type(value) is str and (kind is str or kind is None):
        if value.isprintable() or _NOT_IN_ATTRIBUTES.search(value) is None:
            return value
        raise EnvelopeError(Reason.FORBIDDEN_CHARACTER, known_pointer((name,)), members)
    if type(value) is bool and (kind is bool or kind is None):
        return value if kind else text_of(value)
    if type(value) is int and (kind is int or kind is None) and _INTEGER_MIN <= value <= _INTEGER_MAX:
        return value if kind else text_of(value)
    raise EnvelopeError(Reason.ATTRIBUTE_VALUE, known_pointer((name,)), members)


def _require_name(name: str, attributes: Mapping[str, Any]) -> None:
    if _NAME.fullmatch(name) is None:
        raise EnvelopeError(Reason.ATTRIBUTE_NAME, "", attributes)
    if name.startswith("hub"):
        raise EnvelopeError(Reason.RESERVED_ATTRIBUTE, "", attributes)


def text_of(value: Value) -> str:
    """Return the canonical string form of an attribute's value (CloudEvents §3.1, type system)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _require_agreement(attributes: Attributes, headers: Mapping[str, str]) -> None:
    """Hold attributes that are repeated as headers against the body: two truths are none."""
    for header, text in headers.items():
        name = header.removeprefix(PREFIX)
        if name != header and (name not in attributes or text_of(attributes[name]) != text):
            raise EnvelopeError(Reason.HEADER_DIFFERS, known_pointer((name,)), attributes)


def _read_binary(value: bytes, headers: Mapping[str, str]) -> Event:
    texts = {name.removeprefix(PREFIX): text for name, text in headers.items() if name.startswith(PREFIX)}
    reserved = _NO_ATTRIBUTES_IN_BINARY.intersection(texts)
    if reserved:
        raise EnvelopeError(Reason.RESERVED_ATTRIBUTE, known_pointer((min(reserved),)), texts)
    attributes: dict[str, Value] = {**texts, "datacontenttype": headers[CONTENT_TYPE]}
    if not _are_plain(texts, clean=False):
        attributes.update((name, _attribute(name, _typed(name, text), texts)) for name, text in texts.items())
    try:
        # In structured mode the same payload stands one level deeper.
        data, _ = strict_json.parse(value, depth_max=strict_json.DEPTH_MAX - 1)
    except strict_json.JsonError as fault:
        raise EnvelopeError(fault.reason, "/data", attributes) from None
    return _event(attributes, {"data": data})


def _typed(name: str, text: str) -> Value:
    """Read the canonical string form of an attribute that is no string; anything else stays text."""
    kind = KINDS.get(name, str)
    if kind is bool and text in {"true", "false"}:
        return text == "true"
    if kind is int and _INTEGER.fullmatch(text):
        return int(text)
    return text


# --- writing -----------------------------------------------------------------------------------------------------


def encode_structured(event: Mapping[str, Any]) -> tuple[bytes, Headers]:
    """Write an event (its attributes, and `data`) as value and headers of a record in structured mode."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS), _STRUCTURED_HEADERS


def encode_binary(event: Mapping[str, Any]) -> tuple[bytes, Headers]:
    """Write an event as value and headers of a record in binary mode; raises `KeyError` where it has no `data`.

    Without payload the record would have a null value, which deletes on a compacted topic.
    """
    attributes = {name: value for name, value in event.items() if name != "data" and value is not None}
    media = attributes.pop("datacontenttype", JSON)
    headers = tuple((PREFIX + name, text_of(value).encode()) for name, value in attributes.items())
    return orjson.dumps(event["data"]), (*headers, (CONTENT_TYPE, media.encode()))
