"""Processes of the operating system: start one detached, tell whether it is still the same one, end it.

A process id alone says little: it is given out again. A process is therefore remembered with what the system says of
its start, and nothing is signalled unless both fit.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.05
_STREAMS: Final = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was started: its id, and the system's own words for when it started."""

    pid: int
    started: str


def spawn(arguments: Sequence[str], output: Path) -> Process:
    """Start a program that outlives us: a session of its own, its output in a file.

    Whoever waits for the end of our output (a pipe, `make`) must not wait for the broker's, so nothing that a child
    could inherit is left open in it.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inheritable()),
    ]
    # UTF-8, else Java cannot open a folder whose name is not ASCII.
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    pid = os.posix_spawn(arguments[0], list(arguments), environment, file_actions=actions, setsid=True)
    return Process(pid, started(pid) or "")


def _inheritable() -> list[int]:
    """Return the descriptors, beside the three streams, that a child would get."""
    found = []
    for descriptor in (int(path.name) for path in Path("/dev/fd").iterdir()):
        with contextlib.suppress(OSError):  # the one that listed the folder is closed by now
            if descriptor not in _STREAMS and os.get_inheritable(descriptor):
                found.append(descriptor)
    return found


def started(pid: int) -> str | None:
    """Return when a process started, in the system's own words, or None where it no longer runs.

    One that ended and was never waited for (a zombie) does not run.
    """
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # where we started it ourselves
    return _started_linux(pid) if sys.platform == "linux" else started_by_ps(pid)


def _started_linux(pid: int) -> str | None:
    """Read it from /proc: clock ticks since this boot, which no change of the clock moves."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()  # `pid (name) state …`: a name may hold spaces and brackets
    state, ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{boot}/{ticks}"


def started_by_ps(pid: int) -> str | None:
    """Ask `ps`, where there is no /proc."""
    asked = ["/bin/ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    said = subprocess.run(  # noqa: S603 (a fixed program; a number)
        asked, capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    ).stdout
    state, _, since = said.strip().partition(" ")
    return since.strip() if state and not state.startswith("Z") else None


def alive(process: Process) -> bool:
    """Tell whether this very process still runs."""
    return bool(process.started) and started(process.pid) == process.started


def end(asked: Iterable[Process], limit_seconds: float, note: Callable[[str], None]) -> None:
    """Ask processes to end and wait; after `limit_seconds` kill what is left. Returns when none runs."""
    told = [process for process in asked if _send(process, signal.SIGTERM)]
    if left := _wait(told, limit_seconds):
        pids = ", ".join(str(process.pid) for process in left)
        note(f"Killing {pids}: not ended {limit_seconds:.0f} s after SIGTERM.")
        _wait([process for process in left if _send(process, signal.SIGKILL)], limit_seconds)


def _wait(processes: Sequence[Process], limit_seconds: float) -> Sequence[Process]:
    """Wait until all have ended; return those that have not."""
    until = time.monotonic() + limit_seconds
    while (left := [process for process in processes if alive(process)]) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    return left


def _send(process: Process, what: signal.Signals) -> bool:
    """Signal this very process; tell whether it was there to be signalled."""
    if not alive(process):
        return False
    try:
        os.kill(process.pid, what)
    except ProcessLookupError:
        return False
    return True
