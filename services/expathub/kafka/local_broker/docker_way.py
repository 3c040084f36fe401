"""Nodes as containers, by the `docker` command: it knows contexts, DOCKER_HOST and credentials, and needs no package.

A node's data live in a volume, which stays when the container goes. Containers are not restarted by themselves.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from expathub.kafka.local_broker import container, machine, messages, pins, plan
from expathub.kafka.local_broker.errors import LocalBrokerError, NoDockerWayError
from expathub.kafka.local_broker.layout import Layout
from expathub.kafka.local_broker.node import Node, Note, timed

_PING_SECONDS: Final = 3.0
_PULL_SECONDS: Final = 300.0
_ASK_SECONDS: Final = 60.0


class DockerError(LocalBrokerError):
    """The docker command failed; `what` is its own last line."""


@dataclass(frozen=True, slots=True)
class Docker:
    """The docker command of this machine."""

    program: str

    def ask(self, arguments: Sequence[str], limit_seconds: float = _ASK_SECONDS) -> str:
        """Run it; return what it prints on either stream. Raises `DockerError`."""
        try:
            said = subprocess.run(  # noqa: S603 (no shell; arguments are ours)
                [self.program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DockerError(f"no answer in {limit_seconds:.0f} s") from None
        except OSError as error:
            raise DockerError(f"{self.program}: {error.strerror}") from error
        if said.returncode:
            raise DockerError(_reason(said.stdout))
        return said.stdout


def _reason(output: str) -> str:
    """Return the line of Docker's output that says why, without its usual head."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("See 'docker")]
    reason = (lines or ["it says nothing"])[-1].removeprefix("docker: ")
    reason = reason.removeprefix("Error response from daemon: ").rstrip(".")
    return f"{reason}: are you in group docker?" if "permission denied" in reason else reason


def find_docker() -> Docker:
    """Return the docker command if an engine answers it; raises `NoDockerWayError`."""
    host = os.environ.get("DOCKER_HOST", "DOCKER_HOST")
    program = shutil.which("docker")
    if program is None:
        raise NoDockerWayError(*messages.no_engine(host, "there is no docker command on PATH"))
    docker = Docker(program)
    try:
        docker.ask(["version", "--format={{.Server.Version}}"], _PING_SECONDS)
    except DockerError as error:
        raise NoDockerWayError(*messages.no_engine(host, error.what)) from error
    return docker


def ready_image(docker: Docker, note: Note) -> None:
    """See that the image is here, pulling it where it is not; raises `NoDockerWayError`."""
    with contextlib.suppress(DockerError):
        docker.ask(["image", "inspect", pins.IMAGE])
        return
    note(f"image: pulling {pins.IMAGE}, needed once")
    try:
        docker.ask(["pull", "--quiet", pins.IMAGE], _PULL_SECONDS)
    except DockerError as error:
        raise NoDockerWayError(*messages.no_image(error.what)) from error


class DockerNodes:
    """The containers of a cluster: who runs, ending them, what they said."""

    def __init__(self, planned: Layout) -> None:
        self._layout = planned
        self._docker = Docker(shutil.which("docker") or "docker")

    def node(self, node: int) -> Node:
        """Tell whether a node's container runs."""
        name = container.name(self._layout, node)
        runs = self._try(["container", "inspect", "--format={{.State.Running}}", name]).strip() == "true"
        return Node(node, self._layout.port_of(node), None, name if runs else None)

    def has_data(self, node: int) -> bool:
        """Tell whether a node has a volume."""
        return bool(self._try(["volume", "inspect", container.name(self._layout, node)]))

    def end(self, nodes: Iterable[int], limit_seconds: float, note: Note) -> None:
        """End nodes, keep their logs, remove the containers; the network goes with the last of them."""
        ending = list(nodes)
        names = [container.name(self._layout, node) for node in ending]
        note(f"stopping {', '.join(names)}")
        self._try(["stop", f"--time={limit_seconds:.0f}", *names], limit_seconds * 2)
        for node in ending:
            self._layout.log(node).write_text("\n".join(self._lines(node, "all")), "utf-8")
        self._try(["rm", "--force", "--volumes", *names])  # of the volumes only those without a name
        self._try(["network", "rm", container.network(self._layout)])

    def failure(self, node: int) -> LocalBrokerError:
        """Say why a node that was being started no longer runs."""
        free = machine.free_mb(self._layout.data)
        return plan.diagnose(self._layout, node, self._lines(node, "200"), free, str(self._layout.log(node)))

    def said(self, node: int) -> tuple[str, list[str]]:
        """Return where a node's log will be, and its last lines."""
        return str(self._layout.log(node)), self._lines(node, str(plan.TAIL_LINES))

    def _lines(self, node: int, count: str) -> list[str]:
        return self._try(["logs", f"--tail={count}", container.name(self._layout, node)]).splitlines()

    def _try(self, arguments: Sequence[str], limit_seconds: float = _ASK_SECONDS) -> str:
        """Ask; nothing where Docker refuses: the container, the volume or the engine is not there."""
        try:
            return self._docker.ask(arguments, limit_seconds)
        except DockerError:
            return ""


class DockerStarter:
    """Starts nodes with an engine and an image that are there."""

    version = pins.KAFKA

    def __init__(self, docker: Docker, *, fast: bool) -> None:
        self._docker = docker
        self._fast = fast

    def start(self, planned: Layout, down: list[int], note: Note) -> None:
        """Make what the cluster needs of Docker, then a container for each node that is down."""
        label = f"--label={container.LABEL}={planned.data}"
        with contextlib.suppress(DockerError):  # it is there when another node runs
            self._docker.ask(["network", "create", label, container.network(planned)])
        with timed("containers", note):
            for node in down:
                self._run(planned, node, label)

    def _run(self, planned: Layout, node: int, label: str) -> None:
        """Start a node's container, with the volume that it had before."""
        machine.make_room(planned.folder(node))
        name = container.name(planned, node)
        try:
            self._docker.ask(["volume", "create", label, name])
            self._docker.ask(["rm", "--force", "--volumes", name])
            self._docker.ask(container.run_arguments(planned, node, fast=self._fast))
        except DockerError as error:
            raise LocalBrokerError(*messages.docker_refuses(node, error.what)) from error


def ready_docker(note: Note, *, fast: bool) -> DockerStarter:
    """Find an engine and the image; raises `NoDockerWayError` where one of them is not to be had."""
    docker = find_docker()
    ready_image(docker, note)
    return DockerStarter(docker, fast=fast)
