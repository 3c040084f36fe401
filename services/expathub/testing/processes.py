"""Services and commands as real child processes, as a partner's developer or an operator runs them.

For tests of the whole hub. Each child gets an environment of its own and log files; none outlives its `with`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

READY_SECONDS = 120.0
"""Long, because a machine may have more to do than this test; what must be fast is measured by the broker's clock."""
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered over HTTP."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def rows(self) -> list[Any]:
        """Return standard output as JSON, one document a line."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@dataclass(slots=True)
class Child:
    """A service that runs as a child process."""

    name: str
    process: subprocess.Popen[bytes]
    data: Path
    log: Path

    def address(self, service: str | None = None) -> str:
        """Wait until the service says where it answers, and return that."""
        file = self.data / "run" / f"{service or self.name}-{self.process.pid}.json"
        until(file.exists, f"{self.name} to say where it answers", self.is_running)
        return str(orjson.loads(file.read_bytes())["address"])

    def get(self, path: str, *, method: str = "GET", service: str | None = None) -> Answer:
        """Ask the service over HTTP."""
        request = urllib.request.Request(self.address(service) + path, method=method)  # noqa: S310 (our own child)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (our own child)
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read())

    def is_ready(self, service: str | None = None) -> bool:
        """Say whether the service says that it is ready."""
        with suppress(OSError):
            return self.get("/readyz", service=service).status == 200  # noqa: PLR2004
        return False

    def wait_until_ready(self, service: str | None = None) -> None:
        """Wait until the service is ready; raises `TimeoutError` with the end of its log."""
        try:
            until(lambda: self.is_ready(service), f"{self.name} to be ready", self.is_running)
        except (TimeoutError, ChildProcessError) as error:
            raise TimeoutError(f"{error}\n{self.logged()[-3000:]}") from None

    def logged(self) -> str:
        """Return what the service has written to standard error."""
        return self.log.read_text("utf-8")

    def events(self, name: str) -> list[Any]:
        """Return the log lines of the event `name`."""
        lines = (line for line in self.logged().splitlines() if line.startswith("{"))
        return [line for line in map(orjson.loads, lines) if line["event"] == name]

    def is_running(self) -> bool:
        """Say whether the process is there."""
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        """Ask the service to end and return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def end(self) -> None:
        """End it by force if it still runs."""
        if self.is_running():
            self.process.kill()
        self.process.wait()


@dataclass(frozen=True, slots=True)
class Bench:
    """A place to run commands and services against one Kafka, with a data folder of its own."""

    bootstrap: str
    data: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a child."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("EXPATHUB_")},
            "EXPATHUB_BOOTSTRAP": self.bootstrap,
            "EXPATHUB_DATA": str(self.data),
            "EXPATHUB_LOG_FORMAT": "json",
            **self.extra,
            **more,
        }

    def command(self, *arguments: str, given: str | bytes = b"", seconds: float = 60.0, **more: str) -> Ended:
        """Run `expathub` with these arguments to its end; `given` is its standard input."""
        ended = subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, "-m", "expathub", *arguments],
            input=given.encode() if isinstance(given, str) else given,
            capture_output=True,
            env=self.environment(**more),
            timeout=seconds,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    @contextmanager
    def service(self, name: str, *arguments: str, **more: str) -> Iterator[Child]:
        """Run `expathub NAME` until the end of the `with`; then it is killed if it still runs."""
        with self.process(name, [sys.executable, "-m", "expathub", name, *arguments], **more) as child:
            yield child

    @contextmanager
    def process(self, name: str, command: list[str], **more: str) -> Iterator[Child]:
        """Run any command as a service called `name`."""
        child = self.start(name, command, **more)
        try:
            yield child
        finally:
            child.end()

    def start(self, name: str, command: Sequence[str] = (), **more: str) -> Child:
        """Start `expathub NAME`, or another command under that name; whoever starts it must end it."""
        self.data.mkdir(parents=True, exist_ok=True)
        log = self.data / f"{name}-{time.monotonic_ns()}.log"
        line = [*command] or [sys.executable, "-m", "expathub", name]
        with log.open("wb") as file:
            process = subprocess.Popen(line, stdout=file, stderr=file, env=self.environment(**more))  # noqa: S603
        return Child(name, process, self.data, log)


def until(holds: Callable[[], bool], what: str, alive: Callable[[], bool] = lambda: True) -> None:
    """Wait until something holds; raises `TimeoutError`, or `ChildProcessError` when the process that must is gone."""
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        if not alive():
            raise ChildProcessError(f"the process ended while waiting for {what}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {READY_SECONDS:g} s for {what}")
        time.sleep(_POLL_SECONDS)
