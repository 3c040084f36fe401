"""The second stage: whom one accepted event is told to, in which words, and what is written down about it.

In this order: fold the event into the dossier, look again at what waits there, choose the recipients, and for each of
them tell (in the version it reads, with the fields it may have), withhold, or hold. Every event ends in at least one
row of `hub.disclosures` or `hub.parked`; nothing is passed over in silence.

Pure: no Kafka, no clock, no chance. The journal gives the order, the dossier is the only memory, and `at_ms` (the
clock of the attempt) decides what has expired.
"""

from __future__ import annotations

from expathub.core.case import Case
from expathub.core.commands import keep_unfolded, obey
from expathub.core.configuration import Configuration
from expathub.core.dossier import BLANK, Dossier, fold
from expathub.core.holding import Rules, is_overdue, offer, offer_to_unknown, settle
from expathub.core.notice import Notice, read_outside, read_whole
from expathub.core.reasons import Held, Withheld
from expathub.core.records import InputRecord
from expathub.core.references import ReferenceKeys
from expathub.core.routing import Directory, Situation, choose
from expathub.core.stage import Lookup, Step


class DispatchStage:
    """Tells partners what the journal says; its state are the dossiers."""

    def __init__(self, configuration: Configuration, keys: ReferenceKeys) -> None:
        self._rules = Rules(configuration.catalogue.types, Directory(configuration.partners))
        self._digest = configuration.digest.encode()
        self._keys = keys

    def step(self, record: InputRecord, remembered: Lookup[Dossier], at_ms: int) -> Step[Dossier]:
        """Say what becomes of a record of the journal."""
        event, kept = read_whole(record)
        notice = self._rules.notice(event.subject, str(record.position), kept, event=event)
        case = self._open(notice, remembered(notice.subject.encode()) or BLANK, at_ms)
        if notice.kind.command is not None:
            obey(case, self._rules, notice, notice.kind.command, self._handle)
        elif case.dossier.unfolded:
            keep_unfolded(case, notice, Held.HELD_BEHIND)
        else:
            self._handle(case, notice)
        return case.step()

    def poison(self, record: InputRecord, remembered: Lookup[Dossier], at_ms: int) -> Step[Dossier]:
        """Keep a record on which `step` has died three times, unfolded; a command is not carried out."""
        subject, kept = read_outside(record)
        notice = self._rules.notice(subject, str(record.position), kept)
        case = self._open(notice, remembered(subject.encode()) or BLANK, at_ms)
        if notice.kind.command is not None:
            case.withhold(notice, None, Withheld.COMMAND)
        else:
            keep_unfolded(case, notice, Held.POISON)
        return case.step()

    def _open(self, notice: Notice, before: Dossier, at_ms: int) -> Case:
        """Open the case of one record; a replay opens its own kind."""
        return Case(notice.subject, before, at_ms, self._keys, self._digest)

    def _handle(self, case: Case, notice: Notice) -> None:
        """Fold an event and tell everybody whom it is for."""
        kind, major, event = notice.kind, notice.major, notice.event
        before = case.dossier
        case.dossier = fold(before, kind, major, event)
        if before.waits and (case.dossier is not before or is_overdue(case)):
            settle(case, self._rules)
        situation = Situation(self._rules.directory, before, case.dossier, kind, major, event)
        chosen = choose(situation, notice.kept.sender)
        for route in chosen.routes:
            offer(case, notice, route)
        if chosen.unknown is not None:
            offer_to_unknown(case, notice, chosen.unknown, [route.partner.id for route in chosen.routes])
        elif not chosen.routes:
            case.withhold(notice, None, Withheld.NO_RECIPIENT, notice.waits)
