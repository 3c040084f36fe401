"""Strict JSON: what is a fault and where, and that the quick way and the exact way never disagree."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.core import strict_json
from expathub.core.reasons import Reason
from expathub.core.strict_json import JsonError, parse, parse_exactly

MANY = 100_000


def fault_of(document: bytes) -> tuple[Reason, tuple[str | int, ...]]:
    """Return the fault that both ways find, and show that it is one."""
    with pytest.raises(JsonError) as exact:
        parse_exactly(document)
    with pytest.raises(JsonError) as quick:
        parse(document)
    assert (exact.value.reason, exact.value.path) == (quick.value.reason, quick.value.path)
    return quick.value.reason, quick.value.path


FAULTS: dict[Reason, list[bytes]] = {
    Reason.MALFORMED_JSON: [
        *(b"", b" ", b"\t\r\n", b'{"a":1', b'{"a":1}}', b'{"a":1} {}', b"{} x", b'{"a"}', b'{"a":}', b"{,}"),
        *(b"[1,]", b'{"a":1,}', b"[1 2]", b"// no\n{}", b"/* */ {}", b"{'a':1}", b"{a:1}", b"#", b"nul", b"True"),
        *(b"01", b"+1", b".5", b"1.", b"1e", b"-", b"0x10", b"1_000", b'"open', b'"\\x41"', b'"\\u12"', b'"a\nb"'),
        *(b'{"a":1]', b"[1}", b"\x0b{}", b"\xc2\xa0{}", b"{}\x00\x00", b'{"a" 1}', b'{1:"a"}', b"[" * 31),
    ],
    Reason.NOT_UTF_8: [
        *(b'"\xff"', b'"\xc0\xaf"', b'"\xe2\x82"', b'"\xed\xa0\x80"', b'"\xf5\x80\x80\x80"', b'{"\xe9":1}'),
        *("{}".encode(code) for code in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32")),
    ],
    Reason.BYTE_ORDER_MARK: [b"\xef\xbb\xbf{}", b"\xef\xbb\xbf", "\ufeff{}".encode()],
    Reason.LONE_SURROGATE: [rb'"\ud800"', rb'"\udc00\ud800"', rb'"\ud83d\u0041"', rb'{"\udfff":1}', rb'"\ud800\ud800"'],
    Reason.FORBIDDEN_CHARACTER: [
        *(
            rb'"\u0000"',
            rb'"\u001b[31m"',
            rb'"\b"',
            rb'"\f"',
            b'"\x7f"',
            rb'"\u0085"',
            '"\x9b"'.encode(),
            b'{"\x7f":1}',
        ),
        *('"\ufffe"'.encode(), '"\uffff"'.encode(), '"\ufdd0"'.encode(), '"\U0010ffff"'.encode(), rb'"\ufffe"'),
        rb'"\\\u0007"',
    ],
    Reason.NOT_A_NUMBER: [b"NaN", b"Infinity", b"-Infinity", b'{"a":NaN}', b"[1,-Infinity]", b"-NaN"],
    Reason.NUMBER_OUT_OF_RANGE: [
        *(b"1e400", b"-1e400", b"1" * 4_301, b"-" + b"9" * 400, b"9007199254740992", b"-9007199254740992"),
        *(b"18446744073709551616", b"[18446744073709551616 ]", b'{"a":-9223372036854775809}', b"1" * MANY),
    ],
    Reason.NEGATIVE_ZERO: [b"-0", b"[-0]", b'{"a": -0}', b'{"a":-0 }', b"[1,-0,2]"],
    Reason.DUPLICATE_KEY: [
        *(b'{"a":1,"a":1}', b'{"a":1,"a":2}', rb'{"a":1,"\u0061":1}', b'{"a" :1,"b":2,"b":3}', b'{"":1,"":2}'),
        *(b'[{"a":{"b":1, "c":":", "b":2}}]', rb'{"\"":1,"\u0022":2}', b'{"a":{"x":1},"a":{"x":1}}'),
    ],
    Reason.SIMILAR_KEY: [
        '{"\u00e9":1,"e\u0301":2}'.encode(),
        rb'{"\u00e9":1,"e\u0301":2}',
        '{"\u212b":1,"\u00c5":2}'.encode(),
    ],
    Reason.TOO_DEEP: [
        *(b"[" * 33 + b"]" * 33, b'{"a":' * 33 + b"1" + b"}" * 33, b"[" * 1_000 + b"]" * 1_000),
        *(b"[" * MANY + b"]" * MANY, b"[" * MANY, b'{"a":[' * 20_000),
    ],
    Reason.TOO_MANY_MEMBERS: [orjson.dumps({f"k{number}": 0 for number in range(count)}) for count in (2_001, 9_000)],
    Reason.TOO_MANY_VALUES: [
        orjson.dumps([0] * 10_000),
        b"[" + b",".join([b"{}"] * 10_000) + b"]",
        json.dumps([[0] * 99] * 101).encode(),
    ],
    Reason.STRING_TOO_LONG: [
        orjson.dumps("x" * 16_385),
        orjson.dumps({"k" * 16_385: 1}),
        b'["' + b"\\n" * 16_385 + b'"]',
    ],
}


@pytest.mark.parametrize(
    ("reason", "document"),
    [
        pytest.param(reason, document, id=f"{reason.value}-{index}")
        for reason in FAULTS
        for index, document in enumerate(FAULTS[reason])
    ],
)
def test_each_fault_has_its_own_code_on_both_ways(reason: Reason, document: bytes) -> None:
    assert reason is fault_of(document)[0]


def test_a_document_over_the_limit_is_not_read_at_all() -> None:
    limit = strict_json.DOCUMENT_BYTES_MAX

    assert parse(b"{}".ljust(limit))[0] == {}
    with pytest.raises(JsonError) as fault:
        parse(b"{}".ljust(limit + 1))
    assert fault.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (b'{"a":{"b":[1,{"c":NaN}]}}', ("a", "b", 1, "c")),
        (b'{"a":{"b":1,"b":2}}', ("a", "b")),
        (b'[0,"\x7f"]', (1,)),
        (b'{"a":{"\x7f":1}}', ("a",)),
        (b'{"a":[1,2 3]}', ("a",)),
        (b'{"a":[],"b":{},"c":-0}', ("c",)),
    ],
)
def test_a_fault_says_where_it_is(document: bytes, path: tuple[str | int, ...]) -> None:
    assert path == fault_of(document)[1]


def test_a_fault_shows_nothing_of_the_document_in_its_words() -> None:
    with pytest.raises(JsonError) as fault:
        parse(b'{"999990342":{"x":1,"x":2}}')

    assert str(fault.value) == "duplicate-key"


GOOD: list[bytes] = [
    *(b"null", b"true", b"false", b"0", b"-1", b"1.50", b"1E2", b"1e22", b"-0.0", b"1e-400", b'""', b"[]", b"{}"),
    *(b" { } ", b'\r\n\t[ 1 , "a" ]\n', b"9007199254740991", b"-9007199254740991", rb'"\/"', rb'"\u00e9\ud83d\ude00"'),
    *(b"[" * 32 + b"]" * 32, b'{"a":' * 32 + b"1" + b"}" * 32, rb'"C:\\bin\\ut"', rb'"\n\r\t\"\\"'),
    *('"\u00a0\u200b\u202e\ue000\u00ad"'.encode(), '{"e\u0301":1}'.encode(), '["\u00e9","e\u0301"]'.encode()),
    *(orjson.dumps({f"k{number}": 0 for number in range(2_000)}), orjson.dumps([0] * 9_999)),
    *(orjson.dumps("x" * 16_384), orjson.dumps({"k" * 16_384: "{[" * 100}), b'{"a":":","b" : "::"}'),
    *(b'{"a":"-0","b": "x,-0"}', b'{"t":"2026-01-01T00:00:00-00:00", "n": 0}', rb'{"b":"\u0061:","a":"\"b\":1"}'),
]


@pytest.mark.parametrize("document", GOOD, ids=range(len(GOOD)))
def test_what_is_good_is_read_as_any_reader_would(document: bytes) -> None:
    tree, canonical = parse(document)

    assert json.loads(document) == tree == parse_exactly(document)
    assert orjson.dumps(json.loads(document), option=orjson.OPT_SORT_KEYS) == canonical


def test_a_lower_limit_of_depth_is_kept_on_both_ways() -> None:
    document = b"[" * 32 + b"]" * 32

    for read in (parse, parse_exactly):
        with pytest.raises(JsonError) as fault:
            read(document, depth_max=31)
        assert fault.value.reason is Reason.TOO_DEEP


# --- properties --------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["", "a", "b", ":", '"', "\\", "-0", "e+"])
NUMBERS = st.sampled_from(
    [
        *(
            b"0",
            b"-0",
            b"-0.0",
            b"1",
            b"1e2",
            b"1E+2",
            b"0.10",
            b"1e400",
            b"1e15",
            b"1e16",
            b"-1e-400",
            b"9007199254740991",
        ),
        *(
            b"9007199254740992",
            b"18446744073709551615",
            b"18446744073709551616",
            b"-9223372036854775809",
            b"1" * 30,
            b"NaN",
        ),
    ]
)
SPACES = st.sampled_from([b"", b"", b" ", b"\n", b"\t\r"])


@st.composite
def strings(draw: st.DrawFn) -> bytes:
    """Write a string plainly, or with escapes that nobody needs."""
    text = draw(TEXTS)
    if draw(st.booleans()):
        return orjson.dumps(text)
    units = text.encode("utf-16-be")
    return b'"' + b"".join(b"\\u%02x%02x" % (units[at], units[at + 1]) for at in range(0, len(units), 2)) + b'"'


def containers(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Write arrays and objects, whose names may well repeat."""
    spaced = st.tuples(SPACES, inner, SPACES).map(b"".join)
    members = st.tuples(SPACES, strings(), SPACES, st.just(b":"), spaced).map(b"".join)
    arrays = st.lists(spaced, max_size=4).map(lambda parts: b"[" + b",".join(parts) + b"]")
    return arrays | st.lists(members, max_size=4).map(lambda parts: b"{" + b",".join(parts) + b"}")


DOCUMENTS = st.recursive(st.sampled_from([b"null", b"true", b"false"]) | NUMBERS | strings(), containers, max_leaves=12)


def outcome(read: Any, document: bytes) -> Any:
    """Return what comes of reading, so that 1, 1.0 and true differ."""
    try:
        tree = read(document)
    except JsonError as fault:
        return fault.reason, fault.path
    return orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)


@settings(deadline=None)
@given(st.one_of(DOCUMENTS, st.binary(max_size=40), st.binary(max_size=8).map(lambda tail: b'{"a":1' + tail)))
def test_both_ways_agree_on_any_bytes(document: bytes) -> None:
    assert outcome(parse_exactly, document) == outcome(lambda given: parse(given)[0], document)


@settings(deadline=None)
@given(DOCUMENTS)
def test_whatever_is_accepted_is_what_the_standard_library_reads(document: bytes) -> None:
    try:
        tree, canonical = parse(document)
    except JsonError:
        return
    pairs: list[int] = []

    def note(members: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs.append(len(members) - len(dict(members)))
        return dict(members)

    assert json.loads(document, object_pairs_hook=note) == tree
    assert not any(pairs)
    assert json.loads(canonical) == tree


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh", max_size=3), inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(VALUES, st.fixed_dictionaries({"indent": st.sampled_from([None, 2]), "ensure_ascii": st.booleans()}))
def test_all_ways_to_write_a_value_have_one_canonical_form(value: Any, manner: dict[str, Any]) -> None:
    written = json.dumps(value, **manner).encode()

    assert orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == parse(written)[1]
    assert parse(written)[1] == parse(parse(written)[1])[1]
