"""`python -m expathub.testing.fault_tables PAGE FILE…`: write the figures of runs into a page, between its two marks.

The files are what `expathub.testing.faults --json` wrote. Nothing on the page between the marks is typed by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from expathub.kafka.failpoints import STEPS
from expathub.testing.fault_plan import STAGES, Kind

BEGIN: Final = "<!-- figures: begin (made by expathub.testing.fault_tables) -->"
END: Final = "<!-- figures: end -->"

Run = Mapping[str, Any]

_FAULTS = {
    Kind.KILL.value: "SIGKILL of a process",
    Kind.PAUSE.value: "SIGSTOP, a successor works, SIGCONT",
    Kind.RAISE.value: "exception at a failpoint",
    Kind.SLEEP.value: "lane sleeps at a failpoint",
    Kind.BLOCK.value: "event loop stands at a failpoint",
    Kind.TERMINATE.value: "SIGTERM under load",
    Kind.EVICT.value: "thrown out of its group while at work",
    Kind.BROKER_RESTART.value: "broker restarted, the hub alive",
    Kind.BROKER_KILL.value: "SIGKILL of the broker, the hub alive",
}


def figures(runs: Sequence[tuple[str, Run]]) -> str:
    """Make the tables of runs, each with the name of its file."""
    return "\n\n".join(part for name, run in runs for part in _run(name, run))


def renewed(page: str, section: str) -> str:
    """Return a page with `section` between its marks; raises `ValueError` where a mark is missing."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError("the page has not both marks")
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def _run(name: str, run: Run) -> Iterator[str]:
    yield f"### {name}"
    yield _table(("what", "figure"), _summary(run))
    yield _table(("phase", "faults", "seconds", "caught up after"), map(_phase, run["phases"]))
    yield _table(("fault", "times"), ((_FAULTS[kind], count) for kind, count in sorted(run["faults"].items())))
    if run["at_steps"]:
        yield _table(("step", *(f"{stage}: {kind}" for stage in STAGES for kind in _kinds(run))), _steps(run))
    if run["judged"]:
        yield _table(("verdict over all topics", "records"), run["judged"].items())
    if run["happenings"]:
        yield _table(("what the processes told of themselves", "times"), run["happenings"].items())
    yield "Findings: none." if not run["findings_total"] else f"Findings: {run['findings_total']}."


def _summary(run: Run) -> Iterator[tuple[str, object]]:
    yield "verdict", "clean" if run["clean"] else "NOT CLEAN"
    yield "begun (UTC)", run["started"]
    yield "versions", ", ".join(f"{name} {number}" for name, number in sorted(run["versions"].items()))
    yield "machine", f"{run['machine']['cores']} cores, {run['machine']['system']} {run['machine']['processor']}"
    yield "seed", run["seed"]
    yield "lasted", f"{run['seconds']:.0f} s"
    yield "events sent", f"{run['sent']}, about {run['dossiers']} dossiers, by {len(run['publishers'])} partners"
    if run["operations"]:
        yield "attempts to send, by outcome", ", ".join(f"{end} {count}" for end, count in run["operations"].items())
    yield "SIGKILLs at failpoints", run["kills_at_steps"]
    yield "processes started", run["starts"]
    stops = run["stop_seconds"]
    yield "SIGTERM to exit 0", f"{len(stops)} times, longest {max(stops, default=0.0):.1f} s"
    if run["broker_seconds"]:
        yield (
            "broker start to all caught up",
            f"{len(run['broker_seconds'])} times, longest {max(run['broker_seconds'])} s",
        )
    final = run["final_seconds"]
    yield "lag 0 after the end of the load", "never" if final is None else f"{final:.1f} s"
    for line in run["unreachable"]:
        yield "not reachable", line


def _phase(phase: Run) -> tuple[object, ...]:
    caught = phase["caught_up_seconds"]
    return (
        phase["name"],
        f"{phase['done']} of {phase['planned']}",
        f"{phase['seconds']:.0f}",
        "never" if caught is None else f"{caught:.1f} s",
    )


def _kinds(run: Run) -> list[str]:
    return sorted({kind for steps in run["at_steps"].values() for kinds in steps.values() for kind in kinds})


def _steps(run: Run) -> Iterator[tuple[object, ...]]:
    for step in STEPS:
        cells = (run["at_steps"].get(stage, {}).get(step, {}).get(kind, 0) for stage in STAGES for kind in _kinds(run))
        yield (f"`{step}`", *cells)


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)


def main(page: Path, files: Sequence[Path]) -> None:
    """Renew the page."""
    runs = [(file.stem, orjson.loads(file.read_bytes())) for file in files]
    page.write_text(renewed(page.read_text("utf-8"), figures(runs) or "No run is recorded yet."), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(word) for word in sorted(sys.argv[2:])])
