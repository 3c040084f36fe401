"""`expathub demo` from a person's side: real Kafka, real services, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

pytestmark = pytest.mark.timeout(600)  # it starts a broker, services and many clients, on a busy machine too

EXPATHUB = [sys.executable, "-m", "expathub"]
FIGURES = [
    *("published", "accepted", "refused", "duplicates", "disclosures", "parked"),
    *("lost", "doubled", "reordered", "over_disclosed", "seconds", "p50_ms", "p99_ms"),
]
EVENTS = 60
LIMIT_SECONDS = 240


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give a demo folders of its own, by which everything that it starts can be known; end what a failed test left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    yield {**os.environ, "TMPDIR": str(temporary), "EXPATHUB_DATA": str(tmp_path / "data")}
    for process in left_running(tmp_path):
        process.kill()


def left_running(folder: Path) -> list[psutil.Process]:
    """Find processes that name this folder in their arguments or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(process)
    return found


def demo(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EXPATHUB, "demo", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def test_a_demo_prints_its_figures_and_can_be_kept_for_another_one(environment: dict[str, str], tmp_path: Path) -> None:
    svg = tmp_path / "demo.svg"
    first = demo(environment, "--events", str(EVENTS), "--json", "--keep", "--svg", str(svg))
    assert first.returncode == 0, first.stderr
    figures = json.loads(first.stdout)
    assert list(figures) == FIGURES
    assert figures["published"] == EVENTS
    assert figures["published"] == figures["accepted"] + figures["refused"] + figures["duplicates"]
    assert figures["disclosures"] > EVENTS
    assert min(figures["refused"], figures["duplicates"], figures["parked"]) > 0
    assert [figures[name] for name in ("lost", "doubled", "reordered", "over_disclosed")] == [0, 0, 0, 0]
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert ET.parse(svg).getroot().tag.endswith("svg")  # noqa: S314 - our own file

    hub = dict(re.findall(r"(EXPATHUB_\w+)=(\S+)", first.stderr))
    second = demo({**environment, **hub}, "--events", "30", "--seed", "2")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "30 published" in second.stdout
    assert "nothing lost, doubled, torn, reordered or over-disclosed" in second.stdout
    assert "starting" not in second.stdout  # it used what there was, and left it
    assert len(left_running(tmp_path)) == 2

    stop = [line.strip() for line in first.stderr.partition("To stop:")[2].splitlines() if line.strip()]
    for line in stop:
        subprocess.run([*_command(line)], env=environment, check=True, capture_output=True, timeout=LIMIT_SECONDS)
    assert not _within(20, lambda: left_running(tmp_path))


@pytest.mark.parametrize("moment", ["starting a broker", "starting intake", "announces"])
def test_a_demo_that_is_interrupted_leaves_nothing_running(
    environment: dict[str, str], tmp_path: Path, moment: str
) -> None:
    with subprocess.Popen(
        [*EXPATHUB, "demo", "--events", "5000"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if moment in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 130
    assert errors.strip() == "Stopped; nothing is left running."
    assert not left_running(tmp_path)
    assert not list((tmp_path / "temporary").iterdir())


def test_a_broker_that_was_named_and_does_not_answer_is_said_in_one_line(environment: dict[str, str]) -> None:
    silent = demo({**environment, "EXPATHUB_BOOTSTRAP": "127.0.0.1:9"}, "--json")
    assert silent.returncode == 69
    assert not silent.stdout
    assert len(silent.stderr.splitlines()) == 1
    assert "127.0.0.1:9 does not answer" in silent.stderr


def _command(line: str) -> list[str]:
    name, *arguments = shlex.split(line)
    return [*EXPATHUB, *arguments] if name == "expathub" else [name, *arguments]


def _within(seconds: float, left: Callable[[], Sequence[object]]) -> Sequence[object]:
    """Ask until nothing is left, at most so long."""
    until = time.monotonic() + seconds
    while (found := left()) and time.monotonic() < until:
        time.sleep(0.2)
    return found
