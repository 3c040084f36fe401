"""The page of evidence shows the figures that stand beside it, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import page
from benchmarks.tables_of_text import render
from benchmarks.verdict import judge


def spread(value: float) -> dict[str, float]:
    return {"median": value, "low": value - 1, "high": value + 1}


def figures() -> dict[str, Any]:
    """Return what a run could have found."""
    way = {"cpu_us": spread(40), "broker_us": spread(9), "rate": spread(9000), "ratio": spread(2), "records_a_batch": 9}
    ways = {"engine": way, "floor": way | {"cpu_us": spread(20)}}
    both = {"intake": ways, "dispatch": ways}
    times = {"p50": 12.25, "p90": 20.0, "p99": 31.0, "max": 50.0}
    shares = {"hub_core_share": 0.3, "broker_core_share": 0.4}
    sections: dict[str, Any] = {
        "cost": both,
        "latency": [{"rate": 200, "events": 9, **times, "generator_late": times, **shares}],
        "recipients": [{"recipients": 4, "dispatch": ways}],
        "size": [{"bytes": 1024, **both}],
        "dossiers": [{"dossiers": 1000, "dispatch": ways}],
        "processes": [{"processes": 2, "cpu_us": spread(50), "rate": spread(900)}],
        "bad": [{"share": 0.1, "cpu_us": spread(50), "rate": spread(900), "each_bad_us": spread(90)}],
        "memory": {
            "own": {"id_applied": 188.0, "id_restored": 189.0, "dossier_of_three": 600.0},
            "day": {"points": [{"events": 10, "rss_mib": 80.0}], "bytes_an_event": 190.0},
        },
    }
    of = {"date": "2026-01-31T09:30", "commit": "abc", "python": "3.11", "cores": 2, "machine": "x", "load_before": 0.1}
    conditions = {**of, "kafka": "4", "versions": {"aiokafka": "0"}}
    return {"conditions": conditions, "sections": sections, "held_to": [one.as_json() for one in judge(sections)]}


def test_every_table_has_its_place_on_the_page() -> None:
    filled = page.fill(page.WORDS.read_text("utf-8"), figures())

    assert "<!--" not in filled
    for line in render(figures()).splitlines():
        assert not line.startswith("|") or line in filled


def test_the_page_shows_every_chart() -> None:
    words = page.WORDS.read_text("utf-8")

    assert [] == [name for name in page.charts(figures()) if f"({name})" not in words]


def test_a_missed_figure_is_named() -> None:
    assert "MISSED" in page.fill("<!-- figures: held_to -->\n<!-- end -->", figures())


def test_a_table_that_was_not_measured_is_said() -> None:
    with pytest.raises(KeyError):
        page.fill("<!-- figures: cost -->\n<!-- end -->", {"sections": {}})


def test_what_is_in_the_repository_is_what_the_last_run_found() -> None:
    for file in page.EVIDENCE.glob("performance.json"):  # as long as there was no run there is no page either
        found = json.loads(file.read_text("utf-8"))

        assert page.fill(page.WORDS.read_text("utf-8"), found) == page.PAGE.read_text("utf-8")
        assert {name: (page.EVIDENCE / name).read_text("utf-8") for name in page.charts(found)} == page.charts(found)
    assert page.FIGURES.exists() == page.PAGE.exists()
