"""Whether a sender may say this event, and whether its `data` fits: the rules between decoding and deduplication.

Pure. The rules run in the order in which they stand; the first that fails names the refusal. Covers neither the form
of the event (`expathub.core.decode`) nor repeated events (`expathub.core.remembered`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import TypeAlias

import msgspec

from expathub.core.catalogue import Catalogue, EventType, Version
from expathub.core.event import Event, Refusal, split_type
from expathub.core.partners import Partner
from expathub.core.pointers import read
from expathub.core.profile import unkept
from expathub.core.reasons import Reason


class Submission(msgspec.Struct, frozen=True, gc=False):
    """An event with who sent it, what the catalogue says of its type, and the day (UTC) on which it was received."""

    event: Event
    sender: Partner
    kind: EventType | None
    version: Version | None
    received_on: date

    @classmethod
    def of(cls, event: Event, sender: Partner, catalogue: Catalogue, received_on: date) -> Submission:
        """Look up the type and the version of an event."""
        reference = split_type(event.type)
        kind = catalogue.types.get(reference.name) if reference else None
        version = kind.versions.get(reference.major) if reference and kind else None
        return cls(event, sender, kind, version, received_on)

    def refusal(self, reason: Reason, pointer: str = "") -> Refusal:
        """Refuse it for a reason, in its own words."""
        return refusal_of(self.event, reason, pointer)


Rule: TypeAlias = Callable[[Submission], Refusal | None]


def refusal_of(event: Event, reason: Reason, pointer: str = "") -> Refusal:
    """Refuse a decoded event; what it says of itself goes no further than `source` and `id`."""
    return Refusal.because(reason, pointer, source=event.source, id=event.id)


class Right(msgspec.Struct, frozen=True):
    """That a sender may send a type: what it is, and which rules are left to ask of each event.

    `is_plain`: no others than those of `OF_ITSELF`.
    """

    kind: EventType | None
    version: Version | None
    left: tuple[Rule, ...]
    is_plain: bool

    @classmethod
    def of(cls, submission: Submission) -> Right:
        """Note what is right about a submission that was admitted."""
        said = (
            BY_RIGHT,
            frozenset() if _has_owner(submission) else BY_OWNER,
            frozenset() if submission.sender.strict else frozenset({_keeps_what_it_is_held_to}),
        )
        known = frozenset().union(*said)
        left = tuple(rule for rule in RULES if rule not in known)
        return cls(submission.kind, submission.version, left, is_plain=left == OF_ITSELF)

    def covers(self, event: Event) -> bool:
        """Tell, without a submission made for it, whether nothing is left to ask of an event; false: ask the rules."""
        return (
            self.is_plain
            and self.version is not None
            and "dataschema" not in event.attributes
            and self.version.validate(event.data) is None
        )


class Gate:
    """Admission for one catalogue, as intake asks for it event after event."""

    __slots__ = ("_catalogue", "_day", "_rights")

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._day = date.min
        self._rights: dict[tuple[str, str, str], Right] = {}

    def admit(self, event: Event, sender: Partner, received_on: date) -> Refusal | None:
        """Return why an event is not accepted, or None."""
        # Who may send which type under which source is the same all day: found once, then looked up (10 % of intake).
        # What is refused is not kept, so that the table grows no larger than the configuration.
        if received_on != self._day:
            self._day, self._rights = received_on, {}
        name = (sender.id, event.attributes["source"], event.attributes["type"])
        right = self._rights.get(name)
        if right is not None and right.covers(event):
            return None
        if right is not None:
            return _first(right.left, Submission(event, sender, right.kind, right.version, received_on))
        submission = Submission.of(event, sender, self._catalogue, received_on)
        refusal = admit(submission)
        if refusal is None:
            self._rights[name] = Right.of(submission)
        return refusal


def admit(submission: Submission) -> Refusal | None:
    """Return why an event is not accepted, or None."""
    return _first(RULES, submission)


def _first(rules: Iterable[Rule], submission: Submission) -> Refusal | None:
    for rule in rules:
        refusal = rule(submission)
        if refusal is not None:
            return refusal
    return None


def _takes_part(it: Submission) -> Refusal | None:
    if it.sender.ended is None or it.received_on < it.sender.ended:
        return None
    return it.refusal(Reason.PARTNER_ENDED)


def _speaks_for_itself(it: Submission) -> Refusal | None:
    # Who wrote is known by the topic alone; `source` must agree (CVE-2026-35554: a client can hit another's topic).
    return None if it.event.source == it.sender.source else it.refusal(Reason.NOT_YOUR_SOURCE, "/source")


def _keeps_what_it_is_held_to(it: Submission) -> Refusal | None:
    rule = unkept(it.event, it.sender.strict) if it.sender.strict else None
    return it.refusal(rule.reason, f"/{rule.attribute}") if rule else None


def _has_known_type(it: Submission) -> Refusal | None:
    return None if it.kind else it.refusal(Reason.UNKNOWN_TYPE, "/type")


def _has_known_version(it: Submission) -> Refusal | None:
    return None if it.version else it.refusal(Reason.UNKNOWN_VERSION, "/type")


def _has_live_version(it: Submission) -> Refusal | None:
    if it.version is None or it.version.ended is None or it.received_on < it.version.ended:
        return None
    return it.refusal(Reason.RETIRED_VERSION, "/type")


def _names_its_schema(it: Submission) -> Refusal | None:
    """Hold `dataschema` against `type`, where it names the type: two truths about the version are none."""
    schema = it.event.attributes.get("dataschema")
    if schema is None or it.kind is None or it.version is None:
        return None
    named = re.search(rf"[/:]{re.escape(it.kind.name)}[./:]v?([0-9]+)(?![0-9])", schema)
    if named is None or named[1] == str(it.version.major):
        return None
    return it.refusal(Reason.PROFILE_DATASCHEMA, "/dataschema")


def _may_publish(it: Submission) -> Refusal | None:
    if it.kind and it.kind.publishers & it.sender.roles:
        return None
    return it.refusal(Reason.NOT_YOUR_TYPE, "/type")


def _speaks_for_its_own(it: Submission) -> Refusal | None:
    return _owns(it, absent_is_fine=True)  # the schema says it better where the field is missing


def _fits_its_schema(it: Submission) -> Refusal | None:
    fault = it.version.validate(it.event.data) if it.version else None
    if fault is None:
        return None
    detail = f"The value does not keep `{fault.keyword}` of the schema. {Reason.SCHEMA.remedy}"
    return replace(it.refusal(Reason.SCHEMA, fault.pointer), detail=detail)


def _names_its_own(it: Submission) -> Refusal | None:
    return _owns(it, absent_is_fine=False)


def _has_owner(it: Submission) -> bool:
    return bool(it.kind and it.kind.publisher_owns and it.sender.municipality)


def _owns(it: Submission, *, absent_is_fine: bool) -> Refusal | None:
    """Check `publisher-owns`: a municipality speaks for no other, so that nobody captures another's dossier."""
    if not (it.kind and it.version and it.kind.publisher_owns and _has_owner(it)):
        return None
    pointer = it.kind.publisher_owns[it.version.major]
    claimed = read(it.event.attributes, it.event.data, pointer)
    if claimed == it.sender.municipality or (claimed is None and absent_is_fine):
        return None
    return it.refusal(Reason.NOT_YOUR_MUNICIPALITY, pointer)


RULES: tuple[Rule, ...] = (
    _takes_part,
    _speaks_for_itself,
    _keeps_what_it_is_held_to,
    _has_known_type,
    _has_known_version,
    _has_live_version,
    _names_its_schema,
    _may_publish,
    _speaks_for_its_own,
    _fits_its_schema,
    _names_its_own,
)
"""All rules, in order."""

BY_RIGHT: frozenset[Rule] = frozenset(
    {_takes_part, _speaks_for_itself, _has_known_type, _has_known_version, _has_live_version, _may_publish}
)
"""Those that say the same of all events with one sender, source, type and day."""

BY_OWNER: frozenset[Rule] = frozenset({_speaks_for_its_own, _names_its_own})
"""Those that concern only municipalities, and types that have an owner."""

OF_ITSELF: tuple[Rule, ...] = (_names_its_schema, _fits_its_schema)
"""Those that are left where neither says anything new: they look at the event alone."""
