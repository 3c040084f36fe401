"""What the engine asks of the state of one lane, and what it keeps of it between two turns as its owner.

The engine never looks into an entry. A stage's own state (`core/remembered.py`, `core/dossiers.py`) fits `LaneState`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from expathub.kafka.marker import Marker

E = TypeVar("E")


class LaneState(Protocol[E]):
    """The entries of one lane: what a stage remembers, as of the last committed transaction.

    A load calls `restore` for each changelog record in order; calling it again for records that are already in must
    do no harm (a load may begin at an earlier record than needed).
    """

    @property
    def format(self) -> int:
        """Number of the form in which entries are written; a lane with a higher one is not taken."""
        ...

    def get(self, key: bytes) -> E | None:
        """Return the entry under `key`, or None."""
        ...

    def apply(self, entries: Iterable[tuple[bytes, E]]) -> None:
        """Take over the entries of a transaction that has been committed."""
        ...

    def pack(self, entries: Sequence[tuple[bytes, E]]) -> Sequence[tuple[bytes | None, bytes]]:
        """Return the changelog records (key, value) for `entries`: at least one, even for no entries."""
        ...

    def restore(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one changelog record; one that `pack([])` made changes nothing."""
        ...


@dataclass(slots=True)
class Memory(Generic[E]):
    """A lane's state and how much of the changelog is in it.

    The changelog is a log and nothing else, so a state that holds all committed records before `position` becomes
    right by reading on from there, whoever wrote the rest and however this process lost the lane.
    """

    state: LaneState[E]
    position: int | None = None
    """Next changelog offset to read; None while nothing has been read."""
    marker: Marker | None = None
    """The newest marker before `position`."""
    touched: float = 0.0
    """Monotonic time, in seconds, at which `position` was last known to be right."""
