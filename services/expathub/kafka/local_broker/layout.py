"""Pure: what a cluster looks like on paper. Ports, addresses, folders, broker settings, Java's arguments.

Leaves out everything that touches the machine, and what only containers need (`container.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
"""A local broker has no passwords, so it must not be reachable from elsewhere."""

PORT: Final = 9092
CONTROLLER_STEP: Final = 10
"""A node's controller listens this far above its own port."""

NODES_MAX: Final = 9
"""One more, and a broker's port would be a controller's."""

SIXTY_DAYS_MINUTES: Final = 60 * 24 * 60


@dataclass(frozen=True, slots=True)
class Layout:
    """A cluster as planned: `nodes` brokers, each its own controller, on ports that count up from `port`."""

    data: Path
    port: int
    nodes: int
    cluster_id: str

    @property
    def ids(self) -> range:
        """Node ids, from 1."""
        return range(1, self.nodes + 1)

    @property
    def bootstrap(self) -> str:
        """All brokers, as Kafka clients take them: `127.0.0.1:9092,127.0.0.1:9093`."""
        return ",".join(f"{HOST}:{self.port_of(node)}" for node in self.ids)

    @property
    def voters(self) -> str:
        """Kafka's `controller.quorum.voters`."""
        return ",".join(f"{node}@{HOST}:{self.controller_port_of(node)}" for node in self.ids)

    def port_of(self, node: int) -> int:
        """Return the port of a node's broker."""
        return self.port + node - 1

    def controller_port_of(self, node: int) -> int:
        """Return the port of a node's controller."""
        return self.port_of(node) + CONTROLLER_STEP

    def ports_of(self, node: int) -> dict[int, str]:
        """Return every port of a node, each with what a message calls it."""
        return {self.port_of(node): "", self.controller_port_of(node): f" (the controller of node {node})"}

    def folder(self, node: int) -> Path:
        """Return the folder that holds everything of one node."""
        return self.data / f"node-{node}"

    def log(self, node: int) -> Path:
        """Return the file that a node's output goes to."""
        return self.folder(node) / "broker.log"

    def settings(self, node: int) -> Path:
        """Return a node's `server.properties`."""
        return self.folder(node) / "server.properties"


def hub_settings(nodes: int) -> dict[str, str]:
    """Return the broker settings that the hub relies on (design §4), the same for processes and containers."""
    replicas = min(nodes, 3)
    in_sync = max(1, replicas - 1)
    return {
        "auto.create.topics.enable": "false",
        "offsets.retention.minutes": str(SIXTY_DAYS_MINUTES),
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        "default.replication.factor": str(replicas),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": str(in_sync),
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker comes back only when its old registration has expired: after 9 s by default.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "300",
    }


FAST_SETTINGS: Final[Mapping[str, str]] = {
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # 128 MiB of heap by default
}


def server_settings(layout: Layout, node: int, *, fast: bool) -> dict[str, str]:
    """Return all of one node's settings, as a process on this machine."""
    broker = f"PLAINTEXT://{HOST}:{layout.port_of(node)}"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": layout.voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{broker},CONTROLLER://{HOST}:{layout.controller_port_of(node)}",
        "advertised.listeners": broker,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(layout.folder(node) / "data"),
        **hub_settings(layout.nodes),
        **(FAST_SETTINGS if fast else {}),
    }


def properties(settings: Mapping[str, str]) -> str:
    """Return settings in the form of a Java properties file, in ASCII."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def _escaped(value: str) -> str:
    """Escape what Java would read differently: the backslash, and all that is not ASCII (it reads Latin-1)."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 0x7F else f"\\u{code:04x}" for code in codes)  # noqa: PLR2004 (ASCII)


HEAP_MB: Final = 512
HEAP_MB_OF_MANY: Final = 384

FAST_FLAGS: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For short runs: start sooner, take less memory, at the price of throughput. Not for measuring."""


def heap_flag(nodes: int) -> str:
    """Return how much memory a broker of a cluster of `nodes` may take."""
    return f"-Xmx{HEAP_MB if nodes == 1 else HEAP_MB_OF_MANY}m"


def java_flags(layout: Layout, node: int, *, fast: bool) -> tuple[str, ...]:
    """Return the flags of a node's Java: its memory, what it logs, where it leaves a crash report."""
    return (
        heap_flag(layout.nodes),
        *(FAST_FLAGS if fast else ()),
        f"-XX:ErrorFile={layout.folder(node) / 'java-crash.log'}",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "-Dorg.apache.logging.log4j.level=WARN",  # a KAFKA_HOME logs with log4j
    )


def format_arguments(layout: Layout, node: int) -> tuple[str, ...]:
    """Return the arguments that prepare a node's data folder.

    One word with `=`: one random id in 64 begins with `-`, which as a word of its own reads as an option.
    """
    id_flag = f"--cluster-id={layout.cluster_id}"
    return "kafka.tools.StorageTool", "format", id_flag, "--config", str(layout.settings(node))


def broker_arguments(layout: Layout, node: int) -> tuple[str, ...]:
    """Return the arguments that run a node."""
    return "kafka.Kafka", str(layout.settings(node))
