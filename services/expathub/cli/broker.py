"""`expathub broker`: a local Apache Kafka for development and tests."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli.output import print_json, print_line, tell

if TYPE_CHECKING:
    from expathub.kafka.local_broker import Cluster
    from expathub.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Start, stop or show a local Apache Kafka for development and tests. It needs nothing but Python.",
)


class Via(StrEnum):
    """How nodes are run."""

    AUTO = "auto"
    JAVA = "java"
    DOCKER = "docker"


Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the broker's data; unset: `kafka` in EXPATHUB_DATA."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=1,
        max=65_500,
        help="Port of node 1, then +1, +2; controllers +10. Unset: the one of the data folder, else 9092.",
    ),
]
Nodes = Annotated[
    int | None,
    typer.Option("--nodes", min=1, max=9, help="Number of nodes: 3 for replication. Unset: as the folder holds, or 1."),
]
Way = Annotated[Via, typer.Option("--via", help="Processes (java), containers (docker), or what this machine has.")]
Fast = Annotated[
    bool,
    typer.Option("--fast/--no-fast", help="Start quickly, at the price of throughput; --no-fast for measuring."),
]


@app.command()
def start(
    port: Port = None,
    nodes: Nodes = None,
    data: Data = None,
    via: Way = Via.AUTO,
    fast: Fast = True,
    json: Json = False,
) -> None:
    """Start whatever node of the local broker does not run; return when Kafka answers.

    With EXPATHUB_BOOTSTRAP set and no --port nothing is started: that Kafka is asked whether it answers.
    """
    from expathub.kafka import local_broker
    from expathub.kafka.local_broker.layout import PORT
    from expathub.settings import load_settings

    settings = load_settings()
    folder = _folder(settings, data)
    if settings.bootstrap_given and port is None:
        _check_given(settings, folder, json)
        return
    known = local_broker.status(folder)
    cluster = local_broker.start(folder, port or (None if known else PORT), nodes, via.value, fast=fast, progress=tell)
    if json:
        print_json(_as_json(cluster))
        return
    print_line(f"Kafka {cluster.version} answers at {cluster.bootstrap}; its data are in {folder}.")
    if cluster.nodes[0].port != PORT:
        print_line(f"For other commands: export EXPATHUB_BOOTSTRAP={cluster.bootstrap}")


@app.command()
def stop(data: Data = None) -> None:
    """Stop the local broker's nodes cleanly; its data stay."""
    from expathub.kafka import local_broker
    from expathub.settings import load_settings

    folder = _folder(load_settings(), data)
    before = local_broker.stop(folder, progress=tell)
    ended = [node for node in before.nodes if node.running] if before else []
    print_line(f"Stopped {len(ended)} of {len(before.nodes)} nodes." if before and ended else _nothing(folder))


@app.command()
def status(data: Data = None, json: Json = False) -> None:
    """Show the local broker and each of its nodes, also those that are down."""
    from expathub.kafka import local_broker
    from expathub.settings import load_settings

    settings = load_settings()
    folder = _folder(settings, data)
    cluster = local_broker.status(folder)
    if cluster is None and settings.bootstrap_given:
        _show_given(settings, json)
    elif json:
        print_json(_as_json(cluster) if cluster else _nobody(settings.bootstrap, running=False))
    elif cluster is None:
        print_line(_nothing(folder))
    else:
        _show(cluster)


def _folder(settings: Settings, data: Path | None) -> Path:
    return data or settings.data / "kafka"


def _nothing(folder: Path) -> str:
    return f"No local broker runs in {folder}."


def _check_given(settings: Settings, folder: Path, json: bool) -> None:
    """See whether the Kafka that a person named answers; nothing is started in its place."""
    from expathub.kafka import local_broker
    from expathub.kafka.local_broker.given import check_given
    from expathub.kafka.local_broker.messages import given_broker_is_ours

    try:
        check_given(settings.bootstrap)
    except local_broker.LocalBrokerError:
        ours = local_broker.status(folder)
        if ours and ours.bootstrap == settings.bootstrap:
            tell(given_broker_is_ours(folder, ours.nodes[0].port))
        raise
    if json:
        print_json(_nobody(settings.bootstrap, running=True))
    else:
        print_line(f"Kafka at {settings.bootstrap} (EXPATHUB_BOOTSTRAP) answers; nothing was started.")


def _show_given(settings: Settings, json: bool) -> None:
    """Tell whether the Kafka that a person named answers."""
    from expathub.kafka.local_broker.given import answers

    running = answers(settings.bootstrap)
    if json:
        print_json(_nobody(settings.bootstrap, running=running))
    else:
        print_line(f"Kafka at {settings.bootstrap} (EXPATHUB_BOOTSTRAP) {'answers' if running else 'is silent'}.")


def _nobody(bootstrap: str, *, running: bool) -> dict[str, Any]:
    """Return the status where no node is ours."""
    return {"running": running, "bootstrap": bootstrap, "version": None, "nodes": []}


def _as_json(cluster: Cluster) -> dict[str, Any]:
    return {
        "running": cluster.running,
        "bootstrap": cluster.bootstrap,
        "version": cluster.version,
        "nodes": [
            {"id": node.id, "port": node.port, "pid": node.pid, "container": node.container} for node in cluster.nodes
        ],
    }


def _show(cluster: Cluster) -> None:
    print_line(f"Kafka {cluster.version} {'runs' if cluster.running else 'is down'}: {cluster.bootstrap}")
    for node in cluster.nodes:
        who = f"process {node.pid}" if node.pid else f"container {node.container}" if node.container else "down"
        print_line(f"  node {node.id}  port {node.port}  {who}")
