"""Whoever tidies up after the demonstration, however it ends: a process of its own that waits for the demo's end.

The demo tells it what it starts, one JSON a line. When the pipe closes, because the demo is done, was interrupted or
was killed, the caretaker ends the services, stops the broker and removes the folder; told to keep them, it does not.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

import orjson

if TYPE_CHECKING:  # it brings a Kafka client, and this process should wait with little
    from expathub.kafka.local_broker.processes import Process

SERVICES_END_SECONDS = 30.0
"""Services end within 25 s of being asked (design R10)."""


class Caretaker:
    """The demo's side: a context that leaves nothing behind of what it was told, unless it shall be kept."""

    def __enter__(self) -> Self:
        """Start the process that tidies up."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "expathub.demo.caretaker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the demo: whoever tidies up must outlive it
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Have everything tidied up, and wait for it."""
        self._process.communicate()

    def will_end(self, process: Process) -> None:
        """Have a process ended."""
        self._tell(process=[process.pid, process.started])

    def will_stop(self, broker: Path) -> None:
        """Have the local broker with its data in this folder stopped."""
        self._tell(broker=str(broker))

    def will_remove(self, folder: Path) -> None:
        """Have a folder removed when nothing runs any more."""
        self._tell(folder=str(folder))

    def keep(self) -> None:
        """Have everything left as it is."""
        self._tell(keep=True)

    def _tell(self, **what: object) -> None:
        pipe = self._process.stdin
        if pipe is None:  # cannot be: it was asked for
            raise RuntimeError("no pipe to the caretaker")
        pipe.write(orjson.dumps(what) + b"\n")
        pipe.flush()


def tidy_up(told: IO[bytes]) -> None:
    """Read what there is to tidy up until the pipe closes, then do it."""
    what = [orjson.loads(line) for line in told]
    if any("keep" in one for one in what):
        return
    from expathub.kafka import local_broker  # noqa: PLC0415 - not before it is needed: the demo is starting meanwhile
    from expathub.kafka.local_broker import processes  # noqa: PLC0415

    services = [processes.Process(*one["process"]) for one in what if "process" in one]
    processes.end(services, SERVICES_END_SECONDS, lambda _: None)
    for one in what:
        if "broker" in one:
            local_broker.stop(Path(one["broker"]))
    for one in what:
        if "folder" in one:
            shutil.rmtree(one["folder"], ignore_errors=True)


if __name__ == "__main__":
    tidy_up(sys.stdin.buffer)
