"""What can go wrong between a person and the hub: a short tree, split by who must act.

Each error says what happened and what to do next, in words that never carry a value out of an event.
`expathub.cli.exits` turns them into exit codes; a service logs them and ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class ExpathubError(Exception):
    """Something that a person can mend; `what` happened and `mend` says the next step.

    Raise one of the classes below, or a class of your own under one of them. `exit_code` is what a command or a
    service ends with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what, mend)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        """Return both sentences on one line."""
        return f"{self.what} {self.mend}".strip()

    def lines(self) -> Iterable[str]:
        """Return what is printed: one line, unless the error is a list of faults."""
        return (str(self),)


class SomethingFoundError(ExpathubError):
    """The command did its work and found what it was asked to look for; exit code 1."""


class UsageError(ExpathubError):
    """The command was asked something that it cannot do; exit code 2."""

    exit_code = 2


class KafkaUnreachableError(ExpathubError):
    """No Kafka, or not in time; exit code 69."""

    exit_code = 69


class MisconfiguredError(ExpathubError):
    """The settings, the partners or the catalogue are wrong; exit code 78."""

    exit_code = 78
