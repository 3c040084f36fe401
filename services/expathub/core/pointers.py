"""JSON Pointers (RFC 6901) from the root of an event: `/data/datumVan`, `/dataref`.

A segment `*` stands for every element of a list; only grants use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""The segments of a pointer."""

EACH = "*"
"""The segment that stands for every element of a list."""


@lru_cache(maxsize=4096)  # pointers come from the configuration, so they are few; the bound is for tests
def parse(pointer: str) -> Path:
    """Split a pointer into its segments; raises `ValueError` where it is none."""
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise ValueError("a JSON Pointer starts with /")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def render(path: tuple[str | int, ...]) -> str:
    """Join segments to a pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def read(attributes: Mapping[str, Any], data: object, pointer: str) -> Any:
    """Return the value that an event has at `pointer`, or None where it has none (or null)."""
    path = parse(pointer)
    value: Any = data if path[0] == "data" else attributes.get(path[0])
    for part in path[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
