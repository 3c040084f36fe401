"""The closed list of metrics, and what is made of it."""

from __future__ import annotations

import pytest

from expathub import metrics
from expathub.metrics import Kind, Label, Metrics, Service

VALUES = {Label.PARTNER: ("ind", "gip"), Label.CODE: ("accepted", "schema"), Label.EVENT: ("joined",)}


def test_every_counter_starts_at_zero_for_every_value_of_its_labels() -> None:
    registry = Metrics(Service.INTAKE, VALUES).registry

    for partner in ("ind", "gip"):
        for code in ("accepted", "schema"):
            labels = {"partner": partner, "code": code}
            assert registry.get_sample_value("hub_intake_records_total", labels) == 0


def test_counting_adds_to_the_right_series() -> None:
    made = Metrics(Service.INTAKE, VALUES)

    made.count(metrics.INTAKE_RECORDS, 3, "ind", "schema")
    made.count(metrics.BATCHES)

    assert made.registry.get_sample_value("hub_intake_records_total", {"partner": "ind", "code": "schema"}) == 3
    assert made.registry.get_sample_value("hub_intake_records_total", {"partner": "gip", "code": "schema"}) == 0
    assert made.registry.get_sample_value("hub_batches_total") == 1


def test_a_total_that_is_counted_elsewhere_is_taken_over() -> None:
    made = Metrics(Service.INTAKE, VALUES)

    for total in (2, 2, 5):
        made.raise_to(metrics.LOG_DROPPED, total)

    assert made.registry.get_sample_value("hub_log_values_dropped_total") == 5


def test_two_services_in_a_process_do_not_share_metrics() -> None:
    intake, dispatch = Metrics(Service.INTAKE, VALUES), Metrics(Service.DISPATCH, VALUES)

    intake.count(metrics.BATCHES)

    assert dispatch.registry.get_sample_value("hub_batches_total") == 0


def test_a_service_has_only_its_own_metrics() -> None:
    dispatch = Metrics(Service.DISPATCH, VALUES)

    assert dispatch.registry.get_sample_value("hub_dispatch_outcomes_total", {"code": "accepted"}) == 0
    with pytest.raises(KeyError):
        dispatch.count(metrics.INTAKE_RECORDS, 1, "ind", "schema")


def test_names_keep_to_the_conventions_of_prometheus() -> None:
    for metric in metrics.METRICS:
        assert metric.name.startswith("hub_")
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
        assert metric.meaning.endswith(".")


def test_no_name_is_used_twice() -> None:
    names = [metric.name for metric in metrics.METRICS]

    assert len(names) == len(set(names))
