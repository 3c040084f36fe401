"""The NL GOV profile for CloudEvents 1.1 as a numbered table of rules, and what the hub asks beyond it.

A MUST refuses an event, each with its own code. A SHOULD is advice for publishers, and refuses only the events of a
partner that is held to it. Age, skew and
gaps are no matter of form: nothing here knows the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from typing import Any, Final

from expathub.core.cloudevents import Media, media_of
from expathub.core.event import Event, split_type
from expathub.core.identifiers import is_oin, is_uuid
from expathub.core.reasons import Reason

ID_CHARACTERS_MAX: Final = 255
SOURCE_CHARACTERS_MAX: Final = 255
URI_CHARACTERS_MAX: Final = 2_048
ONWARD_BYTES: Final = 64 * 1024
"""Every intermediary forwards events up to this size (CloudEvents §5)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: about which attribute, in what words, and on what authority."""

    number: int
    attribute: str
    text: str
    reference: str


@dataclass(frozen=True, slots=True)
class Must(Rule):
    """A rule that refuses, in the words of its reason: `fits` judges the attribute's value where there is one."""

    reason: Reason
    fits: Callable[[Any], object]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Should(Rule):
    """A rule that advises: whether an event follows it, and the reason where a partner is held to it."""

    reason: Reason
    holds: Callable[[Event], bool]

    @property
    def word(self) -> str:
        """What `strict` in partners.yaml calls it."""
        return str(self.reason.value).removeprefix("profile-")


# --- forms -------------------------------------------------------------------------------------------------------

_DIGITS_TO_ZERO = bytes(ord("0") if octet in b"0123456789" else octet for octet in range(256))
TIME_SHAPES: Final = frozenset(
    b"0000-00-00T00:00:00" + fraction + zone
    for fraction in (b"", *(b"." + b"0" * digits for digits in range(1, 10)))
    for zone in (b"Z", b"+00:00", b"-00:00")
)
"""What moments look like, with a zero for every digit."""
_HOUR, _OFFSET_MINUTES = slice(11, 13), slice(-2, None)

_DUTCH_SOURCE = re.compile(
    r"urn:nld:(?:oin:([0-9]{20}):systeem:[A-Za-z0-9][A-Za-z0-9._-]*|kvknr:[0-9]{8}(?:[.:][A-Za-z0-9][A-Za-z0-9._:-]*)?)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_URI_OCTETS: Final = (
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%"  # RFC 3986, section 2
)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_USER_INFO = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@")

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_INTEGER_MIN, _INTEGER_MAX = -(2**31), 2**31 - 1
_SOME_SEQUENCE, _SOME_TRACE = "1".zfill(20), f"00-{1:032x}-{1:016x}-00"
_PADDED = re.compile(r"[0-9]{20}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

CLASSIFICATIONS: Final = frozenset({"public", "internal", "confidential", "restricted"})


def is_time(text: str) -> bool:
    """Tell whether `text` is a moment of RFC 3339 with its zone, in upper case, on a day and at a time that exist.

    24:00 and leap seconds are none here: most readers cannot hold them.
    """
    return text.isascii() and text.encode().translate(_DIGITS_TO_ZERO) in TIME_SHAPES and does_exist(text)


def does_exist(text: str) -> bool:
    """Tell of a text that has the shape of a moment whether there is such a day and time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    # 9999 (as 0000, which Python has not) is what registers write for "no date". Python reads 24:00 as the next day
    # since 3.13, and an offset of +01:60 as two hours.
    return moment.year < MAXYEAR and text[_HOUR] < "24" and (text[-1] == "Z" or text[_OFFSET_MINUTES] < "60")


def is_uri(text: str) -> bool:
    """Tell whether `text` is an absolute URI that `is_uri_reference` takes."""
    return _SCHEME.match(text) is not None and is_uri_reference(text)


def is_uri_reference(text: str) -> bool:
    """Tell whether `text` is a URI-reference without a user name or password, of at most 2,048 characters."""
    return (
        0 < len(text) <= URI_CHARACTERS_MAX
        and text.isascii()
        and not text.encode().translate(None, _URI_OCTETS)
        and ("%" not in text or _BROKEN_ESCAPE.search(text) is None)
        and ("@" not in text or _USER_INFO.match(text) is None)
    )


def is_schema(text: str) -> bool:
    """Tell whether `text` can be a `dataschema`: an absolute URI that a recipient may safely look up, or a name."""
    return text.lower().startswith(("https://", "urn:")) and is_uri(text)


def is_json(text: str) -> bool:
    """Tell whether `text` is the media type of JSON in UTF-8 (and not of an event)."""
    return media_of(text) is Media.JSON


def is_source(text: str) -> bool:
    """Tell whether `text` can be a `source`: strict for Dutch URNs, any absolute URI for others."""
    if len(text) > SOURCE_CHARACTERS_MAX:
        return False
    if text.lower().startswith("urn:nld:"):
        return _DUTCH_SOURCE.fullmatch(text) is not None
    return is_uri(text)


def is_id(text: str) -> bool:
    """Tell whether `text` can be an `id`: 1 to 255 characters without a full stop.

    Web hooks sign `id.timestamp.body` (Standard Webhooks 1.0.0), so a full stop in an id would let two meet.
    """
    return 0 < len(text) <= ID_CHARACTERS_MAX and "." not in text


def _is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None and _INTEGER_MIN <= int(text) <= _INTEGER_MAX


# --- the tables --------------------------------------------------------------------------------------------------


def _must(
    number: int, reason: Reason, reference: str, fits: Callable[[Any], object], *, required: bool = False
) -> Must:
    attribute = reason.value.removeprefix("profile-")
    return Must(number, attribute, reason.meaning, reference, reason, fits, required)


MUST: Final = (
    _must(1, Reason.PROFILE_SPECVERSION, "NL GOV, specversion", frozenset({"1.0"}).__contains__, required=True),
    _must(2, Reason.PROFILE_ID, "NL GOV, id", is_id, required=True),
    _must(3, Reason.PROFILE_SOURCE, "NL GOV, source", is_source, required=True),
    _must(4, Reason.PROFILE_TYPE, "NL GOV, type; the hub needs one version", split_type, required=True),
    _must(5, Reason.PROFILE_SUBJECT, "NL GOV, subject and sensitive information", is_uuid, required=True),
    _must(6, Reason.PROFILE_TIME, "NL GOV, time; RFC 3339 §5.6", is_time),
    _must(7, Reason.PROFILE_DATACONTENTTYPE, "NL GOV, datacontenttype", is_json),
    _must(8, Reason.PROFILE_DATASCHEMA, "NL GOV, dataschema; the hub allows `https` and `urn`", is_schema),
    _must(9, Reason.PROFILE_DATAREF, "NL GOV, dataref", is_uri_reference),
    _must(10, Reason.PROFILE_SEQUENCE, "NL GOV, sequence", bool),
    # The profile's own example writes it in lower case.
    _must(11, Reason.PROFILE_SEQUENCETYPE, "NL GOV, sequencetype", frozenset({"Integer", "integer"}).__contains__),
    _must(12, Reason.PROFILE_EXPIRYTIME, "CloudEvents, expiry time", is_time),
    _must(13, Reason.PROFILE_DATACLASSIFICATION, "CloudEvents, data classification", CLASSIFICATIONS.__contains__),
)
"""What an event must keep to; the order is the order of the checks."""

_SEQUENCE: Final = next(rule for rule in MUST if rule.reason is Reason.PROFILE_SEQUENCE)


def broken(event: Event) -> Must | None:
    """Return the first MUST that an event breaks, or None."""
    attributes = event.attributes
    for rule in MUST:
        value = attributes.get(rule.attribute)
        if value is None:
            if rule.required:
                return rule
        elif not rule.fits(value):
            return rule
    return _SEQUENCE if _has_false_sequence(attributes) else None


def all_broken(event: Event) -> tuple[Must, ...]:
    """Return every MUST that an event breaks."""
    attributes = event.attributes
    values = ((rule, attributes.get(rule.attribute)) for rule in MUST)
    found = [rule for rule, value in values if (rule.required if value is None else not rule.fits(value))]
    if _has_false_sequence(attributes) and _SEQUENCE not in found:
        found.append(_SEQUENCE)
    return tuple(found)


def _has_false_sequence(attributes: Mapping[str, Any]) -> bool:
    """Tell whether `sequencetype` promises an integer and `sequence` is none."""
    return "sequencetype" in attributes and not _is_integer(str(attributes.get("sequence")))


def _text(event: Event, attribute: str) -> str:
    return str(event.attributes.get(attribute, ""))


def _has_registered_source(event: Event) -> bool:
    found = _DUTCH_SOURCE.fullmatch(_text(event, "source"))
    return found is not None and (found[1] is None or is_oin(found[1]))


SHOULD: Final = (
    Should(
        14,
        "id",
        "An id of your own making is a UUID.",
        "NL GOV, id",
        Reason.PROFILE_ID_UUID,
        lambda event: is_uuid(_text(event, "id").lower()),
    ),
    Should(
        15,
        "source",
        "`source` names the organisation by a number of a register and its system: a URN in `nld`.",
        "NL GOV, source",
        Reason.PROFILE_SOURCE_REGISTERED,
        _has_registered_source,
    ),
    Should(
        16,
        "type",
        "`type` begins with `nl.` and a data source or a domain in the plural, never with an organisation.",
        "NL GOV, type",
        Reason.PROFILE_TYPE_NL,
        lambda event: _text(event, "type").startswith("nl."),
    ),
    Should(
        17,
        "time",
        "`time` is given, in UTC (`Z`), and says when the event was logged.",
        "NL GOV, time; ADR date and time",
        Reason.PROFILE_TIME_UTC,
        lambda event: _text(event, "time").endswith("Z"),
    ),
    Should(
        18,
        "datacontenttype",
        "`datacontenttype` is plain `application/json`.",
        "NL GOV, datacontenttype",
        Reason.PROFILE_DATACONTENTTYPE_PLAIN,
        lambda event: event.attributes.get("datacontenttype") == "application/json",
    ),
    Should(
        19,
        "dataschema",
        "`dataschema` is given and is reached over HTTPS.",
        "NL GOV, dataschema",
        Reason.PROFILE_DATASCHEMA_HTTPS,
        lambda event: _text(event, "dataschema").startswith("https://"),
    ),
    Should(
        20,
        "sequence",
        "`sequence` has 20 digits, padded with zeros, and no `sequencetype` beside it.",
        "CloudEvents, sequence",
        Reason.PROFILE_SEQUENCE_PADDED,
        lambda event: (
            _PADDED.fullmatch(_text(event, "sequence") or _SOME_SEQUENCE) is not None
            and "sequencetype" not in event.attributes
        ),
    ),
    Should(
        21,
        "traceparent",
        "`traceparent` has the form of W3C Trace Context.",
        "CloudEvents, distributed tracing",
        Reason.PROFILE_TRACEPARENT_FORM,
        lambda event: _TRACEPARENT.fullmatch(_text(event, "traceparent") or _SOME_TRACE) is not None,
    ),
    Should(
        22,
        "partitionkey",
        "`partitionkey` is the subject: order per dossier is what the hub keeps.",
        "CloudEvents, partitioning",
        Reason.PROFILE_PARTITIONKEY_SUBJECT,
        lambda event: event.attributes.get("partitionkey") in {None, event.subject},
    ),
    Should(
        23,
        "data",
        "The event is at most 64 KiB, so that every intermediary forwards it.",
        "NL GOV, size limits",
        Reason.PROFILE_DATA_SIZE,
        lambda event: len(event.canonical) <= ONWARD_BYTES,
    ),
)
"""What makes an event better; the hub takes it all the same."""


def advice(event: Event) -> tuple[Should, ...]:
    """Return the SHOULD rules that an event does not follow."""
    return tuple(rule for rule in SHOULD if not rule.holds(event))


def unkept(event: Event, strict: frozenset[Reason]) -> Should | None:
    """Return the first SHOULD, of those that a sender is held to, that an event does not follow."""
    return next((rule for rule in SHOULD if rule.reason in strict and not rule.holds(event)), None)
