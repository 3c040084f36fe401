"""Who looked at the content of events, and why: a line in `audit-access.jsonl`, written before anything is shown."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from expathub.errors import MisconfiguredError, UsageError

FILE = "audit-access.jsonl"


def note_access(data: Path, reason: str | None, positions: Sequence[str]) -> None:
    """Write who looks at which journal positions, when and why; on disk before it returns.

    Raises `UsageError` without a reason and `MisconfiguredError` where the line cannot be written: then nothing is
    shown (AVG art. 5(2): whoever looks must be able to account for it).
    """
    if not (reason or "").strip():
        raise UsageError("--payload shows personal data and needs a reason.", "Add --reason TEXT.")
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "by": getpass.getuser(),
        "reason": reason,
        "positions": list(positions),
    }
    path = data / FILE
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(orjson.dumps(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MisconfiguredError(
            f"{path} cannot be written ({error.strerror}), so no content is shown.", "Make EXPATHUB_DATA writable."
        ) from None
