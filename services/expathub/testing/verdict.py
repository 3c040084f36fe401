"""What a judge says: findings, each under the number of one judgement, and the figures of what was looked at.

Values only. Findings point (position, event key, partner) and never carry content.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from expathub.core.records import Position
from expathub.testing.script import NOBODY, Publication


class Kind(Enum):
    """What can be wrong; the place in this list is the judgement's number, L1 to L11."""

    LOST = "lost"  # sent, or accepted, and passed over: nothing became of it, or somebody entitled never got it
    DOUBLED = "doubled"  # more than once where once was meant
    ABORTED_VISIBLE = "aborted-visible"  # the outcome of something that its writer had taken back
    TORN = "torn"  # one half of a transaction is there without the other, or some recipients have it and others not
    REORDERED = "reordered"  # a partner reads a dossier in another order than it happened, or could
    SKIPPED = "skipped"  # missing between two that are there
    INCONSISTENT = "inconsistent"  # two readers see different records at one offset
    PHANTOM = "phantom"  # nobody sent it
    LEAKED = "leaked"  # told to somebody, or more than, the grants allow; or a national number where none may be
    WEDGED = "wedged"  # still waiting for the hub when all should have come to rest
    UNEXPECTED = "unexpected"  # another outcome, code or reason than the rules give

    @property
    def number(self) -> str:
        """The judgement's number, e.g. `L1`."""
        return f"L{list(Kind).index(self) + 1}"

    def __str__(self) -> str:
        """Return number and word, e.g. `L1 lost`."""
        return f"{self.number} {self.value}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where it shows, and whom it concerns."""

    kind: Kind
    what: str
    where: str
    partner: str = NOBODY

    def __str__(self) -> str:
        """Return one line for people."""
        concerns = f" ({self.partner})" if self.partner else ""
        return f"{self.kind}: {self.what}{concerns} at {self.where}"

    def as_json(self) -> dict[str, str | None]:
        """Return it for machines; `partner` is null where nobody is concerned."""
        named = {"judgement": self.kind.number, "kind": self.kind.value, "what": self.what, "where": self.where}
        return {**named, "partner": self.partner or None}


@dataclass(frozen=True, slots=True)
class Sent:
    """A publication and the offset that Kafka gave it."""

    publication: Publication
    position: Position


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings, and the figures of what was looked at."""

    findings: tuple[Finding, ...]
    accepted: int
    refused: int
    duplicates: int
    disclosures: int
    parked: int

    def count(self, kind: Kind) -> int:
        """Count the findings of one kind."""
        return sum(finding.kind is kind for finding in self.findings)

    @property
    def kinds(self) -> frozenset[Kind]:
        """What is wrong."""
        return frozenset(finding.kind for finding in self.findings)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def figures(self) -> dict[str, int]:
        """How much was looked at."""
        names = ("accepted", "refused", "duplicates", "disclosures", "parked")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        """Return the figures and every finding, one a line."""
        figures = ", ".join(f"{count} {name}" for name, count in self.figures.items())
        return "\n".join((f"{figures}; {len(self.findings)} findings", *map(str, self.findings)))

    def as_json(self) -> dict[str, Any]:
        """Return all of it for machines: whether clean, figures, findings per judgement, and each of them."""
        return {
            "clean": self.is_clean,
            **self.figures,
            "judgements": {kind.number: {"kind": kind.value, "findings": self.count(kind)} for kind in Kind},
            "findings": [finding.as_json() for finding in self.findings],
        }
