"""The demonstration without Kafka: the board, what is drawn of it, a partner's program, and who tidies up."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest
import typer
from faststream.kafka import TestKafkaBroker
from rich.console import Console

from expathub.cli import demo as cli
from expathub.cli.demo import figures
from expathub.configuration import load
from expathub.core.configuration import Configuration
from expathub.core.records import Position
from expathub.core.references import ReferenceKeys
from expathub.demo import partner, picture
from expathub.demo.board import Board, Line
from expathub.demo.caretaker import Caretaker
from expathub.demo.partner import Notification
from expathub.demo.run import Outcome, pace
from expathub.demo.show import LiveShow, PlainShow, QuietShow, drawing
from expathub.demo.summary import summary
from expathub.demo.view import View, outcome, plain
from expathub.errors import UsageError
from expathub.kafka.local_broker import processes
from expathub.shipped import shipped
from expathub.testing import journeys
from expathub.testing.history import History, parse
from expathub.testing.in_memory import MemoryHub
from expathub.testing.judgement import judge
from expathub.testing.script import Script
from expathub.testing.verdict import Finding, Kind, Sent, Verdict

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENTS = 120


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(shipped("deploy", "partners.yaml"), shipped("schemas"))


@pytest.fixture(scope="module")
def script(configuration: Configuration) -> Script:
    return journeys.write(configuration, events=EVENTS, seed=1, now=NOW)


def performed(script: Script, configuration: Configuration, *, records_first: bool = False) -> Outcome:
    """Play a script on a hub in memory, with a board that learns of offsets before or after the records."""
    hub = MemoryHub(configuration, ReferenceKeys({1: bytes(32)}), int(NOW.timestamp() * 1000))
    board = Board(script, [name for name in configuration.partners.by_id if name != "hub-operator"])
    sent = []
    for publication in script.publications:
        hub.now_ms += 50
        position = hub.publish(publication.partner, publication.value, publication.headers, publication.key)
        board.sending(publication, at=publication.number)
        sent.append(Sent(publication, position))
    for what in ("records", "offsets") if records_first else ("offsets", "records"):
        if what == "records":
            read_all(board, hub)
        else:
            for one in sent:
                board.sent(one)
    for events in board.received.values():
        for received in events:
            board.arrived(received.partner, received.event, at=1_000_000)
    return Outcome(board, judge(History.of(hub.everything()), sent, script), seconds=12.3)


def read_all(board: Board, hub: MemoryHub) -> None:
    for record in hub.everything():
        part = parse(record)
        if part is not None:
            board.read(part)


@pytest.fixture(scope="module")
def played(script: Script, configuration: Configuration) -> Outcome:
    return performed(script, configuration)


def drawn(*parts: Any, width: int = 80, height: int = 30) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    console.print(*parts)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


# --- the board ---


def test_a_board_counts_what_the_judge_counts(played: Outcome) -> None:
    board, found = played.board, played.verdict
    assert found.is_clean
    assert board.counts["published"] == EVENTS
    assert (board.counts["accepted"], board.counts["refused"], board.counts["duplicate"]) == (
        found.accepted,
        found.refused,
        found.duplicates,
    )
    assert board.counts["told"] == found.disclosures
    assert board.held == found.parked
    assert board.is_settled
    assert board.has_arrived


def test_it_does_not_matter_whether_offsets_or_records_are_known_first(
    script: Script, configuration: Configuration, played: Outcome
) -> None:
    other = performed(script, configuration, records_first=True).board
    assert [plain(line) for line in other.lines] == [plain(line) for line in played.board.lines]
    assert other.counts == played.board.counts


def test_a_board_passes_over_the_records_of_others(script: Script, configuration: Configuration) -> None:
    others = journeys.write(configuration, events=EVENTS, seed=1, now=NOW, run="somebody else's")
    hub = MemoryHub(configuration, ReferenceKeys({1: bytes(32)}), 1)
    for publication in others.publications:
        hub.publish(publication.partner, publication.value, publication.headers, publication.key)
    board = Board(script, [])
    read_all(board, hub)
    board.arrived("ind", others.publications[0].event, at=1)
    assert not board.counts
    assert not board.received


def test_every_partners_figures_add_up(played: Outcome) -> None:
    tallies = played.board.tallies.values()
    assert sum(one.sent for one in tallies) == EVENTS
    assert sum(one.told for one in tallies) == played.verdict.disclosures
    assert sum(one.receipts for one in tallies) == sum(one.refused for one in tallies) == played.verdict.refused


def test_lag_is_what_each_stage_has_still_to_do(script: Script) -> None:
    board = Board(script, [])
    publication = script.publications[0]
    board.sending(publication, at=0)
    assert not board.is_settled
    board.sent(Sent(publication, Position(publication.topic, 0, 0)))
    assert board.lag == {"intake": 1, "dispatch": 0}


def test_latency_is_measured_where_nothing_had_to_wait(script: Script) -> None:
    board = Board(script, [])
    waited = next(one for one in script.publications if one.fate.waited)
    quick = script.publications[0]
    assert board.latency_ms(50) is None
    for publication in (waited, quick):
        board.sending(publication, at=1.0)
    board.arrived(next(iter(waited.fate.waited)), waited.event, at=9.0)
    board.arrived("ind", quick.event, at=1.02)
    assert board.latency_ms(50) == pytest.approx(20)
    assert board.latency_ms(99) == pytest.approx(20)


# --- what is drawn ---


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("height", [24, 30, 60])
def test_the_picture_fits_the_window(played: Outcome, width: int, height: int) -> None:
    text = drawn(View(played.board, EVENTS), width=width, height=height)
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= height
    for word in ("expathub demo", f"{EVENTS}/{EVENTS} events", "maastricht", "intake behind 0", "dispatch behind 0"):
        assert word in text


def test_each_outcome_is_said_in_words(played: Outcome) -> None:
    said = {plain(line).split(": ", 2)[2] for line in played.board.lines}
    assert any(one.startswith("→ everyone") for one in said)
    assert "refused: malformed-json" in said
    assert any(one.endswith("sent before, told once") for one in said)
    assert any("waits: unreachable-version" in one for one in said)
    assert any("not told: secrecy" in one for one in said)


def test_what_is_not_known_yet_is_said_too(script: Script) -> None:
    line = Line(script.publications[0], 0)
    assert outcome(line).plain == "…"
    line.outcome = "accepted"
    assert outcome(line).plain == "accepted …"
    line.is_handled, line.withheld = True, [("", "no-recipient")]
    assert outcome(line).plain == "nobody told: no-recipient"


def test_the_summary_tells_a_story_and_the_verdict(played: Outcome) -> None:
    text = drawn(summary(played))
    assert "nothing lost, doubled, torn, reordered or over-disclosed" in text
    assert "reads v1: " in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_summary_names_what_is_wrong(played: Outcome) -> None:
    findings = tuple(Finding(Kind.LOST, "not told", f"event {number}", "vaals") for number in range(25))
    bad = Outcome(played.board, Verdict(findings, 1, 0, 0, 1, 0), 1)
    text = drawn(summary(bad))
    assert "Something is wrong: lost 25." in text
    assert "L1 lost: not told (vaals) at event 0" in text
    assert "… and 5 more" in text


def test_a_story_needs_somebody_who_was_told(script: Script) -> None:
    nothing = Outcome(Board(script, []), Verdict((), 0, 0, 0, 0, 0), 0)
    assert "Nobody's dossier was told to anybody." in drawn(summary(nothing))


def test_nothing_personal_is_drawn(played: Outcome, script: Script) -> None:
    text = drawn(View(played.board, EVENTS), summary(played), height=200)
    assert not [secret for secret in script.secrets if secret in text]


def test_the_svg_is_well_formed_and_asks_nothing_of_the_web(played: Outcome, tmp_path: Path) -> None:
    file = tmp_path / "demo.svg"
    picture.save(picture.parts(played), file)
    text = file.read_text("utf-8")
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own file
    assert "expathub" in text
    assert text.count("http") == text.count('xmlns="http://www.w3.org/2000/svg"')
    assert "url(http" not in text


def test_the_figures_are_those_that_were_promised(played: Outcome) -> None:
    found = figures(played)
    assert list(found) == [
        *("published", "accepted", "refused", "duplicates", "disclosures", "parked"),
        *("lost", "doubled", "reordered", "over_disclosed", "seconds", "p50_ms", "p99_ms"),
    ]
    assert found["published"] == EVENTS
    assert found["seconds"] == 12.3
    assert json.loads(orjson.dumps(found)) == found


def test_figures_without_an_arrival_say_so(script: Script) -> None:
    found = figures(Outcome(Board(script, []), Verdict((), 0, 0, 0, 0, 0), 0))
    assert (found["p50_ms"], found["p99_ms"]) == (None, None)


@pytest.mark.parametrize(("findings", "code"), [((), 0), ((Finding(Kind.LOST, "not told", "x"),), 1)])
def test_the_command_exits_with_1_if_anything_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script: Script, findings: Any, code: int
) -> None:
    async def demonstrate(*_: object, **__: object) -> Outcome:
        return Outcome(Board(script, []), Verdict(findings, 0, 0, 0, 0, 0), 0)

    monkeypatch.setattr(cli, "_demonstrate", demonstrate)
    monkeypatch.setattr(logging.getLogger("aiokafka"), "level", logging.NOTSET)
    if code:
        with pytest.raises(typer.Exit) as ended:
            cli.demo(as_json=True)
        assert ended.value.exit_code == code
    else:
        cli.demo(as_json=True)
    assert json.loads(capsys.readouterr().out)["lost"] == code


def test_a_picture_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        cli.demo(svg=tmp_path / "nowhere" / "demo.svg")


@pytest.mark.parametrize(("events", "expected"), [(1, 10), (400, 20), (1_000_000, 200)])
def test_the_pace_is_calm_at_least_and_brisk_at_most(events: int, expected: float) -> None:
    assert pace(events) == expected


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_without_a_terminal_each_fate_is_one_line(played: Outcome) -> None:
    console = Console(file=io.StringIO(), width=80)
    show = PlainShow(console)
    show.draw()
    show.note("starting a broker")
    show.begin(played.board)
    async with drawing(show):
        await asyncio.sleep(0.01)
    show.end(played)
    lines = text_of(console).splitlines()
    assert "starting a broker" in lines[0]
    assert sum(" s  " in line and ": " in line for line in lines) >= EVENTS
    assert "nothing lost" in text_of(console)


async def test_in_a_terminal_the_picture_changes_in_place(played: Outcome) -> None:
    console = Console(file=io.StringIO(), width=80, height=30, force_terminal=True)
    show = LiveShow(console)
    show.draw()
    show.note("starting a broker")
    show.begin(played.board)
    async with drawing(show):
        await asyncio.sleep(0.3)
        show.end(played)
    assert "\x1b[" in text_of(console)
    assert "nothing lost" in text_of(console)


def test_with_json_only_what_is_wrong_is_said(played: Outcome) -> None:
    console = Console(file=io.StringIO(), width=80)
    show = QuietShow(console)
    show.begin(played.board)
    show.draw()
    show.end(Outcome(played.board, Verdict((Finding(Kind.TORN, "half", "x"),), 0, 0, 0, 0, 0), 0))
    show.close()
    assert text_of(console) == "L4 torn: half at x\n"


# --- a partner's own program ---

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "urn:x",
    "type": "nl.expats.proef.v1",
    "subject": "reference",
    "time": "2026-01-31T09:30:00Z",
    "data": {"taal": "en"},
    "dataref": "https://example.org/1",
}
HEADERS = {"content-type": "application/cloudevents+json"}


async def test_a_partner_handles_each_event_once() -> None:
    handled: list[Notification] = []

    async def handle(notification: Notification) -> None:
        handled.append(notification)

    program = partner.connect("localhost:1")
    partner.listen(program, "vaals", handle)
    async with TestKafkaBroker(program) as kafka:
        for id in ("1", "1", "2"):
            await kafka.publish(orjson.dumps({**EVENT, "id": id}), "inbox.vaals", headers=HEADERS)
    assert [(one.id, one.data) for one in handled] == [("1", {"taal": "en"}), ("2", {"taal": "en"})]
    assert repr(handled[0]) == "Notification(nl.expats.proef.v1, 1)"


async def test_a_partner_that_fails_has_not_handled_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner, "RETRY_SECONDS", 0.0)
    tries = 0

    async def handle(_: Notification) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionError("the database is away")

    program = partner.connect("localhost:1")
    partner.listen(program, "vaals", handle)
    async with TestKafkaBroker(program) as kafka:
        with pytest.raises(ConnectionError):
            await kafka.publish(orjson.dumps(EVENT), "inbox.vaals", headers=HEADERS)
        await kafka.publish(orjson.dumps(EVENT), "inbox.vaals", headers=HEADERS)
    assert tries == 2


def test_a_partner_remembers_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner, "REMEMBERED_MAX", 2)
    remembered = partner.Remembered()
    for id in "abc":
        remembered.add(("urn:x", id))
    assert [("urn:x", id) in remembered for id in "abc"] == [False, True, True]


# --- who tidies up ---


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[processes.Process]:
    process = processes.spawn([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log")
    yield process
    processes.end([process], 5, lambda _: None)


def test_the_caretaker_ends_and_removes_what_it_was_told_of(tmp_path: Path, sleeper: processes.Process) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    with Caretaker() as caretaker:
        caretaker.will_remove(folder)
        caretaker.will_stop(folder / "kafka")  # was never started
        caretaker.will_end(sleeper)
    assert not processes.alive(sleeper)
    assert not folder.exists()


def test_the_caretaker_keeps_what_shall_be_kept(tmp_path: Path, sleeper: processes.Process) -> None:
    with Caretaker() as caretaker:
        caretaker.will_end(sleeper)
        caretaker.will_remove(tmp_path)
        caretaker.keep()
    assert processes.alive(sleeper)
    assert tmp_path.exists()


def test_the_caretaker_tidies_up_after_a_demo_that_was_killed(tmp_path: Path, sleeper: processes.Process) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    program = f"""
import os, signal
from pathlib import Path
from expathub.demo.caretaker import Caretaker
from expathub.kafka.local_broker.processes import Process
with Caretaker() as caretaker:
    caretaker.will_end(Process({sleeper.pid}, {sleeper.started!r}))
    caretaker.will_remove(Path({str(folder)!r}))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL
    until = time.monotonic() + 20
    while (folder.exists() or processes.alive(sleeper)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not processes.alive(sleeper)
    assert not folder.exists()
