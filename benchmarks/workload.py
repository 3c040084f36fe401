"""The events of the bench: invented, distinct, valid, the same for the same seed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from expathub.configuration.sampling import Wish, sample
from expathub.core.configuration import Configuration

PUBLISHER, ARRIVAL = "expat-centre", "nl.expats.aankomst-aangemeld"
EVENTS_A_DOSSIER = 4
_NAMESPACE = uuid.UUID("6f0e9dc2-51b6-5d0b-8d3f-6f6e6f2f8a10")


def events_of(
    known: Configuration, type: str, count: int, today: date, publisher: str | None = None
) -> tuple[str, list[bytes]]:
    """Invent events of one type, each of a dossier of its own; returns their publisher and them."""
    made = list(sample(known, Wish(type, count=count, publisher=publisher), today))
    source = made[0]["source"]
    sender = next(one.id for one in known.partners.by_id.values() if one.source == source)
    return sender, [orjson.dumps(event) for event in made]


def arrivals(known: Configuration, count: int, seed: int, today: date) -> tuple[str, list[bytes]]:
    """Invent announced arrivals, four to a dossier: most of them move, so that three partners are told."""
    made = sample(known, Wish(ARRIVAL, count=count, seed=seed, publisher=PUBLISHER), today)
    return PUBLISHER, [orjson.dumps(event) for event in in_dossiers(made, count // EVENTS_A_DOSSIER or 1, seed)]


def in_dossiers(events: Any, dossiers: int, seed: int) -> Sequence[dict[str, Any]]:
    """Spread events over so many dossiers, in turns."""
    return [
        event | {"subject": str(uuid.uuid5(_NAMESPACE, f"{seed}/{number % dossiers}"))}
        for number, event in enumerate(events)
    ]
