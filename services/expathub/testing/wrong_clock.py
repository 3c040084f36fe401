"""`python -m expathub.testing.wrong_clock FILE COMMAND…`: `expathub COMMAND…` on a machine whose clock is wrong.

The file says by how many seconds, and is read again at every look at the clock, so that a test can let it jump while
the process runs. Only the wall clock as Python reads it (`time.time`, `time.time_ns`) is moved: that is what the engine
is given. The time stamps of log lines and the broker's own clock stay; what counts time (`time.monotonic`) no clock
moves.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path

_SECOND_NS = 1_000_000_000


def shift(file: Path) -> None:
    """Move the wall clock of this process by the seconds in `file`, from now on."""
    true_ns = time.time_ns

    def wrong_ns() -> int:
        return true_ns() + int(float(file.read_text("ascii") or 0) * _SECOND_NS)

    time.time_ns = wrong_ns
    time.time = lambda: wrong_ns() / _SECOND_NS


def set_wrong(file: Path, seconds: float) -> None:
    """Say by how much the clock is wrong; whole or not at all, for somebody reads it all the time."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds}", "ascii")
    new.replace(file)


def main() -> None:
    """Run expathub with the clock moved."""
    shift(Path(sys.argv.pop(1)))
    runpy.run_module("expathub", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
