"""Bad input through the whole hub on a real Kafka: the shared table once, and what only a broken client can send.

Every record of the table is followed by a good event, which must go through. What is below the level of records (a
batch, a transaction) is written with the client's parts, or byte by byte; the row stands in the test's name.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import struct
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from prometheus_client.parser import text_string_to_metric_families

from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Position
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.partitioning import Partitioner
from expathub.kafka.reading import read_all
from expathub.shipped import shipped
from expathub.testing.bad_input import CASES, RETIRED, Case, Message, ways
from expathub.testing.bad_input.envelopes import BSN
from expathub.testing.fuzzing import batches
from expathub.testing.fuzzing.batches import batch, mutated, signed
from expathub.testing.processes import Bench, Child, until

OUTBOX = "outbox.expat-centre"
LANE = TopicPartition(OUTBOX, 0)
REQUEST_BYTES_MAX = 64 * 2**20
OUTBOX_BYTES_MAX = 512 * 1024
SENDERS = sorted({case.sender for case in CASES})


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the catalogue, and let one version have ended."""
    folder = tmp_path_factory.mktemp("catalogue") / "schemas"
    shutil.copytree(shipped("schemas"), folder)
    about = folder / RETIRED[0] / "about.yaml"
    text = about.read_text("utf-8")
    ended = text.replace("sunset: 2027-12-31}", "sunset: 2025-12-31, ended: 2026-01-01}")
    assert ended != text
    about.write_text(ended, "utf-8")
    return folder


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, schemas: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(fresh_kafka, tmp_path_factory.mktemp("hub"), {"EXPATHUB_SCHEMAS": str(schemas)})


@pytest.fixture(scope="module")
def hub(bench: Bench) -> Iterator[Child]:
    """Run both stages for the whole module."""
    with bench.service("up", "--provision") as up:
        up.wait_until_ready("intake")
        yield up


@asynccontextmanager
async def producer(bench: Bench, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    """Open a producer that sends whatever it is told to."""
    made = AIOKafkaProducer(bootstrap_servers=bench.bootstrap, max_request_size=REQUEST_BYTES_MAX, **settings)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def put(client: AIOKafkaProducer, sender: str, message: Message) -> Position:
    stored = await client.send_and_wait(
        f"outbox.{sender}", message.value, message.key, headers=list(message.headers), partition=0
    )
    return Position(stored.topic, stored.partition, stored.offset)


def a_good_one(sender: str = ways.CENTRE) -> Message:
    """Make a good event that was never sent."""
    return ways.as_it_is(ways.good(sender, str(uuid.uuid4())))


def records(bench: Bench, *topics: str) -> list[InputRecord]:
    return asyncio.run(read_all(bench.bootstrap, *topics))


def by_origin(found: Sequence[InputRecord]) -> dict[str, InputRecord]:
    return {(record.header("hub-origin") or b"").decode(): record for record in found}


# --- the table ---------------------------------------------------------------------------------------------------


def fits_into_kafka(case: Case) -> bool:
    """Tell whether the record is small enough for the outbox; a larger one never reaches the hub."""
    message = case.message()
    return len(message.value or b"") < OUTBOX_BYTES_MAX


SENT = [case for case in CASES if fits_into_kafka(case)]
TOO_LARGE_FOR_KAFKA = [case for case in CASES if not fits_into_kafka(case)]


@dataclass(frozen=True)
class Played:
    """Where each case was sent, and the good event behind it; what the hub made of all of them."""

    sent: Mapping[str, Position]
    following: Mapping[str, Position]
    refusals: Mapping[str, InputRecord]
    journal: Mapping[str, InputRecord]
    receipts: Mapping[str, Mapping[str, Any]]
    logged: str
    flags: Mapping[str, float]


async def send_all(bench: Bench) -> tuple[dict[str, Position], dict[str, Position]]:
    sent, following = {}, {}
    async with producer(bench) as client:
        for case in SENT:
            if case.after_good:
                await put(client, case.sender, ways.as_it_is(case.good()))
            sent[case.name] = await put(client, case.sender, case.message())
            following[case.name] = await put(client, case.sender, a_good_one(case.sender))
    return sent, following


@pytest.fixture(scope="module")
def played(bench: Bench, hub: Child) -> Played:
    """Send every case with a good event behind it, and read what became of them."""
    sent, following = asyncio.run(send_all(bench))
    last = {str(position) for position in list(following.values())[-len(SENT) :]}
    until(
        lambda: last <= by_origin(records(bench, "hub.journal")).keys(),
        "all good events in the journal",
        hub.is_running,
    )
    inboxes = records(bench, *(f"inbox.{sender}" for sender in SENDERS))
    told = [json.loads(record.value or b"") for record in inboxes if record.header("hub-disclosure") is None]
    return Played(
        sent=sent,
        following=following,
        refusals=by_origin(records(bench, "hub.refusals")),
        journal=by_origin(records(bench, "hub.journal")),
        receipts={row["data"]["position"]: row for row in told},
        logged=hub.logged(),
        flags=flags(hub),
    )


def flags(hub: Child) -> dict[str, float]:
    """Scrape what was counted as odd, by flag."""
    families = text_string_to_metric_families(hub.get("/metrics", service="intake").body.decode())
    samples = [one for family in families for one in family.samples if one.name == "hub_intake_flags_total"]
    return {
        flag: sum(one.value for one in samples if one.labels["flag"] == flag)
        for flag in {one.labels["flag"] for one in samples}
    }


@pytest.mark.parametrize("case", SENT, ids=[case.name for case in SENT])
def test_it_gets_its_answer_and_the_next_event_goes_through(played: Played, case: Case) -> None:
    position = str(played.sent[case.name])

    assert str(played.following[case.name]) in played.journal
    if case.reason is None:
        assert position in played.journal
        return
    refusal = played.refusals[position]
    assert position not in played.journal
    assert refusal.header("hub-code") == case.reason.value.encode()
    assert (refusal.header("hub-pointer") or b"").decode() == case.pointer
    if case.reason is Reason.DUPLICATE:
        assert refusal.value is None
        assert position not in played.receipts
        return
    receipt = played.receipts[position]["data"]
    assert (receipt["code"], receipt["pointer"]) == (case.reason.value, case.pointer)
    assert refusal.value == case.message().value
    assert headers_kept(refusal) == [(name, value or b"") for name, value in case.message().headers]


def headers_kept(refusal: InputRecord) -> list[tuple[str, bytes | None]]:
    """Return the sender's own headers, in their order."""
    return [(name.removeprefix("orig-"), value) for name, value in refusal.headers if not name.startswith("hub-")]


def test_nothing_else_was_refused(played: Played) -> None:
    refused = {str(played.sent[case.name]) for case in SENT if case.reason}

    assert refused == set(played.refusals)
    assert {str(played.sent[case.name]) for case in SENT if case.reason not in {None, Reason.DUPLICATE}} == set(
        played.receipts
    )


def test_the_log_and_the_receipts_hold_nothing_of_what_was_sent(played: Played) -> None:
    receipts = json.dumps(list(played.receipts.values()))
    for text in (BSN, "kennismigrant", "Verzonnen", "koffie", "passwd", "\x1b", "level=error"):
        assert text not in played.logged
        assert text not in receipts
    for case in SENT:
        event = case.good()
        assert event["subject"] not in played.logged
        assert event["id"] not in played.logged


def test_what_is_odd_was_counted(played: Played) -> None:
    assert played.flags["time-ahead"] == 1
    assert played.flags["time-old"] >= 1  # all of them, once the table's own time is old
    assert played.flags["sequence-gap"] == 0


# --- below the level of records ----------------------------------------------------------------------------------


def goes_through(bench: Bench, hub: Child, send: Callable[[AIOKafkaProducer], Awaitable[Any]]) -> Any:
    """Do something bad, then publish a good event, and wait until the journal has it."""

    async def act() -> tuple[Any, Position]:
        async with producer(bench) as client:
            came = await send(client)
            return came, await put(client, ways.CENTRE, a_good_one())

    came, following = asyncio.run(act())
    until(lambda: str(following) in by_origin(records(bench, "hub.journal")), "the good event", hub.is_running)
    assert hub.events("stopped") == []
    assert hub.events("given_up") == []
    return came


@pytest.mark.parametrize("case", TOO_LARGE_FOR_KAFKA, ids=[case.name for case in TOO_LARGE_FOR_KAFKA])
def test_21_a_record_over_the_outboxs_limit_is_refused_by_kafka(bench: Bench, hub: Child, case: Case) -> None:
    async def send(client: AIOKafkaProducer) -> None:
        with pytest.raises(MessageSizeTooLargeError):
            await put(client, case.sender, case.message())

    goes_through(bench, hub, send)


CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.mark.parametrize("codec", CODECS)
def test_25_a_compressed_batch_is_read_like_any_other(bench: Bench, hub: Child, codec: str) -> None:
    async def send(_: AIOKafkaProducer) -> list[Position]:
        async with producer(bench, compression_type=codec, linger_ms=50) as client:
            bad = ways.Message(b"{" + b" " * 100_000)
            return await asyncio.gather(*(put(client, ways.CENTRE, one) for one in (a_good_one(), bad, a_good_one())))

    first, bad, last = goes_through(bench, hub, send)
    journal, refusals = by_origin(records(bench, "hub.journal")), by_origin(records(bench, "hub.refusals"))
    assert {str(first), str(last)} <= journal.keys()
    assert refusals[str(bad)].value == b"{" + b" " * 100_000


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [2 * 2**20, 48 * 2**20], ids=["2 MiB", "48 MiB"])
def test_25_a_batch_that_inflates_beyond_the_limit_is_refused_by_kafka(
    bench: Bench, hub: Child, codec: str, size: int
) -> None:
    """Outboxes are kept uncompressed, so Kafka unpacks before it measures: no reader ever meets a bomb."""

    async def send(_: AIOKafkaProducer) -> None:
        async with producer(bench, compression_type=codec) as client:
            with pytest.raises(MessageSizeTooLargeError):
                await put(client, ways.CENTRE, ways.Message(bytes(size)))

    goes_through(bench, hub, send)


def test_57_the_hub_places_by_the_dossier_whatever_key_and_partitioner_a_client_has(bench: Bench, hub: Child) -> None:
    events = [ways.good(ways.CENTRE, str(uuid.uuid4())) for _ in range(8)]
    subject = str(uuid.uuid4())
    keys = [None, b"", b"a", b"b", subject.encode(), b"\xff", b"0" * 1_000, b"dossier-1"]

    async def send(client: AIOKafkaProducer) -> list[Position]:
        return [
            await put(client, ways.CENTRE, ways.key(key)({**event, "subject": subject}))
            for event, key in zip(events, keys, strict=True)
        ]

    positions = goes_through(bench, hub, send)
    journal = by_origin(records(bench, "hub.journal"))
    stored = [journal[str(position)] for position in positions]
    assert {record.key for record in stored} == {subject.encode()}
    assert {record.position.partition for record in stored} == {Partitioner().pick(subject.encode(), 0, 4)}
    offsets = [record.position.offset for record in stored]
    assert sorted(offsets) == offsets


# --- byte by byte


def marked(attributes: int) -> bytes:
    """Build a good batch with other attributes."""
    raw = batch([a_good_one()])
    struct.pack_into(">h", raw, batches.ATTRIBUTES, attributes)
    return signed(raw)


def with_wrong_checksum() -> bytes:
    raw = batch([a_good_one()])
    raw[batches.PAYLOAD + 20] ^= 0x01
    return bytes(raw)


def of_old(magic: Literal[0, 1]) -> bytes:
    made = LegacyRecordBatchBuilder(magic=magic, compression_type=0, batch_size=1_000_000)
    assert made.append(0, timestamp=0, key=None, value=a_good_one().value) is not None
    return bytes(made.build())


def with_a_wrong_count() -> bytes:
    raw = batch([a_good_one()])
    struct.pack_into(">i", raw, batches.COUNT, 7)
    return signed(raw)


def cut_short() -> bytes:
    return bytes(batch([a_good_one()])[:-10])


def with_garbage_for_a_body(compression: int) -> bytes:
    raw = batch([a_good_one()], codec=compression)
    raw[batches.PAYLOAD :] = b"\xa5" * (len(raw) - batches.PAYLOAD)
    return signed(raw)


BROKEN: Mapping[str, Callable[[], bytes]] = {
    "a batch in the format 0": lambda: of_old(0),
    "a batch in the format 1": lambda: of_old(1),
    "a batch with a wrong checksum": with_wrong_checksum,
    "a control batch": lambda: marked(batches.CONTROL),
    "a control batch of a transaction": lambda: marked(batches.CONTROL | batches.TRANSACTIONAL),
    "a batch with the codec 5": lambda: marked(5),
    "a batch with the codec 7": lambda: marked(7),
    "a batch that says gzip and is not": lambda: marked(1),
    "a batch that says zstd and is not": lambda: marked(4),
    "a batch that counts its records wrongly": with_a_wrong_count,
    "a batch that is cut short": cut_short,
    "a batch of garbage": lambda: with_garbage_for_a_body(0),
    "a compressed batch of garbage": lambda: with_garbage_for_a_body(4),
    "a batch of nothing": lambda: b"",
}


async def produce_raw(bench: Bench, raw: bytes) -> int:
    """Write bytes as a batch, without any client's help, and return the broker's error code."""
    settings = EngineSettings(bootstrap=bench.bootstrap, group="none", client_id="raw", revision=1, digest="")
    async with ClusterView(settings) as view:
        return await raw_error(view, raw)


async def raw_error(view: ClusterView, raw: bytes) -> int:
    request = ProduceRequest(transactional_id=None, required_acks=-1, timeout=10_000, topics=[(OUTBOX, [(0, raw)])])
    answer = await view.client.send(view.leader(LANE), request)
    return int(answer.topics[0][1][0][1])


@pytest.mark.parametrize("what", BROKEN)
def test_60_a_broken_batch_is_refused_by_kafka_and_the_reader_lives(bench: Bench, hub: Child, what: str) -> None:
    async def send(_: AIOKafkaProducer) -> int:
        return await produce_raw(bench, BROKEN[what]())

    assert goes_through(bench, hub, send) != 0, "Kafka has taken it"


def test_60_a_batch_that_is_written_byte_by_byte_and_well_is_taken(bench: Bench, hub: Child) -> None:
    async def send(_: AIOKafkaProducer) -> int:
        return await produce_raw(bench, signed(batch([a_good_one(), a_good_one()])))

    assert goes_through(bench, hub, send) == 0


BATCHES = int(os.environ.get("FUZZ_BATCHES") or (20_000 if os.environ.get("EXPATHUB_TEST_FAULTS") == "full" else 400))
SEED = int(os.environ.get("SEED") or 1)
SMALL = [case for case in SENT if len(case.message().value or b"") < 2_000]


def at_random(dice: Random) -> bytes:
    """Build a batch of a good event and some bad ones, and change it."""
    return mutated(dice, [a_good_one(), *(dice.choice(SMALL).message() for _ in range(dice.choice((0, 1, 2))))])


@pytest.mark.timeout(600 + BATCHES // 5)
def test_60_whatever_kafka_takes_of_batches_changed_at_random_the_reader_reads(bench: Bench, hub: Child) -> None:
    dice = Random(SEED)
    settings = EngineSettings(bootstrap=bench.bootstrap, group="none", client_id="raw", revision=1, digest="")

    async def send(_: AIOKafkaProducer) -> Counter[int]:
        async with ClusterView(settings) as view:
            return Counter([await raw_error(view, at_random(dice)) for _ in range(BATCHES)])

    errors = goes_through(bench, hub, send)
    assert errors[0] > BATCHES // 50, "some of it is taken"
    assert errors.total() - errors[0] > BATCHES // 10, "most of it is not"


PLACE = b"name-that-will-not-be-utf8"


def test_59_a_headers_name_that_is_no_utf8_holds_nobody_up(bench: Bench, hub: Child) -> None:
    odd = ways.headers((PLACE.decode(), b"x"))(ways.good(ways.CENTRE, str(uuid.uuid4())))
    raw = bytearray(batch([a_good_one(), odd, a_good_one()]).replace(PLACE, b"\xff" * len(PLACE)))

    async def send(_: AIOKafkaProducer) -> int:
        return await produce_raw(bench, signed(raw))

    assert goes_through(bench, hub, send) == 0
    assert (odd.value or b"") not in [record.value for record in records(bench, "hub.refusals")]
    assert json.loads(odd.value or b"")["id"] in {
        json.loads(record.value or b"")["id"] for record in records(bench, "hub.journal")
    }


# --- transactions


async def stable_and_end(bench: Bench) -> tuple[int, int]:
    """Return up to where the outbox can be read, and where it ends."""
    found = []
    for isolation in ("read_committed", "read_uncommitted"):
        looker = AIOKafkaConsumer(bootstrap_servers=bench.bootstrap, isolation_level=isolation)
        await looker.start()
        found.append((await looker.end_offsets([LANE]))[LANE])
        await looker.stop()
    return found[0], found[1]


def test_61_an_aborted_transaction_is_never_seen(bench: Bench, hub: Child) -> None:
    async def send(_: AIOKafkaProducer) -> Position:
        async with producer(bench, transactional_id=f"expat-centre.{uuid.uuid4()}") as client:
            await client.begin_transaction()
            position = await put(client, ways.CENTRE, a_good_one())
            await client.abort_transaction()
            return position

    aborted = str(goes_through(bench, hub, send))
    assert aborted not in by_origin(records(bench, "hub.journal"))
    assert aborted not in by_origin(records(bench, "hub.refusals"))


def test_61_what_follows_a_transaction_that_is_left_open_waits_and_then_goes_through(bench: Bench, hub: Child) -> None:
    async def send(client: AIOKafkaProducer) -> Position:
        left = AIOKafkaProducer(
            bootstrap_servers=bench.bootstrap,
            transactional_id=f"expat-centre.{uuid.uuid4()}",
            transaction_timeout_ms=10_000,
        )
        await left.start()
        await left.begin_transaction()
        position = await put(left, ways.CENTRE, a_good_one())
        behind = await put(client, ways.CENTRE, a_good_one())
        await left.stop()  # which ends no transaction
        stable, end = await stable_and_end(bench)
        assert (stable, end) == (position.offset, behind.offset + 1), "the stall can be seen"
        return position

    opened = goes_through(bench, hub, send)
    journal = by_origin(records(bench, "hub.journal"))
    assert str(opened) not in journal
    assert f"{OUTBOX}/0/{opened.offset + 1}" in journal
