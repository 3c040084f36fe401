"""A TCP proxy before Kafka that lets chosen requests or answers go wrong on their way: late, lost, cut off, changed.

Clients are given its addresses and never learn the brokers' own. What it does to a request it does on purpose and
counts, so that a test can say that its fault has happened. `frames` knows the bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from expathub.testing import frames
from expathub.testing.frames import Api, Head

_HOST = "127.0.0.1"
_LAST_ANSWER_SECONDS = 60.0
"""How long the broker may take to answer what a client has sent before it went."""


@dataclass(frozen=True, slots=True)
class Late:
    """The request arrives so much later, even if whoever sent it has gone by then; what follows it waits behind it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """The request arrives and is done; its answer never comes back, and the connection looks healthy."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks: before the request arrives, or after it was done and before its answer is back."""

    arrives: bool


@dataclass(frozen=True, slots=True)
class Code:
    """The request is done, and the answer says another code."""

    code: int


Fault: TypeAlias = Late | AnswerLost | Cut | Code


@dataclass(slots=True)
class Rule:
    """What goes wrong with requests of `api` that contain `about`: after the first `skip` of them, `times` times."""

    api: Api
    fault: Fault
    about: bytes = b""
    skip: int = 0
    times: int = 1
    met: int = 0
    """How many requests it was about so far."""
    happened: int = 0
    """How many of them went wrong."""
    arrived: int = 0
    """How many late ones have arrived since."""
    first: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it happens first."""

    def takes(self, head: Head, request: bytes) -> bool:
        """Say whether this request is to go wrong, and count it."""
        if head.api != self.api or self.about not in request:
            return False
        self.met += 1
        if self.met <= self.skip or self.happened >= self.times:
            return False
        self.happened += 1
        self.first.set()
        return True


class FrameProxy:
    """One listening port for each broker; use `before`."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._ports: dict[int, int] = {}
        self._connections: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def before(cls, bootstrap: str, rules: Sequence[Rule] = ()) -> AsyncIterator[Self]:
        """Stand before every broker in `bootstrap` (all of the cluster's, on this machine) until the block ends."""
        proxy = cls()
        proxy.rules += rules
        async with AsyncExitStack() as listening:
            for address in bootstrap.split(","):
                real = int(address.rpartition(":")[2])
                server = await asyncio.start_server(proxy._handler(real), _HOST)
                listening.callback(server.close)
                proxy._ports[real] = server.sockets[0].getsockname()[1]
            try:
                yield proxy
            finally:
                await proxy._end_connections()

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return ",".join(f"{_HOST}:{port}" for port in self._ports.values())

    def add(self, rule: Rule) -> Rule:
        """Let one more thing go wrong from now on."""
        self.rules.append(rule)
        return rule

    def taken(self, head: Head, request: bytes) -> Rule | None:
        """Return the first rule that this request falls under."""
        return next((rule for rule in self.rules if rule.takes(head, request)), None)

    def _handler(self, real: int) -> _Handler:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 (asyncio runs this in a task)
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(_Side(reader, writer), real)

        return handle

    async def _carry(self, client: _Side, real: int) -> None:
        try:
            broker = _Side(*await asyncio.open_connection(_HOST, real))
        except OSError:
            client.end()  # as if nobody listened here: the broker is down
            return
        await _Connection(self, self._ports, client, broker).run()

    async def _end_connections(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


_Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Side:
    """A connection to a client or to a broker, frame by frame."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read(self) -> bytes | None:
        """Read the next frame; None when the other side has gone."""
        try:
            length = frames.length_of(await self.reader.readexactly(frames.LENGTH_BYTES))
            return await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def write(self, frame: bytes) -> None:
        """Write a frame; raises `OSError` when the other side has gone."""
        self.writer.write(frames.framed(frame))
        await self.writer.drain()

    def end(self) -> None:
        """End the connection at once."""
        self.writer.transport.abort()


class _CutError(ConnectionError):
    """The connection is to break."""


@dataclass(slots=True)
class _Connection:
    """A client's connection and its twin to the broker."""

    proxy: FrameProxy
    ports: Mapping[int, int]
    client: _Side
    broker: _Side
    asked: dict[int, tuple[Head, Fault | None]] = field(default_factory=dict)
    """Requests that the broker has yet to answer, by their numbers."""
    client_gone: bool = False

    async def run(self) -> None:
        """Carry requests up and answers down; a client that goes does not undo what it has sent."""
        up, down = asyncio.ensure_future(self._up()), asyncio.ensure_future(self._down())
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if up.done() and up.exception() is None and self.asked:
                await asyncio.wait({down}, timeout=_LAST_ANSWER_SECONDS)
        finally:
            self.client.end()
            self.broker.end()
            for one in (up, down):
                one.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _up(self) -> None:
        while (request := await self.client.read()) is not None:
            head = frames.head_of(request)
            rule = self.proxy.taken(head, request)
            fault = rule.fault if rule else None
            if fault == Cut(arrives=False):
                raise _CutError
            if isinstance(fault, Late):
                await asyncio.sleep(fault.seconds)
            self.asked[head.correlation] = (head, fault)
            await self.broker.write(request)
            if rule and isinstance(fault, Late):
                rule.arrived += 1
        self.client_gone = True

    async def _down(self) -> None:
        while (answer := await self.broker.read()) is not None:
            head, fault = self.asked.pop(frames.correlation_of(answer))
            if fault == Cut(arrives=True):
                raise _CutError
            if isinstance(fault, Code):
                answer = frames.with_code(head, answer, fault.code)
            if not isinstance(fault, AnswerLost) and not self.client_gone:
                with suppress(ConnectionError):
                    await self.client.write(frames.readdressed(head, answer, _HOST, self.ports))
            if self.client_gone and not self.asked:
                return
