"""The engine's small parts, without Kafka: markers, buffers, partitions, failpoints, lane plans, pulses."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.partitioner import murmur2 as their_murmur2

from expathub.kafka import failpoints, marker
from expathub.kafka.buffer import Buffer
from expathub.kafka.failpoints import Failpoint, FailpointError
from expathub.kafka.giving_up import GivenUpError
from expathub.kafka.group_consumer import Fetched
from expathub.kafka.lane_plan import LanePlan, LaneSpec
from expathub.kafka.marker import Marker
from expathub.kafka.partitioning import Partitioner, murmur2
from expathub.kafka.surroundings import Pulse
from expathub.testing.counting import CountState

# Markers

MARKER = Marker(next=7, format=1, revision=3, digest="d", keys={"1": "f"}, owner="o", at_ms=5, trying=9, deaths=2)


def test_a_marker_is_read_as_it_was_written() -> None:
    assert marker.decode(marker.encode(MARKER)) == MARKER


def test_a_marker_with_fields_of_a_later_version_is_read() -> None:
    assert marker.decode(marker.encode(MARKER)[:-1] + b',"later":[1]}') == MARKER


@pytest.mark.parametrize("value", [b"", b"{}", b"null", b'{"next":"7"}', b"\xff"])
def test_what_is_no_marker_is_a_value_error(value: bytes) -> None:
    with pytest.raises(ValueError, match="no marker"):
        marker.decode(value)


def test_a_record_without_a_marker_has_none() -> None:
    assert marker.newest([("other", b"x"), ("hub-marker", None)]) is None
    assert marker.newest([("hub-marker", marker.encode(MARKER))]) == MARKER


# Buffers


def record(offset: int, size: int = 10) -> Fetched:
    return ConsumerRecord("t", 0, offset, 0, 1, None, bytes(size - 1), None, -1, size - 1, ())  # null counts nothing


def offsets(records: list[Fetched]) -> list[int]:
    return [one.offset for one in records]


def filled(*chunks: tuple[list[Fetched], int]) -> Buffer:
    buffer = Buffer()
    for records, behind in chunks:
        buffer.feed(records, behind)
    return buffer


def test_whole_chunks_are_handed_out_with_the_position_behind_them() -> None:
    buffer = filled(([record(1), record(2)], 4), ([record(4)], 9))
    taken, behind = buffer.take(10, 1000)
    assert (offsets(taken), behind, buffer.bytes, bool(buffer)) == ([1, 2, 4], 9, 0, False)


def test_a_chunk_that_is_cut_goes_on_where_it_was_cut() -> None:
    buffer = filled(([record(1), record(2), record(3)], 7))
    assert [(offsets(taken), behind) for taken, behind in (buffer.take(2, 1000), buffer.take(2, 1000))] == [
        ([1, 2], 3),
        ([3], 7),
    ]


@pytest.mark.parametrize(("bytes_max", "expected"), [(1, [1]), (10, [1]), (19, [1]), (20, [1, 2]), (1000, [1, 2, 3])])
def test_bytes_are_bounded_but_one_record_always_goes(bytes_max: int, expected: list[int]) -> None:
    buffer = filled(([record(1), record(2)], 3), ([record(3)], 4))
    taken, behind = buffer.take(10, bytes_max)
    assert (offsets(taken), behind, buffer.bytes) == (expected, expected[-1] + 1, 30 - 10 * len(expected))


def test_a_record_larger_than_the_bound_goes_alone() -> None:
    buffer = filled(([record(1), record(2, 500), record(3)], 4))
    assert [offsets(buffer.take(10, 100)[0]) for _ in range(3)] == [[1], [2], [3]]
    assert buffer.bytes == 0


def test_a_fetch_of_nothing_is_nothing() -> None:
    buffer = filled(([], 9))
    assert not buffer


def test_a_cleared_buffer_is_empty() -> None:
    buffer = filled(([record(1)], 2))
    buffer.clear()
    assert (bool(buffer), buffer.bytes) == (False, 0)


# Partitions


@pytest.mark.parametrize(
    ("key", "partition"),
    # What org.apache.kafka.common.utils.Utils.murmur2 gives for the keys of Kafka's own UtilsTest, modulo 1000.
    [(b"21", (-973932308 & 0x7FFFFFFF) % 1000), (b"foobar", (-790332482 & 0x7FFFFFFF) % 1000)],
)
def test_keys_fall_where_javas_partitioner_puts_them(key: bytes, partition: int) -> None:
    partitioner = Partitioner()
    assert [partitioner.pick(key, offset, 1000) for offset in (1, 2)] == [partition, partition]


def test_a_key_of_any_length_has_the_hash_that_the_client_gives_it() -> None:
    chance = random.Random(1)
    for key in (chance.randbytes(length) for length in range(200)):
        assert murmur2(key) == their_murmur2(key) & 0xFFFFFFFF


def test_without_a_key_the_offset_of_the_input_decides() -> None:
    assert [Partitioner().pick(None, offset, 3) for offset in range(5)] == [0, 1, 2, 0, 1]


def test_the_memory_of_hashes_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expathub.kafka.partitioning._KEYS_MAX", 5)
    partitioner = Partitioner()
    keys = [b"%d" % number for number in range(20)]
    assert [partitioner.pick(key, 0, 7) for key in keys] == [Partitioner().pick(key, 0, 7) for key in keys]
    assert len(partitioner._hashes) <= 5  # noqa: SLF001


# Failpoints


@pytest.mark.parametrize("text", ["nowhere:raise", "begun:nothing", "begun", "begun:raise:x", ""])
def test_a_failpoint_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Failpoint.parse(text)


async def test_a_failpoint_happens_once_at_its_turn_and_at_its_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "armed", Failpoint.parse("begun:raise:2@b/0"))
    for step, lane in (("begun", "a/0"), ("sent", "b/0"), ("begun", "b/0")):
        await failpoints.reach(step, lane)
    with pytest.raises(FailpointError):
        await failpoints.reach("begun", "b/0")
    await failpoints.reach("begun", "b/0")


async def test_a_failpoint_leaves_word_that_it_was_reached(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(failpoints, "armed", Failpoint.parse("begun:raise"))
    await failpoints.reach("sent", "b/0")
    assert capfd.readouterr().err == ""
    with pytest.raises(FailpointError):
        await failpoints.reach("begun", "b/0")
    told = orjson.loads(capfd.readouterr().err)
    assert told == {"event": failpoints.REACHED, "step": "begun", "what": "raise", "lane": "b/0"}


@pytest.mark.parametrize("what", ["sleep", "block"])
async def test_a_failpoint_may_sleep_or_block(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(failpoints, "armed", Failpoint.parse(f"begun:{what}=0.05"))
    turns: list[float] = []
    other = asyncio.create_task(_turns(turns))
    begun = time.monotonic()
    await failpoints.reach("begun")
    assert time.monotonic() - begun >= 0.05
    assert (len(turns) > 0) == (what == "sleep")
    other.cancel()


async def _turns(turns: list[float]) -> None:
    while True:
        await asyncio.sleep(0.01)
        turns.append(time.monotonic())


@pytest.mark.parametrize(("what", "sent"), [("kill9", signal.SIGKILL), ("pause", signal.SIGSTOP)])
async def test_a_failpoint_may_kill_or_pause_the_process(
    monkeypatch: pytest.MonkeyPatch, what: str, sent: signal.Signals
) -> None:
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *to: signals.append(to))
    monkeypatch.setattr(failpoints, "armed", Failpoint.parse(f"begun:{what}"))
    await failpoints.reach("begun")
    assert signals == [(os.getpid(), sent)]


def test_no_failpoint_is_armed_unless_asked_for() -> None:
    assert failpoints.armed is None


def test_every_step_is_reached_somewhere_and_no_other() -> None:
    source = "".join(path.read_text() for path in Path(failpoints.__file__).parent.glob("*.py"))
    assert set(re.findall(r'failpoints\.reach\("([a-z-]+)"', source)) == set(failpoints.STEPS)


def test_why_a_lane_is_given_up_is_said_in_words_that_the_log_takes() -> None:
    """A log line keeps codes and names of errors; a sentence made of both would be dropped."""
    source = "".join(path.read_text() for path in Path(failpoints.__file__).parent.glob("*.py"))
    said = re.findall(r"raise (?:GivenUp|Fenced|Doubt|Refused)Error\((.+?)[,)]", source)
    said += re.findall(r"return (?:GivenUp|Fenced|Doubt|Refused)Error\((.+?)[,)]", source)
    assert len(said) >= 9
    for words in said:
        assert re.fullmatch(r'"[a-z]+(-[a-z]+)*"|type\(error', words), words


# Lane plans


def spec(lane: int, **changes: Any) -> LaneSpec[int]:
    fields: dict[str, Any] = {
        "input": TopicPartition("in", lane),
        "changelog": TopicPartition("log", lane),
        "transactional_id": f"t{lane}",
        "new_state": CountState,
    }
    return LaneSpec(**fields | changes)


def test_lanes_are_found_by_partition_and_by_name() -> None:
    plan = LanePlan([spec(0), spec(1)])
    assert (len(plan), plan.inputs, [lane.name for lane in plan]) == (2, frozenset({"in"}), ["in/0", "in/1"])
    assert plan.find(TopicPartition("in", 1)) is plan.named("in/1")
    assert plan.find(TopicPartition("in", 2)) is None
    with pytest.raises(KeyError):
        plan.named("in/2")


@pytest.mark.parametrize("shared", [{"changelog": TopicPartition("log", 0)}, {"transactional_id": "t0"}])
def test_two_lanes_cannot_share_what_must_be_their_own(shared: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="share"):
        LanePlan([spec(0), spec(1, **shared)])


# Pulses


def test_a_process_that_stood_still_for_longer_than_its_session_is_noticed() -> None:
    pulse = Pulse(limit_seconds=6.0)
    pulse.check()
    pulse.beat_at -= 6.1
    with pytest.raises(GivenUpError) as error:
        pulse.check()
    assert error.value.reason == "stood-still"
    with pytest.raises(GivenUpError):  # for the rest of its membership
        pulse.check()
