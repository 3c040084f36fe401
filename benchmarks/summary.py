"""Figures of several rounds: medians with the lowest and the highest, and ratios within a round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.rounds import Round

FLOOR = "floor"


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, lowest and highest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def of_rounds(kept: Sequence[Round]) -> dict[str, Any]:
    """Return for each stage and way what it cost, and how many times the floor of its own round that is."""
    return {
        stage: {
            way: {
                "cpu_us": spread([one[stage][way].cpu_us for one in kept]),
                "broker_us": spread([one[stage][way].broker_us for one in kept]),
                "rate": spread([one[stage][way].rate for one in kept]),
                "ratio": spread([one[stage][way].cpu_us / one[stage][FLOOR].cpu_us for one in kept]),
                "records_a_batch": statistics.median(
                    one[stage][way].records / max(1, one[stage][way].batches) for one in kept
                ),
            }
            for way in kept[0][stage]
        }
        for stage in kept[0]
    }
