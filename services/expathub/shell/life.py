"""The life of one service in a process: built, answering, working, stopping, ended with a code.

Knows uvicorn and the engine, and nothing of FastStream; `expathub.shell.service` ties the two together.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import structlog

from expathub import __version__, metrics
from expathub.errors import ExpathubError
from expathub.kafka import waiting
from expathub.kafka.observer import Health
from expathub.logs import dropped_total
from expathub.metrics import Metrics
from expathub.shell import collecting
from expathub.shell.address import Address, address_of, announced, bound
from expathub.shell.answers import State
from expathub.shell.plan import Ground, Plan, Worker
from expathub.shell.serving import Server
from expathub.shell.witness import ENGINE_VALUES, Witness

DRAIN_SECONDS = 20.0
"""How long an engine may take to finish or abort its batches: the process must be gone within 25 s (R10)."""

_CANCEL_SECONDS = 2.0


class Life:
    """One service, from being built to its exit code."""

    def __init__(self, plan: Plan, application: Any) -> None:
        self.name = plan.service.value
        self.exit_code = 0
        self.measured: Metrics | None = None
        self._plan = plan
        self._application = application
        self._log = structlog.get_logger(service=self.name)
        self._ground: Ground | None = None
        self._worker: Worker | None = None
        self._witness: Witness | None = None
        self._working: asyncio.Task[None] | None = None
        self._server: Server | None = None
        self._socket: socket.socket | None = None
        self._stopped = asyncio.Event()
        self._silent = False

    def prepare(self, ground: Ground, host: str | None = None, port: int | None = None) -> Address:
        """Build the engine and take the port; raises `MisconfiguredError`. Returns where the service will answer."""
        self.build(ground)
        settings = ground.settings
        self._socket = bound(host or settings.http_host, settings.http_port if port is None else port)
        return address_of(self.name, self._socket, __version__)

    def build(self, ground: Ground) -> None:
        """Build the engine, and nothing else, unless that has been done."""
        if self._worker is not None:
            return
        self._ground = ground
        known = ground.configuration
        self.measured = Metrics(self._plan.service, {**ENGINE_VALUES, **self._plan.values(known)})
        self.measured.set(metrics.INFO, 1, __version__, str(known.revision), known.digest)
        self._witness = Witness(self._plan.service, self.measured, self._plan.count_tally)
        self._worker = self._plan.make(ground, self._witness)

    @property
    def _stopping(self) -> bool:
        return self._stopped.is_set()

    @property
    def is_built(self) -> bool:
        """Whether there is an engine."""
        return self._worker is not None

    async def serve(self) -> int:
        """Answer HTTP and work until `stop`, or until the engine ends; return the exit code."""
        assert self._ground and self._socket, "prepare comes first"  # noqa: S101, PT018 (a fault of this code)
        address = address_of(self.name, self._socket, __version__)
        self._server = Server(
            self._application, lambda: self._log.info("service_started", address=address.address, version=__version__)
        )
        with announced(address, self._ground.settings.data):
            if not self._stopping:
                await self._server.serve([self._socket])
        self._log.info("service_stopped")
        return self.exit_code

    def stop(self) -> None:
        """Let the engine finish what it has begun, and then the process end; may be called more than once."""
        if self._stopping:
            return
        self._stopped.set()
        if self._worker:
            self._worker.stop()
        if self._server:
            self._server.should_exit = True
        with suppress(MemoryError):
            self._log.info("service_stopping")

    async def begin(self) -> None:
        """Start the engine; called once start-up has been reported."""
        collecting.look_seldom()
        self._working = asyncio.create_task(self._work(), name=f"{self.name}-engine")

    async def end(self) -> None:
        """Wait until the engine has finished, and cancel it when that takes too long."""
        self.stop()
        if self._working is None:
            return
        _, late = await asyncio.wait({self._working}, timeout=DRAIN_SECONDS)
        if late:
            self._log.error("drain_timed_out", seconds=DRAIN_SECONDS)
            self.exit_code = self.exit_code or 1
            self._working.cancel()
            await asyncio.wait({self._working}, timeout=_CANCEL_SECONDS)

    def state(self) -> State:
        """Say how the service is, and bring its gauges up to date."""
        state = self._state()
        if self.measured:
            self.measured.set(metrics.READY, state.ready)
            self.measured.raise_to(metrics.LOG_DROPPED, dropped_total())
        return state

    def _state(self) -> State:
        if self._working is None or self._worker is None or self._witness is None:
            return State(alive=True, ready=False, why="starting")
        if self._silent:
            return State(alive=True, ready=False, why="kafka-silent")
        health = self._worker.health()
        self._witness.health(health)
        lanes = {name: lane.cause.value if lane.cause else lane.phase.value for name, lane in health.lanes.items()}
        if self._working.done() and self.exit_code:
            return State(alive=False, ready=False, why="engine-ended", lanes=lanes)
        if self._stopping:
            return State(alive=True, ready=False, why="stopping", lanes=lanes)
        return State(alive=True, ready=health.ready, why=_why(health), lanes=lanes)

    async def _work(self) -> None:
        """Run the engine; its end, unless it was asked for, is the end of the process and no success."""
        assert self._worker, "it is built before it begins"  # noqa: S101 (a fault of this code)
        try:
            if await self._wait_for_kafka():
                await self._worker.run()
            self.exit_code = 0 if self._stopping else 1
        except Exception as error:  # noqa: BLE001 (whatever it is, the process must end and say so)
            self.exit_code = error.exit_code if isinstance(error, ExpathubError) else 1
            with suppress(MemoryError):  # it must end even where there is no memory left to say why
                self._log.critical("engine_failed", exc_info=error)
            if isinstance(error, ExpathubError):
                say(error)
        with suppress(MemoryError):
            if self.exit_code:
                self._log.critical("engine_ended")
        self._end_process()

    async def _wait_for_kafka(self) -> bool:
        """Wait until Kafka answers, and say once that it does not; False when the service is stopped meanwhile."""
        assert self._ground, "it is built before it begins"  # noqa: S101 (a fault of this code)
        bootstrap = self._ground.settings.bootstrap

        def say() -> None:
            self._silent = True
            self._log.warning("kafka_silent", bootstrap=bootstrap)

        waiting_for = asyncio.create_task(waiting.wait(bootstrap, say))
        stopped = asyncio.create_task(self._stopped.wait())
        await asyncio.wait({waiting_for, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not waiting_for.done():
            waiting_for.cancel()
            return False
        if self._silent:
            self._silent = False
            self._log.info("kafka_answers", bootstrap=bootstrap)
        return True

    def _end_process(self) -> None:
        self.stop()
        if self._server is None:
            # A foreign server holds the process; a signal is the only word that it understands.
            signal.raise_signal(signal.SIGTERM)


def say(error: ExpathubError) -> None:
    """Say on standard error what happened and what to do, as a command does."""
    sys.stderr.writelines(f"expathub: {line}\n" for line in error.lines())


def _why(health: Health) -> str | None:
    """Name the first thing that keeps a service from being ready."""
    if health.ready:
        return None
    if not health.joined:
        return "not-joined"
    causes = sorted(lane.cause.value for lane in health.lanes.values() if lane.cause)
    return causes[0] if causes else "taking-over"
