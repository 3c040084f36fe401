"""The producer of one lane: transactional, able to be dropped at any moment, and aware of doubt.

aiokafka sends an EndTxn or a TxnOffsetCommit whose answer got lost again, with the same epoch and one log line. The
first copy may still be on its way and decide over a later transaction (KAFKA-17754), so a lane must know: the client's
`send` is watched here, and `doubtful` says that such a request once went without a clear yes.

This and `group_consumer` are the modules that use parts of aiokafka that are not public, to end a client that hangs.
`tests/unit/test_engine_clients.py` notices when they move.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    ProducerClosed,
    ProducerFenced,
    TopicAuthorizationFailedError,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest, EndTxnRequest, TxnOffsetCommitRequest

from expathub.kafka.engine_settings import EngineSettings

FENCED = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping)
"""What the client raises when somebody else has initialised the transactional id (or it expired)."""

REFUSED_FOR_GOOD = frozenset({10, 18, 87})
"""Kafka's MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_RECORD; aiokafka has no class of its own for the last."""

_DENIED = 29
"""Kafka's TOPIC_AUTHORIZATION_FAILED."""

_RECONNECT_FIRST_SECONDS = 0.05
_RECONNECT_LAST_SECONDS = 1.0

_DROP_STEPS = 20
_DROP_STEP_SECONDS = 0.1
_GOODBYE_SECONDS = 2.0


class LaneProducer:
    """A transactional producer that can be dropped and that notices doubt."""

    def __init__(self, settings: EngineSettings, transactional_id: str) -> None:
        self._producer = AIOKafkaProducer(
            **settings.connection(),
            transactional_id=transactional_id,
            transaction_timeout_ms=settings.transaction_timeout_ms,
            max_batch_size=settings.output_batch_bytes,
            max_request_size=settings.request_bytes_max,
        )
        self._dropped = False
        self._unsure = 0
        self.refusals: set[int] = set()
        """Codes of produce requests that the broker has refused for good."""
        client: Any = self._producer.client
        client.send = self._watched(client.send)
        client._get_conn = _patiently(client._get_conn)  # noqa: SLF001 (there is no public way to slow it down)

    @property
    def doubtful(self) -> bool:
        """Whether a commit, or the offsets in it, may or may not have taken effect, or may yet."""
        return self._unsure > 0

    async def fence(self) -> None:
        """Connect and initialise the transactional id: whoever had it before can commit nothing more."""
        await self._producer.start()

    async def look_up(self, topic: str) -> None:
        """Learn where a topic's partitions are; raises `KafkaError` when it is not there or not ours to write."""
        await self._producer.partitions_for(topic)

    async def begin(self) -> None:
        """Begin a transaction; nothing is sent yet."""
        await self._producer.begin_transaction()

    def batch(self) -> BatchBuilder:
        """Return an empty record batch, inside or outside a transaction."""
        batch: BatchBuilder = self._producer.create_batch()
        return batch

    async def send(self, batch: BatchBuilder, at: TopicPartition) -> asyncio.Future[Any]:
        """Hand a batch over; the future ends when the broker has stored or refused it."""
        stored: asyncio.Future[Any] = await self._producer.send_batch(batch, at.topic, partition=at.partition)
        return stored

    async def send_offsets(self, offsets: dict[TopicPartition, int], group: str) -> None:
        """Make the group's offsets part of the transaction."""
        await self._producer.send_offsets_to_transaction(offsets, group)

    async def commit(self) -> None:
        """Commit. Says nothing of batches that failed: their futures do."""
        await self._producer.commit_transaction()

    async def abort(self) -> None:
        """Abort."""
        await self._producer.abort_transaction()

    async def drop(self) -> None:
        """End it at once, whatever it is doing, whether Kafka answers or not. An open transaction is left to Kafka."""
        if self._dropped:
            return
        self._dropped = True
        hidden: Any = self._producer
        hidden._closed = True  # noqa: SLF001 (stop() would wait for what may never come)
        hidden._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001 (as above)
        task = hidden._sender.sender_task  # noqa: SLF001 (as above)
        for _ in range(_DROP_STEPS):
            if task is None or task.done():
                break
            task.cancel()  # each cancels one request that the sender still waits for
            await asyncio.wait({task}, timeout=_DROP_STEP_SECONDS)
        if task is not None and task.done() and not task.cancelled():
            task.exception()  # that of a fenced producer has been told already
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await hidden.client.close()

    def _watched(self, send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(node_id: int, request: Any, **rest: Any) -> Any:
            decisive = isinstance(request, EndTxnRequest | TxnOffsetCommitRequest)
            self._unsure += decisive  # also when this is cancelled, or the connection breaks, while it waits
            answer = await send(node_id, request, **rest)
            if decisive:
                self._unsure -= _is_yes(answer)
            elif isinstance(request, ProduceRequest):
                self.refusals |= _codes(answer) & REFUSED_FOR_GOOD
            elif isinstance(request, AddPartitionsToTxnRequest):
                self._note_denial(answer)
            return answer

        return watched

    def _note_denial(self, answer: Any) -> None:
        """Fail what waits to be sent to a topic that may not be written: the client would let it wait for ever."""
        denied = [topic for topic, partitions in answer.errors for _, code in partitions if code == _DENIED]
        if denied:
            hidden: Any = self._producer
            hidden._message_accumulator.fail_all(TopicAuthorizationFailedError(denied[0]))  # noqa: SLF001 (as in `drop`)


def _patiently(connect: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Let a client that cannot connect try again more and more seldom.

    Its own pause is as short as a refusal by the broker needs (`retry_backoff_ms`): in an outage each lane would try
    hundreds of times a second.
    """
    pause = _RECONNECT_FIRST_SECONDS

    async def connected(*what: Any, **rest: Any) -> Any:
        nonlocal pause
        connection = await connect(*what, **rest)
        if connection is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _RECONNECT_LAST_SECONDS)
        else:
            pause = _RECONNECT_FIRST_SECONDS
        return connection

    return connected


def _is_yes(answer: Any) -> bool:
    """Return whether the broker said yes. A refusal that aiokafka would repeat leaves as much doubt as silence."""
    if hasattr(answer, "error_code"):
        return bool(answer.error_code == 0)
    return all(code == 0 for _, partitions in answer.errors for _, code in partitions)


def _codes(answer: Any) -> set[int]:
    return {partition[1] for _, partitions in answer.topics for partition in partitions}
