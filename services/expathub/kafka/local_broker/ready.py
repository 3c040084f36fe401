"""Whether Kafka answers: an open port is not enough, the cluster must tell its id and know all its brokers."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

_CONNECT_SECONDS = 0.5


def knows_all(bootstrap: str, nodes: int, timeout_seconds: float) -> bool:
    """Try once whether a cluster answers at all of these addresses and knows `nodes` brokers.

    Ports first: a client that finds one closed waits and logs, and while a broker starts that is no news.
    """
    if not all(map(_listens, bootstrap.split(","))):
        return False
    # A loop in a thread of its own, so that the caller may have one running.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_ask, bootstrap, nodes, timeout_seconds).result()


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _ask(bootstrap: str, nodes: int, timeout_seconds: float) -> bool:
    with _quiet_client():
        return asyncio.run(_brokers(bootstrap, timeout_seconds)) >= nodes


async def _brokers(bootstrap: str, timeout_seconds: float) -> int:
    """Return how many brokers the cluster knows; 0 where it does not answer or has no id yet."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(timeout_seconds * 1000))
    try:
        async with asyncio.timeout(timeout_seconds):
            await client.start()
            found = await client.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return 0
    finally:
        await client.close()
    return len(found["brokers"]) if found["cluster_id"] else 0


@contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep this thread's client from logging what a starting broker answers; others log as ever."""
    here = threading.get_ident()

    def others(record: logging.LogRecord) -> bool:
        return record.thread != here

    loggers = [logging.getLogger(name) for name in ("aiokafka", "aiokafka.conn", "aiokafka.admin.client")]
    for logger in loggers:
        logger.addFilter(others)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(others)
