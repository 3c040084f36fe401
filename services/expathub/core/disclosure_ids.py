"""The ids of disclosures: the same for an event and a partner whenever they are made, so that runs can be compared.

UUIDv5 (RFC 9562) of `source`, `id` and partner with NUL between them; the partner is empty where nobody was chosen.
Made in two steps, as the first is the same for all partners of an event.
"""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from hashlib import _Hash

NAMESPACE = UUID("7796063c-9486-5f23-859a-002280d9f740")
"""The namespace of disclosure ids; itself UUIDv5 of disclosures.expathub.nl."""

_PREFIX = NAMESPACE.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def disclosure_seed(source: str, id: str) -> _Hash:
    """Begin the ids of an event's disclosures."""
    return sha1(_PREFIX + f"{source}\0{id}\0".encode(), usedforsecurity=False)


def disclosure_id(seed: _Hash, partner: str) -> str:
    """Make the id of what a partner is told of an event; `partner` is empty where nobody was chosen."""
    finished = seed.copy()
    finished.update(partner.encode())
    digits = finished.hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
