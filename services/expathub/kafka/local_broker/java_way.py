"""Nodes as processes of this machine, run by Java."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from expathub.kafka.local_broker import folder, layout, machine, plan, processes
from expathub.kafka.local_broker.errors import LocalBrokerError
from expathub.kafka.local_broker.jars import Jars, ready_jars
from expathub.kafka.local_broker.java import find_java
from expathub.kafka.local_broker.layout import Layout
from expathub.kafka.local_broker.means import Means
from expathub.kafka.local_broker.node import Node, Note, timed
from expathub.kafka.local_broker.processes import Process

_FORMAT_SECONDS: Final = 120.0
_HANG_SECONDS: Final = 5.0


class JavaNodes:
    """The processes of a cluster: who runs, ending them, what they said."""

    def __init__(self, planned: Layout) -> None:
        self._layout = planned

    def node(self, node: int) -> Node:
        """Tell who runs as a node."""
        process = self._process(node)
        return Node(node, self._layout.port_of(node), process.pid if process else None, None)

    def has_data(self, node: int) -> bool:
        """Tell whether a node's data folder was prepared."""
        return _formatted(self._layout, node)

    def end(self, nodes: Iterable[int], limit_seconds: float, note: Note) -> None:
        """End nodes: cleanly, and after the limit by force."""
        found = {node: process for node in nodes if (process := self._process(node))}
        processes.end(found.values(), limit_seconds, note)
        for node in found:
            folder.forget(self._layout, node)

    def failure(self, node: int) -> LocalBrokerError:
        """Say why a node that was being started no longer runs."""
        log = self._layout.log(node)
        lines = folder.last_lines(log, 200)
        return plan.diagnose(self._layout, node, lines, machine.free_mb(log.parent), str(log))

    def said(self, node: int) -> tuple[str, list[str]]:
        """Return where a node's log is, and its last lines."""
        return str(self._layout.log(node)), folder.last_lines(self._layout.log(node), plan.TAIL_LINES)

    def _process(self, node: int) -> Process | None:
        process = folder.process(self._layout, node)
        return process if process and processes.alive(process) else None


class JavaStarter:
    """Starts nodes with a Java and with jars that are there."""

    def __init__(self, java: Path, jars: Jars, *, fast: bool) -> None:
        self._java = str(java)
        self._class_path = jars.class_path
        self._fast = fast
        self.version = jars.version

    def start(self, planned: Layout, down: list[int], note: Note) -> None:
        """Write each node's settings, prepare data folders that are new, start the nodes."""
        for node in down:
            machine.make_room(planned.folder(node))
            settings = layout.server_settings(planned, node, fast=self._fast)
            planned.settings(node).write_text(layout.properties(settings), "ascii")
        if fresh := [node for node in down if not _formatted(planned, node)]:
            with timed("format", note):
                self._format(planned, fresh, note)
        for node in down:
            self._run(planned, node, note)

    def _run(self, planned: Layout, node: int, note: Note) -> None:
        """Start a node; one that cannot be remembered (a full disk) must not run."""
        _turn(planned.log(node))
        process = self._spawn(planned, node, layout.broker_arguments(planned, node), planned.log(node))
        try:
            folder.remember(planned, node, process)
        except BaseException:
            processes.end([process], _HANG_SECONDS, note)
            raise

    def _format(self, planned: Layout, nodes: list[int], note: Note) -> None:
        """Prepare the data folders of nodes, all at once."""
        logs = {node: planned.folder(node) / "format.log" for node in nodes}
        for log in logs.values():
            log.unlink(missing_ok=True)
        running = [self._spawn(planned, node, layout.format_arguments(planned, node), logs[node]) for node in nodes]
        try:
            _wait_for(lambda: not any(map(processes.alive, running)), _FORMAT_SECONDS)
        finally:
            processes.end(running, _HANG_SECONDS, note)
        for node in nodes:
            if not _formatted(planned, node):
                lines = folder.last_lines(logs[node], 200)
                raise plan.diagnose(planned, node, lines, machine.free_mb(planned.folder(node)), str(logs[node]))

    def _spawn(self, planned: Layout, node: int, arguments: tuple[str, ...], output: Path) -> Process:
        flags = layout.java_flags(planned, node, fast=self._fast)
        return processes.spawn([self._java, "-cp", self._class_path, *flags, *arguments], output)


def ready_java(means: Means, note: Note, *, fast: bool) -> JavaStarter:
    """Find Java and the jars; raises `NoJavaWayError` where one of them is not to be had."""
    java, passed_over = find_java(means)
    if passed_over:
        note(passed_over)
    with timed(f"Java {java.major} ({java.origin}), Kafka's jars", note):
        jars = ready_jars(means, note)
    return JavaStarter(java.program, jars, fast=fast)


def _formatted(planned: Layout, node: int) -> bool:
    """Tell whether a data folder was prepared: Kafka's tool writes this file last."""
    return (planned.folder(node) / "data" / "meta.properties").exists()


def _turn(log: Path) -> None:
    """Keep the last run's log beside the new one, so that logs do not grow for ever."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))


def _wait_for(done: Callable[[], bool], limit_seconds: float) -> None:
    until = time.monotonic() + limit_seconds
    while not done() and time.monotonic() < until:
        time.sleep(processes.POLL_SECONDS)
