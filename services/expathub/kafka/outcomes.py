"""What became of records in an outbox: each is the `hub-origin` of one record in the journal or among the refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Self

from expathub.core import topic_names
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Position
from expathub.kafka.reading import Reader

KEPT_MAX = 10_000


class Outcome(Enum):
    """What intake made of a record."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and, unless it is accepted, the reason code."""

    outcome: Outcome
    code: str | None = None


class Verdicts:
    """Watches the journal and the refusals for records of one outbox, from the moment it is opened."""

    def __init__(self, outbox: str) -> None:
        self._prefix = f"{outbox}/".encode()
        self._known: dict[str, asyncio.Future[Verdict]] = {}

    @classmethod
    @asynccontextmanager
    async def of(cls, bootstrap: str, outbox: str) -> AsyncIterator[Self]:
        """Watch `outbox`; open this before the first record is sent, or its verdict may be missed."""
        async with Reader.of(bootstrap, topic_names.JOURNAL, topic_names.REFUSALS) as reader:
            await reader.from_end()
            verdicts = cls(outbox)
            watching = asyncio.create_task(verdicts._watch(reader))
            try:
                yield verdicts
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    async def on(self, position: Position, within_seconds: float) -> Verdict | None:
        """Wait for what becomes of the record at `position`; None if that is not known in time."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._slot(str(position))), within_seconds)
        except TimeoutError:
            return None
        finally:
            self._known.pop(str(position), None)

    async def _watch(self, reader: Reader) -> None:
        async for batch in reader.batches():
            for record in batch:
                self.note(record)

    def note(self, record: InputRecord) -> None:
        """Take note of a record of the journal or the refusals, if it is about this outbox."""
        origin = record.header("hub-origin") or b""
        slot = self._slot(origin.decode()) if origin.startswith(self._prefix) else None
        if slot and not slot.done():
            slot.set_result(verdict_of(record))
            self._forget()

    def _forget(self) -> None:
        """Drop the oldest verdict that nobody asked for: somebody else may write in the same outbox."""
        if len(self._known) > KEPT_MAX:
            oldest = next((origin for origin, slot in self._known.items() if slot.done()), None)
            self._known.pop(oldest or "", None)

    def _slot(self, origin: str) -> asyncio.Future[Verdict]:
        return self._known.setdefault(origin, asyncio.get_running_loop().create_future())


def verdict_of(record: InputRecord) -> Verdict:
    """Read a record of the journal or the refusals as a verdict on its origin."""
    if record.position.topic == topic_names.JOURNAL:
        return Verdict(Outcome.ACCEPTED)
    code = (record.header("hub-code") or b"").decode()
    return Verdict(Outcome.DUPLICATE if code == Reason.DUPLICATE.value else Outcome.REFUSED, code)
