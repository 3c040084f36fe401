"""Run a real service with one thing in it broken: `python planted.py BUG SERVICE`.

Each bug is what somebody could have written in good faith. It is planted from outside, by replacing one function of
the service; where that function is not there any more, or takes other arguments, the process ends at once: a test
whose bug is nowhere would prove nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from inspect import signature
from random import Random
from types import ModuleType
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import structs

from expathub.core import intake, notice
from expathub.core.event import Event
from expathub.core.minimise import Minimised
from expathub.core.partners import Partner
from expathub.core.records import InputRecord, Output
from expathub.core.route import Route
from expathub.core.topic_names import REFUSALS, inbox
from expathub.kafka import changelog, failpoints, group_consumer, hold, lane_takeover, takeover, transaction
from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.lane_plan import LaneSpec
from expathub.kafka.lane_state import Memory
from expathub.kafka.partitioning import Partitioner
from expathub.kafka.producer import LaneProducer
from expathub.kafka.sheet import Parcels, Sheet
from expathub.kafka.surroundings import Surroundings
from expathub.kafka.takeover import Findings

Offsets = Mapping[TopicPartition, int]
Ends = dict[TopicPartition, int]

NO_LIMIT = sys.maxsize


def replace(owner: ModuleType | type, name: str, new: Any) -> Any:
    """Put `new` in the place of a function that takes the same arguments; returns the old one."""
    old = getattr(owner, name)  # raises where it has moved
    if [*signature(old).parameters] != [*signature(new).parameters]:
        raise TypeError(f"{owner.__name__}.{name} takes other arguments now: {signature(old)}")
    setattr(owner, name, new)
    return old


def parts(producer: LaneProducer, parcels: Parcels, wanted: Callable[[str], bool]) -> Parcels:
    """Return the batches for the topics that are wanted."""
    some = Parcels(producer, NO_LIMIT)
    some.by_partition = {at: batches for at, batches in parcels.by_partition.items() if wanted(at.topic)}
    return some


def is_state(topic: str) -> bool:
    return topic.startswith("hub.seen.") or topic == "hub.dossiers"


def is_refusal(topic: str) -> bool:
    return topic == REFUSALS or topic.startswith(inbox(""))


def split(first: Callable[[str], bool]) -> None:
    """Commit part of a batch with the offsets, and the rest in a transaction of its own after that."""

    async def patched(
        producer: LaneProducer, parcels: Parcels, offsets: Offsets, group: str, deadline_seconds: float, lane: str
    ) -> Ends:
        last: Ends = await whole(
            producer, parts(producer, parcels, first), offsets, group, deadline_seconds=deadline_seconds, lane=lane
        )
        rest = parts(producer, parcels, lambda topic: not first(topic))
        if rest.by_partition:
            last |= await whole(producer, rest, {}, group, deadline_seconds=deadline_seconds, lane=lane)
        return last

    whole = replace(hold, "transact", patched)


def commit_before_send() -> None:
    split(is_state)


def refusal_after_commit() -> None:
    split(lambda topic: not is_refusal(topic))


def offsets_outside_the_transaction() -> None:
    async def patched(
        producer: LaneProducer, parcels: Parcels, offsets: Offsets, group: str, deadline_seconds: float, lane: str
    ) -> Ends:
        last: Ends = await whole(producer, parcels, {}, group, deadline_seconds=deadline_seconds, lane=lane)
        if offsets:
            nothing = Parcels(producer, NO_LIMIT)
            await whole(producer, nothing, offsets, group, deadline_seconds=deadline_seconds, lane=lane)
        return last

    whole = replace(hold, "transact", patched)


def future_not_awaited() -> None:
    """Wait for the answers as the client's own flush does: until they are there, without a look at what they say."""

    async def patched(producer: LaneProducer, parcels: Parcels, lane: str) -> Ends:
        assert lane
        stored = [await producer.send(batch, at) for at, batches in parcels.by_partition.items() for batch in batches]
        await asyncio.wait(stored)
        return dict.fromkeys(parcels.by_partition, -1)

    replace(transaction, "_store", patched)


def null_key() -> None:
    def patched(record: InputRecord, sender: Partner, event: Event) -> Output:
        output: Output = made(record, sender, event)
        return Output(output.topic, None, output.value, output.headers)

    made = replace(intake, "_accepted", patched)


def random_partition() -> None:
    dice = Random(1)

    def patched(self: Partitioner, key: bytes | None, offset: int, partitions: int) -> int:
        del self, key, offset
        return dice.randrange(partitions)

    replace(Partitioner, "pick", patched)


def dedup_off() -> None:
    def patched(self: Sheet[Any], key: bytes) -> None:
        del self, key

    replace(Sheet, "_remembered", patched)


def read_uncommitted() -> None:
    def patched(*topics: str, **settings: Any) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(*topics, **settings | {"isolation_level": isolation[settings["isolation_level"]]})

    isolation = {"read_committed": "read_uncommitted"}  # anything else has moved
    names = vars(group_consumer)
    if names["AIOKafkaConsumer"] is not AIOKafkaConsumer:
        raise TypeError("the group's consumer is another class now")
    names["AIOKafkaConsumer"] = patched


def no_fencing() -> None:
    """Give every producer a name of its own, so that none throws another out."""

    def patched(self: LaneProducer, settings: Any, transactional_id: str) -> None:
        made(self, settings, f"{transactional_id}.{uuid4()}")

    made = replace(LaneProducer, "__init__", patched)


def load_before_fencing() -> None:
    """Swap the two steps of a take-over. The step `fencing` is reached once more, between them."""

    async def fence(spec: LaneSpec[Any], around: Surroundings[Any]) -> LaneProducer:
        await load(spec, around.memory(spec), around.view, around.settings, around.clock_ms())
        await failpoints.reach("fencing", spec.name)
        producer: LaneProducer = await fenced(spec, around)
        return producer

    async def loaded_already(
        spec: LaneSpec[Any], memory: Memory[Any], view: ClusterView, settings: Any, at_ms: int
    ) -> int:
        del spec, memory, view, settings, at_ms
        return 0

    load = replace(changelog, "load", loaded_already)
    fenced = replace(lane_takeover, "_fence", fence)


def load_to_the_last_stable_offset() -> None:
    async def patched(self: ClusterView, partition: TopicPartition) -> tuple[int, int]:
        start, _ = await edges(self, partition)
        looker = AIOKafkaConsumer(bootstrap_servers=bootstrap_of(self), isolation_level="read_committed")
        await looker.start()
        try:
            return start, (await looker.end_offsets([partition]))[partition]
        finally:
            await looker.stop()

    edges = replace(ClusterView, "edges", patched)


def bootstrap_of(view: ClusterView) -> list[str]:
    return [f"{broker.host}:{broker.port}" for broker in view.client.cluster.brokers()]


def resume_from_latest() -> None:
    def patched(found: Findings) -> int:
        return found.input_end

    replace(takeover, "_start", patched)


def minimise_after_fan_out() -> None:
    """Tell everybody the whole event, and work out only then, for the record, what each may have."""

    def patched(self: notice.Notice, route: Route, reference: str) -> Any:
        def keep(attributes: Mapping[str, Any], data: Any) -> Minimised:
            granted = route.keep(attributes, data)
            return Minimised(granted.extensions, data, granted.fields)

        return make(self, structs.replace(route, keep=keep), reference)

    make = replace(notice.Notice, "_make", patched)


def die_once_committed() -> None:
    """End a process as soon as it has committed a batch: no bug, but the rest of a fault that begins with a pause."""

    async def patched(self: hold.Hold[Any], sheet: Sheet[Any], next_offset: int) -> float:
        await commit(self, sheet, next_offset)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    commit = replace(hold.Hold, "commit", patched)


BUGS: Mapping[str, Callable[[], None]] = {
    bug.__name__.replace("_", "-"): bug
    for bug in (
        commit_before_send,
        offsets_outside_the_transaction,
        future_not_awaited,
        null_key,
        random_partition,
        dedup_off,
        refusal_after_commit,
        read_uncommitted,
        no_fencing,
        load_before_fencing,
        load_to_the_last_stable_offset,
        resume_from_latest,
        minimise_after_fan_out,
        die_once_committed,
    )
}


if __name__ == "__main__":
    BUGS[sys.argv[1]]()
    sys.argv[1:] = sys.argv[2:]
    from expathub.cli.main import main

    main()
