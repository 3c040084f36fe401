"""What the engine relies on in aiokafka that is not public: a new version must not move it unnoticed."""

# ruff: noqa: SLF001, FBT003 (hidden parts are what this is about; requests take their fields by position)

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import ProducerClosed
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import BACKOFF_OVERRIDE, Sender
from aiokafka.protocol.transaction import (
    EndTxnRequest,
    EndTxnResponse_v0,
    TxnOffsetCommitRequest,
    TxnOffsetCommitResponse_v0,
)

from expathub.kafka.closing import close_consumer
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.producer import LaneProducer, _patiently

SETTINGS = EngineSettings(bootstrap="127.0.0.1:1", group="g", client_id="c", revision=1, digest="d")


async def test_the_parts_of_the_clients_that_are_used_to_end_them_are_there() -> None:
    producer: Any = AIOKafkaProducer(transactional_id="t")
    consumer: Any = AIOKafkaConsumer()
    assert producer._closed is False
    assert isinstance(producer._message_accumulator, MessageAccumulator)
    assert isinstance(producer._sender, Sender)
    assert producer._sender.sender_task is None
    assert callable(producer._message_accumulator.fail_all)
    assert (consumer._fetcher, consumer._coordinator) == (None, None)
    assert callable(consumer._client.close)
    assert callable(producer.client._get_conn)
    assert "error_future" in vars(Fetcher)
    names = GroupCoordinator.__init__.__code__.co_names
    assert {"_coordination_task", "_heartbeat_task", "_commit_refresh_task"} <= set(names)
    await producer.stop()
    await consumer.stop()


def test_the_pause_between_two_transactions_is_shorter_than_what_the_client_would_wait() -> None:
    """The client waits so long when the broker still finishes the last transaction; our own pause is to prevent it."""
    assert SETTINGS.pause_between_seconds < BACKOFF_OVERRIDE == 0.02


async def test_a_client_that_cannot_connect_tries_more_and_more_seldom_until_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    answers: list[object] = [None, None, None, object(), None]

    async def connect(node: int) -> object:
        return answers[node]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    patient = _patiently(connect)
    for node in (0, 1, 2):
        assert await patient(node) is None
    assert await patient(3) is answers[3]
    assert await patient(4) is None
    assert pauses == [0.05, 0.1, 0.2, 0.05]


async def test_a_lane_without_kafka_does_not_hammer_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = LaneProducer(SETTINGS, "t")
    client: Any = producer._producer.client
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert await client._get_conn(0) is None  # a node that nobody has ever heard of
    assert pauses == [0.05]
    await producer.drop()


@pytest.mark.parametrize(
    ("answer", "doubtful"),
    [
        (EndTxnResponse_v0(throttle_time_ms=0, error_code=0), False),
        (EndTxnResponse_v0(throttle_time_ms=0, error_code=15), True),
        (TxnOffsetCommitResponse_v0(throttle_time_ms=0, errors=[("t", [(0, 0), (1, 0)])]), False),
        (TxnOffsetCommitResponse_v0(throttle_time_ms=0, errors=[("t", [(0, 0), (1, 7)])]), True),
    ],
)
async def test_only_a_clear_yes_leaves_no_doubt(answer: Any, doubtful: bool) -> None:  # noqa: FBT001 (a case's expectation)
    producer = LaneProducer(SETTINGS, "t")

    async def send(*_: Any, **__: Any) -> Any:
        return answer

    request = (
        EndTxnRequest("t", 1, 0, True)
        if isinstance(answer, EndTxnResponse_v0)
        else TxnOffsetCommitRequest("t", "g", 1, 0, [])
    )
    await producer._watched(send)(0, request)
    assert producer.doubtful is doubtful
    await producer.drop()


async def test_doubt_stays_though_a_repetition_is_answered() -> None:
    producer = LaneProducer(SETTINGS, "t")
    answers = iter([TimeoutError(), EndTxnResponse_v0(throttle_time_ms=0, error_code=0)])

    async def send(*_: Any, **__: Any) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    watched = producer._watched(send)
    with pytest.raises(TimeoutError):
        await watched(0, EndTxnRequest("t", 1, 0, True))
    await watched(0, EndTxnRequest("t", 1, 0, True))
    assert producer.doubtful
    await producer.drop()


class _Obstinate:
    """A consumer whose `stop` behaves as the real one can."""

    def __init__(self, *, hangs: bool) -> None:
        self.hangs = hangs
        self.closed: list[str] = []
        self._fetcher = self._client = self
        self._coordinator = None

    async def stop(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        raise asyncio.CancelledError

    async def close(self) -> None:
        self.closed.append("closed")


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_consumer_is_closed_in_time_and_its_cancellation_is_not_ours(hangs: bool) -> None:  # noqa: FBT001 (a case)
    consumer: Any = _Obstinate(hangs=hangs)
    async with asyncio.timeout(5):
        await close_consumer(consumer, within_seconds=0.05)
    assert consumer.closed == ["closed", "closed"]


async def test_a_producer_that_never_connected_can_be_dropped() -> None:
    producer = LaneProducer(SETTINGS, "t")
    await producer.drop()
    with pytest.raises(ProducerClosed):
        await producer._producer._message_accumulator.add_batch(None, None, 1.0)
