"""The shell around an engine: its life and exit code, its address, its log."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import structlog
from prometheus_client import CollectorRegistry

from expathub import metrics
from expathub.core.catalogue import Catalogue
from expathub.core.configuration import Configuration
from expathub.core.partners import Partners
from expathub.errors import MisconfiguredError
from expathub.kafka import waiting
from expathub.kafka.observer import BatchReport, Cause, Happening, Health, LaneHealth, Observer, Phase
from expathub.metrics import Label, Metrics, Service
from expathub.settings import Settings
from expathub.shell import life as life_module
from expathub.shell.address import address_of, announced, bound
from expathub.shell.collecting import THRESHOLDS
from expathub.shell.life import Life
from expathub.shell.plan import Ground, Plan, Worker
from expathub.shell.seldom import AGAIN_SECONDS, Seldom
from expathub.shell.serving import run_together
from expathub.shell.witness import ENGINE_VALUES, Witness

T = TypeVar("T")

HEALTHY = Health(ready=True, joined=True, lanes={"outbox.ind/0": LaneHealth(Phase.RUNNING)})


class Engine:
    """An engine that does what the test says."""

    def __init__(self, work: Callable[[asyncio.Event], asyncio.Future[None]] | None = None) -> None:
        self.health_now = HEALTHY
        self.stopped = asyncio.Event()
        self._work = work

    async def run(self) -> None:
        if self._work is None:
            await self.stopped.wait()
        else:
            await self._work(self.stopped)

    def stop(self) -> None:
        self.stopped.set()

    def health(self) -> Health:
        return self.health_now


@pytest.fixture(autouse=True)
def kafka_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Kafka answer at once: these tests are about what comes after."""

    async def answers(_: str) -> bool:
        return True

    monkeypatch.setattr(waiting, "answers", answers)


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave Python's collector as it was: a service sets it for its own process."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    configuration = Configuration(Catalogue({}), Partners(1, "urn:nld:oin:00000099000000000001", {}), "ab" * 32)
    return Ground(Settings(data=tmp_path, bootstrap="127.0.0.1:9092"), configuration)


def living(engine: Worker, ground: Ground) -> Life:
    """Make a life around an engine; the application only begins and ends it, as FastStream's hooks do."""

    async def application(
        scope: dict[str, str], receive: Callable[[], object], send: Callable[[object], object]
    ) -> None:
        assert scope["type"] == "lifespan"
        await receive()  # type: ignore[misc]
        await send({"type": "lifespan.startup.complete"})  # type: ignore[misc]
        await life.begin()
        await receive()  # type: ignore[misc]
        await life.end()
        await send({"type": "lifespan.shutdown.complete"})  # type: ignore[misc]

    def make(_: Ground, __: Observer) -> Worker:
        return engine

    plan = Plan(Service.INTAKE, "test", lambda _: None, make, lambda _, __: None, lambda _: {})
    life = Life(plan, application)
    life.prepare(ground)
    return life


async def ended(*lives: Life) -> int:
    async with asyncio.timeout(20):
        return await run_together(lives)


async def test_an_engine_that_was_asked_to_stop_ends_with_0(ground: Ground) -> None:
    life = living(Engine(), ground)
    asyncio.get_running_loop().call_later(0.3, life.stop)

    assert await ended(life) == 0


async def test_an_engine_that_ends_unasked_ends_the_process_with_1(ground: Ground) -> None:
    async def nothing(_: asyncio.Event) -> None:
        await asyncio.sleep(0)

    assert await ended(living(Engine(nothing), ground)) == 1  # type: ignore[arg-type]


async def test_an_engine_that_breaks_ends_the_process_with_1(ground: Ground) -> None:
    async def broken(_: asyncio.Event) -> None:
        raise RuntimeError("a fault of ours")

    assert await ended(living(Engine(broken), ground)) == 1  # type: ignore[arg-type]


async def test_a_process_without_memory_ends_though_it_cannot_say_why(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def exhausted(_: asyncio.Event) -> None:
        def out_of_memory(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr(life._log, "critical", out_of_memory, raising=False)  # noqa: SLF001 (what would fail)
        raise MemoryError

    life = living(Engine(exhausted), ground)  # type: ignore[arg-type]

    assert await ended(life) == 1


async def test_an_engine_that_names_its_reason_ends_the_process_with_that_code(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refused(_: asyncio.Event) -> None:
        raise MisconfiguredError("It is wrong.", "Mend it.")

    assert await ended(living(Engine(refused), ground)) == 78  # type: ignore[arg-type]
    assert "expathub: It is wrong. Mend it.\n" in capsys.readouterr().err


async def test_one_service_that_ends_takes_the_others_with_it(ground: Ground) -> None:
    async def broken(_: asyncio.Event) -> None:
        raise RuntimeError("a fault of ours")

    other = living(Engine(), ground)

    assert await ended(living(Engine(broken), ground), other) == 1  # type: ignore[arg-type]
    assert other.exit_code == 0


async def test_an_engine_that_does_not_stop_is_cancelled_and_that_is_no_success(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stubborn(_: asyncio.Event) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(life_module, "DRAIN_SECONDS", 0.2)
    life = living(Engine(stubborn), ground)  # type: ignore[arg-type]
    asyncio.get_running_loop().call_later(0.3, life.stop)

    assert await ended(life) == 1


async def soon(look: Callable[[], T], life: Life) -> T:
    """Look at a running service, stop it, and return what was seen."""
    running = asyncio.create_task(ended(life))
    await asyncio.sleep(0.3)
    seen = look()
    life.stop()
    await running
    return seen


async def test_a_service_is_not_ready_before_its_engine_runs_and_after_it_was_told_to_stop(ground: Ground) -> None:
    life = living(Engine(), ground)

    before = life.state().why
    during = await soon(life.state, life)
    after = life.state()

    assert before == "starting"
    assert (during.ready, during.why) == (True, None)
    assert (after.alive, after.ready, after.why) == (True, False, "stopping")


async def test_the_collector_no_longer_looks_at_what_is_there_when_an_engine_begins(ground: Ground) -> None:
    gc.unfreeze()
    life = living(Engine(), ground)

    frozen, thresholds = await soon(lambda: (gc.get_freeze_count(), gc.get_threshold()), life)

    assert frozen > 10_000
    assert THRESHOLDS == thresholds


@pytest.mark.parametrize(
    ("health", "why"),
    [
        (Health(ready=False, joined=False, lanes={}), "not-joined"),
        (Health(ready=False, joined=True, lanes={"a/0": LaneHealth(Phase.TAKING_OVER)}), "taking-over"),
        (
            Health(ready=False, joined=True, lanes={"a/0": LaneHealth(Phase.STOPPED, Cause.CONFIGURATION_OLDER)}),
            "configuration-older",
        ),
        (HEALTHY, None),
    ],
)
async def test_what_keeps_a_service_from_being_ready_is_named(ground: Ground, health: Health, why: str | None) -> None:
    engine = Engine()
    engine.health_now = health
    life = living(engine, ground)

    assert await soon(lambda: life.state().why, life) == why


async def test_the_address_is_in_a_file_for_as_long_as_the_service_answers(ground: Ground) -> None:
    life = living(Engine(), ground)
    folder = ground.settings.data / "run"

    (name,) = await soon(lambda: [path.name for path in folder.iterdir()], life)

    assert name.startswith("intake-")
    assert list(folder.iterdir()) == []


def test_a_port_that_is_taken_is_said() -> None:
    with bound("127.0.0.1", 0) as taken, pytest.raises(MisconfiguredError, match="EXPATHUB_HTTP_PORT"):
        bound("127.0.0.1", taken.getsockname()[1])


def test_an_address_shows_where_a_browser_would_go() -> None:
    with bound("127.0.0.1", 0) as taken:
        address = address_of("intake", taken, "1.0")

        assert address.address == f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_an_ipv6_address_is_written_in_brackets() -> None:
    try:
        taken = bound("::1", 0)
    except MisconfiguredError:
        pytest.skip("this machine has no IPv6")
    with taken:
        assert address_of("intake", taken, "1.0").address.startswith("http://[::1]:")


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where a folder must be")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = address_of("intake", taken, "1.0")

        with pytest.raises(MisconfiguredError, match="EXPATHUB_DATA"), announced(address, tmp_path):
            pass


@pytest.fixture
def lines() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as captured:
        yield captured  # type: ignore[misc]


def witness(counted: Callable[[Metrics, BatchReport], None] = lambda _, __: None) -> tuple[Witness, CollectorRegistry]:
    measured = Metrics(Service.INTAKE, {**ENGINE_VALUES, Label.PARTNER: ("ind",), Label.CODE: ("schema",)})
    return Witness(Service.INTAKE, measured, counted), measured.registry


def test_a_batch_is_one_line_and_counted(lines: list[dict[str, object]]) -> None:
    told, registry = witness(
        lambda measured, report: measured.count(metrics.INTAKE_RECORDS, report.records, "ind", "schema")
    )

    told.batch(BatchReport("outbox.ind/0", 3, 7, 6, {"refused:schema": 3}, 0.0123, 0.004))

    (line,) = lines
    assert (line["event"], line["tally"], line["milliseconds"]) == ("batch_committed", {"refused:schema": 3}, 12.3)
    assert registry.get_sample_value("hub_records_total") == 3
    assert registry.get_sample_value("hub_intake_records_total", {"partner": "ind", "code": "schema"}) == 3
    assert registry.get_sample_value("hub_batch_records_count") == 1


@pytest.mark.parametrize(
    ("name", "level"),
    [(Happening.TAKEN_OVER, "info"), (Happening.GIVEN_UP, "warning"), (Happening.POISONED, "error")],
)
def test_a_named_event_is_one_line_of_its_level_and_counted(
    lines: list[dict[str, object]], name: Happening, level: str
) -> None:
    told, registry = witness()

    told.event(name, "outbox.ind/0", {"seconds": 1.5})

    assert lines == [
        {"service": "intake", "event": name.value, "lane": "outbox.ind/0", "seconds": 1.5, "log_level": level}
    ]
    assert registry.get_sample_value("hub_engine_events_total", {"event": name.value}) == 1


def test_the_gauges_follow_the_lanes() -> None:
    told, registry = witness()
    lanes = {
        "a/0": LaneHealth(Phase.RUNNING),
        "b/0": LaneHealth(Phase.RUNNING),
        "c/0": LaneHealth(Phase.STOPPED, Cause.DISAGREE),
    }

    told.health(Health(ready=False, joined=True, lanes=lanes))
    assert registry.get_sample_value("hub_lanes", {"phase": "running"}) == 2
    assert registry.get_sample_value("hub_lanes_stopped", {"cause": Cause.DISAGREE.value}) == 1

    told.health(HEALTHY)
    assert registry.get_sample_value("hub_lanes", {"phase": "running"}) == 1
    assert registry.get_sample_value("hub_lanes_stopped", {"cause": Cause.DISAGREE.value}) == 0


def test_a_library_says_the_same_seldom_and_how_often_it_was_kept_back() -> None:
    now = [0.0]
    seldom = Seldom(lambda: now[0])

    def say(line: int) -> dict[str, object] | None:
        record = logging.LogRecord("aiokafka", logging.ERROR, "client.py", line, "", None, None)
        record.__dict__["expathub_fields"] = {}
        return record.__dict__["expathub_fields"] if seldom.filter(record) else None

    assert [say(1), say(1), say(1), say(2)] == [{}, None, None, {}]
    now[0] = AGAIN_SECONDS
    assert say(1) == {"kept_back": 2}
    assert json.dumps(say(1)) == "null"
