"""The rows that account for an event: told to whom, withheld from whom, waiting for whom, and why.

Pure: the form of the records of design §5 and nothing else. Nothing of an event's content is in a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

from expathub.core.dossier import Wait
from expathub.core.notice import Notice
from expathub.core.reasons import Withheld
from expathub.core.route import Route
from expathub.core.times import rfc3339

Outcome: TypeAlias = Mapping[str, Any]
"""What a row says that others do not."""


def told(fields: tuple[str, ...], waits: str | None) -> Outcome:
    """Say which fields were told, and what it waited for, unless that was the partner alone."""
    return {"fields": fields} if waits is None else {"fields": fields, "waits": waits}


def withheld(reason: Withheld, waits: str | None) -> Outcome:
    """Say why it was not told, and what it waited for, unless that was the partner alone."""
    return {"withheld": reason.value} if waits is None else {"withheld": reason.value, "waits": waits}


def parked(wait: Wait) -> Outcome:
    """Say why it waits, for whom, and since when."""
    return {"held": wait.code, "waits": wait.waits, "since": rfc3339(wait.since_ms)}


def row(
    notice: Notice, disclosure: str, route: Route | None, reference: str | None, outcome: Outcome, at: str
) -> bytes:
    """Write a row about an event and a partner, or about an event for which none was chosen.

    `reference` is what the partner calls the dossier.
    """
    return orjson.dumps(
        {
            "disclosure": disclosure,
            "event": notice.name,
            "journal": notice.position,
            "partner": route.partner.id if route else None,
            "type": route.type if route else notice.kept.type,
            **outcome,
            "ground": route.grant.ground if route and route.grant else None,
            "reference": reference,
            "at": at,
        }
    )
