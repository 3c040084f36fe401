"""How much is measured: the default, a quick look, and next to nothing (for the bench's own test)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

Note: TypeAlias = Callable[[str], None]
"""Takes a line of progress."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Counts and times of one run."""

    rounds: int
    """Rounds of the comparison with the floor."""
    events: int
    """Events a round."""
    growth_rounds: int
    growth_events: int
    dossiers: tuple[int, ...]
    latency: tuple[tuple[float, float], ...]
    """Events a second, and for how many seconds."""
    ids: int
    """How many ids are remembered when their size is measured."""
    day: int
    """How many events a day of the memory run has."""

    ways: tuple[str, ...]
    """What is compared: the hub's engine, the floor, and FastStream doing the same."""

    @property
    def of_growth(self) -> Extent:
        """The same with the rounds of growth for rounds."""
        return replace(self, rounds=self.growth_rounds, events=self.growth_events)


_ALL = ("engine", "floor", "faststream-batch", "faststream-single")

FULL = Extent(5, 20_000, 3, 6_000, (1_000, 100_000), ((50, 40), (200, 60)), 200_000, 100_000, _ALL)
QUICK = Extent(2, 8_000, 1, 4_000, (1_000, 20_000), ((50, 15), (200, 15)), 100_000, 20_000, _ALL)
TINY = Extent(1, 400, 1, 200, (100, 200), ((50, 2),), 10_000, 1_000, _ALL[:3])
