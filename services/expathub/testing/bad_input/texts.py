"""The rows of bad input that are about a record's text: JSON, encodings, sizes. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Final

from expathub.core.reasons import Reason
from expathub.testing.bad_input.ways import Case, attributes, beside, binary, data, number, swapped, value, whole

R = Reason

_LIMIT: Final = 256 * 1024
_MANY: Final = 100_000
_AS_EN: Final = b'"en"'
_JAVA_TWINS: Final = tuple("".join(parts) for parts in product(("Aa", "BB"), repeat=11))
"""2,048 names with one and the same hash in Java."""


def _named(names: tuple[str, ...]) -> bytes:
    return ",".join(f'"{name}":0' for name in names).encode()


def _nested(depth: int, *, closed: bool = True) -> bytes:
    return b"[" * depth + (b"]" * depth if closed else b"")


def _encoded(encoding: str) -> Case:
    """Make a case of another encoding; only the mark of UTF-8 has a code of its own."""
    sent = f"an event in {encoding.upper()}"
    return Case(14, sent, R.NOT_UTF_8, "", whole(lambda text: text.decode().encode(encoding)))


def _padded(size: int) -> Case:
    outcome = None if size <= _LIMIT else R.TOO_LARGE
    return Case(21, f"an event padded to {size:,} bytes", outcome, "", whole(lambda text: text.ljust(size)))


ROWS: Final[Mapping[int, tuple[str, tuple[Case, ...]]]] = {
    1: (
        "Nothing, or only space",
        (
            Case(1, "an empty value", R.MALFORMED_JSON, "", value(b"")),
            Case(1, "only whitespace", R.MALFORMED_JSON, "", value(b" \n\t\r ")),
            Case(1, "an empty body in binary mode", R.MALFORMED_JSON, "/data", binary(body=b"")),
        ),
    ),
    2: (
        "Half a document, or more than one",
        (
            Case(2, "an event without its last byte", R.MALFORMED_JSON, "", whole(lambda text: text[:-1])),
            Case(2, "an event cut short", R.MALFORMED_JSON, "/data", whole(lambda text: text[:-30])),
            Case(2, "an event with garbage behind it", R.MALFORMED_JSON, "", whole(lambda text: text + b"x")),
            Case(2, "two events in one record", R.MALFORMED_JSON, "", whole(lambda text: text + b"\n" + text)),
            Case(2, "half a body in binary mode", R.MALFORMED_JSON, "/data", binary(body=b'{"taal":')),
        ),
    ),
    3: (
        "A document that is no object",
        (
            Case(3, "an array", R.NOT_AN_OBJECT, "", whole(lambda text: b"[" + text + b"]")),
            Case(3, "a string", R.NOT_AN_OBJECT, "", value(b'"event"')),
            Case(3, "a number", R.NOT_AN_OBJECT, "", value(b"1")),
            Case(3, "a null", R.NOT_AN_OBJECT, "", value(b"null")),
            Case(3, "a boolean", R.NOT_AN_OBJECT, "", value(b"true")),
            Case(3, "an array as data in binary mode", R.SCHEMA, "/data", binary(body=b"[]")),
        ),
    ),
    4: (
        "A member that stands twice",
        (
            Case(4, "an attribute twice", R.DUPLICATE_KEY, "/id", swapped(b'{"spec', b'{"id":"a","spec')),
            Case(4, "a member of data twice", R.DUPLICATE_KEY, "/data", beside(b'"taal":"nl"')),
            Case(4, "a member twice with the same value", R.DUPLICATE_KEY, "/data", beside(b'"taal":"en"')),
            Case(4, "a member twice, once as an escape", R.DUPLICATE_KEY, "/data", beside(b'"\\u0074aal":"nl"')),
            Case(
                4, "an attribute twice, once as an escape", R.DUPLICATE_KEY, "/id", swapped(b"{", b'{"\\u0069d":"a",')
            ),
            Case(4, "a member far inside twice", R.DUPLICATE_KEY, "/data", beside(b'"x":[{"y":{"z":1,"z":2}}]')),
            Case(
                4, "a member of the body twice in binary mode", R.DUPLICATE_KEY, "/data", binary(body=b'{"a":1,"a":1}')
            ),
        ),
    ),
    5: (
        "Names that Unicode composes in two ways",
        (
            Case(5, "two names equal in form C", R.SIMILAR_KEY, "/data", beside('"\u00e9":1,"e\u0301":2'.encode())),
            Case(5, "two names equal in form C, as escapes", R.SIMILAR_KEY, "/data", beside(rb'"\u212b":1,"\u00c5":2')),
            Case(5, "two such attributes", R.SIMILAR_KEY, "", swapped(b"{", '{"\u00e9":"1","e\u0301":"2",'.encode())),
        ),
    ),
    6: (
        "What JSON has no number for",
        (
            Case(6, "NaN", R.NOT_A_NUMBER, "/data", number(b"NaN")),
            Case(6, "Infinity", R.NOT_A_NUMBER, "/data", number(b"Infinity")),
            Case(6, "-Infinity", R.NOT_A_NUMBER, "/data", number(b"-Infinity")),
            Case(6, "NaN in binary mode", R.NOT_A_NUMBER, "/data", binary(body=b'{"x":NaN}')),
        ),
    ),
    7: (
        "Numbers that no double holds",
        (
            Case(7, "1e400", R.NUMBER_OUT_OF_RANGE, "/data", number(b"1e400")),
            Case(7, "-1e400", R.NUMBER_OUT_OF_RANGE, "/data", number(b"-1e400")),
            Case(7, "an integer of 4,301 digits", R.NUMBER_OUT_OF_RANGE, "/data", number(b"9" * 4_301)),
            Case(7, "an integer of 100,000 digits", R.NUMBER_OUT_OF_RANGE, "/data", number(b"9" * _MANY)),
        ),
    ),
    8: (
        "Integers that readers disagree about",
        (
            Case(8, "2^53 + 1", R.NUMBER_OUT_OF_RANGE, "/data", number(b"9007199254740993")),
            Case(8, "2^64", R.NUMBER_OUT_OF_RANGE, "/data", number(b"18446744073709551616")),
            Case(8, "-0", R.NEGATIVE_ZERO, "/data", number(b"-0")),
            Case(8, "1E2 where at most 20 is allowed", R.SCHEMA, "/data/gezinsdossiers", number(b"1E2")),
            Case(8, "1.5 for an integer", R.SCHEMA, "/data/gezinsdossiers", number(b"1.5")),
            Case(8, "1.0 for an integer", None, "", number(b"1.0")),
            Case(8, "1E1 for an integer", None, "", number(b"1E1")),
        ),
    ),
    9: (
        "Documents that are too deep",
        (
            Case(9, "33 levels", R.TOO_DEEP, "/data", beside(b'"x":' + _nested(31))),
            Case(9, "1,000 levels", R.TOO_DEEP, "/data", beside(b'"x":' + _nested(1_000))),
            Case(9, "100,000 levels", R.TOO_DEEP, "/data", beside(b'"x":' + _nested(_MANY))),
            Case(9, "100,000 levels that are never closed", R.TOO_DEEP, "", value(_nested(_MANY, closed=False))),
            Case(9, "40,000 objects that are never closed", R.TOO_DEEP, "", value(b'{"a":' * 40_000)),
            Case(9, "32 levels of unknown content", R.SCHEMA, "/data", beside(b'"x":' + _nested(30))),
        ),
    ),
    10: (
        "Too many members",
        (
            Case(10, "2,001 members", R.TOO_MANY_MEMBERS, "/data", beside(_named(tuple(map(str, range(1_994 + 1)))))),
            Case(10, "20,000 members", R.TOO_MANY_MEMBERS, "/data", beside(_named(tuple(map(str, range(20_000)))))),
            Case(10, "200,000 members", R.TOO_LARGE, "", beside(_named(tuple(map(str, range(200_000)))))),
            Case(10, "2,048 names with one hash", R.TOO_MANY_MEMBERS, "/data", beside(_named(_JAVA_TWINS))),
            Case(10, "1,024 names with one hash", R.SCHEMA, "/data", beside(_named(_JAVA_TWINS[:1_024]))),
            Case(10, "10,001 values", R.TOO_MANY_VALUES, "/data", beside(b'"x":[' + b"0," * 10_000 + b"0]")),
        ),
    ),
    11: (
        "Text that is too long",
        (
            Case(11, "a string of 16,385 characters", R.STRING_TOO_LONG, "/data", data(taal="x" * 16_385)),
            Case(11, "an attribute of 16,385 characters", R.STRING_TOO_LONG, "", attributes(extra="x" * 16_385)),
            Case(11, "an attribute of 16,384 characters", None, "", attributes(extra="x" * 16_384)),
            Case(11, "a name of 16,385 characters", R.STRING_TOO_LONG, "/data", data(**{"x" * 16_385: 0})),
            Case(11, "a name of 1 MiB", R.TOO_LARGE, "", data(**{"x" * 2**20: 0})),
        ),
    ),
    12: (
        "Bytes that are no UTF-8",
        (
            Case(12, "bytes that are never UTF-8", R.NOT_UTF_8, "", swapped(_AS_EN, b'"\xff\xfe"')),
            Case(12, "Latin-1", R.NOT_UTF_8, "", swapped(_AS_EN, '"Curaçao"'.encode("latin-1"))),
            Case(12, "an overlong sequence", R.NOT_UTF_8, "", swapped(_AS_EN, b'"\xc0\xaf"')),
            Case(12, "a sequence cut short", R.NOT_UTF_8, "", swapped(_AS_EN, b'"\xe2\x82"')),
            Case(12, "half a surrogate pair as bytes", R.NOT_UTF_8, "", swapped(_AS_EN, b'"\xed\xa0\x80"')),
            Case(12, "such bytes in binary mode", R.NOT_UTF_8, "/data", binary(body=b'{"x":"\xff"}')),
        ),
    ),
    13: (
        "Escapes that are no character",
        (
            Case(13, "half a surrogate pair", R.LONE_SURROGATE, "/data", swapped(_AS_EN, rb'"\ud800"')),
            Case(
                13,
                "a surrogate pair the wrong way round",
                R.LONE_SURROGATE,
                "/data",
                swapped(_AS_EN, rb'"\udc00\ud800"'),
            ),
            Case(13, "the noncharacter U+FFFE", R.FORBIDDEN_CHARACTER, "/data", swapped(_AS_EN, rb'"\ufffe"')),
            Case(13, "half a pair in an attribute", R.LONE_SURROGATE, "/id", swapped(b'"id":"', rb'"id":"\udfff')),
        ),
    ),
    14: (
        "Another encoding",
        (
            Case(14, "UTF-8 with a byte order mark", R.BYTE_ORDER_MARK, "", whole(lambda text: b"\xef\xbb\xbf" + text)),
            *map(_encoded, ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")),
        ),
    ),
    15: (
        "Control characters",
        (
            Case(15, "NUL as an escape", R.FORBIDDEN_CHARACTER, "/data", data(taal="e\0n")),
            Case(15, "NUL as a byte", R.MALFORMED_JSON, "/data", swapped(_AS_EN, b'"e\0n"')),
            Case(15, "a sequence that colours a terminal", R.FORBIDDEN_CHARACTER, "/data", data(taal="\x1b[31men")),
            Case(15, "a terminal sequence of one character", R.FORBIDDEN_CHARACTER, "/data", data(taal="\x9b31men")),
            Case(15, "DEL", R.FORBIDDEN_CHARACTER, "/data", data(taal="\x7f")),
            Case(15, "a line end in an attribute", R.FORBIDDEN_CHARACTER, "/id", attributes(id="a\nlevel=error")),
            Case(15, "a terminal sequence in a header", R.FORBIDDEN_CHARACTER, "/id", binary(id="\x1b]0;x\x07")),
            Case(15, "a control character in a name", R.FORBIDDEN_CHARACTER, "/data", data(**{"x\x1b": 0})),
        ),
    ),
    21: (
        "Events at and over the limit",
        tuple(map(_padded, (_LIMIT, _LIMIT + 1, 2 * 2**20, 100 * _LIMIT))),
    ),
}
"""By the number of the row: what it is about, and its cases."""
