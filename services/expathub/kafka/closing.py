"""Closing the client's consumers in bounded time, whatever they are doing.

`AIOKafkaConsumer.stop()` can hang (in a join that the broker holds back) and can raise `CancelledError` though nobody
cancelled it (a fetch that waits for its next attempt is cancelled and awaited). Neither may become the caller's.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer


async def close_consumer(consumer: AIOKafkaConsumer, within_seconds: float) -> None:
    """Leave the group, if there is one, and close; what has not ended after `within_seconds` is cancelled."""
    stopping = asyncio.ensure_future(consumer.stop())
    await _ended(stopping, within_seconds)
    if not stopping.cancelled() and stopping.exception() is None:
        return
    hidden: Any = consumer
    rest = [hidden._client.close()]  # noqa: SLF001 (stop() was broken off before it came to these)
    if hidden._fetcher is not None:  # noqa: SLF001 (as above)
        rest.append(hidden._fetcher.close())  # noqa: SLF001 (as above)
    for name in ("_coordination_task", "_heartbeat_task", "_commit_refresh_task"):
        task = getattr(hidden._coordinator, name, None)  # noqa: SLF001 (as above)
        if task is not None:
            task.cancel()
    for closing in rest:
        await _ended(asyncio.ensure_future(closing), within_seconds)


async def _ended(task: asyncio.Future[Any], within_seconds: float) -> None:
    """Wait for a task, then cancel it, then let it be; its end is never raised here."""
    try:
        await asyncio.wait({task}, timeout=within_seconds)
    finally:
        task.cancel()
    await asyncio.wait({task}, timeout=within_seconds)
    if task.done() and not task.cancelled():
        task.exception()
