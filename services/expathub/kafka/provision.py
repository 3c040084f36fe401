"""Compare the topics a configuration needs with those a cluster has, and make the difference good.

`compare` is pure; `apply` does what it says: it creates topics and sets their settings. Nothing here deletes a topic or
changes a partition count: keys would move to other partitions, and the order within a dossier with them.
Rights and credentials are not made here yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from expathub.kafka import topics
from expathub.kafka.topics import Span, Topic

HUB_PREFIXES = ("outbox.", "inbox.", "hub.")
"""Topics whose names begin so are the hub's own."""

REPLICATED_FROM = 3
"""From this many brokers on topics have three copies, of which two must have a record before it counts."""


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the cluster has it.

    `nodes` are the brokers that hold copies. `own_settings` are those set on the topic itself, `settings` all in force.
    """

    name: str
    partitions: int
    replication: int
    nodes: frozenset[int]
    settings: Mapping[str, str]
    own_settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker and those of its settings that the hub relies on."""

    node: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cluster:
    """What there is: the brokers that answer, and the hub's topics by name."""

    brokers: tuple[Broker, ...]
    topics: Mapping[str, Found]

    @property
    def silent(self) -> frozenset[int]:
        """Brokers that hold copies and do not answer."""
        holding = frozenset(node for found in self.topics.values() for node in found.nodes)
        return holding - {broker.node for broker in self.brokers}

    @property
    def size(self) -> int:
        """How many brokers there are, those that are down among them: a broken node must not lower the copies."""
        return len(self.brokers) + len(self.silent)


@dataclass(frozen=True, slots=True)
class Create:
    """Make a topic."""

    topic: Topic
    replication: int

    def __str__(self) -> str:
        """Say it in one line."""
        return f"create {self.topic.name} ({self.topic.partitions} partitions, {self.replication} copies)"


@dataclass(frozen=True, slots=True)
class Change:
    """Give a topic other settings; `settings` are all it has of its own afterwards (Kafka replaces the whole)."""

    name: str
    settings: Mapping[str, str]
    changed: tuple[tuple[str, str | None, str], ...]

    def __str__(self) -> str:
        """Say it in one line."""
        return f"change {self.name}: " + ", ".join(f"{key} {old} → {new}" for key, old, new in self.changed)


@dataclass(frozen=True, slots=True)
class Unmended:
    """A difference that only a person may mend."""

    name: str
    what: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.name}: {self.what}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What `apply` would do, and what it will not do."""

    actions: tuple[Create | Change, ...] = ()
    unmended: tuple[Unmended, ...] = ()
    left_alone: tuple[str, ...] = field(default=())

    @property
    def is_clean(self) -> bool:
        """Whether the cluster is as the configuration wants it (topics left over do no harm)."""
        return not self.actions and not self.unmended


def replication(brokers: int) -> int:
    """Return how many copies a topic gets in a cluster of this many brokers."""
    return 3 if brokers >= REPLICATED_FROM else 1


def desired(configured: Iterable[Topic], brokers: int) -> tuple[Topic, ...]:
    """Add to each topic the settings that depend on how many brokers there are."""
    in_sync = "2" if replication(brokers) == REPLICATED_FROM else "1"
    return tuple(
        Topic(
            topic.name,
            topic.partitions,
            MappingProxyType({**topic.settings, "min.insync.replicas": in_sync}),
        )
        for topic in configured
    )


def compare(configured: Iterable[Topic], cluster: Cluster) -> Plan:
    """Say what the cluster lacks or has otherwise."""
    copies = replication(cluster.size)
    wanted = desired(configured, cluster.size)
    actions: list[Create | Change] = []
    unmended: list[Unmended] = []
    for topic in wanted:
        found = cluster.topics.get(topic.name)
        if found is None:
            actions.append(Create(topic, copies))
            continue
        actions.extend(_change(topic, found))
        unmended.extend(_unmended(topic, found, copies))
    leftover = sorted(set(cluster.topics) - {topic.name for topic in wanted})
    return Plan(tuple(actions), tuple(unmended), tuple(leftover))


def _change(topic: Topic, found: Found) -> Iterable[Change]:
    changed = tuple(
        (key, found.settings.get(key), value)
        for key, value in sorted(topic.settings.items())
        if found.settings.get(key) != value
    )
    if changed:
        yield Change(topic.name, MappingProxyType({**found.own_settings, **topic.settings}), changed)


def _unmended(topic: Topic, found: Found, copies: int) -> Iterable[Unmended]:
    if found.partitions != topic.partitions:
        yield Unmended(
            topic.name,
            f"has {found.partitions} partitions, the hub counts on {topic.partitions}; "
            "keys would move: drain the topic and make it anew",
        )
    if found.replication < copies:
        yield Unmended(
            topic.name,
            f"has {found.replication} copies and should have {copies}: reassign its partitions",
        )


def verify(configured: Sequence[Topic], cluster: Cluster) -> tuple[str, ...]:
    """Prove what the hub's promises rest on; the sentences say what does not hold.

    Topics as configured, each broker's settings, and the order of times as they really are in the cluster.
    """
    differences = compare(configured, cluster)
    return (
        *(str(action) for action in differences.actions),
        *(str(difference) for difference in differences.unmended),
        *(f"broker {node} holds topics and does not answer" for node in sorted(cluster.silent)),
        *(line for broker in cluster.brokers for line in _broker_faults(broker)),
        *_times(cluster),
    )


def _broker_faults(broker: Broker) -> Iterable[str]:
    for key, value in topics.BROKER_SETTINGS.items():
        found = broker.settings.get(key)
        if found != value:
            yield f"broker {broker.node}: {key} is {found or 'not known'}, the hub needs {value} (server.properties)"


def _times(cluster: Cluster) -> tuple[str, ...]:
    # A record leaves only with its segment, so what counts for the outbox is retention and segment together.
    outboxes = [
        _milliseconds(found, "retention.ms") + _milliseconds(found, "segment.ms")
        for found in cluster.topics.values()
        if found.name.startswith("outbox.")
    ]
    remembered = [
        _milliseconds(found, "retention.ms") for found in cluster.topics.values() if found.name.startswith("hub.seen.")
    ]
    offsets = [
        timedelta(minutes=int(minutes))
        for broker in cluster.brokers
        if (minutes := broker.settings.get("offsets.retention.minutes"))
    ]
    if not (outboxes and remembered and offsets):
        return ()
    return topics.out_of_order(
        (
            Span("the longest life of a record in an outbox", max(outboxes)),
            Span("the window of deduplication", topics.DEDUP_WINDOW),
            Span("the retention of group offsets", min(offsets)),
            Span("the retention of hub.seen.*", min(remembered)),
        ),
    )


def _milliseconds(found: Found, setting: str) -> timedelta:
    value = int(found.settings[setting])
    return timedelta(milliseconds=value) if value >= 0 else timedelta.max / 2
