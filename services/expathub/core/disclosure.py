"""The rows that account for an event: told to whom, withheld from whom, waiting for whom, and why.

Pure: the form of the records of design §5 and nothing else. Nothing of an event's content is in a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha1
from uuid import UUID

import msgspec
import orjson

from expathub.core.dossier import Wait
from expathub.core.notice import Notice
from expathub.core.reasons import Withheld
from expathub.core.references import uuid_text
from expathub.core.routing import Route
from expathub.core.times import rfc3339

NAMESPACE = UUID("7796063c-9486-5f23-859a-002280d9f740")
"""The namespace of disclosure ids; itself UUIDv5 of disclosures.expathub.nl."""

_VERSION_5 = 0x5 << 76
_VARIANT = 0b10 << 62
_FREE = ~((0xF << 76) | (0b11 << 62)) & ((1 << 128) - 1)


@lru_cache(maxsize=64)  # asked for the inbox record and for its row
def disclosure_id(source: str, id: str, partner: str) -> str:
    """Name one (event, partner), the same again whenever it is made; `partner` is empty where nobody was chosen.

    UUIDv5 over the three with NUL between them, as `uuid.uuid5` makes it at three times the cost.
    """
    name = f"{source}\0{id}\0{partner}".encode()
    digest = sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()
    return uuid_text((int.from_bytes(digest[:16]) & _FREE) | _VERSION_5 | _VARIANT)


class Recipient(msgspec.Struct, frozen=True):
    """Whom a row is about: how the event reaches the partner, and what that calls the dossier."""

    route: Route
    reference: str


def told(notice: Notice, to: Recipient, fields: tuple[str, ...], waits: str | None, at_ms: int) -> bytes:
    """Say that a partner was told, and which fields."""
    return _row(notice, to, at_ms, {"fields": fields} | _waits(waits))


def withheld(notice: Notice, to: Recipient | None, reason: Withheld, waits: str | None, at_ms: int) -> bytes:
    """Say that a partner (or nobody) is not told, and why."""
    return _row(notice, to, at_ms, {"withheld": reason.value} | _waits(waits))


def parked(notice: Notice, to: Recipient | None, wait: Wait, at_ms: int) -> bytes:
    """Say that something waits, and why."""
    return _row(notice, to, at_ms, {"held": wait.code, "waits": wait.waits, "since": rfc3339(wait.since_ms)})


def _waits(waits: str | None) -> dict[str, object]:
    return {} if waits is None else {"waits": waits}


def _row(notice: Notice, to: Recipient | None, at_ms: int, outcome: Mapping[str, object]) -> bytes:
    kept, route = notice.kept, to.route if to else None
    partner = route.partner.id if route else None
    return orjson.dumps(
        {
            "disclosure": disclosure_id(kept.source, kept.id, partner or ""),
            "event": {"source": kept.source, "id": kept.id, "type": kept.type},
            "journal": notice.position,
            "partner": partner,
            "type": route.type if route else kept.type,
            **outcome,
            "ground": route.grant.ground if route and route.grant else None,
            "reference": to.reference if to else None,
            "at": rfc3339(at_ms),
        }
    )
