"""What is wrong with a configuration: a file, a line, what, and how to mend it.

Faults are collected, never thrown one by one: whoever mends a file wants the whole list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from expathub.errors import MisconfiguredError

FAULTS_MAX = 200
"""A wrecked file can be wrong in every line; past this many the rest is left for the next run."""

TEXT_CHARACTERS_MAX = 1000


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong: `file` as the caller named it, `line` from 1, `what`, and how to `mend` it."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        """Return one line in the form that editors and terminals turn into a link."""
        return f"{self.file}:{self.line}: {self.what}. {self.mend}."


class ConfigurationError(MisconfiguredError):
    """The configuration cannot be used; `faults` says why, in the order of files and lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults, sorted and each once."""
        self.faults = tuple(sorted(set(faults)))
        super().__init__(f"The configuration has {len(self.faults)} fault(s).", "Mend them and run `expathub check`.")

    def lines(self) -> Iterable[str]:
        """Return one line for each fault."""
        return tuple(map(str, self.faults))


def _one_line(text: str) -> str:
    """Write what a terminal could take for a command, or an encoding for an error, as an escape; and not for ever."""
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return shown if len(shown) <= TEXT_CHARACTERS_MAX else f"{shown[: TEXT_CHARACTERS_MAX - 1]}…"


@dataclass(slots=True)
class Faults:
    """The faults found so far."""

    found: list[Fault] = field(default_factory=list)

    def add(self, file: Path, line: int, what: str, mend: str) -> None:
        """Note a fault; beyond `FAULTS_MAX` it is dropped."""
        if len(self.found) < FAULTS_MAX:
            self.found.append(Fault(_one_line(str(file)), max(line, 1), _one_line(what), _one_line(mend).rstrip(".")))

    def raise_if_any(self) -> None:
        """Raise `ConfigurationError` with all faults, if there is one."""
        if self.found:
            raise ConfigurationError(self.found)
