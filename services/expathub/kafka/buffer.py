"""What a lane has read ahead: the client's records in order, handed out in bounded batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from expathub.kafka.group_consumer import Fetched


@dataclass(slots=True)
class _Chunk:
    records: Sequence[Fetched]
    sizes: list[int]
    behind: int
    """The consumer's position after the last record: also past what a transaction leaves in the log behind it."""
    begin: int = 0


class Buffer:
    """Records that wait for their turn. `bytes` counts keys and values."""

    def __init__(self) -> None:
        self._chunks: deque[_Chunk] = deque()
        self.bytes = 0

    def __bool__(self) -> bool:
        """Return whether anything waits."""
        return bool(self._chunks)

    def feed(self, records: Sequence[Fetched], behind: int) -> None:
        """Add fetched records; `behind` is the position of the consumer after them."""
        if not records:
            return
        sizes = [record.serialized_key_size + record.serialized_value_size + 2 for record in records]  # null counts -1
        self._chunks.append(_Chunk(records, sizes, behind))
        self.bytes += sum(sizes)

    def take(self, records_max: int, bytes_max: int) -> tuple[list[Fetched], int]:
        """Hand out the next records, at least one, and the input offset that follows when they are done."""
        taken: list[Fetched] = []
        behind = 0
        room = bytes_max
        while self._chunks and len(taken) < records_max and (room > 0 or not taken):
            chunk = self._chunks[0]
            end, room = _fitting(chunk, records_max - len(taken), room, first=not taken)
            if end == chunk.begin:
                break
            taken += chunk.records[chunk.begin : end]
            chunk.begin = end
            if end == len(chunk.records):
                behind = chunk.behind
                self._chunks.popleft()
            else:
                behind = taken[-1].offset + 1
        self.bytes -= bytes_max - room
        return taken, behind

    def clear(self) -> None:
        """Forget everything."""
        self._chunks.clear()
        self.bytes = 0


def _fitting(chunk: _Chunk, records_max: int, room: int, *, first: bool) -> tuple[int, int]:
    """Return up to where a chunk fits, and the room that is left (negative when one record alone is larger)."""
    end = chunk.begin
    for size in chunk.sizes[chunk.begin : chunk.begin + records_max]:
        if size > room and not first:
            break
        room -= size
        end += 1
        first = False
    return end, room
