"""The tolerant parser agrees with the client's own wherever that can read, and reads on where it cannot."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from expathub.kafka.raw_records import parse

AT = TopicPartition("t", 3)
ABORT, COMMIT = 0, 1


def batch(
    base: int,
    records: list[Any],
    *,
    codec: int = 0,
    producer: int = -1,
    control: bool = False,
) -> bytes:
    """Build a record batch as a broker stores it."""
    builder = DefaultRecordBatchBuilder(
        2,
        codec,
        is_transactional=producer >= 0,
        producer_id=producer,
        producer_epoch=0,
        base_sequence=0,
        batch_size=10**7,
    )
    for index, (key, value, headers) in enumerate(records):
        builder.append(index, 1000 + index, key, value, headers)
    built = bytearray(builder.build())
    struct.pack_into(">q", built, 0, base)
    if control:
        attributes = struct.unpack_from(">h", built, 21)[0] | 0x20
        struct.pack_into(">h", built, 21, attributes)
    return sealed(built)


def sealed(built: bytearray) -> bytes:
    struct.pack_into(">I", built, 17, calc_crc32c(bytes(built[21:])))
    return bytes(built)


def end_of_transaction(base: int, producer: int, kind: int) -> bytes:
    return batch(base, [(struct.pack(">hh", 0, kind), b"\0" * 6, [])], producer=producer, control=True)


def by_client(data: bytes, aborted: list[tuple[int, int]], offset: int) -> tuple[list[Any], int]:
    read = PartitionRecords(
        AT, MemoryRecords(data), aborted, offset, None, None, check_crcs=True, isolation_level=READ_COMMITTED
    )
    found = list(read)
    return found, read.next_fetch_offset


keys = st.none() | st.binary(max_size=20)
headers = st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=20)), max_size=3)
batches = st.lists(st.lists(st.tuples(keys, keys, headers), min_size=1, max_size=4), min_size=1, max_size=4)


@given(batches, st.integers(0, 1))
def test_what_the_client_can_read_is_read_the_same(content: list[Any], codec: int) -> None:
    data, base = b"", 5
    for records in content:
        data += batch(base, records, codec=codec)
        base += len(records)
    assert parse(AT, data, (), 6) == by_client(data, [], 6)


def test_aborted_records_are_left_out_and_the_position_is_behind_the_markers() -> None:
    plain: list[Any] = [(b"k", b"v", [])]
    data = (
        batch(0, plain * 2, producer=7)
        + batch(2, plain, producer=8)
        + batch(3, plain)
        + end_of_transaction(4, 7, ABORT)
        + end_of_transaction(5, 8, COMMIT)
        + batch(6, plain, producer=7)
        + end_of_transaction(7, 7, COMMIT)
    )
    aborted = [(7, 0)]
    records, behind = parse(AT, data, aborted, 0)
    assert ([record.offset for record in records], behind) == ([2, 3, 6], 8)
    assert (records, behind) == by_client(data, aborted, 0)


def test_a_header_name_that_is_no_utf8_is_written_with_backslashes() -> None:
    built = bytearray(batch(0, [(b"k", b"before", []), (b"k", b"bad", [("NAME", b"v")]), (b"k", b"after", [])]))
    data = sealed(built.replace(b"NAME", b"\xffab\xfe"))
    records, behind = parse(AT, data, (), 0)
    assert [record.value for record in records] == [b"before", b"bad", b"after"]
    assert (records[1].headers, behind) == ((("\\xffab\\xfe", b"v"),), 3)
    with pytest.raises((ValueError, CorruptRecordException)):
        by_client(data, [], 0)


def test_a_batch_that_was_cut_off_is_left_for_the_next_fetch() -> None:
    whole = batch(0, [(b"k", b"v", [])])
    assert parse(AT, whole + whole[:-1], (), 0)[1] == 1
    assert parse(AT, whole[:30], (), 0) == ([], 0)
    assert parse(AT, b"", (), 4) == ([], 4)


@pytest.mark.parametrize("place", [16, 30, 70])
def test_damage_is_not_read(place: int) -> None:
    damaged = bytearray(batch(0, [(b"key", b"value", [("name", b"content")])]))
    damaged[place] ^= 0x55
    with pytest.raises(CorruptRecordException):
        parse(AT, bytes(damaged), (), 0)


def test_a_record_that_does_not_fill_its_length_is_not_read() -> None:
    built = bytearray(batch(0, [(b"key", b"value", [])]))
    built[61] += 2  # the record's own length, as a zigzag varint: one more
    with pytest.raises(CorruptRecordException):
        parse(AT, sealed(built), (), 0)
