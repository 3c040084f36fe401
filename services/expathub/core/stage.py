"""The one shape that both relay stages have, and all that the engine knows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from expathub.core.records import InputRecord, Output

E = TypeVar("E")

Lookup: TypeAlias = Callable[[bytes], E | None]
"""Find the state entry under a key as of just before the record at hand, or None."""


class Step(msgspec.Struct, Generic[E], frozen=True, gc=False):
    """What a stage made of one input record.

    `entries` replace the state entries under their keys once the transaction is committed.
    `tally` names what happened in words of a closed list (`accepted`, `refused:schema`, `disclosed`,
    `withheld:secrecy`, `held:residence-unknown` …): counted and logged, never with a value of the event.
    """

    outputs: tuple[Output, ...] = ()
    entries: tuple[tuple[bytes, E], ...] = ()
    tally: tuple[str, ...] = ()


class Stage(Protocol[E]):
    """A relay stage: a pure function of a record, the state before it and the time of the attempt."""

    def step(self, record: InputRecord, remembered: Lookup[E], at_ms: int) -> Step[E]:
        """Say what becomes of `record`; `at_ms` is the clock at the attempt (epoch, ms)."""
        ...

    def poison(self, record: InputRecord, remembered: Lookup[E], at_ms: int) -> Step[E]:
        """Say what becomes of a record on which `step` has died three times; must not repeat what `step` does."""
        ...
