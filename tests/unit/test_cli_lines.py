"""Lines as bytes, untouched, as they come; and what is read of them for key and id."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expathub.cli import lines
from expathub.cli.publication import peek
from expathub.errors import UsageError

SUBJECT = "3f2b7c8e-1111-4222-8333-444455556666"


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)))
def test_lines_come_out_byte_for_byte(given_lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in given_lines)

    assert [line for batch in lines.split(io.BytesIO(text)) for line in batch] == given_lines


def test_the_last_line_needs_no_line_feed() -> None:
    assert list(lines.split(io.BytesIO(b"a\nb"))) == [[b"a"], [b"b"]]


def test_nothing_is_no_line() -> None:
    assert list(lines.split(io.BytesIO(b""))) == []


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 100_000)

    with pytest.raises(UsageError, match="Line 2 is longer"):
        list(lines.split(io.BytesIO(b"a\n" + b"x" * 1_000_000)))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"), lines.opened(str(tmp_path / "none")):
        pass


async def test_a_line_at_a_pipe_is_there_before_the_next_is_written() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as sink:
        arriving = lines.arriving(source)
        for line in (b"one", b"two"):
            sink.write(line + b"\n")
            assert await asyncio.wait_for(anext(arriving), 5) == [line]
        sink.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(arriving), 5)


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number
    raise UsageError("That was all.")


async def test_what_runs_ahead_comes_in_order_and_its_error_in_its_turn() -> None:
    ahead = lines.ahead(numbers(5), 2)

    assert [await anext(ahead) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(UsageError, match="That was all"):
        await anext(ahead)


async def test_what_runs_ahead_stops_at_its_bound() -> None:
    made: list[int] = []

    async def counting() -> AsyncIterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    ahead = lines.ahead(counting(), 3)
    await anext(ahead)
    await asyncio.sleep(0.05)

    assert len(made) <= 6
    await ahead.aclose()


async def test_before_a_wait_the_reader_is_told() -> None:
    waits: list[None] = []

    async def slow() -> AsyncIterator[int]:
        for number in range(2):
            await asyncio.sleep(0.01)
            yield number

    assert [number async for number in lines.ahead(slow(), 5, lambda: waits.append(None))] == [0, 1]
    assert len(waits) >= 2


@pytest.mark.parametrize(
    ("line", "key", "event_id"),
    [
        (f'{{"id": "a", "subject": "{SUBJECT}"}}', SUBJECT.encode(), "a"),
        ('{"id": "a", "subject": "999990019"}', None, "a"),
        (f'{{"id": 7, "subject": "{SUBJECT}x"}}', None, None),
        ('{"subject": ["x"]}', None, None),
        ("[1]", None, None),
        ("nonsense", None, None),
        ("", None, None),
    ],
)
def test_key_and_id_are_read_where_they_can_be(line: str, key: bytes | None, event_id: str | None) -> None:
    assert peek(line.encode()) == (key, event_id)


@given(st.binary())
def test_any_bytes_can_be_peeked_at(line: bytes) -> None:
    peek(line)
