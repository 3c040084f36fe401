"""Which faults happen to a hub's processes and broker, in which order: pure, from a seed.

`expathub.testing.chaos` carries a plan out. The same arguments give the same plan; what then happens between two
processes is of course not repeatable, only where the faults are aimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import Final

from expathub.kafka.failpoints import STEPS

STAGES: Final = ("intake", "dispatch")
POSTS: Final = 2
"""Processes per stage."""


class Kind(StrEnum):
    """What can be done to a process, or to the broker."""

    KILL = "kill9"
    PAUSE = "pause"
    RAISE = "raise"
    SLEEP = "sleep"
    BLOCK = "block"
    TERMINATE = "sigterm"
    EVICT = "put-out"
    BROKER_RESTART = "broker-restart"
    BROKER_KILL = "broker-kill9"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    `after_seconds` is the wait before it. With a `step` the process is started with that failpoint armed for its
    `nth` visit. `seconds` is how long a pause, sleep, block or outage lasts. `at_once` says that a dead process is put
    out of its group at once, where the broker would wait for the session timeout.
    """

    kind: Kind
    stage: str = ""
    post: int = 0
    after_seconds: float = 0.0
    step: str = ""
    nth: int = 1
    seconds: float = 0.0
    at_once: bool = True

    def __str__(self) -> str:
        """Return it as a person would say it."""
        where = f" at {self.step} ({self.nth})" if self.step else ""
        lasting = f" for {self.seconds:g} s" if self.seconds else ""
        return f"{self.kind.value}{where}{lasting}" + (f" in {self.stage}" if self.stage else "")

    @property
    def failpoint(self) -> str:
        """The value of `EXPATHUB_FAILPOINT` that arms it."""
        what = f"{self.kind.value}={self.seconds:g}" if self.kind in {Kind.SLEEP, Kind.BLOCK} else self.kind.value
        return f"{self.step}:{what}:{self.nth}"


UNREACHABLE: Final[Mapping[tuple[str, str], str]] = MappingProxyType({})
"""Per (stage, step) why a stage never comes by. Both run the same engine, so there is none today."""

ALWAYS_AT_START: Final = frozenset({"assigned", "fencing", "fenced", "loaded", "taken-over"})
"""Steps that every process comes by once per lane when it starts."""

NEEDS_REBALANCE: Final = frozenset({"revoked", "leaving"})
"""Steps that a process comes by only when its lanes are taken back."""

NEEDS_UNCLEAN_END: Final = frozenset({"trying", "tried"})
"""Steps that a process comes by only after another's unclean end."""

PAUSE_SECONDS = 20.0
"""Three session timeouts: a successor works meanwhile."""
SLEEP_SECONDS = 12.0
"""Longer than the commit deadline."""
BLOCK_SECONDS = 8.0
"""Longer than the session timeout."""
LONG_BLOCK_SECONDS = 30.0
"""Longer than any timeout of the engine, of the transaction's too."""
OUTAGE_SECONDS = 3.0

_LASTING = {Kind.PAUSE: PAUSE_SECONDS, Kind.SLEEP: SLEEP_SECONDS, Kind.BLOCK: BLOCK_SECONDS}
_VISITS = 5
_AT_ONCE_SHARE = 0.85


def reachable(stage: str) -> list[str]:
    """List the steps that a stage comes by."""
    return [step for step in STEPS if (stage, step) not in UNREACHABLE]


def kills(dice: Random, stage: str, count: int, gap_seconds: float) -> list[Fault]:
    """Plan SIGKILLs of either process at random moments, on average `gap_seconds` apart."""
    return [
        Fault(
            Kind.KILL,
            stage,
            dice.randrange(POSTS),
            dice.uniform(0.0, 2 * gap_seconds),
            at_once=dice.random() < _AT_ONCE_SHARE,
        )
        for _ in range(count)
    ]


def at_failpoints(dice: Random, stage: str, count: int, kind: Kind = Kind.KILL) -> list[Fault]:
    """Plan one fault at each step, in random order, again and again, until there are `count`."""
    faults: list[Fault] = []
    while len(faults) < count:
        steps = reachable(stage)
        dice.shuffle(steps)
        faults += [_at(dice, stage, step, kind) for step in steps]
    return faults[:count]


def at_every_failpoint(dice: Random, stage: str, kinds: Iterable[Kind]) -> list[Fault]:
    """Plan each of `kinds` once at each step, in random order."""
    faults = [_at(dice, stage, step, kind) for kind in kinds for step in reachable(stage)]
    dice.shuffle(faults)
    return faults


def _at(dice: Random, stage: str, step: str, kind: Kind) -> Fault:
    return Fault(
        kind,
        stage,
        dice.randrange(POSTS),
        step=step,
        nth=_nth(dice, step),
        seconds=_LASTING.get(kind, 0.0),
        at_once=kind is Kind.KILL and dice.random() < _AT_ONCE_SHARE,
    )


def _nth(dice: Random, step: str) -> int:
    if step == "revoked":
        return 2  # the first visit is before a process has joined: there is nothing to take back
    if step == "leaving" or step in NEEDS_UNCLEAN_END or step in ALWAYS_AT_START:
        return 1  # a process may have a single lane
    return dice.randint(1, _VISITS)


def long_blocks(dice: Random, stage: str) -> list[Fault]:
    """Plan an event loop that stands for half a minute: before the work, and in the middle of a transaction."""
    return [
        Fault(Kind.BLOCK, stage, dice.randrange(POSTS), step=step, nth=dice.randint(1, _VISITS), seconds=seconds)
        for step, seconds in (("working", LONG_BLOCK_SECONDS), ("acknowledged", LONG_BLOCK_SECONDS))
    ]


def stops(dice: Random, stage: str, count: int, gap_seconds: float) -> list[Fault]:
    """Plan SIGTERMs."""
    return [
        Fault(Kind.TERMINATE, stage, dice.randrange(POSTS), dice.uniform(0.0, 2 * gap_seconds)) for _ in range(count)
    ]


def mixture(dice: Random, stage: str, seconds: float, gap_seconds: float) -> list[Fault]:
    """Plan kills, pauses, stops and evictions at random for about so long."""
    faults: list[Fault] = []
    planned = 0.0
    while planned < seconds:
        kind = dice.choices((Kind.KILL, Kind.PAUSE, Kind.TERMINATE, Kind.EVICT), (6, 1, 2, 3))[0]
        lasts = round(dice.uniform(1.0, PAUSE_SECONDS), 1) if kind is Kind.PAUSE else 0.0
        after = dice.uniform(0.0, 2 * gap_seconds)
        at_once = dice.random() < _AT_ONCE_SHARE
        faults.append(Fault(kind, stage, dice.randrange(POSTS), after, seconds=lasts, at_once=at_once))
        planned += after + lasts + gap_seconds
    return faults


def broker_faults(dice: Random, restarts: int, kill9s: int) -> list[Fault]:
    """Plan clean restarts and SIGKILLs of the single broker, the hub alive, in random order."""
    kinds = [Kind.BROKER_RESTART] * restarts + [Kind.BROKER_KILL] * kill9s
    dice.shuffle(kinds)
    return [Fault(kind, after_seconds=dice.uniform(0.5, 4.0), seconds=OUTAGE_SECONDS) for kind in kinds]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of everything; counts of kills are for the whole hub, half of them for each stage."""

    kills: int = 0
    failpoint_kills: int = 0
    failpoint_others: bool = False
    seconds: float = 0.0
    stops: int = 0
    broker_restarts: int = 0
    broker_kills: int = 0
    gap_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Phase:
    """Faults that belong together: per stage a row of them, both rows at the same time; or the broker's."""

    name: str
    rows: Sequence[Sequence[Fault]]

    @property
    def count(self) -> int:
        """How many faults there are."""
        return sum(map(len, self.rows))


def plan(seed: int, wanted: Wanted) -> list[Phase]:
    """Plan a whole run; phases with nothing in them are left out."""
    return [phase for phase in _phases(Random(seed), wanted) if phase.count]  # noqa: S311 (seeded, protects nothing)


def _phases(dice: Random, wanted: Wanted) -> Iterator[Phase]:
    gap = wanted.gap_seconds
    halves = dict(zip(STAGES, _halves(wanted.failpoint_kills), strict=True))
    yield Phase("kill -9 at failpoints", [at_failpoints(dice, stage, halves[stage]) for stage in STAGES])
    halves = dict(zip(STAGES, _halves(wanted.kills), strict=True))
    yield Phase("kill -9 at random moments", [kills(dice, stage, halves[stage], gap) for stage in STAGES])
    yield Phase("SIGTERM under load", [stops(dice, stage, wanted.stops, gap) for stage in STAGES])
    if wanted.failpoint_others:
        others = (Kind.RAISE, Kind.PAUSE, Kind.SLEEP, Kind.BLOCK)
        rows = [[*at_every_failpoint(dice, stage, others), *long_blocks(dice, stage)] for stage in STAGES]
        yield Phase("raise, pause, sleep and block at every failpoint", rows)
    yield Phase("everything at random", [mixture(dice, stage, wanted.seconds, gap) for stage in STAGES])
    yield Phase("broker restarts", [broker_faults(dice, wanted.broker_restarts, wanted.broker_kills)])


def _halves(count: int) -> tuple[int, int]:
    return count - count // 2, count // 2
