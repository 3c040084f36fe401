"""The rows of bad input that are about `data`, its version, and what was sent before or around it. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from expathub.core.reasons import Reason
from expathub.testing.bad_input.ways import (
    Case,
    Message,
    as_it_is,
    attributes,
    binary,
    data,
    headers,
    key,
    value,
)

R = Reason

BSN: Final = "999990019"
"""A number for tests that passes the eleven test and was never issued."""

TOWN: Final = "maastricht"
RETIRED: Final = ("nl.brp.verhuisd.intergemeentelijk", 1)
"""The version that the tests let end, to see what becomes of a retired one."""

_SCHEMAS: Final = "https://schemas.example"
_ARRIVAL: Final = "nl.expats.aankomst-aangemeld"
_ALMOST: Final = "a" * 16_000


ROWS: Final[Mapping[int, tuple[str, tuple[Case, ...]]]] = {
    41: (
        "Data that is no JSON",
        (
            Case(41, "data twice", R.DATA_TWICE, "/data", attributes(data_base64="e30=")),
            Case(41, "data in base64", R.DATA_BASE64, "/data", attributes(data=..., data_base64="e30=")),
            Case(41, "bad base64", R.DATA_BASE64, "/data", attributes(data=..., data_base64="*")),
            Case(
                41,
                "bytes in binary mode",
                R.CONTENT_TYPE,
                "",
                binary(body=b"\x00\x01", content_type=b"application/octet-stream"),
            ),
            Case(
                41,
                "XML as text",
                R.PROFILE_DATACONTENTTYPE,
                "/datacontenttype",
                attributes(datacontenttype="application/xml", data="<a/>"),
            ),
            Case(
                41,
                "JSON within a string",
                R.SCHEMA,
                "/data",
                lambda event: as_it_is({**event, "data": orjson.dumps(event["data"]).decode()}),
            ),
            Case(41, "no data at all", R.SCHEMA, "/data", attributes(data=...)),
        ),
    ),
    42: (
        "A dataschema that nobody should look up",
        (
            Case(
                42,
                "a relative dataschema",
                R.PROFILE_DATASCHEMA,
                "/dataschema",
                attributes(dataschema="schemas/v1.json"),
            ),
            Case(
                42,
                "a dataschema over HTTP",
                R.PROFILE_DATASCHEMA,
                "/dataschema",
                attributes(dataschema="http://schemas.example/1"),
            ),
            Case(
                42,
                "a file as dataschema",
                R.PROFILE_DATASCHEMA,
                "/dataschema",
                attributes(dataschema="file:///etc/passwd"),
            ),
            Case(
                42,
                "a dataschema of another version",
                R.PROFILE_DATASCHEMA,
                "/dataschema",
                attributes(dataschema=f"{_SCHEMAS}/{_ARRIVAL}/2.json"),
            ),
            Case(
                42,
                "a dataschema with a password",
                R.PROFILE_DATASCHEMA,
                "/dataschema",
                attributes(dataschema="https://u:p@schemas.example/1"),
            ),
            Case(
                42,
                "a dataschema that the hub does not know",
                None,
                "",
                attributes(dataschema=f"{_SCHEMAS}/own/arrival.json"),
            ),
            Case(42, "a dataschema of this version", None, "", attributes(dataschema=f"{_SCHEMAS}/{_ARRIVAL}/1.json")),
        ),
    ),
    43: (
        "A version that is not live",
        (
            Case(
                43,
                "a retired version",
                R.RETIRED_VERSION,
                "/type",
                attributes(type=f"{RETIRED[0]}.v{RETIRED[1]}"),
                TOWN,
            ),
            Case(43, "a version that is not there yet", R.UNKNOWN_VERSION, "/type", attributes(type=f"{_ARRIVAL}.v2")),
            Case(43, "a version that never was", R.UNKNOWN_VERSION, "/type", attributes(type=f"{_ARRIVAL}.v9999")),
            Case(43, "version 0", R.PROFILE_TYPE, "/type", attributes(type=f"{_ARRIVAL}.v0")),
        ),
    ),
    44: (
        "A field that the schema does not know",
        (
            Case(44, "a field too many", R.SCHEMA, "/data", data(extra=1)),
            Case(
                44,
                "a field too many inside",
                R.SCHEMA,
                "/data/naar",
                data(naar={"gemeentecode": "0935", "naam": "x"}),
                TOWN,
            ),
            Case(44, "a number of a person as a field's name", R.SCHEMA, "/data", data(**{BSN: "x"})),
        ),
    ),
    45: (
        "A field that does not fit",
        (
            Case(45, "a field too few", R.SCHEMA, "/data/taal", data(taal=...)),
            Case(45, "null for a field", R.SCHEMA, "/data/taal", data(taal=None)),
            Case(45, "a string for a number", R.SCHEMA, "/data/gezinsdossiers", data(gezinsdossiers="0")),
            Case(45, "a word of no list", R.SCHEMA, "/data/verblijfsdoel", data(verblijfsdoel="vakantie")),
            Case(45, "a number out of its range", R.SCHEMA, "/data/gezinsdossiers", data(gezinsdossiers=21)),
            Case(45, "an array for an object", R.SCHEMA, "/data/naar", data(naar=[]), "maastricht"),
        ),
    ),
    46: (
        "Text made to keep a pattern busy",
        (
            Case(46, "16,000 letters that almost fit a language", R.SCHEMA, "/data/taal", data(taal=_ALMOST + "!")),
            Case(
                46,
                "16,000 digits that almost fit a date",
                R.SCHEMA,
                "/data/verwachteAankomst",
                data(verwachteAankomst="9" * 16_000),
            ),
            Case(
                46,
                "16,000 letters that almost fit a type",
                R.PROFILE_TYPE,
                "/type",
                attributes(type="nl." + "a-" * 8_000),
            ),
            Case(
                46,
                "16,000 letters that almost fit a source",
                R.PROFILE_SOURCE,
                "/source",
                attributes(source="urn:nld:oin:" + _ALMOST),
            ),
            Case(46, "16,000 digits that almost are a BSN", R.PROFILE_ID, "/id", attributes(id="1 " * 8_000)),
            Case(46, "16,000 percent signs", R.PROFILE_DATAREF, "/dataref", attributes(dataref="%" * 16_000)),
        ),
    ),
    48: (
        "Days that do not exist, or are not known",
        (
            Case(48, "30 February in data", R.SCHEMA, "/data/verwachteAankomst", data(verwachteAankomst="2026-02-30")),
            Case(48, "the day 0000-00-00", R.SCHEMA, "/data/verwachteAankomst", data(verwachteAankomst="0000-00-00")),
            Case(48, "29 February 1900", R.SCHEMA, "/data/verwachteAankomst", data(verwachteAankomst="1900-02-29")),
            Case(
                48,
                "a day of which the month is not known",
                R.SCHEMA,
                "/data/verwachteAankomst",
                data(verwachteAankomst="2026-00-00"),
            ),
            Case(
                48,
                "a month 13 in a typed date",
                R.SCHEMA,
                "/data/datumVan/maand",
                data(datumVan={"type": "JaarMaandDatum", "jaar": 2026, "maand": 13}),
                TOWN,
            ),
            Case(
                48,
                "a typed date without a day",
                None,
                "",
                data(datumVan={"type": "JaarMaandDatum", "jaar": 2026, "maand": 5}),
                TOWN,
            ),
            Case(48, "29 February 2000", None, "", data(verwachteAankomst="2000-02-29")),
        ),
    ),
    54: (
        "The same event once more",
        (
            Case(54, "the same bytes", R.DUPLICATE, "", as_it_is, after_good=True),
            Case(
                54,
                "the same event with spaces and sorted names",
                R.DUPLICATE,
                "",
                lambda event: Message(orjson.dumps(event, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)),
                after_good=True,
            ),
            Case(54, "the same event in binary mode", R.DUPLICATE, "", binary(), after_good=True),
            Case(54, "the same event under another key", R.DUPLICATE, "", key(b"k"), after_good=True),
        ),
    ),
    55: (
        "Another event under the same id",
        (
            Case(55, "other data under the same id", R.SAME_ID_OTHER_BYTES, "/id", data(taal="nl"), after_good=True),
            Case(
                55,
                "another time under the same id",
                R.SAME_ID_OTHER_BYTES,
                "/id",
                attributes(time="2026-11-20T09:00:01Z"),
                after_good=True,
            ),
            Case(
                55,
                "another dossier under the same id",
                R.SAME_ID_OTHER_BYTES,
                "/id",
                attributes(subject="3f1c7a52-8d0e-4b6a-9c2f-5e7d1a9b4c60"),
                after_good=True,
            ),
            Case(
                55,
                "a new attribute under the same id",
                R.SAME_ID_OTHER_BYTES,
                "/id",
                attributes(extra="x"),
                after_good=True,
            ),
        ),
    ),
    57: (
        "Another key than the dossier",
        (
            Case(57, "an event without key", None, "", key(None)),
            Case(57, "an event under the key of nothing", None, "", key(b"")),
            Case(57, "an event under another key", None, "", key(b"dossier-1")),
            Case(57, "an event under a key that is no text", None, "", key(b"\xff\xfe")),
        ),
    ),
    58: (
        "A null value",
        (Case(58, "a null value", R.NO_VALUE, "", value(None, key=b"k")),),
    ),
    59: (
        "Headers of a record",
        (
            Case(59, "the header ce_id twice", R.HEADER_TWICE, "/id", binary(("ce_id", b"b"))),
            Case(59, "the content type twice", R.HEADER_TWICE, "", headers(("content-type", b"text/plain"))),
            Case(59, "a header that is no UTF-8", R.HEADER_NOT_TEXT, "", binary(("ce_extra", b"\xff"))),
            Case(59, "another header that is no UTF-8", R.HEADER_NOT_TEXT, "", headers(("trace", b"\xff"))),
            Case(59, "a null header", R.HEADER_NOT_TEXT, "", binary(("ce_extra", None))),
            Case(59, "64 KiB in one header", R.HEADERS_TOO_LARGE, "", binary(("x", b"x" * 65_536))),
        ),
    ),
}
"""By the number of the row: what it is about, and its cases."""
