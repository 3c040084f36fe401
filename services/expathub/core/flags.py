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
    if text is None:
        return ()
    # Moments in UTC have the order of their texts: only those of the very second of an end need be read again.
    oldest, newest = _ends(received_ms // 1000)
    seconds = text[:_SECONDS]
    if text[-1] == "Z" and seconds not in (oldest, newest):
        return (Flag.TIME_OLD,) if seconds < oldest else (Flag.TIME_AHEAD,) if seconds > newest else ()
    late_ms = received_ms - milliseconds(text)
    if late_ms < -AHEAD_MS:
        return (Flag.TIME_AHEAD,)
    return (Flag.TIME_OLD,) if late_ms > WINDOW_MS else ()


@lru_cache(maxsize=64)  # records that were received in the same second come together
def _ends(received_s: int) -> tuple[str, str]:
    """Return, as texts, the seconds in which a time becomes too old, and too far ahead."""
    ends_s = (received_s - WINDOW_MS // 1000, received_s + AHEAD_MS // 1000)
    oldest, newest = (rfc3339(second * 1000)[:_SECONDS] for second in ends_s)
    return oldest, newest


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
