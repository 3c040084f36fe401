"""What is odd about an accepted event: its age, a clock that is ahead, and the order of its `sequence`.

Pure. Nothing here refuses (design §5): an odd time or a gap says something about the sender, and whoever must mend it
needs to see it counted. Judged against the broker's time and the last `sequence` that was accepted from the source.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeAlias

from expathub.core.event import Event
from expathub.core.reasons import Flag
from expathub.core.remembered import WINDOW_MS
from expathub.core.stage import Lookup
from expathub.core.times import milliseconds, rfc3339

AHEAD_MS: Final = 60_000
"""So far may a sender's clock be ahead of the broker's."""

_SECONDS: Final = len("2026-01-31T09:30:00")
_TIME_BYTES: Final = 8
_NUMBER_BYTES: Final = 16
_DIGITS_MAX: Final = 20
_LAST, _FIRST = 2**31 - 1, -(2**31)

Entries: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""State entries with their keys, in the form of `expathub.core.remembered`."""


def flags_of(event: Event, received_ms: int, remembered: Lookup[bytes]) -> tuple[tuple[Flag, ...], Entries]:
    """Return what is odd about an event, and the entry that remembers its `sequence`, where it has one."""
    flags = _flags_of_time(event, received_ms)
    number = _number_of(event)
    if number is None:
        return flags, ()
    key = _key_of(event.source)
    last = remembered(key)
    if last is not None:
        flags += _flags_of_order(int.from_bytes(last[_TIME_BYTES:], signed=True), number, wraps=_wraps(event))
    entry = received_ms.to_bytes(_TIME_BYTES) + number.to_bytes(_NUMBER_BYTES, signed=True)
    return flags, ((key, entry),)


def _flags_of_time(event: Event, received_ms: int) -> tuple[Flag, ...]:
    text = event.attributes.get("time")
    if text is None or _is_certainly_usual(text, received_ms):
        return ()
    late_ms = received_ms - milliseconds(text)
    if late_ms < -AHEAD_MS:
        return (Flag.TIME_AHEAD,)
    return (Flag.TIME_OLD,) if late_ms > WINDOW_MS else ()


def _is_certainly_usual(text: str, received_ms: int) -> bool:
    """Tell without reading the time that it is well within both limits; texts in UTC have the order of their times."""
    earliest, latest = _usual(received_ms // 1000)
    return text[-1] == "Z" and earliest < text[:_SECONDS] < latest


@lru_cache(maxsize=64)  # the records of a batch share few seconds
def _usual(received_seconds: int) -> tuple[str, str]:
    received_ms = received_seconds * 1000
    return rfc3339(received_ms - WINDOW_MS + 1000)[:_SECONDS], rfc3339(received_ms + AHEAD_MS)[:_SECONDS]


def _flags_of_order(last: int, number: int, *, wraps: bool) -> tuple[Flag, ...]:
    expected = _FIRST if wraps and last == _LAST else last + 1
    if number == expected:
        return ()
    if number == last:
        return (Flag.SEQUENCE_REPEATED,)
    return (Flag.SEQUENCE_BACK,) if number < expected else (Flag.SEQUENCE_GAP,)


def _number_of(event: Event) -> int | None:
    """Read `sequence` as a number; other texts have an order too, but no next one."""
    text = event.attributes.get("sequence")
    if text is None or len(text) > _DIGITS_MAX or not text.isascii():
        return None
    return int(text) if text.removeprefix("-").isdigit() else None


def _wraps(event: Event) -> bool:
    """Tell whether numbers begin anew after the last one of 32 bits (CloudEvents, sequence, `Integer`)."""
    return "sequencetype" in event.attributes


def _key_of(source: str) -> bytes:
    """Digest a source to a key that no event has: an id is never empty and holds no NUL."""
    return blake2b(f"{source}\0\0".encode(), digest_size=_NUMBER_BYTES).digest()
