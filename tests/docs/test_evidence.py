"""The evidence on faults says what the recorded runs say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from expathub.testing.chaos_report import PhaseReport, Report
from expathub.testing.fault_plan import Fault, Kind
from expathub.testing.fault_tables import BEGIN, END, figures, main, renewed
from expathub.testing.verdict import Verdict

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence"


def test_the_page_on_faults_is_up_to_date(tmp_path: Path) -> None:
    page = EVIDENCE / "faults.md"
    copy = tmp_path / "faults.md"
    copy.write_text(page.read_text("utf-8"), "utf-8")
    main(copy, sorted((EVIDENCE / "faults").glob("*.json")))

    assert copy.read_text("utf-8") == page.read_text("utf-8"), "run: make evidence"


def a_run(*, with_steps: bool) -> Report:
    report = Report.begin(7)
    report.started = datetime(2026, 1, 2, tzinfo=UTC).isoformat()
    report.phases.append(PhaseReport("kills", 1, done=1, seconds=3.4, caught_up_seconds=1.25))
    report.count(Fault(Kind.KILL, "intake", step="begun" if with_steps else ""))
    report.take(Verdict((), accepted=8, refused=1, duplicates=1, disclosures=20, parked=2))
    return report


def test_a_run_becomes_tables() -> None:
    text = figures([("hub", orjson.loads(orjson.dumps(a_run(with_steps=True).as_json())))])

    for line in (
        "### hub",
        "| verdict | clean |",
        "| seed | 7 |",
        "| kills | 1 of 1 | 3 | 1.2 s |",
        "| SIGKILL of a process | 1 |",
        "| `begun` | 1 | 0 |",
        "| disclosures | 20 |",
        "| L1 lost | 0 |",
        "Findings: none.",
    ):
        assert line in text.splitlines()


def test_a_run_without_failpoints_has_no_table_of_steps() -> None:
    text = figures([("hub", orjson.loads(orjson.dumps(a_run(with_steps=False).as_json())))])

    assert "`begun`" not in text


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    assert renewed(f"a\n{BEGIN}old{END}\nz", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nz"


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_page_without_both_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="marks"):
        renewed(page, "new")
