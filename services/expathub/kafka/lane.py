"""One lane in this process: take over, relay batch by batch, stop or leave.

The membership (`membership`) feeds it and tells it to leave; everything else is the lane's own doing, in its own task.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Generic, TypeVar

from aiokafka.errors import KafkaError

from expathub.kafka import failpoints
from expathub.kafka.buffer import Buffer
from expathub.kafka.giving_up import GivenUpError, LaneStoppedError
from expathub.kafka.group_consumer import Fetched
from expathub.kafka.hold import Hold
from expathub.kafka.lane_plan import LaneSpec
from expathub.kafka.lane_takeover import may_go_on, take_over
from expathub.kafka.observer import Cause, Happening, LaneHealth, Phase
from expathub.kafka.relaying import relay
from expathub.kafka.surroundings import Surroundings

E = TypeVar("E")
T = TypeVar("T")

_FULL_TOLD_SECONDS = 60.0


class _LeftError(Exception):
    """The lane is to be left while it waits for something."""


class Lane(Generic[E]):
    """A lane that the group has given to this process."""

    def __init__(self, spec: LaneSpec[E], around: Surroundings[E]) -> None:
        self.spec = spec
        self._around = around
        self._buffer = Buffer()
        self._next_fetch = 0
        self._full = False
        self._full_told = float("-inf")
        self._woken = asyncio.Event()
        self._left = asyncio.Event()
        self._hindrance: LaneStoppedError | None = None
        self._health = LaneHealth(Phase.TAKING_OVER)

    @property
    def health(self) -> LaneHealth:
        """How the lane is."""
        return self._health

    @property
    def running(self) -> bool:
        """Whether records are wanted."""
        return self._health.phase is Phase.RUNNING

    @property
    def hungry(self) -> bool:
        """Whether it waits for records."""
        return self.running and not self._buffer and not self._full and self._hindrance is None

    @property
    def next_fetch(self) -> int:
        """The offset that follows what has been fed."""
        return self._next_fetch

    def feed(self, records: Sequence[Fetched], behind: int) -> None:
        """Take in fetched records in order; `behind` is the consumer's position after them."""
        if not self.running:
            return  # fetched before the lane was ready: it will seek
        self._buffer.feed(records, behind)
        self._next_fetch = behind
        self._woken.set()
        if self._buffer.bytes >= self._around.settings.buffer_bytes_max and not self._full:
            self._full = True
            self._around.consumer.hold_on(self.spec.input)
            if time.monotonic() - self._full_told > _FULL_TOLD_SECONDS:
                self._full_told = time.monotonic()
                self._around.tell(Happening.BUFFER_FULL, self.spec.name, {"bytes": self._buffer.bytes})

    def stop(self, cause: Cause, detail: str = "") -> None:
        """Stop a running lane because of something that the membership has met."""
        self._hindrance = LaneStoppedError(cause, detail)
        self._around.consumer.hold_on(self.spec.input)
        self._woken.set()

    def leave(self) -> None:
        """Finish the batch at hand and end; `run` returns soon."""
        self._left.set()
        self._woken.set()

    async def run(self) -> None:
        """Own the lane until it is left; raises `GivenUpError` when the membership must end."""
        try:
            while not self._left.is_set():
                try:
                    await self._own()
                except LaneStoppedError as hindrance:
                    await self._be_stopped(hindrance)
        except _LeftError:
            pass
        except KafkaError as error:
            raise GivenUpError("kafka-error", error) from error
        finally:
            self._health = LaneHealth(Phase.LEAVING)
            self._buffer.clear()

    async def _own(self) -> None:
        self._health = LaneHealth(Phase.TAKING_OVER)
        hold = await self._unless_left(take_over(self.spec, self._around))
        try:
            self._open(hold)
            while await self._records(hold):
                await relay(hold, self._buffer, self._around, self._left.is_set)
                self._flow()
            if failpoints.armed:
                await failpoints.reach("leaving", self.spec.name)
            await hold.release()
            self._around.tell(Happening.RELEASED, self.spec.name, {"next": hold.mark.next})
        finally:
            self._health = LaneHealth(Phase.LEAVING)
            self._around.consumer.hold_back([self.spec.input])
            self._buffer.clear()
            await hold.producer.drop()

    def _open(self, hold: Hold[E]) -> None:
        self._hindrance = None
        self._full = False
        self._next_fetch = hold.mark.next
        self._health = LaneHealth(Phase.RUNNING)
        self._around.consumer.let_flow(self.spec.input, hold.mark.next)

    async def _records(self, hold: Hold[E]) -> bool:
        """Wait until there is something to do; False when the lane is to be left."""
        while not self._left.is_set():
            if self._buffer:
                await hold.breathe()
                return not self._left.is_set()
            if self._hindrance is not None:
                raise self._hindrance
            self._woken.clear()
            try:
                async with asyncio.timeout(self._around.settings.renewal_seconds):
                    await self._woken.wait()
            except TimeoutError:
                await self._renew(hold)
        return False

    async def _renew(self, hold: Hold[E]) -> None:
        """Write the marker and the offset again, so that neither expires on a quiet lane.

        With nothing left to do, the place to go on at is the consumer's position: it is also past what aborted
        transactions have left in the log. Else retention could move the topic's beginning past a marker that waits
        in front of nothing, which would look like a loss.
        """
        position = await self._around.consumer.position(self.spec.input)
        following = position if not self._buffer and position is not None else hold.mark.next
        await hold.note(with_offset=True, next=max(following, hold.mark.next))
        self._around.tell(Happening.RENEWED, self.spec.name)

    def _flow(self) -> None:
        """Fetch again once half of a full buffer is worked off."""
        if self._full and self._buffer.bytes < self._around.settings.buffer_bytes_max // 2:
            self._full = False
            self._around.consumer.go_on(self.spec.input)

    async def _be_stopped(self, hindrance: LaneStoppedError) -> None:
        self._health = LaneHealth(Phase.STOPPED, hindrance.cause, hindrance.detail)
        self._around.tell(
            Happening.STOPPED, self.spec.name, {"cause": hindrance.cause.value, "detail": hindrance.detail}
        )
        while True:
            await self._unless_left(asyncio.sleep(self._around.settings.look_again_seconds))
            if await self._unless_left(may_go_on(self.spec, self._around, hindrance)):
                self._around.tell(Happening.RESUMED, self.spec.name)
                return

    async def _unless_left(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work`, which may be broken off when the lane is to be left; raises `_LeftError` then."""
        task = asyncio.ensure_future(work)
        left = asyncio.ensure_future(self._left.wait())
        try:
            await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise _LeftError
        finally:
            for one in (task, left):
                one.cancel()
            await asyncio.gather(task, left, return_exceptions=True)
