"""What the data folder remembers: the cluster it holds, who runs each node; and one start or stop at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from expathub.kafka.local_broker import messages
from expathub.kafka.local_broker.errors import LocalBrokerError
from expathub.kafka.local_broker.layout import Layout
from expathub.kafka.local_broker.plan import Held
from expathub.kafka.local_broker.processes import Process

CLUSTER: Final = "cluster.json"
PROCESS: Final = "process.json"


def held(data: Path) -> Held | None:
    """Return the cluster that a folder holds, or None where it holds none."""
    found = _read(data / CLUSTER)
    if found is None:
        return None
    try:
        layout = Layout(data, int(found["port"]), int(found["nodes"]), str(found["cluster_id"]))
        return Held(layout, found["via"], str(found["version"]))
    except (KeyError, TypeError, ValueError) as error:
        raise LocalBrokerError(*messages.folder_of_others(data, CLUSTER)) from error


def hold(held: Held) -> None:
    """Remember a cluster."""
    layout = held.layout
    _write(
        layout.data / CLUSTER,
        {
            "via": held.via,
            "version": held.version,
            "port": layout.port,
            "nodes": layout.nodes,
            "cluster_id": layout.cluster_id,
        },
    )


def release(layout: Layout) -> None:
    """Hold no cluster any more."""
    (layout.data / CLUSTER).unlink(missing_ok=True)


def process(layout: Layout, node: int) -> Process | None:
    """Return the process that was last started as a node; it may have ended."""
    found = _read(layout.folder(node) / PROCESS)
    return Process(found["pid"], found["started"]) if found else None


def remember(layout: Layout, node: int, process: Process) -> None:
    """Remember the process of a node."""
    _write(layout.folder(node) / PROCESS, {"pid": process.pid, "started": process.started})


def forget(layout: Layout, node: int) -> None:
    """Forget the process of a node, which has ended."""
    (layout.folder(node) / PROCESS).unlink(missing_ok=True)


@contextmanager
def one_at_a_time(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file; `waiting` is called once where another process holds it. However we end, it is given back."""
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a log that are not empty; none where there is no log."""
    with contextlib.suppress(FileNotFoundError):
        return [line for line in path.read_text("utf-8", errors="replace").splitlines() if line.strip()][-count:]
    return []


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LocalBrokerError(*messages.folder_of_others(path.parent, path.name)) from error
    return found


def _write(path: Path, value: dict[str, Any]) -> None:
    """Write whole or not at all, so that a reader never sees half a file."""
    new = path.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(value) + "\n", "utf-8")
    new.replace(path)
