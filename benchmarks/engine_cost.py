"""CPU per record of the engine with a trivial stage, beside a hand-written loop on the same client that does the same.

Each round relays the same number of records of about 1 KB through both, A B A B …, on topics of its own, and reads
everything back before it counts. Prints one JSON line a round and a summary: the median ratio is what matters.

    python -m benchmarks.engine_cost BOOTSTRAP [records] [lanes] [rounds]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from expathub.kafka.partitioning import Partitioner
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults

BATCH = 1_000
KEYS = [b"%036d" % number for number in range(400)]


class Loop:
    """What one writes by hand: fetch, work, send, commit; one transactional producer for each input partition."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.done = 0
        self.partitioner = Partitioner()
        self.counts: dict[int, dict[bytes, int]] = {lane: {} for lane in range(bench.lanes)}

    async def run(self, records: int) -> None:
        """Relay so many records."""
        inputs = {self.bench.input(lane): lane for lane in range(self.bench.lanes)}
        consumer = AIOKafkaConsumer(
            *(at.topic for at in inputs),
            bootstrap_servers=self.bench.bootstrap,
            group_id=self.bench.group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        producers = {
            at: AIOKafkaProducer(
                bootstrap_servers=self.bench.bootstrap,
                transactional_id=f"{self.bench.prefix}.{lane}",
                max_batch_size=512 * 1024,
                retry_backoff_ms=5,
            )
            for at, lane in inputs.items()
        }
        await asyncio.gather(consumer.start(), *(producer.start() for producer in producers.values()))
        try:
            while self.done < records:
                fetched = await consumer.getmany(timeout_ms=200, max_records=BATCH * self.bench.lanes)
                await asyncio.gather(
                    *(
                        self.relay(producers[at], at, inputs[at], found[begin : begin + BATCH])
                        for at, found in fetched.items()
                        for begin in range(0, len(found), BATCH)
                    )
                ) if self.bench.lanes > 1 else await self.one_by_one(producers, inputs, fetched)
        finally:
            await asyncio.gather(consumer.stop(), *(producer.stop() for producer in producers.values()))

    async def one_by_one(self, producers: Any, inputs: Any, fetched: Any) -> None:
        """Relay what has been fetched, one transaction after the other."""
        for at, found in fetched.items():
            for begin in range(0, len(found), BATCH):
                await self.relay(producers[at], at, inputs[at], found[begin : begin + BATCH])

    async def relay(self, producer: AIOKafkaProducer, at: TopicPartition, lane: int, records: Sequence[Any]) -> None:
        """Relay one batch in one transaction."""
        counts = self.counts[lane]
        changed: dict[bytes, int] = {}
        batches: dict[TopicPartition, list[Any]] = {}

        def put(to: TopicPartition, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> None:
            open_batches = batches.setdefault(to, [])
            if not open_batches or (
                open_batches[-1].append(timestamp=None, key=key, value=value, headers=headers) is None
            ):
                open_batches.append(producer.create_batch())
                open_batches[-1].append(timestamp=None, key=key, value=value, headers=headers)

        for record in records:
            count = changed.get(record.key, counts.get(record.key, 0)) + 1
            changed[record.key] = count
            origin = b"%s/%d/%d" % (record.topic.encode(), record.partition, record.offset)
            partition = self.partitioner.pick(record.key, record.offset, self.bench.output_partitions)
            headers = [("hub-origin", origin), ("count", b"%d" % count)]
            put(TopicPartition(self.bench.copies, partition), record.key, record.value, headers)
        for key, count in changed.items():
            put(self.bench.changelog(lane), key, b"%d" % count, [])
        async with producer.transaction():
            sent = [
                await producer.send_batch(batch, to.topic, partition=to.partition)
                for to, open_batches in batches.items()
                for batch in open_batches
            ]
            await asyncio.gather(*sent)
            await producer.send_offsets_to_transaction({at: records[-1].offset + 1}, self.bench.group)
        counts.update(changed)
        self.done += len(records)


async def prepared(bootstrap: str, records: int, lanes: int) -> Bench:
    """Make topics and fill them."""
    bench = Bench(bootstrap=bootstrap, prefix=f"cost-{uuid.uuid4().hex[:8]}", lanes=lanes)
    await bench.make_topics()
    for lane in range(lanes):
        await bench.publish(lane, (b"%01000d" % number for number in range(records // lanes)), KEYS)
    return bench


async def by_loop(bench: Bench, records: int) -> None:
    """Let the loop do it."""
    await Loop(bench).run(records)


async def by_engine(bench: Bench, records: int) -> None:
    """Let the engine do it."""
    told = Told()
    async with bench.running(told, batch_records_max=BATCH, look_again_seconds=30.0):
        await told.until_relayed(records, within=300)


async def measured(run: Any, bootstrap: str, records: int, lanes: int) -> tuple[float, float]:
    """Return CPU and wall seconds for one run of records that are there already; raises when the outcome is wrong."""
    bench = await prepared(bootstrap, records, lanes)
    wall, cpu = time.monotonic(), time.process_time()
    await run(bench, records)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    found = faults(await bench.copied(), {bench.input(lane): range(records // lanes) for lane in range(lanes)})
    if found != CLEAN:
        raise SystemExit(f"the outcome of {run.__name__} is wrong: {found}")
    return cpu, wall


async def main(bootstrap: str, records: int = 40_000, lanes: int = 1, rounds: int = 5) -> None:
    """Let them take turns, and print the ratios."""
    ratios = []
    await measured(by_engine, bootstrap, records // 10, lanes)  # warm
    for _ in range(rounds):
        loop, loop_wall = await measured(by_loop, bootstrap, records, lanes)
        engine, engine_wall = await measured(by_engine, bootstrap, records, lanes)
        ratios.append(engine / loop)
        line = {
            "loop_us": round(loop / records * 1e6, 1),
            "engine_us": round(engine / records * 1e6, 1),
            "ratio": round(engine / loop, 3),
            "loop_seconds": round(loop_wall, 2),
            "engine_seconds": round(engine_wall, 2),
        }
        sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.write(f"median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
