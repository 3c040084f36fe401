"""The NL GOV profile for CloudEvents 1.1 as a numbered table of rules, and what the hub asks beyond it.

A MUST refuses an event, each with its own code. A SHOULD is advice for publishers and refuses nothing. Age, skew and
gaps are no matter of form: nothing here knows the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Final

from expathub.core.cloudevents import Media, media_of
from expathub.core.event import Event, split_type
from expathub.core.identifiers import is_oin, is_uuid
from expathub.core.reasons import Reason

ID_CHARACTERS_MAX: Final = 255
SOURCE_CHARACTERS_MAX: Final = 255
URI_CHARACTERS_MAX: Final = 2_048
ONWARD_BYTES: Final = 64 * 1024
"""Every intermediary forwards events up to this size (CloudEvents §5)."""


class Level(Enum):
    """How binding a rule is (RFC 2119)."""

    MUST = "MUST"
    SHOULD = "SHOULD"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: about which attribute, in what words, on what authority, and whether an event keeps it.

    A MUST has the reason with which it refuses; its words are that reason's.
    """

    number: int
    level: Level
    attribute: str
    text: str
    reference: str
    holds: Callable[[Event], bool]
    reason: Reason | None = None


# --- forms -------------------------------------------------------------------------------------------------------

_TIME = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_SHORTEST_MONTH_DAYS: Final = 28
_NO_YEARS: Final = frozenset({"0000", "9999"})  # before our era, and what registers write for "no date"

_DUTCH_SOURCE = re.compile(
    r"urn:nld:(?:oin:([0-9]{20}):systeem:[A-Za-z0-9][A-Za-z0-9._-]*|kvknr:[0-9]{8}(?:[.:][A-Za-z0-9][A-Za-z0-9._:-]*)?)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_USER_INFO = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@")

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_INTEGER_MIN, _INTEGER_MAX = -(2**31), 2**31 - 1
_PADDED = re.compile(r"[0-9]{20}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

CLASSIFICATIONS: Final = frozenset({"public", "internal", "confidential", "restricted"})


def is_time(text: str) -> bool:
    """Tell whether `text` is a moment of RFC 3339 with its zone, in upper case, on a day that exists."""
    found = _TIME.fullmatch(text)
    if found is None or found[1] in _NO_YEARS:
        return False
    return (int(found[3]) <= _SHORTEST_MONTH_DAYS and found[3] != "00") or _is_day(*map(int, found.groups()))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def is_uri(text: str) -> bool:
    """Tell whether `text` is an absolute URI without a user name or password, of at most 2,048 characters."""
    return _SCHEME.match(text) is not None and is_uri_reference(text)


def is_uri_reference(text: str) -> bool:
    """Tell whether `text` is a URI-reference without a user name or password, of at most 2,048 characters."""
    return (
        len(text) <= URI_CHARACTERS_MAX
        and _URI_CHARACTERS.fullmatch(text) is not None
        and _USER_INFO.match(text) is None
    )


@lru_cache(maxsize=256)
def is_source(text: str) -> bool:
    """Tell whether `text` can be a `source`: strict for Dutch URNs, any absolute URI for others."""
    if len(text) > SOURCE_CHARACTERS_MAX:
        return False
    if text.lower().startswith("urn:nld:"):
        return _DUTCH_SOURCE.fullmatch(text) is not None
    return is_uri(text)


def _text(event: Event, attribute: str) -> str:
    return str(event.attributes.get(attribute, ""))


def _optional(attribute: str, has_form: Callable[[str], bool]) -> Callable[[Event], bool]:
    """Make a check of an attribute that may be absent."""

    def holds(event: Event) -> bool:
        value = event.attributes.get(attribute)
        return value is None or has_form(str(value))

    return holds


def is_id(text: str) -> bool:
    """Tell whether `text` can be an `id`: 1 to 255 characters without a full stop."""
    # Without full stops, since web hooks sign `id.timestamp.body` (Standard Webhooks 1.0.0).
    return 0 < len(text) <= ID_CHARACTERS_MAX and "." not in text


def _has_sequence(event: Event) -> bool:
    if "sequence" not in event.attributes:
        return True
    sequence = _text(event, "sequence")
    if "sequencetype" not in event.attributes:
        return sequence != ""
    return _INTEGER.fullmatch(sequence) is not None and _INTEGER_MIN <= int(sequence) <= _INTEGER_MAX


def _has_sequencetype(event: Event) -> bool:
    kind = event.attributes.get("sequencetype")
    # The profile's own example writes it in lower case.
    return kind is None or (kind in {"Integer", "integer"} and "sequence" in event.attributes)


def _has_registered_source(event: Event) -> bool:
    found = _DUTCH_SOURCE.fullmatch(_text(event, "source"))
    return found is None or found[1] is None or is_oin(found[1])


# --- the table ---------------------------------------------------------------------------------------------------


def _must(number: int, reason: Reason, reference: str, holds: Callable[[Event], bool]) -> Rule:
    attribute = reason.value.removeprefix("profile-")
    return Rule(number, Level.MUST, attribute, reason.meaning, reference, holds, reason)


def _should(number: int, attribute: str, text: str, reference: str, holds: Callable[[Event], bool]) -> Rule:
    return Rule(number, Level.SHOULD, attribute, text, reference, holds)


MUST: Final = (
    _must(
        1,
        Reason.PROFILE_SPECVERSION,
        "NL GOV, specversion",
        lambda event: event.attributes.get("specversion") == "1.0",
    ),
    _must(2, Reason.PROFILE_ID, "NL GOV, id", lambda event: is_id(_text(event, "id"))),
    _must(3, Reason.PROFILE_SOURCE, "NL GOV, source", lambda event: is_source(_text(event, "source"))),
    _must(
        4,
        Reason.PROFILE_TYPE,
        "NL GOV, type; the hub converts between versions",
        lambda event: split_type(_text(event, "type")) is not None,
    ),
    _must(
        5,
        Reason.PROFILE_SUBJECT,
        "NL GOV, subject; its advice against sensitive attributes",
        lambda event: is_uuid(_text(event, "subject")),
    ),
    _must(6, Reason.PROFILE_TIME, "NL GOV, time; RFC 3339 §5.6", _optional("time", is_time)),
    _must(
        7,
        Reason.PROFILE_DATACONTENTTYPE,
        "NL GOV, datacontenttype",
        lambda event: media_of(_text(event, "datacontenttype")) is Media.JSON,
    ),
    _must(8, Reason.PROFILE_DATASCHEMA, "NL GOV, dataschema", _optional("dataschema", is_uri)),
    _must(9, Reason.PROFILE_DATAREF, "NL GOV, dataref", _optional("dataref", is_uri_reference)),
    _must(10, Reason.PROFILE_SEQUENCE, "NL GOV, sequence", _has_sequence),
    _must(11, Reason.PROFILE_SEQUENCETYPE, "NL GOV, sequencetype", _has_sequencetype),
    _must(12, Reason.PROFILE_EXPIRYTIME, "CloudEvents, expiry time", _optional("expirytime", is_time)),
    _must(
        13,
        Reason.PROFILE_DATACLASSIFICATION,
        "CloudEvents, data classification",
        _optional("dataclassification", CLASSIFICATIONS.__contains__),
    ),
)
"""What an event must keep to; the order is the order of the checks."""

SHOULD: Final = (
    _should(
        14,
        "id",
        "An id of your own making is a UUID.",
        "NL GOV, id",
        lambda event: is_uuid(_text(event, "id").lower()),
    ),
    _should(
        15,
        "source",
        "`source` names the organisation by a number of a register and its system: a URN in `nld`.",
        "NL GOV, source",
        lambda event: _text(event, "source").startswith("urn:nld:") and _has_registered_source(event),
    ),
    _should(
        16,
        "type",
        "`type` begins with `nl.` and a data source or a domain in the plural, never with an organisation.",
        "NL GOV, type",
        lambda event: _text(event, "type").startswith("nl."),
    ),
    _should(
        17,
        "time",
        "`time` is given, in UTC (`Z`), and says when the event was logged.",
        "NL GOV, time; ADR date and time",
        lambda event: _text(event, "time").endswith("Z"),
    ),
    _should(
        18,
        "datacontenttype",
        "`datacontenttype` is plain `application/json`.",
        "NL GOV, datacontenttype",
        lambda event: event.attributes.get("datacontenttype") == "application/json",
    ),
    _should(
        19,
        "dataschema",
        "`dataschema` is given and is reached over HTTPS.",
        "NL GOV, dataschema",
        lambda event: _text(event, "dataschema").startswith("https://"),
    ),
    _should(
        20,
        "sequence",
        "`sequence` has 20 digits, padded with zeros, and no `sequencetype` beside it.",
        "CloudEvents, sequence",
        lambda event: (
            _PADDED.fullmatch(_text(event, "sequence") or "0" * 20) is not None
            and "sequencetype" not in event.attributes
        ),
    ),
    _should(
        21,
        "traceparent",
        "`traceparent` has the form of W3C Trace Context.",
        "CloudEvents, distributed tracing",
        _optional("traceparent", lambda text: _TRACEPARENT.fullmatch(text) is not None),
    ),
    _should(
        22,
        "partitionkey",
        "`partitionkey` is the subject: order per dossier is what the hub keeps.",
        "CloudEvents, partitioning",
        lambda event: event.attributes.get("partitionkey") in {None, event.subject},
    ),
    _should(
        23,
        "data",
        "The event is at most 64 KiB, so that every intermediary forwards it.",
        "NL GOV, size limits",
        lambda event: len(event.canonical) <= ONWARD_BYTES,
    ),
)
"""What makes an event better; the hub takes it all the same."""


def broken(event: Event) -> Rule | None:
    """Return the first MUST that an event breaks, or None."""
    for rule in MUST:
        if not rule.holds(event):
            return rule
    return None


def advice(event: Event) -> tuple[Rule, ...]:
    """Return the SHOULD rules that an event does not follow."""
    return tuple(rule for rule in SHOULD if not rule.holds(event))
