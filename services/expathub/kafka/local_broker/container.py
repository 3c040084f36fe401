"""Pure: a node as a container of Apache's own image: its names, its settings as variables, the arguments of Docker.

The image ignores its default file as soon as one `KAFKA_…` variable is set, so all of them are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from expathub.kafka.local_broker import layout, pins
from expathub.kafka.local_broker.layout import HOST, Layout

CLIENTS, BROKERS, CONTROLLERS = 9092, 9192, 9093
"""Ports inside a container: for clients, among brokers, among controllers. Only the first leaves it."""

DATA: Final = "/var/lib/kafka/data"
LABEL: Final = "nl.expathub.data"
"""Label of everything that Docker keeps for a cluster; its value is the data folder."""

ADVERTISED: Final = "KAFKA_ADVERTISED_LISTENERS"


def name(planned: Layout, node: int) -> str:
    """Return the name of a node's container, which is also that of its volume."""
    return f"{network(planned)}-{node}"


def network(planned: Layout) -> str:
    """Return the name of the network in which the nodes of a cluster know each other."""
    return f"expathub-{planned.cluster_id}"


def alias(node: int) -> str:
    """Return a node's host name in the cluster's network."""
    return f"node-{node}"


def settings(nodes: int, node: int) -> dict[str, str]:
    """Return a node's broker settings, but for what it advertises: that depends on the port outside."""
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": ",".join(f"{one}@{alias(one)}:{CONTROLLERS}" for one in range(1, nodes + 1)),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://:{CLIENTS},BROKER://:{BROKERS},CONTROLLER://:{CONTROLLERS}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "log.dirs": DATA,
        **layout.hub_settings(nodes),
    }


def advertised(node: int, host: str, port: int) -> str:
    """Return what a node tells clients and the other brokers of its address."""
    return f"PLAINTEXT://{host}:{port},BROKER://{alias(node)}:{BROKERS}"


def variables(of_broker: Mapping[str, str]) -> dict[str, str]:
    """Return broker settings as the image's variables: `node.id` is `KAFKA_NODE_ID`."""
    return {f"KAFKA_{key.upper().replace('.', '_')}": value for key, value in of_broker.items()}


def java_variables(nodes: int, *, fast: bool) -> dict[str, str]:
    """Return how the image's start script is told about Java's memory and flags."""
    flags = {"KAFKA_JVM_PERFORMANCE_OPTS": " ".join(layout.FAST_FLAGS)} if fast else {}
    return {"KAFKA_HEAP_OPTS": layout.heap_flag(nodes), "KAFKA_LOG4J_ROOT_LOGLEVEL": "WARN", **flags}


def run_arguments(planned: Layout, node: int, *, fast: bool) -> list[str]:
    """Return the arguments of `docker run` for a node: in the background, reachable from this machine alone."""
    port = planned.port_of(node)
    environment = {
        "CLUSTER_ID": planned.cluster_id,
        ADVERTISED: advertised(node, HOST, port),
        **variables(settings(planned.nodes, node) | (dict(layout.FAST_SETTINGS) if fast else {})),
        **java_variables(planned.nodes, fast=fast),
    }
    return [
        "run",
        "--detach",
        f"--name={name(planned, node)}",
        f"--label={LABEL}={planned.data}",
        f"--network={network(planned)}",
        f"--network-alias={alias(node)}",
        f"--publish={HOST}:{port}:{CLIENTS}",
        f"--volume={name(planned, node)}:{DATA}",
        *(f"--env={key}={value}" for key, value in environment.items()),
        pins.IMAGE,
    ]
