"""The figures that the hub is held to (design §9), and whether a run has kept them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

RATIO_MAX = 1.25
"""CPU per event of a stage, hub ÷ hand-written loop that does the same work: the median of the rounds' ratios."""

RATE, P50_MS_MAX, P99_MS_MAX = 200, 25.0, 100.0
"""Publish to inbox at so many events a second, the broker beside it on two cores."""

ID_BYTES_MAX = 256.0
"""Memory of one id in the window of deduplication."""

UNEXPLAINED_BYTES_MAX = 64.0
"""What may be left of the growth of memory an event, when what is remembered is taken off: less than any record."""


@dataclass(frozen=True, slots=True)
class Held:
    """One figure: what was measured, and at most how much it may be."""

    what: str
    value: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        """Whether it is within its limit."""
        return self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {**asdict(self), "kept": self.kept}


def judge(sections: Mapping[str, Any]) -> list[Held]:
    """Judge what was measured; sections that were not run are not judged."""
    return [*_cost(sections.get("cost", {})), *_latency(sections.get("latency", ())), *_memory(sections.get("memory"))]


def _cost(found: Mapping[str, Any]) -> Iterator[Held]:
    for stage in ("intake", "dispatch"):
        if stage in found:
            ratio = found[stage]["engine"]["ratio"]["median"]
            yield Held(f"CPU per event of {stage}, hub ÷ hand-written", ratio, RATIO_MAX, "×")


def _latency(found: Any) -> Iterator[Held]:
    for one in found:
        if one["rate"] == RATE:
            yield Held(f"publish to inbox at {RATE} events/s, p50", one["p50"], P50_MS_MAX, "ms")
            yield Held(f"publish to inbox at {RATE} events/s, p99", one["p99"], P99_MS_MAX, "ms")


def _memory(found: Mapping[str, Any] | None) -> Iterator[Held]:
    if found is None:
        return
    each = max(found["own"]["id_applied"], found["own"]["id_restored"])
    yield Held("memory of a remembered id", each, ID_BYTES_MAX, "bytes")
    left = found["day"]["bytes_an_event"] - each
    yield Held("growth of memory an event, beyond what is remembered", left, UNEXPLAINED_BYTES_MAX, "bytes")
