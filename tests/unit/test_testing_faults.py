"""The plan of faults, the load and the report: pure parts of the harness, without any process."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from expathub.configuration import load as load_configuration
from expathub.core.references import ReferenceKeys
from expathub.kafka.failpoints import STEPS, Failpoint
from expathub.shipped import shipped
from expathub.testing import fault_plan, operations
from expathub.testing.chaos_report import PhaseReport, Report
from expathub.testing.checker import check
from expathub.testing.evidence import Observation, fingerprints
from expathub.testing.fault_plan import STAGES, UNREACHABLE, Fault, Kind, Wanted
from expathub.testing.in_memory import MemoryHub
from expathub.testing.journeys import write
from expathub.testing.load import Plan, merged, renumbered
from expathub.testing.operations import End, OperationLog
from expathub.testing.verdict import Finding, Verdict
from expathub.testing.verdict import Kind as Wrong

EVERYTHING = Wanted(
    kills=100, failpoint_kills=80, failpoint_others=True, seconds=60, stops=5, broker_restarts=2, broker_kills=3
)


def all_faults(wanted: Wanted, seed: int = 1) -> list[Fault]:
    return [fault for phase in fault_plan.plan(seed, wanted) for row in phase.rows for fault in row]


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert fault_plan.plan(1, EVERYTHING) == fault_plan.plan(1, EVERYTHING)
    assert fault_plan.plan(1, EVERYTHING) != fault_plan.plan(2, EVERYTHING)


def test_a_plan_has_what_was_wanted() -> None:
    faults = all_faults(EVERYTHING)
    kinds = Counter(fault.kind for fault in faults if not fault.step)
    at_steps = Counter(fault.kind for fault in faults if fault.step)

    assert kinds[Kind.KILL] >= 100
    assert at_steps[Kind.KILL] == 80
    assert (kinds[Kind.BROKER_RESTART], kinds[Kind.BROKER_KILL]) == (2, 3)
    assert kinds[Kind.TERMINATE] >= 10


def test_nothing_wanted_is_no_plan() -> None:
    assert fault_plan.plan(1, Wanted()) == []


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", [Kind.KILL, Kind.RAISE, Kind.PAUSE, Kind.SLEEP, Kind.BLOCK])
def test_every_fault_is_planned_at_every_step_of_either_stage(stage: str, kind: Kind) -> None:
    planned = {fault.step for fault in all_faults(EVERYTHING) if (fault.stage, fault.kind) == (stage, kind)}
    unreachable = {step for where, step in UNREACHABLE if where == stage}

    assert planned - {""} == set(STEPS) - unreachable


def test_enough_failpoint_kills_take_each_step_equally_often() -> None:
    faults = fault_plan.at_failpoints(Random(3), "intake", 3 * len(STEPS))

    assert Counter(fault.step for fault in faults) == dict.fromkeys(STEPS, 3)


def test_every_planned_failpoint_is_one_that_the_engine_knows() -> None:
    for fault in all_faults(EVERYTHING):
        if fault.step:
            point = Failpoint.parse(fault.failpoint)
            assert (point.step, point.what, point.left) == (fault.step, fault.kind.value, fault.nth)
            assert point.seconds == (fault.seconds if fault.kind in {Kind.SLEEP, Kind.BLOCK} else 0)


def test_the_load_is_made_of_many_dossiers_and_a_few_hot_ones() -> None:
    configuration = load_configuration(shipped("deploy", "partners.yaml"), shipped("schemas"))
    plan = Plan(seed=1)
    script = write(configuration, events=plan.act_events, seed=1, now=datetime.now(UTC), hot=plan.hot)
    counts = Counter(publication.subject for publication in script.publications)

    assert len(counts) >= 100
    assert counts.most_common(1)[0][1] > 0.2 * plan.act_events
    assert len({publication.partner for publication in script.publications}) > 15


def test_merged_acts_keep_what_each_expects() -> None:
    configuration = load_configuration(shipped("deploy", "partners.yaml"), shipped("schemas"))
    plays = [write(configuration, events=60, seed=5, now=datetime.now(UTC), run=f"act {act}") for act in range(2)]
    acts = [renumbered(play, 60 * number) for number, play in enumerate(plays)]
    whole = merged(acts)

    assert whole.publications == (*acts[0].publications, *acts[1].publications)
    assert [one.number for one in whole.publications] == list(range(120))
    assert {one.after - 60 for one in acts[1].publications if one.after} == {
        one.after for one in plays[1].publications if one.after is not None
    }
    assert whole.queues == {**acts[0].queues, **acts[1].queues}
    assert len(whole.queues) == len(acts[0].queues) + len(acts[1].queues)
    assert whole.secrets == acts[0].secrets | acts[1].secrets
    assert whole.outsiders == acts[0].outsiders


VERDICT = Verdict((), accepted=8, refused=1, duplicates=1, disclosures=20, parked=2)


def test_a_report_is_clean_only_when_all_was_done_and_judged() -> None:
    report = Report.begin(7)
    report.phases.append(PhaseReport("kills", 2, done=2))
    assert not report.is_clean

    report.take(VERDICT)
    assert [report.is_clean] == [True]

    report.phases[0].done = 1
    assert [report.is_clean] == [False]


def test_a_finding_makes_a_report_unclean() -> None:
    report = Report.begin(7)
    finding = Finding(Wrong.LOST, "not told", "urn:x 1", "heerlen")
    report.take(Verdict((finding,), accepted=8, refused=1, duplicates=1, disclosures=20, parked=2))

    assert not report.is_clean
    assert report.findings == [str(finding)]
    assert report.judged is not None
    assert report.judged["L1 lost"] == 1


def test_a_report_counts_faults_and_is_written_whole(tmp_path: Path) -> None:
    report = Report.begin(7)
    report.count(Fault(Kind.KILL, "intake", step="begun"))
    report.count(Fault(Kind.KILL, "intake", step="begun"))
    report.count(Fault(Kind.PAUSE, "dispatch"))
    report.write(tmp_path / "deep" / "report.json")
    written = json.loads((tmp_path / "deep" / "report.json").read_text())

    assert written["at_steps"] == {"intake": {"begun": {"kill9": 2}}}
    assert written["faults"] == {"kill9": 2, "pause": 1}
    assert written["kills_at_steps"] == 2
    assert not written["clean"]
    assert "kill9" in report.table()
    assert "kills 2" in report.line()


def test_acts_that_are_played_one_after_the_other_are_judged_as_one(tmp_path: Path) -> None:
    configuration = load_configuration(shipped("deploy", "partners.yaml"), shipped("schemas"))
    plan = Plan(seed=3, act_events=150)
    now = datetime.now(UTC)
    plays = [
        write(configuration, events=150, seed=plan.seed + act, now=now, run=f"act {act}", hot=plan.hot)
        for act in range(3)
    ]
    acts = [renumbered(play, 150 * act) for act, play in enumerate(plays)]
    hub = MemoryHub(configuration, ReferenceKeys({1: bytes(32)}), now_ms=int(now.timestamp() * 1000))
    with OperationLog(tmp_path / "log", durable=False) as log:
        for publication in (one for act in acts for one in act.publications):
            number = log.invoke(publication)
            position = hub.publish(publication.partner, publication.value, publication.headers, publication.key)
            log.ended(number, End.OK, position)
    records = tuple(hub.everything())
    there = frozenset(one.position for one in records)
    observation = Observation(records, fingerprints(records), there, {}, frozenset())

    assert check(observation, operations.read(tmp_path / "log"), merged(acts), alone=True).findings == ()
