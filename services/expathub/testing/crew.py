"""The processes of a hub under test: two of each stage, each of which may be killed, stopped, woken and replaced.

    with Crew(bench) as crew:
        crew.start_all()
        await crew.kill(crew.post("intake", 0))
        crew.start(crew.post("intake", 0))

Nobody may end by himself: who does is noted in `surprises` and replaced. What the processes logged is counted in
`happenings` when they end; their log files are kept only where something about them was wrong.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson

from expathub.kafka import failpoints
from expathub.testing import group_members
from expathub.testing.fault_plan import POSTS, STAGES
from expathub.testing.processes import Bench, Child

STOP_LIMIT_SECONDS = 25.0
"""Design R10."""
_STOP_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05
_WATCH_SECONDS = 0.25
_PUT_OUT_SECONDS = 10.0

_COUNTED = {
    "given_up": "reason",
    "stopped": "cause",
    "kafka_awaited": "reason",
    "engine_failed": "error",
    **dict.fromkeys(("taken_over", "careful", "poisoned", "step_raised", "unreadable", "drain_timed_out"), ""),
}
"""Events of the log that are counted, with the key that says which kind."""

_WRONG = frozenset({"stopped", "poisoned", "step_raised", "unreadable", "drain_timed_out"})
"""Events that no fault of this kind may lead to: everything that is published here can be worked off."""


@dataclass(slots=True)
class Post:
    """A place for a process. `armed` is the failpoint of the one that has it; `expected` says that it may end now."""

    stage: str
    number: int
    child: Child | None = None
    armed: str = ""
    expected: bool = False

    @property
    def running(self) -> bool:
        """Whether a process is there (a stopped one is)."""
        return self.child is not None and self.child.is_running()

    @property
    def process(self) -> Child:
        """The process; raises `ValueError` where there is none."""
        if self.child is None:
            raise ValueError(f"nobody is at {self}")
        return self.child

    def __str__(self) -> str:
        """Name the place."""
        return f"{self.stage}/{self.number}"


@dataclass(slots=True)
class Crew:
    """All posts of a hub."""

    bench: Bench
    stages: Iterable[str] = STAGES
    per_stage: int = POSTS
    starts: int = 0
    stop_seconds: list[float] = field(default_factory=list)
    happenings: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    on_surprise: Callable[[str], None] = lambda _: None
    posts: list[Post] = field(init=False)

    def __post_init__(self) -> None:
        """Set up the posts, empty."""
        self.posts = [Post(stage, number) for stage in self.stages for number in range(self.per_stage)]

    def __enter__(self) -> Self:
        """Begin; nobody runs yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End whoever still runs, by force."""
        for post in self.posts:
            if post.child is not None:
                post.child.end()

    def post(self, stage: str, number: int) -> Post:
        """Find a post."""
        return next(post for post in self.posts if (post.stage, post.number) == (stage, number))

    def sibling(self, post: Post) -> Post:
        """Find the other post of a stage of two."""
        return next(other for other in self.posts if other.stage == post.stage and other is not post)

    def start(self, post: Post, failpoint: str = "") -> None:
        """Start a process at an empty post, with a failpoint if asked for; it is not waited for."""
        if post.running:
            raise ValueError(f"{post} is taken")
        more = {failpoints.VARIABLE: failpoint} if failpoint else {}
        post.armed, post.expected = failpoint, bool(failpoint)
        post.child = self.bench.start(post.stage, **more)
        self.starts += 1

    def start_all(self) -> None:
        """Fill every empty post."""
        for post in self.posts:
            if not post.running:
                self.start(post)

    async def until_ready(self) -> None:
        """Wait until every process is ready; raises `TimeoutError` with the end of a log."""
        for post in self.posts:
            await asyncio.to_thread(post.process.wait_until_ready)

    async def until_answering(self, post: Post) -> None:
        """Wait until a process has started as far as saying where it answers: it takes part, or is about to."""
        await asyncio.to_thread(post.process.address)

    async def kill(self, post: Post, *, at_once: bool = True) -> None:
        """SIGKILL; with `at_once` the group forgets the dead one without waiting for its session to end."""
        post.expected = True
        child = post.process
        child.signal(signal.SIGKILL)
        await asyncio.to_thread(child.wait)
        await self.bury(post, at_once=at_once)

    async def bury(self, post: Post, *, at_once: bool) -> None:
        """See to it that a dead process is counted, and forgotten by its group if asked for."""
        if at_once:
            await self.put_out(post)
        self._count(post)

    async def put_out(self, post: Post) -> bool:
        """Put a process out of its group, dead or alive; False when the group does not know it or does not answer."""
        suffix = f"-{post.process.process.pid}"
        try:
            async with asyncio.timeout(_PUT_OUT_SECONDS):
                out = await group_members.put_out(
                    self.bench.bootstrap, f"hub.{post.stage}", lambda member: member.client_id.endswith(suffix)
                )
        except Exception:  # noqa: BLE001 (the broker may be away or busy: then the session's end will do)
            return False
        return bool(out)

    async def terminate(self, post: Post) -> tuple[int | None, float]:
        """SIGTERM; returns the exit code (None: still there after a minute, killed then) and the seconds it took."""
        post.expected = True
        child = post.process
        began = time.monotonic()
        child.signal(signal.SIGTERM)
        code: int | None = None
        with suppress(subprocess.TimeoutExpired):
            code = await asyncio.to_thread(child.wait, _STOP_WAIT_SECONDS)
        seconds = time.monotonic() - began
        self.stop_seconds.append(seconds)
        if code != 0 or seconds > STOP_LIMIT_SECONDS:
            self._surprise(f"{post}: SIGTERM ended with {code} after {seconds:.1f} s, log {child.log}")
        child.end()
        self._count(post)
        return code, seconds

    async def until_reached(self, post: Post) -> dict[str, Any]:
        """Wait until the armed failpoint of a process is reached; returns the line that says so."""
        while True:
            for line in _lines(post.process):
                if line["event"] == failpoints.REACHED:
                    return line
            if not post.running:
                raise ChildProcessError(f"{post}: ended with {post.process.process.returncode} before {post.armed}")
            await asyncio.sleep(_POLL_SECONDS)

    async def watch(self) -> None:
        """Note who ends by himself, and replace him; for ever."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for post in self.posts:
                if post.child is not None and not post.expected and not post.running:
                    self._surprise(
                        f"{post}: ended by itself with {post.child.process.returncode}, log {post.child.log}"
                    )
                    self._count(post)
                    self.start(post)

    def _surprise(self, what: str) -> None:
        self.surprises.append(what)
        self.on_surprise(what)

    def _count(self, post: Post) -> None:
        """Count what an ended process has logged, and let go of it."""
        child = post.process
        wrong = []
        for line in _lines(child):
            name = line["event"]
            if name in _COUNTED:
                kind = line.get(_COUNTED[name])
                self.happenings[f"{name}: {kind}" if kind else name] += 1
            if name in _WRONG:
                wrong.append(name)
        if wrong:
            self._surprise(f"{post}: {', '.join(sorted(set(wrong)))}, log {child.log}")
        elif child.process.returncode in {0, -signal.SIGKILL}:
            child.log.unlink(missing_ok=True)
        post.child = None


def _lines(child: Child) -> list[dict[str, Any]]:
    """Read the JSON lines of a log; the last one may be half written."""
    found = []
    for line in child.log.read_bytes().splitlines():
        try:
            read = orjson.loads(line) if line.startswith(b"{") else None
        except orjson.JSONDecodeError:
            continue
        if isinstance(read, dict) and "event" in read:
            found.append(read)
    return found
