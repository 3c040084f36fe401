"""R9: a record that may be poison goes alone, its pure work between two marks that any machine can see.

A mark is a changelog record in a transaction of its own. Who finds a lane with an open mark knows that the record at
hand was somebody's death; after three such deaths the stage is asked what becomes of it as poison. An exception counts
like a death and is met in place. Should poison itself be somebody's death as often again, the lane stops.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TypeVar

import msgspec
from aiokafka.errors import KafkaError

from expathub.core.records import InputRecord
from expathub.kafka import failpoints
from expathub.kafka.giving_up import GivenUpError, LaneStoppedError, OversizeError, RefusedError
from expathub.kafka.group_consumer import Fetched
from expathub.kafka.hold import Hold
from expathub.kafka.observer import BatchReport, Cause, Detail, Happening
from expathub.kafka.sheet import Sheet, input_record
from expathub.kafka.surroundings import Surroundings
from expathub.kafka.takeover import given_up_at

E = TypeVar("E")


class _RaisedError(Exception):
    """The stage raised; it has been told and counted."""


async def carefully(hold: Hold[E], record: Fetched, following: int, around: Surroundings[E]) -> None:
    """Relay one record alone; raises what `Hold.commit` raises, and `LaneStoppedError`."""
    begun = time.monotonic()
    whole = input_record(record)
    try:
        sheet = await _worked(hold, whole, around)
        seconds = await hold.commit(sheet, following)
    except OversizeError:
        sheet = await _poisoned(hold, whole, "output-too-large", around)
        seconds = await _commit_poison(hold, sheet, following)
    except RefusedError:
        await note_refusal(hold, singly_until=record.offset + 1, alone=True)
        raise
    report(hold, sheet, begun, seconds, around)


async def _commit_poison(hold: Hold[E], sheet: Sheet[E], following: int) -> float:
    try:
        return await hold.commit(sheet, following)
    except OversizeError as error:
        await hold.note(deaths=given_up_at(hold.settings.deaths_max))
        raise LaneStoppedError(Cause.POISON_FAILED, f"{error}") from error


async def _worked(hold: Hold[E], record: InputRecord, around: Surroundings[E]) -> Sheet[E]:
    """Work a record out, trying as often as it may die, then as poison."""
    while hold.mark.deaths < hold.settings.deaths_max:
        with suppress(_RaisedError):
            return await _between_marks(hold, record, around)
    return await _poisoned(hold, record, "died-too-often", around)


async def _poisoned(hold: Hold[E], record: InputRecord, reason: str, around: Surroundings[E]) -> Sheet[E]:
    details: dict[str, Detail] = {"position": str(record.position), "deaths": hold.mark.deaths, "reason": reason}
    around.tell(Happening.POISONED, hold.name, details)
    if hold.mark.deaths < hold.settings.deaths_max:
        hold.mark = msgspec.structs.replace(hold.mark, deaths=hold.settings.deaths_max)
    try:
        return await _between_marks(hold, record, around, poison=True)
    except (_RaisedError, OversizeError) as error:
        await hold.note(deaths=given_up_at(hold.settings.deaths_max))
        raise LaneStoppedError(Cause.POISON_FAILED, str(record.position)) from error


async def _between_marks(
    hold: Hold[E], record: InputRecord, around: Surroundings[E], *, poison: bool = False
) -> Sheet[E]:
    """Do the pure work of a record between two marks; raises `_RaisedError` and `OversizeError`."""
    offset = record.position.offset
    await hold.note(trying=offset, trying_until=offset + 1, alone=True)
    if failpoints.armed:
        await failpoints.reach("trying", hold.name)
    sheet = hold.sheet()
    try:
        (sheet.poison if poison else sheet.work)(record)
    except (
        KeyboardInterrupt,
        SystemExit,
        MemoryError,
    ):  # the last leaves the mark as it is: a death, for who comes next
        raise
    except (OversizeError, LaneStoppedError):
        await hold.note(trying=None)
        raise
    except BaseException as error:  # a panic of a Rust extension is no Exception, yet as poisonous
        tell_raised(hold, offset, error, around)
        await hold.note(trying=None, deaths=hold.mark.deaths + 1)
        raise _RaisedError from error
    await hold.note(trying=None)
    if failpoints.armed:
        await failpoints.reach("tried", hold.name)
    return sheet


def be_careful(hold: Hold[E], until: int, around: Surroundings[E]) -> None:
    """Let the records before the offset `until` go one by one; the next transaction makes it last."""
    if until > hold.mark.singly_until:
        hold.mark = msgspec.structs.replace(hold.mark, singly_until=until)
        around.tell(Happening.CAREFUL, hold.name, {"next": hold.mark.next, "until": until})


async def note_refusal(hold: Hold[E], *, singly_until: int, alone: bool = False) -> None:
    """Leave word of a refused output for whoever takes the lane next, if the refused producer still can.

    The membership ends in any case (the producer's sequence numbers have a gap where the refused batch was); without
    the word the next owner would run into the refusal once more before it goes with care.
    """
    deaths_max = hold.settings.deaths_max
    deaths = hold.mark.deaths
    if alone:
        deaths = deaths_max if deaths < deaths_max else given_up_at(deaths_max)
    with suppress(GivenUpError, LaneStoppedError, KafkaError):
        await hold.note(singly_until=singly_until, trying=None, deaths=deaths)


def tell_raised(hold: Hold[E], offset: int, error: BaseException, around: Surroundings[E]) -> None:
    """Tell that the stage raised: which error and where in the code, never its words, which may quote the record."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "" if place is None else f"{place.tb_frame.f_globals.get('__name__', '?')}:{place.tb_lineno}"
    details: dict[str, Detail] = {
        "offset": offset,
        "error": type(error).__name__,
        "where": where,
        "deaths": hold.mark.deaths,
    }
    around.tell(Happening.STEP_RAISED, hold.name, details)


def report(hold: Hold[E], sheet: Sheet[E], begun: float, seconds: float, around: Surroundings[E]) -> None:
    """Report a committed batch."""
    around.observer.batch(
        BatchReport(
            lane=hold.name,
            records=sheet.records,
            next_offset=hold.mark.next,
            outputs=sheet.outputs,
            tally=sheet.tally,
            seconds=time.monotonic() - begun,
            transaction_seconds=seconds,
        )
    )
