"""Where the files are that belong to the hub but are no Python: schemas, the default configuration, Kafka's jar lock.

In an installed wheel they lie inside the package (`_shipped`); in a checkout they lie at its root.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(*parts: str) -> Path:
    """Return the path of a shipped file or folder, e.g. `shipped("deploy", "partners.yaml")`.

    Raises `FileNotFoundError` if this installation lacks it: then the package was built wrongly.
    """
    for root in (_PACKAGE / "_shipped", _PACKAGE.parent.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(parts))
