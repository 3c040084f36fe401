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

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was started: its id and the system's own words for when."""

    pid: int
    started: str


def spawn(arguments: Sequence[str], output: Path) -> Process:
    """Start a program that outlives us: a session of its own, all three streams away from ours.

    Whoever waits for the end of our output (a pipe, `make`) must not wait for the broker's, so every descriptor that a
    child could inherit is closed in it.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inheritable()),
    ]
    pid = os.posix_spawn(arguments[0], list(arguments), os.environ, file_actions=actions, setsid=True)
    return Process(pid, started(pid) or "")


def _inheritable() -> list[int]:
    """Return the descriptors, beside the three streams, that a child would get."""
    found = []
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # the one that lists the folder is closed by now
            if int(name) > 2 and os.get_inheritable(int(name)):  # noqa: PLR2004  # 0, 1, 2 are the streams
                found.append(int(name))
    return found


def started(pid: int) -> str | None:
    """Return when a process started, in the system's own words, or None where it no longer runs.

    A process that ended and was not waited for (a zombie) does not run.
    """
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _started_linux(pid) if sys.platform == "linux" else _started_ps(pid)


def _started_linux(pid: int) -> str | None:
    try:
        # `pid (name) state …`: the name may hold spaces and brackets, so count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    state, ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{boot}/{ticks}"


def _started_ps(pid: int) -> str | None:
    asked = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    state, _, since = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip().partition(" ")
    return since.strip() if state and not state.startswith("Z") else None


def alive(process: Process) -> bool:
    """Tell whether this very process still runs."""
    return bool(process.started) and started(process.pid) == process.started


def end(processes: Iterable[Process], limit_seconds: float, note: Callable[[str], None]) -> None:
    """Ask processes to end and wait; after `limit_seconds` kill what is left. Returns when none runs."""
    asked = [process for process in processes if _send(process, signal.SIGTERM)]
    if left := _wait(asked, limit_seconds):
        note(f"killing {', '.join(str(process.pid) for process in left)}: not ended after {limit_seconds:.0f} s")
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
