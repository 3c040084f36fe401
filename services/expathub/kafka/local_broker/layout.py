"""Pure: what a cluster looks like on paper. Ports, addresses, folders, `server.properties`, Java's arguments.

Leaves out everything that touches the machine: `processes.py`, `files.py`, `jars.py` do that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"  # a development broker has no passwords: it must not be reachable from elsewhere
PORT: Final = 9092
CONTROLLER_STEP: Final = 10
"""A node's controller listens this far above its own port."""
NODES_MAX: Final = 9  # one more, and a broker's port would be a controller's

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
    def ports(self) -> tuple[int, ...]:
        """Every port that the cluster listens on, brokers first."""
        return tuple(map(self.port_of, self.ids)) + tuple(map(self.controller_port_of, self.ids))

    @property
    def voters(self) -> str:
        """Kafka's `controller.quorum.voters`."""
        return ",".join(f"{node}@{HOST}:{self.controller_port_of(node)}" for node in self.ids)

    def port_of(self, node: int) -> int:
        """Return the port of a broker."""
        return self.port + node - 1

    def controller_port_of(self, node: int) -> int:
        """Return the port of a node's controller."""
        return self.port_of(node) + CONTROLLER_STEP

    def folder(self, node: int) -> Path:
        """Return the folder that holds everything of one node."""
        return self.data / f"node-{node}"

    def log(self, node: int) -> Path:
        """Return the file that a node's output goes to."""
        return self.folder(node) / "broker.log"


def hub_settings(nodes: int) -> dict[str, str]:
    """Return the broker settings that the hub relies on (design §4), for a cluster of `nodes`.

    The same however the broker is run: as a process, or in a container.
    """
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
        # A killed broker may come back only when its old registration has expired: 9 s by default.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "300",
    }


def server_settings(layout: Layout, node: int, *, fast: bool) -> dict[str, str]:
    """Return all of one node's `server.properties`."""
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": layout.voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{layout.port_of(node)},"
        f"CONTROLLER://{HOST}:{layout.controller_port_of(node)}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{layout.port_of(node)}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(layout.folder(node) / "data"),
        **hub_settings(layout.nodes),
        **(FAST_SETTINGS if fast else {}),
    }


FAST_SETTINGS: Final[Mapping[str, str]] = {
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # 128 MiB of heap by default
}


def properties(settings: Mapping[str, str]) -> str:
    """Return settings in the form of a Java properties file."""
    return "".join(f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in settings.items())


HEAP_MB: Final = 512
HEAP_MB_OF_MANY: Final = 384

FAST_FLAGS: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""Short runs: start sooner and take less memory, at the price of throughput. Not for measuring."""


def java_flags(nodes: int, folder: Path, *, fast: bool) -> tuple[str, ...]:
    """Return the flags of a broker's Java: its memory, what it logs, where it leaves a crash report."""
    heap = HEAP_MB if nodes == 1 else HEAP_MB_OF_MANY
    return (
        f"-Xmx{heap}m",
        *(FAST_FLAGS if fast else ()),
        f"-XX:ErrorFile={folder / 'java-crash.log'}",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "-Dorg.apache.logging.log4j.level=WARN",  # of a KAFKA_HOME, which brings log4j
    )


def format_arguments(cluster_id: str, settings: Path) -> tuple[str, ...]:
    """Return the arguments that prepare a data folder.

    One word with `=`: one random id in 64 begins with `-`, and as a word of its own it reads as an option.
    """
    return ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "--config", str(settings))
