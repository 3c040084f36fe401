"""`python -m expathub.testing.faults`: faults on a hub of its own, told live; exit code 1 when anything is wrong.

    python -m expathub.testing.faults --kills 1000 --failpoint-kills 650 --json var/faults/kills.json

Starts a broker, two processes of each stage and a load, carries out the plan that the seed gives, judges all topics.
The JSON file is renewed after every fault.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from expathub.configuration import load as load_configuration
from expathub.kafka import local_broker, waiting
from expathub.shipped import shipped
from expathub.testing import fault_plan
from expathub.testing.chaos import RECOVERY_SECONDS, Chaos
from expathub.testing.chaos_report import Report
from expathub.testing.fault_plan import Wanted
from expathub.testing.load import Plan
from expathub.testing.processes import Bench

_SAVE_SECONDS = 5.0

_COUNTS = {
    "--kills": "SIGKILLs at random moments",
    "--failpoint-kills": "SIGKILLs at named failpoints, each step in turn",
    "--stops": "SIGTERMs per stage",
    "--broker-restarts": "clean restarts of the broker",
    "--broker-kills": "SIGKILLs of the broker",
}
_AMOUNTS = {
    "--seconds": ("so many seconds everything at random", 0.0),
    "--gap": ("seconds between two random faults of a stage, on average", 2.0),
    "--rate": ("events per second", 40.0),
}


@dataclass(frozen=True, slots=True)
class LocalBroker:
    """The local broker of a folder."""

    data: Path

    def stop(self) -> None:
        """End it cleanly."""
        local_broker.stop(self.data)

    def kill(self) -> None:
        """SIGKILL every node."""
        cluster = local_broker.status(self.data)
        for node in cluster.nodes if cluster else ():
            if node.pid is not None:
                os.kill(node.pid, signal.SIGKILL)

    def start(self) -> None:
        """Start it again."""
        local_broker.start(self.data)


async def run(
    folder: Path,
    load: Plan,
    wanted: Wanted,
    note: Callable[[str], None],
    file: Path | None = None,
    recovery_seconds: float = RECOVERY_SECONDS,
) -> Report:
    """Run a whole plan, with the seed of the load, on a broker and a hub in `folder`; both have ended then."""
    configuration = load_configuration(shipped("deploy", "partners.yaml"), shipped("schemas"))
    saved = 0.0

    def save(report: Report) -> None:
        nonlocal saved
        if file is not None and time.monotonic() - saved > _SAVE_SECONDS:
            saved = time.monotonic()
            report.write(file)

    with local_broker.temporary(folder / "kafka", progress=note) as cluster:
        bench = Bench(cluster.bootstrap, folder / "hub")
        async with Chaos.on(bench, configuration, LocalBroker(cluster.data), load, note, save) as chaos:
            chaos.recovery_seconds = recovery_seconds
            chaos.report.versions = {**chaos.report.versions, "kafka": cluster.version}
            report = await chaos.run(fault_plan.plan(load.seed, wanted))
    if file is not None:
        report.write(file)
    return report


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m expathub.testing.faults", description=(__doc__ or "").splitlines()[0]
    )
    for name, meaning in _COUNTS.items():
        parser.add_argument(name, help=meaning, type=int, default=0, metavar="N")
    for name, (meaning, default) in _AMOUNTS.items():
        parser.add_argument(name, help=meaning, type=float, default=default, metavar="X")
    parser.add_argument("--others", help="raise, pause, sleep and block at every failpoint", action="store_true")
    parser.add_argument("--seed", help="where faults are aimed, and whose lives; random if not given", type=int)
    parser.add_argument("--json", help="write all figures here, renewed while it runs", type=Path, metavar="FILE")
    parser.add_argument("--folder", help="keep broker and logs here (default: a temporary one)", type=Path)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run as told on the command line; returns the exit code."""
    asked = _arguments(words)
    waiting.silence_client()
    seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
    wanted = Wanted(
        kills=asked.kills,
        failpoint_kills=asked.failpoint_kills,
        failpoint_others=asked.others,
        seconds=asked.seconds,
        stops=asked.stops,
        broker_restarts=asked.broker_restarts,
        broker_kills=asked.broker_kills,
        gap_seconds=asked.gap,
    )
    _say(f"seed {seed}, {wanted}")
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="expathub-faults-"))
    report = asyncio.run(run(folder, Plan(seed=seed, per_second=asked.rate), wanted, _say, asked.json))
    _say(report.table())
    for finding in report.findings:
        _say(finding)
    _say(f"seed {seed}: {'clean' if report.is_clean else f'NOT CLEAN, logs are in {folder}'}")
    return 0 if report.is_clean else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
