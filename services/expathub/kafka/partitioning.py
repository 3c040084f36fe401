"""Which partition a record goes to: as Java's default partitioner says, so that every client agrees (R6)."""

from __future__ import annotations

from aiokafka.partitioner import murmur2

_KEYS_MAX = 20_000
"""Keys whose hash is remembered (murmur2 in Python is a tenth of the cost of an event); about 4 MB."""

_POSITIVE = 0x7FFFFFFF


class Partitioner:
    """Picks partitions, and remembers the hash of each key."""

    def __init__(self) -> None:
        self._hashes: dict[bytes, int] = {}

    def pick(self, key: bytes | None, offset: int, partitions: int) -> int:
        """Return the partition for `key`, or without a key the one that the input's `offset` falls on."""
        if key is None:
            return offset % partitions
        known = self._hashes.get(key)
        if known is None:
            if len(self._hashes) >= _KEYS_MAX:
                self._hashes.clear()
            known = self._hashes[key] = murmur2(key) & _POSITIVE
        return known % partitions
