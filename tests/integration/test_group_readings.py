"""Lag as it is read from real Kafka: markers, retention, members, and what is not there."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete

from expathub.core.lag import GroupLag, LagState, group_lag
from expathub.kafka.group_readings import Group, group_reader, groups_of
from expathub.kafka.waiting import admin_client


@pytest.fixture
async def topic(kafka: str) -> str:
    name = f"lag-{uuid.uuid4()}"
    async with admin_client(kafka) as admin:
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs={"message.timestamp.type": "LogAppendTime"})])
    return name


async def test_markers_of_committed_and_aborted_transactions_are_no_lag(kafka: str, topic: str) -> None:
    await _publish_in_transactions(kafka, topic, committed=2, aborted=3)
    await _commit(kafka, topic, 2)  # behind the first record and its marker

    lag = await _lag(kafka, topic)

    assert (lag.state, lag.records, lag.at_most) == (LagState.BEHIND, 1, False)
    assert lag.seconds is not None
    assert lag.seconds < 60


async def test_a_commit_before_the_last_marker_is_not_behind(kafka: str, topic: str) -> None:
    await _publish_in_transactions(kafka, topic, committed=1)
    await _commit(kafka, topic, 1)

    lag = await _lag(kafka, topic)

    assert (lag.state, lag.records) == (LagState.OK, 0)


async def test_an_open_transaction_is_not_yet_lag(kafka: str, topic: str) -> None:
    await _commit(kafka, topic, 0)
    async with _transactional(kafka) as producer, producer.transaction():
        await (await producer.send(topic, b"{}"))
        during = await _lag(kafka, topic)
    after = await _lag(kafka, topic)

    assert (during.records, after.records) == (0, 1)


async def test_records_that_retention_took_are_said_as_lost(kafka: str, topic: str) -> None:
    await _publish_in_transactions(kafka, topic, committed=2)
    await _commit(kafka, topic, 0)
    async with admin_client(kafka) as admin:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=3)})

    lag = await _lag(kafka, topic)

    assert (lag.state, lag.lost, lag.records) == (LagState.LOST, 3, 0)


async def test_a_group_that_never_committed_has_no_number(kafka: str, topic: str) -> None:
    lag = await _lag(kafka, topic)

    assert (lag.state, lag.records, lag.seconds, lag.members) == (LagState.NO_COMMIT, None, None, 0)


async def test_a_missing_topic_does_not_blank_the_others_and_is_not_made(kafka: str, topic: str) -> None:
    await _publish_in_transactions(kafka, topic, committed=1)
    await _commit(kafka, topic, 0)
    missing = f"{topic}-mistyped"

    lag = await _lag(kafka, topic, missing)

    assert (lag.state, lag.records) == (LagState.UNKNOWN, 1)
    async with admin_client(kafka) as admin:
        assert missing not in await admin.list_topics()


async def test_a_member_is_shown_with_the_partition_it_holds(kafka: str, topic: str) -> None:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, group_id=_group(topic), client_id="reader-1")
    await consumer.start()
    try:
        lag = await _lag(kafka, topic)
    finally:
        await consumer.stop()

    assert (lag.members, lag.partitions[0].reading.member) == (1, "reader-1")


def test_a_partner_owns_only_the_groups_behind_its_name_and_a_full_stop() -> None:
    groups = groups_of({"stein.portal", "stein-oost.portal", "hub.intake", "strange"}, ("stein",))

    assert [(group.id, group.partner) for group in groups] == [
        ("hub.intake", None),
        ("hub.dispatch", None),
        ("stein.portal", "stein"),
    ]


def _group(topic: str) -> str:
    return f"{topic}.group"


async def _lag(kafka: str, *topics: str) -> GroupLag:
    async with admin_client(kafka) as admin, group_reader(kafka, admin) as reader:
        found = await reader.read(Group(_group(topics[0]), None, topics))
    now_ms = max((one.oldest_unread_ms or 0 for one in found.partitions), default=0) + 1_000
    return group_lag(found.group.id, None, found.members, found.partitions, now_ms)


async def _commit(kafka: str, topic: str, next_offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=_group(topic), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.commit({TopicPartition(topic, 0): next_offset})
    finally:
        await consumer.stop()


@asynccontextmanager
async def _transactional(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"lag-{uuid.uuid4()}")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _publish_in_transactions(kafka: str, topic: str, *, committed: int, aborted: int = 0) -> None:
    """Write one record per transaction, the committed ones first: each takes two offsets."""
    async with _transactional(kafka) as producer:
        for number in range(committed + aborted):
            await producer.begin_transaction()
            await (await producer.send(topic, b"{}"))
            await (producer.commit_transaction() if number < committed else producer.abort_transaction())
