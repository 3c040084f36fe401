"""Dispatch put together: its stage, its lanes, its engine, its topics and the counting of its outcomes."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker

from expathub import metrics
from expathub.core import topic_names
from expathub.core.configuration import Configuration
from expathub.core.dispatch import DispatchStage
from expathub.core.dossier import Dossier
from expathub.core.dossiers import Dossiers
from expathub.core.reasons import Held, Withheld
from expathub.kafka import topics
from expathub.kafka.engine import Engine
from expathub.kafka.lane_plan import LanePlan, LaneSpec
from expathub.kafka.observer import BatchReport, Observer
from expathub.metrics import Label, Metrics, Service
from expathub.shell import reference_keys
from expathub.shell.described import CloudEvent, Disclosure, Parked
from expathub.shell.engines import engine_settings, group_of
from expathub.shell.plan import Ground, Plan


def lanes() -> LanePlan[Dossier]:
    """Give every partition of the journal a lane, with the same partition of the dossiers."""
    return LanePlan(
        LaneSpec(
            input=TopicPartition(topic_names.JOURNAL, partition),
            changelog=TopicPartition(topics.DOSSIERS, partition),
            transactional_id=f"{group_of(Service.DISPATCH)}.{partition}",
            new_state=Dossiers,
        )
        for partition in range(topics.JOURNAL_PARTITIONS)
    )


def make(ground: Ground, observer: Observer) -> Engine[Dossier]:
    """Build the engine of dispatch; raises `MisconfiguredError` where the keys of the references cannot be had."""
    keys = reference_keys.load(ground.settings.reference_keys)
    settings = engine_settings(ground, Service.DISPATCH, keys.fingerprints())
    return Engine(DispatchStage(ground.configuration, keys), lanes(), settings, observer)


def describe(broker: KafkaBroker) -> None:
    """Declare what dispatch reads and writes, for AsyncAPI."""

    @broker.subscriber(
        topic_names.JOURNAL,
        title="Journal",
        description="Every accepted event; one order per dossier. Read exactly once.",
    )
    async def journal(event: CloudEvent) -> None: ...

    broker.publisher(
        topic_names.inbox("{partner}"),
        title="Inbox",
        schema=CloudEvent,
        description="An event as this partner may know it. Headers: hub-origin (journal position), hub-disclosure.",
    )
    broker.publisher(
        topic_names.DISCLOSURES,
        title="Disclosures",
        schema=Disclosure,
        description="One row per event and partner: what was told or why not. Headers: hub-origin, hub-config.",
    )
    broker.publisher(
        topic_names.PARKED,
        title="Parked",
        schema=Parked,
        description="One row per disclosure that waits, without content. Headers: hub-origin, hub-config.",
    )


def label_values(configuration: Configuration) -> Mapping[Label, tuple[str, ...]]:  # noqa: ARG001 (the plan's form)
    """List what the labels of dispatch's own metrics can be."""
    withheld = (f"withheld:{reason.value}" for reason in Withheld)
    held = (f"held:{reason.value}" for reason in Held)
    return {Label.CODE: ("disclosed", *withheld, *held)}


def count_tally(measured: Metrics, report: BatchReport) -> None:
    """Count what became of events for their recipients."""
    for word, count in report.tally.items():
        measured.count(metrics.DISPATCH_OUTCOMES, count, word)


PLAN = Plan(
    service=Service.DISPATCH,
    title="expathub dispatch",
    describe=describe,
    make=make,
    count_tally=count_tally,
    values=label_values,
)
