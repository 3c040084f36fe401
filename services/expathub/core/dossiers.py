"""The state of one dispatch lane: the dossiers of one partition of the journal, as encoded bytes.

A load only keeps bytes; a dossier is decoded when an event asks for it. Covers no rule: see `expathub.core.dossier`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from expathub.core.dossier import BLANK, Dossier

MARKER_KEY = b"hub-marker"
"""The key of the record that carries the marker of a batch that changed no dossier; never a dossier's key."""

LARGEST_ENTRY_BYTES = 1024 * 1024

_NOTHING = b""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Dossier).decode


class Dossiers:
    """Dossiers by key (the subject); a blank one is forgotten."""

    format = 1
    """The number of the form of the changelog records; a lane with a higher one is not taken."""

    __slots__ = ("_encoded", "_packed")

    def __init__(self) -> None:
        self._encoded: dict[bytes, bytes] = {}
        self._packed: dict[bytes, tuple[Dossier, bytes]] = {}  # so that a batch is encoded once, not twice

    def __len__(self) -> int:
        """Count the dossiers."""
        return len(self._encoded)

    def get(self, key: bytes) -> Dossier | None:
        """Decode the dossier under a key, or None."""
        encoded = self._encoded.get(key)
        return None if encoded is None else _decode(encoded)

    def apply(self, entries: Iterable[tuple[bytes, Dossier]]) -> None:
        """Take in dossiers whose transaction is committed."""
        for key, dossier in entries:
            packed = self._packed.get(key)
            self._keep(key, packed[1] if packed and packed[0] is dossier else encode(dossier))
        self._packed = {}

    def pack(self, entries: Sequence[tuple[bytes, Dossier]]) -> Sequence[tuple[bytes | None, bytes]]:
        """Make the changelog records of one batch, one a dossier; one with no dossier where nothing changed."""
        newest = dict(entries)
        self._packed = {key: (dossier, encode(dossier)) for key, dossier in newest.items()}
        return [(key, encoded) for key, (_, encoded) in self._packed.items()] or [(MARKER_KEY, _NOTHING)]

    def restore(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one changelog record; raises `ValueError` where it has no key."""
        if key is None:
            raise ValueError("a dossier's record has a key")
        if key != MARKER_KEY:
            self._keep(key, value)

    def _keep(self, key: bytes, encoded: bytes | None) -> None:
        if encoded:
            self._encoded[key] = encoded
        else:
            self._encoded.pop(key, None)


def encode(dossier: Dossier) -> bytes:
    """Encode a dossier; a blank one as nothing."""
    return _NOTHING if dossier == BLANK else _encode(dossier)
