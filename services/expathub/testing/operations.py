"""The log of what a load generator did: one JSON line when an operation begins, one when its end is known.

An operation is one attempt to put a record into an outbox. It ends `ok` (Kafka has the record for good, at this
offset), `failed` (it certainly has not: an aborted transaction) or `unknown` (a timeout, a lost connection). One that
never ends is unknown too: its generator was killed. A line is on the disk before the next step is taken, so that the
log can be believed whoever is killed when. It names events and never holds content.

`resolve` is pure: it says what became of every publication, with the outboxes at hand.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Self

import orjson

from expathub.core.records import InputRecord, Position
from expathub.testing.evidence import fingerprint
from expathub.testing.script import EventKey, Fate, Outcome, Publication, Script
from expathub.testing.verdict import Sent

INVOKE = "invoke"


class End(Enum):
    """How an operation ended."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """One attempt to publish. `publication` is its number in the script; `position` is known when Kafka has said it."""

    number: int
    publication: int
    topic: str
    event: EventKey
    fingerprint: bytes
    end: End = End.UNKNOWN
    position: Position | None = None


class OperationLog:
    """Writes the log, to a new file or behind what an earlier generator has left in it.

    Not `durable` where only other processes are killed: what is written outlives its writer, just not the machine.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._durable = durable
        left = path.read_bytes() if path.exists() else b""
        self._file = path.open("ab", buffering=0)
        self._file.truncate(left.rfind(b"\n") + 1)  # half a line says nothing, and would spoil the next
        self._next = left.count(b"\n")  # more than there were operations: no number twice, whoever wrote before

    def __enter__(self) -> Self:
        """Keep the file open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def invoke(self, publication: Publication) -> int:
        """Note that a publication is about to be sent; returns the number of the operation."""
        number, self._next = self._next, self._next + 1
        source, id = publication.event
        self._write(
            {
                "operation": number,
                "is": INVOKE,
                "publication": publication.number,
                "topic": publication.topic,
                "source": source,
                "id": id,
                "fingerprint": fingerprint_of(publication).hex(),
            }
        )
        return number

    def ended(self, number: int, end: End, position: Position | None = None) -> None:
        """Note how an operation ended, and the offset that Kafka gave the record, if it gave one."""
        self._write({"operation": number, "is": end.value, "position": None if position is None else str(position)})

    def _write(self, line: Mapping[str, Any]) -> None:
        timed = {"at_ms": time.time_ns() // 1_000_000, **line}
        self._file.write(orjson.dumps(timed, option=orjson.OPT_APPEND_NEWLINE))
        if self._durable:
            os.fsync(self._file.fileno())


def fingerprint_of(publication: Publication) -> bytes:
    """Return the fingerprint that the publication has as a record of its outbox."""
    return fingerprint(publication.key, publication.value, publication.headers)


def read(path: Path) -> list[Operation]:
    """Read a log; half a line at its end was never finished, and what it would say did not happen."""
    operations: dict[int, Operation] = {}
    for line in path.read_bytes().split(b"\n")[:-1]:
        said = orjson.loads(line)
        number = said["operation"]
        if said["is"] == INVOKE:
            event, mark = (said["source"], said["id"]), bytes.fromhex(said["fingerprint"])
            operations[number] = Operation(number, said["publication"], said["topic"], event, mark)
        else:
            position = said["position"] and Position.parse(said["position"])
            operations[number] = replace(operations[number], end=End(said["is"]), position=position or None)
    return list(operations.values())


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of the operations: which records are in the outboxes for sure, and which must not be."""

    sent: tuple[Sent, ...]
    acknowledged: frozenset[Position]
    aborted: frozenset[Position]
    taken_back: frozenset[EventKey]
    uncalled: frozenset[Position]
    unfinished: frozenset[str]


def resolve(operations: Iterable[Operation], script: Script | None, outboxes: Sequence[InputRecord]) -> Resolved:
    """Say what became of every operation: one of unknown outcome happened if its outbox holds its record.

    A publication that was sent more than once has the fate that the script says where it stands first; the others
    are the hub's to refuse as duplicates. A dossier of which something never got to an outbox is unfinished.
    """
    operations = list(operations)
    acknowledged = {one.position: one for one in operations if one.end is End.OK and one.position}
    happened = dict(acknowledged)
    free = _unclaimed(outboxes, acknowledged)
    for one in operations:
        if one.end is End.UNKNOWN and (found := free[one.topic, one.fingerprint]):
            happened[found.popleft()] = one
    failed = [one for one in operations if one.end is End.FAILED]
    events = {one.event for one in happened.values()} | {one.event for one in operations if one.end is not End.FAILED}
    return Resolved(
        sent=() if script is None else tuple(_sent(script, happened)),
        acknowledged=frozenset(acknowledged),
        aborted=frozenset(one.position for one in failed if one.position),
        taken_back=frozenset(one.event for one in failed) - events,
        uncalled=frozenset(at for places in free.values() for at in places),
        unfinished=frozenset() if script is None else _unfinished(script, happened.values()),
    )


def _unclaimed(
    outboxes: Iterable[InputRecord], acknowledged: Mapping[Position, Operation]
) -> defaultdict[tuple[str, bytes], deque[Position]]:
    free: defaultdict[tuple[str, bytes], deque[Position]] = defaultdict(deque)
    for record in outboxes:
        if record.position not in acknowledged:
            mark = fingerprint(record.key, record.value, record.headers)
            free[record.position.topic, mark].append(record.position)
    return free


def _sent(script: Script, happened: Mapping[Position, Operation]) -> Iterable[Sent]:
    seen: set[int] = set()
    for position in sorted(happened):
        publication = script.publications[happened[position].publication]
        if publication.number in seen and publication.fate.outcome is Outcome.ACCEPTED:
            publication = replace(publication, fate=Fate(Outcome.DUPLICATE, "duplicate"))
        seen.add(publication.number)
        yield Sent(publication, position)


def _unfinished(script: Script, happened: Iterable[Operation]) -> frozenset[str]:
    there = {one.publication for one in happened}
    return frozenset(one.subject for one in script.publications if one.number not in there)
