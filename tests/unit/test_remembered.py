"""What intake remembers: the window, what it costs, and what a load gives back."""

from __future__ import annotations

import tracemalloc
from hashlib import blake2b

import pytest

from expathub.core.event import Event
from expathub.core.remembered import (
    LOAD_WINDOW_MS,
    WINDOW_MS,
    Remembered,
    entry_of,
    is_same_content,
    is_within_window,
    key_of,
)
from expathub.kafka import topics

DAY_MS = 86_400_000
NOW_MS = 1_790_000_000_000


def entry(number: int, received_ms: int = NOW_MS) -> tuple[bytes, bytes]:
    digest = blake2b(str(number).encode(), digest_size=16).digest()
    return digest, received_ms.to_bytes(8) + digest


def test_source_and_id_together_name_an_event() -> None:
    one = Event({"source": "a", "id": "bc"}, {}, b"x")
    other = Event({"source": "ab", "id": "c"}, {}, b"x")

    assert key_of(one) != key_of(other)
    assert len(key_of(one)) == 16


def test_an_entry_is_the_time_and_a_digest_of_the_content() -> None:
    one, other = Event({}, {}, b"x"), Event({}, {}, b"y")

    assert len(entry_of(one, NOW_MS)) == 24
    assert is_same_content(entry_of(one, NOW_MS), entry_of(one, NOW_MS + 1))
    assert not is_same_content(entry_of(one, NOW_MS), entry_of(other, NOW_MS))


def test_the_window_is_counted_from_when_the_first_was_received() -> None:
    known = entry_of(Event({}, {}, b"x"), NOW_MS)

    assert is_within_window(known, NOW_MS + WINDOW_MS - 1)
    assert not is_within_window(known, NOW_MS + WINDOW_MS)


def test_the_times_agree_with_those_of_the_topics() -> None:
    days = 24 * 60 * 60 * 1000

    assert topics.DEDUP_WINDOW.days * days == WINDOW_MS
    assert (topics.DEDUP_WINDOW + topics.OUTBOX_RETENTION + topics.SEGMENT_SPAN).days * days == LOAD_WINDOW_MS
    assert topics.SEEN_RETENTION.days * days > LOAD_WINDOW_MS


def test_entries_are_found_again_after_a_load() -> None:
    entries = [entry(number, NOW_MS + number * DAY_MS // 10) for number in range(50)]
    before, after = Remembered(), Remembered()
    before.apply(entries)

    for key, value in before.pack(entries):
        after.restore(key, value)

    assert [after.get(key) for key, _ in entries] == [value for _, value in entries]
    assert len(after) == len(before) == 50
    assert after.get(b"nothing") is None


def test_a_batch_is_one_record_also_when_it_accepted_nothing() -> None:
    state = Remembered()

    assert [key for key, _ in state.pack([entry(number) for number in range(500)])] == [None]
    assert state.pack([]) == [(None, b"")]
    state.restore(None, b"")
    assert len(state) == 0


def test_a_huge_batch_is_several_records_that_a_broker_takes() -> None:
    records = Remembered().pack([entry(number) for number in range(25_000)])

    assert [len(value) // 40 for _, value in records] == [10_000, 10_000, 5_000]


@pytest.mark.parametrize("broken", [(b"key", b""), (None, None), (None, b"x" * 41)])
def test_a_record_that_is_not_whole_is_not_taken_for_one(broken: tuple[bytes | None, bytes | None]) -> None:
    with pytest.raises(ValueError, match="not a record of remembered ids"):
        Remembered().restore(*broken)


def test_loading_a_record_twice_does_no_harm() -> None:
    state = Remembered()
    ((key, value),) = state.pack([entry(1), entry(2)])

    state.restore(key, value)
    state.restore(key, value)

    assert len(state) == 2


def test_days_before_the_window_are_dropped_whole() -> None:
    state = Remembered()
    state.apply([entry(1, NOW_MS), entry(2, NOW_MS + DAY_MS)])

    state.apply([entry(3, NOW_MS + 16 * DAY_MS)])
    assert (state.get(entry(1)[0]), len(state)) == (None, 2)

    state.apply([entry(4, NOW_MS)])
    assert (state.get(entry(4)[0]), len(state)) == (None, 2)


def test_an_id_used_again_after_the_window_is_found_with_its_newer_content() -> None:
    state, again = Remembered(), NOW_MS + 14 * DAY_MS
    key, old = entry(1)
    new = again.to_bytes(8) + old[8:]

    state.apply([(key, new)])
    state.apply([(key, old)])

    assert state.get(key) == new


def test_a_remembered_id_costs_at_most_256_bytes() -> None:
    state, count = Remembered(), 50_000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for start in range(0, count, 500):
            entries = [entry(number, NOW_MS + number * DAY_MS // 20_000) for number in range(start, start + 500)]
            for key, value in state.pack(entries):
                state.restore(key, value)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(state) == count
    assert (after - before) / count <= 256
