"""Start what is missing of a hub: a broker, the topics, the two relay stages; and see that all of it goes again.

What a person gave (`EXPATHUB_BOOTSTRAP`) is used and left as it is, but for the topics that the configuration asks
for. What is started here is told to the caretaker before it runs.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from expathub.core.configuration import Configuration
from expathub.demo.caretaker import Caretaker
from expathub.errors import ExpathubError
from expathub.kafka import cluster, local_broker, provision, topics, waiting
from expathub.kafka.local_broker import processes
from expathub.kafka.local_broker.processes import Process
from expathub.settings import Settings
from expathub.shell import reference_keys

SERVICES = ("intake", "dispatch")
READY_SECONDS = 60.0
POLL_SECONDS = 0.05
LOG_LINES = 5

T = TypeVar("T")

Note = Callable[[str], None]


class HubNotReadyError(ExpathubError):
    """The services that the demonstration started do not run."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub: where, with which configuration, and what of it was started here."""

    bootstrap: str
    configuration: Configuration
    data: Path
    own_broker: bool
    services: Process | None
    reference_keys: Path

    async def ready(self) -> None:
        """Return when both stages work; raises `HubNotReadyError` when those that were started here do not in time."""
        if self.services:
            await _ready(self.data, self.services)


@asynccontextmanager
async def running(settings: Settings, loaded: Configuration, *, keep: bool, note: Note) -> AsyncIterator[Hub]:
    """Run a hub for as long as the context lasts, or for good with `keep`; says with `note` what it is doing.

    `loaded` is the configuration that the settings name.
    """
    with Caretaker() as caretaker:
        bootstrap, data = await _broker(settings, caretaker, keep=keep, note=note)
        async with waiting.admin_client(bootstrap) as admin:
            note("making the topics")
            plan = provision.compare(topics.plan(loaded), await cluster.look(admin))
            await cluster.carry_out(admin, plan.actions)
            keys = _reference_keys(settings, data)
            reference_keys.make(keys)
            services = None if await _is_served(admin) else _services(bootstrap, data, caretaker, note)
        own_broker = not settings.bootstrap_given
        yield Hub(bootstrap, loaded, data, own_broker=own_broker, services=services, reference_keys=keys)
        if keep:
            caretaker.keep()


async def _broker(settings: Settings, caretaker: Caretaker, *, keep: bool, note: Note) -> tuple[str, Path]:
    """Return where Kafka is and the folder for what processes keep; start a broker unless a person named one."""
    if settings.bootstrap_given:
        await waiting.reach(settings.bootstrap)
        return settings.bootstrap, settings.data
    data = settings.data.absolute() / "demo" if keep else Path(tempfile.mkdtemp(prefix="expathub-demo-"))
    if not keep:
        caretaker.will_remove(data)
    note("starting a broker")
    if not (keep and local_broker.status(data / "kafka")):
        caretaker.will_stop(data / "kafka")
    started = await _to_the_end(asyncio.to_thread(local_broker.start, data / "kafka", progress=note))
    return started.bootstrap, data


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Let a thread come to its end even if we are asked to stop: only what has started can be stopped."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _reference_keys(settings: Settings, data: Path) -> Path:
    return settings.reference_key_file or data / "reference.key"


async def _is_served(admin: AIOKafkaAdminClient) -> bool:
    """Say whether both stages have a process already."""
    return all([await _has_members(admin, f"hub.{name}") for name in SERVICES])


async def _has_members(admin: AIOKafkaAdminClient, group: str) -> bool:
    try:
        # One group at a time: the client cannot read an answer about two of them.
        (answer,) = await admin.describe_consumer_groups([group])
    except GroupCoordinatorNotAvailableError:  # a new cluster has no place for groups before the first one comes
        return False
    return any(described["members"] for described in answer.to_object()["groups"])


def _services(bootstrap: str, data: Path, caretaker: Caretaker, note: Note) -> Process:
    note("starting intake and dispatch")
    service = processes.spawn(
        [
            "/usr/bin/env",
            f"EXPATHUB_BOOTSTRAP={bootstrap}",
            f"EXPATHUB_DATA={data}",
            "EXPATHUB_HTTP_PORT=0",
            "EXPATHUB_LOG_FORMAT=json",
            sys.executable,
            "-m",
            "expathub",
            "up",
        ],
        _log(data),
    )
    caretaker.will_end(service)
    return service


async def _ready(data: Path, service: Process) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await asyncio.to_thread(_is_ready, data, service):
                if not processes.alive(service):
                    raise HubNotReadyError("The services ended at once.", _tail(_log(data)))
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        what = f"The services are not ready after {READY_SECONDS:.0f} s."
        raise HubNotReadyError(what, _tail(_log(data))) from None


def _log(data: Path) -> Path:
    return data / "services.log"


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").splitlines()[-LOG_LINES:] if log.exists() else []
    return "\n".join([f"The last of {log}:", *lines])


def _is_ready(data: Path, service: Process) -> bool:
    """Ask each service of the process whether it is ready, where it says that it answers."""
    addresses = [_address(data / "run" / f"{name}-{service.pid}.json") for name in SERVICES]
    return all(address and _says_ready(address) for address in addresses)


def _address(file: Path) -> str:
    with suppress(OSError, ValueError, KeyError):
        return str(orjson.loads(file.read_bytes())["address"])
    return ""


def _says_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=1) as answer:  # noqa: S310 - our own child's address
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False
