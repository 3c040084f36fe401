"""Read what the hub wrote down about events, for `expathub audit`: straight from Kafka, without leaving a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from expathub.core.records import InputRecord
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS
from expathub.core.trail import Outcome, Received, Refused, outcome_from, received_from, refused_from
from expathub.kafka.reading import Reader

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
