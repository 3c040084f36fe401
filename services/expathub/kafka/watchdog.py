"""Noticing that a lane's records no longer reach it, though the client says nothing.

A client that has lost its way after a rebalance or an outage can go on for ever with empty hands. A lane that stands
at the same offset at two looks, while committed records lay before it at the first, is such a case: the membership is
given up and begun anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from aiokafka import TopicPartition

from expathub.kafka.giving_up import GivenUpError
from expathub.kafka.group_consumer import GroupConsumer
from expathub.kafka.lane import Lane

E = TypeVar("E")


async def watch(consumer: GroupConsumer, hungry: Callable[[], Iterable[Lane[E]]], every_seconds: float) -> None:
    """Look at the lanes that wait for records again and again; raises `GivenUpError` when one of them is stuck."""
    behind: Mapping[TopicPartition, int] = {}
    while True:
        await asyncio.sleep(every_seconds)
        standing = {lane.spec.input: lane.next_fetch for lane in hungry()}
        if any(behind.get(partition) == position for partition, position in standing.items()):
            raise GivenUpError("stuck")
        ends = await consumer.stable_ends(standing)
        behind = {partition: position for partition, position in standing.items() if ends[partition] > position}
