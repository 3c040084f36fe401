"""Places at which a test may kill, pause, delay or break an engine: `EXPATHUB_FAILPOINT=<step>:<what>[:<nth>][@lane]`.

`what` is `kill9`, `pause` (SIGSTOP: the process becomes a zombie that somebody may wake), `raise`, `sleep=SECONDS`
(the event loop runs on) or `block=SECONDS` (it does not). `nth` is the visit at which it happens (1 is the first).
Just before, one line goes to standard error, past any logging: a test must be able to tell that its fault took place.
Where the variable is not set, a step costs one test of a module's name: `if failpoints.armed: await …reach(…)`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from typing import Final

import orjson

VARIABLE: Final = "EXPATHUB_FAILPOINT"

REACHED: Final = "failpoint_reached"
"""The event of the line that is written when a fault takes place."""

STEPS: Final = (
    "assigned",  # the group has given us lanes, nothing is done yet
    "fencing",  # before InitProducerId
    "fenced",  # after it: the old owner can no longer commit
    "loaded",  # the state is in
    "taken-over",  # the take-over's marker is committed
    "fetched",  # records are in the lane's buffer
    "working",  # before the pure work of a batch
    "worked",  # after it, before the transaction
    "begun",  # the transaction is open, nothing sent
    "sent",  # outputs are on their way
    "acknowledged",  # outputs and changelog are stored, uncommitted
    "offsets-sent",  # the offsets are part of the transaction
    "committing",  # just before the commit is asked for
    "committed",  # the broker has said yes, memory does not know yet
    "applied",  # memory knows
    "trying",  # careful mode: the mark before the pure work is committed
    "tried",  # careful mode: the mark after it is committed
    "revoked",  # the group takes the lanes back
    "leaving",  # a lane has finished its batch and is about to go
)


_STDERR: Final = 2


class FailpointError(Exception):
    """Raised by `raise`."""


@dataclass(slots=True)
class Failpoint:
    """One armed step. `left` counts the visits until it happens."""

    step: str
    what: str
    seconds: float
    left: int
    lane: str | None

    @classmethod
    def parse(cls, text: str) -> Failpoint:
        """Read the variable's value; raises `ValueError` on anything unknown: no test may run without its fault."""
        text, _, lane = text.partition("@")
        step, what, *nth = text.split(":")
        what, _, seconds = what.partition("=")
        if step not in STEPS or what not in _FAULTS:
            raise ValueError(f"{VARIABLE}: no such step or fault")
        return cls(step, what, float(seconds or 0), int(nth[0]) if nth else 1, lane or None)


def _tell(step: str, what: str, lane: str | None) -> None:
    line = {"event": REACHED, "step": step, "what": what, "lane": lane}
    os.write(_STDERR, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _pause() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _raise() -> None:
    raise FailpointError("a failpoint was reached")


_FAULTS = {"kill9": _kill, "pause": _pause, "raise": _raise, "sleep": None, "block": None}

_value = os.environ.get(VARIABLE)
armed: Failpoint | None = Failpoint.parse(_value) if _value else None


async def reach(step: str, lane: str | None = None) -> None:
    """Do what is armed for `step`, if it is its turn."""
    point = armed
    if point is None or point.step != step or point.lane not in (None, lane):
        return
    point.left -= 1
    if point.left:
        return
    _tell(step, point.what, lane)
    fault = _FAULTS[point.what]
    if fault is not None:
        fault()
    elif point.what == "sleep":
        await asyncio.sleep(point.seconds)
    else:
        time.sleep(point.seconds)  # noqa: ASYNC251 (to stop the loop is the fault that is asked for)
