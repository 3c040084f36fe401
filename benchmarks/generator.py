"""Publishes on a fixed schedule, in a process of its own, however late it is itself: open loop, no slot is skipped.

    python -m benchmarks.generator '{"rate": 200, "count": 1000, "seed": 1}'

Prints when it began (CLOCK_MONOTONIC, the same for all processes) and how late each event was handed to the client.
Event number n was meant to be published n / rate seconds after the beginning.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer

from benchmarks.publish import HEADERS, keys_of
from benchmarks.stand import outbox
from benchmarks.workload import arrivals
from expathub.configuration import load
from expathub.settings import load_settings

HEAD_START_SECONDS = 0.5


async def publish(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Publish as asked."""
    settings = load_settings()
    known = load(settings.partners, settings.schemas)
    _, values = arrivals(known, asked["count"], asked["seed"], datetime.now(UTC).date())
    keys, rate, late, sent = keys_of(values), asked["rate"], [], []
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        await producer.partitions_for(outbox())
        begun = time.monotonic() + HEAD_START_SECONDS
        for number, (value, key) in enumerate(zip(values, keys, strict=True)):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            late.append(1000 * (time.monotonic() - due))
            sent.append(await producer.send(outbox(), value, key=key, headers=HEADERS))
        await asyncio.gather(*sent)
    return {"begun": begun, "late_ms": late}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(publish(json.loads(sys.argv[1])))) + "\n")
