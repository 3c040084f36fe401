"""Microseconds of one event in each stage, the hub's step against the floor's, without Kafka: an answer in seconds.

    python -m benchmarks.micro [--stage intake|dispatch] [--type TYPE] [--events N] [--rounds N] [--profile]

Both work the same records in batches of 1,000, turn by turn, and what comes out is compared before anything counts.
Measured is what a batch asks of a stage: records in, outputs out, state packed and taken over. Not measured is what
the client and the engine do with them; `make bench` measures the whole.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson
from aiokafka import ConsumerRecord

from benchmarks.floor import DispatchFloor, IntakeFloor
from benchmarks.tables import Tables
from benchmarks.workload import arrivals, events_of
from expathub.configuration import load
from expathub.core import topic_names
from expathub.core.configuration import Configuration
from expathub.core.dispatch import DispatchStage
from expathub.core.dossiers import Dossiers
from expathub.core.intake import IntakeStage
from expathub.core.references import ReferenceKeys
from expathub.core.remembered import Remembered
from expathub.kafka.sheet import input_record
from expathub.settings import load_settings
from expathub.shell import collecting

BATCH = 1_000
AT_MS = 1_790_000_000_000
KEYS = {1: bytes(range(32))}

Records: TypeAlias = Sequence[Any]
Out: TypeAlias = tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]
Run: TypeAlias = Callable[[Records], list[Out]]
"""Works records of one partition off; returns the outputs in order, the state's own records among them."""


def batches(records: Records) -> Iterator[Records]:
    """Split records as a lane does."""
    return (records[begin : begin + BATCH] for begin in range(0, len(records), BATCH))


def by_hub(stage: Any, state: Any, changelog: str) -> Run:
    """Work as `expathub.kafka.sheet` does."""

    def run(records: Records) -> list[Out]:
        out: list[Out] = []
        for batch in batches(records):
            entries: dict[bytes, Any] = {}

            def remembered(key: bytes, entries: dict[bytes, Any] = entries) -> Any:
                entry = entries.get(key)
                return state.get(key) if entry is None else entry

            for record in batch:
                step = stage.step(input_record(record), remembered, AT_MS)
                out.extend((one.topic, one.key, one.value, one.headers) for one in step.outputs)
                entries.update(step.entries)
            out.extend((changelog, key, value, ()) for key, value in state.pack(tuple(entries.items())))
            state.apply(entries.items())
        return out

    return run


def by_floor(step: Callable[[Any, Any], None], floor: Any, changelog: str) -> Run:
    """Work as the hand-written loop does."""

    def run(records: Records) -> list[Out]:
        out: list[Any] = []

        def put(topic: str, key: bytes | None, value: bytes, headers: Any) -> None:
            out.append((topic, key, value, headers))

        floor.at_ms = AT_MS
        for batch in batches(records):
            for record in batch:
                step(record, put)
            for key, value in floor.pack():
                put(changelog, key, value, ())
            floor.commit()
        return out

    return run


def ways(stage: str, known: Configuration, partner: str) -> dict[str, Callable[[], Run]]:
    """Return the two ways, each to be made anew for a round."""
    tables = Tables.of(known)
    if stage == "intake":

        def intake_floor() -> Run:
            floor = IntakeFloor(tables, partner)
            return by_floor(floor.floor_intake, floor, "seen")

        return {"hub": lambda: by_hub(IntakeStage(known), Remembered(), "seen"), "floor": intake_floor}

    def dispatch_floor() -> Run:
        floor = DispatchFloor(tables, KEYS)
        return by_floor(floor.floor_dispatch, floor, "dossiers")

    dispatch = DispatchStage(known, ReferenceKeys(KEYS))
    return {"hub": lambda: by_hub(dispatch, Dossiers(), "dossiers"), "floor": dispatch_floor}


def outbox_records(values: Sequence[bytes], partner: str) -> list[Any]:
    """Make records as the client hands them out of an outbox."""
    headers = (("content-type", b"application/cloudevents+json"),)
    return [
        _record(topic_names.outbox(partner), offset, orjson.loads(value)["subject"].encode(), value, headers)
        for offset, value in enumerate(values)
    ]


def journal_records(outputs: Sequence[Out]) -> list[Any]:
    """Make records as the client hands them out of the journal."""
    accepted = [output for output in outputs if output[0] == topic_names.JOURNAL]
    return [
        _record(topic_names.JOURNAL, offset, key, value, headers)
        for offset, (_, key, value, headers) in enumerate(accepted)
    ]


def _record(topic: str, offset: int, key: bytes | None, value: bytes | None, headers: Any) -> Any:
    return ConsumerRecord(
        topic, 0, offset, AT_MS + offset // 5, 1, key, value, None, len(key or b""), len(value or b""), tuple(headers)
    )


def compare(outputs: dict[str, list[Out]]) -> None:
    """Stop where the floor's records are not the hub's, byte for byte."""
    hub, floor = (outputs[way] for way in ("hub", "floor"))
    for number, (one, other) in enumerate(zip(hub, floor, strict=False)):
        if one != (*other[:3], tuple(other[3])):
            sys.exit(f"output {number} differs:\n hub   {one}\n floor {other}")
    if len(hub) != len(floor):
        sys.exit(f"the hub made {len(hub)} records, the floor {len(floor)}")


def measure(made: dict[str, Callable[[], Run]], records: Records, rounds: int) -> dict[str, list[float]]:
    """Let the ways take turns; returns microseconds of CPU an event for each round."""
    compare({way: make()(records) for way, make in made.items()})
    collecting.look_seldom()
    spent: dict[str, list[float]] = {way: [] for way in made}
    for number in range(rounds):
        for way in sorted(made, reverse=bool(number % 2)):
            run = made[way]()
            gc.collect()
            begun = time.process_time()
            out = run(records)
            spent[way].append(1e6 * (time.process_time() - begun) / len(records))
            del out, run
    return spent


def report(stage: str, spent: dict[str, list[float]]) -> None:
    """Print one line."""
    ratios = [hub / floor for hub, floor in zip(spent["hub"], spent["floor"], strict=True)]
    hub, floor = (min(spent[way]) for way in ("hub", "floor"))
    sys.stdout.write(
        f"{stage:<9} hub {statistics.median(spent['hub']):6.2f} (best {hub:.2f})  floor "
        f"{statistics.median(spent['floor']):6.2f} (best {floor:.2f})  ratio {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f}-{max(ratios):.3f}), best/best {hub / floor:.3f}\n"
    )


def main() -> int:
    """Measure both stages, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=("intake", "dispatch"))
    parser.add_argument("--type", help="an event type of the catalogue; default: arrivals, four a dossier")
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--profile", action="store_true", help="show where the hub's step spends its time instead")
    asked = parser.parse_args()
    settings = load_settings()
    known = load(settings.partners, settings.schemas)
    today = datetime.now(UTC).date()
    made = events_of(known, asked.type, asked.events, today) if asked.type else arrivals(known, asked.events, 0, today)
    publisher, values = made
    taken = outbox_records(values, publisher)
    accepted = journal_records(ways("intake", known, publisher)["hub"]()(taken))
    for stage, records in (("intake", taken), ("dispatch", accepted)):
        if asked.stage not in (None, stage):
            continue
        both = ways(stage, known, publisher)
        if asked.profile:
            profiler = cProfile.Profile()
            profiler.runcall(both["hub"](), records)
            pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
        else:
            report(stage, measure(both, records, asked.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
