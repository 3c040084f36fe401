"""The rows that account for an event: told to whom, withheld from whom, waiting for whom, and why.

Pure: the form of the records of design §5 and nothing else. Nothing of an event's content is in a row.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from expathub.core.dossier import Wait
from expathub.core.notice import Notice
from expathub.core.reasons import Withheld
from expathub.core.route import Route
from expathub.core.times import rfc3339


class Recipient(msgspec.Struct, frozen=True):
    """Whom a row is about: how the event reaches the partner, what that calls the dossier, and the disclosure's id."""

    route: Route
    reference: str
    disclosure: str


def told(notice: Notice, to: Recipient, fields: tuple[str, ...], waits: str | None, at: str) -> bytes:
    """Say that a partner was told, and which fields."""
    row = _row(notice, to, at)
    row["fields"] = fields
    return _written(row, waits)


def withheld(notice: Notice, to: Recipient | None, reason: Withheld, waits: str | None, at: str) -> bytes:
    """Say that a partner (or nobody) is not told, and why."""
    row = _row(notice, to, at) if to else _row_of_nobody(notice, at)
    row["withheld"] = reason.value
    return _written(row, waits)


def parked(notice: Notice, to: Recipient | None, wait: Wait, at: str) -> bytes:
    """Say that something waits, and why."""
    row = _row(notice, to, at) if to else _row_of_nobody(notice, at)
    row["held"] = wait.code
    row["since"] = rfc3339(wait.since_ms)
    return _written(row, wait.waits)


def _row(notice: Notice, to: Recipient, at: str) -> dict[str, Any]:
    route = to.route
    return {
        "disclosure": to.disclosure,
        "event": notice.name,
        "journal": notice.position,
        "partner": route.partner.id,
        "type": route.type,
        "ground": route.grant.ground if route.grant else None,
        "reference": to.reference,
        "at": at,
    }


def _row_of_nobody(notice: Notice, at: str) -> dict[str, Any]:
    return {
        "disclosure": notice.disclosure(""),
        "event": notice.name,
        "journal": notice.position,
        "partner": None,
        "type": notice.kept.type,
        "ground": None,
        "reference": None,
        "at": at,
    }


def _written(row: dict[str, Any], waits: str | None) -> bytes:
    if waits is not None:
        row["waits"] = waits
    return orjson.dumps(row)
