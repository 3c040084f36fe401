"""Every metric of the hub: a closed list with names, labels and meanings, and the one place that makes them.

Labels take values from closed lists only (partners, reason codes, phases …), never from an event. Counters are there
at zero from the start for every such value: `increase()` must not miss the first refusal.
`docs/metrics.md` is this list as a page; a test compares the two, and `python -m expathub.metrics` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)


class Kind(Enum):
    """What a metric does."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Service(Enum):
    """The services that have metrics."""

    INTAKE = "intake"
    DISPATCH = "dispatch"


class Label(Enum):
    """What a metric can be told apart by; the values of each are a closed list."""

    PARTNER = "partner"
    CODE = "code"
    PHASE = "phase"
    CAUSE = "cause"
    EVENT = "event"
    FLAG = "flag"
    VERSION = "version"
    REVISION = "revision"
    CONFIG = "config"


EVERY: Final = (Service.INTAKE, Service.DISPATCH)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `buckets` are upper bounds of a histogram, in the unit that the name ends in."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()
    services: tuple[Service, ...] = EVERY
    buckets: tuple[float, ...] = ()


_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

INFO = Metric(
    "hub_info",
    Kind.GAUGE,
    "1, with the version of expathub and the revision and digest of the configuration in use.",
    (Label.VERSION, Label.REVISION, Label.CONFIG),
)
READY = Metric("hub_ready", Kind.GAUGE, "1 while `/readyz` answers 200, else 0.")
LANES = Metric("hub_lanes", Kind.GAUGE, "Lanes that this process owns, by what they are at.", (Label.PHASE,))
LANES_STOPPED = Metric(
    "hub_lanes_stopped", Kind.GAUGE, "Lanes that this process owns and that are stopped, by why.", (Label.CAUSE,)
)
ENGINE_EVENTS = Metric(
    "hub_engine_events_total", Kind.COUNTER, "Named events of the engine and its lanes.", (Label.EVENT,)
)
BATCHES = Metric("hub_batches_total", Kind.COUNTER, "Committed batches: one Kafka transaction each.")
RECORDS = Metric("hub_records_total", Kind.COUNTER, "Input records of committed batches.")
OUTPUTS = Metric("hub_outputs_total", Kind.COUNTER, "Output records of committed batches.")
BATCH_RECORDS = Metric("hub_batch_records", Kind.HISTOGRAM, "Input records in a committed batch.", buckets=_RECORDS)
BATCH_SECONDS = Metric(
    "hub_batch_seconds", Kind.HISTOGRAM, "From the first work on a batch to its commit.", buckets=_SECONDS
)
TRANSACTION_SECONDS = Metric(
    "hub_transaction_seconds", Kind.HISTOGRAM, "From the begin of a transaction to its commit.", buckets=_SECONDS
)
INTAKE_RECORDS = Metric(
    "hub_intake_records_total",
    Kind.COUNTER,
    "What became of the sender's records: `accepted`, or the code of the refusal.",
    (Label.PARTNER, Label.CODE),
    (Service.INTAKE,),
)
INTAKE_FLAGS = Metric(
    "hub_intake_flags_total",
    Kind.COUNTER,
    "Accepted events about which something is odd: a clock ahead, an old event, the order of `sequence`.",
    (Label.PARTNER, Label.FLAG),
    (Service.INTAKE,),
)
DISPATCH_OUTCOMES = Metric(
    "hub_dispatch_outcomes_total",
    Kind.COUNTER,
    "What became of events for recipients: `disclosed`, or `withheld:` or `held:` with the code.",
    (Label.CODE,),
    (Service.DISPATCH,),
)
LOG_DROPPED = Metric(
    "hub_log_values_dropped_total",
    Kind.COUNTER,
    "Values kept out of the log because they are not of its closed list; more than 0 is a fault of the hub.",
)

METRICS: Final = (
    INFO,
    READY,
    LANES,
    LANES_STOPPED,
    ENGINE_EVENTS,
    BATCHES,
    RECORDS,
    OUTPUTS,
    BATCH_RECORDS,
    BATCH_SECONDS,
    TRANSACTION_SECONDS,
    INTAKE_RECORDS,
    INTAKE_FLAGS,
    DISPATCH_OUTCOMES,
    LOG_DROPPED,
)
"""All metrics. Beside them each service has the client library's own `process_*` and `python_info`."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, with the time at which it was made: of no use here


class Metrics:
    """The metrics of one service in this process; several services in a process have one each."""

    def __init__(self, service: Service, values: Mapping[Label, Sequence[str]]) -> None:
        """Make every metric of `service`; `values` lists what each label can be, so that all start at zero."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._totals: dict[Metric, float] = {}
        self._made = {metric: self._make(metric) for metric in METRICS if service in metric.services}
        for metric, made in self._made.items():
            for labels in product(*(values.get(label, ()) for label in metric.labels)) if metric.labels else ():
                made.labels(*labels)

    def count(self, metric: Metric, by: float = 1, *labels: str) -> None:
        """Add to a counter."""
        made = self._of(metric, labels)
        assert isinstance(made, Counter), metric.name  # noqa: S101 (a fault of this code, never of data)
        made.inc(by)

    def raise_to(self, metric: Metric, total: float) -> None:
        """Bring a counter without labels up to a total that is counted elsewhere."""
        self.count(metric, total - self._totals.get(metric, 0))
        self._totals[metric] = total

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        made = self._of(metric, labels)
        assert isinstance(made, Gauge), metric.name  # noqa: S101 (a fault of this code, never of data)
        made.set(value)

    def observe(self, metric: Metric, value: float) -> None:
        """Add a value to a histogram."""
        made = self._made[metric]
        assert isinstance(made, Histogram), metric.name  # noqa: S101 (a fault of this code, never of data)
        made.observe(value)

    def _of(self, metric: Metric, labels: tuple[str, ...]) -> Counter | Gauge | Histogram:
        made = self._made[metric]
        return made.labels(*labels) if labels else made

    def _make(self, metric: Metric) -> Counter | Gauge | Histogram:
        labels = [label.value for label in metric.labels]
        if metric.kind is Kind.HISTOGRAM:
            return Histogram(metric.name, metric.meaning, labels, registry=self.registry, buckets=metric.buckets)
        made = Counter if metric.kind is Kind.COUNTER else Gauge
        return made(metric.name, metric.meaning, labels, registry=self.registry)


def page(metrics: Iterable[Metric] = METRICS) -> str:
    """Return the documentation page of the metrics, in Markdown."""
    rows = (
        f"| `{metric.name}` | {metric.kind.value} | {_words(metric.labels)} | "
        f"{_words(metric.services)} | {metric.meaning} |"
        for metric in metrics
    )
    return _PAGE.format(rows="\n".join(rows))


def _words(members: Sequence[Enum]) -> str:
    return ", ".join(f"`{member.value}`" for member in members) or "–"


_PAGE = """\
# Metrics

Each service answers `GET /metrics` in the Prometheus text format; where it listens stands in
`EXPATHUB_DATA/run/<service>-<pid>.json`. Labels take their values from closed lists, never from an event,
and every counter is there at 0 from the start.

| name | kind | labels | services | meaning |
|---|---|---|---|---|
{rows}

Beside these there are the `process_*` and `python_info` metrics of the Prometheus client library.

The values of `code` and `flag` are the codes of [the reason codes](reason-codes.md); those of `phase`, `cause` and
`event` are the words of the engine (`services/expathub/kafka/observer.py`).

This page is made of `services/expathub/metrics.py`: `python -m expathub.metrics > docs/metrics.md`.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
