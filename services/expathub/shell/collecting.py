"""Python's collector of cycles, set for a process that keeps much and makes no cycles.

A relay makes thousands of small objects a batch, and reference counting frees every one of them. The collector wakes
up all the same, every 700 objects, and looks again and again at what never goes: modules, schemas, validators, what
is remembered. That took a third of dispatch's CPU and stopped the process for 60 ms each time it went through all.
"""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 50)
"""More new objects than two batches of 1,000 keep alive at once; what cycles there are still go, a little later."""


def look_seldom() -> None:
    """Put everything that is there now beyond the collector's eyes, and let it look seldom from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
