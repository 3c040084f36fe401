"""Read what `expathub.core.lag` judges: commits, ends, members and the age of what is unread.

Covers the hub's own groups and every group whose id begins with a partner's (`heerlen.`), on that partner's inbox.
It joins no group and commits nothing. One partition that cannot be read carries its fault; the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError, NoError, for_code

from expathub.core.lag import PartitionReading
from expathub.core.topic_names import JOURNAL, inbox, outbox

INTAKE_GROUP = "hub.intake"
DISPATCH_GROUP = "hub.dispatch"

COUNTED_RECORDS_MAX = 1_000
"""Up to this distance the records behind a commit are counted one by one, so that no marker counts as lag."""

KNOWN_MAX = 10_000
"""How many partitions' counts are remembered between two looks."""

PARTITION_SECONDS = 5.0
"""How long one partition may keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group to look at: its partner (None for the hub's own) and the topics it should read."""

    id: str
    partner: str | None
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupReading:
    """All that was read of one group; `members` is None where the group could not be described."""

    group: Group
    members: int | None
    partitions: tuple[PartitionReading, ...]


def groups_of(existing: Collection[str], partners: Collection[str]) -> tuple[Group, ...]:
    """Name the groups to look at, out of those that exist: the hub's two always, then each partner's own by name."""
    hub = (
        Group(INTAKE_GROUP, None, tuple(outbox(partner) for partner in sorted(partners))),
        Group(DISPATCH_GROUP, None, (JOURNAL,)),
    )
    # The full stop belongs to the prefix: `stein` must not own a group of `stein-oost`.
    theirs = (
        Group(group, partner, (inbox(partner),))
        for partner in sorted(partners)
        for group in sorted(existing)
        if group.startswith(f"{partner}.")
    )
    return (*hub, *theirs)


class GroupReader:
    """Reads groups from one cluster; keeps the age of a record it has looked up, as a record never changes."""

    def __init__(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        self._admin = admin
        self._consumer = consumer
        self._known: dict[tuple[TopicPartition, int, int], PartitionReading] = {}

    async def existing(self) -> frozenset[str]:
        """Return the ids of all groups that the cluster knows."""
        return frozenset(str(group[0]) for group in await self._admin.list_consumer_groups())

    async def read_all(self, groups: Iterable[Group]) -> list[GroupReading]:
        """Read several groups: their offsets at once, then what is unread, group by group."""
        read = await asyncio.gather(*(self._offsets(group) for group in groups))
        return [replace(one, partitions=await self._counted(one.partitions)) for one in read]

    async def read(self, group: Group) -> GroupReading:
        """Read one group."""
        (reading,) = await self.read_all([group])
        return reading

    async def _offsets(self, group: Group) -> GroupReading:
        """Read commits before ends, so that a number can never be negative by order."""
        committed = await self._committed(group.id)
        members, held_by = await self._members(group.id)
        there, missing = await self._partitions(group.topics)
        readings = [
            *await asyncio.gather(*(self._partition(one, committed.get(one)) for one in there)),
            *(PartitionReading(topic, 0, fault="no-topic") for topic in missing),
        ]
        return GroupReading(
            group,
            members,
            tuple(replace(one, member=held_by.get((one.topic, one.partition))) for one in readings),
        )

    async def _counted(self, readings: Sequence[PartitionReading]) -> tuple[PartitionReading, ...]:
        """Count what is unread, where something may be; the consumer that does it stands at one group's commits."""
        looked_up = await self._look_up([reading for reading in readings if _needs_a_look(reading)])
        return tuple(replace(looked_up.get((one.topic, one.partition), one), member=one.member) for one in readings)

    async def _partitions(self, topics: Iterable[str]) -> tuple[tuple[TopicPartition, ...], tuple[str, ...]]:
        """List the partitions of topics, and the topics that are not there: nobody must ask for those again."""
        described = sorted(await self._admin.describe_topics(list(topics)), key=lambda topic: str(topic["topic"]))
        there = (topic for topic in described if for_code(topic["error_code"]) is NoError)
        missing = (str(topic["topic"]) for topic in described if for_code(topic["error_code"]) is not NoError)
        return tuple(
            TopicPartition(str(topic["topic"]), number)
            for topic in there
            for number in sorted(part["partition"] for part in topic["partitions"])
        ), tuple(missing)

    async def _committed(self, group: str) -> Mapping[TopicPartition, int]:
        try:
            offsets = await self._admin.list_consumer_group_offsets(group)
        except KafkaError:
            return {}
        return {partition: found.offset for partition, found in offsets.items() if found.offset >= 0}

    async def _members(self, group: str) -> tuple[int | None, Mapping[tuple[str, int], str]]:
        """Count the live members, and say which client holds which partition."""
        try:
            (response,) = await self._admin.describe_consumer_groups([group])
        except KafkaError:
            return None, {}
        members = [member for described in response.to_object()["groups"] for member in described["members"]]
        held = {
            (topic, partition): str(member["client_id"])
            for member in members
            for topic, partitions in _assignment(member["member_assignment"])
            for partition in partitions
        }
        return len(members), held

    async def _partition(self, partition: TopicPartition, committed: int | None) -> PartitionReading:
        reading = PartitionReading(partition.topic, partition.partition, committed)
        try:
            async with asyncio.timeout(PARTITION_SECONDS):
                starts = await self._consumer.beginning_offsets([partition])
                ends = await self._consumer.end_offsets([partition])
        except (KafkaError, TimeoutError) as error:
            return replace(reading, fault=type(error).__name__)
        return replace(reading, log_start=starts[partition], end=ends[partition])

    async def _look_up(self, readings: Collection[PartitionReading]) -> Mapping[tuple[str, int], PartitionReading]:
        """Count what is unread (markers are not) and find its age; from memory where it was read before."""
        wanted = {_key(reading): reading for reading in readings}
        fresh = {key: reading for key, reading in wanted.items() if key not in self._known}
        if len(self._known) > KNOWN_MAX:
            self._known.clear()
        if fresh:
            try:
                async with asyncio.timeout(PARTITION_SECONDS):
                    await self._count(fresh)
            except (KafkaError, TimeoutError):
                pass  # what was not counted keeps its upper bound
        return {(key[0].topic, key[0].partition): self._known[key] for key in wanted if key in self._known}

    async def _count(self, fresh: Mapping[tuple[TopicPartition, int, int], PartitionReading]) -> None:
        by_partition = {key[0]: key for key in fresh}
        self._consumer.assign(list(by_partition))
        for partition, key in by_partition.items():
            self._consumer.seek(partition, key[1])
        counts = dict.fromkeys(by_partition, 0)
        oldest: dict[TopicPartition, int] = {}
        waiting = set(by_partition)
        while waiting:
            found = await self._consumer.getmany(*waiting, timeout_ms=200)
            for partition, records in found.items():
                end = by_partition[partition][2]
                inside = [record for record in records if record.offset < end]
                counts[partition] += len(inside)
                if inside:
                    oldest.setdefault(partition, inside[0].timestamp)
            for partition in tuple(waiting):
                _, start, end = key = by_partition[partition]
                done = await self._consumer.position(partition) >= end
                if done or (partition in oldest and end - start > COUNTED_RECORDS_MAX):
                    waiting.discard(partition)
                    self._known[key] = replace(
                        fresh[key],
                        unread=counts[partition],
                        counted_all=done,
                        oldest_unread_ms=oldest.get(partition),
                    )


@asynccontextmanager
async def group_reader(bootstrap: str, admin: AIOKafkaAdminClient) -> AsyncIterator[GroupReader]:
    """Open a reader of groups; `admin` is an open client of the same cluster."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id="expathub-lag",
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        yield GroupReader(admin, consumer)
    finally:
        await consumer.stop()


def _needs_a_look(reading: PartitionReading) -> bool:
    return None not in (reading.committed, reading.log_start, reading.end) and _from(reading) < (reading.end or 0)


def _from(reading: PartitionReading) -> int:
    return max(reading.committed or 0, reading.log_start or 0)


def _key(reading: PartitionReading) -> tuple[TopicPartition, int, int]:
    return TopicPartition(reading.topic, reading.partition), _from(reading), reading.end or 0


def _assignment(raw: bytes) -> Iterable[tuple[str, list[int]]]:
    """Read a member's assignment; empty while the group is joining."""
    return ConsumerProtocolMemberAssignment.decode(raw).assignment if raw else ()
