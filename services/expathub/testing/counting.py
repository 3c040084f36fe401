"""A stage that counts, to try the engine without events: what it is told to do stands in the record's value.

Each input becomes one copy in the topic `<prefix>.copies`, numbered per key, so that whoever reads the copies back sees
what was lost, doubled, reordered, or taken up with another memory than the one it was left with.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from expathub.core.records import InputRecord, Output
from expathub.core.stage import Lookup, Step

DIE = b"die"
"""A value on whose work the process ends at once, as a broken extension would end it."""
RAISE = b"raise"
"""A value on which the stage raises."""
LARGE = b"large"
"""A value whose copy is larger than what may be written."""
REFUSED = b"refused"
"""A value with an output that the broker refuses for good: no key, into a compacted topic."""
ELSEWHERE = b"elsewhere"
"""A value with an output for a topic that is not there."""
EXIT_CODE = 86

_LARGE_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class CountState:
    """How many records each key has had."""

    format: int = 1
    slow_seconds: float = 0.0
    """Restoring one changelog record takes this long (in a load of many, this is how to make it slow)."""
    counts: dict[bytes, int] = field(default_factory=dict)

    def get(self, key: bytes) -> int | None:
        """Return the count of a key."""
        return self.counts.get(key)

    def apply(self, entries: Iterable[tuple[bytes, int]]) -> None:
        """Take over the counts of a committed batch."""
        self.counts.update(entries)

    def pack(self, entries: Sequence[tuple[bytes, int]]) -> Sequence[tuple[bytes | None, bytes]]:
        """Return a record per count, or one that says nothing."""
        return [(key, b"%d" % count) for key, count in entries] or [(b"hub-marker", b"")]

    def restore(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one count."""
        if self.slow_seconds:
            time.sleep(self.slow_seconds)
        if key is not None and value:
            self.counts[key] = int(value)


@dataclass(frozen=True, slots=True)
class CountingStage:
    """Copies every record under the number that it has for its key."""

    prefix: str
    step_seconds: float = 0.0

    def step(self, record: InputRecord, remembered: Lookup[int], at_ms: int) -> Step[int]:
        """Copy a record, or do the mischief that its value asks for."""
        del at_ms
        if self.step_seconds:
            time.sleep(self.step_seconds)
        value = record.value or b""
        if value == DIE:
            os._exit(EXIT_CODE)
        if value == RAISE:
            raise RuntimeError("as asked")
        if value == LARGE:
            return self._copy(record, remembered, bytes(_LARGE_BYTES))
        if value == REFUSED:
            return Step(outputs=(Output(f"{self.prefix}.compacted", None, b"", ()),))
        if value == ELSEWHERE:
            return Step(outputs=(Output(f"{self.prefix}.elsewhere", None, b"", ()),))
        return self._copy(record, remembered, value)

    def poison(self, record: InputRecord, remembered: Lookup[int], at_ms: int) -> Step[int]:
        """Copy the record's position in place of the record."""
        del at_ms
        return self._copy(record, remembered, b"poison")

    def _copy(self, record: InputRecord, remembered: Lookup[int], value: bytes) -> Step[int]:
        key = record.key or b"none"
        count = (remembered(key) or 0) + 1
        headers = (("hub-origin", str(record.position).encode()), ("count", b"%d" % count))
        copy = Output(f"{self.prefix}.copies", record.key, value, headers)
        return Step(outputs=(copy,), entries=((key, count),), tally=("poison" if value == b"poison" else "copied",))
