"""Reaching Kafka, or saying that it does not answer."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from expathub.errors import KafkaUnreachableError, MisconfiguredError
from expathub.kafka import waiting


@pytest.mark.parametrize("bootstrap", ["kafka:9092", "127.0.0.1:1, 127.0.0.1:65535", "[::1]:9092"])
def test_a_list_of_host_and_port_is_an_address(bootstrap: str) -> None:
    waiting.check_address(bootstrap)


@pytest.mark.parametrize("bootstrap", ["kafka", ":9092", "kafka:", "kafka:0", "kafka:65536", "kafka:x", "a:1,,b:2"])
def test_anything_else_is_none(bootstrap: str) -> None:
    with pytest.raises(MisconfiguredError, match="HOST:PORT"):
        waiting.check_address(bootstrap)


def test_pauses_double_up_to_their_bound() -> None:
    first = list(itertools.islice(waiting.pauses(), 8))

    assert first == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


async def test_a_command_gives_up_in_time_and_names_the_address() -> None:
    with pytest.raises(KafkaUnreachableError, match=r"Kafka at 127\.0\.0\.1:1 does not answer after 0\.3 s\."):
        await waiting.reach("127.0.0.1:1", 0.3)


async def test_silence_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, True])
    told: list[None] = []

    async def answer(_: str) -> bool:
        return next(answers)

    monkeypatch.setattr(waiting, "answers", answer)
    await waiting.wait("127.0.0.1:1", lambda: told.append(None))

    assert len(told) == 1


async def test_kafka_that_answers_at_once_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[None] = []

    async def answer(_: str) -> bool:
        return True

    monkeypatch.setattr(waiting, "answers", answer)
    await waiting.wait("127.0.0.1:1", lambda: told.append(None))

    assert told == []


def test_a_connection_lost_on_the_way_is_kafka_that_does_not_answer() -> None:
    with pytest.raises(KafkaUnreachableError), waiting.giving_up("127.0.0.1:1"):
        raise KafkaConnectionError


async def test_only_who_waits_is_hushed_and_others_in_the_process_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    waiting_for = asyncio.create_task(waiting.wait("127.0.0.1:1"))
    other = AIOKafkaClient(bootstrap_servers="127.0.0.1:2")
    try:
        await asyncio.sleep(0.2)
        with pytest.raises(KafkaConnectionError):
            await other.bootstrap()
    finally:
        waiting_for.cancel()
        await asyncio.wait({waiting_for})
        await other.close()

    said = [record.getMessage() for record in caplog.records if record.name.startswith("aiokafka")]
    assert any("127.0.0.1:2" in line for line in said)
    assert not any("127.0.0.1:1:" in line for line in said)
