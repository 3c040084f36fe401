"""Between a lane and its coordinator: a commit that comes late, an answer that is lost, a code nobody knows (R3).

A proxy does to real requests what a bad network does. Whatever it is, nobody guesses: the lane is taken anew, and the
topics hold each record once.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from expathub.kafka.observer import Happening
from expathub.testing.engine_bench import CLEAN, Bench, Told, faults
from expathub.testing.frame_proxy import AnswerLost, Code, Cut, Fault, FrameProxy, Late, Rule
from expathub.testing.frames import Api

FULL = os.environ.get("EXPATHUB_TEST_FAULTS") == "full"
IN_FULL = pytest.mark.skipif(not FULL, reason="takes minutes: set EXPATHUB_TEST_FAULTS=full")
RECORDS = 200
BATCH = 10
WAIT_SECONDS = 120.0
UNKNOWN_CODE = 13
"""Kafka's NETWORK_EXCEPTION, which brokers have answered to this request, and no client expects there."""


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@asynccontextmanager
async def behind_a_proxy(kafka: str, rule: Rule, lanes: int = 2) -> AsyncIterator[tuple[Bench, Bench]]:
    """Give a bench for the test itself, and the same bench for an engine that reaches Kafka through a proxy."""
    near = await Bench(bootstrap=kafka, prefix=f"requests-{uuid.uuid4().hex[:8]}", lanes=lanes).make_topics()
    async with FrameProxy.before(kafka) as proxy:
        rule.about = f"{near.prefix}.0".encode()
        proxy.add(rule)
        yield near, Bench(bootstrap=proxy.bootstrap, prefix=near.prefix, lanes=lanes)


async def relay_through(kafka: str, rule: Rule, **changes: float) -> Told:
    """Relay all records of two lanes with one thing going wrong in the first; check what the topics hold."""
    told = Told()
    async with behind_a_proxy(kafka, rule) as (near, far):
        for lane in range(near.lanes):
            await near.publish(lane, numbers(RECORDS))
        async with far.running(told, batch_records_max=BATCH, **changes):
            for lane in range(near.lanes):
                await near.until_committed(lane, RECORDS, within_seconds=WAIT_SECONDS)
            async with asyncio.timeout(WAIT_SECONDS):
                while isinstance(rule.fault, Late) and rule.arrived < rule.times:
                    await near.publish(0, numbers(BATCH))
                    await asyncio.sleep(0.2)
            ends = [(await near.end(near.input(lane))) for lane in range(near.lanes)]
            for lane, end in enumerate(ends):
                await near.until_committed(lane, end, within_seconds=WAIT_SECONDS)
        assert rule.happened == rule.times
        assert faults(await near.copied(), {near.input(lane): range(end) for lane, end in enumerate(ends)}) == CLEAN
    return told


def reasons(told: Told) -> list[object]:
    return [event["reason"] for event in told.of(Happening.GIVEN_UP)]


async def test_a_commit_that_arrives_while_the_lane_is_at_later_transactions_decides_over_none_of_them(
    kafka: str,
) -> None:
    """KAFKA-17754: the client gives up waiting, sends the commit again with the same epoch, and begins the next one."""
    rule = Rule(Api.END_TXN, Late(seconds=6.0), skip=3)
    told = await relay_through(kafka, rule, request_timeout_ms=2_000)
    assert reasons(told) == ["commit-in-doubt"]


@IN_FULL
async def test_a_commit_that_outlasts_the_deadline_is_doubt(kafka: str) -> None:
    """The lane does not wait for an answer that comes too late to be of use."""
    told = await relay_through(kafka, Rule(Api.END_TXN, Late(seconds=8.0), skip=3), commit_deadline_seconds=2.0)
    assert reasons(told) == ["commit-in-doubt"]


@pytest.mark.parametrize(
    ("api", "fault"),
    [
        (Api.END_TXN, AnswerLost()),
        pytest.param(Api.END_TXN, Cut(arrives=True), marks=IN_FULL),
        pytest.param(Api.END_TXN, Cut(arrives=False), marks=IN_FULL),
        pytest.param(Api.TXN_OFFSET_COMMIT, AnswerLost(), marks=IN_FULL),
        pytest.param(Api.TXN_OFFSET_COMMIT, Cut(arrives=True), marks=IN_FULL),
        pytest.param(Api.TXN_OFFSET_COMMIT, Cut(arrives=False), marks=IN_FULL),
    ],
)
async def test_what_became_of_a_decisive_request_without_an_answer_is_read_and_not_guessed(
    kafka: str, api: Api, fault: Fault
) -> None:
    told = await relay_through(kafka, Rule(api, fault, skip=3), request_timeout_ms=2_000)
    assert reasons(told) == ["commit-in-doubt"]


@pytest.mark.parametrize("api", [pytest.param(Api.END_TXN, marks=IN_FULL), Api.TXN_OFFSET_COMMIT])
async def test_a_code_that_nobody_knows_ends_no_engine_and_tears_nothing(kafka: str, api: Api) -> None:
    """aiokafka raises it in its sender, which ends there: the lane must be taken anew with another producer."""
    told = await relay_through(kafka, Rule(api, Code(UNKNOWN_CODE), skip=3))
    assert reasons(told) == ["commit-in-doubt"]
