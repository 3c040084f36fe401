"""`make bench` works: next to nothing is measured, all ways write the same, and the figures are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(480)  # several processes, one after the other
def test_all_ways_do_the_same_work_and_are_measured(fresh_kafka: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--only", "cost", "--bootstrap", fresh_kafka]

    done = subprocess.run([*command, "--json", str(figures)], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "hand-written loop" in done.stdout
    found = json.loads(figures.read_text("utf-8"))["sections"]["cost"]
    for stage in ("intake", "dispatch"):
        assert {"engine", "floor", "faststream-batch"} == set(found[stage])
        assert all(way["cpu_us"]["median"] > 0 for way in found[stage].values())
        assert 1 == found[stage]["floor"]["ratio"]["median"]
