"""The two ways in which a lane does not go on, and the one in which an engine does not.

A lane that is *stopped* stays paused while the others go on. A lane that is *given up* ends the process's membership:
it closes its consumer, waits and joins anew, and never fences again in place (R1).
"""

from __future__ import annotations

from expathub.errors import ExpathubError
from expathub.kafka.observer import Cause


class LaneStoppedError(Exception):
    """A lane must not go on by itself; `detail` says more, without a value of an event."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


class GivenUpError(Exception):
    """The membership must end and begin anew; `reason` is a code, `error` the name of the error behind it, if any."""

    def __init__(self, reason: str, error: BaseException | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = None if error is None else type(error).__name__


class FencedError(GivenUpError):
    """Somebody else has taken the lane."""


class DoubtError(GivenUpError):
    """It is not known whether a transaction was committed (R3)."""


class RefusedError(GivenUpError):
    """The broker refuses an output for good. Nothing was committed."""


class OversizeError(Exception):
    """An output is larger than what may be written."""

    def __init__(self, topic: str, size: int) -> None:
        super().__init__(f"{topic}: {size} bytes")
        self.topic = topic


class EngineError(ExpathubError):
    """The engine cannot go on at all, and waiting would not help."""
