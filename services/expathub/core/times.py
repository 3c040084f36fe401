"""Moments as numbers (milliseconds since 1970, UTC) and as RFC 3339 text; no clock: the core is told the time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

DAY_MS = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=4096)  # the records of a batch share few moments
def day(ms: int) -> date:
    """Return the day (UTC) in which a moment lies; `ended: DATE` in the configuration is meant so."""
    return date.fromordinal(_EPOCH_ORDINAL + ms // DAY_MS)


@lru_cache(maxsize=4096)  # as above
def rfc3339(ms: int) -> str:
    """Write a moment with its milliseconds, e.g. `2026-01-31T09:30:00.125Z`."""
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def milliseconds(text: str) -> int:
    """Read an RFC 3339 moment, rounded down to the millisecond; a text without a zone is taken as UTC.

    Raises `ValueError` on anything else. For moments that decide until when something may be told, an unreadable
    one must count as passed: see `deadline`.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def deadline(value: object) -> int | None:
    """Read until when something may be told: None is for ever, and what cannot be read has passed (fail closed)."""
    if value is None:
        return None
    try:
        return milliseconds(value) if isinstance(value, str) else 0
    except ValueError:
        return 0
