"""What a caller sees of a local cluster, and what both ways of running one have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from expathub.kafka.local_broker.errors import LocalBrokerError
from expathub.kafka.local_broker.layout import Layout

Note = Callable[[str], None]
"""Takes one line of progress for a person."""


@dataclass(frozen=True, slots=True)
class Node:
    """One broker of a cluster; `pid` or `container` says who runs it, neither: it is down."""

    id: int
    port: int
    pid: int | None
    container: str | None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.pid is not None or self.container is not None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A local cluster: its address for clients, the version of Kafka, its nodes, also those that are down."""

    data: Path
    bootstrap: str
    version: str
    nodes: tuple[Node, ...]

    @property
    def running(self) -> bool:
        """Whether most of the nodes run: with fewer a cluster answers nobody."""
        return 2 * sum(node.running for node in self.nodes) > len(self.nodes)


class Nodes(Protocol):
    """The nodes of a cluster, however they are run."""

    def node(self, node: int) -> Node:
        """Tell who runs as a node."""
        ...

    def has_data(self, node: int) -> bool:
        """Tell whether a node has data to keep."""
        ...

    def end(self, nodes: Iterable[int], limit_seconds: float, note: Note) -> None:
        """End nodes: cleanly, and after the limit by force."""
        ...

    def failure(self, node: int) -> LocalBrokerError:
        """Say why a node that was being started no longer runs."""
        ...

    def said(self, node: int) -> tuple[str, list[str]]:
        """Return where a node's log is, and its last lines."""
        ...


class Starter(Protocol):
    """A way of starting nodes that has all it needs."""

    version: str

    def start(self, planned: Layout, down: list[int], note: Note) -> None:
        """Start nodes that do not run; it returns before they answer."""
        ...


@contextmanager
def timed(phase: str, note: Note) -> Iterator[None]:
    """Tell a phase, and how long it took, once it is done."""
    began = time.monotonic()
    yield
    note(f"{phase}: {time.monotonic() - began:.1f} s")
