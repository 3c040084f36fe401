from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expathub.core.lag import GroupLag, LagState, PartitionReading, group_lag, lag_of

NOW_MS = 1_000_000

READ_UP = PartitionReading("inbox.heerlen", 0, committed=10, log_start=0, end=10)
OFFSETS = st.none() | st.integers(min_value=0, max_value=1 << 40)
READINGS = st.builds(
    PartitionReading,
    topic=st.just("inbox.heerlen"),
    partition=st.integers(0, 49),
    committed=OFFSETS,
    log_start=OFFSETS,
    end=OFFSETS,
    unread=OFFSETS,
    counted_all=st.booleans(),
    oldest_unread_ms=OFFSETS,
    fault=st.none() | st.just("KafkaTimeoutError"),
)


def test_a_group_that_read_everything_is_ok() -> None:
    lag = lag_of(READ_UP, NOW_MS)

    assert (lag.state, lag.records, lag.seconds, lag.lost) == (LagState.OK, 0, 0.0, 0)


def test_unread_records_are_behind_with_their_age() -> None:
    reading = replace(READ_UP, end=13, unread=3, counted_all=True, oldest_unread_ms=NOW_MS - 100_000)
    lag = lag_of(reading, NOW_MS)

    assert (lag.state, lag.records, lag.seconds) == (LagState.BEHIND, 3, 100.0)


def test_a_transaction_marker_is_no_lag() -> None:
    lag = lag_of(replace(READ_UP, end=11, unread=0, counted_all=True), NOW_MS)

    assert (lag.state, lag.records, lag.at_most) == (LagState.OK, 0, False)


def test_what_was_not_counted_is_an_upper_bound() -> None:
    lag = lag_of(replace(READ_UP, end=5_010, unread=400, oldest_unread_ms=NOW_MS), NOW_MS)

    assert (lag.records, lag.at_most) == (5_000, True)


def test_no_commit_has_no_number() -> None:
    lag = lag_of(replace(READ_UP, committed=None), NOW_MS)

    assert (lag.state, lag.records, lag.seconds) == (LagState.NO_COMMIT, None, None)


def test_records_that_retention_took_are_lost_and_not_lag() -> None:
    lag = lag_of(PartitionReading("inbox.stein", 0, committed=40, log_start=100, end=500), NOW_MS)

    assert (lag.state, lag.lost, lag.records) == (LagState.LOST, 60, 400)


@pytest.mark.parametrize("reading", [replace(READ_UP, log_start=None), replace(READ_UP, end=None)])
def test_an_offset_that_could_not_be_read_is_unknown(reading: PartitionReading) -> None:
    assert lag_of(reading, NOW_MS).state is LagState.UNKNOWN


def test_a_clock_behind_the_brokers_gives_no_negative_age() -> None:
    reading = replace(READ_UP, end=11, unread=1, counted_all=True, oldest_unread_ms=NOW_MS + 5_000)

    assert lag_of(reading, NOW_MS).seconds == 0


def test_one_unreachable_partition_does_not_blank_the_rest() -> None:
    behind = replace(READ_UP, end=13, unread=3, counted_all=True, oldest_unread_ms=NOW_MS - 7_000)
    lag = _group(behind, replace(READ_UP, partition=1, fault="KafkaTimeoutError"))

    assert (lag.state, lag.records, lag.seconds) == (LagState.UNKNOWN, 3, 7.0)


def test_lost_records_outrank_an_unreachable_partition() -> None:
    lost = PartitionReading("inbox.heerlen", 0, committed=1, log_start=5, end=5)

    assert LagState.LOST is _group(lost, replace(READ_UP, partition=1, fault="KafkaTimeoutError")).state


def test_a_group_without_partitions_is_without_a_commit() -> None:
    lag = _group()

    assert (lag.state, lag.records, lag.seconds) == (LagState.NO_COMMIT, None, None)


@given(READINGS, st.integers(min_value=0, max_value=1 << 42))
def test_no_number_is_ever_negative(reading: PartitionReading, now_ms: int) -> None:
    lag = lag_of(reading, now_ms)

    assert (lag.records or 0) >= 0
    assert (lag.seconds or 0) >= 0
    assert lag.lost >= 0


@given(st.lists(READINGS, min_size=1, max_size=8))
def test_a_group_says_as_much_as_its_known_partitions(readings: list[PartitionReading]) -> None:
    lag = _group(*readings)

    assert lag.records == (
        sum(one.records for one in lag.partitions if one.records is not None)
        if any(one.records is not None for one in lag.partitions)
        else None
    )
    assert lag.state in {one.state for one in lag.partitions}


def _group(*readings: PartitionReading) -> GroupLag:
    return group_lag("heerlen.portal", "heerlen", 1, readings, NOW_MS)
