"""Moments as numbers and as text."""

from __future__ import annotations

from datetime import date

import pytest

from expathub.core.times import day, deadline, milliseconds, rfc3339


def test_a_day_begins_at_midnight_utc() -> None:
    assert day(milliseconds("2026-09-21T23:59:59.999Z")) == date(2026, 9, 21)
    assert day(milliseconds("2026-09-22T00:00:00Z")) == date(2026, 9, 22)
    assert day(0) == date(1970, 1, 1)


@pytest.mark.parametrize("ms", [0, 1, 999, 1_790_000_000_000, 1_790_000_000_007])
def test_a_moment_written_is_the_moment_read(ms: int) -> None:
    assert milliseconds(rfc3339(ms)) == ms


def test_offsets_count_and_none_is_utc() -> None:
    assert milliseconds("2026-09-21T16:00:00+02:00") == milliseconds("2026-09-21T14:00:00Z")
    assert milliseconds("2026-09-21T14:00:00") == milliseconds("2026-09-21T14:00:00Z")


def test_a_deadline_that_cannot_be_read_has_passed_and_none_never_does() -> None:
    assert deadline(None) is None
    assert deadline("2026-09-21T14:13:20Z") == 1_790_000_000_000
    assert deadline("ooit") == deadline(7) == deadline("2026-13-01T00:00:00Z") == 0
