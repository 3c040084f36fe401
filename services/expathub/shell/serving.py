"""The HTTP server of a service, and running services together until something ends one of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from socket import socket
from typing import Protocol

import uvicorn
from uvicorn._types import ASGIApplication

_GRACE_SECONDS = 3
"""How long a request may still take once the service stops."""

_FORCED = 1


class Server(uvicorn.Server):
    """A uvicorn server that leaves the signals and the log to us, and tells when its port answers."""

    def __init__(self, application: ASGIApplication, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            ),
        )
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal: uvicorn would raise it anew at the end, and the process would not exit with 0."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self._on_started()


class Runnable(Protocol):
    """What can be run together with others in one process."""

    async def serve(self) -> int:
        """Work until `stop` or until it cannot go on; return the exit code."""
        ...

    def stop(self) -> None:
        """Ask `serve` to end; may be called more than once."""
        ...


async def run_together(services: Sequence[Runnable]) -> int:
    """Run services until SIGTERM, SIGINT or the end of any of them; return the highest exit code.

    One that ends takes the others with it: a process that does half of its work looks healthy and is not.
    """

    def stop() -> None:
        for service in services:
            service.stop()

    async with _signals_to(stop):
        running = [asyncio.create_task(service.serve()) for service in services]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        stop()
        return max(await asyncio.gather(*running))


@asynccontextmanager
async def _signals_to(stop: Callable[[], None]) -> AsyncIterator[None]:
    """Let SIGTERM and SIGINT call `stop`, and a second SIGINT (Ctrl-C again) end the process at once."""
    loop = asyncio.get_running_loop()

    def first() -> None:
        stop()
        loop.add_signal_handler(signal.SIGINT, os._exit, _FORCED)

    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, first)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
