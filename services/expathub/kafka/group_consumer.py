"""The consumer that is a process's membership in its stage's group: paused until a lane is ready, left in bounded time.

Rebalances are eager (aiokafka knows no other). While a lane loads it is paused at a made-up position: without one the
client would ask for committed offsets in a tight loop and answer each with an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    RecordTooLargeError,
    UnsupportedCodecError,
)

from expathub.kafka.closing import close_consumer
from expathub.kafka.engine_settings import EngineSettings

Fetched: TypeAlias = ConsumerRecord[bytes | None, bytes | None]
"""A record as the client hands it out."""

_UNREADABLE = (CorruptRecordException, UnsupportedCodecError, RecordTooLargeError)

_NOT_OURS = (IllegalStateError, AssertionError)
"""What the client raises at a partition that it no longer has; the second while it has no assignment at all."""

_JOIN_MARGIN_MS = 10_000
"""The broker may hold the answer to a join for the whole rebalance timeout; a request must outlive that."""

_JOIN_BACKOFF_MS = 100


def is_unreadable(error: Exception) -> bool:
    """Return whether the client raised `error` in place of records that it cannot read."""
    return isinstance(error, _UNREADABLE) or not isinstance(error, KafkaError | MemoryError)


class GroupConsumer:
    """A read_committed member of a group that never commits by itself and never jumps (R5)."""

    def __init__(self, settings: EngineSettings) -> None:
        waits = {
            "request_timeout_ms": settings.rebalance_timeout_ms + _JOIN_MARGIN_MS,
            "retry_backoff_ms": _JOIN_BACKOFF_MS,
        }
        self._consumer = AIOKafkaConsumer(
            **settings.connection() | waits,
            group_id=settings.group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_interval_ms,
            rebalance_timeout_ms=settings.rebalance_timeout_ms,
            fetch_max_wait_ms=settings.fetch_wait_ms,
            max_partition_fetch_bytes=settings.fetch_bytes_max,
        )

    async def connect(self) -> None:
        """Connect to the cluster; the group is joined with `subscribe`."""
        await self._consumer.start()

    def subscribe(self, topics: frozenset[str], listener: ConsumerRebalanceListener) -> None:
        """Join the group, or join it again, for `topics`; no change, no new join."""
        if topics != self._consumer.subscription():
            self._consumer.subscribe(list(topics), listener=listener)

    async def fetch(self, timeout_ms: int, *only: TopicPartition) -> Mapping[TopicPartition, Sequence[Fetched]]:
        """Return what has been fetched; raises `KafkaError`, or anything when the client cannot read a record.

        When it raises, what it had in hand of other partitions is gone, and positions are past it: the client drops
        both the partitions that it has emptied already and, at its next call, the good records before the bad one.
        Whoever catches must `rewind` every partition to where its own records end.
        """
        if self._fetcher_ended():
            raise KafkaError("the client's fetcher has ended")
        fetched: Mapping[TopicPartition, Sequence[Fetched]] = await self._consumer.getmany(*only, timeout_ms=timeout_ms)
        return fetched

    def _fetcher_ended(self) -> bool:
        """Return whether the client's own task has died: it says so nowhere, and `getmany` would be empty for ever."""
        hidden: Any = self._consumer
        ended: bool = hidden._fetcher.error_future.done()  # noqa: SLF001 (there is no public way to see it)
        return ended

    async def position(self, partition: TopicPartition) -> int | None:
        """Return the offset from which a partition would be fetched next, or None when it is not ours."""
        try:
            position: int = await self._consumer.position(partition)
        except _NOT_OURS:
            return None
        return position

    async def stable_ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return up to where each partition can be read: its last stable offset."""
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(list(partitions))
        return ends

    async def committed(self, partition: TopicPartition) -> int | None:
        """Return the group's committed offset, asked of the broker, or None."""
        committed: int | None = await self._consumer.committed(partition)
        return committed

    def hold_back(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetch nothing of `partitions`; those that are no longer ours are passed over."""
        for partition in partitions:
            with suppress(*_NOT_OURS):
                self._consumer.pause(partition)
                self._consumer.seek(partition, 0)

    def let_flow(self, partition: TopicPartition, offset: int) -> None:
        """Fetch `partition` from `offset` on, if it is still ours."""
        with suppress(*_NOT_OURS):
            self._consumer.seek(partition, offset)
            self._consumer.resume(partition)

    def rewind(self, partition: TopicPartition, offset: int) -> None:
        """Fetch `partition` from `offset` on, without changing whether it is paused."""
        with suppress(*_NOT_OURS):
            self._consumer.seek(partition, offset)

    def hold_on(self, partition: TopicPartition) -> None:
        """Pause where we are, if it is still ours."""
        with suppress(*_NOT_OURS):
            self._consumer.pause(partition)

    def go_on(self, partition: TopicPartition) -> None:
        """Resume where we are, if it is still ours."""
        with suppress(*_NOT_OURS):
            self._consumer.resume(partition)

    async def leave(self, within_seconds: float) -> None:
        """Leave the group and close; after `within_seconds` without an answer just close."""
        await close_consumer(self._consumer, within_seconds)
