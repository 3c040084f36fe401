"""A whole hub under load, and everything done to it that a plan says; then the verdict over all topics.

One broker, two processes of each stage and the load live through all of it, so that a fault costs seconds. Who wants
other faults on the same hub uses `Crew` and `Load` directly.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from expathub.core.configuration import Configuration
from expathub.testing import fault_plan
from expathub.testing.chaos_report import PhaseReport, Report
from expathub.testing.checker import check
from expathub.testing.crew import Crew, Post
from expathub.testing.fault_plan import Fault, Kind, Phase
from expathub.testing.load import Load, Plan, merged
from expathub.testing.observing import observe
from expathub.testing.performing import until
from expathub.testing.processes import Bench

RECOVERY_SECONDS = 60.0
"""L10: so long after the last fault everything that waited must have arrived, on a machine with nothing else to do."""
PATIENCE_SECONDS = 300.0
"""How long it is waited for at all, so that what comes late is told from what never comes."""
HIT_SECONDS = 240.0
READ_BACK_SECONDS = 1_200.0
_HELP_SECONDS = {True: 4.0, False: 40.0}
"""How long a ready process may take to reach a step by itself, where it needs somebody's unclean end and where not."""
_HELP_AGAIN_SECONDS = 15.0
_LOOK_SECONDS = 0.3
_BREATHE_EVERY = 3
_BREATHE_SECONDS = 20.0
_EXIT_SECONDS = 60.0
_SETTLE_SECONDS = 2.0
_PROGRESS_SECONDS = 15.0

Note = Callable[[str], None]


class Broker(Protocol):
    """The broker under the hub, as far as it can be harmed."""

    def stop(self) -> None:
        """End it cleanly."""
        ...

    def kill(self) -> None:
        """SIGKILL it."""
        ...

    def start(self) -> None:
        """Start it again, on the same port, with the same data; return when it answers."""
        ...


@dataclass(slots=True)
class Chaos:
    """One run. `note` is told a line now and then; `save` is given the report after each fault.

    What comes later than `recovery_seconds` after the faults is a finding.
    """

    bench: Bench
    configuration: Configuration
    broker: Broker
    crew: Crew
    load: Load
    report: Report
    note: Note
    save: Callable[[Report], None]
    began: float = 0.0
    recovery_seconds: float = RECOVERY_SECONDS

    @classmethod
    @asynccontextmanager
    async def on(
        cls,
        bench: Bench,
        configuration: Configuration,
        broker: Broker,
        load: Plan,
        note: Note,
        save: Callable[[Report], None] = lambda _: None,
    ) -> AsyncIterator[Chaos]:
        """Provision topics and start the hub; raises `RuntimeError` where that fails."""
        applied = await asyncio.to_thread(bench.command, "provision", "apply")
        if applied.code:
            raise RuntimeError(f"provision apply ended with {applied.code}: {applied.err[-500:]}")
        report = Report.begin(load.seed)
        with Crew(bench, on_surprise=report.find) as crew:
            async with Load.on(bench.bootstrap, configuration, load, bench.data / "operations.jsonl") as working:
                yield cls(bench, configuration, broker, crew, working, report, note, save)

    async def run(self, phases: Sequence[Phase]) -> Report:
        """Carry out the phases one after the other under load, then read everything back and judge it."""
        self.began = time.monotonic()
        self.crew.start_all()
        await self.crew.until_ready()
        loading = asyncio.create_task(self.load.run())
        helpers = [asyncio.create_task(self.crew.watch()), asyncio.create_task(self._tell())]
        faults = asyncio.create_task(self._all(phases))
        try:
            await asyncio.wait({loading, faults}, return_when=asyncio.FIRST_COMPLETED)
            if not faults.done():
                loading.result()
                raise RuntimeError("the load has ended before the faults")
            faults.result()
            self.load.stop()
            await self._come_to_rest(loading)
        finally:
            for task in (loading, faults, *helpers):
                task.cancel()
            await asyncio.gather(loading, faults, *helpers, return_exceptions=True)
        texts = await self._texts()
        await self._stop_crew()
        await self._judge(texts)
        self._figures()
        self.save(self.report)
        return self.report

    async def _all(self, phases: Sequence[Phase]) -> None:
        for phase in phases:
            await self._phase(phase)

    async def _phase(self, phase: Phase) -> None:
        self.note(f"{phase.name}: {phase.count} faults")
        told = PhaseReport(phase.name, phase.count)
        self.report.phases.append(told)
        began = time.monotonic()
        async with asyncio.TaskGroup() as rows:
            for row in phase.rows:
                rows.create_task(self._row(row, told))
        await self._all_ready(phase)
        told.seconds = time.monotonic() - began
        told.caught_up_seconds = await self.load.catch_up(PATIENCE_SECONDS)
        self._save()

    async def _all_ready(self, phase: Phase) -> None:
        self.crew.start_all()
        try:
            await self.crew.until_ready()
        except TimeoutError as error:
            self.report.find(f"wedged: {phase.name}: {error}")

    async def _row(self, row: Sequence[Fault], told: PhaseReport) -> None:
        for number, fault in enumerate(row):
            await asyncio.sleep(fault.after_seconds)
            if fault.stage and number % _BREATHE_EVERY == 0:
                await self._breathe(fault.stage)
            try:
                await self._do(fault)
            except (TimeoutError, ChildProcessError) as error:
                self.report.find(f"{fault}: {type(error).__name__} {error}")
            told.done += 1
            self._save()
        for post in self.crew.posts:
            if row and post.stage == row[0].stage and not post.running:
                self.crew.start(post)

    async def _breathe(self, stage: str) -> None:
        """Let a stage get something done now and then: faults that only hit each other would prove little."""
        before = self.load.progress.done(stage)
        with suppress(TimeoutError):
            async with asyncio.timeout(_BREATHE_SECONDS):
                await until(lambda: self.load.progress.done(stage) > before)

    async def _do(self, fault: Fault) -> None:
        if fault.step:
            await self._at_failpoint(fault)
        elif fault.kind in {Kind.BROKER_RESTART, Kind.BROKER_KILL}:
            await self._harm_broker(fault)
            self.report.count(fault)
        else:
            await self._harm(fault, await self._occupied(fault))
            self.report.count(fault)

    # A process, at any moment

    async def _occupied(self, fault: Fault) -> Post:
        post = self.crew.post(fault.stage, fault.post)
        if not post.running:
            self.crew.start(post)
        await self.crew.until_answering(post)
        return post

    async def _harm(self, fault: Fault, post: Post) -> None:
        match fault.kind:
            case Kind.KILL:
                await self.crew.kill(post, at_once=fault.at_once)
                self.crew.start(post)
            case Kind.TERMINATE:
                await self.crew.terminate(post)
                self.crew.start(post)
            case Kind.EVICT:
                await self.crew.put_out(post)
            case Kind.PAUSE:
                post.process.signal(signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                post.process.signal(signal.SIGCONT)
            case _:
                raise ValueError(f"{fault.kind} needs a failpoint")

    # A process, at a step

    async def _at_failpoint(self, fault: Fault) -> None:
        post = next((post for post in self.crew.posts if post.stage == fault.stage and not post.running), None)
        post = post or self.crew.post(fault.stage, fault.post)
        if post.running:
            await self.crew.until_answering(post)
            await self.crew.terminate(post)
        self.crew.start(post, fault.failpoint)
        reached = asyncio.Event()
        helping = asyncio.create_task(self._help(fault, post, reached))
        try:
            async with asyncio.timeout(HIT_SECONDS):
                line = await self.crew.until_reached(post)
        except TimeoutError:
            raise TimeoutError(f"{post}: not reached within {HIT_SECONDS:g} s, log {post.process.log}") from None
        finally:
            reached.set()
            await helping  # never cancelled: a process must not be lost between its start and its post
        if (line["step"], line["what"]) != (fault.step, fault.kind.value):
            raise ChildProcessError(f"{post}: another failpoint was reached: {line['step']}:{line['what']}")
        await self._see_through(fault, post)
        self.report.count(fault)

    async def _help(self, fault: Fault, post: Post, reached: asyncio.Event) -> None:
        """Bring about what a step needs: a rebalance, or somebody's unclean end."""
        sibling = self.crew.sibling(post)
        rebalance = fault.step in fault_plan.NEEDS_REBALANCE
        while not await _is_set(reached, _LOOK_SECONDS) and not await self._is_ready(post):
            pass  # help that comes before it takes part would be none
        patience = 0.0 if rebalance else _HELP_SECONDS[fault.step in fault_plan.NEEDS_UNCLEAN_END]
        while not await _is_set(reached, patience):
            patience = _HELP_AGAIN_SECONDS
            if not sibling.running:
                self.crew.start(sibling)
            elif rebalance:
                await self.crew.put_out(sibling)
            else:
                await self.crew.kill(sibling)
                self.crew.start(sibling)
                self.report.help_kills += 1

    async def _is_ready(self, post: Post) -> bool:
        with suppress(ChildProcessError, TimeoutError):
            return await asyncio.to_thread(post.process.is_ready)
        return not post.running

    async def _see_through(self, fault: Fault, post: Post) -> None:
        match fault.kind:
            case Kind.KILL:
                await self._expect_end(post, {-signal.SIGKILL})
                await self.crew.bury(post, at_once=fault.at_once)
            case Kind.RAISE if fault.step == "revoked":
                await self._still_there(post)  # the client logs what a rebalance callback raises, and goes on
            case Kind.RAISE:
                await self._expect_end(post, {1})
                await self.crew.bury(post, at_once=False)
            case Kind.PAUSE:
                await asyncio.sleep(fault.seconds)
                post.process.signal(signal.SIGCONT)
                await self._still_there(post)
            case _:
                await asyncio.sleep(fault.seconds)
                await self._still_there(post)

    async def _expect_end(self, post: Post, codes: set[int]) -> None:
        async with asyncio.timeout(_EXIT_SECONDS):
            while post.running:  # noqa: ASYNC110 (a process sets no event)
                await asyncio.sleep(0.02)
        if post.process.process.returncode not in codes:
            raise ChildProcessError(f"{post}: ended with {post.process.process.returncode}, log {post.process.log}")

    async def _still_there(self, post: Post) -> None:
        await asyncio.sleep(_SETTLE_SECONDS)
        if not post.running:
            raise ChildProcessError(f"{post}: ended with {post.process.process.returncode}, log {post.process.log}")
        post.expected = False

    # The broker

    async def _harm_broker(self, fault: Fault) -> None:
        await asyncio.to_thread(self.broker.kill if fault.kind is Kind.BROKER_KILL else self.broker.stop)
        await asyncio.sleep(fault.seconds)
        began = time.monotonic()
        await asyncio.to_thread(self.broker.start)
        caught_up = await self.load.catch_up(PATIENCE_SECONDS)
        self.report.broker_seconds.append(round(time.monotonic() - began, 1))
        if caught_up is None:
            self.report.find(f"wedged: not caught up {PATIENCE_SECONDS:g} s after {fault}")

    # The end

    async def _come_to_rest(self, loading: asyncio.Task[None]) -> None:
        """Wait until the acts under way are sent, and everything has arrived."""
        self.note("the faults are over; the load comes to its end")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.shield(loading)
        except TimeoutError:
            self.report.find(f"wedged: the load did not come to its end within {PATIENCE_SECONDS:g} s")
        self.report.final_seconds = await self._until_no_lag()
        if self.report.final_seconds is None:
            self.report.find(f"wedged: lag was not 0 {self.recovery_seconds:g} s after the end of the load")

    async def _until_no_lag(self) -> float | None:
        """Ask `expathub lag`, as an operator would, until the hub's own groups have nothing unread."""
        began = time.monotonic()
        while time.monotonic() - began < self.recovery_seconds:
            with suppress(subprocess.TimeoutExpired):
                if await asyncio.to_thread(self._nothing_is_unread):
                    return time.monotonic() - began
        return None

    def _nothing_is_unread(self) -> bool:
        asked = self.bench.command("lag", "--json")
        groups = asked.rows()[0]["groups"] if asked.code == 0 else []
        unread = [group["records"] for group in groups if group["group"].startswith("hub.")]
        return len(unread) == len(fault_plan.STAGES) and not any(unread)

    async def _stop_crew(self) -> None:
        for post in self.crew.posts:
            if post.running:
                await self.crew.terminate(post)

    async def _texts(self) -> dict[str, str]:
        """Return what the living processes have said: their logs and their metrics."""
        texts = {f"log of {post}": post.process.logged() for post in self.crew.posts if post.running}
        for post in self.crew.posts:
            with suppress(OSError, TimeoutError, ChildProcessError):
                answer = await asyncio.to_thread(post.process.get, "/metrics")
                texts[f"metrics of {post}"] = answer.body.decode()
        return texts

    async def _judge(self, texts: Mapping[str, str]) -> None:
        self.note("reading every topic back from its beginning, twice and raw")
        observation = await observe(self.bench.bootstrap, self.configuration.partners.by_id, READ_BACK_SECONDS)
        self.note(f"judging {len(observation.records)} records")
        script, done = merged(self.load.acts), self.load.operations
        late = {
            phase.name: phase.caught_up_seconds or PATIENCE_SECONDS
            for phase in self.report.phases
            if phase.caught_up_seconds is None or phase.caught_up_seconds > self.recovery_seconds
        }
        verdict = await asyncio.to_thread(lambda: check(observation, done, script, alone=True, late=late, texts=texts))
        self.report.take(verdict)
        self.report.operations = dict(Counter(one.end.value for one in done))

    # What is told meanwhile

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            self._figures()
            self.note(self.report.line())

    def _save(self) -> None:
        self._figures()
        self.save(self.report)

    def _figures(self) -> None:
        report, load = self.report, self.load
        report.seconds = time.monotonic() - self.began
        report.starts = self.crew.starts
        report.stop_seconds = list(self.crew.stop_seconds)
        report.happenings = dict(sorted(self.crew.happenings.items()))
        report.sent = load.sent
        report.on_the_way = len(load.progress.on_the_way())
        report.publishers = dict(load.publishers)
        report.dossiers = len(load.dossiers)


async def _is_set(event: asyncio.Event, within_seconds: float) -> bool:
    """Wait for an event, but not for long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_seconds):
            await event.wait()
    return event.is_set()
