"""The services as real processes: start, health, metrics, the broker away, the end, and its exit code."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from expathub.kafka import local_broker
from expathub.kafka.reading import read_all
from expathub.testing.processes import Bench, Child, until

INBOX = "inbox.maastricht"


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A provisioned cluster without services."""
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))
    assert bench.command("provision", "apply").code == 0
    return bench


@pytest.fixture(scope="module")
def intake(bench: Bench) -> Iterator[Child]:
    """One intake for the tests that only look at it."""
    with bench.service("intake") as intake:
        intake.wait_until_ready()
        yield intake


def event(**changes: Any) -> str:
    """Make an event that the expat centre may publish."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "urn:nld:oin:00000099000100001000:systeem:expatbalie",
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
    )


def samples(child: Child) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Scrape the metrics, by name and labels."""
    families = text_string_to_metric_families(child.get("/metrics").body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_ready_service_says_how_it_is(intake: Child) -> None:
    assert intake.get("/healthz").json() == {"alive": True}
    ready = intake.get("/readyz").json()
    assert (ready["ready"], ready["why"]) == (True, None)
    assert len(ready["lanes"]) == 23
    assert set(ready["lanes"].values()) == {"running"}


def test_every_counter_is_there_at_zero_before_anything_happened(bench: Bench) -> None:
    with bench.service("intake", EXPATHUB_BOOTSTRAP="127.0.0.1:1") as waiting:
        at_start = samples(waiting)

    refused = ("hub_intake_records_total", (("code", "schema"), ("partner", "ind")))
    assert at_start[refused] == 0
    assert at_start["hub_batches_total", ()] == 0
    assert at_start["hub_engine_events_total", (("event", "given_up"),)] == 0
    assert at_start["hub_ready", ()] == 0


def test_outcomes_are_counted_by_partner_and_code(bench: Bench, intake: Child) -> None:
    good = event()
    lines = "\n".join([good, good, event(type="nl.expats.bestaat-niet.v1"), "{"])

    bench.command("publish", "--as", "expat-centre", "-", "--wait", "30", given=lines)

    counted = {
        dict(labels)["code"]: value
        for (name, labels), value in samples(intake).items()
        if name == "hub_intake_records_total" and value
    }
    assert counted == {"accepted": 1, "duplicate": 1, "unknown-type": 1, "malformed-json": 1}
    line = intake.events("batch_committed")[-1]
    assert line["service"] == "intake"
    outcomes = {word: count for word, count in line["tally"].items() if not word.startswith("flagged:")}
    assert sum(outcomes.values()) == line["records"]


def test_the_description_lists_the_topics_and_lets_nobody_try_them_out(intake: Child) -> None:
    described = intake.get("/asyncapi.json").json()
    addresses = {channel["address"] for channel in described["channels"].values()}

    assert addresses == {"outbox.{partner}", "hub.journal", "hub.refusals", "inbox.{partner}"}
    assert intake.get("/asyncapi").status == 200
    for path in ("/asyncapi/try", "/docs/try"):
        assert intake.get(path, method="POST").status == 404


def test_two_intakes_share_the_outboxes(bench: Bench, intake: Child) -> None:
    with bench.service("intake") as second:
        second.wait_until_ready()
        until(lambda: len(intake.get("/readyz").json()["lanes"]) < 23, "the first to hand over lanes")
        intake.wait_until_ready()

        counts = [len(child.get("/readyz").json()["lanes"]) for child in (intake, second)]

        assert sum(counts) == 23
        assert min(counts) >= 10
        assert second.stop() == 0
    until(lambda: len(intake.get("/readyz").json()["lanes"]) == 23, "the first to have all lanes again")


def test_faststream_run_is_the_same_service(bench: Bench, intake: Child) -> None:
    command = [sys.executable, "-m", "faststream", "run", "expathub.intake.app:app"]
    with bench.process("intake", command) as child:
        child.wait_until_ready()
        assert intake.is_running()
        file = bench.data / "run" / f"intake-{child.process.pid}.json"
        assert json.loads(file.read_bytes())["service"] == "intake"
        assert child.stop() == 0
        assert not file.exists()


def test_faststream_run_takes_a_port(bench: Bench, intake: Child) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "faststream", "run", "expathub.intake.app:app", "--port", str(port)]
    with bench.process("intake", command) as child:
        assert child.address() == f"http://127.0.0.1:{port}"
        assert child.get("/healthz").status == 200
        assert intake.is_running()


def test_up_runs_both_stages_each_at_its_own_address(bench: Bench) -> None:
    with bench.service("up") as up:
        for service in ("intake", "dispatch"):
            up.wait_until_ready(service)
        assert up.address("intake") != up.address("dispatch")
        (line,) = [line for line in up.logged().splitlines() if line.startswith("Up: ")]
        assert up.address("intake") in line
        assert up.address("dispatch") in line
        assert bench.bootstrap in line

        assert up.stop() == 0

    assert list((bench.data / "run").glob(f"*-{up.process.pid}.json")) == []


def test_ctrl_c_is_a_good_end_of_a_service(bench: Bench) -> None:
    with bench.service("dispatch") as dispatch:
        dispatch.wait_until_ready()
        dispatch.signal(signal.SIGINT)

        assert dispatch.wait() == 0


def test_sigterm_under_load_ends_in_time_and_loses_nothing(bench: Bench, intake: Child) -> None:
    lines = "\n".join(event() for _ in range(3000))
    with bench.service("intake") as second:
        second.wait_until_ready()
        assert bench.command("publish", "--as", "expat-centre", "-", given=lines).code == 0
        began = time.monotonic()

        assert second.stop() == 0
        assert time.monotonic() - began < 25

    (last,) = bench.command("publish", "--as", "expat-centre", "-", "--wait", "60", given=event()).rows()
    assert last["outcome"] == "accepted"
    outcomes = bench.command("publish", "--as", "expat-centre", "-", "--wait", "60", given=lines).rows()
    assert {row["outcome"] for row in outcomes} == {"duplicate"}
    assert intake.is_running()


def test_a_port_in_use_is_said_in_one_line(bench: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = bench.command("intake", EXPATHUB_HTTP_PORT=port)

    assert (ended.code, ended.err.count("\n")) == (78, 1)
    assert f"Port {port}" in ended.err
    assert "EXPATHUB_HTTP_PORT" in ended.err


@pytest.mark.parametrize("service", ["intake", "dispatch", "up"])
def test_a_wrong_partners_file_ends_a_service_with_file_and_line(bench: Bench, tmp_path: Path, service: str) -> None:
    partners = tmp_path / "partners.yaml"
    partners.write_text("revision: 1\nhub:\n  source: nonsense\npartners: []\n", "utf-8")

    ended = bench.command(service, EXPATHUB_PARTNERS=str(partners))

    assert ended.code == 78
    assert f"{partners}:3" in ended.err


def test_faststream_run_explains_a_wrong_configuration_in_the_same_words(bench: Bench, tmp_path: Path) -> None:
    partners = tmp_path / "partners.yaml"
    partners.write_text("revision: 1\nhub:\n  source: nonsense\npartners: []\n", "utf-8")
    command = [sys.executable, "-m", "faststream", "run", "expathub.intake.app:app"]

    with bench.process("intake", command, EXPATHUB_PARTNERS=str(partners)) as child:
        assert child.wait() == 78
        assert child.logged() == bench.command("intake", EXPATHUB_PARTNERS=str(partners)).err


def test_a_foreign_server_can_run_it_too_and_is_told_what_is_wrong(bench: Bench, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "uvicorn", "expathub.intake.app:app", "--port", "0"]

    with bench.process("uvicorn", command, EXPATHUB_PARTNERS=str(tmp_path / "none.yaml")) as child:
        assert child.wait() != 0
        assert f"{tmp_path / 'none.yaml'}" in child.logged()
    with bench.process("uvicorn", command) as child:
        until(lambda: len(child.events("taken_over")) > 0, "the engine to work", child.is_running)
        child.stop()
        assert len(child.events("service_stopping")) == 1


def test_dispatch_without_its_keys_says_how_to_make_them(bench: Bench, tmp_path: Path) -> None:
    ended = bench.command("dispatch", EXPATHUB_REFERENCE_KEY_FILE=str(tmp_path / "none"))

    assert (ended.code, ended.err.count("\n")) == (78, 1)
    assert "provision apply" in ended.err


def test_a_partner_without_topics_keeps_nobody_else_from_working(bench: Bench, tmp_path: Path, intake: Child) -> None:
    partners = tmp_path / "partners.yaml"
    text = Path("deploy/partners.yaml").read_text("utf-8")
    partners.write_text(
        text.replace("revision: 1\n", "revision: 2\n").replace("- id: heerlen", "- id: heerle"), "utf-8"
    )
    assert intake.stop() == 0
    with bench.service("intake", EXPATHUB_PARTNERS=str(partners)) as child:
        until(
            lambda: child.is_ready() or child.get("/readyz").json()["why"] == "topic-missing", "the lanes to be taken"
        )
        answer = child.get("/readyz")

        assert answer.status == 503
        assert answer.json()["lanes"]["outbox.heerle/0"] == "topic-missing"
        (row,) = bench.command("publish", "--as", "expat-centre", "-", "--wait", "30", given=event()).rows()
        assert row["outcome"] == "accepted"


def test_a_service_waits_for_kafka_and_goes_on_after_it_was_away(tmp_path: Path) -> None:
    kafka = local_broker.start(tmp_path / "kafka")
    try:
        bench = Bench(kafka.bootstrap, tmp_path / "hub")
        assert bench.command("provision", "apply").code == 0
        local_broker.stop(tmp_path / "kafka")
        with bench.service("up") as up:
            until(lambda: len(up.events("kafka_silent")) == 2, "both stages to say that Kafka is away")
            assert up.get("/healthz", service="intake").status == 200
            away = up.get("/readyz", service="intake")
            assert (away.status, away.json()["why"]) == (503, "kafka-silent")

            local_broker.start(tmp_path / "kafka")
            for service in ("intake", "dispatch"):
                up.wait_until_ready(service)
            assert len(up.events("kafka_silent")) == 2
            _passes(bench, event())

            local_broker.stop(tmp_path / "kafka")
            time.sleep(3)
            local_broker.start(tmp_path / "kafka")
            _passes(bench, event())
            assert up.stop() == 0
    finally:
        local_broker.stop(tmp_path / "kafka")


def _passes(bench: Bench, line: str) -> None:
    """Publish an event and wait until it is in the inbox."""
    (row,) = bench.command("publish", "--as", "expat-centre", "-", "--wait", "90", given=line).rows()
    assert row["outcome"] == "accepted"
    wanted = json.loads(line)["id"].encode()
    until(
        lambda: any(wanted in (record.value or b"") for record in asyncio.run(read_all(bench.bootstrap, INBOX))),
        "the event in the inbox",
    )


def test_a_service_stops_while_it_waits_for_kafka(tmp_path: Path) -> None:
    with Bench("127.0.0.1:1", tmp_path).service("intake") as intake:
        until(lambda: len(intake.events("kafka_silent")) == 1, "intake to say that Kafka is away")

        assert intake.stop() == 0
