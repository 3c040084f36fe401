"""A careful partner: what it does not know it sends again, what it takes back it says, and all of it is in the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from expathub.core.records import Position
from expathub.testing import sending
from expathub.testing.operations import End, OperationLog, read
from expathub.testing.script import Fate, Outcome, Publication
from expathub.testing.sending import Sender

PUBLICATION = Publication(0, "ind", "d", "acts", ("urn:x", "1"), b"{}", (), Fate(Outcome.ACCEPTED))


@dataclass
class Broker:
    """Stores what producers send; the first `silent` answers get lost on their way."""

    silent: int = 0
    stored: list[tuple[str | None, str]] = field(default_factory=list)
    producers: int = 0


@dataclass
class Producer:
    """Stands in for the client, as far as a sender uses it."""

    broker: Broker
    transactional_id: str | None = None
    aborted: bool = False

    async def start(self) -> None:
        self.broker.producers += 1

    async def stop(self) -> None: ...

    async def begin_transaction(self) -> None: ...

    async def abort_transaction(self) -> None:
        self.aborted = True
        self.broker.stored[-1] = ("aborted", self.broker.stored[-1][1])

    async def send_and_wait(self, topic: str, *_: object, partition: int, **__: object) -> Any:
        self.broker.stored.append((self.transactional_id, topic))
        if self.broker.silent:
            self.broker.silent -= 1
            raise KafkaTimeoutError
        return SimpleNamespace(topic=topic, partition=partition, offset=len(self.broker.stored) - 1)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(sending, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(
        sending, "AIOKafkaProducer", lambda **settings: Producer(made, settings.get("transactional_id"))
    )
    return made


async def test_an_answer_that_got_lost_is_unknown_and_the_event_is_sent_again(broker: Broker, tmp_path: Path) -> None:
    broker.silent = 2
    with OperationLog(tmp_path / "log") as log:
        async with Sender.of("kafka:9092", log) as sender:
            assert Position("outbox.ind", 0, 2) == await sender.send(PUBLICATION)
    assert [End.UNKNOWN, End.UNKNOWN, End.OK] == [one.end for one in read(tmp_path / "log")]
    assert 3 == broker.producers, "after an error a producer is not used again"


async def test_without_a_log_an_error_is_the_callers(broker: Broker) -> None:
    broker.silent = 1
    async with Sender.of("kafka:9092") as sender:
        with pytest.raises(KafkaTimeoutError):
            await sender.send(PUBLICATION)


async def test_what_is_taken_back_first_is_logged_as_failed(broker: Broker, tmp_path: Path) -> None:
    with OperationLog(tmp_path / "log") as log:
        async with Sender.of("kafka:9092", log, abort_every=1) as sender:
            await sender.send(PUBLICATION)
    taken_back, sent = read(tmp_path / "log")
    assert (End.FAILED, Position("outbox.ind", 0, 0)) == (taken_back.end, taken_back.position)
    assert (End.OK, Position("outbox.ind", 0, 1)) == (sent.end, sent.position)
    assert [("aborted", "outbox.ind"), (None, "outbox.ind")] == broker.stored


async def test_nothing_is_taken_back_without_a_log() -> None:
    with pytest.raises(ValueError, match="logged"):
        async with Sender.of("kafka:9092", abort_every=1):
            pass
