"""The rows of bad input that are about headers, attributes and the sender. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from expathub.core.reasons import Flag, Reason
from expathub.testing.bad_input.ways import (
    GOOD,
    STRUCTURED,
    Case,
    Message,
    as_it_is,
    attributes,
    binary,
    data,
    headers,
    key,
    media,
    whole,
    written,
)

R = Reason

BSN: Final = "999990019"
"""A number for tests that passes the eleven test and was never issued."""

TOWN: Final = "maastricht"

_IND: Final = "urn:nld:oin:00000099000100002000:systeem:verblijfszaken"
_HUB: Final = "urn:nld:oin:00000099000100009000:systeem:expathub"
_ARRIVAL: Final = "nl.expats.aankomst-aangemeld"


def _percent(text: str) -> str:
    return "".join(f"%{ord(character):02X}" for character in text)


def _of_another(event: dict[str, object]) -> Message:
    """Send a whole event of another partner, as a client does that mixes up its topics."""
    return as_it_is({**event, **GOOD[TOWN]})


ROWS: Final[Mapping[int, tuple[str, tuple[Case, ...]]]] = {
    24: (
        "Too many headers, too large, or more than a line",
        (
            Case(24, "an event with 64 headers", None, "", headers(*((f"x{n}", b"") for n in range(63)))),
            Case(24, "65 headers", R.HEADERS_TOO_LARGE, "", headers(*((f"x{n}", b"") for n in range(64)))),
            Case(24, "more than 16 KiB of headers", R.HEADERS_TOO_LARGE, "", headers(("x", b"x" * 16_384))),
            Case(24, "NUL in a header", R.FORBIDDEN_CHARACTER, "/subject", binary(subject="a\0b")),
            Case(24, "a line end in a header", R.FORBIDDEN_CHARACTER, "/source", binary(source="a\r\nce_id: b")),
            Case(24, "a line end in a header's name", R.ATTRIBUTE_NAME, "", binary(("ce_a\r\nb", b"x"))),
        ),
    ),
    26: (
        "Another media type",
        (
            Case(26, "no content type", R.CONTENT_TYPE, "", media(None)),
            Case(26, "an empty content type", R.CONTENT_TYPE, "", media(b"")),
            Case(26, "plain JSON without attributes", R.CONTENT_TYPE, "", media(b"application/json")),
            Case(26, "plain text", R.CONTENT_TYPE, "", media(b"text/plain")),
            Case(26, "the charset UTF-7", R.CONTENT_TYPE, "", media(b"application/cloudevents+json; charset=utf-7")),
            Case(26, "a form", R.CONTENT_TYPE, "", media(b"application/x-www-form-urlencoded")),
            Case(26, "a form of parts", R.CONTENT_TYPE, "", media(b"multipart/form-data; boundary=x")),
            Case(26, "an event in Avro", R.CONTENT_TYPE, "", media(b"application/cloudevents+avro")),
            Case(26, "a batch", R.BATCH, "", media(b"application/cloudevents-batch+json")),
            Case(
                26, "UTF-16 in binary mode", R.CONTENT_TYPE, "", binary(content_type=b"application/json;charset=utf-16")
            ),
            Case(26, "a media type in capitals", None, "", media(b"Application/CloudEvents+JSON; Charset=UTF-8")),
        ),
    ),
    29: (
        "Another version of CloudEvents",
        (
            Case(29, "no specversion", R.PROFILE_SPECVERSION, "/specversion", attributes(specversion=...)),
            Case(29, "specversion null", R.PROFILE_SPECVERSION, "/specversion", attributes(specversion=None)),
            Case(29, "specversion 0.3", R.PROFILE_SPECVERSION, "/specversion", attributes(specversion="0.3")),
            Case(29, "specversion 1.1", R.PROFILE_SPECVERSION, "/specversion", attributes(specversion="1.1")),
            Case(29, "specversion as a number", R.ATTRIBUTE_VALUE, "/specversion", attributes(specversion=1.0)),
            Case(29, "no specversion in binary mode", R.PROFILE_SPECVERSION, "/specversion", binary(specversion=...)),
        ),
    ),
    30: (
        "An id that is none",
        (
            Case(30, "no id", R.PROFILE_ID, "/id", attributes(id=...)),
            Case(30, "an empty id", R.PROFILE_ID, "/id", attributes(id="")),
            Case(30, "an id of 1 KiB", R.PROFILE_ID, "/id", attributes(id="x" * 1_024)),
            Case(30, "a full stop in the id", R.PROFILE_ID, "/id", attributes(id="aankomst.7")),
            Case(30, "a control character in the id", R.FORBIDDEN_CHARACTER, "/id", attributes(id="a\x07b")),
            Case(30, "an id that is a number", R.ATTRIBUTE_VALUE, "/id", attributes(id=7)),
        ),
    ),
    31: (
        "A source that is none",
        (
            Case(31, "no source", R.PROFILE_SOURCE, "/source", attributes(source=...)),
            Case(31, "words as source", R.PROFILE_SOURCE, "/source", attributes(source="the expat centre")),
            Case(31, "a relative source", R.PROFILE_SOURCE, "/source", attributes(source="/expatbalie")),
            Case(
                31,
                "an OIN of 19 digits",
                R.PROFILE_SOURCE,
                "/source",
                attributes(source="urn:nld:oin:0000009900010000100:systeem:x"),
            ),
            Case(
                31,
                "a source that nobody has",
                R.NOT_YOUR_SOURCE,
                "/source",
                attributes(source="https://nobody.example/"),
            ),
        ),
    ),
    32: (
        "Another partner's source",
        (
            Case(32, "the source of the IND", R.NOT_YOUR_SOURCE, "/source", attributes(source=_IND)),
            Case(32, "the source of the hub", R.NOT_YOUR_SOURCE, "/source", attributes(source=_HUB)),
            Case(32, "the source of a municipality", R.NOT_YOUR_SOURCE, "/source", binary(source=GOOD[TOWN]["source"])),
            Case(
                32,
                "the own source in capitals",
                R.PROFILE_SOURCE,
                "/source",
                whole(lambda text: text.replace(b"urn:nld:oin", b"URN:NLD:OIN")),
            ),
        ),
    ),
    33: (
        "A type that is none, or not the sender's",
        (
            Case(
                33,
                "a type that nobody knows",
                R.UNKNOWN_TYPE,
                "/type",
                attributes(type="nl.expats.koffie-gedronken.v1"),
            ),
            Case(
                33,
                "a type of the IND",
                R.NOT_YOUR_TYPE,
                "/type",
                attributes(type="nl.verblijfsvergunningen.vergunning-verleend.v1"),
            ),
            Case(33, "a type in capitals", R.PROFILE_TYPE, "/type", attributes(type="nl.expats.Aankomst-aangemeld.v1")),
            Case(33, "two versions in the type", R.PROFILE_TYPE, "/type", attributes(type=f"{_ARRIVAL}.v1.v2")),
            Case(33, "no version in the type", R.PROFILE_TYPE, "/type", attributes(type=_ARRIVAL)),
            Case(33, "no type", R.PROFILE_TYPE, "/type", attributes(type=...)),
            Case(
                33,
                "another municipality's event",
                R.NOT_YOUR_MUNICIPALITY,
                "/data/naar/gemeentecode",
                data(naar={"gemeentecode": "0917"}),
                TOWN,
            ),
        ),
    ),
    34: (
        "An event in a topic where it does not belong",
        (
            Case(
                34, "a whole event of a municipality in the centre's outbox", R.NOT_YOUR_SOURCE, "/source", _of_another
            ),
            Case(
                34,
                "a municipality's type under the own source",
                R.NOT_YOUR_TYPE,
                "/type",
                lambda event: as_it_is({**event, **GOOD[TOWN], "source": event["source"]}),
            ),
            Case(
                34,
                "a receipt of the hub",
                R.NOT_YOUR_TYPE,
                "/type",
                attributes(type="nl.expathub.gebeurtenis-geweigerd.v1"),
            ),
            Case(34, "a command of an operator", R.NOT_YOUR_TYPE, "/type", attributes(type="nl.expathub.gewist.v1")),
        ),
    ),
    35: (
        "A time that is none, or odd",
        (
            Case(35, "a time without zone", R.PROFILE_TIME, "/time", attributes(time="2026-11-20T09:00:00")),
            Case(35, "24:00", R.PROFILE_TIME, "/time", attributes(time="2026-11-20T24:00:00Z")),
            Case(35, "a leap second", R.PROFILE_TIME, "/time", attributes(time="2016-12-31T23:59:60Z")),
            Case(35, "the year 0", R.PROFILE_TIME, "/time", attributes(time="0000-01-01T00:00:00Z")),
            Case(35, "the year 9999", R.PROFILE_TIME, "/time", attributes(time="9999-12-31T23:59:59Z")),
            Case(35, "30 February", R.PROFILE_TIME, "/time", attributes(time="2026-02-30T09:00:00Z")),
            Case(35, "a date alone", R.PROFILE_TIME, "/time", attributes(time="2026-11-20")),
            Case(35, "a time far ahead", None, "", attributes(time="2999-01-01T00:00:00Z"), flags=(Flag.TIME_AHEAD,)),
            Case(
                35, "a time long past", None, "", attributes(time="2001-01-01T00:00:00+01:00"), flags=(Flag.TIME_OLD,)
            ),
            Case(35, "an event without time", None, "", attributes(time=...)),
        ),
    ),
    36: (
        "A number of a person where everybody sees it",
        (
            Case(36, "a BSN as subject", R.BSN_IN_ATTRIBUTE, "/subject", attributes(subject=BSN)),
            Case(36, "a BSN in the id", R.BSN_IN_ATTRIBUTE, "/id", attributes(id=f"aankomst:{BSN}")),
            Case(
                36,
                "a BSN in a reference",
                R.BSN_IN_ATTRIBUTE,
                "/dataref",
                attributes(dataref=f"https://x.example/?bsn={BSN}"),
            ),
            Case(36, "a BSN in an attribute of its own", R.BSN_IN_ATTRIBUTE, "", attributes(bsn=BSN)),
            Case(36, "a BSN as the name of an attribute", R.BSN_IN_ATTRIBUTE, "", attributes(**{BSN: "x"})),
            Case(36, "a BSN as the record's key", R.BSN_IN_ATTRIBUTE, "", key(BSN.encode())),
            Case(36, "a BSN in a header", R.BSN_IN_ATTRIBUTE, "/correlationid", binary(correlationid=BSN)),
            Case(36, "a V-number as subject", R.PROFILE_SUBJECT, "/subject", attributes(subject="1234567890")),
            Case(36, "a name as subject", R.PROFILE_SUBJECT, "/subject", attributes(subject="Noor Verzonnen")),
        ),
    ),
    37: (
        "Extension attributes that are none",
        (
            Case(37, "a capital in a name", R.ATTRIBUTE_NAME, "", attributes(Extra="x")),
            Case(37, "a name of 21 letters", R.ATTRIBUTE_NAME, "", attributes(**{"a" * 21: "x"})),
            Case(37, "a name with a dash", R.ATTRIBUTE_NAME, "", attributes(**{"my-own": "x"})),
            Case(37, "an object as value", R.ATTRIBUTE_VALUE, "", attributes(extra={"a": 1})),
            Case(37, "a fraction as value", R.ATTRIBUTE_VALUE, "", attributes(extra=1.5)),
            Case(37, "an integer of more than 32 bits", R.ATTRIBUTE_VALUE, "", attributes(extra=2**31)),
            Case(37, "a name that is the hub's own", R.RESERVED_ATTRIBUTE, "", attributes(huborigin="x")),
            Case(37, "the hub's own name in binary mode", R.RESERVED_ATTRIBUTE, "", binary(("ce_hubpartner", b"ind"))),
            Case(37, "a sender's own hub-* header, renamed,", None, "", headers(("hub-partner", b"ind"))),
        ),
    ),
    38: (
        "Both modes at once",
        (
            Case(
                38,
                "an id that differs between header and body",
                R.HEADER_DIFFERS,
                "/id",
                headers(("ce_id", b"another")),
            ),
            Case(38, "an attribute in a header alone", R.HEADER_DIFFERS, "", headers(("ce_extra", b"x"))),
            Case(
                38,
                "attributes in headers under the other media type",
                R.ATTRIBUTE_NAME,
                "",
                binary(content_type=STRUCTURED[0][1] or b""),
            ),
            Case(
                38,
                "a whole event as body in binary mode",
                R.SCHEMA,
                "/data/wijziging",
                lambda event: binary(body=written(event))(event),
            ),
            Case(38, "data as a header", R.RESERVED_ATTRIBUTE, "/data", binary(("ce_data", b"{}"))),
            Case(
                38,
                "an event whose headers repeat its attributes",
                None,
                "",
                lambda event: headers(("ce_id", event["id"].encode()))(event),
            ),
        ),
    ),
    39: (
        "Percent signs in `ce_` headers: on Kafka nothing is decoded",
        (
            Case(
                39, "a broken escape in the source", R.PROFILE_SOURCE, "/source", binary(source="https://x.example/%zz")
            ),
            Case(
                39,
                "the source with an escape",
                R.PROFILE_SOURCE,
                "/source",
                lambda event: binary(source=event["source"].replace("e", "%65"))(event),
            ),
            Case(
                39,
                "the source escaped twice",
                R.PROFILE_SOURCE,
                "/source",
                lambda event: binary(source=event["source"].replace("e", "%2565"))(event),
            ),
            Case(
                39,
                "an overlong escape in the source",
                R.NOT_YOUR_SOURCE,
                "/source",
                binary(source="https://x.example/%C0%AF"),
            ),
            Case(
                39,
                "the subject as escapes",
                R.PROFILE_SUBJECT,
                "/subject",
                lambda event: binary(subject=_percent(event["subject"]))(event),
            ),
            Case(
                39,
                "a BSN as escapes",
                R.BSN_IN_ATTRIBUTE,
                "/dataref",
                binary(dataref=f"https://x.example/{_percent(BSN)}"),
            ),
            Case(
                39,
                "a BSN escaped twice",
                R.BSN_IN_ATTRIBUTE,
                "/dataref",
                binary(dataref="https://x.example/" + _percent(BSN).replace("%", "%25")),
            ),
            Case(39, "a percent sign in an id", None, "", binary(id="50%25-%zz")),
        ),
    ),
}
"""By the number of the row: what it is about, and its cases."""
