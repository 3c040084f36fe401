"""What a judge says: findings, each of one kind, and the figures of what was looked at.

Values only. Findings point (position, event key, partner) and never carry content.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from expathub.core.records import Position
from expathub.testing.script import NOBODY, Publication


class Kind(Enum):
    """What can be wrong."""

    LOST = "lost"  # accepted, or should have been, and somebody entitled never got it
    DOUBLED = "doubled"  # more than once where once was meant
    TORN = "torn"  # one half of a transaction is there without the other
    REORDERED = "reordered"  # a partner reads a dossier in another order than it happened
    OVER_DISCLOSED = "over-disclosed"  # told to somebody, or more than, the grants allow
    UNACCOUNTED = "unaccounted"  # the accounting of design §3 does not add up
    PHANTOM = "phantom"  # nobody sent it
    UNEXPECTED = "unexpected"  # another outcome, code or reason than the rules give


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
        return f"{self.kind.value}: {self.what}{concerns} at {self.where}"


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
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings
