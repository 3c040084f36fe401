"""The Docker way on a real engine, with Apache's image or the stand-in of `tests/docker/stand_in.py`."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from expathub.kafka import local_broker
from expathub.kafka.local_broker import container, docker_way, machine
from expathub.kafka.local_broker.errors import NoDockerWayError

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def docker() -> docker_way.Docker:
    """Give the docker command; skip where no engine answers or it has no image, and say which."""
    try:
        found = docker_way.find_docker()
        docker_way.ready_image(found, lambda _: None)
    except NoDockerWayError as missing:
        pytest.skip(missing.what)
    return found


@pytest.fixture
def data(tmp_path: Path, docker: docker_way.Docker) -> Iterator[Path]:
    """Give a data folder; leave no container, network or volume of it behind."""
    yield tmp_path / "kafka"
    local_broker.stop(tmp_path / "kafka")
    left = docker.ask(["volume", "ls", "--quiet", f"--filter=label={container.LABEL}={tmp_path / 'kafka'}"]).split()
    if left:
        docker.ask(["volume", "rm", *left])


async def make_topic(bootstrap: str, topic: str, copies: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, copies)])
    finally:
        await admin.close()


async def transact(bootstrap: str, topic: str) -> list[bytes | None]:
    """Commit a record, abort one, commit another; return what a reader of committed records sees."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
        for value in (b"first", b"never", b"last"):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value, partition=0)
            await (producer.abort_transaction() if value == b"never" else producer.commit_transaction())
    return await read(bootstrap, topic)


async def read(bootstrap: str, topic: str) -> list[bytes | None]:
    """Read two committed records."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        return [(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(2)]
    finally:
        await consumer.stop()


def test_a_container_lives_dies_and_comes_back_with_its_data(data: Path, docker: docker_way.Docker) -> None:
    started = local_broker.start(data, port=machine.free_port(1), via="docker")

    (node,) = started.nodes
    assert node.pid is None
    assert node.container is not None
    published = docker.ask(["port", node.container]).split()[-1]
    assert published == started.bootstrap
    assert published.startswith("127.0.0.1:")
    asyncio.run(make_topic(started.bootstrap, "kept", copies=1))
    assert asyncio.run(transact(started.bootstrap, "kept")) == [b"first", b"last"]

    docker.ask(["kill", node.container])
    until = time.monotonic() + 20
    while (status := local_broker.status(data)) and status.running:
        assert time.monotonic() < until
    assert status is not None
    assert [one.container for one in status.nodes] == [None]

    back = local_broker.start(data)
    assert back == started
    assert asyncio.run(read(back.bootstrap, "kept")) == [b"first", b"last"]

    local_broker.stop(data)
    ours = f"--filter=label={container.LABEL}={data}"
    assert docker.ask(["ps", "--all", "--quiet", ours]) == ""
    assert docker.ask(["network", "ls", "--quiet", ours]) == ""
    assert docker.ask(["volume", "ls", "--quiet", ours]) != ""
    assert (data / "node-1" / "broker.log").read_text()


def test_three_containers_are_a_cluster(data: Path, docker: docker_way.Docker) -> None:
    cluster = local_broker.start(data, nodes=3, via="docker")
    assert [node.id for node in cluster.nodes if node.running] == [1, 2, 3]

    asyncio.run(make_topic(cluster.bootstrap, "copied", copies=3))
    docker.ask(["kill", cluster.nodes[2].container or ""])

    assert asyncio.run(transact(cluster.bootstrap, "copied")) == [b"first", b"last"]


def test_a_container_that_dies_while_starting_says_why(
    data: Path, docker: docker_way.Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "java_variables", lambda *_, **__: {"KAFKA_HEAP_OPTS": "-XX:+NoSuchFlag"})

    with pytest.raises(local_broker.LocalBrokerError, match=r"Node 1 ended while starting\. The log: ") as died:
        local_broker.start(data, via="docker")

    assert "NoSuchFlag" in str(died.value)
    assert docker.ask(["ps", "--all", "--quiet", f"--filter=label={container.LABEL}={data}"]) == ""


@pytest.mark.usefixtures("docker")
def test_testcontainers_starts_a_broker_with_the_hubs_settings() -> None:
    from expathub.testing.containers import KafkaContainer  # noqa: PLC0415 (needs testcontainers and its engine)

    with KafkaContainer() as kafka:
        name = kafka.get_wrapped_container().name
        asyncio.run(make_topic(kafka.bootstrap, "tried", copies=1))
        assert asyncio.run(transact(kafka.bootstrap, "tried")) == [b"first", b"last"]

    left = subprocess.run(
        ["docker", "ps", "--all", "--quiet", f"--filter=name={name}"], capture_output=True, check=True
    )
    assert left.stdout == b""
