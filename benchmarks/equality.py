"""Reading back what different ways have written, and comparing it: unequal work is no measurement.

Compared are topic, partition, key, value and headers in the order in which they stand for each key; not the time of
the attempt in rows (`at`), nor how a state's changelog is cut into records (its content is), nor the marker in it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from aiokafka import TopicPartition

from benchmarks.stand import Stand
from expathub.core import topic_names
from expathub.core.records import InputRecord
from expathub.kafka import topics
from expathub.kafka.reading import Reader

Ends: TypeAlias = Mapping[tuple[str, int], int]
Written: TypeAlias = Mapping[tuple[str, int, bytes | None], Sequence[Any]]
"""Topic (without prefix), partition and key to what stands there, in order."""

_FOREIGN_HEADERS = frozenset({"correlation_id"})  # FastStream adds it


class UnequalError(Exception):
    """Two ways have not written the same."""


def outputs(stand: Stand, stage: str, partner: str) -> tuple[str, ...]:
    """Name the topics that a stage writes."""
    if stage == "intake":
        return (topic_names.JOURNAL, topic_names.REFUSALS, topics.seen(partner))
    inboxes = (name for name in stand.partitions() if name.startswith(topic_names.inbox("")))
    return (*inboxes, topic_names.DISCLOSURES, topic_names.PARKED, topics.DOSSIERS)


def read(stand: Stand, prefix: str, since: Ends, origins: Collection[str] | None = None) -> Written:
    """Read what has been written since; `origins` limits it to what was made of these records."""
    return asyncio.run(_read(stand.bootstrap, prefix, since, origins))


async def _read(bootstrap: str, prefix: str, since: Ends, origins: Collection[str] | None) -> Written:
    found: dict[tuple[str, int, bytes | None], list[Any]] = defaultdict(list)
    async with Reader.of(bootstrap, *{topic for topic, _ in since}) as reader:
        ends = await reader.ends()
        reader.from_offsets({TopicPartition(*at): offset for at, offset in since.items()})
        async for record in reader.until(ends, 180):
            topic = record.position.topic.removeprefix(prefix)
            if topic.startswith(("hub.seen.", topics.DOSSIERS)) or _is_of(record, origins):
                _note(found, topic, record)
    return found


def _is_of(record: InputRecord, origins: Collection[str] | None) -> bool:
    return origins is None or (record.header("hub-origin") or b"").decode() in origins


def _note(found: dict[tuple[str, int, bytes | None], list[Any]], topic: str, record: InputRecord) -> None:
    at = (topic, record.position.partition, record.key)
    if topic == topics.DOSSIERS:
        if record.value:
            found[at] = [record.value]  # the newest counts
    elif topic.startswith("hub.seen."):
        found[at] = [b"".join([*found[at], record.value or b""])]
    else:
        value: Any = record.value
        if topic in {topic_names.DISCLOSURES, topic_names.PARKED}:
            value = {name: one for name, one in orjson.loads(value).items() if name != "at"}
        headers = [one for one in record.headers if one[0] not in _FOREIGN_HEADERS]
        found[at].append((value, headers))


def require_equal(way: str, expected: Written, found: Written) -> int:
    """Compare what two ways have written; returns how many records that are. Raises `UnequalError`, without values."""
    states = (topics.DOSSIERS, "hub.seen.")
    for at in expected.keys() | found.keys():
        one, other = expected.get(at, ()), found.get(at, ())
        if one != other and any(at):
            raise UnequalError(f"{way} differs in {at[0]}/{at[1]}: {len(one)} records of a key against {len(other)}")
    return sum(len(records) for at, records in found.items() if not at[0].startswith(states))


def count(written: Written, topic: str) -> int:
    """Return how many records stand in a topic."""
    return sum(len(records) for at, records in written.items() if at[0] == topic)


def origins(topic: str, ranges: Mapping[int, Sequence[int]]) -> set[str]:
    """Return all positions in ranges of a topic's partitions."""
    return {f"{topic}/{at}/{offset}" for at, (start, end) in ranges.items() for offset in range(start, end)}
