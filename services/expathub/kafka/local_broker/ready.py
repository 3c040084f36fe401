"""Whether Kafka answers: an open port is not enough, the cluster must tell its id and know all its brokers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

_CONNECT_SECONDS = 0.5


def answers(bootstrap: str, nodes: int, timeout_seconds: float) -> bool:
    """Tell whether a cluster answers at this address, with at least `nodes` brokers known to it.

    Ports first: a client that finds one closed waits and logs, and while a broker starts that is no news.
    """
    if not all(map(_listens, bootstrap.split(","))):
        return False
    # A loop in a thread of its own, so that the caller may have one running.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _known(bootstrap, nodes, timeout_seconds)).result()


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), _CONNECT_SECONDS):
        return True
    return False


async def _known(bootstrap: str, nodes: int, timeout_seconds: float) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(timeout_seconds * 1000))
    try:
        async with asyncio.timeout(timeout_seconds):
            await client.start()
            found = await client.describe_cluster()
    except (KafkaError, TimeoutError):
        return False
    finally:
        await client.close()
    return bool(found["cluster_id"]) and len(found["brokers"]) >= nodes
