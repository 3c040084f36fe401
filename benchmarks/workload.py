"""The events of the bench: invented, distinct, valid, the same for the same seed; and events that are not valid."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import orjson

from expathub.configuration.sampling import Wish, sample
from expathub.core.configuration import Configuration

PUBLISHER, ARRIVAL = "expat-centre", "nl.expats.aankomst-aangemeld"
EVENTS_A_DOSSIER = 4
_NAMESPACE = uuid.UUID("6f0e9dc2-51b6-5d0b-8d3f-6f6e6f2f8a10")
_WORDS = ("afspraak", "balie", "formulier", "kopie", "loket", "nota", "overleg", "regel", "stempel", "termijn", "zaak")


def events_of(
    known: Configuration, type: str, count: int, today: date, publisher: str | None = None
) -> tuple[str, list[bytes]]:
    """Invent events of one type, each of a dossier of its own; returns their publisher and them."""
    made = list(sample(known, Wish(type, count=count, publisher=publisher), today))
    source = made[0]["source"]
    sender = next(one.id for one in known.partners.by_id.values() if one.source == source)
    return sender, [orjson.dumps(event) for event in made]


def arrivals(
    known: Configuration, count: int, seed: int, today: date, dossiers: int | None = None
) -> tuple[str, list[bytes]]:
    """Invent announced arrivals, four to a dossier unless said otherwise: most of them move, so that three are told."""
    made = sample(known, Wish(ARRIVAL, count=count, seed=seed, publisher=PUBLISHER), today)
    spread = in_dossiers(made, dossiers or count // EVENTS_A_DOSSIER or 1, seed if dossiers is None else -1)
    return PUBLISHER, [orjson.dumps(event) for event in spread]


def in_dossiers(events: Iterable[dict[str, Any]], dossiers: int, seed: int) -> Iterator[dict[str, Any]]:
    """Spread events over so many dossiers, in turns; the same seed is the same dossiers."""
    for number, event in enumerate(events):
        yield event | {"subject": str(uuid.uuid5(_NAMESPACE, f"{seed}/{number % dossiers}"))}


def sized(source: str, type: str, size: int, count: int, seed: int) -> list[bytes]:
    """Invent events of one of the bench's own types, of about so many bytes, four to a dossier."""
    chance = random.Random(seed)  # noqa: S311 (seeded, never a secret)
    bare = [_event(chance, source, f"{type}.v1") for _ in range(count)]
    return [orjson.dumps(_padded(chance, event, size)) for event in in_dossiers(bare, max(1, count // 4), seed)]


def _event(chance: random.Random, source: str, type: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "source": source,
        "type": type,
        "subject": "",
        "time": "2026-01-31T09:30:00.125Z",
        "datacontenttype": "application/json",
        "data": {"wijziging": "nieuw", "kenmerk": f"{chance.getrandbits(64):016x}", "intern": "blijft", "regels": []},
    }


def _padded(chance: random.Random, event: dict[str, Any], size: int) -> dict[str, Any]:
    """Add lines until the event is as large as asked."""
    lines = event["data"]["regels"]
    length = len(orjson.dumps(event))
    while length < size:
        line = {
            "code": f"{chance.choice('ABCDEF')}{chance.randrange(1000):03d}",
            "omschrijving": " ".join(chance.choices(_WORDS, k=8)),
            "aantal": chance.randrange(100),
        }
        lines.append(line)
        length += len(orjson.dumps(line)) + 1
    return event


# --- what intake must refuse


def spoiled(values: Sequence[bytes], share: float) -> tuple[list[bytes], int]:
    """Spoil a share of events, evenly spread, in turns in each way; returns them and how many are bad."""
    every = round(1 / share) if share else 0
    made, bad = list(values), 0
    for number in range(every - 1, len(values), every) if every else ():
        made[number] = _SPOILS[bad % len(_SPOILS)](values[number])
        bad += 1
    return made, bad


def _cut(value: bytes) -> bytes:
    return value[: len(value) // 2]


def _breaks_schema(value: bytes) -> bytes:
    return value.replace(b'"langerDanVierMaanden":true', b'"langerDanVierMaanden":false')


def _says_twice(value: bytes) -> bytes:
    return value.replace(b'"specversion":"1.0"', b'"specversion":"1.0","specversion":"1.0"')


def _speaks_for_another(value: bytes) -> bytes:
    return value.replace(b":systeem:", b":systeem:een-ander-")


def _has_no_time_that_exists(value: bytes) -> bytes:
    event = orjson.loads(value)
    return orjson.dumps(event | {"time": "2026-02-30T10:00:00Z"})


_SPOILS: tuple[Callable[[bytes], bytes], ...] = (
    _cut,
    _breaks_schema,
    _says_twice,
    _speaks_for_another,
    _has_no_time_that_exists,
)
