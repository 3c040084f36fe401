"""A whole hub under load is killed, stopped and broken on purpose; all topics are then read back and judged.

By default a seeded part: a dozen kills at random moments and one at each failpoint of either stage. With
`EXPATHUB_TEST_FAULTS=full` also raise, pause, sleep and block at each of them, SIGTERM, evictions, broker restarts, and
as much as `EXPATHUB_TEST_KILLS`, `EXPATHUB_TEST_SECONDS` and `EXPATHUB_TEST_SEED` say. `make faults` sets them.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from expathub.kafka.failpoints import STEPS
from expathub.testing.chaos import PATIENCE_SECONDS, RECOVERY_SECONDS
from expathub.testing.chaos_report import Report
from expathub.testing.fault_plan import STAGES, UNREACHABLE, Kind, Wanted
from expathub.testing.faults import run
from expathub.testing.load import Plan

FULL = os.environ.get("EXPATHUB_TEST_FAULTS") == "full"
KILLS = int(os.environ.get("EXPATHUB_TEST_KILLS") or (100 if FULL else 12))
SECONDS = float(os.environ.get("EXPATHUB_TEST_SECONDS") or 300)
SEED = int(os.environ.get("EXPATHUB_TEST_SEED") or (secrets.randbelow(2**31) if FULL else 20))
JSON = os.environ.get("EXPATHUB_TEST_FAULTS_JSON")
EVERY_STEP = len(STEPS) * len(STAGES)
RECOVERY = RECOVERY_SECONDS if FULL else PATIENCE_SECONDS  # how quick it is counts where nothing else is at work
DOSSIERS_MIN = 200
STEPS_MIN = 12

CI = Wanted(kills=KILLS, failpoint_kills=EVERY_STEP, gap_seconds=1.0)
ALL = Wanted(
    kills=KILLS,
    failpoint_kills=EVERY_STEP,
    failpoint_others=True,
    seconds=SECONDS,
    stops=10,
    broker_restarts=3,
    broker_kills=3,
)
TEST_SECONDS = 1_200 + FULL * (3_600 + KILLS * 30 + 3 * SECONDS)
"""Far more than it takes: other things may happen on the same machine."""


def tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (a long run must show that it lives, and its seed)


@pytest.mark.skipif(not FULL, reason="`make faults` runs it; test_kill_under_load.py is the short one")
@pytest.mark.timeout(TEST_SECONDS)
async def test_nothing_is_lost_doubled_torn_or_reordered_under_any_fault(tmp_path: Path) -> None:
    wanted = ALL if FULL else CI
    tell(f"seed {SEED}, {wanted}")
    report = await run(tmp_path, Plan(seed=SEED), wanted, tell, Path(JSON) if JSON else None, RECOVERY)
    tell(report.table())

    assert report.findings == []
    assert report.is_clean
    assert report.faults[Kind.KILL.value] >= KILLS + wanted.failpoint_kills
    assert_every_step_was_hit(report)
    assert report.dossiers >= DOSSIERS_MIN
    assert min(report.publishers.values()) > 0, "all partners publish"


def assert_every_step_was_hit(report: Report) -> None:
    for stage in STAGES:
        hit = {step for step, kinds in report.at_steps[stage].items() if kinds.get(Kind.KILL.value)}
        assert hit == {step for step in STEPS if (stage, step) not in UNREACHABLE}
        assert len(hit) >= STEPS_MIN
