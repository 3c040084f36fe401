"""How a partner knows a dossier: by its own id inside Dutch government, by a reference of its own outside it.

Pure: keys come in as values; the file that holds them is read elsewhere. A pairwise reference is an HMAC-SHA-256 over
partner and dossier id, so that two partners cannot find out that they speak of the same person (Wabb art. 11 keeps
the hub's own dossier id out of their hands).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

SHORTEST_KEY_BYTES = 32
NO_KEY = 0
"""The number that says: this reference needs no key, it is the dossier id itself."""

_VERSION_8 = 0x8 << 76  # RFC 9562: a UUID whose bits are the maker's own business …
_VARIANT = 0b10 << 62  # … with the marks in their places
_FREE = ~((0xF << 76) | (0b11 << 62)) & ((1 << 128) - 1)


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A dossier's name for one partner, and the number of the key that made it."""

    text: str
    key: int = NO_KEY


@dataclass(frozen=True, slots=True, repr=False)
class ReferenceKeys:
    """Numbered keys; new references use the highest. Raises `ValueError` for none, a short one or a number below 1."""

    numbered: Mapping[int, bytes]

    def __post_init__(self) -> None:
        """Refuse keys that would not keep references apart."""
        if not self.numbered or min(self.numbered) <= NO_KEY:
            raise ValueError("reference keys are numbered from 1, and there must be one")
        if min(map(len, self.numbered.values())) < SHORTEST_KEY_BYTES:
            raise ValueError(f"a reference key has at least {SHORTEST_KEY_BYTES} bytes")

    def __repr__(self) -> str:
        """Show the numbers, never a key."""
        return f"ReferenceKeys({sorted(self.numbered)})"

    @classmethod
    def parse(cls, text: str) -> ReferenceKeys:
        """Read the key file: a line `number:hex` for each key; raises `ValueError` that names the line, not the key."""
        numbered: dict[int, bytes] = {}
        for line_number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            number, key = _entry(line)
            if number <= NO_KEY or number in numbered:
                raise ValueError(f"line {line_number} is not `number:key in hexadecimal`, each number once, from 1")
            numbered[number] = key
        return cls(numbered)

    def render(self) -> str:
        """Write the key file."""
        return "".join(f"{number}:{key.hex()}\n" for number, key in sorted(self.numbered.items()))

    def fingerprints(self) -> dict[int, str]:
        """Return for each number what tells keys apart without giving them away; a lane's marker carries it."""
        return {
            number: sha256(b"expathub reference key\0" + key).hexdigest()[:16] for number, key in self.numbered.items()
        }

    def reference(self, partner: str, subject: str) -> Reference:
        """Make the pairwise reference of a dossier for a partner, with the newest key."""
        number = max(self.numbered)
        digest = hmac.digest(self.numbered[number], f"{partner}\0{subject}".encode(), "sha256")
        return Reference(uuid_text((int.from_bytes(digest[:16]) & _FREE) | _VERSION_8 | _VARIANT), number)


def _entry(line: str) -> tuple[int, bytes]:
    """Split a line of the key file; what is none has the number `NO_KEY`."""
    try:
        number, key = line.split(":")
        return int(number), bytes.fromhex(key)
    except ValueError:
        return NO_KEY, b""


def uuid_text(number: int) -> str:
    """Write 128 bits as a UUID."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
