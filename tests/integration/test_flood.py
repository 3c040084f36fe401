"""A flood of bad events among the good ones at full speed: the good ones lose nothing, and memory does not grow.

Two partners send as fast as Kafka takes it; every tenth record is bad, of every kind there is, and large ones among
them, which together are far more than the hub may hold. What it costs in CPU is measured by the benchmarks.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from expathub.core.reasons import Reason
from expathub.core.records import InputRecord
from expathub.kafka.reading import read_all
from expathub.testing.bad_input import CASES, Case, Message, ways
from expathub.testing.processes import Bench, Child, until

RECORDS = 8_000
BAD_SHARE = 0.1
LARGE_SHARE = 0.4
"""How many of the bad ones are large."""
LARGE_BYTES = 400_000
GROWTH_MAX = 96 * 2**20
"""How much more memory the hub may need than before; what is sent in large records is as much again."""
DOSSIERS = 50
SENDERS = (ways.CENTRE, "maastricht")
SEED = 4


@dataclass(frozen=True)
class Sent:
    """One record of the flood: the code that it must come back with, or the good event that it is."""

    sender: str
    message: Message
    code: str | None


def flood() -> Iterator[Sent]:
    """Write the flood: good events about few dossiers, so that order shows, and every tenth record bad."""
    dice = Random(SEED)
    subjects = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(DOSSIERS)]
    bad = [
        case
        for case in CASES
        if case.reason not in {None, Reason.DUPLICATE, Reason.RETIRED_VERSION}
        and not case.after_good
        and len(case.message().value or b"") < 20_000
    ]
    for number in range(RECORDS):
        if dice.random() < BAD_SHARE:
            yield large(dice) if dice.random() < LARGE_SHARE else spoilt(dice.choice(bad))
        else:
            sender = dice.choice(SENDERS)
            event = {**ways.good(sender, f"flood {number}"), "subject": dice.choice(subjects)}
            yield Sent(sender, ways.as_it_is(event), None)


def spoilt(case: Case) -> Sent:
    return Sent(case.sender, case.message(), case.reason.value if case.reason else None)


def large(dice: Random) -> Sent:
    content = dice.randbytes(LARGE_BYTES // 2).hex().encode()
    return Sent(dice.choice(SENDERS), Message(content), Reason.TOO_LARGE.value)


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def hub(bench: Bench) -> Iterator[Child]:
    with bench.service("up", "--provision") as up:
        for service in ("intake", "dispatch"):
            up.wait_until_ready(service)
        yield up


@dataclass(frozen=True)
class Flooded:
    """What was sent where, and what became of it."""

    sent: Mapping[str, Sent]
    records: Mapping[str, Sequence[InputRecord]]
    memory_before: float
    memory_most: float


@pytest.fixture(scope="module")
def flooded(bench: Bench, hub: Child) -> Flooded:
    before = memory(hub)
    most = [before]
    sent = asyncio.run(send(bench, list(flood())))
    origins = set(sent)

    def is_answered() -> bool:
        time.sleep(0.5)
        most.append(memory(hub))
        found = asyncio.run(read_all(bench.bootstrap, "hub.journal", "hub.refusals", within_seconds=120))
        return origins <= {origin(record) for record in found}

    until(is_answered, "everything to be answered", hub.is_running)
    until(lambda: is_dispatched(bench), "everything to be dispatched", hub.is_running)
    topics = ("hub.journal", "hub.refusals", *(f"inbox.{sender}" for sender in SENDERS))
    records = {topic: asyncio.run(read_all(bench.bootstrap, topic, within_seconds=120)) for topic in topics}
    return Flooded(sent, records, before, max(most))


async def send(bench: Bench, all_of_it: Sequence[Sent]) -> dict[str, Sent]:
    """Send as fast as Kafka takes it; return what was sent by its position."""
    async with AIOKafkaProducer(
        bootstrap_servers=bench.bootstrap, max_request_size=2**20, linger_ms=5, enable_idempotence=True
    ) as producer:
        futures = [
            await producer.send(
                f"outbox.{one.sender}",
                one.message.value,
                b"k" if one.message.value is None else one.message.key,
                headers=list(one.message.headers),
                partition=0,
            )
            for one in all_of_it
        ]
        stored = await asyncio.gather(*futures)
    return {f"{at.topic}/{at.partition}/{at.offset}": one for at, one in zip(stored, all_of_it, strict=True)}


def memory(hub: Child) -> float:
    families = text_string_to_metric_families(hub.get("/metrics", service="intake").body.decode())
    return next(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "process_resident_memory_bytes"
    )


def is_dispatched(bench: Bench) -> bool:
    found = asyncio.run(read_all(bench.bootstrap, "hub.journal", "hub.disclosures", "hub.parked", within_seconds=120))
    journal = {str(record.position) for record in found if record.position.topic == "hub.journal"}
    return journal <= {row(record)["journal"] for record in found if record.position.topic != "hub.journal"}


def row(record: InputRecord) -> Any:
    return orjson.loads(record.value or b"")


def origin(record: InputRecord) -> str:
    return (record.header("hub-origin") or b"").decode()


def offset(position: str) -> int:
    return int(position.rpartition("/")[2])


def test_the_flood_is_one(flooded: Flooded) -> None:
    bad = Counter(one.code for one in flooded.sent.values() if one.code)

    assert len(flooded.sent) == RECORDS
    assert 0.07 < bad.total() / RECORDS < 0.13
    assert len(bad) > 25
    assert sum(len(one.message.value or b"") for one in flooded.sent.values()) > GROWTH_MAX


def test_every_good_event_arrives_once_and_in_order(flooded: Flooded) -> None:
    journal = flooded.records["hub.journal"]
    good = {position for position, one in flooded.sent.items() if one.code is None}

    assert sorted(good) == sorted(map(origin, journal))
    order: dict[Any, list[int]] = defaultdict(list)
    for record in journal:
        order[record.key, origin(record).rpartition("/")[0]].append(offset(origin(record)))
    assert all(offsets == sorted(offsets) for offsets in order.values())
    assert max(map(len, order.values())) > 20, "there is an order to lose"


def test_every_bad_event_is_refused_once_with_a_receipt(flooded: Flooded) -> None:
    bad = {position: one.code for position, one in flooded.sent.items() if one.code}
    refused = [
        (origin(record), (record.header("hub-code") or b"").decode()) for record in flooded.records["hub.refusals"]
    ]
    receipts = [
        (row(record)["data"]["position"], row(record)["data"]["code"])
        for sender in SENDERS
        for record in flooded.records[f"inbox.{sender}"]
        if record.header("hub-disclosure") is None
    ]

    assert sorted(bad.items()) == sorted(refused)
    assert sorted(bad.items()) == sorted(receipts)


def test_refusals_keep_what_was_sent_untouched(flooded: Flooded) -> None:
    for record in flooded.records["hub.refusals"]:
        assert record.value == flooded.sent[origin(record)].message.value


def test_memory_does_not_grow_with_the_flood(flooded: Flooded) -> None:
    assert flooded.memory_most - flooded.memory_before < GROWTH_MAX
