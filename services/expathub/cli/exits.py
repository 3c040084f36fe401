"""Exit codes, and how an error becomes a line on standard error and one of them.

Never a traceback: it shows source lines, and the message of a foreign exception may carry a value out of an event.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from expathub.errors import ExpathubError

_PACKAGE = Path(__file__).parents[1]


class ExitCode(IntEnum):
    """The exit codes of every command (`lag check` has its own)."""

    OK = 0
    FOUND = 1
    USAGE = 2
    UNREACHABLE = 69  # EX_UNAVAILABLE of sysexits.h
    CONFIGURATION = 78  # EX_CONFIG of sysexits.h


def exit_code(error: BaseException) -> ExitCode:
    """Return the exit code of an error; of one that nobody foresaw, 1."""
    return ExitCode(error.exit_code) if isinstance(error, ExpathubError) else ExitCode.FOUND


def explain(error: BaseException) -> Iterator[str]:
    """Say on one line what happened and what to do (a list of faults: one line each)."""
    if isinstance(error, ExpathubError):
        yield from error.lines()
    else:
        yield (
            f"Unexpected fault: {type(error).__name__} at {_where(error)}. "
            "This is a fault of expathub: please report this line (it holds no data)."
        )


def _where(error: BaseException) -> str:
    """Name the innermost place in our own code that the error passed: file, line, function; no values."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    if not ours:
        return "an unknown place"
    last = ours[-1]
    return f"{Path(last.filename).name}:{last.lineno} ({last.name})"
