"""A local cluster whose nodes are killed, stopped and started again one by one, while somebody uses it.

For tests of what the hub does meanwhile. Nodes are processes of this machine (`local_broker`), never containers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from expathub.kafka import local_broker

END_SECONDS = 60.0
"""How long a node may take for a clean end, or the cluster to choose a controller."""

WHOLE_SECONDS = 180.0
"""How long a cluster may take until every copy of every partition is in sync again."""

_POLL_SECONDS = 0.1
_ASK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Brokers:
    """The nodes of one local cluster; all of it blocks but `until_whole`."""

    data: Path
    bootstrap: str

    @classmethod
    @contextmanager
    def of(cls, data: Path, nodes: int = 3) -> Iterator[Self]:
        """Run a cluster in `data` until the block ends, whatever has become of its nodes by then."""
        with local_broker.temporary(data, nodes=nodes) as cluster:
            yield cls(data, cluster.bootstrap)

    @property
    def ids(self) -> list[int]:
        """The nodes' numbers, from 1."""
        return [node.id for node in self._nodes()]

    @property
    def up(self) -> list[int]:
        """The numbers of those that run."""
        return [node.id for node in self._nodes() if node.running]

    def kill(self, *nodes: int) -> None:
        """End nodes as a power cut ends a process: all of them before any is waited for."""
        pids = {node: self._pid(node) for node in nodes}
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        for node in nodes:
            self._wait_until_gone(node)

    def stop(self, node: int) -> None:
        """End a node cleanly: it hands over what it leads first."""
        os.kill(self._pid(node), signal.SIGTERM)
        self._wait_until_gone(node)

    def start(self) -> None:
        """Start every node that is down; returns when the whole cluster answers."""
        local_broker.start(self.data)

    def controller(self) -> int:
        """Return the node that is the active controller, by what the nodes have written down of their last vote."""
        deadline = time.monotonic() + END_SECONDS
        while True:
            votes = [vote for node in self.up if (vote := self._vote(node))]
            if votes and max(votes)[1] in self.up:
                return max(votes)[1]
            if time.monotonic() > deadline:
                raise TimeoutError("the cluster has no controller")
            time.sleep(_POLL_SECONDS)

    async def until_whole(self) -> None:
        """Wait until each partition has a leader and all its copies in sync: only then may the next node go."""
        async with asyncio.timeout(WHOLE_SECONDS):
            while not await self._is_whole():  # noqa: ASYNC110 (only asking again tells)
                await asyncio.sleep(_POLL_SECONDS)

    async def _is_whole(self) -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=int(_ASK_SECONDS * 1000))
        try:
            await admin.start()
            topics = await admin.describe_topics()
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()
        partitions = [partition for topic in topics for partition in topic["partitions"]]
        return all(one["leader"] > 0 and len(one["isr"]) == len(one["replicas"]) for one in partitions)

    def _vote(self, node: int) -> tuple[int, int] | None:
        """Return the epoch and the leader that a node knows, or None while it knows none."""
        try:
            state = orjson.loads((self.data / f"node-{node}/data/__cluster_metadata-0/quorum-state").read_bytes())
        except (OSError, orjson.JSONDecodeError):  # just being written anew
            return None
        return (state["leaderEpoch"], state["leaderId"]) if state["leaderId"] > 0 else None

    def _nodes(self) -> tuple[local_broker.Node, ...]:
        cluster = local_broker.status(self.data)
        if cluster is None:
            raise FileNotFoundError(f"{self.data} holds no cluster")
        return cluster.nodes

    def _pid(self, node: int) -> int:
        pid = next(one.pid for one in self._nodes() if one.id == node)
        if pid is None:
            raise ProcessLookupError(f"node {node} does not run here")
        return pid

    def _wait_until_gone(self, node: int) -> None:
        deadline = time.monotonic() + END_SECONDS
        while node in self.up:
            if time.monotonic() > deadline:
                raise TimeoutError(f"node {node} does not end")
            time.sleep(_POLL_SECONDS)
