"""Putting records into topics as fast as it goes; what this costs is no part of any figure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.stand import Stand, outbox
from expathub.core import topic_names
from expathub.metrics import Service
from expathub.shell.engines import group_of

_AGAIN_SECONDS = 0.2
_PATIENCE_SECONDS = 300.0

HEADERS = [("content-type", b"application/cloudevents+json")]


async def fill(bootstrap: str, topic: str, values: Iterable[bytes], keys: Iterable[bytes]) -> None:
    """Append events to the one partition of an outbox, in order."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=256 * 1024) as producer:
        batch, sent = producer.create_batch(), []
        for value, key in zip(values, keys, strict=True):
            if batch.append(timestamp=None, key=key, value=value, headers=HEADERS) is None:
                sent.append(await producer.send_batch(batch, topic, partition=0))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=HEADERS)
        sent.append(await producer.send_batch(batch, topic, partition=0))
        for one in sent:
            await one


def keys_of(values: Sequence[bytes]) -> list[bytes]:
    """Return each event's subject, as a partner keys its records."""
    return [str(orjson.loads(value)["subject"]).encode() for value in values]


async def set_offsets(bootstrap: str, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Let a group begin there."""
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))
    finally:
        await consumer.stop()


async def drained(stand: Stand) -> None:
    """Wait until intake and then dispatch have committed up to the end of what there is."""
    for service, topic in ((Service.INTAKE, outbox()), (Service.DISPATCH, topic_names.JOURNAL)):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await _is_done(stand, group_of(service), topic):  # noqa: ASYNC110 (only asking again tells)
                await asyncio.sleep(_AGAIN_SECONDS)


async def _is_done(stand: Stand, group: str, topic: str) -> bool:
    ends = await asyncio.to_thread(stand.ends, topic)
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=stand.bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = {TopicPartition(*at): end for at, end in ends.items()}
        consumer.assign(list(partitions))
        return all([(await consumer.committed(at) or 0) >= end for at, end in partitions.items()])
    finally:
        await consumer.stop()
