"""Moments and positions as people write them on the command line."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from expathub.core.records import Position
from expathub.errors import UsageError


def now_ms() -> int:
    """Return the time (epoch, ms)."""
    return time.time_ns() // 1_000_000


def moment(option: str, text: str) -> int:
    """Read an RFC 3339 time with its zone, as milliseconds since the epoch; raises `UsageError`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} is no time.", "Write RFC 3339: 2026-11-24T09:00:00Z.") from None
    if at.tzinfo is None:
        raise UsageError(f"{option} has no time zone.", "Add Z or an offset: 2026-11-24T09:00:00+01:00.")
    return max(1, int(at.astimezone(UTC).timestamp() * 1000))


def past(option: str, text: str) -> int:
    """Read a time that has been; raises `UsageError`."""
    at_ms = moment(option, text)
    if at_ms > now_ms():
        raise UsageError(f"{option} is in the future.", "Give a time that has been.")
    return at_ms


def position_or_past(option: str, text: str) -> Position | int:
    """Read `topic/partition/offset`, else a time that has been; raises `UsageError`."""
    if text.count("/") != 2:  # noqa: PLR2004 (topic/partition/offset)
        return past(option, text)
    try:
        return Position.parse(text)
    except ValueError:
        raise UsageError(f"{option} is no position.", "Write topic/partition/offset: hub.journal/3/17.") from None
