"""Read what the hub wrote down about events, for `expathub audit`: straight from Kafka, without leaving a trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from expathub.core.account import Account, Ledger, account
from expathub.core.records import InputRecord, Position
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, outbox
from expathub.core.trail import Outcome, Received, Refused, outcome_from, received_from, refused_from
from expathub.kafka.group_readings import DISPATCH_GROUP, INTAKE_GROUP
from expathub.kafka.reading import Reader
from expathub.kafka.waiting import admin_client

WITHIN_SECONDS = 600.0
"""How long reading may take before the command gives up."""

PROGRESS_RECORDS = 20_000
"""After how many records progress is told."""


@dataclass(slots=True)
class Found:
    """What was found: accepted events, refusals and the rows about them, each as it stands in its topic."""

    journal: list[Received] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, record: InputRecord) -> None:
        """Sort one record in by its topic."""
        match record.position.topic:
            case topic if topic == JOURNAL:
                self.journal.append(received_from(record))
            case topic if topic == REFUSALS:
                self.refusals.append(refused_from(record))
            case _:
                self.outcomes.append(outcome_from(record))


async def read_trail(
    bootstrap: str,
    wanted: Callable[[InputRecord], bool] = lambda _: True,
    on_progress: Callable[[int], None] = lambda _: None,
    topics: Iterable[str] = (JOURNAL, REFUSALS, DISCLOSURES, PARKED),
) -> Found:
    """Read all that is committed by now and keep the wanted records; `on_progress` is told how many were read.

    Raises `KafkaUnreachableError`, `MisconfiguredError` for a topic that is not there, and `TimeoutError`.
    """
    found = Found()
    count = 0
    async with Reader.of(bootstrap, *topics) as reader:
        await reader.from_beginning()
        async for record in reader.until(await reader.ends(), WITHIN_SECONDS):
            count += 1
            if count % PROGRESS_RECORDS == 0:
                on_progress(count)
            if wanted(record):
                found.add(record)
    return found


async def read_account(
    bootstrap: str,
    partners: Collection[str],
    start_ms: int,
    end_ms: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Account:
    """Draw up the account of a period, from the outboxes of `partners` and the hub's own topics.

    What the stages have committed is asked first: whatever they had done by then must be found afterwards. The
    outboxes are read last: whatever has an outcome by then must have its origin there.
    """
    is_taken_in = await _reached(bootstrap, INTAKE_GROUP)
    is_dispatched = await _reached(bootstrap, DISPATCH_GROUP)
    found = await read_trail(bootstrap, on_progress=on_progress)
    outboxes: dict[Position, int] = {}
    async with Reader.of(bootstrap, *(outbox(partner) for partner in partners)) as reader:
        starts = {(one.topic, one.partition): offset for one, offset in (await reader.starts()).items()}
        await reader.from_beginning()
        async for record in reader.until(await reader.ends(), WITHIN_SECONDS):
            outboxes[record.position] = record.received_ms
    ledger = Ledger(outboxes, starts, found.journal, found.refusals, found.outcomes)
    return account(ledger, is_taken_in, is_dispatched, start_ms, end_ms)


async def _reached(bootstrap: str, group: str) -> Callable[[Position], bool]:
    """Return whether a group had committed an offset by now."""
    async with admin_client(bootstrap) as admin:
        committed = {
            (one.topic, one.partition): found.offset
            for one, found in (await admin.list_consumer_group_offsets(group)).items()
        }
    return lambda position: position.offset < committed.get((position.topic, position.partition), 0)
