"""What has happened so far: each publication with what became of it, and the figures over all.

Plain state, fed by the player, by whoever reads the topics, and by the partners; it asks nobody and draws nothing.
Records of other users of the same cluster are passed over. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from expathub.core.records import Position
from expathub.testing.history import Accepted, Part, Receipt, Received, Refused, Row
from expathub.testing.script import NOBODY, EventKey, Publication, Script
from expathub.testing.verdict import Sent


@dataclass(slots=True)
class Line:
    """One publication and what became of it so far."""

    publication: Publication
    sent_at: float
    outcome: str = ""
    code: str = ""
    told: list[str] = field(default_factory=list)
    withheld: list[tuple[str, str]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    is_handled: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether both stages have done with it (what is held may still move)."""
        return self.is_handled or self.outcome in ("refused", "duplicate")


@dataclass(slots=True)
class Tally:
    """The figures of one partner."""

    sent: int = 0
    told: int = 0
    withheld: int = 0
    refused: int = 0
    receipts: int = 0


class Board:
    """The state of a demonstration."""

    def __init__(self, script: Script, partners: Iterable[str]) -> None:
        self.script = script
        self.lines: list[Line] = []
        self.tallies = {partner: Tally() for partner in sorted(partners)}
        self.latencies_ms: list[float] = []
        self.received: dict[EventKey, list[Received]] = defaultdict(list)
        self.counts: Counter[str] = Counter()
        self._by_number: dict[int, Line] = {}
        self._by_event: dict[EventKey, Line] = {}
        self._origins: dict[Position, Line] = {}
        self._journal: dict[Position, Line] = {}
        self._early: dict[Position, list[Accepted | Refused | Row | Receipt]] = defaultdict(list)

    # --- what comes in ---

    def sending(self, publication: Publication, at: float) -> None:
        """Note that a partner is about to publish."""
        line = Line(publication, at)
        self.lines.append(line)
        self._by_number[publication.number] = line
        self._by_event.setdefault(publication.event, line)
        self._tally(publication.partner).sent += 1

    def sent(self, sent: Sent) -> None:
        """Note the offset of a publication."""
        line = self._by_number[sent.publication.number]
        self.counts["published"] += 1
        self._know(self._origins, sent.position, line)

    def read(self, part: Part) -> None:
        """Note what a record of any topic says."""
        match part:
            case Accepted(origin=origin) | Refused(origin=origin) as decision:
                self._apply_or_keep(self._origins, origin, decision)
            case Receipt(refused=origin) as receipt:
                self._apply_or_keep(self._origins, origin, receipt)
            case Row(journal=journal) as row:
                self._apply_or_keep(self._journal, journal, row)
            case Received() as received if received.event in self._by_event:
                self.received[received.event].append(received)
                self.counts["in inboxes"] += 1
            case _:
                pass

    def arrived(self, partner: str, event: EventKey, at: float) -> None:
        """Note that a partner's own program has got an event; what had to wait says nothing about speed."""
        line = self._by_event.get(event)
        if line is None:
            return
        self.counts["arrived"] += 1
        if partner not in line.publication.fate.waited:
            self.latencies_ms.append((at - line.sent_at) * 1000)

    # --- what is known ---

    @property
    def lag(self) -> dict[str, int]:
        """How many publications each stage has still to decide on."""
        decided = self.counts["accepted"] + self.counts["refused"] + self.counts["duplicate"]
        return {
            "intake": max(0, self.counts["published"] - decided),
            "dispatch": self.counts["accepted"] - self.counts["handled"],
        }

    @property
    def is_settled(self) -> bool:
        """Whether all that was sent has been decided on and dispatched."""
        return not any(self.lag.values()) and self.counts["published"] == len(self.lines)

    @property
    def has_arrived(self) -> bool:
        """Whether the partners' own programs have got all that is in their inboxes."""
        return self.counts["arrived"] >= self.counts["in inboxes"]

    @property
    def held(self) -> int:
        """How many disclosures wait."""
        return sum(len(line.held) for line in self.lines)

    def latency_ms(self, percent: float) -> float | None:
        """Return a percentile of publish → inbox (nearest rank), or None before the first arrival."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else None

    # --- how it is put together ---

    def _know(self, places: dict[Position, Line], position: Position, line: Line) -> None:
        """Learn whose a position is, and apply what was read of it before that was known."""
        places[position] = line
        for value in self._early.pop(position, ()):
            self._apply(line, value)

    def _apply_or_keep(
        self, places: dict[Position, Line], position: Position, value: Accepted | Refused | Row | Receipt
    ) -> None:
        line = places.get(position)
        if line is None:
            self._early[position].append(value)
        else:
            self._apply(line, value)

    def _apply(self, line: Line, value: Accepted | Refused | Row | Receipt) -> None:
        match value:
            case Accepted():
                line.outcome = "accepted"
                self.counts["accepted"] += 1
                self._know(self._journal, value.position, line)
            case Refused():
                line.outcome, line.code = ("duplicate", "") if value.code == "duplicate" else ("refused", value.code)
                self.counts[line.outcome] += 1
                self._tally(value.partner).refused += value.code != "duplicate"
            case Receipt():
                self._tally(value.partner).receipts += 1
            case Row():
                self._apply_row(line, value)

    def _apply_row(self, line: Line, row: Row) -> None:
        if not line.is_handled:
            line.is_handled = True
            self.counts["handled"] += 1
        if row.partner and row.waits and row.waits != row.partner:
            self._answer(line, row.waits)  # who waited under a selector has a name now
        waiter = row.partner or row.waits or NOBODY
        if row.held is not None:
            if waiter not in line.answered:  # its answer may be read first: another topic
                line.held[waiter] = row.held
            return
        self._answer(line, waiter)
        if row.withheld is None:
            line.told.append(row.partner)
            self.counts["told"] += 1
            self._tally(row.partner).told += 1
        else:
            line.withheld.append((row.partner, row.withheld))
            self.counts["withheld"] += 1
            self._tally(row.partner).withheld += 1

    def _answer(self, line: Line, waiter: str) -> None:
        line.answered.add(waiter)
        line.held.pop(waiter, None)

    def _tally(self, partner: str) -> Tally:
        return self.tallies.setdefault(partner, Tally())
