"""The parser of Kafka's frames, against what aiokafka writes and reads."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.protocol.admin import DescribeConfigsRequest_v0
from aiokafka.protocol.coordination import FindCoordinatorRequest_v1, FindCoordinatorResponse_v1
from aiokafka.protocol.metadata import MetadataResponse_v5
from aiokafka.protocol.transaction import (
    EndTxnRequest_v0,
    EndTxnResponse_v0,
    TxnOffsetCommitRequest_v0,
    TxnOffsetCommitResponse_v0,
)

from expathub.testing import frames
from expathub.testing.frames import Api, Head

CORRELATION = (7).to_bytes(4, "big")
HOST = "127.0.0.1"


def request_of(request: Any, correlation: int = 7) -> bytes:
    header = request.build_request_header(correlation_id=correlation, client_id="client")
    return bytes(header.encode() + request.encode())


@pytest.mark.parametrize(
    ("request_", "head"),
    [
        (EndTxnRequest_v0("an-id", 1, 2, True), Head(Api.END_TXN, 0, 7)),  # noqa: FBT003 (Kafka's order)
        (TxnOffsetCommitRequest_v0("an-id", "group", 1, 2, []), Head(Api.TXN_OFFSET_COMMIT, 0, 7)),
        (FindCoordinatorRequest_v1("group", 0), Head(Api.FIND_COORDINATOR, 1, 7)),
        (DescribeConfigsRequest_v0([]), Head(32, 0, 7)),
    ],
)
def test_a_request_says_what_it_is(request_: Any, head: Head) -> None:
    assert frames.head_of(request_of(request_)) == head


def test_an_answer_says_what_it_answers() -> None:
    assert frames.correlation_of(CORRELATION + b"rest") == 7


@pytest.mark.parametrize("read", [frames.head_of, frames.correlation_of])
def test_what_is_too_short_is_no_frame(read: Any) -> None:
    with pytest.raises(ValueError, match="too short"):
        read(b"\x00\x1a")


def test_a_frame_carries_its_length() -> None:
    framed = frames.framed(b"abc")
    assert framed == b"\x00\x00\x00\x03abc"
    assert frames.length_of(framed[:4]) == 3


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", b"GET ", b"\x16\x03\x01\x02"], ids=["negative", "http", "tls"])
def test_what_is_not_kafka_is_noticed_by_its_length(length: bytes) -> None:
    with pytest.raises(ValueError, match="no frame"):
        frames.length_of(length)


def test_brokers_are_told_at_other_ports_also_where_these_are_real_ones() -> None:
    brokers = [(1, HOST, 9092, None), (2, HOST, 9093, None)]
    answer = CORRELATION + MetadataResponse_v5(0, brokers, "cluster", 1, []).encode()
    changed = frames.readdressed(Head(Api.METADATA, 5, 7), answer, HOST, {9092: 9093, 9093: 9092})
    read: Any = MetadataResponse_v5.decode(changed[4:])
    assert [tuple(broker[:3]) for broker in read.brokers] == [(1, HOST, 9093), (2, HOST, 9092)]


def test_a_coordinator_is_told_at_its_other_port() -> None:
    answer = CORRELATION + FindCoordinatorResponse_v1(0, 0, None, 2, HOST, 9093).encode()
    changed = frames.readdressed(Head(Api.FIND_COORDINATOR, 1, 7), answer, HOST, {9092: 40001, 9093: 40002})
    read: Any = FindCoordinatorResponse_v1.decode(changed[4:])
    assert read.port == 40002


def test_what_records_say_of_addresses_stays() -> None:
    answer = CORRELATION + HOST.encode() + (9092).to_bytes(4, "big")
    assert frames.readdressed(Head(1, 4, 7), answer, HOST, {9092: 40001}) == answer


def test_a_code_goes_into_the_end_of_a_transaction() -> None:
    answer = CORRELATION + EndTxnResponse_v0(0, 0).encode()
    changed = frames.with_code(Head(Api.END_TXN, 0, 7), answer, 13)
    read: Any = EndTxnResponse_v0.decode(changed[4:])
    assert read.error_code == 13
    assert changed[:4] == CORRELATION


def test_a_code_goes_into_every_partition_of_an_offset_commit() -> None:
    answer = CORRELATION + TxnOffsetCommitResponse_v0(0, [("outbox.ind", [(0, 0), (1, 0)]), ("t", [(2, 0)])]).encode()
    changed = frames.with_code(Head(Api.TXN_OFFSET_COMMIT, 0, 7), answer, 13)
    read: Any = TxnOffsetCommitResponse_v0.decode(changed[4:])
    assert read.errors == [("outbox.ind", [(0, 13), (1, 13)]), ("t", [(2, 13)])]


@pytest.mark.parametrize("head", [Head(Api.END_TXN, 3, 7), Head(Api.PRODUCE, 0, 7)], ids=["flexible", "another-api"])
def test_no_code_goes_into_what_cannot_be_read(head: Head) -> None:
    with pytest.raises(ValueError, match="no code"):
        frames.with_code(head, CORRELATION, 13)
