"""One contract, two hubs: the one in memory and real services on a real Kafka do and show the same.

Every journey is lived on both. On each, the judge that knows the rules by worked examples must find nothing; and what
can be seen (journal, refusals, receipts, inboxes, rows, headers, order) must be equal, but for offsets and the clock.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
import pytest

from expathub.configuration import load
from expathub.core.configuration import Configuration
from expathub.core.partners import HUB_OPERATOR
from expathub.core.records import InputRecord, Position
from expathub.shell import reference_keys
from expathub.shipped import shipped
from expathub.testing import journeys, mishaps
from expathub.testing.bad_input import CASES, ways
from expathub.testing.comparing import Observation, observe, observe_replay
from expathub.testing.history import History
from expathub.testing.hubs import Hub, InMemory, OnKafka
from expathub.testing.in_memory import STRUCTURED
from expathub.testing.judgement import judge
from expathub.testing.processes import Bench
from expathub.testing.region import Region
from expathub.testing.script import Publication
from expathub.testing.verdict import Sent

NOW = datetime.now(UTC)
"""One moment for both hubs, so that they are told the very same."""

OPERATOR = {"by": "operator@expathub.example", "why": "a test"}


@dataclass
class Stage:
    """One journey on one hub: what has been sent, and where it came to lie."""

    hub: Hub
    region: Region
    sent: list[Position] = field(default_factory=list)
    publications: list[Sent] = field(default_factory=list)
    replays: list[str] = field(default_factory=list)

    async def publish(self, publication: Publication) -> None:
        """Send a publication of the simulator."""
        position = await self.hub.publish(publication.partner, publication.value, publication.headers, publication.key)
        self.sent.append(position)
        self.publications.append(Sent(publication, position))

    async def send(self, partner: str, message: ways.Message) -> None:
        """Send any record."""
        self.sent.append(await self.hub.publish(partner, message.value, message.headers, message.key))

    async def order(self, word: str, subject: str, partner: str | None = None, *, all_of: bool = True) -> None:
        """Have the operator order something about a dossier: all that waits, or the first of it."""
        positions = None if all_of else [await self.first_waiting(subject)]
        source = self.region.configuration.partners.by_id[HUB_OPERATOR].source
        event = {
            "specversion": "1.0",
            "id": str(uuid.uuid5(uuid.UUID(subject), f"{word} {len(self.sent)}")),
            "source": source,
            "type": f"nl.expathub.{word}.v1",
            "subject": subject,
            "time": NOW.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {"partner": partner, "positions": positions, **OPERATOR},
        }
        await self.send(HUB_OPERATOR, ways.Message(orjson.dumps(event), STRUCTURED, subject.encode()))

    async def first_waiting(self, subject: str) -> str:
        """Find the place in the journal of the first that waits."""
        parked = [one for one in await self.hub.records() if one.position.topic == "hub.parked"]
        rows = [orjson.loads(one.value or b"") for one in parked if one.key == subject.encode()]
        return str(rows[0]["journal"])

    async def replay(self, subject: str) -> None:
        """Note that this dossier is to be played again at the end."""
        self.replays.append(subject)


Journey = Callable[[Stage], Awaitable[None]]


# --- journeys ----------------------------------------------------------------------------------------------------


def lived(journey: Callable[[journeys.World], journeys.Journey]) -> Journey:
    """Live a journey of the simulator, and play its dossier again."""

    async def play(stage: Stage) -> None:
        for publication in journey(journeys.World(stage.region)):
            await stage.publish(publication)
        await stage.replay(stage.publications[0].publication.subject)

    return play


async def is_answered_for_every_kind_of_bad_input(stage: Stage) -> None:
    """Send one case of each code, and the good event before it where the case says so."""
    once = {case.reason: case for case in CASES if len(case.message().value or b"") < 100_000}
    for case in once.values():
        if case.reason is None or case.sender != ways.CENTRE:
            continue
        if case.after_good:
            await stage.send(case.sender, ways.as_it_is(case.good()))
        await stage.send(case.sender, case.message())


async def goes_wrong_in_every_way(stage: Stage) -> None:
    """Have all mishaps of the simulator happen to one newcomer."""
    ilse = stage.region.newcomer()
    await stage.publish(ilse.arrives("maastricht"))
    for code in mishaps.MISHAPS:
        await stage.publish(mishaps.spoils(ilse, code))
    registered = ilse.home.registers(ilse)
    await stage.publish(registered)
    for _ in range(3):
        await stage.publish(mishaps.resends(ilse, registered))
    await stage.publish(mishaps.reuses_id(ilse, registered))


async def _waits_for_an_old_version(stage: Stage) -> str:
    """Move away from a municipality that cannot be told; what follows waits behind it."""
    ilse = stage.region.newcomer()
    await stage.publish(ilse.arrives("gulpen-wittem"))
    await stage.publish(ilse.moves_to("vaals", some_day=True))
    await stage.publish(ilse.moves_to("gulpen-wittem"))
    await stage.publish(stage.region.ind.grants_permit(ilse))
    return ilse.person.dossier


async def is_released_in_vain(stage: Stage) -> None:
    subject = await _waits_for_an_old_version(stage)
    await stage.order("vrijgegeven", subject)
    await stage.order("vrijgegeven", subject, "gulpen-wittem", all_of=False)


async def has_what_waits_discarded(stage: Stage) -> None:
    subject = await _waits_for_an_old_version(stage)
    await stage.order("weggelegd", subject, "gulpen-wittem", all_of=False)
    await stage.replay(subject)


async def has_everything_discarded(stage: Stage) -> None:
    subject = await _waits_for_an_old_version(stage)
    await stage.order("weggelegd", subject)
    await stage.order("weggelegd", subject)


async def is_erased(stage: Stage) -> None:
    subject = await _waits_for_an_old_version(stage)
    await stage.order("gewist", subject)
    await stage.replay(subject)


async def is_erased_and_comes_back(stage: Stage) -> None:
    ilse = stage.region.newcomer()
    await stage.publish(ilse.arrives("maastricht"))
    await stage.publish(ilse.home.registers(ilse, secret=True))
    await stage.order("gewist", ilse.person.dossier)
    await stage.publish(ilse.arrives("vaals"))


async def waits_for_a_residence_that_an_operator_puts_aside(stage: Stage) -> None:
    ilse = stage.region.newcomer()
    await stage.publish(stage.region.ind.grants_permit(ilse))
    await stage.publish(stage.region.centre.plans_appointment(ilse))
    await stage.order("weggelegd", ilse.person.dossier, all_of=False)
    await stage.publish(ilse.arrives("stein"))


async def is_corrected_before_anybody_was_told(stage: Stage) -> None:
    ilse = stage.region.newcomer()
    await stage.publish(stage.region.municipality("beek").corrects(ilse))
    await stage.publish(ilse.arrives("beek"))
    await stage.publish(ilse.home.corrects(ilse))


ON_BOTH: dict[str, Journey] = {
    **{journey.__name__: lived(journey) for journey in dict.fromkeys(journeys.JOURNEYS)},
    **{
        journey.__name__: journey
        for journey in (
            is_answered_for_every_kind_of_bad_input,
            goes_wrong_in_every_way,
            is_corrected_before_anybody_was_told,
            is_released_in_vain,
            has_what_waits_discarded,
            has_everything_discarded,
            is_erased,
            is_erased_and_comes_back,
            waits_for_a_residence_that_an_operator_puts_aside,
        )
    },
}
JUDGED = [name for name in ON_BOTH if name in {journey.__name__ for journey in journeys.JOURNEYS}]
JUDGED += [goes_wrong_in_every_way.__name__, is_corrected_before_anybody_was_told.__name__]
"""Journeys that only the simulator's partners act in: their outcome is known without the hub's code."""


# --- both hubs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lived:
    """What was sent on one hub, what all its topics hold in the end, and what a replay yields."""

    stages: dict[str, Stage]
    records: tuple[InputRecord, ...]
    replays: dict[str, list[Any]]

    def seen(self, name: str) -> Observation:
        return observe(self.stages[name].sent, self.records)


async def live(hub: Hub, configuration: Configuration) -> Lived:
    """Live all journeys on a hub, one after the other."""
    stages = {
        name: Stage(hub, Region(configuration, seed=number, now=NOW, run=name)) for number, name in enumerate(ON_BOTH)
    }
    for name, journey in ON_BOTH.items():
        await journey(stages[name])
    records = tuple(await hub.records())
    replays = {
        name: [observe_replay(stage.sent, records, await hub.replay(subject)) for subject in stage.replays]
        for name, stage in stages.items()
    }
    return Lived(stages, records, replays)


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(shipped("deploy", "partners.yaml"), shipped("schemas"))


@pytest.fixture(scope="module")
def bench(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("hub"))
    assert bench.command("provision", "apply").code == 0
    return bench


@pytest.fixture(scope="module")
def on_kafka(bench: Bench, configuration: Configuration) -> Lived:
    """Live all journeys on real services, once."""

    async def play() -> Lived:
        keys = reference_keys.load(bench.data / "reference.key")
        async with OnKafka.of(bench.bootstrap, configuration, keys) as hub:
            return await live(hub, configuration)

    with bench.service("up") as up:
        for service in ("intake", "dispatch"):
            up.wait_until_ready(service)
        return asyncio.run(play())


@pytest.fixture(scope="module")
def in_memory(bench: Bench, configuration: Configuration) -> Lived:
    """Live all journeys in memory, with the same keys for references."""
    keys = reference_keys.load(bench.data / "reference.key")
    return asyncio.run(live(InMemory(configuration, keys, int(NOW.timestamp() * 1000)), configuration))


@pytest.fixture(params=["in memory", "on Kafka"])
def either(request: pytest.FixtureRequest, in_memory: Lived) -> Lived:
    lived: Lived = in_memory if request.param == "in memory" else request.getfixturevalue("on_kafka")
    return lived


@pytest.mark.parametrize("name", JUDGED)
def test_the_judge_finds_nothing(either: Lived, name: str) -> None:
    stage = either.stages[name]
    origins, script = set(stage.sent), stage.region.script()
    sent = [Sent(script.publications[one.publication.number], one.position) for one in stage.publications]

    verdict = judge(history_of(either, origins), sent, script)

    assert verdict.findings == ()
    assert verdict.accepted + verdict.refused + verdict.duplicates == len(origins)


def history_of(lived: Lived, origins: set[Position]) -> History:
    """Keep of all records those that came of these."""
    sent = {str(position) for position in origins}
    accepted = {
        str(record.position)
        for record in lived.records
        if record.position.topic == "hub.journal" and origin(record) in sent
    }
    return History.of(
        record
        for record in lived.records
        if record.position in origins or origin(record) in sent or origin(record) in accepted
    )


def origin(record: InputRecord) -> str:
    return (record.header("hub-origin") or b"").decode()


@pytest.mark.parametrize("name", ON_BOTH)
def test_both_hubs_show_the_same(in_memory: Lived, on_kafka: Lived, name: str) -> None:
    expected = in_memory.seen(name)

    assert expected
    assert sum(map(len, expected.values())) >= len(in_memory.stages[name].sent)
    assert dict(on_kafka.seen(name)) == dict(expected)


@pytest.mark.parametrize("name", [name for name in ON_BOTH if not name.startswith("is_answered")])
def test_both_hubs_replay_the_same(in_memory: Lived, on_kafka: Lived, name: str) -> None:
    assert on_kafka.replays[name] == in_memory.replays[name]


def test_what_is_compared_holds_every_kind_of_outcome(in_memory: Lived) -> None:
    rows = [row for name in ON_BOTH for place, rows in in_memory.seen(name).items() for row in rows if "hub." in place]
    values = [row["value"] for row in rows if isinstance(row["value"], dict)]
    held = {value["held"] for value in values if "held" in value}
    withheld = {value["withheld"] for value in values if "withheld" in value}
    assert held >= {"residence-unknown", "unreachable-version", "held-behind"}
    assert withheld >= {"secrecy", "command", "discarded", "no-recipient"}
    assert any("fields" in value for value in values)
    codes = {value for row in rows for name, value in row["headers"] if name == "hub-code"}
    assert len(codes) >= 40
    assert "duplicate" in codes
    assert any(replays for replays in in_memory.replays.values())


def test_the_comparison_would_notice(in_memory: Lived) -> None:
    """A record less, another order, another header or another value: each is another observation."""
    sent, records = in_memory.stages["settles"].sent, in_memory.records
    whole = observe(sent, records)
    ours = [
        at
        for at, record in enumerate(records)
        if record.position.topic == "inbox.ind" and observe(sent, [*_journal(records), record])
    ]
    first, last = ours[0], ours[-1]
    without = [*records[:first], *records[first + 1 :]]
    swapped = list(records)
    swapped[first], swapped[last] = _moved(records[last], records[first]), _moved(records[first], records[last])
    headed = [
        *records[:first],
        _with(records[first], headers=(*records[first].headers, ("x", b"y"))),
        *records[first + 1 :],
    ]
    other = [*records[:first], _with(records[first], value=b"{}"), *records[first + 1 :]]

    assert first != last
    for changed in (without, swapped, headed, other):
        assert observe(sent, changed) != whole
    assert observe(sent, records) == whole


def _journal(records: tuple[InputRecord, ...]) -> list[InputRecord]:
    return [record for record in records if record.position.topic == "hub.journal"]


def _moved(record: InputRecord, to: InputRecord) -> InputRecord:
    return _with(record, position=to.position)


def _with(record: InputRecord, **changes: Any) -> InputRecord:
    return msgspec.structs.replace(record, **changes)
