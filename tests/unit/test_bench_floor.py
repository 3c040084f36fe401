"""The floor of `make bench` is no easier work: what the hand-written functions make is the hub's, byte for byte."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from benchmarks import workload
from benchmarks.chart import Bar, Chart
from benchmarks.micro import compare, journal_records, outbox_records, ways
from benchmarks.stand import PUBLISHER, RECIPIENTS, write_configuration
from benchmarks.verdict import judge
from expathub.configuration import load
from expathub.core.configuration import Configuration
from expathub.settings import load_settings

TODAY = date(2026, 1, 31)
TYPES = (
    "nl.expats.aankomst-aangemeld",
    "nl.expats.doorverwijzing-aangemaakt",  # a partner outside government: reference, consent, second filter
    "nl.brp.bsn-toegekend",
    "nl.brp.ingeschreven.immigratie",
    "nl.voorlichting.artikel-gepubliceerd",  # everyone, and lists of which members are granted
)


@pytest.fixture(scope="module")
def known() -> Configuration:
    settings = load_settings()
    return load(settings.partners, settings.schemas)


def require_equal(known: Configuration, publisher: str, values: list[bytes]) -> int:
    taken = outbox_records(values, publisher)
    intake = {way: make()(taken) for way, make in ways("intake", known, publisher).items()}
    compare(intake)
    accepted = journal_records(intake["hub"])
    dispatch = {way: make()(accepted) for way, make in ways("dispatch", known, publisher).items()}
    compare(dispatch)
    return len(dispatch["hub"])


@pytest.mark.parametrize("type", TYPES)
def test_the_floor_makes_the_hubs_records(known: Configuration, type: str) -> None:
    publisher, values = workload.events_of(known, type, 60, TODAY)

    assert require_equal(known, publisher, values) > 2 * 60


def test_the_floor_makes_the_hubs_records_for_dossiers_that_move(known: Configuration) -> None:
    publisher, values = workload.arrivals(known, 200, 1, TODAY)

    assert require_equal(known, publisher, values) > 4 * 200


def test_unequal_work_is_no_measurement(known: Configuration) -> None:
    publisher, values = workload.arrivals(known, 10, 1, TODAY)
    made = ways("intake", known, publisher)
    taken = outbox_records(values, publisher)
    other = [(topic, key, value and value[:-1], headers) for topic, key, value, headers in made["floor"]()(taken)]

    with pytest.raises(SystemExit, match="output 0 differs"):
        compare({"hub": made["hub"]()(taken), "floor": other})


def test_bad_events_are_refused_and_the_others_are_not(known: Configuration) -> None:
    publisher, good = workload.arrivals(known, 100, 1, TODAY)
    values, bad = workload.spoiled(good, 0.1)
    records = [
        replace(record, value=value) for record, value in zip(outbox_records(good, publisher), values, strict=True)
    ]
    outputs = ways("intake", known, publisher)["hub"]()(records)

    assert 10 == bad
    assert (90, 10) == tuple(sum(one[0] == topic for one in outputs) for topic in ("hub.journal", "hub.refusals"))


def test_the_types_of_the_bench_are_told_to_as_many_as_they_say(tmp_path: Path) -> None:
    write_configuration(tmp_path)
    known = load(tmp_path / "partners.yaml", tmp_path / "schemas")
    for count, type in RECIPIENTS.items():
        source = known.partners.by_id[PUBLISHER].source
        values = workload.sized(source, type, 1024, 7, seed=count) + workload.sized(source, type, 300, 1, seed=0)

        assert [True] * 7 == [1000 < len(value) < 1150 for value in values[:7]]
        assert 8 * 2 * count + 2 == require_equal(known, PUBLISHER, values)  # and a record of each of two dossiers


def test_the_verdict_names_what_is_missed() -> None:
    ratio = {"engine": {"ratio": {"median": 1.3}}}
    found = judge({"cost": {"intake": ratio}, "latency": [{"rate": 200, "p50": 25.0, "p99": 100.1}]})

    assert ["CPU per event of intake, hub ÷ hand-written", "publish to inbox at 200 events/s, p99"] == [
        one.what for one in found if not one.kept
    ]


def test_a_chart_shows_every_value_and_nothing_from_elsewhere() -> None:
    svg = Chart("A <chart>", "µs", [("one", [Bar("hub", 0, 12.5, 10, 20)])], limit=15).svg()

    assert "12.5 (10–20)" in svg
    assert "A &lt;chart&gt;" in svg
    assert ["http://www.w3.org/2000/svg"] == re.findall(r"https?://[^\"]+", svg)
