"""Start, stop and show a local cluster. Asks the pure plan what to do, and has the fitting way do it."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from expathub.kafka.local_broker import folder, machine, messages, plan, processes, ready
from expathub.kafka.local_broker.docker_way import DockerNodes, DockerStarter, find_docker, ready_docker, ready_image
from expathub.kafka.local_broker.errors import NodeFailedError, NoDockerWayError, NoJavaWayError
from expathub.kafka.local_broker.java_way import JavaNodes, ready_java
from expathub.kafka.local_broker.layout import Layout
from expathub.kafka.local_broker.means import Means, read_means
from expathub.kafka.local_broker.node import Cluster, Nodes, Note, Starter, timed
from expathub.kafka.local_broker.plan import Asked, Held, Via, Way

START_SECONDS: Final = 120.0
"""How long a cluster may take to answer; three nodes on two busy cores take ten seconds."""

STOP_SECONDS: Final = 20.0
"""How long nodes may take to end; the last of three waits 5 s for a majority that is gone."""

_PROBE_SECONDS: Final = 5.0


def quiet(_: str) -> None:
    """Tell nobody."""


def start(
    data: Path,
    port: int | None = None,
    nodes: int | None = None,
    via: Via = "auto",
    *,
    fast: bool = True,
    progress: Note = quiet,
    limit_seconds: float = START_SECONDS,
) -> Cluster:
    """Bring up whatever node of the cluster in `data` does not run; return when all of it answers.

    `port` is that of node 1; None: the one that the folder remembers, or any free one. `nodes` is settled when the
    folder is new. `fast` trades throughput for a quick start: not for measuring. Blocks for some seconds, the first
    time longer (it fetches Kafka). Raises `LocalBrokerError` (69) or `OtherClusterError` (2); what it had started
    by then is ended again.
    """
    asked = Asked(data.absolute(), port, nodes, via)
    with machine.plain_faults(asked.data), _alone(asked.data, progress):
        held = folder.held(asked.data)
        running = held is not None and any(node.running for node in _look(held).nodes)
        planned = plan.settle(asked, held, running=running, new=_new)
        if held and planned == held.layout and _complete(held):
            progress(f"Kafka {held.version} already runs.")
            return _look(held)
        way, starter = _choose(held.via if held else asked.via, read_means(), progress, fast=fast)
        return _bring_up(Held(planned, way, starter.version), starter, progress, limit_seconds)


def stop(data: Path, *, progress: Note = quiet, limit_seconds: float = STOP_SECONDS) -> Cluster | None:
    """End the nodes of the cluster in `data` cleanly, by force after the limit; its data stay.

    Returns the cluster as it was, or None where the folder holds none.
    """
    data = data.absolute()
    if folder.held(data) is None:
        return None
    with machine.plain_faults(data), _alone(data, progress):
        held = folder.held(data)
        if held is None:
            return None
        before = _look(held)
        if any(node.running for node in before.nodes):
            with timed("stopped", progress):
                _nodes(held.via, held.layout).end(held.layout.ids, limit_seconds, progress)
        return before


def status(data: Path) -> Cluster | None:
    """Return the cluster in `data` with all of its nodes, running or not; None where the folder holds none."""
    held = folder.held(data.absolute())
    return _look(held) if held else None


def _bring_up(wanted: Held, starter: Starter, note: Note, limit_seconds: float) -> Cluster:
    """Start what is down of a cluster and wait for it; end again what was started if that fails."""
    planned, nodes = wanted.layout, _nodes(wanted.via, wanted.layout)
    down = [node for node in planned.ids if not nodes.node(node).running]
    plan.check_ports(planned, down, machine.port_is_free)
    folder.hold(wanted)
    try:
        starter.start(planned, down, note)
        with timed("all nodes answer", note):
            _wait(planned, nodes, limit_seconds)
    except BaseException:
        nodes.end(down, STOP_SECONDS, note)
        if not any(map(nodes.has_data, planned.ids)):
            folder.release(planned)  # nothing came of it: the next start may ask for another shape
        raise
    return _look(wanted)


def _choose(via: Via, means: Means, note: Note, *, fast: bool) -> tuple[Way, Starter]:
    """Return the way to start nodes that was asked for; without a wish Java, and where that fails Docker."""
    if via == "docker":
        return "docker", ready_docker(note, fast=fast)
    try:
        return "java", ready_java(means, note, fast=fast)
    except NoJavaWayError as fault:
        if via == "java":
            raise
        starter = _docker_instead(note, fast=fast)
        if starter is None:
            raise
        note(f"{fault} Going on with Docker.")
        return "docker", starter


def _docker_instead(note: Note, *, fast: bool) -> Starter | None:
    """Return the Docker way if this machine has it: without an engine, without a word."""
    try:
        docker = find_docker()
    except NoDockerWayError:
        return None
    try:
        ready_image(docker, note)
    except NoDockerWayError as fault:
        note(fault.what)
        return None
    return DockerStarter(docker, fast=fast)


def _nodes(way: Way, planned: Layout) -> Nodes:
    return DockerNodes(planned) if way == "docker" else JavaNodes(planned)


def _look(held: Held) -> Cluster:
    nodes = _nodes(held.via, held.layout)
    found = tuple(map(nodes.node, held.layout.ids))
    return Cluster(held.layout.data, held.layout.bootstrap, held.version, found)


def _complete(held: Held) -> bool:
    """Tell whether a cluster has all its nodes and answers."""
    everyone = all(node.running for node in _look(held).nodes)
    return everyone and ready.knows_all(held.layout.bootstrap, held.layout.nodes, _PROBE_SECONDS)


def _wait(planned: Layout, nodes: Nodes, limit_seconds: float) -> None:
    """Wait until the cluster answers and knows all its brokers; raise as soon as a node has ended."""
    until = time.monotonic() + limit_seconds
    while not ready.knows_all(planned.bootstrap, planned.nodes, _PROBE_SECONDS):
        for node in planned.ids:
            if not nodes.node(node).running:
                raise nodes.failure(node)
        if time.monotonic() > until:
            log, lines = nodes.said(1)
            raise NodeFailedError(*messages.silent(limit_seconds, log, "\n".join(lines)))
        time.sleep(processes.POLL_SECONDS)


def _new(nodes: int) -> tuple[int, str]:
    """Return a free port and an id (22 characters, as Kafka makes them) for a new cluster."""
    return machine.free_port(nodes), base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


@contextmanager
def _alone(data: Path, note: Note) -> Iterator[None]:
    """Let one start or stop at a time work on a data folder."""
    data.mkdir(parents=True, exist_ok=True)
    with folder.one_at_a_time(data / "lock", lambda: note(f"Waiting for another start or stop in {data}.")):
        yield
