"""Looking at a whole cluster when all should have come to rest: every topic from the beginning, twice, and then raw.

Needs Kafka. Readers are assigned their partitions, so that no rebalance can make one skip or step back; they read
committed records up to the high watermarks of one moment, and leave no trace. What is found is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from expathub.core.records import InputRecord
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, outbox
from expathub.kafka import waiting
from expathub.kafka.group_readings import DISPATCH_GROUP, INTAKE_GROUP
from expathub.kafka.reading import Offsets, Reader
from expathub.testing.evidence import Observation, fingerprints

READ_SECONDS = 60.0
"""How long reading may stand still before an open transaction; the hub's own end after 16 s (design R2)."""


async def observe(bootstrap: str, partners: Iterable[str], read_seconds: float = READ_SECONDS) -> Observation:
    """Read every topic that is judged, twice and raw, and where the two stages stand.

    Raises `KafkaUnreachableError`, and `MisconfiguredError` where a topic is missing.
    """
    topics = topics_of(partners)
    next_offsets = await _next_offsets(bootstrap)
    async with Reader.of(bootstrap, *topics) as reader:
        ends = await reader.ends()
    records, unread = await _read(bootstrap, topics, ends, read_seconds)
    again, _ = await _read(bootstrap, topics, ends, read_seconds)
    second = fingerprints(again)
    del again
    raw, _ = await _read(bootstrap, topics, ends, read_seconds, "read_uncommitted")
    return Observation(tuple(records), second, frozenset(one.position for one in raw), next_offsets, unread)


def topics_of(partners: Iterable[str]) -> tuple[str, ...]:
    """Name the topics that are judged; `partners` by id."""
    names = sorted(partners)
    return JOURNAL, REFUSALS, DISCLOSURES, PARKED, *map(inbox, names), *map(outbox, names)


async def _read(
    bootstrap: str, topics: Iterable[str], ends: Offsets, seconds: float, isolation: str = "read_committed"
) -> tuple[list[InputRecord], frozenset[tuple[str, int]]]:
    """Read from the beginning to `ends`; what cannot be read to its end is named, and the rest is kept."""
    records: list[InputRecord] = []
    async with Reader.of(bootstrap, *topics, isolation=isolation) as reader:
        await reader.from_beginning()
        with suppress(TimeoutError):
            async for record in reader.until(ends, seconds):
                records.append(record)  # noqa: PERF401 (what has been read stays when the time is up)
        return records, frozenset((one.topic, one.partition) for one in await reader.behind(ends))


async def _next_offsets(bootstrap: str) -> Mapping[tuple[str, int], int]:
    found: dict[TopicPartition, int] = {}
    async with waiting.admin_client(bootstrap) as admin:
        for group in (INTAKE_GROUP, DISPATCH_GROUP):
            with suppress(KafkaError):  # a group that has never committed stands at the beginning
                offsets = await admin.list_consumer_group_offsets(group)
                found |= {partition: one.offset for partition, one in offsets.items() if one.offset >= 0}
    return {(partition.topic, partition.partition): offset for partition, offset in found.items()}
