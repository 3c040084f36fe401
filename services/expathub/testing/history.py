"""What all topics hold, read as the design's §5 says: outboxes, journal, refusals, disclosures, parked rows, inboxes.

Pure. Knows the form of the records and no rule about them: rules are in `expathub.testing.judgement`. A record that
has not the form of its topic raises `ValueError` with its position (never its content).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import orjson

from expathub.core.records import InputRecord, Position
from expathub.core.topic_names import DISCLOSURES, JOURNAL, PARKED, REFUSALS, inbox, outbox
from expathub.testing.script import NOBODY, EventKey

P = TypeVar("P")

OUTBOX, INBOX = outbox(""), inbox("")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record of the journal; `key` is what keeps its order."""

    position: Position
    origin: Position
    event: EventKey
    type: str
    subject: str
    partner: str
    key: bytes | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A record of the refusals; the code `duplicate` is one of them."""

    position: Position
    origin: Position
    partner: str
    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row about one disclosure: made (`fields`), withheld (reason) or held (code), for a partner or a waiter.

    `partner` is `NOBODY` where the row names none. `waits` is the partner or selector that waits or waited.
    """

    position: Position
    disclosure: str
    journal: Position
    event: EventKey
    type: str
    partner: str
    fields: frozenset[str] | None
    withheld: str | None
    held: str | None
    waits: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """An event in a partner's inbox. `pointers` are its leaves; `text` is the whole record, for scans only.

    `replay` names the replay that it belongs to, None where it is no repetition.
    """

    position: Position
    partner: str
    origin: Position
    disclosure: str
    event: EventKey
    type: str
    reference: str
    key: bytes | None
    pointers: frozenset[str]
    text: str
    overtakes: bool
    replay: str | None

    def __repr__(self) -> str:
        """Show the position only: the record may hold personal data."""
        return f"Received({self.position})"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt in the inbox of whoever sent what was refused."""

    position: Position
    partner: str
    refused: Position
    code: str


Part: TypeAlias = InputRecord | Accepted | Refused | Row | Received | Receipt
"""What a record is read as."""


@dataclass(frozen=True, slots=True)
class History:
    """All of it, each in the order of its partition."""

    outboxes: tuple[InputRecord, ...] = ()
    journal: tuple[Accepted, ...] = ()
    refusals: tuple[Refused, ...] = ()
    disclosures: tuple[Row, ...] = ()
    parked: tuple[Row, ...] = ()
    inboxes: tuple[Received, ...] = ()
    receipts: tuple[Receipt, ...] = ()

    @classmethod
    def of(cls, records: Iterable[InputRecord]) -> History:
        """Sort records of any topics into a history; records of other topics are passed over."""
        return cls.of_parts(part for record in records if (part := parse(record)))

    @classmethod
    def of_parts(cls, read: Iterable[Part]) -> History:
        """Sort what records were read as into a history."""
        parts = sorted(read, key=lambda part: part.position)
        rows = [part for part in parts if isinstance(part, Row)]
        return cls(
            outboxes=_only(InputRecord, parts),
            journal=_only(Accepted, parts),
            refusals=_only(Refused, parts),
            disclosures=tuple(row for row in rows if row.position.topic == DISCLOSURES),
            parked=tuple(row for row in rows if row.position.topic == PARKED),
            inboxes=_only(Received, parts),
            receipts=_only(Receipt, parts),
        )


def _only(kind: type[P], parts: Iterable[Part]) -> tuple[P, ...]:
    return tuple(part for part in parts if isinstance(part, kind))


def pointers(value: Any, at: str = "") -> frozenset[str]:
    """List the JSON Pointers (RFC 6901) of all leaves of a JSON value; an empty object or array is a leaf too."""
    if isinstance(value, dict) and value:
        steps: Iterable[tuple[str, Any]] = ((str(name), inner) for name, inner in value.items())
    elif isinstance(value, list) and value:
        steps = ((str(index), inner) for index, inner in enumerate(value))
    else:
        return frozenset({at})
    return frozenset().union(*(pointers(inner, f"{at}/{_escape(step)}") for step, inner in steps))


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def parse(record: InputRecord) -> Part | None:
    """Read one record, whatever its topic; None for the topics that are no part of a history. Raises `ValueError`."""
    read = next((read for prefix, read in _READ if record.position.topic.startswith(prefix)), None)
    try:
        return read(record) if read else None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{record.position} has not the form of its topic ({type(error).__name__})") from None


def _text(record: InputRecord, name: str) -> str:
    value = record.header(name)
    if value is None:
        raise KeyError(name)
    return value.decode()


def _origin(record: InputRecord) -> Position:
    return Position.parse(_text(record, "hub-origin"))


def _object(record: InputRecord) -> Mapping[str, Any]:
    value = orjson.loads(record.value or b"")
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _accepted(record: InputRecord) -> Accepted:
    event = _object(record)
    return Accepted(
        position=record.position,
        origin=_origin(record),
        event=(event["source"], event["id"]),
        type=event["type"],
        subject=event["subject"],
        partner=_text(record, "hub-partner"),
        key=record.key,
    )


def _refused(record: InputRecord) -> Refused:
    return Refused(record.position, _origin(record), _text(record, "hub-partner"), _text(record, "hub-code"))


def _row(record: InputRecord) -> Row:
    row = _object(record)
    fields = row.get("fields")
    return Row(
        position=record.position,
        disclosure=row["disclosure"],
        journal=Position.parse(row["journal"]),
        event=(row["event"]["source"], row["event"]["id"]),
        type=row["type"],
        partner=row["partner"] or NOBODY,
        fields=None if fields is None else frozenset(fields),
        withheld=row.get("withheld"),
        held=row.get("held"),
        waits=row.get("waits"),
    )


def _inbox(record: InputRecord) -> Received | Receipt:
    event = _object(record)
    partner = record.position.topic.removeprefix(INBOX)
    disclosure = record.header("hub-disclosure")
    if disclosure is None:
        data = event["data"]
        return Receipt(record.position, partner, Position.parse(data["position"]), data["code"])
    return Received(
        position=record.position,
        partner=partner,
        origin=_origin(record),
        disclosure=disclosure.decode(),
        event=(event["source"], event["id"]),
        type=event["type"],
        reference=event.get("subject", ""),
        key=record.key,
        pointers=pointers({name: value for name, value in event.items() if (name, value) != ("data", {})}),
        text=_everything(record),
        overtakes=record.header("hub-overtakes") is not None,
        replay=None if (replay := record.header("hub-replay")) is None else replay.decode(),
    )


def _everything(record: InputRecord) -> str:
    """Join all that the partner can see of a record: key, headers and value."""
    headers = (f"{name}={(value or b'').decode(errors='replace')}" for name, value in record.headers)
    parts = ((record.key or b"").decode(errors="replace"), *headers, (record.value or b"").decode(errors="replace"))
    return "\n".join(parts)


_READ: tuple[tuple[str, Callable[[InputRecord], Part]], ...] = (
    (OUTBOX, lambda record: record),
    (INBOX, _inbox),
    (JOURNAL, _accepted),
    (REFUSALS, _refused),
    (DISCLOSURES, _row),
    (PARKED, _row),
)
"""How the records of each topic are read."""
