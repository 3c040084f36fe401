"""Where a service answers HTTP: its socket, and the file in which others find it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from expathub.errors import MisconfiguredError


@dataclass(frozen=True, slots=True)
class Address:
    """What stands in `EXPATHUB_DATA/run/<service>-<pid>.json`."""

    service: str
    pid: int
    host: str
    port: int
    address: str
    version: str


def bound(host: str, port: int) -> socket.socket:
    """Take the port (0: any free one) before anything is begun; raises `MisconfiguredError` if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen()  # from here on whoever comes early waits, and is not turned away
    except OSError as error:
        taken.close()
        raise MisconfiguredError(
            f"Port {port} at {host} cannot be had ({error.strerror or 'no such address'}).",
            "Set EXPATHUB_HTTP_PORT to another, or to 0 for any free one.",
        ) from None
    taken.set_inheritable(False)
    return taken


def address_of(service: str, taken: socket.socket, version: str) -> Address:
    """Describe where `service` answers."""
    host, port = taken.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return Address(service, os.getpid(), host, port, f"http://{shown}:{port}", version)


@contextmanager
def announced(address: Address, data: Path) -> Iterator[None]:
    """Keep the address in its file for as long as the service answers there."""
    folder = data / "run"
    path = folder / f"{address.service}-{address.pid}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_bytes(orjson.dumps(asdict(address), option=orjson.OPT_APPEND_NEWLINE))
        draft.replace(path)  # whole or not at all: somebody may look at any moment
    except OSError as error:
        raise MisconfiguredError(
            f"{path} cannot be written ({error.strerror}).", "Set EXPATHUB_DATA to a folder of this user."
        ) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
