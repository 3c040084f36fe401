"""Batches changed at random, for the reader that takes over where the client's fails: damage is named, nothing else.

What Kafka itself refuses of such batches, and that the hub reads the rest, is tested on a real one (row 60 of the table
of bad input).
"""

from __future__ import annotations

import os
import struct
import time
from collections import Counter
from random import Random

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException

from expathub.kafka.raw_records import parse
from expathub.testing.bad_input import CASES
from expathub.testing.fuzzing import batches
from expathub.testing.fuzzing.batches import CODECS, batch, mutated, signed

COUNT = 100_000 if os.environ.get("EXPATHUB_TEST_FAULTS") == "full" else 5_000
SEED = int(os.environ.get("SEED") or 1)
AT = TopicPartition("outbox.expat-centre", 0)
SMALL = [message for case in CASES if len((message := case.message()).value or b"") < 2_000]
RECORDS_MAX = 3
SLOW_RATIO_MAX = 500.0


def test_the_tolerant_reader_names_damage_and_never_raises_anything_else() -> None:
    dice, seen, seconds = Random(SEED), Counter[str](), []
    for number in range(COUNT):
        raw = mutated(dice, [dice.choice(SMALL) for _ in range(dice.randint(1, RECORDS_MAX))])
        began = time.process_time()
        try:
            records, behind = parse(AT, raw, (), 0)
        except CorruptRecordException:
            seen["damaged"] += 1
            continue
        except Exception as error:
            raise AssertionError(f"seed {SEED}, number {number}: {type(error).__name__}") from error
        finally:
            seconds.append(time.process_time() - began)
        assert behind >= 0
        assert all(record.topic == AT.topic for record in records)
        seen["read"] += 1
    assert min(seen["read"], seen["damaged"]) > COUNT / 20
    assert sorted(seconds)[-COUNT // 1_000] < SLOW_RATIO_MAX * sorted(seconds)[COUNT // 2]


def test_batches_that_nobody_changed_are_read_whatever_their_codec() -> None:
    for codec in CODECS:
        messages = SMALL[:20]
        records, behind = parse(AT, signed(batch(messages, codec=codec)), (), 0)
        assert [record.value for record in records] == [message.value for message in messages]
        assert behind == len(messages)


@pytest.mark.parametrize("length", [b"\xfe\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x10", b"\xff" * 11], ids=range(3))
def test_a_length_that_reaches_far_beyond_the_batch_is_damage_and_no_crash(length: bytes) -> None:
    """The client's own reading of such numbers, in C, does not look where the end is, and ends the process."""
    raw = batch([SMALL[0]])
    raw[batches.PAYLOAD :] = (
        b"\x40\x00\x00\x00" + length + b"\x00" * 24
    )  # length, attributes, time, offset, key's length
    struct.pack_into(">i", raw, batches.LENGTH, len(raw) - batches.LENGTH - 4)

    with pytest.raises(CorruptRecordException):
        parse(AT, signed(raw), (), 0)


def test_more_records_than_are_counted_are_damage_and_not_passed_over() -> None:
    raw = batch(SMALL[:3])
    struct.pack_into(">i", raw, batches.COUNT, 2)

    with pytest.raises(CorruptRecordException):
        parse(AT, signed(raw), (), 0)
