"""A script is played in order per dossier, across partners, and dossiers do not wait for each other."""

from __future__ import annotations

import asyncio

import pytest

from expathub.core.records import Position
from expathub.testing.playing import Player
from expathub.testing.script import Fate, Outcome, Publication, Script


def publication(number: int, partner: str, subject: str, after: int | None = None) -> Publication:
    event = ("urn:x", str(number))
    return Publication(number, partner, subject, "acts", event, b"{}", (), Fate(Outcome.ACCEPTED), after)


class Kafka:
    """Gives offsets, and keeps what was sent in the order of its sending."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    async def send(self, publication: Publication) -> Position:
        self.numbers.append(publication.number)
        await asyncio.sleep(0)
        return Position(publication.topic, 0, publication.number)


SCRIPT = Script((publication(0, "ind", "a"), publication(1, "vaals", "a", after=0), publication(2, "stein", "b")), {})


async def test_another_partners_word_waits_for_the_decision_and_other_dossiers_go_on() -> None:
    kafka = Kafka()
    player = Player(kafka.send)
    playing = asyncio.create_task(player.play(SCRIPT, per_second=1e6))
    await asyncio.sleep(0.05)
    assert kafka.numbers == [0, 2]
    player.note_decided(Position("outbox.ind", 0, 0))
    sent = await playing
    assert kafka.numbers == [0, 2, 1]
    assert [one.publication.number for one in sent] == [0, 2, 1]


async def test_a_decision_that_comes_before_the_acknowledgement_counts() -> None:
    kafka = Kafka()
    player = Player(kafka.send, on_sending=lambda one: player.note_decided(Position(one.topic, 0, one.number)))
    async with asyncio.timeout(5):
        await player.play(SCRIPT, per_second=1e6)
    assert 1 in kafka.numbers


async def test_records_leave_no_faster_than_asked() -> None:
    moments: list[float] = []
    loop = asyncio.get_running_loop()
    player = Player(Kafka().send, on_sending=lambda _: moments.append(loop.time()))
    calm = Script((publication(0, "ind", "a"), publication(1, "ind", "a"), publication(2, "ind", "b")), {})
    await player.play(calm, per_second=20)
    assert moments[-1] - moments[0] >= 0.09


async def test_a_failed_send_ends_the_play() -> None:
    async def fail(_: Publication) -> Position:
        raise ConnectionError("gone")

    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await Player(fail).play(SCRIPT, per_second=1e6)
