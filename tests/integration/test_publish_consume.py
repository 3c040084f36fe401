"""A partner's day with real Kafka and real processes: publish, be told what became of it, read the inbox."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import MessageSizeTooLargeError

from expathub.core.records import InputRecord
from expathub.kafka.reading import read_all
from expathub.testing.processes import Bench, until

SOURCE = "urn:nld:oin:00000099000100001000:systeem:expatbalie"


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A provisioned hub whose two stages run in one process."""
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))
    with bench.service("up", "--provision") as up:
        up.wait_until_ready("intake")
        up.wait_until_ready("dispatch")
        yield bench


def arrival(**changes: Any) -> dict[str, Any]:
    """Make an event that the expat centre may publish; Maastricht and the IND are told."""
    return {
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


def publish(bench: Bench, *events: Any, wait: str = "10") -> list[dict[str, Any]]:
    lines = "\n".join(event if isinstance(event, str) else json.dumps(event) for event in events)
    return bench.command("publish", "--as", "expat-centre", "-", "--wait", wait, given=lines).rows()


def consume(bench: Bench, partner: str, *arguments: str) -> list[Any]:
    return bench.command("consume", "--as", partner, "--from", "beginning", "--timeout", "0.5", *arguments).rows()


def told(bench: Bench, partner: str) -> list[dict[str, Any]]:
    """Return what the inbox of a partner has, each record as `{"headers", "event"}`."""
    return [
        {"headers": dict(record.headers), "event": json.loads(record.value or b"")}
        for record in records(bench, f"inbox.{partner}")
    ]


def with_id(bench: Bench, partner: str, event_id: str) -> list[dict[str, Any]]:
    """Wait until the inbox has an event with this id, and return all that it has of it."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = [row for row in told(bench, partner) if row["event"]["id"] == event_id]
        return bool(found)

    until(look, f"{event_id} in the inbox of {partner}")
    return found


def receipts(bench: Bench, position: str) -> list[Any]:
    rows = [row["event"] for row in told(bench, "expat-centre")]
    return [row for row in rows if row["type"].startswith("nl.expathub.") and row["data"]["position"] == position]


def records(bench: Bench, *topics: str) -> list[InputRecord]:
    return asyncio.run(read_all(bench.bootstrap, *topics))


def test_an_accepted_event_is_told_to_whom_it_concerns(bench: Bench) -> None:
    event = arrival()

    (row,) = publish(bench, event)

    assert row == {
        "line": 1,
        "id": event["id"],
        "position": row["position"],
        "outcome": "accepted",
        "code": None,
    }
    assert row["position"].startswith("outbox.expat-centre/0/")
    (at_home,) = with_id(bench, "maastricht", event["id"])
    assert at_home["event"]["data"] == event["data"]
    assert at_home["event"]["subject"] == event["subject"]
    assert at_home["headers"]["hub-origin"].startswith(b"hub.journal/")
    (at_ind,) = with_id(bench, "ind", event["id"])
    assert "langerDanVierMaanden" not in at_ind["event"]["data"]


def test_the_sender_and_those_whom_it_does_not_concern_are_not_told(bench: Bench) -> None:
    event = arrival()
    publish(bench, event)
    with_id(bench, "maastricht", event["id"])

    for partner in ("expat-centre", "heerlen", "aachen", "portal"):
        assert event["id"] not in [row["event"]["id"] for row in told(bench, partner)]


def test_the_same_event_again_is_a_duplicate_and_told_once(bench: Bench) -> None:
    event = arrival()

    first, second = publish(bench, event, event)

    assert (first["outcome"], second["outcome"], second["code"]) == ("accepted", "duplicate", "duplicate")
    assert len(with_id(bench, "maastricht", event["id"])) == 1
    assert receipts(bench, second["position"]) == []


def test_the_same_id_with_another_content_is_refused(bench: Bench) -> None:
    event = arrival()

    _, other = publish(bench, event, {**event, "time": "2026-11-20T10:00:00Z"})

    assert (other["outcome"], other["code"]) == ("refused", "same-id-other-bytes")


def test_a_refused_event_has_a_receipt_within_a_second_and_the_next_one_goes_through(bench: Bench) -> None:
    bad, good = arrival(type="nl.expats.bestaat-niet.v1"), arrival()

    refused, accepted = publish(bench, bad, good)

    assert (refused["outcome"], refused["code"]) == ("refused", "unknown-type")
    assert accepted["outcome"] == "accepted"
    (receipt,) = receipts(bench, refused["position"])
    assert receipt["data"]["code"] == "unknown-type"
    assert receipt["data"]["id"] == bad["id"]
    assert told_after_ms(bench, refused["position"], "inbox.expat-centre") < 1000
    with_id(bench, "maastricht", good["id"])


def told_after_ms(bench: Bench, position: str, inbox: str) -> int:
    """Return how long after the outbox's record the receipt about it was stored, both by the broker's clock."""
    written = {str(record.position): record.received_ms for record in records(bench, "outbox.expat-centre")}
    receipt = next(record for record in records(bench, inbox) if position.encode() in (record.value or b""))
    return receipt.received_ms - written[position]


def test_publish_exits_with_1_when_a_line_was_refused_and_with_0_for_duplicates(bench: Bench) -> None:
    event = json.dumps(arrival())

    assert bench.command("publish", "--as", "expat-centre", "-", "--wait", "10", given=event).code == 0
    assert bench.command("publish", "--as", "expat-centre", "-", "--wait", "10", given=event).code == 0
    assert bench.command("publish", "--as", "expat-centre", "-", "--wait", "10", given="{}").code == 1


def test_what_is_published_is_sent_byte_for_byte(bench: Bench) -> None:
    lines = [b'{"id": "\xff\xfe"}', b"", b' {"a":1}\r', b"\x00\x1b[31m"]

    rows = bench.command("publish", "--as", "expat-centre", "-", given=b"\n".join(lines)).rows()

    stored = {str(record.position): record for record in records(bench, "outbox.expat-centre")}
    assert [stored[row["position"]].value for row in rows] == lines
    assert {stored[row["position"]].headers for row in rows} == {(("content-type", b"application/cloudevents+json"),)}


def test_the_key_is_the_subject_where_that_is_a_dossier_id(bench: Bench) -> None:
    event = arrival()

    rows = publish(bench, event, arrival(subject="999990019"))

    stored = {str(record.position): record.key for record in records(bench, "outbox.expat-centre")}
    assert [stored[row["position"]] for row in rows] == [event["subject"].encode(), None]


def test_a_line_that_kafka_does_not_take_is_said_and_the_next_one_goes_through(bench: Bench) -> None:
    event = arrival()

    large, good = publish(bench, "x" * 700_000, event)

    assert large == {"line": 1, "id": None, "position": None, "outcome": "refused", "code": "too-large"}
    assert good["outcome"] == "accepted"


def test_a_packed_record_is_measured_unpacked_and_stored_so(bench: Bench) -> None:
    headers = [("content-type", b"application/cloudevents+json")]
    with pytest.raises(MessageSizeTooLargeError):
        asyncio.run(send(bench, b" " * 2_500_000, headers, "gzip"))

    event = arrival()
    asyncio.run(send(bench, json.dumps(event).encode(), headers, "gzip"))

    with_id(bench, "maastricht", event["id"])


def test_binary_mode_is_the_same_event(bench: Bench) -> None:
    event = arrival()
    attributes = [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name not in _NO_HEADER]
    data = json.dumps(event["data"]).encode()

    asyncio.run(send(bench, data, [*attributes, ("content-type", b"application/json")]))

    (row,) = with_id(bench, "maastricht", event["id"])
    assert row["event"]["data"] == event["data"]
    (again,) = publish(bench, event)
    assert again["outcome"] == "duplicate"


_NO_HEADER = ("data", "datacontenttype")


async def send(bench: Bench, value: bytes, headers: list[tuple[str, bytes]], compression: str | None = None) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bench.bootstrap, max_request_size=8_000_000, compression_type=compression
    )
    await producer.start()
    try:
        await producer.send_and_wait("outbox.expat-centre", value, headers=headers)
    finally:
        await producer.stop()


def test_a_line_given_at_a_pipe_is_answered_before_the_next_one_comes(bench: Bench) -> None:
    command = [sys.executable, "-m", "expathub", "publish", "--as", "expat-centre", "-", "--wait", "10"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=bench.environment()
    ) as publishing:
        assert publishing.stdin
        assert publishing.stdout
        for _ in range(2):
            publishing.stdin.write(json.dumps(arrival()).encode() + b"\n")
            publishing.stdin.flush()

            assert json.loads(publishing.stdout.readline())["outcome"] == "accepted"
        publishing.stdin.close()
        assert publishing.wait(10) == 0


def test_consume_prints_an_event_a_line_and_with_position_all_of_the_record(bench: Bench) -> None:
    event = arrival()
    publish(bench, event)
    with_id(bench, "maastricht", event["id"])

    alone = next(row for row in consume(bench, "maastricht") if row["id"] == event["id"])
    whole = next(row for row in consume(bench, "maastricht", "--with-position") if row["event"] == alone)

    assert alone["data"] == event["data"]
    assert whole["position"].startswith("inbox.maastricht/")
    assert set(whole["headers"]) == {"content-type", "hub-origin", "hub-disclosure"}


def test_consume_ends_after_so_many_events(bench: Bench) -> None:
    publish(bench, arrival(), last := arrival(), arrival())
    with_id(bench, "ind", last["id"])

    assert len(consume(bench, "ind", "--max", "2")) == 2


def test_consume_begins_at_a_time(bench: Bench) -> None:
    early, late = arrival(), arrival()
    publish(bench, early)
    with_id(bench, "maastricht", early["id"])
    time.sleep(0.05)
    at = time.time()
    publish(bench, late)
    with_id(bench, "maastricht", late["id"])

    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}Z"
    read = bench.command("consume", "--as", "maastricht", "--from", moment, "--timeout", "0.5").rows()

    assert [event["id"] for event in read] == [late["id"]]


def test_consume_without_from_reads_only_what_is_new(bench: Bench) -> None:
    publish(bench, arrival())

    assert bench.command("consume", "--as", "maastricht", "--timeout", "0").rows() == []


def test_consume_leaves_no_group_behind(bench: Bench) -> None:
    consume(bench, "maastricht")

    async def groups() -> set[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
        await admin.start()
        try:
            return {group for group, _ in await admin.list_consumer_groups()}
        finally:
            await admin.close()

    assert asyncio.run(groups()) == {"hub.intake", "hub.dispatch"}


def test_ctrl_c_is_a_good_end_of_consume(bench: Bench) -> None:
    publish(bench, arrival())  # there must be a line to wait for, also where this test runs alone
    command = [sys.executable, "-m", "expathub", "consume", "--as", "ind", "--from", "beginning"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bench.environment()
    ) as consuming:
        assert consuming.stdout
        consuming.stdout.readline()
        consuming.send_signal(signal.SIGINT)

        _, complaint = consuming.communicate(timeout=10)
        assert (consuming.returncode, complaint) == (0, b"")


def test_a_reader_that_goes_away_is_a_good_end_of_consume(bench: Bench) -> None:
    publish(bench, arrival())
    command = f"{sys.executable} -m expathub consume --as ind --from beginning --timeout 1 | head -n 1"
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        env=bench.environment(),
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(ended.stdout.splitlines()) == 1


@pytest.mark.parametrize("command", ["publish", "consume"])
def test_an_unknown_partner_is_a_usage_error_that_names_the_known_ones(bench: Bench, command: str) -> None:
    ended = bench.command(command, "--as", "maastrict", *(["-"] if command == "publish" else []))

    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "Did you mean maastricht?" in ended.err


def test_a_topic_is_never_made_by_asking_for_it(bench: Bench, tmp_path: Path) -> None:
    partners = tmp_path / "partners.yaml"
    shipped = Path("deploy/partners.yaml").read_text("utf-8")
    partners.write_text(shipped.replace("- id: heerlen", "- id: heerle"), "utf-8")

    for command in (["publish", "--as", "heerle", "-"], ["consume", "--as", "heerle", "--timeout", "0"]):
        ended = bench.command(*command, given="{}", EXPATHUB_PARTNERS=str(partners))

        assert ended.code == 78
        assert "heerle" in ended.err
        assert "provision apply" in ended.err
    left = json.loads(bench.command("provision", "drift", "--json").out)["left_alone"]
    assert left == []


def test_commands_give_up_when_kafka_does_not_answer(bench: Bench) -> None:
    commands = [
        ["publish", "--as", "ind", "-"],
        ["consume", "--as", "ind", "--timeout", "0"],
        ["provision", "drift"],
    ]
    with ThreadPoolExecutor() as pool:
        ends = list(pool.map(lambda command: bench.command(*command, EXPATHUB_BOOTSTRAP="127.0.0.1:1"), commands))

    assert [ended.code for ended in ends] == [69, 69, 69]
    assert {ended.err.count("\n") for ended in ends} == {1}
    assert all("Kafka at 127.0.0.1:1 does not answer after 10 s." in ended.err for ended in ends)


def test_an_address_that_is_none_is_a_configuration_error(bench: Bench) -> None:
    ended = bench.command("consume", "--as", "ind", EXPATHUB_BOOTSTRAP="kafka")

    assert (ended.code, ended.err.count("\n")) == (78, 1)
    assert "HOST:PORT" in ended.err


def test_an_outcome_that_is_not_known_in_time_is_said(bench: Bench) -> None:
    ended = bench.command("publish", "--as", "expat-centre", "-", "--wait", "0.001", given=json.dumps(arrival()))

    (row,) = ended.rows()
    assert (ended.code, row["outcome"], row["code"]) == (1, None, None)
    assert "1 of 1 lines have no outcome after 0.001 s." in ended.err
