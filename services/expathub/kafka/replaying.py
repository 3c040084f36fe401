"""Read the journal for a replay: which stretch is meant, and its records in order, partition by partition.

What a replay yields is `expathub.core.replay`'s; this only finds offsets, reads twice and shows progress.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from expathub.core.configuration import Configuration
from expathub.core.records import InputRecord, Position
from expathub.core.references import ReferenceKeys
from expathub.core.replay import KeptBack, Permissions, Replay, Replayed
from expathub.core.topic_names import JOURNAL
from expathub.errors import UsageError
from expathub.kafka.reading import Offsets, Reader

WITHIN_SECONDS = 3600.0
"""How long one partition of the journal may take to read."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets of the journal per partition: from `first` up to `end`, which is not in it; others are left out."""

    first: Mapping[int, int]
    end: Mapping[int, int]

    def holds(self, position: Position) -> bool:
        """Tell whether a position of the journal lies in the stretch."""
        number = position.partition
        return number in self.first and self.first[number] <= position.offset < self.end[number]

    @property
    def is_empty(self) -> bool:
        """Whether no offset at all lies in the stretch."""
        return all(self.first[number] >= self.end[number] for number in self.first)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be replayed: a time is epoch ms; a position picks its partition. `subject` None is every dossier."""

    start: Position | int
    to: Position | int
    as_of_ms: int
    subject: str | None = None


async def replay(
    bootstrap: str,
    configuration: Configuration,
    keys: ReferenceKeys,
    request: Request,
    on_progress: Callable[[int], None] = lambda _: None,
) -> AsyncIterator[Replayed | KeptBack]:
    """Yield what partners would get, in order per dossier; raises `UsageError` for a stretch that cannot be.

    The journal is read twice from its oldest record: first for what may be told as of the moment, then to play it.
    """
    async with Reader.of(bootstrap, JOURNAL) as reader:
        ends = await reader.ends()
        stretch = await _stretch(reader, request, ends)
        permissions = Permissions(configuration)
        playing = Replay(configuration, keys, permissions, request.as_of_ms, stretch.holds)
        count = 0
        for partition in sorted(ends, key=lambda one: one.partition):
            async for record in _records(reader, partition, ends, request):
                permissions.note(record)
            async for record in _records(reader, partition, ends, request):
                count += 1
                on_progress(count)
                for one in playing.feed(record):
                    yield one


async def _records(
    reader: Reader, partition: TopicPartition, ends: Offsets, request: Request
) -> AsyncIterator[InputRecord]:
    """Yield one partition's records that were there at the moment, of the dossier asked for."""
    starts = await reader.starts()
    reader.from_offsets({partition: starts[partition]})
    key = request.subject.encode() if request.subject else None
    async for record in reader.until({partition: ends[partition]}, WITHIN_SECONDS):
        if record.received_ms <= request.as_of_ms and key in (None, record.key):
            yield record


async def _stretch(reader: Reader, request: Request, ends: Offsets) -> Stretch:
    first = await _offsets(reader, request.start, ends, "--from", 0)
    end = await _offsets(reader, request.to, ends, "--to", 1)
    shared = first.keys() & end.keys()
    stretch = Stretch({one: first[one] for one in shared}, {one: end[one] for one in shared})
    if stretch.is_empty:
        raise UsageError("There is no event in that stretch.", "Check --from and --to; `expathub audit show` helps.")
    return stretch


async def _offsets(reader: Reader, at: Position | int, ends: Offsets, option: str, beyond: int) -> Mapping[int, int]:
    """Return an offset per partition; a position stands for its own partition alone, and must be there."""
    if isinstance(at, int):
        return {one.partition: offset for one, offset in (await reader.offsets_at(at)).items()}
    partition = TopicPartition(at.topic, at.partition)
    if partition not in ends:
        raise UsageError(f"{option} is no position of {JOURNAL}.", f"Write {JOURNAL}/0/0 or a time.")
    starts = await reader.starts()
    if not starts[partition] <= at.offset < ends[partition]:
        raise UsageError(
            f"{option} is out of range.",
            f"{partition.topic}/{partition.partition} has {starts[partition]} to {ends[partition] - 1}.",
        )
    return {at.partition: at.offset + beyond}
