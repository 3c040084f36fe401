"""Records as both relay stages see them: positions, what comes in, what goes out.

Nothing here knows a Kafka client; `expathub.kafka` turns these values into records and back. They are `Struct`s, not
data classes, because several are made for each event: a frozen data class costs six times as much to make.
"""

from __future__ import annotations

from typing import Self, TypeAlias

import msgspec

Headers: TypeAlias = tuple[tuple[str, bytes], ...]
"""Headers as the hub writes them: names may repeat, values are UTF-8 text."""

ForeignHeaders: TypeAlias = tuple[tuple[str, bytes | None], ...]
"""Headers as somebody else wrote them: values may be null or no text at all."""


class Position(msgspec.Struct, frozen=True, order=True, gc=False):
    """One offset of one partition, written `topic/partition/offset`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Return the form used in the header `hub-origin`, e.g. `outbox.ind/0/42`."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `topic/partition/offset`; raises `ValueError` on anything else."""
        topic, partition, offset = text.rsplit("/", 2)
        if not topic:
            raise ValueError("a position is topic/partition/offset")
        return cls(topic, int(partition), int(offset))


class InputRecord(msgspec.Struct, frozen=True, gc=False):
    """One record read from an input partition; `received_ms` is the broker's append time (epoch, ms)."""

    position: Position
    key: bytes | None
    value: bytes | None
    headers: ForeignHeaders
    received_ms: int

    def __repr__(self) -> str:
        """Show the position only: a record may hold personal data."""
        return f"InputRecord({self.position})"

    def header(self, name: str) -> bytes | None:
        """Return the last value of the header `name`, or None."""
        for key, value in reversed(self.headers):
            if key == name:
                return value
        return None


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to be written in the same transaction as its input's offset.

    The engine picks the partition: by `key` as Java's murmur2 does, without a key by the input's offset.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers

    def __repr__(self) -> str:
        """Show the topic only: a record may hold personal data."""
        return f"Output({self.topic})"
