"""Lines of a file or of standard input as bytes, untouched, as they come: a pipe's line is there at once."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

from expathub.errors import UsageError

T = TypeVar("T")

LINE_BYTES_MAX = 16 * 1024 * 1024
"""A longer line is no event of anybody's, and must not fill the memory."""

_CHUNK_BYTES = 64 * 1024
_CHUNKS_AHEAD = 4


class Chunked(Protocol):
    """What gives the bytes that are there now, and none at the end."""

    def read1(self, size: int, /) -> bytes:
        """Return at most `size` bytes, waiting only if there is none."""
        ...


def split(source: Chunked) -> Iterator[list[bytes]]:
    """Yield the lines as they become complete, without their line feed; the last needs none.

    Raises `UsageError` at a line of more than `LINE_BYTES_MAX`.
    """
    rest, count = b"", 0
    while chunk := source.read1(_CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        count += len(lines)
        if len(rest) > LINE_BYTES_MAX:
            raise UsageError(f"Line {count + 1} is longer than 16 MiB.", "Nothing of it and nothing after it was sent.")
        if lines:
            yield lines
    if rest:
        yield [rest]


@contextmanager
def opened(name: str) -> Iterator[Chunked]:
    """Open a file, or standard input for `-`; raises `UsageError` when it cannot be read."""
    if name == "-":
        yield sys.stdin.buffer  # type: ignore[misc]  # typeshed hides its read1
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 (closed below; only opening is to be explained)
    except OSError as error:
        raise UsageError(
            f"{name} cannot be read ({error.strerror}).", "Name a file, or - for standard input."
        ) from None
    with file:
        yield file


async def arriving(source: Chunked) -> AsyncIterator[list[bytes]]:
    """Yield what `split` yields without blocking the event loop, nor its end: nobody waits for an idle pipe."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Callable[[], list[bytes]]] = asyncio.Queue(_CHUNKS_AHEAD)

    def put(get: Callable[[], list[bytes]]) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(get), loop).result()

    def read() -> None:
        with suppress(RuntimeError):  # the loop ended while somebody's pipe was still open
            try:
                for lines in split(source):
                    put(partial(_give, lines))
            except (UsageError, OSError) as error:
                put(partial(_raise, error))
            else:
                put(partial(_raise, _End()))

    threading.Thread(target=read, name="lines", daemon=True).start()
    with suppress(_End):
        while True:
            yield (await queue.get())()


async def ahead(
    source: AsyncIterator[T], most: int, before_waiting: Callable[[], None] = lambda: None
) -> AsyncGenerator[T, None]:
    """Let `source` run ahead of whoever reads it, by at most so many items; its errors come in their turn.

    `before_waiting` is called whenever the next item is not there yet.
    """
    queue: asyncio.Queue[Callable[[], T]] = asyncio.Queue(most)

    async def run() -> None:
        try:
            async for item in source:
                await queue.put(partial(_give, item))
        except Exception as error:  # noqa: BLE001 (raised where it is read)
            await queue.put(partial(_raise, error))
        else:
            await queue.put(partial(_raise, _End()))

    running = asyncio.create_task(run())
    try:
        with suppress(_End):
            while True:
                if queue.empty():
                    before_waiting()
                yield (await queue.get())()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class _End(Exception):  # noqa: N818 (it is the end, and no error)
    """No item follows."""


def _give(item: T) -> T:
    return item


def _raise(error: Exception) -> NoReturn:
    raise error
