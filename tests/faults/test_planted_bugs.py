"""Thirteen relays that are wrong in one way each, on real Kafka: the checker finds every one, and the right one clean.

A checker that finds nothing is only worth something if it would have found it. `planted` has the bugs, `scenes` the
smallest fault that makes each visible; the same scene without a bug must have no finding at all.
Without EXPATHUB_TEST_FAULTS=full five of them are run.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from expathub.configuration import load
from expathub.shipped import shipped
from expathub.testing.processes import Bench
from expathub.testing.verdict import Kind


def neighbour(name: str) -> ModuleType:
    """Import a module that lies beside this one: test folders are no packages."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


scenes: Any = neighbour("scenes")
Play = Callable[[Any], Awaitable[None]]

BUGS: dict[str, tuple[str, Play, Kind]] = {
    "commit-before-send": ("intake", scenes.killed_over_an_event, Kind.LOST),
    # R4 turns what would be doubled into a lane that stops: marker and offset disagree.
    "offsets-outside-the-transaction": ("intake", scenes.killed_over_an_event, Kind.WEDGED),
    "future-not-awaited": ("intake", scenes.refused, Kind.LOST),
    "null-key": ("intake", scenes.quiet, Kind.REORDERED),
    "random-partition": ("dispatch", scenes.quiet, Kind.REORDERED),
    "dedup-off": ("intake", scenes.quiet, Kind.DOUBLED),
    "refusal-after-commit": ("intake", scenes.killed_over_a_refusal, Kind.LOST),
    "read-uncommitted": ("intake", scenes.taken_back, Kind.ABORTED_VISIBLE),
    "no-fencing": ("intake", scenes.zombie, Kind.DOUBLED),
    # As above: what was loaded too early says another offset than the one that the sleeper has committed.
    "load-before-fencing": ("intake", scenes.woken_in_between, Kind.WEDGED),
    "load-to-the-last-stable-offset": ("intake", scenes.held_open, Kind.DOUBLED),
    "resume-from-latest": ("intake", scenes.sent_meanwhile, Kind.LOST),
    "minimise-after-fan-out": ("dispatch", scenes.quiet, Kind.LEAKED),
}
"""Per bug the stage that has it, the scene that shows it, and the judgement under which it must be found."""

FULL = os.environ.get("EXPATHUB_TEST_FAULTS") == "full"
IN_BRIEF = ("commit-before-send", "null-key", "dedup-off", "read-uncommitted", "minimise-after-fan-out")
PLANTED = tuple(BUGS) if FULL else IN_BRIEF
CONTROLS = tuple(dict.fromkeys(BUGS[bug][:2] for bug in PLANTED))


@pytest.fixture(scope="module")
def house(fresh_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    bench = Bench(fresh_kafka, tmp_path_factory.mktemp("planted"))
    assert bench.command("provision", "apply").code == 0
    configuration = load(shipped("deploy", "partners.yaml"), shipped("schemas"))
    house = scenes.House(bench, configuration)
    try:
        yield house
    finally:
        house.close()


def test_there_are_thirteen() -> None:
    assert len(BUGS) == 13


@pytest.mark.parametrize("bug", PLANTED)
@pytest.mark.timeout(600)
async def test_the_checker_finds_a_planted_bug(house: Any, bug: str) -> None:
    service, play, kind = BUGS[bug]
    async with scenes.scene(house, service, bug, [*BUGS].index(bug)) as scene:
        await play(scene)
        await scene.rest()
        verdict = await scene.verdict()
    assert kind in verdict.kinds, str(verdict)


@pytest.mark.parametrize(("service", "play"), CONTROLS, ids=lambda one: getattr(one, "__name__", one))
@pytest.mark.timeout(600)
async def test_the_same_scene_without_a_bug_is_clean(house: Any, service: str, play: Play) -> None:
    number = len(BUGS) + CONTROLS.index((service, play)) % 3  # a town that no bug has had; they are sixteen
    async with scenes.scene(house, service, None, number) as scene:
        await play(scene)
        await scene.rest()
        verdict = await scene.verdict()
    assert verdict.is_clean, str(verdict)
