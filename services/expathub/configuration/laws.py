"""The laws of a lens, held against one value at a time.

What goes there must be valid there, and what comes back must be what went, but for the losses that the lens declares.
A value that the lens does not carry breaks no law: the hub holds it. Used on the examples by `expathub check`, and on
generated data by the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from expathub.core.catalogue import EventType
from expathub.core.lens import Lens, UnreachableError, same, without


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a value: whether it was `carried`, and the law that was `broken`, in words."""

    carried: bool
    broken: str | None = None


def trial(event_type: EventType, lens: Lens, source: int, target: int, data: Any) -> Trial:
    """Carry `data` of major `source` to the adjacent `target` and back."""
    lost = lens.lost_up if target > source else lens.lost_down
    try:
        there = event_type.lenses[source, target](data)
    except UnreachableError:
        return Trial(carried=False)
    fault = event_type.versions[target].validate(there)
    if fault is not None:
        return Trial(carried=True, broken=f"it is not valid in v{target}: {fault.pointer} ({fault.keyword})")
    try:
        back = event_type.lenses[target, source](there)
    except UnreachableError as problem:
        return Trial(carried=True, broken=f"it cannot come back from v{target}: {problem}")
    if not same(without(back, lost), without(data, lost)):
        return Trial(carried=True, broken=f"it comes back from v{target} as something else")
    return Trial(carried=True)
