"""Small faults, each at one exact place, and one partner's events around it: what a planted bug needs to show itself.

A scene plays on a hub of real processes: one stage is under test, the other is the shipped one and stays from scene to
scene. Each scene has a municipality and a newcomer of its own, so that what one leaves behind, a stopped lane too, is
no matter of the next. Nothing waits for a time to pass, only for something to happen; how long that may take is
generous.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any
from uuid import uuid4

import psutil
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import DeleteGroupsRequest

from expathub.core.configuration import Configuration
from expathub.core.records import Position
from expathub.core.topic_names import JOURNAL, outbox
from expathub.kafka import failpoints, waiting
from expathub.kafka.reading import Reader
from expathub.testing import group_members, mishaps
from expathub.testing.actors import Municipality, Newcomer
from expathub.testing.checker import check
from expathub.testing.history import Accepted, Refused, parse
from expathub.testing.observing import observe, topics_of
from expathub.testing.operations import End, OperationLog, read
from expathub.testing.performing import Progress
from expathub.testing.processes import Bench, Child, until
from expathub.testing.region import Region
from expathub.testing.script import Fate, Outcome, Publication
from expathub.testing.sending import Sender
from expathub.testing.verdict import Sent, Verdict

PATIENCE_SECONDS = 120.0
AFTER_SECONDS = 2.0
"""How long what came before the last record may still take, once something has become of that."""
POLL_SECONDS = 0.02
SHIPPED = "shipped"
"""In place of a bug: the service as it is, in a scene that has one for others."""
PLANTED = Path(__file__).with_name("planted.py")


def is_at_work(child: Child) -> bool:
    """Say whether a process has all its lanes, or has stopped them: `/readyz` would be 503 for what a bug has left."""
    joined = child.events("joined")
    settled = {line["lane"] for name in ("taken_over", "stopped") for line in child.events(name)}
    return bool(joined) and len(settled) >= joined[-1]["lanes"]


@dataclass
class House:
    """The hub on which all scenes play: topics, a folder, and the stage that is not under test."""

    bench: Bench
    configuration: Configuration
    _kept: dict[str, tuple[Child, ExitStack]] = field(default_factory=dict)

    def keep(self, service: str) -> None:
        """Have the shipped service running."""
        if service not in self._kept:
            stack = ExitStack()
            child = stack.enter_context(self.bench.service(service))
            self._kept[service] = child, stack
            until(lambda: is_at_work(child), f"{service} to be at work", child.is_running)

    def drop(self, service: str) -> None:
        """Have no shipped service of this name running."""
        if service in self._kept:
            child, stack = self._kept.pop(service)
            child.stop()
            stack.close()

    def close(self) -> None:
        """Stop everything."""
        for service in list(self._kept):
            self.drop(service)


@dataclass
class Scene:
    """One run: the processes under test, the newcomer whose events are sent, and what became of them so far."""

    house: House
    service: str
    bug: str | None
    town: Municipality
    newcomer: Newcomer
    log: OperationLog
    log_path: Path
    sender: Sender
    stack: ExitStack
    progress: Progress = field(default_factory=Progress)
    outcomes: list[Position] = field(default_factory=list)
    members: list[Child] = field(default_factory=list)
    fates: dict[int, Fate] = field(default_factory=dict)
    """What else than the simulator thinks should become of a publication, by number: it knows nothing of the fault."""
    last_offset: int = -1

    @property
    def lane(self) -> str:
        """The lane of the municipality's outbox."""
        return f"{outbox(self.town.id)}/0"

    @property
    def group(self) -> str:
        """The group of the stage under test."""
        return f"hub.{self.service}"

    async def start(self, failpoint: str = "", *, bug: str | None = None, ready: bool = True) -> Child:
        """Start the service under test, with the scene's bug if it has one, or with another."""
        planted = None if bug == SHIPPED else bug or self.bug
        command = [sys.executable, *((str(PLANTED), planted) if planted else ("-m", "expathub")), self.service]
        more = {failpoints.VARIABLE: failpoint} if failpoint else {}
        child = self.stack.enter_context(self.house.bench.process(self.service, command, **more))
        self.members.append(child)
        if ready:
            await self.until(lambda: is_at_work(child), "the process to be at work")
        return child

    async def send(self, publication: Publication) -> Sent:
        """Send a record; returns when Kafka has it."""
        sent = Sent(publication, await self.sender.send(publication))
        self.last_offset = sent.position.offset
        self.progress.sent(sent)
        return sent

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds; raises `TimeoutError` with what the processes have logged."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds():  # noqa: ASYNC110 (many things change it)
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            logs = "\n".join(child.logged()[-2000:] for child in self.members)
            raise TimeoutError(f"waited for {what}\n{logs}") from None

    async def decided(self, sent: Sent, times: int = 1) -> None:
        """Wait until something has become of a record."""
        await self.until(lambda: self.outcomes.count(sent.position) >= times, f"an outcome of {sent.position}")

    async def paused(self, child: Child) -> None:
        """Wait until a process has stopped itself at its failpoint."""
        status = psutil.Process(child.process.pid).status
        await self.until(lambda: status() == psutil.STATUS_STOPPED, "the process to pause")

    async def dead(self, child: Child) -> None:
        """Wait until a process has been killed, and have the group know it at once."""
        await self.until(lambda: not child.is_running(), "the process to be killed")
        assert child.process.returncode == -signal.SIGKILL, child.logged()[-3000:]
        await self.put_out()

    async def put_out(self) -> None:
        """Put everybody out of the group, as the broker does with a member that is silent for a session timeout."""
        await group_members.put_out(self.house.bench.bootstrap, self.group, lambda _: True)

    async def rest(self) -> None:
        """Wait until all is at rest; with a bug until the last record is through or passed by, or the lane stops."""
        last: list[float] = []

        def is_over() -> bool:
            if self.progress.is_settled:
                return True
            if self.bug is None:
                return False
            if not last and (self.progress.is_last_settled or self.is_passed()):
                last.append(time.monotonic())
            return self._has_stopped() or (bool(last) and time.monotonic() - last[0] > AFTER_SECONDS)

        await self.until(is_over, "the hub to come to rest")

    def is_passed(self) -> bool:
        """Say whether the lane is behind what the municipality sent last."""
        committed = (line for child in self.members for line in child.events("batch_committed"))
        return any(line["lane"] == self.lane and line["next_offset"] > self.last_offset for line in committed)

    def _has_stopped(self) -> bool:
        running = (child for child in self.members if child.is_running())
        return any(line.get("lane") == self.lane for child in running for line in child.events("stopped"))

    async def verdict(self) -> Verdict:
        """Read all topics of those who play a part, and judge."""
        written = self.newcomer.region.script()
        publications = (replace(one, fate=self.fates.get(one.number, one.fate)) for one in written.publications)
        script = replace(written, publications=tuple(publications))
        told = {partner for one in script.publications for partner in one.fate.told}
        partners = {self.town.id, *told, *(one.partner for one in script.publications)}
        observation = await observe(self.house.bench.bootstrap, partners, read_seconds=20)
        texts = {child.log.name: child.logged() for child in self.members}
        return check(observation, read(self.log_path), script, alone=False, texts=texts)

    # --- the municipality's words ---

    def registers(self) -> Publication:
        return self.town.registers(self.newcomer)

    def corrects(self) -> Publication:
        return self.town.corrects(self.newcomer)

    def errs(self) -> Publication:
        return mishaps.spoils(self.newcomer, "schema")


@asynccontextmanager
async def scene(house: House, service: str, bug: str | None, number: int) -> AsyncIterator[Scene]:
    """Set a scene: the other stage is there, the one under test is the scene's to start."""
    run = str(uuid4())
    region = Region(house.configuration, seed=number, now=datetime.now(UTC), run=run)
    town = region.municipalities[number % len(region.municipalities)]
    log_path = house.bench.data / f"{run}.operations"
    await asyncio.to_thread(house.drop, service)
    await asyncio.to_thread(house.keep, "dispatch" if service == "intake" else "intake")
    topics = topics_of([town.id])
    bootstrap = house.bench.bootstrap
    with ExitStack() as stack, OperationLog(log_path) as log:
        async with Sender.of(bootstrap, log) as sender, Reader.of(bootstrap, *topics) as reader:
            await reader.from_end()
            one = Scene(house, service, bug, town, region.newcomer(), log, log_path, sender, stack)
            watching = asyncio.create_task(_watch(reader, one))
            try:
                yield one
            finally:
                watching.cancel()
                await asyncio.to_thread(_end, one.members)


async def _watch(reader: Reader, one: Scene) -> None:
    async for batch in reader.batches():
        for record in batch:
            part = parse(record)
            if part is None:
                continue
            one.progress.read(part)
            if isinstance(part, Accepted | Refused):
                one.outcomes.append(part.origin)


def _end(members: list[Child]) -> None:
    """Let those who can go in peace, so that nobody waits for their session to end."""
    running = [child for child in members if child.is_running()]
    for child in running:
        child.signal(signal.SIGCONT)
        child.signal(signal.SIGTERM)
    for child in running:
        with suppress(TimeoutExpired):  # a broken relay may hang, and is killed then
            child.wait()


# --- the scenes ---------------------------------------------------------------------------------------------------


async def quiet(on: Scene) -> None:
    """Nothing goes wrong: somebody is registered, gets a number and corrections, and one event comes twice."""
    await on.start()
    registered = on.registers()
    events = [registered, on.town.assigns_bsn(on.newcomer), *(on.corrects() for _ in range(6))]
    for publication in [*events, mishaps.resends(on.newcomer, registered)]:
        await on.send(publication)


KILLED_AT = {"commit-before-send": 3, "refusal-after-commit": 3, "offsets-outside-the-transaction": 4, None: 2}
"""At which begin of a transaction of the lane the process dies. The first is the take-over's (a bug that makes two of
one has two there), then comes the batch: the right code dies before it, the others between its two halves."""


async def killed(on: Scene, publication: Publication) -> None:
    """The process dies over a batch of one record; another takes over, and the municipality goes on."""
    first = await on.start(f"begun:kill9:{KILLED_AT[on.bug]}@{on.lane}")
    await on.send(publication)
    await on.dead(first)
    await on.start()
    await on.send(on.corrects())


async def killed_over_an_event(on: Scene) -> None:
    await killed(on, on.registers())


async def killed_over_a_refusal(on: Scene) -> None:
    on.newcomer.person.residence = on.town.id
    await killed(on, on.errs())


async def refused(on: Scene) -> None:
    """The broker refuses what goes into the journal, and nothing else, until something has become of one event.

    The right code tries three times, takes the event for poison then, and refuses it (R9).
    """
    await on.start()
    small = {"max.message.bytes": "100", "message.timestamp.type": "LogAppendTime"}
    async with waiting.admin_client(on.house.bench.bootstrap) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, JOURNAL, small)])
    article = on.town.publishes_article()
    on.fates[article.number] = Fate(Outcome.REFUSED, "poison")
    sent = await on.send(article)
    await on.until(lambda: sent.position in on.outcomes or on.is_passed(), "the lane to be behind the event")
    mended = await asyncio.to_thread(on.house.bench.command, "provision", "apply")
    assert mended.code == 0, mended.err
    await on.send(on.corrects())


async def taken_back(on: Scene) -> None:
    """The municipality sends in a transaction, and aborts it only when the hub had every chance to read it."""
    await on.start()
    producer = AIOKafkaProducer(bootstrap_servers=on.house.bench.bootstrap, transactional_id=f"test.{uuid4()}")
    await producer.start()
    try:
        await producer.begin_transaction()
        publication = on.registers()
        number = on.log.invoke(publication)
        stored = await producer.send_and_wait(
            publication.topic, publication.value, publication.key, partition=0, headers=list(publication.headers)
        )
        position = Position(stored.topic, stored.partition, stored.offset)
        if on.bug:
            await on.decided(Sent(publication, position))
        else:
            await another_is_through(on)
        await producer.abort_transaction()
        on.log.ended(number, End.FAILED, position)
    finally:
        await producer.stop()
    await on.send(publication)
    await on.send(on.corrects())


async def another_is_through(on: Scene) -> None:
    """Wait until the hub has read what was sent after: the expat centre's word about somebody else."""
    somebody = on.newcomer.region.newcomer()
    sent = await on.send(somebody.arrives(on.town.id))
    await on.decided(sent)


async def zombie(on: Scene) -> None:
    """A process falls asleep over its work, another does it, and the first wakes and goes on where it was."""
    first = await on.start(f"worked:pause:1@{on.lane}")
    sent = await on.send(on.registers())
    await on.paused(first)
    await on.put_out()
    await on.start(ready=False)
    await on.decided(sent)
    first.signal(signal.SIGCONT)
    await on.until(lambda: len(first.events("joined")) > 1, "the sleeper to find that it is out")
    await on.send(on.corrects())


async def woken_in_between(on: Scene) -> None:
    """The sleeper wakes just before its successor has thrown it out, commits, and is gone."""
    first = await on.start(f"worked:pause:1@{on.lane}", bug="die-once-committed")
    sent = await on.send(on.registers())
    await on.paused(first)
    await on.put_out()
    second = await on.start(f"fencing:pause:{2 if on.bug else 1}@{on.lane}", ready=False)
    await on.paused(second)
    first.signal(signal.SIGCONT)
    await on.decided(sent)
    await on.until(lambda: not first.is_running(), "the sleeper to be gone")
    second.signal(signal.SIGCONT)
    await on.send(on.corrects())


async def held_open(on: Scene) -> None:
    """Something keeps a transaction open in the lane's changelog, and the group's offsets have expired."""
    first = await on.start(bug=SHIPPED)
    producer = AIOKafkaProducer(
        bootstrap_servers=on.house.bench.bootstrap, transactional_id=f"test.{uuid4()}", transaction_timeout_ms=300_000
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(f"hub.seen.{on.town.id}", b"never committed", partition=0)
        sent = await on.send(on.registers())
        await on.decided(sent)
        assert await asyncio.to_thread(first.stop) == 0
        await forget_offsets(on)
        second = await on.start(ready=False)
        if on.bug:
            await on.decided(sent, times=2)
        else:
            await on.until(lambda: bool(second.events("joined")), "the successor to take over what it can")
        await producer.abort_transaction()
    finally:
        await producer.stop()
    await on.send(on.corrects())


async def forget_offsets(on: Scene) -> None:
    """Delete the group, as the broker does once nobody has been in it for long enough."""
    async with waiting.admin_client(on.house.bench.bootstrap) as admin:
        node = await admin.find_coordinator(on.group)
        answer: Any = await admin._send_request_to_node(node, DeleteGroupsRequest([on.group]))  # noqa: SLF001 (no other way)
    assert [code for _, code in answer.results] == [0]


async def sent_meanwhile(on: Scene) -> None:
    """The municipality goes on while no process is there."""
    await on.send(on.registers())
    await on.start()
    await on.send(on.corrects())
