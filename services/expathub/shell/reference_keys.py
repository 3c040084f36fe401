"""The file of the keys under which dossiers get pairwise references (`EXPATHUB_REFERENCE_KEY_FILE`).

Covers only the file: made once, readable by its owner alone, read at start. What a line is and how a reference is made
of a key is `expathub.core.references`'s. A line with a higher number may be added; none may ever be changed or taken
out: a dossier keeps the number under which a partner was told, and what was told could not be found again.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from expathub.core.references import SHORTEST_KEY_BYTES, ReferenceKeys
from expathub.errors import MisconfiguredError


def make(path: Path) -> bool:
    """Make the file with a first key, readable by its owner alone; return False when there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(ReferenceKeys({1: secrets.token_bytes(SHORTEST_KEY_BYTES)}).render())
        file.flush()
        os.fsync(file.fileno())
    return True


def load(path: Path) -> ReferenceKeys:
    """Read the keys; raises `MisconfiguredError` that names a line and never shows a key."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise MisconfiguredError(
            f"There is no {path} with keys for references.", "Run `expathub provision apply`."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise MisconfiguredError(f"{path} cannot be read.", "It must be a text file that this user may read.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise MisconfiguredError(f"{path} can be read by others.", f"Run `chmod 600 {path}`.")
    try:
        return ReferenceKeys.parse(text)
    except ValueError as error:
        raise MisconfiguredError(f"{path}: {error}.", "Put the file back as it was, from its copy.") from None
