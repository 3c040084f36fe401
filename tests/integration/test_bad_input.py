"""Bad input through the whole hub: each kind has its code and a receipt, and the next good event goes through."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from expathub.core.records import InputRecord
from expathub.kafka.reading import read_all
from expathub.testing.processes import Bench, until

SOURCE = "urn:nld:oin:00000099000100001000:systeem:expatbalie"
OUTBOX, INBOX = "outbox.expat-centre", "inbox.expat-centre"
STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def good(**changes: Any) -> dict[str, Any]:
    """Make an event that is accepted; `…` takes an attribute out."""
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": SOURCE,
        "type": "nl.expats.aankomst-aangemeld.v1",
        "subject": str(uuid.uuid4()),
        "time": "2026-11-20T09:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "wijziging": "nieuw",
            "gemeentecode": "0935",
            "verwachteAankomst": "2026-12-01",
            "langerDanVierMaanden": True,
            "verblijfsdoel": "kennismigrant",
            "gezinsdossiers": 0,
            "taal": "en",
        },
        **changes,
    }
    return {name: value for name, value in event.items() if value is not ...}


def data(**changes: Any) -> bytes:
    """Make an event with something wrong in its data; `…` takes a field out."""
    fields = {**good()["data"], **changes}
    return text(data={name: value for name, value in fields.items() if value is not ...})


def text(**changes: Any) -> bytes:
    """Make an event as JSON."""
    return json.dumps(good(**changes)).encode()


def replaced(old: bytes, new: bytes) -> bytes:
    """Make a good event's bytes and change them."""
    whole = text()
    assert old in whole
    return whole.replace(old, new, 1)


def binary(*more: tuple[str, bytes | None], **changes: Any) -> tuple[tuple[str, bytes | None], ...]:
    """Make the headers of a good event in binary mode."""
    event = good(**changes)
    attributes = [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name not in _IN_BODY]
    return (("content-type", b"application/json"), *attributes, *more)


_IN_BODY = ("data", "datacontenttype")
BODY = json.dumps(good()["data"]).encode()


@dataclass(frozen=True)
class Bad:
    """One record that must be refused: `row` is its kind, `code` what it is refused with."""

    row: str
    code: str
    value: bytes | None = field(repr=False)
    headers: tuple[tuple[str, bytes | None], ...] = field(default=STRUCTURED, repr=False)


BAD = (
    Bad("empty", "malformed-json", b""),
    Bad("only whitespace", "malformed-json", b" \n\t "),
    Bad("truncated", "malformed-json", text()[:-1]),
    Bad("trailing garbage", "malformed-json", text() + b"x"),
    Bad("two documents", "malformed-json", text() + text()),
    Bad("an array", "not-an-object", b"[]"),
    Bad("a string", "not-an-object", b'"event"'),
    Bad("a number", "not-an-object", b"1"),
    Bad("null", "not-an-object", b"null"),
    Bad("a member twice", "duplicate-key", replaced(b'"specversion"', b'"id": "a", "specversion"')),
    Bad("a nested member twice", "duplicate-key", replaced(b'"taal"', b'"taal": "nl", "taal"')),
    Bad("a member twice by an escape", "duplicate-key", replaced(b'"taal"', b'"t\\u0061al": "nl", "taal"')),
    Bad("a name composed in two ways", "similar-key", replaced(b'"taal"', b'"\\u00e9": 1, "e\\u0301": 2, "taal"')),
    Bad("NaN", "not-a-number", replaced(b'"gezinsdossiers": 0', b'"gezinsdossiers": NaN')),
    Bad("-Infinity", "not-a-number", replaced(b'"gezinsdossiers": 0', b'"gezinsdossiers": -Infinity')),
    Bad("1e400", "number-out-of-range", replaced(b'"gezinsdossiers": 0', b'"gezinsdossiers": 1e400')),
    Bad("4301 digits", "number-out-of-range", replaced(b": 0,", b": " + b"9" * 4301 + b",")),
    Bad("2^53 + 1", "number-out-of-range", data(gezinsdossiers=2**53 + 1)),
    Bad("33 levels", "too-deep", replaced(b": 0,", b": " + b"[" * 33 + b"]" * 33 + b",")),
    Bad("100,000 levels", "too-deep", replaced(b": 0,", b": " + b"[" * 100_000 + b"]" * 100_000 + b",")),
    Bad("invalid UTF-8", "not-utf-8", replaced(b'"en"', b'"\xff\xfe"')),
    Bad("overlong UTF-8", "not-utf-8", replaced(b'"en"', b'"\xc0\xaf"')),
    Bad("half a surrogate pair", "lone-surrogate", replaced(b'"en"', b'"\\ud800"')),
    Bad("byte order mark", "byte-order-mark", b"\xef\xbb\xbf" + text()),
    Bad("UTF-16", "not-utf-8", json.dumps(good()).encode("utf-16")),
    Bad("more than 256 KiB", "too-large", text(data={"x": "x" * 300_000})),
    Bad("no specversion", "profile-specversion", text(specversion=...)),
    Bad("specversion 0.3", "profile-specversion", text(specversion="0.3")),
    Bad("no id", "profile-id", text(id=...)),
    Bad("empty id", "profile-id", text(id="")),
    Bad("a full stop in the id", "profile-id", text(id="a.b")),
    Bad("no source", "profile-source", text(source=...)),
    Bad("a source that is none", "profile-source", text(source="the centre")),
    Bad(
        "another's source",
        "not-your-source",
        text(source="urn:nld:oin:00000099000100002000:systeem:verblijfszaken"),
    ),
    Bad("unknown type", "unknown-type", text(type="nl.expats.bestaat-niet.v1")),
    Bad("capitals in the type", "profile-type", text(type="nl.expats.Aankomst-aangemeld.v1")),
    Bad("two versions in the type", "profile-type", text(type="nl.expats.aankomst-aangemeld.v1.v2")),
    Bad("another's type", "not-your-type", text(type="nl.brp.verhuisd.intergemeentelijk.v2")),
    Bad("time without zone", "profile-time", text(time="2026-11-20T09:00:00")),
    Bad("24:00", "profile-time", text(time="2026-11-20T24:00:00Z")),
    Bad("30 February", "profile-time", text(time="2026-02-30T09:00:00Z")),
    Bad("a number that may be a BSN as subject", "bsn-in-attribute", text(subject="999990019")),
    Bad("a subject that is no dossier id", "profile-subject", text(subject="dossier-1")),
    Bad("capital in an attribute's name", "attribute-name", text(Extra="x")),
    Bad("21 letters in an attribute's name", "attribute-name", text(**{"a" * 21: "x"})),
    Bad("an object as attribute", "attribute-value", text(extra={"a": 1})),
    Bad("an attribute of the hub", "reserved-attribute", text(huborigin="x")),
    Bad("data twice", "data-twice", text(data_base64="e30=")),
    Bad("data in base64", "data-base64", text(data=..., data_base64="e30=")),
    Bad("unknown version", "unknown-version", text(type="nl.expats.aankomst-aangemeld.v9")),
    Bad("a field too many", "schema", data(extra=1)),
    Bad("a field too few", "schema", data(taal=...)),
    Bad("null for a field", "schema", data(taal=None)),
    Bad("another kind of value", "schema", data(gezinsdossiers="0")),
    Bad("a word of no list", "schema", data(verblijfsdoel="vakantie")),
    Bad("null value", "no-value", None),
    Bad("header differs from body", "header-differs", text(), (*STRUCTURED, ("ce_id", b"another"))),
    Bad("no content type", "content-type", text(), ()),
    Bad("a batch", "batch", b"[]", (("content-type", b"application/cloudevents-batch+json"),)),
    Bad("ce_id twice", "header-twice", BODY, binary(("ce_id", b"b"))),
    Bad("a header that is no text", "header-not-text", BODY, binary(("ce_extra", b"\xff"))),
    Bad("a null header", "header-not-text", BODY, binary(("ce_extra", None))),
    Bad("64 KiB of headers", "headers-too-large", BODY, binary(("x", b"x" * 65_536))),
    Bad("65 headers", "headers-too-large", text(), STRUCTURED + tuple((f"x{n}", b"") for n in range(65))),
    Bad("broken binary body", "malformed-json", b"{", binary()),
)


@dataclass(frozen=True)
class Played:
    """What the hub made of it, by the offset in the outbox."""

    refusals: dict[int, InputRecord]
    receipts: dict[int, dict[str, Any]]
    receipt_ms: dict[int, int]
    journal: dict[int, InputRecord]
    outbox: dict[int, InputRecord]


@pytest.fixture(scope="module")
def played(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Send every bad record with a good event behind it, and read what became of them."""
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))
    with bench.service("up", "--provision") as up:
        up.wait_until_ready("intake")
        asyncio.run(send(bench.bootstrap))
        until(lambda: len(records(bench.bootstrap, "hub.journal")) == len(BAD), "all good events in the journal")
        yield read(bench.bootstrap)


async def send(bootstrap: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=1_000_000)
    await producer.start()
    try:
        for bad in BAD:
            key = b"k" if bad.value is None else None  # this client sends no record with neither
            await producer.send_and_wait(OUTBOX, bad.value, key, headers=list(bad.headers))
            await producer.send_and_wait(OUTBOX, text(), headers=list(STRUCTURED))
    finally:
        await producer.stop()


def records(bootstrap: str, *topics: str) -> list[InputRecord]:
    return asyncio.run(read_all(bootstrap, *topics))


def read(bootstrap: str) -> Played:
    receipts = [(record, json.loads(record.value or b"")) for record in records(bootstrap, INBOX)]
    return Played(
        refusals={origin(record): record for record in records(bootstrap, "hub.refusals")},
        receipts={offset(row["data"]["position"]): row for _, row in receipts},
        receipt_ms={offset(row["data"]["position"]): record.received_ms for record, row in receipts},
        journal={origin(record): record for record in records(bootstrap, "hub.journal")},
        outbox={record.position.offset: record for record in records(bootstrap, OUTBOX)},
    )


def origin(record: InputRecord) -> int:
    return offset((record.header("hub-origin") or b"").decode())


def offset(position: str) -> int:
    return int(position.rpartition("/")[2])


@pytest.mark.parametrize(("number", "bad"), list(enumerate(BAD)), ids=[bad.row for bad in BAD])
def test_it_is_refused_with_its_code_and_a_receipt_and_the_next_event_goes_through(
    played: Played, number: int, bad: Bad
) -> None:
    at = 2 * number
    refusal, receipt = played.refusals[at], played.receipts[at]

    assert refusal.header("hub-code") == bad.code.encode()
    assert refusal.value == bad.value
    assert receipt["data"]["code"] == bad.code
    assert receipt["data"]["pointer"] == (refusal.header("hub-pointer") or b"").decode()
    assert played.receipt_ms[at] - played.outbox[at].received_ms < 1000
    assert at not in played.journal
    assert played.journal[at + 1].received_ms - played.outbox[at + 1].received_ms < 1000


def test_nothing_else_was_refused(played: Played) -> None:
    assert sorted(played.refusals) == [2 * number for number in range(len(BAD))]


def test_original_headers_are_kept_with_the_original_bytes(played: Played) -> None:
    number = next(number for number, bad in enumerate(BAD) if bad.row == "ce_id twice")
    kept = [value for name, value in played.refusals[2 * number].headers if name == "ce_id"]

    assert len(kept) == 2
