"""Noticing that the process runs out of memory where nobody tells us.

aiokafka works in tasks of its own. A `MemoryError` in one of them breaks a connection or is wrapped as a `KafkaError`,
which look like trouble with Kafka: the engine would give up, join anew and run out again, for ever. So three places are
watched: the chain of causes, what the client logs, and what the event loop says of errors that nobody fetched.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_CLIENT = "aiokafka"


def is_exhaustion(error: BaseException | None) -> bool:
    """Return whether `error`, or what it came of, says that there is no memory left."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


class _Listener(logging.Handler):
    """Looks at what is being handled whenever the client logs; the record itself has lost its exception (`logs`)."""

    def __init__(self, exhausted: asyncio.Event) -> None:
        super().__init__()
        self._exhausted = exhausted

    def emit(self, record: logging.LogRecord) -> None:
        del record
        if is_exhaustion(sys.exc_info()[1]):
            self._exhausted.set()


@contextmanager
def noticed() -> Iterator[asyncio.Event]:
    """Watch the running loop and the client's log; the event is set once memory has run out behind our back."""
    exhausted, loop = asyncio.Event(), asyncio.get_running_loop()
    before, listener, client = loop.get_exception_handler(), _Listener(exhausted), logging.getLogger(_CLIENT)

    def look(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if is_exhaustion(context.get("exception")):
            exhausted.set()
        if before is None:
            loop.default_exception_handler(context)
        else:
            before(loop, context)

    loop.set_exception_handler(look)
    client.addHandler(listener)
    try:
        yield exhausted
    finally:
        client.removeHandler(listener)
        if loop.get_exception_handler() is look:  # another engine in this process may have come after us
            loop.set_exception_handler(before)
