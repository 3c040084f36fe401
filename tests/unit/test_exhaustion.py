"""Memory that runs out inside the client ends the engine, for joining anew would mend nothing."""

# ruff: noqa: SLF001 (the client's hidden parts are what this is about)

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError, KafkaError

from expathub.kafka.engine import Engine
from expathub.kafka.engine_settings import EngineSettings
from expathub.kafka.exhaustion import is_exhaustion, noticed
from expathub.kafka.giving_up import GivenUpError
from expathub.kafka.lane_plan import LanePlan
from expathub.kafka.observer import Happening
from expathub.testing.counting import CountingStage
from expathub.testing.engine_bench import Told

SETTINGS = EngineSettings(
    bootstrap="127.0.0.1:1", group="g", client_id="c", revision=1, digest="d", rejoin_first_seconds=0.01
)


def because(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def circle() -> Exception:
    one, other = KafkaError(), KafkaError()
    one.__context__, other.__context__ = other, one
    return one


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "no memory"),
        because(KafkaError(), MemoryError()),
        because(GivenUpError("kafka-error"), because(KafkaConnectionError(), OSError(errno.ENOMEM, ""))),
    ],
)
def test_memory_that_ran_out_is_found_behind_what_came_of_it(error: Exception) -> None:
    assert is_exhaustion(error)


@pytest.mark.parametrize(
    "error", [None, OSError(errno.ECONNREFUSED, "nobody there"), because(KafkaError(), ValueError()), circle()]
)
def test_nothing_else_is_taken_for_it(error: Exception | None) -> None:
    assert not is_exhaustion(error)


# What the client's own tasks do with it


async def broken_connection(error: Exception) -> None:
    """Let the client's task that reads from a broker end with `error`; it logs that and closes the connection."""

    async def read() -> None:
        raise error

    reading = asyncio.ensure_future(read())
    await asyncio.wait({reading})
    AIOKafkaConnection._on_read_task_error(lambda: None, reading)


async def forgotten_task(error: Exception) -> None:
    """Let a task end with `error` where nobody fetches it."""

    async def fail() -> None:
        raise error

    lost = asyncio.ensure_future(fail())
    await asyncio.wait({lost})


@pytest.mark.parametrize("somewhere", [broken_connection, forgotten_task])
async def test_it_is_noticed_where_nobody_of_ours_is_told(somewhere: Callable[[Exception], Awaitable[None]]) -> None:
    with noticed() as exhausted:
        await somewhere(ValueError())
        assert not exhausted.is_set()
        await somewhere(MemoryError())
        assert exhausted.is_set()


async def test_others_still_hear_what_the_loop_says() -> None:
    heard: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))
    handler, error = loop.get_exception_handler(), MemoryError()
    with noticed():
        loop.call_exception_handler({"message": "a task", "exception": error})
    assert heard == [error]
    assert loop.get_exception_handler() is handler


# What the engine does with it


def engine(member: Callable[[], Awaitable[None]], told: Told) -> Engine[int]:
    made = Engine(CountingStage("counted"), LanePlan[int]([]), SETTINGS, told)
    cast("Any", made)._be_member = member
    return made


@pytest.mark.parametrize("kind", [KafkaError, KafkaConnectionError])
async def test_the_engine_ends_when_a_membership_ended_for_want_of_memory(kind: type[KafkaError]) -> None:
    async def member() -> None:
        raise kind from MemoryError()

    told = Told()
    with pytest.raises(MemoryError):
        await asyncio.wait_for(engine(member, told).run(), 20)
    assert told.of(Happening.GIVEN_UP) == told.of(Happening.KAFKA_AWAITED) == []


async def test_the_engine_ends_when_the_client_ran_out_of_memory_and_goes_on_trying() -> None:
    left = asyncio.Event()

    async def member() -> None:
        try:
            await broken_connection(MemoryError())
            await asyncio.Event().wait()
        finally:
            left.set()

    with pytest.raises(MemoryError):
        await asyncio.wait_for(engine(member, Told()).run(), 20)
    assert left.is_set()


async def test_the_engine_joins_anew_after_anything_else() -> None:
    told, times = Told(), 0

    async def member() -> None:
        nonlocal times
        times += 1
        if times == 3:
            made.stop()
            return
        raise KafkaError from ValueError()

    made = engine(member, told)
    await asyncio.wait_for(made.run(), 20)
    assert len(told.of(Happening.GIVEN_UP)) == 2
