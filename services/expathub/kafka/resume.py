"""Ending a lane's stop by decision of a person: a new marker and a new offset, in one transaction of the lane's own.

The transaction is made under the lane's transactional id, so nobody can relay meanwhile; whoever holds the lane finds
marker and offset in agreement at its next look (`EngineSettings.look_again_seconds`) and goes on by itself.
What the lane remembers is not touched.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from expathub.errors import ExpathubError
from expathub.kafka import changelog, marker
from expathub.kafka.closing import close_consumer
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.giving_up import GivenUpError, LaneStoppedError
from expathub.kafka.lane_plan import LaneSpec
from expathub.kafka.lane_state import LaneState, Memory
from expathub.kafka.observer import Cause
from expathub.kafka.producer import LaneProducer
from expathub.kafka.sheet import Parcels
from expathub.kafka.takeover import Claimant, Findings, Stop, Take, decide
from expathub.kafka.transaction import transact

E = TypeVar("E")

_CLOSE_SECONDS = 2.0

From: TypeAlias = Literal["marker", "offsets", "log-start"] | int
"""Where to go on: what the marker says, what the group's offset says, the oldest record there is, or an offset."""

_FOREIGN = frozenset({Cause.CONFIGURATION_OLDER, Cause.FORMAT_NEWER, Cause.KEY_MISSING, Cause.KEY_DIFFERS})
"""Stops that are mended where they come from: resuming would let an old configuration or a wrong key go on."""


class ResumeError(ExpathubError):
    """The lane was not resumed; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What was done. `skipped` counts offsets that are passed over, `repeated` those that are relayed once more."""

    lane: str
    next: int
    was_marker: int | None
    was_offset: int | None
    skipped: int
    repeated: int


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How a lane looks from outside, whoever has it."""

    lane: str
    marker: marker.Marker | None
    committed: int | None
    input_start: int
    input_end: int
    stop: Stop | None
    """Why this configuration would not take it over; None when it would."""


async def lane_status(spec: LaneSpec[E], settings: EngineSettings) -> LaneStatus:
    """Look at a lane without touching it; raises `LaneStoppedError` when a topic is missing, and `KafkaError`."""
    async with ClusterView(settings) as view:
        return await _status(spec, settings, view)


async def resume_lane(spec: LaneSpec[E], settings: EngineSettings, from_: From) -> Resumed:
    """Let a stopped lane go on from where a person says; raises `ResumeError`, and `KafkaError` without Kafka."""
    try:
        async with ClusterView(settings) as view:
            status = await _status(spec, settings, view)
            following = _following(status, from_)
            await _write(spec, settings, _new_marker(spec, settings, status.marker, following))
    except LaneStoppedError as error:
        raise ResumeError(f"{spec.name} cannot be resumed: {error.cause.value} {error.detail}.") from error
    except GivenUpError as error:
        raise ResumeError(f"{spec.name} was not resumed: {error.reason}.", "Try again.") from error
    marked = status.marker.next if status.marker else None
    furthest = max((offset for offset in (status.committed, marked) if offset is not None), default=status.input_start)
    return Resumed(
        lane=spec.name,
        next=following,
        was_marker=marked,
        was_offset=status.committed,
        skipped=max(0, following - furthest),
        repeated=max(0, furthest - following),
    )


async def _status(spec: LaneSpec[E], settings: EngineSettings, view: ClusterView) -> LaneStatus:
    await view.require(spec.input)
    await view.require(spec.changelog)
    blind = replace(spec, new_state=lambda: _MarkersOnly(spec.new_state()))
    memory: Memory[E] = Memory(blind.new_state())
    await changelog.load(blind, memory, view, settings, time.time_ns() // 1_000_000)
    start, end = await view.edges(spec.input)
    changelog_start, _ = await view.edges(spec.changelog)
    committed = await _committed(spec, settings)
    found = Findings(memory.marker, committed, start, end, changelog_start, windowed=spec.window_ms is not None)
    decision = decide(found, _claimant(spec, settings), settings.batch_records_max, settings.deaths_max)
    stop = None if isinstance(decision, Take) else decision
    return LaneStatus(spec.name, memory.marker, committed, start, end, stop)


def _following(status: LaneStatus, from_: From) -> int:
    """Return the offset that is meant; raises `ResumeError` when there is none, or nothing to resume."""
    if status.stop is None and not isinstance(from_, int):
        raise ResumeError(f"{status.lane} is not stopped.", "Nothing to resume; to skip a record, give an offset.")
    if status.stop is not None and status.stop.cause in _FOREIGN:
        raise ResumeError(
            f"{status.lane} is stopped by {status.stop.cause.value} ({status.stop.detail}).",
            "Start the processes with the newer configuration, or put the key back; resuming cannot mend that.",
        )
    if isinstance(from_, int):
        following: int | None = from_
    elif from_ == "log-start":
        following = status.input_start
    elif from_ == "offsets":
        following = status.committed
    else:
        following = status.marker.next if status.marker else None
    if following is None:
        raise ResumeError(f"{status.lane} has no {from_} to go on from.", "Choose another place.")
    if not status.input_start <= following <= status.input_end:
        reach = f"{status.input_start} to {status.input_end}"
        raise ResumeError(f"{status.lane} has offsets {reach}, not {following}.", "Choose another place.")
    return following


def _claimant(spec: LaneSpec[E], settings: EngineSettings) -> Claimant:
    state = spec.new_state()
    return Claimant(uuid.uuid4().hex, state.format, settings.revision, settings.digest, settings.keys)


def _new_marker(
    spec: LaneSpec[E], settings: EngineSettings, old: marker.Marker | None, following: int
) -> marker.Marker:
    claimant = _claimant(spec, settings)
    return marker.Marker(
        next=following,
        format=old.format if old else claimant.format,
        revision=claimant.revision,
        digest=claimant.digest,
        keys=dict(claimant.keys),
        owner=claimant.owner,
        at_ms=time.time_ns() // 1_000_000,
        takeovers=old.takeovers if old else 0,
        released=True,
    )


async def _write(spec: LaneSpec[E], settings: EngineSettings, mark: marker.Marker) -> None:
    producer = LaneProducer(settings, spec.transactional_id)
    try:
        async with asyncio.timeout(settings.fencing_seconds):
            await producer.fence()
        parcels = Parcels(producer, settings.request_bytes_max)
        *first, last = spec.new_state().pack(())
        for key, value in first:
            parcels.put(spec.changelog, key, value, [])
        parcels.put(spec.changelog, *last, [(marker.HEADER, marker.encode(mark))])
        await producer.look_up(spec.changelog.topic)
        offsets = {spec.input: mark.next}
        await transact(producer, parcels, offsets, settings.group, settings.commit_deadline_seconds, spec.name)
    except (TimeoutError, KafkaError) as error:
        raise GivenUpError(type(error).__name__) from error
    finally:
        await producer.drop()


async def _committed(spec: LaneSpec[E], settings: EngineSettings) -> int | None:
    """Ask for the group's offset as an outsider: `assign` joins no group and disturbs no member."""
    consumer = AIOKafkaConsumer(**settings.connection(), group_id=settings.group, enable_auto_commit=False)
    await consumer.start()
    try:
        committed: int | None = await consumer.committed(spec.input)
    finally:
        await close_consumer(consumer, _CLOSE_SECONDS)
    return committed


class _MarkersOnly(Generic[E]):
    """A state that takes nothing in: only the markers of a changelog are looked for."""

    def __init__(self, state: LaneState[E]) -> None:
        self.format = state.format

    def get(self, key: bytes) -> E | None:
        """Know nothing."""

    def apply(self, entries: Iterable[tuple[bytes, E]]) -> None:
        """Take nothing in."""

    def pack(self, entries: Sequence[tuple[bytes, E]]) -> Sequence[tuple[bytes | None, bytes]]:
        """Nothing is ever written of this state."""
        raise NotImplementedError

    def restore(self, key: bytes | None, value: bytes | None) -> None:
        """Take nothing in."""
