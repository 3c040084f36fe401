"""The marker that every transaction leaves on its last changelog record, as header `hub-marker`.

It says where the lane stands, and who may go on from there: it is compared with the group's committed offset at each
take-over (`expathub.kafka.takeover`), and it carries the count of deaths of the record at hand to any machine.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

HEADER = "hub-marker"


class Marker(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a lane stands after a transaction. Unknown fields are passed over, so that later ones can be added."""

    next: int
    """Next input offset."""
    format: int
    """Number of the form in which the lane's entries are written."""
    revision: int
    """Revision of the configuration that the transaction was made under."""
    digest: str
    """Digest of that configuration."""
    keys: dict[str, str] = {}
    """Fingerprints of the secret keys in use, by their number."""
    owner: str
    """The process (one run of it) that wrote this."""
    at_ms: int
    """When it was written (epoch, ms)."""
    takeovers: int = 1
    """How often the lane has been taken over."""
    released: bool = False
    """The owner has left in peace. Without this, another process that takes over knows of an unclean end."""
    careful_until: int = 0
    """Records before this input offset are worked between marks, in trials that grow."""
    singly_until: int = 0
    """Records before this input offset are worked between marks one by one."""
    trying: int | None = None
    """Offset of the first record of a trial whose pure work has begun and not yet ended."""
    trying_until: int = 0
    """Offset behind the last record of that trial."""
    alone: bool = False
    """That trial is of one record: whoever died on it died of that record."""
    deaths: int = 0
    """How often the work of the first record from `next` on, alone, ended in a death or an exception."""


_decoder = msgspec.json.Decoder(Marker)
_encoder = msgspec.json.Encoder()


def encode(marker: Marker) -> bytes:
    """Return the header's value."""
    return _encoder.encode(marker)


def decode(value: bytes) -> Marker:
    """Read a header's value; raises `ValueError` when it is no marker."""
    try:
        return _decoder.decode(value)
    except msgspec.DecodeError as error:
        raise ValueError("no marker") from error


def newest(headers: Iterable[tuple[str, bytes | None]]) -> Marker | None:
    """Return the marker among a record's headers, if there is one; raises `ValueError` when it cannot be read."""
    for name, value in headers:
        if name == HEADER and value is not None:
            return decode(value)
    return None
