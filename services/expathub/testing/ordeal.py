"""An ordeal: newcomers' lives go on at a steady pace while something happens to the cluster; then all is judged.

What happens is a coroutine that follows the load (`Load.reaches`), so that it always happens under load, on a fast
machine and on a slow one. Nobody is excused: no process may end by itself, and everything must come to rest.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Self, TypeAlias

import orjson

from expathub.configuration import load
from expathub.core.configuration import Configuration
from expathub.shipped import shipped
from expathub.testing.journeys import write
from expathub.testing.judgement import judge
from expathub.testing.operations import OperationLog, read, resolve
from expathub.testing.performing import LiveHub, Watch
from expathub.testing.processes import Bench, Child
from expathub.testing.script import Outcome
from expathub.testing.verdict import Sent, Verdict

SETTLE_SECONDS = 300.0
"""Far more than it takes: how long it took is told, not judged, for a machine may have other things to do."""

PACKAGES = ("expathub", "aiokafka", "faststream")
FINDINGS_KEPT = 500

SERVICES = ("intake", "intake", "dispatch", "dispatch")
_POLL_SECONDS = 0.2


class Load:
    """How much of a script has been sent and stored."""

    def __init__(self, events: int) -> None:
        self.sent = 0
        self.events = events

    def note(self, _: object) -> None:
        """Count one more."""
        self.sent += 1

    async def reaches(self, share: float) -> None:
        """Wait until this share of the script has been sent."""
        while self.sent < share * self.events:  # noqa: ASYNC110 (counted at a high rate)
            await asyncio.sleep(_POLL_SECONDS)


Trouble: TypeAlias = Callable[[Load], Awaitable[None]]
"""What happens meanwhile; it returns when the cluster is as it was."""


@dataclass(frozen=True, slots=True)
class Outlived:
    """What became of one ordeal. `recovery_seconds`: from the end of the trouble until all had come to rest."""

    name: str
    seed: int
    sent: int
    accepted: int
    disclosures: int
    findings: Sequence[str]
    trouble_seconds: float
    recovery_seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled, torn, reordered or told to the wrong ones."""
        return not self.findings


@dataclass(slots=True)
class Ordeal:
    """A hub of four processes, and what they have been through."""

    bench: Bench
    members: Sequence[Child]
    configuration: Configuration
    outlived: list[Outlived] = field(default_factory=list)

    @classmethod
    @contextmanager
    def of(cls, bench: Bench, services: Sequence[str] = SERVICES, clocks: Sequence[Path] = ()) -> Iterator[Self]:
        """Provision the cluster and start the processes; they are killed at the end of the block.

        Process `n` reads a clock that is as wrong as `clocks[n]` says (`wrong_clock`), where there is one.
        """
        provisioned = bench.command("provision", "apply", seconds=180.0)
        if provisioned.code:
            raise RuntimeError(provisioned.err)
        with ExitStack() as running:
            members = [
                running.enter_context(_member(bench, name, clock)) for name, clock in zip_longest(services, clocks)
            ]
            for member in members:
                member.wait_until_ready()
            yield cls(bench, members, load(shipped("deploy", "partners.yaml"), shipped("schemas")))

    async def outlive(self, name: str, seed: int, events: int, per_second: float, trouble: Trouble) -> Outlived:
        """Let so many events of newcomers' lives go on while there is trouble; judge them."""
        script = write(self.configuration, events=events, seed=seed, now=datetime.now(UTC), run=f"{name}-{seed}")
        load, began = Load(events), time.monotonic()
        file = self.bench.data / f"operations-{name}-{seed}.jsonl"
        async with AsyncExitStack() as stack:
            log = stack.enter_context(OperationLog(file))
            live = await stack.enter_async_context(
                LiveHub.of(self.bench.bootstrap, self.configuration.partners.by_id, log)
            )
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            performing = tasks.create_task(live.perform(script, per_second, Watch(on_sent=load.note), SETTLE_SECONDS))
            await trouble(load)
            trouble_seconds = time.monotonic() - began
        performance = performing.result()
        resolved = resolve(read(file), script, performance.history.outboxes)
        verdict = judge(performance.history, resolved.sent, script, unfinished=resolved.unfinished)
        outlived = Outlived(
            name=name,
            seed=seed,
            sent=len(resolved.sent),
            accepted=verdict.accepted,
            disclosures=verdict.disclosures,
            findings=[*_missing(verdict, events, resolved.sent), *map(str, verdict.findings)],
            trouble_seconds=round(trouble_seconds, 1),
            recovery_seconds=round(max(0.0, performance.seconds - trouble_seconds), 1),
        )
        self.outlived.append(outlived)
        return outlived

    def ended(self) -> list[str]:
        """Name the processes that have ended, though nobody asked them to."""
        return [f"{member.name}: {member.process.returncode}" for member in self.members if not member.is_running()]

    def write_result(self, file: Path, began: datetime, faults: Mapping[str, int]) -> None:
        """Write what was outlived so far as JSON: a run of hours must not be lost with its last minute."""
        findings = [f"seed {one.seed}: {finding}" for one in self.outlived for finding in one.findings]
        result = {
            "seed": self.outlived[0].seed,
            "started": began.isoformat(timespec="seconds"),
            "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
            "machine": {"cores": os.cpu_count(), "system": platform.system(), "processor": platform.machine()},
            "seconds": round((datetime.now(UTC) - began).total_seconds()),
            "faults": faults,
            "sent": sum(one.sent for one in self.outlived),
            "accepted": sum(one.accepted for one in self.outlived),
            "disclosures": sum(one.disclosures for one in self.outlived),
            "recovery_seconds_max": max(one.recovery_seconds for one in self.outlived),
            "findings_total": len(findings),
            "findings": findings[:FINDINGS_KEPT],
            "rounds": [asdict(one) for one in self.outlived],
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))


def _member(bench: Bench, name: str, clock: Path | None) -> AbstractContextManager[Child]:
    if clock is None:
        return bench.service(name)
    return bench.process(name, [sys.executable, "-m", "expathub.testing.wrong_clock", str(clock), name])


def _missing(verdict: Verdict, events: int, sent: Sequence[Sent]) -> Iterator[str]:
    """Compare the figures with the script's, so that an empty cluster is no clean one."""
    if len(sent) < events:
        yield f"only {len(sent)} of {events} got to an outbox"
    expected = Counter(one.publication.fate.outcome for one in sent)
    found = {
        Outcome.ACCEPTED: verdict.accepted,
        Outcome.REFUSED: verdict.refused,
        Outcome.DUPLICATE: verdict.duplicates,
    }
    for outcome, count in found.items():
        if count != expected[outcome]:
            yield f"{outcome.value}: {count}, should be {expected[outcome]}"
