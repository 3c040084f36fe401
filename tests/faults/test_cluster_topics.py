"""Topics that turn against the hub: an inbox that takes nothing, a topic that is gone, retention before the reader.

What cannot be done waits and says so, whole; nothing is torn and no lane jumps. All else goes on (R5, R9).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from expathub.configuration import load
from expathub.kafka import cluster
from expathub.kafka.provision import Change
from expathub.kafka.reading import read_all
from expathub.kafka.topics import plan
from expathub.shipped import shipped
from expathub.testing.history import History
from expathub.testing.judgement import account
from expathub.testing.processes import Bench, Child, until

T = TypeVar("T")

EXPAT_CENTRE = "urn:nld:oin:00000099000100001000:systeem:expatbalie"
TOWN, TOWN_CODE = "gulpen-wittem", "1729"
OTHER_TOWN, OTHER_CODE = "maastricht", "0935"
KNOWN_TOPICS = [
    topic.name
    for topic in plan(load(shipped("deploy", "partners.yaml"), shipped("schemas")))
    if not topic.name.startswith(("hub.seen.", "hub.dossiers"))
]
NO_BATCH_FITS = "100"
AFTER_A_FETCH_SECONDS = 1.0
"""A fetch that is under way when its process is paused has been answered after this."""

IN_FULL = pytest.mark.skipif(
    os.environ.get("EXPATHUB_TEST_FAULTS") != "full", reason="takes minutes: set EXPATHUB_TEST_FAULTS=full"
)
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Hub:
    """A provisioned hub, one process of each stage."""

    bench: Bench
    intake: Child
    dispatch: Child


@pytest.fixture(scope="module")
def hub(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))
    assert bench.command("provision", "apply").code == 0
    with bench.service("intake") as intake, bench.service("dispatch") as dispatch:
        intake.wait_until_ready()
        dispatch.wait_until_ready()
        yield Hub(bench, intake, dispatch)


# --- F8: one of several outputs is refused


def test_an_output_that_is_refused_for_good_tears_nothing_and_waits_until_it_is_mended(hub: Hub) -> None:
    """A newcomer's town and the IND are told of an arrival in one transaction, and the town's inbox takes nothing."""
    dossier = str(uuid.uuid4())
    with inbox_that_takes_nothing(hub.bench, TOWN):
        assert publish(hub.bench, arrival(dossier, TOWN_CODE), arrival(dossier, TOWN_CODE)) == ["accepted"] * 2
        until(lambda: len(held(hub.bench, dossier)) >= 2, "both events to be put aside")
        poisoned = hub.dispatch.events("poisoned")
        assert [(one["level"], one["reason"]) for one in poisoned] == [("error", "died-too-often")]
        assert told(hub.bench, "ind", dossier) == told(hub.bench, TOWN, dossier) == []

        elsewhere = str(uuid.uuid4())
        assert publish(hub.bench, arrival(elsewhere, OTHER_CODE)) == ["accepted"]
        until(lambda: len(told(hub.bench, OTHER_TOWN, elsewhere)) == 1, "others to be told meanwhile")
    hub.dispatch.wait_until_ready()
    released = hub.bench.command(
        "deadletters", "release", "--subject", dossier, "--by", "beheer-1", "--why", "postvak hersteld", "--yes"
    )
    assert released.code == 0, released.err
    until(lambda: len(told(hub.bench, TOWN, dossier)) == 2, "the town to be told at last")
    assert told(hub.bench, "ind", dossier) == told(hub.bench, TOWN, dossier)
    assert_accounts_add_up(hub.bench)


# --- F35: what is to be read, or written, is gone


@IN_FULL
def test_an_inbox_that_is_deleted_stops_only_the_lane_that_needs_it_until_it_is_there_again(hub: Hub) -> None:
    hub.dispatch.wait_until_ready()
    dossier = str(uuid.uuid4())
    on_admin(hub.bench, lambda admin: admin.delete_topics(["inbox.kerkrade"]))
    assert publish(hub.bench, arrival(dossier, "0928")) == ["accepted"]
    until(lambda: why(hub.dispatch) == "topic-missing", "the lane to stop")
    assert sorted(set(lanes(hub.dispatch).values())) == ["running", "topic-missing"]
    assert [one["detail"] for one in hub.dispatch.events("stopped")][-1] == "inbox.kerkrade"

    assert hub.bench.command("provision", "apply").code == 0
    until(lambda: len(told(hub.bench, "kerkrade", dossier)) == 1, "the town to be told")
    hub.dispatch.wait_until_ready()
    assert len(told(hub.bench, "ind", dossier)) == 1
    assert_accounts_add_up(hub.bench)


def test_retention_before_the_reader_stops_its_lane_and_the_lane_never_jumps(hub: Hub) -> None:
    """The process is paused for less than its session; meanwhile records come and go."""
    hub.intake.wait_until_ready()
    bench = hub.bench
    assert publish(bench, arrival(str(uuid.uuid4()), OTHER_CODE)) == ["accepted"]
    lost, later = str(uuid.uuid4()), str(uuid.uuid4())
    asyncio.run(overtake(hub, arrival(lost, OTHER_CODE), arrival(later, OTHER_CODE)))
    until(lambda: not_running(hub.intake) == {"outbox.expat-centre/0": "offset-out-of-range"}, "only that lane to stop")
    assert hub.intake.get("/readyz").status == 503
    assert hub.intake.events("stopped")[-1]["level"] == "error"
    assert told(bench, OTHER_TOWN, later) == []

    on_another_lane = hub.bench.command(
        "publish", "--as", "ind", "-", "--wait", "30", given=hub.bench.command("schemas", "sample", PERMIT).out
    )
    assert [row["outcome"] for row in on_another_lane.rows()] == ["accepted"], "the other lanes go on"

    assert bench.command("lane", "list").code == 1
    resumed = bench.command(
        "lane", "resume", "outbox.expat-centre/0", "--from", "log-start",
        "--by", "beheer-1", "--why", "bewaartermijn te kort", "--yes", "--json",
    )  # fmt: skip
    assert json.loads(resumed.out)["skipped"] == 1
    until(lambda: len(told(bench, OTHER_TOWN, later)) == 1, "what was left to be told")
    hub.intake.wait_until_ready()
    assert told(bench, OTHER_TOWN, lost) == []


@IN_FULL
def test_an_outbox_that_is_deleted_stops_its_lane_and_the_others_go_on(hub: Hub) -> None:
    hub.intake.wait_until_ready()
    bench = hub.bench
    assert [row["outcome"] for row in publish_move(bench)] == ["accepted"]
    on_admin(bench, lambda admin: admin.delete_topics(["outbox.heerlen"]))
    until(lambda: lanes(hub.intake).get("outbox.heerlen/0") == "topic-missing", "the lane to stop")
    assert hub.intake.get("/readyz").status == 503
    assert publish(bench, arrival(str(uuid.uuid4()), OTHER_CODE)) == ["accepted"]

    assert bench.command("provision", "apply").code == 0  # a new topic of the old name begins at 0
    until(
        lambda: lanes(hub.intake).get("outbox.heerlen/0") == "offset-out-of-range", "the lane to see that it is another"
    )
    resumed = bench.command(
        "lane", "resume", "outbox.heerlen/0", "--from", "log-start",
        "--by", "beheer-1", "--why", "topic opnieuw gemaakt", "--yes",
    )  # fmt: skip
    assert resumed.code == 0, resumed.err
    hub.intake.wait_until_ready()
    assert [row["outcome"] for row in publish_move(bench)] == ["accepted"]


PERMIT = "nl.verblijfsvergunningen.vergunning-verleend"
MOVE = "nl.brp.verhuisd.intergemeentelijk"


def arrival(dossier: str, town: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": EXPAT_CENTRE,
        "type": "nl.expats.aankomst-aangemeld.v1",
        "subject": dossier,
        "time": "2026-11-20T09:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "wijziging": "nieuw",
            "gemeentecode": town,
            "verwachteAankomst": "2026-12-01",
            "langerDanVierMaanden": True,
            "verblijfsdoel": "kennismigrant",
            "gezinsdossiers": 0,
            "taal": "en",
        },
    }


def publish(bench: Bench, *events: dict[str, Any]) -> list[str]:
    """Publish as the expat centre, and say what became of each event."""
    lines = "\n".join(map(json.dumps, events))
    ended = bench.command("publish", "--as", "expat-centre", "-", "--wait", "60", given=lines, seconds=120.0)
    return [row["outcome"] for row in ended.rows()]


def publish_move(bench: Bench) -> list[Any]:
    sample = bench.command("schemas", "sample", MOVE, "--as", "heerlen", "--seed", str(time.monotonic_ns())).out
    return bench.command("publish", "--as", "heerlen", "-", "--wait", "60", given=sample, seconds=120.0).rows()


async def overtake(hub: Hub, lost: dict[str, Any], later: dict[str, Any]) -> None:
    """While intake stands still, write two events and let retention take the first."""
    outbox = TopicPartition("outbox.expat-centre", 0)
    async with AIOKafkaProducer(bootstrap_servers=hub.bench.bootstrap) as producer, admin_of(hub.bench) as admin:
        await producer.partitions_for(outbox.topic)
        with paused(hub.intake):
            await asyncio.sleep(AFTER_A_FETCH_SECONDS)
            stored = await producer.send_and_wait(outbox.topic, **structured(lost))
            await admin.delete_records({outbox: RecordsToDelete(stored.offset + 1)})
            await producer.send_and_wait(outbox.topic, **structured(later))


def structured(event: dict[str, Any]) -> dict[str, Any]:
    headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    return {"value": json.dumps(event).encode(), "key": event["subject"].encode(), "partition": 0, "headers": headers}


def held(bench: Bench, dossier: str) -> list[dict[str, Any]]:
    return json.loads(bench.command("deadletters", "list", "--subject", dossier, "--json").out)  # type: ignore[no-any-return]


def told(bench: Bench, partner: str, dossier: str) -> list[str]:
    """Return the ids of what a Dutch partner was told about a dossier, in order of its arrival."""
    records = asyncio.run(read_all(bench.bootstrap, f"inbox.{partner}"))
    events = [json.loads(record.value or b"{}") for record in records]
    return [event["id"] for event in events if event.get("subject") == dossier]


def lanes(child: Child) -> dict[str, str]:
    return child.get("/readyz").json()["lanes"]  # type: ignore[no-any-return]


def why(child: Child) -> str | None:
    return child.get("/readyz").json()["why"]  # type: ignore[no-any-return]


def not_running(child: Child) -> dict[str, str]:
    return {name: state for name, state in lanes(child).items() if state != "running"}


@contextmanager
def paused(child: Child) -> Iterator[None]:
    child.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        child.signal(signal.SIGCONT)


@asynccontextmanager
async def admin_of(bench: Bench) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


def on_admin(bench: Bench, act: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
    async def acting() -> T:
        async with admin_of(bench) as admin:
            return await act(admin)

    return asyncio.run(acting())


@contextmanager
def inbox_that_takes_nothing(bench: Bench, partner: str) -> Iterator[None]:
    """Have the broker refuse every batch for a partner's inbox; `provision apply` mends it."""

    async def spoil(admin: AIOKafkaAdminClient) -> None:
        inbox = (await cluster.look(admin)).topics[f"inbox.{partner}"]
        limited = {**inbox.own_settings, "max.message.bytes": NO_BATCH_FITS}
        await cluster.carry_out(admin, [Change(inbox.name, limited, ())])

    on_admin(bench, spoil)
    yield
    assert bench.command("provision", "drift").code == 1
    assert bench.command("provision", "apply").code == 0


def assert_accounts_add_up(bench: Bench) -> None:
    records = asyncio.run(read_all(bench.bootstrap, *KNOWN_TOPICS))
    assert account(History.of(records)).findings == ()
