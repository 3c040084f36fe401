"""SIGKILL of one of two members under load, again and again: nothing is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from contextlib import AsyncExitStack
from itertools import count

import pytest
from aiokafka import AIOKafkaProducer

from expathub.kafka.observer import Happening
from expathub.testing.engine_bench import CLEAN, Bench, faults
from expathub.testing.engine_member import member

KILLS = int(os.environ.get("EXPATHUB_TEST_KILLS", "20"))
LANES = 12
RECORDS_PER_SECOND = 400


async def load(bench: Bench, stop: asyncio.Event, seed: int) -> dict[int, int]:
    """Publish at a steady rate to lanes and keys at random; returns how many records each lane got."""
    chance = random.Random(seed)
    sent = dict.fromkeys(range(bench.lanes), 0)
    async with AIOKafkaProducer(bootstrap_servers=bench.bootstrap, linger_ms=5) as producer:
        while not stop.is_set():
            for _ in range(RECORDS_PER_SECOND // 20):
                lane = chance.randrange(bench.lanes)
                await producer.send(bench.input(lane).topic, b"v", key=b"%d" % chance.randrange(9))
                sent[lane] += 1
            await asyncio.sleep(0.05)
    return sent


@pytest.mark.timeout(600)  # a minute on two idle cores; others may be at work there
async def test_kills_of_one_of_two_members_under_load_change_nothing(kafka: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (so that a failure can be played again)
    chance = random.Random(seed)
    bench = await Bench(bootstrap=kafka, prefix=f"chaos-{uuid.uuid4().hex[:8]}", lanes=LANES).make_topics()
    stop = asyncio.Event()
    loading = asyncio.create_task(load(bench, stop, seed))
    names = (f"member-{number}" for number in count())
    async with AsyncExitStack() as living:
        members = {name: await living.enter_async_context(member(bench, name)) for name in (next(names), next(names))}
        for kill in range(KILLS):
            newest = members[list(members)[-1]]
            # In the middle of taking over and loading, or of relaying.
            await newest.until(Happening.TAKEN_OVER if kill % 2 else Happening.JOINED)
            await asyncio.sleep(chance.uniform(0.0, 1.0))
            victim = chance.choice(list(members))
            members[victim].process.kill()
            await members.pop(victim).process.wait()
            await bench.evict(keep=members)  # the broker would wait for a whole session timeout
            name = next(names)
            members[name] = await living.enter_async_context(member(bench, name))
        stop.set()
        sent = await loading
        for lane, records in sent.items():
            await bench.until_committed(lane, records, within_seconds=60)
    assert sum(sent.values()) > 2000
    assert faults(await bench.copied(), {bench.input(lane): range(records) for lane, records in sent.items()}) == CLEAN
