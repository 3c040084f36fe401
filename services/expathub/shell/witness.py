"""What an engine tells of itself, as log lines and metrics: one canonical line per batch, one per named event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog

from expathub import metrics
from expathub.kafka.observer import BatchReport, Cause, Detail, Happening, Health, Phase
from expathub.metrics import Label, Metrics

CountTally = Callable[[Metrics, BatchReport], None]
"""Counts a batch's tally in the service's own metric."""

ENGINE_VALUES = MappingProxyType(
    {
        Label.PHASE: tuple(phase.value for phase in Phase),
        Label.CAUSE: tuple(cause.value for cause in Cause),
        Label.EVENT: tuple(happening.value for happening in Happening),
    }
)
"""What the labels of the engine's metrics can be."""

_WARNINGS = frozenset(
    {
        Happening.KAFKA_AWAITED,
        Happening.GIVEN_UP,
        Happening.CAREFUL,
        Happening.UNREADABLE,
    }
)
_ERRORS = frozenset({Happening.STOPPED, Happening.STEP_RAISED, Happening.POISONED})


class Witness:
    """An observer of one service's engine."""

    def __init__(self, service: metrics.Service, measured: Metrics, count_tally: CountTally) -> None:
        self._log = structlog.get_logger(service=service.value)
        self._metrics = measured
        self._count_tally = count_tally

    def batch(self, report: BatchReport) -> None:
        """Log and count a committed batch."""
        self._log.info(
            "batch_committed",
            lane=report.lane,
            records=report.records,
            next_offset=report.next_offset,
            outputs=report.outputs,
            tally=dict(report.tally),
            milliseconds=_milliseconds(report.seconds),
            transaction_milliseconds=_milliseconds(report.transaction_seconds),
        )
        self._metrics.count(metrics.BATCHES)
        self._metrics.count(metrics.RECORDS, report.records)
        self._metrics.count(metrics.OUTPUTS, report.outputs)
        self._metrics.observe(metrics.BATCH_RECORDS, report.records)
        self._metrics.observe(metrics.BATCH_SECONDS, report.seconds)
        self._metrics.observe(metrics.TRANSACTION_SECONDS, report.transaction_seconds)
        self._count_tally(self._metrics, report)

    def event(self, name: Happening, lane: str | None, details: Mapping[str, Detail]) -> None:
        """Log and count a named event."""
        where = {} if lane is None else {"lane": lane}
        self._log.log(_level(name), name.value, **where, **details)
        self._metrics.count(metrics.ENGINE_EVENTS, 1, name.value)

    def health(self, health: Health) -> None:
        """Set the gauges to how the engine is now; called when somebody looks."""
        phases = Counter(lane.phase for lane in health.lanes.values())
        causes = Counter(lane.cause for lane in health.lanes.values() if lane.cause)
        for phase in Phase:
            self._metrics.set(metrics.LANES, phases[phase], phase.value)
        for cause in Cause:
            self._metrics.set(metrics.LANES_STOPPED, causes[cause], cause.value)


def _level(name: Happening) -> int:
    if name in _ERRORS:
        return 40
    return 30 if name in _WARNINGS else 20


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
