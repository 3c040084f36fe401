"""What people did by hand and why: lines in files of EXPATHUB_DATA, on disk before anything happens or is shown."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from expathub.errors import MisconfiguredError, UsageError

ACCESS_FILE = "audit-access.jsonl"
"""Who looked at the content of events."""

ACTIONS_FILE = "operator-actions.jsonl"
"""Who resumed a lane."""


def note_access(data: Path, reason: str | None, positions: Sequence[str]) -> None:
    """Write who looks at which journal positions, when and why (AVG art. 5(2): whoever looks must account for it).

    Raises `UsageError` without a reason and `MisconfiguredError` where the line cannot be written: then nothing is
    shown.
    """
    if not (reason or "").strip():
        raise UsageError("--payload shows personal data and needs a reason.", "Add --reason TEXT.")
    _append(data / ACCESS_FILE, {"reason": reason, "positions": list(positions)})


def note_action(data: Path, action: str, by: str, why: str) -> None:
    """Write who orders what, when and why; raises `MisconfiguredError` where the line cannot be written."""
    _append(data / ACTIONS_FILE, {"action": action, "ordered_by": by, "why": why})


def _append(path: Path, line: Mapping[str, Any]) -> None:
    stamped = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "account": getpass.getuser(), **line}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(orjson.dumps(stamped) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MisconfiguredError(
            f"{path} cannot be written ({error.strerror}), so nothing was done.", "Make EXPATHUB_DATA writable."
        ) from None
