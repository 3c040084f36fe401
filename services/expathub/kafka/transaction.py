"""One transaction: everything stored, then the offsets, then the commit, within a deadline (R2, R3).

Inside it nothing is awaited but Kafka. However it fails, the lane is given up: after a refused batch the client's
sequence numbers have a gap, and after a timeout nobody knows what is still on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from expathub.kafka import failpoints
from expathub.kafka.giving_up import DoubtError, FencedError, GivenUpError, LaneStoppedError, RefusedError
from expathub.kafka.observer import Cause
from expathub.kafka.producer import FENCED, LaneProducer
from expathub.kafka.sheet import Parcels

NOT_AUTHORISED = (TopicAuthorizationFailedError, TransactionalIdAuthorizationFailed, GroupAuthorizationFailedError)

_ABORT_SECONDS = 2.0


async def transact(
    producer: LaneProducer,
    parcels: Parcels,
    offsets: Mapping[TopicPartition, int],
    group: str,
    deadline_seconds: float,
    lane: str,
) -> dict[TopicPartition, int]:
    """Write `parcels` and `offsets` in one transaction; returns the offset of the last record of each partition.

    Raises `RefusedError` (certainly not committed), `FencedError`, `DoubtError`, `LaneStoppedError` (no right) or
    `GivenUpError`. After any of them the producer must be dropped.
    """
    try:
        async with asyncio.timeout(deadline_seconds):
            last = await _attempt(producer, parcels, offsets, group, lane)
    except (TimeoutError, KafkaError, AssertionError) as error:  # aiokafka asserts its own state's transitions
        raise await _explained(producer, error) from error
    if producer.doubtful:
        raise DoubtError("commit-in-doubt")
    return last


async def _attempt(
    producer: LaneProducer, parcels: Parcels, offsets: Mapping[TopicPartition, int], group: str, lane: str
) -> dict[TopicPartition, int]:
    await producer.begin()
    if failpoints.armed:
        await failpoints.reach("begun", lane)
    last = await _store(producer, parcels, lane)
    if failpoints.armed:
        await failpoints.reach("acknowledged", lane)
    if offsets:
        await producer.send_offsets(dict(offsets), group)
    if failpoints.armed:
        await failpoints.reach("offsets-sent", lane)
        await failpoints.reach("committing", lane)
    await producer.commit()
    return last


async def _store(producer: LaneProducer, parcels: Parcels, lane: str) -> dict[TopicPartition, int]:
    """Send every batch and wait until each is stored: aiokafka commits a transaction whose batch has failed."""
    sent: list[tuple[TopicPartition, int]] = []
    stored: list[asyncio.Future[Any]] = []
    # Batch by batch of each partition: a second one waits until the client has taken up the first.
    for turn in zip_longest(*parcels.by_partition.values()):
        for at, builder in zip(parcels.by_partition, turn, strict=True):
            if builder is not None:
                stored.append(await producer.send(builder, at))
                sent.append((at, builder.record_count()))
    if failpoints.armed:
        await failpoints.reach("sent", lane)
    answers = await asyncio.gather(*stored)
    return {
        at: answer.offset + count - 1 if answer.offset >= 0 else -1
        for (at, count), answer in zip(sent, answers, strict=True)
    }


async def _explained(producer: LaneProducer, error: BaseException) -> Exception:
    """Say what a failed transaction means, and end it where it certainly is not committed."""
    if isinstance(error, FENCED):
        return FencedError("fenced")
    if producer.doubtful:
        return DoubtError("commit-in-doubt")
    with suppress(Exception):  # the broker ends it in any case, at the next fencing or after its own timeout
        async with asyncio.timeout(_ABORT_SECONDS):
            await producer.abort()
    if isinstance(error, NOT_AUTHORISED):
        return LaneStoppedError(Cause.NOT_AUTHORISED, type(error).__name__)
    if producer.refusals:
        return RefusedError("output-refused")
    return GivenUpError("transaction-failed", error)
