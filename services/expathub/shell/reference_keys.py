"""The file of the keys under which dossiers get pairwise references (`EXPATHUB_REFERENCE_KEY_FILE`).

One key a line: its number, a space, 32 bytes in hexadecimal. New references use the highest number; a dossier keeps
the number under which a partner was told, so a line may be added and none may ever be changed or taken out.
How a reference is made of a key is `expathub.core`'s.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from expathub.errors import MisconfiguredError

KEY_BYTES = 32
_HEADER = (
    "# Keys of the pairwise references: a number and 32 bytes in hexadecimal, one a line.\n"
    "# Add a line with a higher number to change the key for new dossiers. Never change or remove a line:\n"
    "# what partners were told could not be found again. Keep a copy in a safe place.\n"
)


def make(path: Path) -> bool:
    """Make the file with a first key, readable by its owner alone; return False when there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{_HEADER}1 {secrets.token_hex(KEY_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def load(path: Path) -> Mapping[int, bytes]:
    """Read the keys by number; raises `MisconfiguredError` that names a line and never shows a key."""
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
    return _parse(path, text)


def _parse(path: Path, text: str) -> Mapping[int, bytes]:
    keys: dict[int, bytes] = {}
    for line_number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        number, _, key = line.partition(" ")
        if not (number.isascii() and number.isdigit()) or int(number) in keys:
            raise _fault(path, line_number, "does not begin with a number of its own")
        keys[int(number)] = _key(path, line_number, key.strip())
    if not keys:
        raise _fault(path, 1, "and what follows hold no key")
    return keys


def _key(path: Path, line_number: int, text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise _fault(path, line_number, f"has no key of {KEY_BYTES} bytes in hexadecimal")
    return key


def _fault(path: Path, line_number: int, what: str) -> MisconfiguredError:
    return MisconfiguredError(f"{path}:{line_number} {what}.", "Put the file back as it was, from its copy.")
