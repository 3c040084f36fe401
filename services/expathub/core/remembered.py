"""What intake remembers of accepted events: the window of deduplication, as entries and as a lane's state.

The key of an entry is a digest of `source` and `id`, the entry is when the event was received and a digest of its
canonical form. Covers no decision: `expathub.core.intake` says what a known id means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from expathub.core.event import Event
from expathub.core.times import DAY_MS

WINDOW_MS = 14 * DAY_MS
"""How long an accepted event is remembered, counted in `received` (the broker's time of the input records)."""

LOAD_WINDOW_MS = WINDOW_MS + 8 * DAY_MS
"""How far back a load reads: a lane may be a whole outbox (7 days, and a day of open segment) behind the clock."""

_KEY_BYTES = 16
_TIME_BYTES = 8
_DIGEST_BYTES = 16
_ITEM_BYTES = _KEY_BYTES + _TIME_BYTES + _DIGEST_BYTES
_IDS_PER_RECORD = 10_000  # 400 kB: a changelog record stays far below what a broker takes


def key_of(event: Event) -> bytes:
    """Digest `source` and `id`; no NUL can be in either, so two pairs never make one text."""
    attributes = event.attributes
    return blake2b(f"{attributes['source']}\0{attributes['id']}".encode(), digest_size=_KEY_BYTES).digest()


def entry_of(event: Event, received_ms: int) -> bytes:
    """Pack when the event was received and the digest of its canonical form (the same for both Kafka modes)."""
    return received_ms.to_bytes(_TIME_BYTES) + blake2b(event.canonical, digest_size=_DIGEST_BYTES).digest()


def is_within_window(entry: bytes, received_ms: int) -> bool:
    """Tell whether an event received at `received_ms` must still be compared with `entry`."""
    return received_ms - int.from_bytes(entry[:_TIME_BYTES]) < WINDOW_MS


def is_same_content(one: bytes, other: bytes) -> bool:
    """Tell whether two entries stand for the same canonical bytes."""
    return one[_TIME_BYTES:] == other[_TIME_BYTES:]


class Remembered:
    """The state of one intake lane: entries in buckets of one day of `received`, the oldest dropped whole."""

    format = 1
    """The number of the form of the changelog records; a lane with a higher one is not taken."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: dict[int, dict[bytes, bytes]] = {}  # day -> key -> entry; the newest day first

    def __len__(self) -> int:
        """Count the ids that are kept."""
        return sum(map(len, self._buckets.values()))

    def get(self, key: bytes) -> bytes | None:
        """Find the newest entry under a key, or None; it may be a little older than the window."""
        for bucket in self._buckets.values():
            if (entry := bucket.get(key)) is not None:
                return entry
        return None

    def apply(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Take in entries whose transaction is committed."""
        for key, entry in entries:
            self._bucket(int.from_bytes(entry[:_TIME_BYTES]) // DAY_MS)[key] = entry

    def pack(self, entries: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes | None, bytes]]:
        """Make the changelog records of one batch: keys and entries end to end, at least one record."""
        items = [key + entry for key, entry in entries]
        starts = range(0, max(1, len(items)), _IDS_PER_RECORD)
        return [(None, b"".join(items[start : start + _IDS_PER_RECORD])) for start in starts]

    def restore(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one changelog record; raises `ValueError` where it is not whole."""
        if key is not None or value is None or len(value) % _ITEM_BYTES:
            raise ValueError("not a record of remembered ids")
        items = (value[start : start + _ITEM_BYTES] for start in range(0, len(value), _ITEM_BYTES))
        self.apply((item[:_KEY_BYTES], item[_KEY_BYTES:]) for item in items)

    def _bucket(self, number: int) -> dict[bytes, bytes]:
        bucket = self._buckets.get(number)
        if bucket is None:
            newest = max((number, *self._buckets))
            oldest = newest - WINDOW_MS // DAY_MS - 1  # a day more than the window: it ends within a day
            kept = {**self._buckets, number: {}}
            self._buckets = {day: kept[day] for day in sorted(kept, reverse=True) if day >= oldest}
            bucket = self._buckets.get(number, {})  # a day before the window is not kept at all
        return bucket
