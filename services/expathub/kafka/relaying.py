"""Relaying what a lane has read, batch by batch.

A batch in which a record raises, or whose outputs are refused, is never simply tried again: the records before the
culprit go through as a batch, and the culprit goes alone (`careful`). After somebody's unclean end batches are trials:
between marks, of one record first, then of twice as many each time all is well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from expathub.kafka import failpoints
from expathub.kafka.buffer import Buffer
from expathub.kafka.careful import be_careful, carefully, note_refusal, report, tell_raised
from expathub.kafka.giving_up import LaneStoppedError, OversizeError, RefusedError
from expathub.kafka.group_consumer import Fetched
from expathub.kafka.hold import Hold
from expathub.kafka.observer import Cause
from expathub.kafka.sheet import Sheet, input_record
from expathub.kafka.surroundings import Surroundings

E = TypeVar("E")

_TURN_SECONDS = 0.02
"""Pure work gives way to the event loop this often: heartbeats and the other lanes go on."""


async def relay(hold: Hold[E], buffer: Buffer, around: Surroundings[E], left: Callable[[], bool]) -> None:
    """Relay the next batch of `buffer`; raises what `Hold.commit` raises, and `LaneStoppedError`.

    Returns early, between two transactions, when the lane is to be left: what was taken is read again by its owner.
    """
    settings = around.settings
    records, behind = buffer.take(settings.batch_records_max, settings.batch_bytes_max)
    if failpoints.armed:
        await failpoints.reach("fetched", hold.name)
    done = 0
    while done < len(records) and not left():
        if records[done].offset < hold.mark.singly_until:
            await carefully(hold, records[done], _following(records, done, behind), around)
            done += 1
        elif records[done].offset < hold.mark.careful_until:
            done += await _trial(hold, records[done:], behind, around)
        else:
            done += await _together(hold, records[done:], behind, around)


def _following(records: Sequence[Fetched], index: int, behind: int) -> int:
    """Return the input offset to go on at after the record at `index`."""
    return behind if index + 1 == len(records) else records[index].offset + 1


async def _trial(hold: Hold[E], records: Sequence[Fetched], behind: int, around: Surroundings[E]) -> int:
    """Relay the next records between marks, as many as have earned it; returns how many went."""
    trial = records[: hold.trial]
    behind = _following(records, len(trial) - 1, behind)
    if len(trial) == 1:
        await carefully(hold, trial[0], behind, around)
        went = 1
    else:
        await hold.note(trying=trial[0].offset, trying_until=trial[-1].offset + 1, alone=False)
        went = await _together(hold, trial, behind, around, marked=True)
    hold.trial = 2 * hold.trial if went == len(trial) else 1
    return went


async def _together(
    hold: Hold[E], records: Sequence[Fetched], behind: int, around: Surroundings[E], *, marked: bool = False
) -> int:
    """Relay records as one batch, up to the first that cannot go with others; returns how many went.

    `marked` says that a mark stands before the work, so one must be set behind it.
    """
    begun = time.monotonic()
    if failpoints.armed:
        await failpoints.reach("working", hold.name)
    sheet, worked = await _worked(hold, records, around)
    if worked < len(records):
        be_careful(hold, records[worked].offset + 1, around)
        expected = worked
        sheet, worked = await _worked(hold, records[:worked], around)  # without what the culprit has left in the sheet
        worked = worked if worked == expected else 0
    if marked:
        await hold.note(trying=None)
    if worked == 0:
        return 0
    if failpoints.armed:
        await failpoints.reach("worked", hold.name)
    last = records[worked - 1].offset
    try:
        seconds = await hold.commit(sheet, _following(records, worked - 1, behind))
    except OversizeError:  # the state's own records: whose entry is too large shows when each goes alone
        be_careful(hold, last + 1, around)
        return 0
    except RefusedError:
        await note_refusal(hold, singly_until=last + 1)
        raise
    report(hold, sheet, begun, seconds, around)
    return worked


async def _worked(hold: Hold[E], records: Sequence[Fetched], around: Surroundings[E]) -> tuple[Sheet[E], int]:
    """Work records out; returns the sheet, and how many records went in before one raised."""
    try:
        return await _work(hold, records, around)
    except LaneStoppedError as error:
        if error.cause is not Cause.TOPIC_MISSING:
            raise
        await around.view.refresh()  # it may have been made since the last look
        return await _work(hold, records, around)


async def _work(hold: Hold[E], records: Sequence[Fetched], around: Surroundings[E]) -> tuple[Sheet[E], int]:
    sheet = hold.sheet()
    turn_ends = time.monotonic() + _TURN_SECONDS
    for index, record in enumerate(records):
        try:
            sheet.work(input_record(record))
        except (KeyboardInterrupt, SystemExit, MemoryError, LaneStoppedError):
            raise  # a process that has run out of memory says nothing about the record at hand
        except BaseException as error:  # noqa: BLE001 (a panic of a Rust extension is no Exception, yet as poisonous)
            tell_raised(hold, record.offset, error, around)
            return sheet, index
        if time.monotonic() > turn_ends:
            await asyncio.sleep(0)
            turn_ends = time.monotonic() + _TURN_SECONDS
    return sheet, len(records)
