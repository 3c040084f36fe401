"""Sample events: whole CloudEvents that intake accepts, the same for the same arguments."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

from expathub.configuration.inventing import FUTURE, PAST, SAMPLE, Dice, Scene, inventor
from expathub.core.catalogue import EventType
from expathub.core.configuration import Configuration
from expathub.core.event import split_type
from expathub.core.identifiers import is_uuid
from expathub.core.partners import Partner
from expathub.core.pointers import parse
from expathub.errors import MisconfiguredError, UsageError

COUNT_MAX = 1_000_000

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:nld:oin:00000099000100009000:systeem:expathub:voorbeelden")
_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: an event type with or without `.vN`, and the arguments of `expathub schemas sample`."""

    type: str
    version: int | None = None
    count: int = 1
    seed: int = 0
    subject: str | None = None
    publisher: str | None = None


def sample(configuration: Configuration, wish: Wish, today: date) -> Iterator[dict[str, Any]]:
    """Yield `wish.count` events that intake accepts from the publisher named in their `source`.

    Raises `UsageError` where nobody could publish such an event today, and while it runs `MisconfiguredError` where
    the schema leaves open what to invent.
    """
    if not 0 < wish.count <= COUNT_MAX:
        raise UsageError(f"A count lies between 1 and {COUNT_MAX}.", "Give another --count.")
    event_type, major = _version(configuration, wish, today)
    publisher = _publisher(configuration, event_type, wish.publisher, today)
    sampler = Sampler(configuration, event_type, major)
    subject = _subject(wish.subject)
    arguments = (event_type.name, major, wish.count, wish.seed, subject, publisher.id)
    return (
        sampler.event(publisher, uuid.uuid5(_NAMESPACE, json.dumps([*arguments, index])), subject)
        for index in range(wish.count)
    )


class Sampler:
    """Invents events of one major of an event type."""

    def __init__(self, configuration: Configuration, event_type: EventType, major: int) -> None:
        """Compile the schema of the major."""
        self._type, self._major, self._version = event_type, major, event_type.versions[major]
        self._partners = tuple(configuration.partners.by_id.values())
        self._invent = inventor(self._version.schema)
        self._owned = parse(event_type.publisher_owns[major])[1:] if event_type.publisher_owns else ()
        grants = (pointers for grant in event_type.grants for pointers in grant.fields.values())
        self._granted = frozenset(pointer for pointers in grants for pointer in pointers)

    def event(self, publisher: Partner, id: uuid.UUID, subject: str | None = None) -> dict[str, Any]:
        """Return the event with this `id`, which settles everything that is drawn."""
        dice = Dice(str(id))
        about = subject or dice.uuid()
        return {
            "specversion": "1.0",
            "id": str(id),
            "source": publisher.source,
            "type": f"{self._type.name}.v{self._major}",
            "subject": about,
            "time": dice.moment(PAST),
            "datacontenttype": "application/json",
            **self._extensions(publisher, dice),
            "data": self.data(publisher, about, dice),
        }

    def data(self, publisher: Partner, subject: str, dice: Dice) -> dict[str, Any]:
        """Return `data` that is valid; a municipality speaks for itself in it."""
        fault = None
        for _ in range(_ATTEMPTS):
            data: dict[str, Any] = self._invent(Scene(self._partners, publisher, subject, dice))
            if self._owned and publisher.municipality:
                _set(data, self._owned, publisher.municipality)
            fault = self._version.validate(data)
            if fault is None:
                return data
        where = f"{fault.pointer} ({fault.keyword})" if fault else "/data"
        raise MisconfiguredError(
            f"The schema of {self._type.name}.v{self._major} gives no valid sample at {where}.",
            f"Add `examples` or `{SAMPLE}` to that field.",
        )

    def _extensions(self, publisher: Partner, dice: Dice) -> dict[str, str]:
        extensions = {"dataclassification": self._type.classification}
        if not self._type.public:
            extensions["dataregulation"] = "GDPR"
        if "/dataref" in self._granted:
            extensions["dataref"] = f"https://{publisher.id}.example/raadplegen/{dice.uuid()}"
        if "/expirytime" in self._granted:
            extensions["expirytime"] = dice.moment(FUTURE)
        return extensions


def _set(data: dict[str, Any], path: Sequence[str], value: str) -> None:
    for part in path[:-1]:
        data = data.setdefault(part, {})
    data[path[-1]] = value


# ------------------------------------------------------------------------------------------- who and what


def _version(configuration: Configuration, wish: Wish, today: date) -> tuple[EventType, int]:
    reference = split_type(wish.type)
    name, asked = (reference.name, reference.major) if reference else (wish.type, None)
    types = configuration.catalogue.types
    event_type = types.get(name)
    if event_type is None:
        near = get_close_matches(name, types) or sorted(types)
        raise UsageError(f"The catalogue has no event type {name}.", f"Perhaps {' or '.join(near)}?")
    if None not in (asked, wish.version) and asked != wish.version:
        raise UsageError("TYPE and --version name different majors.", "Give one of them.")
    live = [major for major, version in event_type.versions.items() if not _is_over(version.ended, today)]
    major = wish.version or asked or max(live, default=event_type.newest)
    if major not in event_type.versions:
        majors = ", ".join(map(str, sorted(event_type.versions)))
        raise UsageError(f"{event_type.name} has no major {major}.", f"It has {majors}.")
    if major not in live:
        raise UsageError(f"Major {major} of {event_type.name} has ended: nobody can send it.", "Take another major.")
    return event_type, major


def _publisher(configuration: Configuration, event_type: EventType, wanted: str | None, today: date) -> Partner:
    partners = configuration.partners.by_id
    able = [partner for partner in partners.values() if _can_publish(partner, event_type, today)]
    if wanted is None:
        if not able:
            raise UsageError(f"No partner can publish {event_type.name}.", "There is nothing to sample.")
        return able[0]
    if wanted not in partners:
        raise UsageError(f"There is no partner {wanted}.", f"Partners are {', '.join(partners)}.")
    if partners[wanted] not in able:
        names = ", ".join(partner.id for partner in able) or "nobody"
        raise UsageError(f"{wanted} cannot publish {event_type.name}.", f"These can: {names}.")
    return partners[wanted]


def _can_publish(partner: Partner, event_type: EventType, today: date) -> bool:
    return bool(partner.roles & event_type.publishers) and not _is_over(partner.ended, today)


def _is_over(ended: date | None, today: date) -> bool:
    return ended is not None and ended <= today


def _subject(text: str | None) -> str | None:
    if text is None or is_uuid(text.lower()):
        return text and text.lower()
    raise UsageError("--subject is not a UUID that can name a dossier.", "Write 8-4-4-4-12 hexadecimal digits.")
