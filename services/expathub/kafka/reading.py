"""Read topics as a bystander: committed records only, in order per partition, with no group and no commit.

For commands, checks and tests. A reader leaves no trace in the cluster and takes nothing from anybody.
The lanes of the relay stages do not read through this.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import NoError, for_code

from expathub.core.records import InputRecord, Position
from expathub.errors import MisconfiguredError
from expathub.kafka import waiting

Offsets: TypeAlias = Mapping[TopicPartition, int]
"""The next offset of each partition."""

FETCH_RECORDS_MAX = 500
_FETCH_WAIT_MS = 100  # a change of partitions waits for the fetch under way
_POLL_MS = 100


class Reader:
    """Reads committed records of some topics, from where it is told, to where it is told."""

    def __init__(self, bootstrap: str, partitions: tuple[TopicPartition, ...], isolation: str) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._consumer = _consumer(bootstrap, isolation)

    @classmethod
    @asynccontextmanager
    async def of(cls, bootstrap: str, *topics: str, isolation: str = "read_committed") -> AsyncIterator[Self]:
        """Open a reader of all partitions of `topics`; it stands nowhere until one of the `from_…` is called.

        With the isolation `read_uncommitted`, for looking into what went wrong only, it sees the records of open and
        aborted transactions too. Raises `KafkaUnreachableError` when Kafka does not answer in time and
        `MisconfiguredError` for a topic that is not there: no topic is ever made by asking for it.
        """
        reader = cls(bootstrap, await partitions_of(bootstrap, *topics), isolation)
        try:
            with waiting.giving_up(bootstrap):
                await reader._consumer.start()
            yield reader
        finally:
            # The client's task must have begun, or its end looks like our own cancellation.
            await asyncio.sleep(0)
            await reader._consumer.stop()

    async def from_beginning(self) -> None:
        """Go to the oldest record of each partition."""
        self._seek(await self.starts())

    async def from_end(self) -> None:
        """Go behind the newest record, an open transaction's records included: they are not read when it commits."""
        self._seek(await self.ends())

    async def from_time(self, at_ms: int) -> None:
        """Go to the first record that the broker appended at or after this time (epoch, ms), else to the end."""
        self._seek(await self.offsets_at(at_ms))

    async def offsets_at(self, at_ms: int) -> Offsets:
        """Return the offset of the first record that was appended at or after a time (epoch, ms), else the end."""
        found = await self._consumer.offsets_for_times(dict.fromkeys(self._partitions, at_ms))
        ends = await self.ends()
        return {partition: at.offset if at else ends[partition] for partition, at in found.items()}

    async def starts(self) -> Offsets:
        """Return the offset of the oldest record that each partition still has."""
        return dict(await self._consumer.beginning_offsets(self._partitions))

    def from_offsets(self, offsets: Offsets) -> None:
        """Go to these offsets; partitions that are not named are not read."""
        self._seek(offsets)

    async def ends(self) -> Offsets:
        """Return the high watermark of each partition: behind the newest record, committed or not.

        Asked by a client of its own, because a reader of committed records is told the last stable offset, which an
        open transaction holds back.
        """
        looker = _consumer(self._bootstrap, "read_uncommitted")
        try:
            await looker.start()
            return dict(await looker.end_offsets(self._partitions))
        finally:
            await looker.stop()

    async def batches(self, idle_seconds: float | None = None) -> AsyncIterator[list[InputRecord]]:
        """Yield records as they come, each partition's in order.

        Ends when none came for `idle_seconds` (None: never) and all that there is has been read; an open transaction
        may hold that back for `PATIENCE_SECONDS` more. Raises a client's error when Kafka does not answer then.
        """
        last = time.monotonic()
        while True:
            records = await self._poll()
            if records:
                yield records
                last = time.monotonic()
            elif idle_seconds is not None and await self._is_over(time.monotonic() - last - idle_seconds):
                return

    async def _is_over(self, beyond_seconds: float) -> bool:
        """Tell whether to end, so long after the time for it: not before everything there is has been read."""
        if beyond_seconds < 0:
            return False
        return beyond_seconds > waiting.PATIENCE_SECONDS or not await self.behind(await self.ends())

    async def until(self, ends: Offsets, within_seconds: float) -> AsyncIterator[InputRecord]:
        """Yield what is committed below `ends`; raise `TimeoutError` if a partition does not get there in time.

        Ends when each partition's position has reached its end: transaction markers count, an empty poll does not.
        """
        async with asyncio.timeout(within_seconds):
            while await self.behind(ends):
                for record in await self._poll():
                    if record.position.offset < ends[TopicPartition(record.position.topic, record.position.partition)]:
                        yield record

    async def behind(self, ends: Offsets) -> tuple[TopicPartition, ...]:
        """Name the partitions that have not been read to `ends` yet; transaction markers count as read."""
        positions = [(partition, await self._consumer.position(partition)) for partition in ends]
        return tuple(partition for partition, position in positions if position < ends[partition])

    async def _poll(self) -> list[InputRecord]:
        fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=FETCH_RECORDS_MAX)
        return [as_input(record) for records in fetched.values() for record in records]

    def _seek(self, offsets: Offsets) -> None:
        # Assigned only now and sought before anything is awaited: the client must never look for a committed offset.
        self._consumer.assign(list(offsets))
        for partition, offset in offsets.items():
            self._consumer.seek(partition, offset)


def as_input(record: ConsumerRecord[bytes | None, bytes | None]) -> InputRecord:
    """Turn the client's record into the hub's."""
    return InputRecord(
        Position(record.topic, record.partition, record.offset),
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp,
    )


async def read_all(bootstrap: str, *topics: str, within_seconds: float = 30.0) -> list[InputRecord]:
    """Return everything committed in `topics` by now, each partition's records in order."""
    async with Reader.of(bootstrap, *topics) as reader:
        await reader.from_beginning()
        return [record async for record in reader.until(await reader.ends(), within_seconds)]


def _consumer(bootstrap: str, isolation: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        isolation_level=isolation,
        auto_offset_reset="none",  # a position that the broker no longer has is an error, never a jump
        retry_backoff_ms=20,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
    )


async def partitions_of(bootstrap: str, *topics: str) -> tuple[TopicPartition, ...]:
    """Return all partitions of the topics; raises as `Reader.of` does."""
    async with waiting.admin_client(bootstrap) as admin:
        described = await admin.describe_topics(list(topics))
    missing = sorted(topic["topic"] for topic in described if for_code(topic["error_code"]) is not NoError)
    if missing:
        raise MisconfiguredError(f"There is no topic {', '.join(missing)}.", "Run `expathub provision apply`.")
    return tuple(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    )
