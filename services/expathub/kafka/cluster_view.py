"""What an engine needs to know of the cluster beside its own records: its topics, and where they begin and end.

It asks for all topics at once, never by name: asking by name could make a topic (R5).
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import StaleMetadata

from expathub.kafka.closing import close_consumer
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.giving_up import LaneStoppedError
from expathub.kafka.observer import Cause

_CLOSE_SECONDS = 2.0


class ClusterView:
    """Looks at topics and offsets, uncommitted records included. Use as `async with`."""

    def __init__(self, settings: EngineSettings) -> None:
        self.client = AIOKafkaClient(**settings.connection())
        self._reader = AIOKafkaConsumer(**settings.connection(), isolation_level="read_uncommitted")
        self._partitions: dict[str, int] = {}
        self._addresses: dict[str, tuple[TopicPartition, ...]] = {}
        self._metadata: ClusterMetadata

    async def __aenter__(self) -> Self:
        """Connect; raises `KafkaConnectionError` when no broker answers."""
        try:
            await self.client.bootstrap()
            await self._reader.start()
            await self.refresh()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._close()

    async def _close(self) -> None:
        await close_consumer(self._reader, _CLOSE_SECONDS)
        await self.client.close()

    async def refresh(self) -> None:
        """Look which topics there are now."""
        metadata = await self.client.fetch_all_metadata()
        self._partitions = {topic: len(metadata.partitions_for_topic(topic) or ()) for topic in metadata.topics()}
        self._addresses = {
            topic: tuple(TopicPartition(topic, number) for number in range(count))
            for topic, count in self._partitions.items()
        }
        self._metadata = metadata

    def leader(self, partition: TopicPartition) -> int:
        """Return the node that leads a partition, as of the last look; raises `StaleMetadata`."""
        node: int | None = self._metadata.leader_for_partition(partition)
        if node is None or node < 0:
            raise StaleMetadata(partition)
        return node

    def has(self, topic: str) -> bool:
        """Return whether the topic was there at the last look."""
        return self._partitions.get(topic, 0) > 0

    async def partitions(self, topic: str) -> int:
        """Return how many partitions `topic` has; raises `LaneStoppedError` when there is no such topic."""
        if not self.has(topic):
            await self.refresh()
        if not self.has(topic):
            raise LaneStoppedError(Cause.TOPIC_MISSING, topic)
        return self._partitions[topic]

    def addresses(self, topic: str) -> tuple[TopicPartition, ...]:
        """Return the partitions that `topic` had at the last look; none when it was not there."""
        return self._addresses.get(topic, ())

    async def require(self, partition: TopicPartition) -> None:
        """Raise `LaneStoppedError` unless there is such a partition."""
        if partition.partition >= await self.partitions(partition.topic):
            raise LaneStoppedError(Cause.TOPIC_MISSING, partition.topic)

    async def edges(self, partition: TopicPartition) -> tuple[int, int]:
        """Return the first offset of a partition and the one behind its newest record, uncommitted ones included."""
        start = await self._reader.beginning_offsets([partition])
        end = await self._reader.end_offsets([partition])
        return start[partition], end[partition]

    async def offset_at(self, partition: TopicPartition, at_ms: int) -> int | None:
        """Return the offset of the first record not older than `at_ms` (epoch, ms), or None when all are older."""
        found = (await self._reader.offsets_for_times({partition: at_ms}))[partition]
        return None if found is None else found.offset
