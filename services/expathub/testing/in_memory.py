"""The two stages without Kafka: what is published is taken in, dispatched and kept in lists, record by record.

For tests of the rules, and for whoever wants to see them work at a prompt. The broker's clock and the clock of the
attempt are one number that the caller moves on. Covers no transaction, partition or restart: `expathub.kafka` does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import orjson

from expathub.core.accounting import Books, Entry, Row, still_waiting
from expathub.core.configuration import Configuration
from expathub.core.dispatch import DispatchStage
from expathub.core.dossier import Dossier
from expathub.core.dossiers import Dossiers
from expathub.core.intake import IntakeStage
from expathub.core.records import ForeignHeaders, InputRecord, Output, Position
from expathub.core.references import ReferenceKeys
from expathub.core.remembered import Remembered
from expathub.core.replay import KeptBack, Permissions, Replay, Replayed
from expathub.core.stage import Stage, Step
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, outbox

E = TypeVar("E")

STRUCTURED: ForeignHeaders = (("content-type", b"application/cloudevents+json"),)
"""The headers of a record that holds a whole event as JSON."""


class LaneState(Protocol[E]):
    """What this needs of a lane's state; the engine's own `LaneState` asks the same."""

    def get(self, key: bytes) -> E | None:
        """Return the entry under a key, or None."""
        ...

    def apply(self, entries: Iterable[tuple[bytes, E]]) -> None:
        """Take over entries."""
        ...

    def pack(self, entries: Sequence[tuple[bytes, E]]) -> Sequence[tuple[bytes | None, bytes]]:
        """Make the changelog records of entries."""
        ...

    def restore(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one changelog record."""
        ...


class Lane(Generic[E]):
    """A stage with its state and the changelog from which the state can be made again."""

    def __init__(self, stage: Stage[E], empty: LaneState[E]) -> None:
        self.stage = stage
        self.state = empty
        self._changelog: list[tuple[bytes | None, bytes]] = []

    def run(self, record: InputRecord, at_ms: int, *, is_poison: bool = False) -> Step[E]:
        """Do one step and commit it."""
        act = self.stage.poison if is_poison else self.stage.step
        step = act(record, self.state.get, at_ms)
        self._changelog.extend(self.state.pack(step.entries))
        self.state.apply(step.entries)
        return step

    def load(self, empty: LaneState[E]) -> None:
        """Forget the state and make it again from the changelog, as a process does that takes the lane over."""
        self.state = empty
        for key, value in self._changelog:
            self.state.restore(key, value)


class MemoryHub:
    """Both stages of one configuration; `now_ms` is what every clock shows."""

    def __init__(self, configuration: Configuration, keys: ReferenceKeys, now_ms: int) -> None:
        self.now_ms = now_ms
        self._configuration, self._keys = configuration, keys
        self._topics: defaultdict[str, list[InputRecord]] = defaultdict(list)
        self.intake: Lane[bytes] = Lane(IntakeStage(configuration), Remembered())
        self.dispatch: Lane[Dossier] = Lane(DispatchStage(configuration, keys), Dossiers())

    def publish(
        self,
        partner: str,
        event: Mapping[str, Any] | bytes | None,
        headers: ForeignHeaders = STRUCTURED,
        key: bytes | None = None,
        *,
        is_poison: bool = False,
    ) -> Position:
        """Put an event into a partner's outbox and let both stages work; `is_poison` kills dispatch with it."""
        value = orjson.dumps(event) if isinstance(event, Mapping) else event
        record = self._append(outbox(partner), key, value, headers)
        accepted = len(self._topics[JOURNAL])
        self._take(self.intake.run(record, self.now_ms))
        for entry in self._topics[JOURNAL][accepted:]:
            self._take(self.dispatch.run(entry, self.now_ms, is_poison=is_poison))
        return record.position

    def reconfigure(self, configuration: Configuration, keys: ReferenceKeys) -> None:
        """Go on with another configuration, as after a rolling restart."""
        self._configuration, self._keys = configuration, keys
        self.intake.stage = IntakeStage(configuration)
        self.dispatch.stage = DispatchStage(configuration, keys)
        self.restart()

    def restart(self) -> None:
        """Load both states again from their changelogs."""
        self.intake.load(Remembered())
        self.dispatch.load(Dossiers())

    def replay(self, subject: str) -> list[Replayed | KeptBack]:
        """Play a dossier's journal again, with permission as of now."""
        permissions = Permissions(self._configuration)
        playing = Replay(self._configuration, self._keys, permissions, self.now_ms, lambda _: True)
        journal = [record for record in self.records(JOURNAL) if record.key == subject.encode()]
        for record in journal:
            permissions.note(record)
        return [one for record in journal for one in playing.feed(record)]

    def dossier(self, subject: str) -> Dossier | None:
        """Return what dispatch remembers of a dossier."""
        return self.dispatch.state.get(subject.encode())

    def records(self, topic: str) -> tuple[InputRecord, ...]:
        """Return the records of a topic."""
        return tuple(self._topics[topic])

    def inbox(self, partner: str) -> tuple[InputRecord, ...]:
        """Return what a partner got, receipts too."""
        return self.records(inbox(partner))

    def told(self, partner: str) -> list[dict[str, Any]]:
        """Return the events that a partner got, in order, without receipts."""
        return [_json(record) for record in self.inbox(partner) if record.header("hub-disclosure") is not None]

    def receipts(self, partner: str) -> list[dict[str, Any]]:
        """Return the data of the receipts that a partner got."""
        return [_json(record)["data"] for record in self.inbox(partner) if record.header("hub-disclosure") is None]

    def final(self) -> list[dict[str, Any]]:
        """Return all rows that say what became of an event: told or withheld."""
        return [_json(record) for record in self.records(DISCLOSURES)]

    def parked(self) -> list[dict[str, Any]]:
        """Return all rows that say that something waits, answered or not."""
        return [_json(record) for record in self.records(PARKED)]

    def books(self) -> Books:
        """Return all that must add up."""
        journal, refusals = self.records(JOURNAL), self.records(REFUSALS)
        outboxes = (record for record in self.everything() if record.position.topic.startswith(outbox("")))
        return Books(
            outboxes=[str(record.position) for record in outboxes],
            journal=[Entry(str(record.position), _origin(record)) for record in journal],
            refusals=[_origin(record) for record in refusals],
            disclosures=[Row.read(record.value or b"") for record in self.records(DISCLOSURES)],
            parked=[Row.read(record.value or b"") for record in self.records(PARKED)],
        )

    def waiting(self) -> list[Row]:
        """Return what waits now."""
        books = self.books()
        return still_waiting([*books.disclosures, *books.parked])

    def everything(self) -> tuple[InputRecord, ...]:
        """Return the records of all topics."""
        return tuple(record for log in self._topics.values() for record in log)

    def _take(self, step: Step[Any]) -> None:
        for output in step.outputs:
            self._store(output)

    def _store(self, output: Output) -> None:
        self._append(output.topic, output.key, output.value, output.headers)

    def _append(self, topic: str, key: bytes | None, value: bytes | None, headers: ForeignHeaders) -> InputRecord:
        log = self._topics[topic]
        record = InputRecord(Position(topic, 0, len(log)), key, value, headers, self.now_ms)
        log.append(record)
        return record


def _json(record: InputRecord) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(record.value or b"")
    return value


def _origin(record: InputRecord) -> str:
    return (record.header("hub-origin") or b"").decode()
