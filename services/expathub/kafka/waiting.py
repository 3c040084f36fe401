"""Reach Kafka, or say that it does not answer: commands give up, services wait for ever.

Covers only whether a cluster answers at an address. What a lane does when Kafka goes away later is the engine's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
)

from expathub.errors import KafkaUnreachableError, MisconfiguredError

PATIENCE_SECONDS = 10.0
"""How long a command waits for Kafka before it gives up."""

ATTEMPT_SECONDS = 3.0
"""How long one attempt may take: a host that swallows packets must not eat the whole patience."""

PAUSE_FIRST_SECONDS = 0.1
PAUSE_LAST_SECONDS = 5.0

_HIGHEST_PORT = 65535


def check_address(bootstrap: str) -> None:
    """Raise `MisconfiguredError` unless this is a list of HOST:PORT."""
    for one in bootstrap.split(","):
        host, colon, port = one.strip().rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) <= _HIGHEST_PORT):
            raise MisconfiguredError(
                f"{bootstrap!r} is no address of Kafka.",
                "Set EXPATHUB_BOOTSTRAP to HOST:PORT, several with commas between.",
            )


def pauses() -> Iterator[float]:
    """Yield how long to wait before each next attempt, in seconds: doubling, then steady."""
    pause = PAUSE_FIRST_SECONDS
    while True:
        yield pause
        pause = min(2 * pause, PAUSE_LAST_SECONDS)


async def answers(bootstrap: str) -> bool:
    """Try once whether a cluster answers at this address and at the address that it advertises itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(ATTEMPT_SECONDS * 1000))
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            await admin.start()
            await admin.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return False
    else:
        return True
    finally:
        await admin.close()


async def wait(bootstrap: str, on_silence: Callable[[], None] = lambda: None) -> None:
    """Wait until Kafka answers, for ever; `on_silence` is called once, after the first attempt that failed."""
    check_address(bootstrap)
    with _hushed():
        for attempt, pause in enumerate(pauses()):
            if await answers(bootstrap):
                return
            if attempt == 0:
                on_silence()
            await asyncio.sleep(pause)


async def reach(bootstrap: str, within_seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as Kafka answers; raise `KafkaUnreachableError` when it does not within the time."""
    try:
        async with asyncio.timeout(within_seconds):
            await wait(bootstrap)
    except TimeoutError:
        raise unreachable(bootstrap, within_seconds) from None


def unreachable(bootstrap: str, seconds: float) -> KafkaUnreachableError:
    """Say that Kafka does not answer, and what to do."""
    return KafkaUnreachableError(
        f"Kafka at {bootstrap} does not answer after {seconds:g} s.",
        "Start it (`expathub broker start`), or set EXPATHUB_BOOTSTRAP to where it is.",
    )


@contextmanager
def giving_up(bootstrap: str, seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Turn a connection that is lost or never comes into `KafkaUnreachableError`; for commands."""
    try:
        yield
    except (KafkaConnectionError, NodeNotReadyError, RequestTimedOutError, KafkaTimeoutError):
        raise unreachable(bootstrap, seconds) from None


@asynccontextmanager
async def admin_client(bootstrap: str, within_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an admin client once Kafka answers; raises `KafkaUnreachableError`, also when Kafka goes away meanwhile."""
    await reach(bootstrap, within_seconds)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(within_seconds * 1000))
    try:
        with giving_up(bootstrap, within_seconds):
            await admin.start()
            yield admin
    finally:
        await admin.close()


def silence_client() -> None:
    """Keep the client's own log off a command's standard error: a command says what there is to say itself."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)


_hushes: ContextVar[bool] = ContextVar("hushes", default=False)
"""Whether this task, or one that it has begun, only asks whether Kafka is there."""


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep the client from logging each attempt that fails: whoever waits says it once, in its own words.

    Only the attempts of this task: a second service in the same process may have much to say meanwhile.
    """
    before = _hushes.set(True)
    try:
        yield
    finally:
        _hushes.reset(before)


def _is_loud(_: logging.LogRecord) -> bool:
    return not _hushes.get()


for _name in ("aiokafka", "aiokafka.conn", "aiokafka.admin.client"):
    logging.getLogger(_name).addFilter(_is_loud)
