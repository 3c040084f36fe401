"""Files as they were at a revision of git, unpacked into a folder of their own."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from expathub.errors import UsageError


def is_revision(text: str, near: Path) -> bool:
    """Tell whether git knows a revision of this name in the checkout that `near` is in."""
    return not text.startswith("-") and _git(near, "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}") is not None


def unpack(revision: str, path: Path, into: Path) -> Path:
    """Write a file or folder as it was at a revision below `into`; raises `UsageError` where it was not there."""
    near = path if path.is_dir() else path.parent
    top = _git(near, "rev-parse", "--show-toplevel")
    root = Path((top or b"").decode().strip() or near)
    relative = path.resolve().relative_to(root.resolve())
    packed = _git(root, "archive", "--format=tar", revision, "--", str(relative))
    if packed is None:
        raise UsageError(f"At {revision} there was no {relative}.", "Name another revision, or a file or folder.")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(into, filter="data")
    return into / relative


def _git(near: Path, *arguments: str) -> bytes | None:
    """Run git; None where it says no, or is not there."""
    folder = near if near.is_dir() else near.parent
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
