"""Nothing is committed that was not stored, and nobody guesses whether a commit took effect (R2, R3)."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.transaction import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse_v0,
    EndTxnRequest,
    TxnOffsetCommitRequest,
)

from expathub.kafka.giving_up import DoubtError, GivenUpError, LaneStoppedError, RefusedError
from expathub.kafka.observer import Cause, Happening
from expathub.kafka.producer import FENCED, LaneProducer
from expathub.kafka.sheet import Parcels
from expathub.kafka.transaction import transact
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults


def bench_on(kafka: str, **changes: Any) -> Bench:
    return Bench(bootstrap=kafka, prefix=f"transact-{uuid.uuid4().hex[:8]}", **changes)


@asynccontextmanager
async def producer_of(bench: Bench, **changes: Any) -> AsyncIterator[LaneProducer]:
    producer = LaneProducer(bench.settings(**changes), f"{bench.prefix}.0")
    await producer.fence()
    try:
        yield producer
    finally:
        await producer.drop()


def parcels_of(producer: LaneProducer, *records: tuple[str, bytes | None, bytes]) -> Parcels:
    parcels = Parcels(producer, 10_000_000)
    for topic, key, value in records:
        parcels.put(TopicPartition(topic, 0), key, value, [("hub-origin", b"t/0/0")])
    return parcels


async def commit(bench: Bench, producer: LaneProducer, parcels: Parcels, deadline_seconds: float = 10.0) -> None:
    await transact(producer, parcels, {bench.input(0): 7}, bench.group, deadline_seconds, "lane")


async def test_one_refused_record_blocks_the_whole_transaction(kafka: str) -> None:
    """The client itself would commit the rest: it never looks at batches that failed."""
    bench = await bench_on(kafka).make_topics()
    async with producer_of(bench) as producer:
        good_and_bad = parcels_of(
            producer, (bench.copies, b"a", b"good"), (f"{bench.prefix}.compacted", None, b"a key is needed here")
        )
        with pytest.raises(RefusedError):
            await commit(bench, producer, good_and_bad)
    assert await bench.copied() == []
    assert await bench.committed(0) is None


async def test_a_transaction_says_where_it_has_written(kafka: str) -> None:
    bench = await bench_on(kafka, output_partitions=1).make_topics()
    async with producer_of(bench, output_batch_bytes=100) as producer:
        parcels = parcels_of(producer, *[(bench.copies, b"a", b"x" * 80)] * 5, (bench.input(0).topic, b"b", b"y"))
        last = await transact(producer, parcels, {bench.input(0): 7}, bench.group, 10.0, "lane")
    assert last == {TopicPartition(bench.copies, 0): 4, bench.input(0): 0}
    assert await bench.committed(0) == 7


async def test_a_successor_fences_and_what_was_open_is_gone(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    assert await bench.committed(0) is None  # on a new cluster the group's coordinator needs a moment, which is doubt
    async with producer_of(bench) as first:
        await first.begin()
        for at, batches in parcels_of(first, (bench.copies, b"a", b"open")).by_partition.items():
            await (await first.send(batches[0], at))
        async with producer_of(bench) as second:
            with pytest.raises(FENCED):
                await first.commit()
            await commit(bench, second, parcels_of(second, (bench.copies, b"a", b"mine")))
        with pytest.raises(GivenUpError):
            await commit(bench, first, parcels_of(first, (bench.copies, b"a", b"late")))
    assert [copy.value for copy in await bench.copied()] == [b"mine"]


async def test_a_transaction_that_outlasts_its_deadline_is_not_committed(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    async with producer_of(bench) as producer:
        parcels = parcels_of(producer, (bench.copies, b"a", b"late"))
        with pytest.raises(GivenUpError) as error:
            await commit(bench, producer, parcels, deadline_seconds=0.0)
    assert (error.value.reason, error.value.error) == ("transaction-failed", "TimeoutError")
    assert await bench.copied() == []


class Mishap:
    """Lets the first request of a kind go wrong on its way, for every client of this process."""

    def __init__(self, kind: type[Any], *, arrives: bool) -> None:
        self.kind = kind
        self.arrives = arrives
        self.happened = 0
        self.seen = 0
        self.not_before = 2  # the first transaction is that of the take-over

    def around(self, send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def sent(client: AIOKafkaClient, node_id: int, request: Any, **rest: Any) -> Any:
            if isinstance(request, self.kind):
                self.seen += 1
                if self.seen >= self.not_before and not self.happened:
                    self.happened += 1
                    if self.arrives:
                        await send(client, node_id, request, **rest)
                    raise RequestTimedOutError
            return await send(client, node_id, request, **rest)

        return sent


@pytest.mark.parametrize("arrives", [True, False], ids=["answer-lost", "request-lost"])
@pytest.mark.parametrize("kind", [EndTxnRequest, TxnOffsetCommitRequest])
async def test_a_decisive_request_without_an_answer_is_doubt_and_nobody_guesses(
    kafka: str, monkeypatch: pytest.MonkeyPatch, kind: type[Any], *, arrives: bool
) -> None:
    """The client repeats both silently with the same epoch, and in all four cases it would go on."""
    bench = await bench_on(kafka).make_topics()
    mishap = Mishap(kind, arrives=arrives)
    monkeypatch.setattr(AIOKafkaClient, "send", mishap.around(AIOKafkaClient.send))
    told = Told()
    await bench.publish(0, [b"%d" % number for number in range(100)])
    async with bench.running(told, batch_records_max=20):
        await bench.until_committed(0, 100)
    assert mishap.happened == 1
    assert [event["reason"] for event in told.of(Happening.GIVEN_UP)] == ["commit-in-doubt"]
    assert faults(await bench.copied(), {bench.input(0): range(100)}) == CLEAN


async def test_doubt_is_raised_even_though_the_repeated_commit_was_answered(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await bench_on(kafka).make_topics()
    mishap = Mishap(EndTxnRequest, arrives=True)
    mishap.not_before = 1
    monkeypatch.setattr(AIOKafkaClient, "send", mishap.around(AIOKafkaClient.send))
    async with producer_of(bench) as producer:
        with pytest.raises(DoubtError):
            await commit(bench, producer, parcels_of(producer, (bench.copies, b"a", b"1")))
    assert len(await bench.copied()) == 1


async def test_memory_is_kept_over_doubt_and_only_what_it_lacks_is_read(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await bench_on(kafka).make_topics()
    mishap = Mishap(EndTxnRequest, arrives=True)
    mishap.not_before = 6
    monkeypatch.setattr(AIOKafkaClient, "send", mishap.around(AIOKafkaClient.send))
    told = Told()
    await bench.publish(0, [b"%d" % number for number in range(100)])
    async with bench.running(told, batch_records_max=10):
        await bench.until_committed(0, 100)
    first, second = told.of(Happening.TAKEN_OVER)
    assert (first["kept"], first["records"]) == (False, 0)
    assert second["kept"]
    assert second["records"] == 3  # the three keys' counts of the one transaction that was in doubt
    assert faults(await bench.copied(), {bench.input(0): range(100)}) == CLEAN


async def test_a_producer_that_waits_for_a_silent_kafka_can_be_dropped_at_once(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await bench_on(kafka).make_topics()
    async with producer_of(bench) as producer:
        silent = asyncio.Event()

        def never(*_: Any, **__: Any) -> asyncio.Future[None]:
            silent.set()
            return asyncio.get_running_loop().create_future()

        monkeypatch.setattr(AIOKafkaConnection, "send", never)
        parcels = parcels_of(producer, (bench.copies, b"a", b"1"))
        attempt = asyncio.create_task(commit(bench, producer, parcels, deadline_seconds=1.0))
        await silent.wait()
        begun = time.monotonic()
        await producer.drop()
        assert time.monotonic() - begun < 3
        with pytest.raises(GivenUpError):
            await asyncio.wait_for(attempt, 5)


async def test_an_idle_producer_is_dropped_at_once_and_once_only(kafka: str) -> None:
    bench = await bench_on(kafka).make_topics()
    async with producer_of(bench) as producer:
        begun = time.monotonic()
        await producer.drop()
        await producer.drop()
        assert time.monotonic() - begun < 1


async def test_a_topic_that_may_not_be_written_stops_the_lane_at_once(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would let what is meant for it wait until the deadline, and nobody would know why."""
    bench = await bench_on(kafka).make_topics()
    send: Any = AIOKafkaClient.send

    async def deny(client: AIOKafkaClient, node_id: int, request: Any, **rest: Any) -> Any:
        if isinstance(request, AddPartitionsToTxnRequest):
            return AddPartitionsToTxnResponse_v0(throttle_time_ms=0, errors=[(bench.copies, [(0, 29)])])
        return await send(client, node_id, request, **rest)

    monkeypatch.setattr(AIOKafkaClient, "send", deny)
    async with producer_of(bench) as producer:
        begun = time.monotonic()
        with pytest.raises(LaneStoppedError) as stop:
            await commit(bench, producer, parcels_of(producer, (bench.copies, b"a", b"1")))
        assert time.monotonic() - begun < 5
    assert stop.value.cause is Cause.NOT_AUTHORISED
