"""`expathub provision` on a real cluster."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from expathub.kafka import local_broker, waiting
from expathub.testing.processes import Bench


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A cluster on which `apply` has run once."""
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))
    planned = json.loads(bench.command("provision", "apply", "--json").out)
    assert len(planned["actions"]) == 5 + 3 * 23
    return bench


async def set_retention(admin: AIOKafkaAdminClient, topic: str, retention_ms: str) -> None:
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": retention_ms})])


async def change(bench: Bench, topic: str, retention_ms: str) -> None:
    async with waiting.admin_client(bench.bootstrap) as admin:
        await set_retention(admin, topic, retention_ms)


def test_a_second_apply_changes_nothing_and_is_no_error(bench: Bench) -> None:
    again = bench.command("provision", "apply", "--json")

    assert again.code == 0
    assert json.loads(again.out) == {"actions": [], "unmended": [], "left_alone": [], "reference_key": False}


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(bench: Bench) -> None:
    key = bench.data / "reference.key"
    before = key.read_bytes()
    bench.command("provision", "apply")

    assert key.read_bytes() == before
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_plan_says_what_apply_would_do_and_does_nothing(bench: Bench, tmp_path: Path) -> None:
    partners = tmp_path / "partners.yaml"
    partners.write_text(
        Path("deploy/partners.yaml").read_text("utf-8").replace("- id: beek\n", "- id: echt-susteren\n"), "utf-8"
    )
    for command in (["provision"], ["provision", "plan"]):
        said = bench.command(*command, EXPATHUB_PARTNERS=str(partners))
        assert said.code == 0
        assert "create outbox.echt-susteren (1 partitions, 1 copies)" in said.out
        assert "left alone outbox.beek: not in the configuration" in said.out

    assert bench.command("provision", "drift").code == 0


def test_drift_is_found_named_and_mended(bench: Bench) -> None:
    asyncio.run(change(bench, "inbox.ind", "60000"))

    drift = bench.command("provision", "drift")
    verified = bench.command("provision", "verify")
    assert (drift.code, verified.code) == (1, 1)
    assert "change inbox.ind: " in drift.out
    assert "retention.ms 60000 → 1814400000" in drift.out

    assert bench.command("provision", "apply").code == 0
    assert bench.command("provision", "drift").code == 0
    assert bench.command("provision", "verify").code == 0


def test_another_partition_count_is_never_changed_silently(bench: Bench) -> None:
    async def make_anew() -> None:
        async with waiting.admin_client(bench.bootstrap) as admin:
            await admin.delete_topics(["inbox.gip"])
            while "inbox.gip" in await admin.list_topics():  # noqa: ASYNC110 (only asking again tells)
                await asyncio.sleep(0.05)
            await admin.create_topics([NewTopic("inbox.gip", 2, 1)])

    async def partitions() -> int:
        async with waiting.admin_client(bench.bootstrap) as admin:
            return len((await admin.describe_topics(["inbox.gip"]))[0]["partitions"])

    asyncio.run(make_anew())
    applied = bench.command("provision", "apply")

    assert applied.code == 1
    assert "cannot mend inbox.gip: has 2 partitions, the hub counts on 3" in applied.out
    assert asyncio.run(partitions()) == 2


def test_verify_proves_the_order_of_times_as_it_is_in_the_cluster(bench: Bench) -> None:
    asyncio.run(change(bench, "hub.seen.ind", str(59 * 86_400_000)))

    verified = json.loads(bench.command("provision", "verify", "--json").out)

    assert (
        "the retention of group offsets (60 d) must be shorter than the retention of hub.seen.* (59 d)"
        in (verified["faults"])
    )


def test_help_says_that_credentials_come_later(bench: Bench) -> None:
    assert "Credentials and access rules come later" in " ".join(bench.command("provision", "--help").out.split())


def test_three_brokers_get_three_copies_and_one_that_is_down_changes_nothing(tmp_path: Path) -> None:
    kafka = local_broker.start(tmp_path / "kafka", nodes=3)
    try:
        bench = Bench(kafka.bootstrap, tmp_path / "hub")
        made = json.loads(bench.command("provision", "apply", "--json").out)["actions"]
        assert {action["copies"] for action in made} == {3}
        assert {action["settings"]["min.insync.replicas"] for action in made} == {"2"}
        assert bench.command("provision", "verify").code == 0

        _kill(kafka.nodes[2].pid)
        drift = bench.command("provision", "drift")
        assert (drift.code, drift.err) == (0, "")
    finally:
        local_broker.stop(tmp_path / "kafka")


def _kill(pid: int | None) -> None:

    assert pid
    os.kill(pid, signal.SIGKILL)
