"""What must hold of intake whatever is sent, looked at record by record; and a run over very many of them.

The two of them find: an exception, an outcome that is neither event nor refusal, an answer that changes when asked
again, an accepted event that does not read back as itself, a document that a plain reader understands otherwise, a
value that turns up in what is told, and a record that takes far longer than its size explains.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import orjson

from expathub.configuration.sampling import Wish, sample
from expathub.core import strict_json
from expathub.core.cloudevents import KINDS, encode_binary
from expathub.core.configuration import Configuration
from expathub.core.decode import decode
from expathub.core.event import Event, Refusal
from expathub.core.identifiers import holds_bsn
from expathub.core.intake import IntakeStage
from expathub.core.profile import is_time
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Output, Position
from expathub.core.refusing import WHOLE_BYTES
from expathub.core.remembered import Remembered
from expathub.core.stage import Step
from expathub.core.topic_names import JOURNAL, REFUSALS, inbox
from expathub.errors import UsageError
from expathub.testing.bad_input import CASES, ways
from expathub.testing.fuzzing.mutating import Mutator, Seedling
from expathub.testing.fuzzing.reading import NotStrictError, read_slowly

SAMPLES_PER_VERSION: Final = 3
REMEMBERED_MAX: Final = 5_000
"""After so many accepted ids the memory is emptied: duplicates come soon or not at all."""

SLOW_RATIO_MAX: Final = 100.0
"""So much longer than a usual record of its size may one take; what is suspected is timed again, best of five."""
_SIZE_OF_NOTHING: Final = 2_000
_LARGEST_SEEDLING: Final = 300_000


class FoundError(AssertionError):
    """Something does not hold; says which record it was, so that it can be made again."""


@dataclass(slots=True)
class Report:
    """What a run has seen. `slowest` is the largest time per size found, in multiples of the usual one."""

    seed: int
    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0

    def line(self) -> str:
        """Say it in one line."""
        refused = sum(count for word, count in self.outcomes.items() if word.startswith("refused"))
        return (
            f"fuzz: {self.inputs:,} inputs in {self.seconds:.0f} s, seed {self.seed}: "
            f"{self.outcomes['accepted']:,} accepted, {refused:,} refused with "
            f"{sum(word.startswith('refused') for word in self.outcomes)} codes, "
            f"{self.outcomes['duplicate']:,} duplicates; nothing found; slowest {self.slowest:.1f} times the usual"
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return {
            "seed": self.seed,
            "inputs": self.inputs,
            "seconds": round(self.seconds, 1),
            "slowest_ratio": round(self.slowest, 1),
            "outcomes": dict(sorted(self.outcomes.items())),
        }


def seedlings(configuration: Configuration, day: date) -> list[Seedling]:
    """Return the records to begin with: samples of every version in both modes, and all of the table of bad input."""
    return [*_of_catalogue(configuration, day), *_of_table()]


def _of_catalogue(configuration: Configuration, day: date) -> Iterator[Seedling]:
    senders = {partner.source: partner.id for partner in configuration.partners.by_id.values()}
    for kind in configuration.catalogue.types.values():
        for major in kind.versions:
            try:
                events = list(sample(configuration, Wish(kind.name, major, SAMPLES_PER_VERSION), day))
            except UsageError:  # nobody may publish it today
                continue
            for event in events:
                sender, key = senders[event["source"]], event["subject"].encode()
                yield Seedling(sender, orjson.dumps(event), ways.STRUCTURED, key, event["id"])
                yield Seedling(sender, *encode_binary(event), key, event["id"])


def _of_table() -> Iterator[Seedling]:
    for case in CASES:
        message = case.message()
        if len(message.value or b"") < _LARGEST_SEEDLING:
            yield Seedling(case.sender, message.value, message.headers, message.key)


class Checker:
    """Puts records through intake and looks at what comes out; raises `FoundError`."""

    def __init__(self, configuration: Configuration) -> None:
        self.stage = IntakeStage(configuration)
        self._sources = {partner.id: partner.source for partner in configuration.partners.by_id.values()}
        self._names = _known_names(configuration)
        self._memory = Remembered()

    def check(self, record: InputRecord) -> str:
        """Look at one record; returns the outcome's word."""
        outcome = decode(record)
        _require(type(outcome) in {Event, Refusal}, "decode returns an event or a refusal", record)
        if isinstance(outcome, Event):
            _reads_back(outcome, record)
        _reads_as_plainly(record)
        step = self.stage.step(record, self._memory.get, record.received_ms)
        self._judge(step, outcome, record)
        if len(self._memory) > REMEMBERED_MAX:
            self._memory = Remembered()
        self._memory.apply(step.entries)
        return step.tally[0]

    def _judge(self, step: Step[bytes], outcome: Event | Refusal, record: InputRecord) -> None:
        first, *rest = step.outputs
        word = step.tally[0]
        if word == "accepted":
            _require(isinstance(outcome, Event) and not rest, "accepted is one event", record)
            assert isinstance(outcome, Event)  # noqa: S101 (said just now; for the type checker)
            self._judge_accepted(first, outcome, record)
        elif word == "duplicate":
            _require((first.topic, first.value, rest) == (REFUSALS, None, []), "a duplicate is one row", record)
        else:
            self._judge_refused(step, outcome, record)

    def _judge_accepted(self, output: Output, event: Event, record: InputRecord) -> None:
        sender = record.position.topic.removeprefix("outbox.")
        _require((output.topic, output.value) == (JOURNAL, event.canonical), "the event goes on as understood", record)
        _require(output.key == event.subject.encode(), "the key is the dossier", record)
        _require(event.source == self._sources[sender], "the source is the sender's", record)
        _require(len(event.canonical) <= strict_json.DOCUMENT_BYTES_MAX, "the event is within its limit", record)
        for value in event.attributes.values():
            text = str(value)
            _require(not holds_bsn(text.encode()) or is_time(text), "no attribute holds a BSN", record)

    def _judge_refused(self, step: Step[bytes], outcome: Event | Refusal, record: InputRecord) -> None:
        (output, *rest), word = step.outputs, step.tally[0]
        sender = record.position.topic.removeprefix("outbox.")
        headers = dict(output.headers)
        code, pointer = headers["hub-code"].decode(), headers["hub-pointer"].decode()
        _require(word == f"refused:{Reason(code).value}", "the code is one of the list", record)
        if isinstance(outcome, Refusal):
            _require((code, pointer) == (outcome.reason.value, outcome.pointer), "decode says the same again", record)
        if len(record.value or b"") < WHOLE_BYTES - strict_json.DOCUMENT_BYTES_MAX:
            _require(output.value == record.value, "the refusal keeps what was sent", record)
        _require(len(rest) == 1 and rest[0].topic == inbox(sender), "the sender gets one receipt", record)
        told = orjson.loads(rest[0].value or b"")["data"]
        _require((told["code"], told["pointer"]) == (code, pointer), "the receipt says the same", record)
        _require(self._names.issuperset(pointer.split("/")[1:]), "the pointer names what is known", record)
        for text in (told["source"], told["id"]):
            _require(text is None or not holds_bsn(text.encode()), "the receipt holds no BSN", record)


def _known_names(configuration: Configuration) -> frozenset[str]:
    """Collect what a pointer may name: attributes, fields of schemas, and places in lists."""
    names: set[str] = {*KINDS, "data", *map(str, range(1_000))}

    def collect(schema: Any) -> None:
        if isinstance(schema, dict):
            names.update(schema.get("properties", {}))
        for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
            collect(inner)

    for kind in configuration.catalogue.types.values():
        for version in kind.versions.values():
            collect(dict(version.schema))
    return frozenset(names)


def _require(condition: object, what: str, record: InputRecord) -> None:
    if not condition:
        raise FoundError(f"does not hold at number {record.position.offset}: {what}")


def _shown(outcome: Event | Refusal) -> object:
    if isinstance(outcome, Event):
        return outcome.canonical, orjson.dumps(dict(outcome.attributes), option=orjson.OPT_SORT_KEYS)
    return outcome.reason, outcome.pointer, outcome.source, outcome.id


def _reads_back(event: Event, record: InputRecord) -> None:
    """Require that an event, as the hub writes it, is the same event to the hub and to any other reader."""
    written = InputRecord(Position("outbox.x", 0, 0), record.key, event.canonical, ways.STRUCTURED, 0)
    if len(event.canonical) + len(record.key or b"") > strict_json.DOCUMENT_BYTES_MAX:
        return  # the key takes up what it may have; without it the event is within its limit
    again = decode(written)
    _require(isinstance(again, Event) and _shown(again) == _shown(event), "an event reads back as itself", record)
    plain = json.loads(event.canonical)
    _require(plain.pop("data", None) == event.data, "the data are those of any reader", record)
    _require(plain == dict(event.attributes), "the attributes are those of any reader", record)


def _reads_as_plainly(record: InputRecord) -> None:
    """Require that the quick reader takes and understands exactly what the slow and plain one does."""
    if record.value is None:
        return
    try:
        quick, canonical = strict_json.parse(record.value)
    except strict_json.JsonError:
        _require(_slowly(record.value) is NotStrictError, "the plain reader refuses it too", record)
        return
    slow = _slowly(record.value)
    _require(slow is not NotStrictError, "the plain reader takes it too", record)
    _require(repr(slow) == repr(quick), "the plain reader understands the same", record)
    _require(json.loads(canonical) == slow, "the canonical form says the same", record)


def _slowly(document: bytes) -> Any:
    try:
        return read_slowly(document)
    except NotStrictError:
        return NotStrictError


# --- a run -------------------------------------------------------------------------------------------------------


class Stopwatch:
    """Follows how long records take for their size, and takes a closer look at those that take long."""

    def __init__(self) -> None:
        self._usual: float | None = None
        self.slowest = 0.0

    def note(self, seconds: float, record: InputRecord, again: Callable[[InputRecord], object]) -> None:
        """Note the time of a record; raises `FoundError` where it takes far longer than its size explains."""
        per_byte = seconds / (len(record.value or b"") + _SIZE_OF_NOTHING)
        if self._usual is None:
            self._usual = per_byte
        if per_byte > SLOW_RATIO_MAX / 4 * self._usual:
            per_byte = min(_seconds(again, record) for _ in range(5)) / (len(record.value or b"") + _SIZE_OF_NOTHING)
        self.slowest = max(self.slowest, per_byte / self._usual)
        _require(per_byte < SLOW_RATIO_MAX * self._usual, "the time is explained by the size", record)
        self._usual += 0.01 * (min(per_byte, 4 * self._usual) - self._usual)


def _seconds(work: Callable[[InputRecord], object], record: InputRecord) -> float:
    began = time.perf_counter()
    work(record)
    return time.perf_counter() - began


def run(
    configuration: Configuration,
    *,
    seed: int,
    count: int,
    day: date,
    progress: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Put `count` records through intake and return what was seen; raises `FoundError` at the first finding."""
    mutator = Mutator(seedlings(configuration, day), sorted(configuration.partners.by_id))
    checker, watch, report = Checker(configuration), Stopwatch(), Report(seed)
    began = time.perf_counter()
    for number in range(count):
        record = mutator.record(seed, number)
        try:
            at = time.perf_counter()
            word = checker.check(record)
            watch.note(time.perf_counter() - at, record, decode)
        except FoundError as found:
            raise FoundError(f"seed {seed}: {found}") from None
        except Exception as error:
            raise FoundError(f"seed {seed}: number {number} raised {type(error).__name__}") from error
        report.inputs = number + 1
        report.outcomes[word] += 1
        report.seconds, report.slowest = time.perf_counter() - began, watch.slowest
        if report.inputs % 100_000 == 0:
            progress(report)
    return report
