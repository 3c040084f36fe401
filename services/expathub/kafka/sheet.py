"""The pure work of one batch: each record through the stage, outputs into record batches, entries into an overlay.

All of it happens before the transaction begins (R2). Nothing here is awaited but the event loop's own turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from expathub.core.records import InputRecord, Position
from expathub.core.stage import Stage, Step
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.giving_up import LaneStoppedError, OversizeError
from expathub.kafka.group_consumer import Fetched
from expathub.kafka.lane_state import LaneState
from expathub.kafka.observer import Cause
from expathub.kafka.partitioning import Partitioner
from expathub.kafka.producer import LaneProducer

E = TypeVar("E")


class Parcels:
    """Record batches by partition, in the order in which they were filled."""

    def __init__(self, producer: LaneProducer, bytes_max: int) -> None:
        self._producer = producer
        self._bytes_max = bytes_max
        self.by_partition: dict[TopicPartition, list[BatchBuilder]] = {}

    def put(self, at: TopicPartition, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        """Add one record; raises `OversizeError` when it alone is too large."""
        builders = self.by_partition.get(at)
        if builders is None:
            builders = self.by_partition[at] = [self._producer.batch()]
        added = builders[-1].append(timestamp=None, key=key, value=value, headers=headers)
        if added is None:
            builders.append(self._producer.batch())
            added = builders[-1].append(timestamp=None, key=key, value=value, headers=headers)
        if added.size > self._bytes_max:
            raise OversizeError(at.topic, added.size)


class Sheet(Generic[E]):
    """One batch being worked out. Throw it away when anything raises: what has been put in stays in."""

    def __init__(
        self,
        stage: Stage[E],
        state: LaneState[E],
        parcels: Parcels,
        view: ClusterView,
        partitioner: Partitioner,
        at_ms: int,
    ) -> None:
        self._stage = stage
        self._state = state
        self._view = view
        self._partitioner = partitioner
        self._at_ms = at_ms
        self.parcels = parcels
        self.entries: dict[bytes, E] = {}
        self.tally: dict[str, int] = {}
        self.records = 0
        self.outputs = 0

    def work(self, record: InputRecord) -> None:
        """Put a record through the stage; raises whatever the stage raises, and `OversizeError`."""
        self._enter(record, self._stage.step(record, self._remembered, self._at_ms))

    def poison(self, record: InputRecord) -> None:
        """Put a record through the stage as poison."""
        self._enter(record, self._stage.poison(record, self._remembered, self._at_ms))

    def _remembered(self, key: bytes) -> E | None:
        entry = self.entries.get(key)
        return self._state.get(key) if entry is None else entry

    def _enter(self, record: InputRecord, step: Step[E]) -> None:
        offset = record.position.offset
        put, pick, addresses = self.parcels.put, self._partitioner.pick, self._view.addresses
        for output in step.outputs:
            known = addresses(output.topic)
            if not known:
                raise LaneStoppedError(Cause.TOPIC_MISSING, output.topic)
            put(known[pick(output.key, offset, len(known))], output.key, output.value, list(output.headers))
        self.entries.update(step.entries)
        for word in step.tally:
            self.tally[word] = self.tally.get(word, 0) + 1
        self.records += 1
        self.outputs += len(step.outputs)


def input_record(record: Fetched) -> InputRecord:
    """Return a client's record as the stage sees it."""
    return InputRecord(
        Position(record.topic, record.partition, record.offset),
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp,
    )


def pack(sheet: Sheet[E], state: LaneState[E], changelog: TopicPartition, header: tuple[str, bytes]) -> int:
    """Add the changelog records of a sheet, the marker on the last; returns how many records they are."""
    records: Sequence[tuple[bytes | None, bytes]] = state.pack(tuple(sheet.entries.items()))
    for key, value in records[:-1]:
        sheet.parcels.put(changelog, key, value, [])
    key, value = records[-1]
    sheet.parcels.put(changelog, key, value, [header])
    return len(records)
