"""Questions to this machine that are neither about processes nor about Kafka: ports, room on disk."""

from __future__ import annotations

import errno
import random
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expathub.kafka.local_broker import messages, plan
from expathub.kafka.local_broker.errors import DiskFullError, LocalBrokerError
from expathub.kafka.local_broker.layout import HOST, Layout

# Below the range from which systems give ports to outgoing connections, so that none is taken between look and use.
_FREE_PORTS = range(20_000, 32_000, 20)


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: a connection that closed a moment ago is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    with socket.socket() as probe:  # where a wildcard listener does not hinder a bind (BSD), it answers
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) != 0


def free_port(nodes: int) -> int:
    """Return a port at which a cluster of `nodes` finds all of its ports free."""
    for port in random.sample(_FREE_PORTS, len(_FREE_PORTS)):
        if plan.all_free(Layout(Path(), port, nodes, ""), port_is_free):
            return port
    raise LocalBrokerError("No port is free for a local broker.", "End what listens on 20000 to 32000.")


def free_mb(folder: Path) -> int:
    """Return the room on a folder's disk, in MiB."""
    return shutil.disk_usage(folder).free // 2**20


@contextmanager
def plain_faults(folder: Path) -> Iterator[None]:
    """Turn a fault of the file system into one line: a full disk, a folder that may not be written."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(*messages.disk_full(folder, 0)) from error
        raise LocalBrokerError(*messages.unusable(error.filename or folder, error.strerror or "fault")) from error


def make_room(folder: Path) -> None:
    """Make a folder; raises `DiskFullError` where its disk has no room to start in."""
    folder.mkdir(parents=True, exist_ok=True)
    plan.check_room(folder, free_mb(folder))
