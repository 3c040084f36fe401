"""The topics of the hub as data: names, partitions, clean-up, times and limits.

The table is `FAMILIES`; `plan` gives the topics of one configuration. Covers neither rights nor credentials, and
touches no broker: `expathub.kafka.provision` compares this with what a cluster has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import pairwise
from types import MappingProxyType

from expathub.core.configuration import Configuration
from expathub.core.remembered import WINDOW_MS
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, outbox

DOSSIERS = "hub.dossiers"

JOURNAL_PARTITIONS = 4
"""A lane each; a transaction costs the same for one event as for a hundred, so few."""

OUTBOX_RETENTION = timedelta(days=7)
DEDUP_WINDOW = timedelta(milliseconds=WINDOW_MS)
OFFSETS_RETENTION = timedelta(days=60)
SEEN_RETENTION = timedelta(days=90)
INBOX_RETENTION = timedelta(days=21)
REFUSALS_RETENTION = timedelta(days=30)

SEGMENT_SPAN = timedelta(days=1)
"""How long a segment stays open: a record outlives its retention by at most this (only closed segments go)."""

_KIB = 1024
_MIB = 1024 * _KIB
KAFKA_DEFAULT_BATCH_BYTES = 1_048_588
"""What a broker of Apache Kafka takes by default; stated, so that `verify` sees a broker that has another."""


def seen(partner: str) -> str:
    """Name the changelog of what intake remembers of `partner`'s accepted events."""
    return f"hub.seen.{partner}"


class Cleanup(Enum):
    """What the broker does with old records."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class Family:
    """One row of the topic table; `{partner}` in `pattern` stands for each partner's id.

    `retention` None keeps records for ever (or, compacted, the newest of each key). `batch_bytes` limits one
    record batch as the broker stores it.
    """

    pattern: str
    meaning: str
    partitions: int
    retention: timedelta | None
    cleanup: Cleanup = Cleanup.DELETE
    batch_bytes: int = KAFKA_DEFAULT_BATCH_BYTES
    segment_span: timedelta = SEGMENT_SPAN
    segment_bytes: int | None = None
    compression: str = "producer"

    def settings(self) -> Mapping[str, str]:
        """Return the broker's topic settings; all that matters is stated, nothing is left to a broker's default."""
        stated = {
            "cleanup.policy": self.cleanup.value,
            "compression.type": self.compression,
            "max.message.bytes": str(self.batch_bytes),
            "message.timestamp.type": "LogAppendTime",  # `received` is the broker's time, whatever a client claims
            "retention.ms": str(_milliseconds(self.retention) if self.retention else -1),
            "segment.ms": str(_milliseconds(self.segment_span)),
        }
        if self.segment_bytes:
            stated["segment.bytes"] = str(self.segment_bytes)
        return MappingProxyType(stated)


EACH = "{partner}"
"""Stands for each partner's id in a pattern."""

FAMILIES = (
    # Uncompressed: the broker unpacks what a partner sends and measures that, so that no batch grows only when it is
    # read, and no reader needs every way of packing there is.
    Family(
        outbox(EACH),
        "what only this partner writes",
        1,
        OUTBOX_RETENTION,
        batch_bytes=512 * _KIB,
        compression="uncompressed",
    ),
    Family(inbox(EACH), "what only this partner reads", 3, INBOX_RETENTION),
    Family(seen(EACH), "ids of this partner's accepted events", 1, SEEN_RETENTION),
    Family(JOURNAL, "every accepted event", JOURNAL_PARTITIONS, None),
    Family(DISCLOSURES, "who was told what, and who was not", 4, None),
    Family(PARKED, "what waits, without content", 4, None),
    Family(REFUSALS, "what intake did not accept", 3, REFUSALS_RETENTION, batch_bytes=2 * _MIB),
    # Short segments: an open segment is never compacted, and a load reads every update in it.
    Family(
        DOSSIERS,
        "the state of each dossier",
        JOURNAL_PARTITIONS,
        None,
        cleanup=Cleanup.COMPACT,
        batch_bytes=2 * _MIB,
        segment_span=timedelta(hours=1),
        segment_bytes=16 * _MIB,
    ),
)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it should be; `settings` are the broker's own words for it."""

    name: str
    partitions: int
    settings: Mapping[str, str]


def plan(configuration: Configuration) -> tuple[Topic, ...]:
    """List the topics that this configuration needs, by name.

    Every partner has its topics, ended ones too (what is in them may still be read), and so has the reserved
    `hub-operator`, whose inbox carries the receipts of refused commands.
    """
    partners = sorted(configuration.partners.by_id)
    return tuple(sorted((topic for family in FAMILIES for topic in _members(family, partners)), key=lambda t: t.name))


def _members(family: Family, partners: Iterable[str]) -> Iterable[Topic]:
    names = [family.pattern]
    if EACH in family.pattern:
        names = [family.pattern.replace(EACH, partner) for partner in partners]
    return (Topic(name, family.partitions, family.settings()) for name in names)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time with the words for what it is the time of."""

    what: str
    length: timedelta


def out_of_order(spans: Iterable[Span]) -> tuple[str, ...]:
    """Say which neighbours do not strictly rise; nothing when the order of times holds.

    The order (outbox < dedup window < group offsets < `hub.seen`) is what makes a restart after any pause safe: a
    record that can still be read is still remembered, and a lane that was quiet still knows where it was.
    """
    return tuple(
        f"{shorter.what} ({_days(shorter.length)}) must be shorter than {longer.what} ({_days(longer.length)})"
        for shorter, longer in pairwise(spans)
        if shorter.length >= longer.length
    )


def _days(length: timedelta) -> str:
    return f"{length / timedelta(days=1):g} d"


PLANNED_TIMES = (
    Span("the longest life of a record in an outbox", OUTBOX_RETENTION + SEGMENT_SPAN),
    Span("the window of deduplication", DEDUP_WINDOW),
    Span("the retention of group offsets", OFFSETS_RETENTION),
    Span("the retention of hub.seen.*", SEEN_RETENTION),
)
"""The order of times as planned; `provision verify` looks at it as it is."""


BROKER_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "auto.create.topics.enable": "false",  # a typing error must not make a topic
        "offsets.retention.minutes": str(OFFSETS_RETENTION // timedelta(minutes=1)),
        # How often the coordinator looks for transactions past their timeout: bounds how long one holds up readers.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    },
)
"""What every broker must have set; `provision verify` proves it, and only the broker's own files can change it."""
