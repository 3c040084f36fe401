"""Reading a lane's changelog into its memory, up to an offset that was taken after the fencing.

The end is reached when the read_committed *position* has passed that offset: an empty poll proves nothing, and the
end that a read_committed client is told of is only the last stable offset.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException

from expathub.kafka import marker
from expathub.kafka.closing import close_consumer
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.giving_up import LaneStoppedError
from expathub.kafka.lane_plan import LaneSpec
from expathub.kafka.lane_state import Memory
from expathub.kafka.observer import Cause

E = TypeVar("E")

_FETCH_BYTES = 4 * 1024 * 1024
_POLL_MS = 200
_CLOSE_SECONDS = 2.0
_TURN_SECONDS = 0.02
"""Restoring gives way to the event loop this often: heartbeats must go on meanwhile (R1)."""


async def load(spec: LaneSpec[E], memory: Memory[E], view: ClusterView, settings: EngineSettings, at_ms: int) -> int:
    """Bring `memory` up to the end of its changelog as of now; returns how many records were read.

    May be cancelled at any time: what has been read stays, and the next load goes on from there.
    """
    start, end = await view.edges(spec.changelog)
    if memory.position is None or not start <= memory.position <= end:
        _forget(spec, memory)
        memory.position = await _window_start(spec, view, start, at_ms)
    records = await _read(spec.changelog, memory, end, settings)
    if memory.marker is None and spec.window_ms is not None and start < end:
        # The window is shorter than the retention: the last marker of a lane that slept longer lies before it.
        _forget(spec, memory)
        memory.position = start
        records += await _read(spec.changelog, memory, end, settings)
    memory.touched = time.monotonic()
    return records


def _forget(spec: LaneSpec[E], memory: Memory[E]) -> None:
    memory.state = spec.new_state()
    memory.position = None
    memory.marker = None


async def _window_start(spec: LaneSpec[E], view: ClusterView, start: int, at_ms: int) -> int:
    if spec.window_ms is None:
        return start
    found = await view.offset_at(spec.changelog, at_ms - spec.window_ms)
    return start if found is None else max(start, found)


async def _read(changelog: TopicPartition, memory: Memory[E], end: int, settings: EngineSettings) -> int:
    """Read on from `memory.position` until `end` is passed."""
    position = memory.position or 0
    if position >= end:
        return 0
    reader = AIOKafkaConsumer(
        **settings.connection(),
        isolation_level="read_committed",
        auto_offset_reset="none",
        max_partition_fetch_bytes=_FETCH_BYTES,
        fetch_max_wait_ms=settings.fetch_wait_ms,
    )
    records = 0
    try:
        await reader.start()
        reader.assign([changelog])
        reader.seek(changelog, position)
        while position < end:
            batch = (await reader.getmany(timeout_ms=_POLL_MS)).get(changelog, [])
            await _restore(memory, batch)
            records += len(batch)
            position = memory.position = await reader.position(changelog)
    except (ValueError, KeyError, CorruptRecordException) as error:
        raise LaneStoppedError(
            Cause.CHANGELOG_UNREADABLE, f"after offset {position}: {type(error).__name__}"
        ) from error
    finally:
        await close_consumer(reader, _CLOSE_SECONDS)
    return records


async def _restore(memory: Memory[E], batch: Sequence[ConsumerRecord[bytes | None, bytes | None]]) -> None:
    turn_ends = time.monotonic() + _TURN_SECONDS
    for record in batch:
        memory.position = None  # should `restore` raise, nobody knows what is in
        memory.state.restore(record.key, record.value)
        memory.marker = marker.newest(record.headers) or memory.marker
        memory.position = record.offset + 1
        if time.monotonic() > turn_ends:
            await asyncio.sleep(0)
            turn_ends = time.monotonic() + _TURN_SECONDS
