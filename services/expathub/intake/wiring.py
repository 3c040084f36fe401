"""Intake put together: its stage, its lanes, its engine, its topics and the counting of its outcomes."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker

from expathub import metrics
from expathub.core import topic_names
from expathub.core.configuration import Configuration
from expathub.core.intake import IntakeStage
from expathub.core.reasons import Flag, Reason
from expathub.core.remembered import LOAD_WINDOW_MS, Remembered
from expathub.kafka import topics
from expathub.kafka.engine import Engine
from expathub.kafka.lane_plan import LanePlan, LaneSpec
from expathub.kafka.observer import BatchReport, Observer
from expathub.metrics import Label, Metrics, Service
from expathub.shell.described import CloudEvent
from expathub.shell.engines import engine_settings, group_of
from expathub.shell.plan import Ground, Plan

ACCEPTED = "accepted"
_REFUSED = "refused:"
_FLAGGED = "flagged:"


def lanes(configuration: Configuration) -> LanePlan[bytes]:
    """Give every partner's outbox a lane; ended partners' too: what they still send is refused, not left lying."""
    return LanePlan(
        LaneSpec(
            input=TopicPartition(topic_names.outbox(partner), 0),
            changelog=TopicPartition(topics.seen(partner), 0),
            transactional_id=f"{group_of(Service.INTAKE)}.{partner}",
            new_state=Remembered,
            window_ms=LOAD_WINDOW_MS,
        )
        for partner in sorted(configuration.partners.by_id)
    )


def make(ground: Ground, observer: Observer) -> Engine[bytes]:
    """Build the engine of intake."""
    configuration = ground.configuration
    return Engine(IntakeStage(configuration), lanes(configuration), engine_settings(ground, Service.INTAKE), observer)


def describe(broker: KafkaBroker) -> None:
    """Declare what intake reads and writes, for AsyncAPI."""

    @broker.subscriber(
        topic_names.outbox("{partner}"),
        title="Outbox",
        description="What one partner publishes, in structured or binary mode; read exactly once.",
    )
    async def outbox(event: CloudEvent) -> None: ...

    broker.publisher(
        topic_names.JOURNAL,
        title="Journal",
        schema=CloudEvent,
        description="Every accepted event as the hub understood it. Headers: hub-origin, hub-partner, hub-received-at.",
    )
    broker.publisher(
        topic_names.REFUSALS,
        title="Refusals",
        schema=bytes,
        description="Refused records: the original bytes, and why in hub-code and hub-pointer. Null for a duplicate.",
    )
    broker.publisher(
        topic_names.inbox("{partner}"),
        title="Receipts",
        schema=CloudEvent,
        description="nl.expathub.gebeurtenis-geweigerd.v1: tells the sender that a record was refused, and why.",
    )


def label_values(configuration: Configuration) -> Mapping[Label, tuple[str, ...]]:
    """List what the labels of intake's own metrics can be."""
    return {
        Label.PARTNER: tuple(sorted(configuration.partners.by_id)),
        Label.CODE: (ACCEPTED, *(reason.value for reason in Reason)),
        Label.FLAG: tuple(flag.value for flag in Flag),
    }


def count_tally(measured: Metrics, report: BatchReport) -> None:
    """Count what became of a partner's records, and what was odd about those that were accepted."""
    partner = report.lane.rpartition("/")[0].removeprefix(topic_names.outbox(""))
    for word, count in report.tally.items():
        if word.startswith(_FLAGGED):
            measured.count(metrics.INTAKE_FLAGS, count, partner, word.removeprefix(_FLAGGED))
        else:
            measured.count(metrics.INTAKE_RECORDS, count, partner, word.removeprefix(_REFUSED))


PLAN = Plan(
    service=Service.INTAKE,
    title="expathub intake",
    describe=describe,
    make=make,
    count_tally=count_tally,
    values=label_values,
)
