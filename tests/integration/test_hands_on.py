"""Operators' and auditors' commands against a whole hub: lag, history, accounts, replay, release, lanes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from expathub.kafka.reading import read_all
from expathub.testing.processes import Bench, Ended, until

EXPAT_CENTRE = "urn:nld:oin:00000099000100001000:systeem:expatbalie"
HEERLEN = "urn:nld:oin:00000099000000917000:systeem:burgerzaken"
BEGINNING = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A provisioned hub whose two stages run in one process."""
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))
    with bench.service("up", "--provision") as up:
        up.wait_until_ready("intake")
        up.wait_until_ready("dispatch")
        yield bench


@dataclass(frozen=True, slots=True)
class Story:
    """A newcomer who arrives in Gulpen-Wittem and moves to Heerlen on a day that nobody knows exactly.

    Gulpen-Wittem reads the first version of the move, which cannot say that: what it may know waits.
    """

    dossier: str
    move: str


@pytest.fixture(scope="module")
def story(bench: Bench) -> Story:
    """One newcomer for all tests that only look."""
    return tell_story(bench)


def tell_story(bench: Bench) -> Story:
    dossier = str(uuid.uuid4())
    arrival = event(
        EXPAT_CENTRE,
        "nl.expats.aankomst-aangemeld.v1",
        dossier,
        {
            "wijziging": "nieuw",
            "gemeentecode": "1729",
            "verwachteAankomst": "2026-12-01",
            "langerDanVierMaanden": True,
            "verblijfsdoel": "kennismigrant",
            "gezinsdossiers": 0,
            "taal": "en",
        },
    )
    move = event(
        HEERLEN,
        "nl.brp.verhuisd.intergemeentelijk.v2",
        dossier,
        {
            "wijziging": "nieuw",
            "datumVan": {"type": "JaarDatum", "jaar": 2026},
            "van": {"gemeentecode": "1729"},
            "naar": {"gemeentecode": "0917"},
            "functieAdres": "woonadres",
            "aangifteDoor": "ingeschrevene",
            "geheimhouding": 0,
            "inOnderzoek": False,
        },
    )
    assert publish(bench, "expat-centre", arrival) == ["accepted"]
    assert publish(bench, "heerlen", move) == ["accepted"]
    until(lambda: len(held(bench, dossier)) == 1, "the move to be held")
    return Story(dossier, move["id"])


def event(source: str, kind: str, dossier: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": kind,
        "subject": dossier,
        "time": "2026-11-20T09:00:00Z",
        "datacontenttype": "application/json",
        "data": data,
    }


def publish(bench: Bench, partner: str, *events: Any) -> list[str]:
    lines = "\n".join(json.dumps(one) if isinstance(one, dict) else one for one in events)
    return [
        row["outcome"] for row in bench.command("publish", "--as", partner, "-", "--wait", "30", given=lines).rows()
    ]


def held(bench: Bench, dossier: str) -> list[dict[str, Any]]:
    return json.loads(bench.command("deadletters", "list", "--subject", dossier, "--json").out)  # type: ignore[no-any-return]


def history(bench: Bench, dossier: str, *more: str) -> list[dict[str, Any]]:
    return json.loads(bench.command("audit", "history", "--subject", dossier, "--json", *more).out)  # type: ignore[no-any-return]


def now() -> str:
    return datetime.now(UTC).isoformat()


def replay(bench: Bench, *arguments: str) -> Ended:
    return bench.command("replay", "--from", BEGINNING, "--to", now(), *arguments)


# --- history


def test_a_history_says_who_was_told_what_on_which_ground_and_what_is_held(bench: Bench, story: Story) -> None:
    arrival, move = history(bench, story.dossier)

    told = {one["partner"]: one for one in arrival["outcomes"]}
    assert told.keys() == {"gulpen-wittem", "ind"}
    assert "/data/gemeentecode" in told["ind"]["fields"]
    assert told["ind"]["ground"]
    waiting = [one for one in move["outcomes"] if one["what"] == "held"]
    assert [(one["partner"], one["reason"]) for one in waiting] == [("gulpen-wittem", "unreachable-version")]
    assert "content" not in move


def test_one_event_is_found_by_id_and_by_each_of_its_positions(bench: Bench, story: Story) -> None:
    (by_id,) = json.loads(bench.command("audit", "show", story.move, "--json").out)
    for position in (by_id["position"], by_id["origin"]):
        assert json.loads(bench.command("audit", "show", position, "--json").out) == [by_id]


def test_content_is_shown_for_a_reason_only_and_the_look_is_on_record(bench: Bench, story: Story) -> None:
    refused = bench.command("audit", "history", "--subject", story.dossier, "--payload")
    shown = history(bench, story.dossier, "--payload", "--reason", "verzoek om inzage 12")

    assert (refused.code, refused.out) == (2, "")
    assert shown[1]["content"]["data"]["naar"] == {"gemeentecode": "0917"}
    *_, look = (bench.data / "audit-access.jsonl").read_text().splitlines()
    assert json.loads(look)["reason"] == "verzoek om inzage 12"
    assert json.loads(look)["positions"] == [one["position"] for one in shown]


def test_a_history_for_people_names_no_content(bench: Bench, story: Story) -> None:
    out = bench.command("audit", "history", "--subject", story.dossier).out

    assert "held      gulpen-wittem: unreachable-version" in out
    assert "2026-12-01" not in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["audit", "history", "--subject", "999990019"], 2),
        (["audit", "history", "--subject", "7f1c2f0e-5a44-4c8e-9c55-0d6a7a1f0b11"], 1),
        (["audit", "show", "hub.journal/0/999999"], 1),
        (["audit", "accounts", "--from", "2999-01-01T00:00:00Z"], 2),
        (["audit", "accounts", "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"], 2),
        (["deadletters", "list", "--partner", "nobody"], 2),
        (["deadletters", "list", "--code", "no-such-code"], 2),
        (["lag", "--partner", "nobody"], 2),
        (["lane", "show", "outbox.nobody/0"], 2),
    ],
)
def test_what_cannot_be_is_said_in_a_line_with_its_code(bench: Bench, arguments: list[str], code: int) -> None:
    ended = bench.command(*arguments)

    assert (ended.code, ended.out) == (code, "")
    assert len(ended.err.splitlines()) == 1
    assert "999990019" not in ended.err


# --- accounts


def test_accounts_add_up_and_count_refusals_by_code(bench: Bench, story: Story) -> None:
    assert publish(bench, "expat-centre", "{") == ["refused"]

    account = json.loads(bench.command("audit", "accounts", "--json").out)

    assert account["violations"] == []
    assert account["refused"]["malformed-json"] >= 1
    assert account["received"] == account["accepted"] + sum(account["refused"].values()) + account["pending"]
    assert account["held"]["unreachable-version"] >= 1
    assert story.dossier not in json.dumps(account)


# --- release and discard


def test_a_release_that_does_not_help_keeps_it_held_and_on_record(bench: Bench) -> None:
    story = tell_story(bench)
    ended = bench.command(
        "deadletters", "release", "--subject", story.dossier, "--by", "beheer-1", "--why", "opnieuw", "--yes", "--json"
    )

    (given,) = json.loads(ended.out)
    assert (ended.code, given["outcome"], given["partner"]) == (0, "accepted", "gulpen-wittem")
    until(lambda: len(history(bench, story.dossier)) == 3, "the command to be on record")
    assert history(bench, story.dossier)[2]["event"]["type"] == "nl.expathub.vrijgegeven.v1"
    assert [one["code"] for one in held(bench, story.dossier)] == ["unreachable-version"]


def test_a_discard_withholds_for_good_and_what_stands_behind_goes_on(bench: Bench) -> None:
    story = tell_story(bench)
    ended = bench.command(
        "deadletters", "discard", "--subject", story.dossier, "--by", "beheer-1", "--why", "kan niet", "--yes"
    )

    assert ended.code == 0
    until(lambda: not held(bench, story.dossier), "nothing to be held")
    outcomes = {one["partner"]: one["reason"] for one in history(bench, story.dossier)[1]["outcomes"]}
    assert outcomes["gulpen-wittem"] == "discarded"


def test_nothing_is_done_without_a_yes(bench: Bench, story: Story) -> None:
    ended = bench.command(
        "deadletters", "discard", "--subject", story.dossier, "--by", "beheer-1", "--why", "kan niet", given="n\n"
    )

    assert ended.code == 1
    assert "gulpen-wittem" in ended.out
    assert len(held(bench, story.dossier)) == 1


# --- replay


def test_a_replay_to_a_file_is_what_the_inbox_holds_and_the_same_again(
    bench: Bench, story: Story, tmp_path: Path
) -> None:
    first, again, to = tmp_path / "first.jsonl", tmp_path / "again.jsonl", now()
    asked = ("replay", "--from", BEGINNING, "--to", to, "--as-of", to, "--partner", "ind", "--subject", story.dossier)
    summary = json.loads(bench.command(*asked, "--json", "--file", str(first)).out)
    assert bench.command(*asked, "--file", str(again)).code == 0

    inbox = bench.command("consume", "--as", "ind", "--from", "beginning", "--timeout", "0.5").out.splitlines()
    assert first.read_text().splitlines() == [line for line in inbox if story.dossier in line]
    assert again.read_bytes() == first.read_bytes()
    assert summary["digest"] == sha256(first.read_bytes()).hexdigest()
    assert summary["events"] == 1


def test_a_replay_from_a_position_is_of_that_stretch_alone(bench: Bench, story: Story) -> None:
    position = history(bench, story.dossier)[0]["position"]

    ended = bench.command("replay", "--from", position, "--to", position, "--dry-run", "--json")

    assert {(one["partner"], one["events"]) for one in json.loads(ended.out)["told"]} == {
        ("gulpen-wittem", 1),
        ("ind", 1),
    }


def test_a_replay_to_a_topic_is_marked(bench: Bench, story: Story) -> None:
    name = f"copy-{uuid.uuid4()}"
    asyncio.run(make_topic(bench.bootstrap, name))

    assert replay(bench, "--subject", story.dossier, "--topic", name).code == 0

    records = asyncio.run(read_all(bench.bootstrap, name))
    marks = {(record.header("hub-replay") or b"").split()[0] for record in records}
    assert {b"gulpen-wittem", b"ind"} <= marks
    assert len(records) == len(marks)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--dry-run", "--topic", "inbox.ind"], 2),
        (["--topic", "inbox.ind"], 2),
        (["--topic", "hub.journal"], 2),
        (["--topic", "no-such-topic"], 2),
        ([], 2),
        (["--dry-run", "--partner", "nobody"], 2),
        (["--dry-run", "--type", "nl.no.such"], 2),
        (["--dry-run", "--subject", "x"], 2),
        (["--dry-run", "--as-of", "2020-01-01T00:00:00Z"], 2),
        (["--file", "no/such/folder/out.jsonl"], 2),
    ],
)
def test_a_replay_that_cannot_be_says_so_and_writes_nothing(bench: Bench, arguments: list[str], code: int) -> None:
    ended = replay(bench, *arguments)

    assert (ended.code, ended.out) == (code, "")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("position", ["hub.journal/0/999999", "hub.journal/99/0", "outbox.ind/0/0", "a/b/c"])
def test_a_replay_from_a_position_that_is_not_there_says_so(bench: Bench, position: str) -> None:
    ended = bench.command("replay", "--from", position, "--to", now(), "--dry-run")

    assert (ended.code, ended.out) == (2, "")


# --- lag and lanes


def test_lag_shows_the_stages_and_a_partners_own_group(bench: Bench, story: Story) -> None:
    asyncio.run(commit(bench.bootstrap, "ind.reader", TopicPartition("inbox.ind", 0), 0))

    def groups() -> dict[str, dict[str, Any]]:
        return {one["group"]: one for one in json.loads(bench.command("lag", "--json").out)["groups"]}

    until(lambda: groups()["hub.dispatch"]["state"] == "ok", "dispatch to have read all")
    found = groups()
    assert (found["hub.intake"]["state"], found["hub.intake"]["members"]) == ("ok", 1)
    assert found["ind.reader"]["partner"] == "ind"
    assert sum(part["state"] == "no-commit" for part in found["ind.reader"]["partitions"]) == 2
    assert "hub.intake: state ok" in bench.command("lag", "--plain").out
    assert "hub.dispatch" in bench.command("lag").out
    assert story.dossier not in bench.command("lag", "--json").out


def test_a_lane_whose_offset_was_set_by_hand_stops_until_a_person_resumes_it(fresh_kafka: str, bench: Bench) -> None:
    """Runs last: the hub of this module ends here."""
    lane = "outbox.beek/0"
    assert publish(bench, "beek", "{") == ["refused"]
    for run in (bench.data / "run").glob("*.json"):
        with_pid = json.loads(run.read_text())["pid"]
        _end(with_pid)
    until(lambda: json.loads(bench.command("lag", "--json").out)["groups"][0]["members"] == 0, "the hub to be gone")
    asyncio.run(commit(fresh_kafka, "hub.intake", TopicPartition("outbox.beek", 0), 0))

    listed = bench.command("lane", "list", "--json")
    stopped = {one["lane"]: one["stop"] for one in json.loads(listed.out) if one["stop"]}
    assert (listed.code, stopped) == (1, {lane: "marker-and-offset-disagree"})
    shown = json.loads(bench.command("lane", "show", lane, "--json").out)
    assert (shown["marker"], shown["offset"]) == (1, 0)

    resumed = bench.command(
        "lane", "resume", lane, "--from", "marker", "--by", "beheer-1", "--why", "offset hersteld", "--yes", "--json"
    )
    assert (json.loads(resumed.out)["next"], json.loads(resumed.out)["repeated"]) == (1, 0)
    assert bench.command("lane", "list").code == 0
    with bench.service("up") as up:
        up.wait_until_ready("intake")
        assert publish(bench, "beek", "{") == ["refused"]
    note = json.loads((bench.data / "operator-actions.jsonl").read_text().splitlines()[-1])
    assert (note["ordered_by"], note["why"]) == ("beheer-1", "offset hersteld")


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


async def commit(bootstrap: str, group: str, partition: TopicPartition, next_offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.commit({partition: next_offset})
    finally:
        await consumer.stop()


async def make_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()
