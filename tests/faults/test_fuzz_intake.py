"""Endless nonsense for intake: whatever is sent, an event or a refusal comes out, and the plain reader agrees.

`make faults` sends a million records, `FUZZ=` says otherwise; a finding is a seed and a number, and
`Mutator.record(seed, number)` makes the record again. `SEED=` repeats a run; `FUZZ_RESULT=` names a file for figures.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from random import SystemRandom
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.configuration import load
from expathub.core import cloudevents, decode, refusing, strict_json
from expathub.core.configuration import Configuration
from expathub.core.event import Event, Refusal
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Position
from expathub.shipped import shipped
from expathub.testing.bad_input import ways
from expathub.testing.fuzzing.checking import Checker, FoundError, Report, Stopwatch, run, seedlings
from expathub.testing.fuzzing.mutating import Mutator
from expathub.testing.fuzzing.reading import NotStrictError, read_slowly

DAY = date(2026, 11, 20)
IS_FULL = os.environ.get("EXPATHUB_TEST_FAULTS") == "full"
COUNT = int(os.environ.get("FUZZ") or (1_000_000 if IS_FULL else 20_000))
SEED = int(os.environ.get("SEED") or (SystemRandom().randrange(2**32) if IS_FULL else 1))
RESULT = os.environ.get("FUZZ_RESULT")
TEST_SECONDS = 600 + COUNT // 50  # far more than it takes, for a machine that has other things to do


@cache
def configuration() -> Configuration:
    return load(shipped("deploy", "partners.yaml"), shipped("schemas"))


@pytest.mark.timeout(TEST_SECONDS)
def test_whatever_is_sent_an_event_or_a_refusal_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    def say(report: Report) -> None:
        with capsys.disabled():
            print(f"\n{report.line()}", end="", flush=True)  # noqa: T201 (progress of a long run, for whoever waits)

    report = run(configuration(), seed=SEED, count=COUNT, day=DAY, progress=say)

    say(report)
    if RESULT:
        Path(RESULT).write_text(json.dumps(report.as_json(), indent=1) + "\n", "utf-8")
    assert report.inputs == COUNT
    if COUNT >= 20_000:
        assert report.outcomes["accepted"] > COUNT / 20, "enough of it is good to be judged by all rules"
        assert report.outcomes["duplicate"] > 0
        assert sum(word.startswith("refused") for word in report.outcomes) > 40, "most codes turn up"


# --- the same with Hypothesis, which makes small what it finds -------------------------------------------------------


@cache
def checker() -> Checker:
    return Checker(configuration())


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce_id", "ce_source", "ce_type", "ce_time", "ce_x", "x", "hub-code", "ce_"]),
        st.none() | st.binary(max_size=30) | st.sampled_from([b"application/cloudevents+json", b"application/json"]),
    ),
    max_size=6,
).map(tuple)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
NAMES = st.sampled_from(sorted([*cloudevents.KINDS, "data", "data_base64"])) | st.text(max_size=6)


def record(value: bytes | None, headers: Any = ways.STRUCTURED, key: bytes | None = None) -> InputRecord:
    return InputRecord(Position("outbox.expat-centre", 0, 0), key, value, headers, 1_795_000_000_000)


@settings(deadline=None, max_examples=400)
@given(st.none() | st.binary(max_size=200), HEADERS, st.none() | st.binary(max_size=20))
def test_any_bytes_and_headers_are_answered(value: bytes | None, headers: Any, key: bytes | None) -> None:
    checker().check(record(value, headers, key))


@settings(deadline=None, max_examples=400)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.lists(NAMES, max_size=2))
def test_a_good_event_with_any_changes_is_answered(changes: dict[str, Any], without: list[str]) -> None:
    event = {**ways.good(ways.CENTRE, "hypothesis"), **changes}
    kept = {name: value for name, value in event.items() if name not in without}

    checker().check(record(json.dumps(kept).encode("utf-8", "surrogatepass")))


# --- that it would find something ------------------------------------------------------------------------------------


def finds(seed: int, count: int = 4_000) -> str:
    """Run until something is found, and say what."""
    with pytest.raises(FoundError) as found:
        run(configuration(), seed=seed, count=count, day=DAY)
    return str(found.value)


def lax(document: bytes, *, depth_max: int = 32) -> tuple[Any, bytes]:
    """Read as the standard library does, which lets much through."""
    del depth_max
    try:
        tree = json.loads(document)
        return tree, orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)
    except (ValueError, RecursionError, TypeError):
        raise strict_json.JsonError(Reason.MALFORMED_JSON) from None


def telling(real: Callable[..., Refusal]) -> Callable[..., Refusal]:
    """Repeat the id in refusals, whatever it is."""

    def refuse(reason: Reason, pointer: str, attributes: Any) -> Refusal:
        refusal = real(reason, pointer, attributes)
        return replace(refusal, id=str(attributes.get("id")), pointer=f"/{next(iter(attributes), '')}")

    return refuse


def test_a_lax_reader_would_be_found() -> None:
    with patch.object(strict_json, "parse", lax):
        assert "the plain reader" in finds(seed=1)


NEVER = re.compile(r"(?!)")
FORGOTTEN = {
    "members that stand twice": ("_kept_every_member", lambda _document, _canonical: True),
    "a negative zero": ("_NEGATIVE_ZERO", re.compile(rb"(?!)")),
    "the limits": ("_is_within_limits", lambda _tree, _depth_max: True),
    "control characters": ("_has_clean_text", lambda _canonical: True),
    "names in form C": ("_are_distinct_after_nfc", lambda _names: True),
    "noncharacters": ("_FORBIDDEN", NEVER),
}


@pytest.mark.parametrize("what", FORGOTTEN)
def test_a_quick_reader_that_forgets_something_would_be_found(what: str) -> None:
    name, instead = FORGOTTEN[what]
    with patch.object(strict_json, name, instead):
        assert "the plain reader" in finds(seed=1, count=20_000)


def test_a_reader_that_raises_would_be_found() -> None:
    with patch.object(strict_json, "_text", bytes.decode):
        assert "raised UnicodeDecodeError" in finds(seed=1)


def test_a_refusal_that_tells_too_much_would_be_found() -> None:
    with patch.object(decode, "_refusal", telling(decode._refusal)):  # noqa: SLF001 (broken on purpose)
        assert "the pointer names what is known" in finds(seed=1)


def test_an_event_that_does_not_read_back_would_be_found() -> None:
    with patch.object(cloudevents, "_event", lambda attributes, payload: Event(attributes, payload.get("data"), b"{}")):
        assert "an event reads back as itself" in finds(seed=1)


def test_a_refusal_that_changes_the_bytes_would_be_found() -> None:
    with patch.object(refusing, "WHOLE_BYTES", 100):
        assert "the refusal keeps what was sent" in finds(seed=1)


def test_a_record_that_takes_too_long_would_be_found() -> None:
    watch = Stopwatch()
    watch.note(0.0001, record(b"{}"), lambda _: None)
    watch.note(0.0100, record(b"{}"), lambda _: None)  # slow once, and quick when looked at again

    with pytest.raises(FoundError, match="explained by the size"):
        watch.note(1.0, record(b"{}"), lambda _: sum(range(5_000_000)))


def test_the_same_seed_and_number_make_the_same_record() -> None:
    partners = sorted(configuration().partners.by_id)
    first, second = (Mutator(seedlings(configuration(), DAY), partners) for _ in range(2))
    numbers = range(300)

    assert [first.record(7, number) for number in numbers] == [
        second.record(7, number) for number in reversed(numbers)
    ][::-1]
    assert first.record(7, 0) != first.record(8, 0)


@pytest.mark.parametrize(
    "document",
    [
        *(
            b"",
            b"NaN",
            b"-0",
            b"1e400",
            b'{"a":1,"a":2}',
            b"[" * 33 + b"]" * 33,
            b'"\xff"',
            b'"\\ud800"',
            b"\xef\xbb\xbf1",
        ),
        *(
            b'"\x7f"',
            b"9007199254740992",
            b"1" * 5_000,
            b"[1,]",
            '{"\u00e9":1,"e\u0301":2}'.encode(),
            b'"' + b"x" * 16_385 + b'"',
        ),
        *(b"[" + b"0," * 10_000 + b"0]", b" " * 262_145, '"\ufffe"'.encode(), '"\U0001ffff"'.encode(), b'"\\u0000"'),
    ],
    ids=range(20),
)
def test_the_plain_reader_is_strict(document: bytes) -> None:
    with pytest.raises(NotStrictError):
        read_slowly(document)


def test_the_plain_reader_reads() -> None:
    assert read_slowly(b' {"a":[1,-2.5,"\\u00e9\\n",null,true]} ') == {"a": [1, -2.5, "é\n", None, True]}
