"""The exactly-once engine of a relay stage: memberships in its group, one after the other, until it is told to stop.

It knows lanes, changelogs, entries and outputs and nothing of events. `Engine.run` waits for Kafka as long as it takes.
The way of a batch: `membership` (pump) → `lane` → `relaying` → `sheet` (pure) → `hold` → `transaction`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from expathub.core.stage import Stage
from expathub.kafka import exhaustion
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.giving_up import EngineError, GivenUpError
from expathub.kafka.group_consumer import GroupConsumer
from expathub.kafka.lane_plan import LanePlan
from expathub.kafka.lane_state import Memory
from expathub.kafka.membership import Membership
from expathub.kafka.observer import Detail, Happening, Health, Observer, Phase
from expathub.kafka.partitioning import Partitioner
from expathub.kafka.surroundings import Pulse, Surroundings

E = TypeVar("E")

_HOPELESS = (
    AuthenticationFailedError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
)
"""What waiting does not mend."""


_AWAIT_LAST_SECONDS = 5.0
_EXHAUSTED_SECONDS = 10.0
"""How long the lanes may take to end in a process that has run out of memory."""
_DOUBLINGS = 10


def now_ms() -> int:
    """Return the clock's time (epoch, ms)."""
    return time.time_ns() // 1_000_000


class Engine(Generic[E]):
    """Relays the lanes that its group gives it, exactly once, until `stop`."""

    def __init__(
        self,
        stage: Stage[E],
        lanes: LanePlan[E],
        settings: EngineSettings,
        observer: Observer,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._stage = stage
        self._plan = lanes
        self._settings = settings
        self._observer = observer
        self._clock_ms = clock_ms
        self._owner = uuid.uuid4().hex
        self._partitioner = Partitioner()
        self._memories: dict[str, Memory[E]] = {}
        self._membership: Membership[E] | None = None
        self._stopping = asyncio.Event()
        self._silences = 0
        self._failures = 0

    def stop(self) -> None:
        """Stop fetching, let each lane finish or abort its batch, leave the group; `run` returns within 25 s (R10)."""
        self._stopping.set()

    def health(self) -> Health:
        """Say how the engine and its lanes are."""
        membership = self._membership
        lanes = membership.lanes() if membership else {}
        joined = membership is not None and membership.joined
        running = all(lane.phase is Phase.RUNNING for lane in lanes.values())
        return Health(ready=joined and running and not self._stopping.is_set(), joined=joined, lanes=lanes)

    async def run(self) -> None:
        """Run until `stop`; raises `EngineError` when it cannot go on, and whatever is a fault of the engine itself.

        `MemoryError` is raised also when it was the client that ran out of memory, in a task of its own.
        """
        if not DefaultRecordBatchBuilder.__module__.startswith("aiokafka.record._crecords"):
            raise EngineError(
                "aiokafka runs without its C extension.", "Install a wheel of aiokafka for this platform."
            )
        with exhaustion.noticed() as exhausted:
            await _unless(exhausted, self._relay_until_stopped())

    async def _relay_until_stopped(self) -> None:
        """Be a member again and again."""
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await self._unless_stopped_before_joining(self._be_member())
            except (GivenUpError, KafkaError, OSError) as error:
                await self._after(error, time.monotonic() - began)

    async def _after(self, error: Exception, seconds: float) -> None:
        """Wait after a membership of so many seconds, unless waiting would mend nothing."""
        if exhaustion.is_exhaustion(error):
            raise MemoryError from error
        if isinstance(error, _HOPELESS):
            raise EngineError(f"Kafka refuses us: {type(error).__name__}.", "Check credentials and rights.") from error
        if isinstance(error, KafkaConnectionError | OSError):
            self._silences += 1
            await self._pause(Happening.KAFKA_AWAITED, type(error).__name__, self._silences, _AWAIT_LAST_SECONDS)
            return
        self._failures = 1 if seconds > self._settings.settled_seconds else self._failures + 1
        self._silences = 0
        given_up = error if isinstance(error, GivenUpError) else GivenUpError("kafka-error", error)
        longest = self._settings.rejoin_last_seconds
        await self._pause(Happening.GIVEN_UP, given_up.reason, self._failures, longest, given_up.error)

    async def _unless_stopped_before_joining(self, work: Coroutine[Any, Any, None]) -> None:
        """Await a membership, which knows how to stop; before it is one, connecting is just broken off."""
        member = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({member, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if self._membership is not None or member.done():
                await member
        finally:
            stopped.cancel()
            member.cancel()
            await asyncio.wait({member})
            if not member.cancelled():
                member.exception()

    async def _be_member(self) -> None:
        """Connect, join, relay until told to stop or given up; leave."""
        settings = self._settings
        async with ClusterView(settings) as view:
            consumer = GroupConsumer(settings)
            around = Surroundings(
                self._stage,
                settings,
                self._observer,
                self._owner,
                self._clock_ms,
                consumer,
                view,
                self._partitioner,
                Pulse(settings.session_timeout_ms / 1000),
                self._memories,
            )
            try:
                await consumer.connect()
            except BaseException:
                await consumer.leave(0.0)
                raise
            self._membership = Membership(self._plan, around)
            try:
                await self._membership.run(self._stopping)
            finally:
                self._membership = None

    async def _pause(
        self, name: Happening, reason: str, attempt: int, longest_seconds: float, cause: str | None = None
    ) -> None:
        """Wait before the next attempt, longer each time; `stop` ends the wait."""
        seconds = min(self._settings.rejoin_first_seconds * 2 ** min(attempt - 1, _DOUBLINGS), longest_seconds)
        details: dict[str, Detail] = {"reason": reason, "seconds": seconds}
        if cause is not None:
            details["error"] = cause
        self._observer.event(name, None, details)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _unless(exhausted: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; raises `MemoryError`, and breaks it off, once memory has run out."""
    working = asyncio.ensure_future(work)
    told = asyncio.ensure_future(exhausted.wait())
    try:
        await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise MemoryError
        await working
    finally:
        told.cancel()
        working.cancel()
        await asyncio.wait({working}, timeout=_EXHAUSTED_SECONDS)
        if working.done() and not working.cancelled():
            working.exception()
