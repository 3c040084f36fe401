"""What can be seen of a hub, with what is its own affair taken out: offsets, partitions and the time of day.

Two hubs that were told the same show the same observation. Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from expathub.core.records import InputRecord, Position
from expathub.core.replay import KeptBack, Replayed
from expathub.core.topic_names import JOURNAL, REFUSALS, outbox

Observation: TypeAlias = Mapping[str, Sequence[Any]]
"""By topic and key, the records in their order."""

_POSITION = re.compile(r"(?:outbox\.[a-z0-9-]+|hub\.journal)/[0-9]+/[0-9]+")
_OF_THE_CLOCK = frozenset({"at", "since"})
_NOW = "now"


class Names:
    """Names for positions: the n-th record that was sent, and what became of it in the journal."""

    def __init__(self, sent: Sequence[Position], records: Iterable[InputRecord]) -> None:
        self._names = {str(position): f"sent {number}" for number, position in enumerate(sent)}
        for record in records:
            if record.position.topic == JOURNAL:
                origin = _header(record, "hub-origin")
                if origin in self._names:
                    self._names[str(record.position)] = f"accepted {self._names[origin]}"

    def knows(self, text: str) -> bool:
        """Tell whether a position is one of this test's."""
        return text in self._names

    def put_into(self, text: str) -> str:
        """Put names in the place of positions."""
        return _POSITION.sub(lambda found: self._names.get(found[0], found[0]), text)


def observe(sent: Sequence[Position], records: Sequence[InputRecord]) -> Observation:
    """Show what came of the records that were sent; others on the same hub are left out."""
    names = Names(sent, records)
    seen: defaultdict[str, list[Any]] = defaultdict(list)
    for record in sorted(records, key=lambda one: one.position):
        if not record.position.topic.startswith(outbox("")) and names.knows(_header(record, "hub-origin")):
            seen[f"{record.position.topic} {_text(record.key)}"].append(_shown(record, names))
    # Receipts have no key: their order is that of their partitions only.
    return {
        place: sorted(rows, key=lambda row: str(row["headers"])) if place.endswith(" -") else rows
        for place, rows in seen.items()
    }


def observe_replay(
    sent: Sequence[Position], records: Sequence[InputRecord], played: Sequence[Replayed | KeptBack]
) -> Any:
    """Show what a replay yields."""
    names = Names(sent, records)
    return [
        (one.partner, names.put_into(str(one.origin)), one.reason)
        if isinstance(one, KeptBack)
        else (one.partner, names.put_into(str(one.origin)), one.type, _text(one.output.key), _text(one.output.value))
        for one in played
    ]


def _header(record: InputRecord, name: str) -> str:
    return (record.header(name) or b"").decode()


def _shown(record: InputRecord, names: Names) -> dict[str, Any]:
    headers = [(name, _header_shown(name, value, names)) for name, value in record.headers]
    if record.position.topic == REFUSALS:  # what somebody sent: byte by byte
        return {"headers": headers, "value": record.value}
    is_receipt = record.key is None and record.position.topic.startswith("inbox.")
    return {"headers": headers, "value": _value(record.value, names, own=("id", "time") if is_receipt else ())}


def _header_shown(name: str, value: bytes | None, names: Names) -> str:
    return _NOW if name == "hub-received-at" else names.put_into(_text(value))


def _value(value: bytes | None, names: Names, own: tuple[str, ...]) -> Any:
    """Read a value of the hub's own; `own` are members that the hub makes of a position."""
    document = orjson.loads(names.put_into(_text(value)))
    return {name: _NOW if name in own or name in _OF_THE_CLOCK else held for name, held in document.items()}


def _text(content: bytes | None) -> str:
    return "-" if content is None else content.decode("utf-8", "backslashreplace")
