"""Taking a lane over: fence, load, compare, write the first marker. What is to be done is decided in `takeover`."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

from aiokafka.errors import KafkaError

from expathub.kafka import changelog, failpoints
from expathub.kafka.giving_up import GivenUpError, LaneStoppedError
from expathub.kafka.hold import Hold, first_mark
from expathub.kafka.lane_plan import LaneSpec
from expathub.kafka.observer import Cause, Detail, Happening
from expathub.kafka.producer import FENCED, LaneProducer
from expathub.kafka.surroundings import Surroundings
from expathub.kafka.takeover import Decision, Findings, Stop, Take, decide
from expathub.kafka.transaction import NOT_AUTHORISED

E = TypeVar("E")

_LOOKS = 5
_LOOK_PAUSE_SECONDS = 0.2
"""The group's coordinator may learn of a transaction's end a moment after everybody else: a difference between marker
and offset is looked at again, for a second, before it is believed."""


async def take_over(spec: LaneSpec[E], around: Surroundings[E]) -> Hold[E]:
    """Take a lane over; raises `LaneStoppedError` when it must not go on, `GivenUpError` when we cannot take it.

    May be cancelled at any time: nothing of an input is done here.
    """
    begun = time.monotonic()
    await around.view.require(spec.input)
    await around.view.require(spec.changelog)
    if failpoints.armed:
        await failpoints.reach("fencing", spec.name)
    around.pulse.check()
    producer = await _fence(spec, around)
    try:
        if failpoints.armed:
            await failpoints.reach("fenced", spec.name)
        memory = around.memory(spec)
        kept = memory.position is not None
        records = await changelog.load(spec, memory, around.view, around.settings, around.clock_ms())
        if failpoints.armed:
            await failpoints.reach("loaded", spec.name)
        take = _taken(await judge(spec, around))
        mark = first_mark(take, around.claimant(spec), around.clock_ms)
        hold = Hold(
            spec,
            around.stage,
            around.settings,
            around.view,
            around.partitioner,
            producer,
            memory,
            mark,
            around.clock_ms,
        )
        await hold.note(with_offset=True)
        if failpoints.armed:
            await failpoints.reach("taken-over", spec.name)
    except BaseException:
        await producer.drop()
        raise
    if max(mark.careful_until, mark.singly_until) > mark.next:
        details: dict[str, Detail] = {"next": mark.next, "until": max(mark.careful_until, mark.singly_until)}
        around.tell(Happening.CAREFUL, spec.name, details)
    around.tell(
        Happening.TAKEN_OVER,
        spec.name,
        {
            "next": take.next,
            "takeovers": take.takeovers,
            "records": records,
            "kept": kept,
            "seconds": round(time.monotonic() - begun, 3),
        },
    )
    return hold


async def may_go_on(spec: LaneSpec[E], around: Surroundings[E], hindrance: LaneStoppedError) -> bool:
    """Look at a stopped lane without touching it, and return whether a take-over would succeed now."""
    await around.view.refresh()
    if hindrance.cause is Cause.TOPIC_MISSING and not around.view.has(hindrance.detail):
        return False
    try:
        await around.view.require(spec.input)
        await around.view.require(spec.changelog)
        await changelog.load(spec, around.memory(spec), around.view, around.settings, around.clock_ms())
    except LaneStoppedError:
        return False
    return isinstance(await judge(spec, around), Take)


async def judge(spec: LaneSpec[E], around: Surroundings[E]) -> Decision:
    """Gather what there is to know and decide."""
    decision = await _judge_once(spec, around)
    for _ in range(_LOOKS):
        if not (isinstance(decision, Stop) and decision.cause is Cause.DISAGREE):
            break
        await asyncio.sleep(_LOOK_PAUSE_SECONDS)
        decision = await _judge_once(spec, around)
    return decision


async def _judge_once(spec: LaneSpec[E], around: Surroundings[E]) -> Decision:
    committed = await around.consumer.committed(spec.input)
    input_start, input_end = await around.view.edges(spec.input)
    changelog_start, _ = await around.view.edges(spec.changelog)
    found = Findings(
        marker=around.memory(spec).marker,
        committed=committed,
        input_start=input_start,
        input_end=input_end,
        changelog_start=changelog_start,
        windowed=spec.window_ms is not None,
    )
    settings = around.settings
    return decide(found, around.claimant(spec), settings.batch_records_max, settings.deaths_max)


def _taken(decision: Decision) -> Take:
    if isinstance(decision, Stop):
        raise LaneStoppedError(decision.cause, decision.detail)
    return decision


async def _fence(spec: LaneSpec[E], around: Surroundings[E]) -> LaneProducer:
    """Initialise the lane's producer: from then on the previous owner can commit nothing more."""
    producer = LaneProducer(around.settings, spec.transactional_id)
    try:
        async with asyncio.timeout(around.settings.fencing_seconds):
            await producer.fence()
    except NOT_AUTHORISED as error:
        await producer.drop()
        raise LaneStoppedError(Cause.NOT_AUTHORISED, spec.transactional_id) from error
    except (TimeoutError, KafkaError, *FENCED) as error:
        await producer.drop()
        raise GivenUpError("fencing-failed", error) from error
    except BaseException:
        await producer.drop()
        raise
    return producer
