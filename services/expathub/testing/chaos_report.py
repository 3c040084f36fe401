"""What a run of faults has done and found: figures that grow while it runs, a line, a table, and JSON.

No figure is typed by hand anywhere: `docs/evidence/faults.md` is made of the JSON of runs.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from expathub.kafka.failpoints import STEPS
from expathub.testing.fault_plan import STAGES, UNREACHABLE, Fault, Kind
from expathub.testing.verdict import Kind as Wrong
from expathub.testing.verdict import Verdict

PACKAGES = ("expathub", "aiokafka", "faststream")
FINDINGS_KEPT = 500


@dataclass(slots=True)
class PhaseReport:
    """One phase: how many faults were planned and done, and how long what waited then took to arrive."""

    name: str
    planned: int
    done: int = 0
    seconds: float = 0.0
    caught_up_seconds: float | None = None


@dataclass(slots=True)
class Report:
    """Everything there is to say about a run; `findings` is what is wrong."""

    seed: int
    started: str
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    seconds: float = 0.0
    phases: list[PhaseReport] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    """Per kind how many."""
    at_steps: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """Per stage, step and kind how many."""
    help_kills: int = 0
    starts: int = 0
    stop_seconds: list[float] = field(default_factory=list)
    broker_seconds: list[float] = field(default_factory=list)
    happenings: Mapping[str, int] = field(default_factory=dict)
    sent: int = 0
    on_the_way: int = 0
    dossiers: int = 0
    publishers: Mapping[str, int] = field(default_factory=dict)
    judged: Mapping[str, int] | None = None
    operations: Mapping[str, int] = field(default_factory=dict)
    """Attempts to send, by how they ended."""
    final_seconds: float | None = None
    findings: list[str] = field(default_factory=list)
    findings_total: int = 0

    @classmethod
    def begin(cls, seed: int) -> Report:
        """Begin a report: where and with what."""
        versions = {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}
        machine = {"cores": os.cpu_count(), "system": platform.system(), "processor": platform.machine()}
        return cls(seed, datetime.now(UTC).isoformat(timespec="seconds"), versions, machine)

    def count(self, fault: Fault) -> None:
        """Count a fault that took place."""
        self.faults[fault.kind.value] = self.faults.get(fault.kind.value, 0) + 1
        if fault.step:
            kinds = self.at_steps.setdefault(fault.stage, {}).setdefault(fault.step, {})
            kinds[fault.kind.value] = kinds.get(fault.kind.value, 0) + 1

    def find(self, what: str) -> None:
        """Note something that is wrong."""
        self.findings_total += 1
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(what)

    def take(self, verdict: Verdict) -> None:
        """Take in what a judge says."""
        self.judged = {**verdict.figures, **{str(kind): verdict.count(kind) for kind in Wrong}}
        for finding in verdict.findings:
            self.find(str(finding))

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong, and everything was done and judged."""
        return (
            not self.findings_total and self.judged is not None and all(one.done == one.planned for one in self.phases)
        )

    @property
    def kills_at_steps(self) -> int:
        """How many SIGKILLs took place at failpoints."""
        kinds = (kinds for steps in self.at_steps.values() for kinds in steps.values())
        return sum(one.get(Kind.KILL.value, 0) for one in kinds)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self) | {
            "clean": self.is_clean,
            "kills_at_steps": self.kills_at_steps,
            "unreachable": [f"{stage} {step}: {why}" for (stage, step), why in UNREACHABLE.items()],
        }

    def line(self) -> str:
        """Return one line of progress."""
        phase = self.phases[-1] if self.phases else PhaseReport("start", 0)
        kills = self.faults.get(Kind.KILL.value, 0)
        others = sum(self.faults.values()) - kills
        return (
            f"{self.seconds:6.0f} s  {phase.name} {phase.done}/{phase.planned}  kills {kills}  other faults {others}  "
            f"starts {self.starts}  sent {self.sent}  on the way {self.on_the_way}  findings {self.findings_total}"
        )

    def table(self) -> str:
        """Return the summary for people."""
        rows = [
            ("seed", str(self.seed)),
            ("time", f"{self.seconds:.0f} s"),
            *((f"  {one.name}", _of_phase(one)) for one in self.phases),
            *((f"faults: {kind}", str(count)) for kind, count in sorted(self.faults.items())),
            ("  of the kills at failpoints", str(self.kills_at_steps)),
            *((f"steps hit in {stage}", f"{len(self.at_steps.get(stage, {}))} of {len(STEPS)}") for stage in STAGES),
            ("processes started", str(self.starts)),
            ("SIGTERM", f"{len(self.stop_seconds)}, longest {max(self.stop_seconds, default=0.0):.1f} s"),
            ("events sent", f"{self.sent} about {self.dossiers} dossiers by {_active(self.publishers)} partners"),
            *((name, str(count)) for name, count in (self.judged or {}).items()),
            ("lag 0 after the end", "never" if self.final_seconds is None else f"{self.final_seconds:.1f} s"),
            ("findings", str(self.findings_total)),
        ]
        return "\n".join(f"{name:<55} {text}" for name, text in rows)

    def write(self, file: Path) -> None:
        """Write it to a file, in place of what was there; whoever reads meanwhile reads the old or the new."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
            new.write(orjson.dumps(self.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        Path(new.name).replace(file)


def _of_phase(phase: PhaseReport) -> str:
    caught = "not caught up" if phase.caught_up_seconds is None else f"caught up in {phase.caught_up_seconds:.1f} s"
    return f"{phase.done} of {phase.planned} faults in {phase.seconds:.0f} s, {caught}"


def _active(publishers: Mapping[str, int]) -> int:
    return sum(count > 0 for count in publishers.values())
