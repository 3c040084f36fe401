"""What commands print: data on standard output, everything else on standard error.

Data is one JSON document a line under `--json` (and where the contract says so), else text for people.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson


def print_json(value: Any) -> None:
    """Print one JSON document on one line of standard output, at once: a reader at a pipe must not wait."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def print_line(text: str = "") -> None:
    """Print one line for people on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """Say something on standard error: progress, a hint, an error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
