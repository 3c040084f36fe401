"""Invented events: valid under their schema, of a kind that happens every day, and the same for the same arguments.

A value is drawn from its field's schema: by the kind that `x-voorbeeld` names, else from `examples`, else from the
type and its bounds. Of alternatives (`oneOf`) the first is taken: the ordinary one stands first. Chance comes from a
hash of the arguments, so the same arguments give the same bytes on every machine and under every Python. Nobody real
is in here: the BSNs are from the range of test numbers, names and addresses are made up.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from expathub.configuration.schemas import SAMPLE, is_bsn
from expathub.core.catalogue import EventType
from expathub.core.configuration import Configuration
from expathub.core.partners import Partner, Role
from expathub.core.pointers import parse
from expathub.errors import MisconfiguredError, UsageError

T = TypeVar("T")

KINDS = frozenset({"bsn", "v-nummer", "gemeentecode", "jaar", "naam", "doorverwijspartner", "deelnemers", "toekomst"})
"""What a schema can ask for with `x-voorbeeld`."""

COUNT_MAX = 1_000_000

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:nld:oin:00000099000100009000:systeem:expathub:voorbeelden")
_PAST = datetime(2025, 2, 1, tzinfo=UTC)
_PAST_DAYS = 300
_FUTURE = datetime(2040, 1, 1, tzinfo=UTC)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ATTEMPTS = 50
_GIVEN_NAMES = (
    "Aiko",
    "Bram",
    "Chloé",
    "Dilan",
    "Elif",
    "Femke",
    "Giulia",
    "Héctor",
    "Ikram",
    "Joris",
    "Kaya",
    "Lotte",
)
_FAMILY_NAMES = ("Voorbeeld", "van der Proef", "Testema", "de Fictie", "Modelmans", "Schijn-Brouwers", "Verzonnen")
_WORDS = ("regio", "grens", "loket", "gemeente", "wonen", "werken", "taal", "school", "reizen", "heuvelland")


class Dice:
    """Chance drawn from a text: the same text rolls the same."""

    def __init__(self, seed: str) -> None:
        """Start from `seed`."""
        self._seed = hashlib.sha256(seed.encode()).digest()
        self._rolls = 0

    def below(self, limit: int) -> int:
        """Return a whole number from 0 up to, not including, `limit`."""
        self._rolls += 1
        roll = hashlib.sha256(self._seed + self._rolls.to_bytes(8, "big")).digest()
        return int.from_bytes(roll[:16], "big") % limit

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[self.below(len(choices))]

    def pick_partner(self, choices: Sequence[str]) -> str:
        """Return one of `choices` so that a choice more, or less, changes few picks."""
        roll = self.below(2**64)
        return min(choices, key=lambda choice: hashlib.sha256(f"{roll} {choice}".encode()).digest())

    def uuid(self) -> str:
        """Return a random UUID (version 4)."""
        return str(uuid.UUID(int=self.below(2**128), version=4))

    def moment(self, start: datetime, days: int) -> datetime:
        """Return a moment, in whole seconds, in the `days` after `start`."""
        return start + timedelta(seconds=self.below(days * 86_400))


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

    Raises `UsageError` where nobody could publish such an event today, `MisconfiguredError` where the schema leaves
    open what to invent.
    """
    if not 0 < wish.count <= COUNT_MAX:
        raise UsageError(f"A count lies between 1 and {COUNT_MAX}.", "Give another --count.")
    event_type, major = _version(configuration, wish, today)
    publisher = _publisher(configuration, event_type, wish.publisher, today)
    subject = _subject(wish.subject)
    arguments = (event_type.name, major, wish.count, wish.seed, subject, publisher.id)
    return (
        _event(configuration, event_type, major, publisher, subject, json.dumps([*arguments, index]))
        for index in range(wish.count)
    )


def _event(
    configuration: Configuration,
    event_type: EventType,
    major: int,
    publisher: Partner,
    subject: str | None,
    arguments: str,
) -> dict[str, Any]:
    """Return one event; `arguments` are all that it depends on, as text."""
    id = str(uuid.uuid5(_NAMESPACE, arguments))
    dice = Dice(id)
    about = subject or dice.uuid()
    return {
        "specversion": "1.0",
        "id": id,
        "source": publisher.source,
        "type": f"{event_type.name}.v{major}",
        "subject": about,
        "time": _text(dice.moment(_PAST, _PAST_DAYS)),
        "datacontenttype": "application/json",
        **_extensions(event_type, publisher, dice),
        "data": sample_data(configuration, event_type, major, publisher, about, dice),
    }


def _extensions(event_type: EventType, publisher: Partner, dice: Dice) -> dict[str, str]:
    granted = {pointer for grant in event_type.grants for pointers in grant.fields.values() for pointer in pointers}
    extensions = {"dataclassification": event_type.classification}
    if not event_type.public:
        extensions["dataregulation"] = "GDPR"
    if "/dataref" in granted:
        extensions["dataref"] = f"https://{publisher.id}.example/raadplegen/{dice.uuid()}"
    if "/expirytime" in granted:
        extensions["expirytime"] = _text(dice.moment(_FUTURE, _PAST_DAYS))
    return extensions


def sample_data(
    configuration: Configuration, event_type: EventType, major: int, publisher: Partner, subject: str, dice: Dice
) -> dict[str, Any]:
    """Return `data` that is valid in `major`; a municipality speaks for itself in it."""
    version = event_type.versions[major]
    maker = _Maker(configuration, publisher, subject, version.schema, dice)
    fault = None
    for _ in range(_ATTEMPTS):
        data: dict[str, Any] = maker.value(version.schema)
        if event_type.publisher_owns and publisher.municipality:
            _set(data, parse(event_type.publisher_owns[major])[1:], publisher.municipality)
        fault = version.validate(data)
        if fault is None:
            return data
    where = f"{fault.pointer} ({fault.keyword})" if fault else "/data"
    raise MisconfiguredError(
        f"The schema of {event_type.name}.v{major} gives no valid sample at {where}.",
        f"Add `examples` or `{SAMPLE}` to that field.",
    )


def _set(data: dict[str, Any], path: Sequence[str], value: str) -> None:
    for part in path[:-1]:
        data = data.setdefault(part, {})
    data[path[-1]] = value


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# ------------------------------------------------------------------------------------------- who and what


def _version(configuration: Configuration, wish: Wish, today: date) -> tuple[EventType, int]:
    name, _, digits = wish.type.rpartition(".v")
    asked = int(digits) if name and digits.isascii() and digits.isdigit() and len(digits) < 4 else None  # noqa: PLR2004
    event_type = configuration.catalogue.types.get(wish.type if asked is None else name)
    if event_type is None:
        raise UsageError(
            f"The catalogue has no event type {wish.type!r}.", "`expathub schemas list` shows those there are."
        )
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
            raise UsageError(f"No partner can publish {event_type.name}.", "Nothing to sample.")
        return able[0]
    if wanted not in partners:
        raise UsageError(f"There is no partner {wanted!r}.", f"Partners are {', '.join(partners)}.")
    if partners[wanted] not in able:
        names = ", ".join(partner.id for partner in able) or "nobody"
        raise UsageError(f"{wanted} cannot publish {event_type.name}.", f"These can: {names}.")
    return partners[wanted]


def _can_publish(partner: Partner, event_type: EventType, today: date) -> bool:
    is_itself = event_type.publisher_owns is None or partner.municipality is not None
    return bool(partner.roles & event_type.publishers) and is_itself and not _is_over(partner.ended, today)


def _is_over(ended: date | None, today: date) -> bool:
    return ended is not None and ended <= today


def _subject(text: str | None) -> str | None:
    if text is None or _UUID.fullmatch(text.lower()):
        return text and text.lower()
    raise UsageError("--subject is not a UUID.", "Write it as 8-4-4-4-12 hexadecimal digits.")


# ------------------------------------------------------------------------------------------------ values


class _Maker:
    """Draws values from one schema."""

    def __init__(
        self, configuration: Configuration, publisher: Partner, subject: str, root: Mapping[str, Any], dice: Dice
    ) -> None:
        self._partners = tuple(configuration.partners.by_id.values())
        self._publisher, self._subject, self._root, self._dice = publisher, subject, root, dice
        self._kinds: Mapping[str, Callable[[], Any]] = {
            "bsn": self._bsn,
            "v-nummer": lambda: f"{dice.below(10**10):010}",
            "gemeentecode": self._municipality,
            "jaar": lambda: dice.moment(_PAST, _PAST_DAYS).year,
            "naam": lambda: f"{dice.pick(_GIVEN_NAMES)} {dice.pick(_FAMILY_NAMES)}",
            "doorverwijspartner": self._referral,
            "deelnemers": lambda: [subject, *(dice.uuid() for _ in range(dice.below(3)))],
            "toekomst": lambda: _text(dice.moment(_FUTURE, _PAST_DAYS)),
        }
        self._formats: Mapping[str, Callable[[], Any]] = {
            "date": lambda: dice.moment(_PAST, _PAST_DAYS).date().isoformat(),
            "date-time": lambda: _text(dice.moment(_PAST, _PAST_DAYS)),
            "uuid": dice.uuid,
            "email": lambda: f"{dice.pick(_WORDS)}.{dice.below(1000)}@voorbeeld.example",
            "uri": lambda: f"https://voorbeeld.example/{dice.pick(_WORDS)}",
        }
        self._types: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._integer,
            "boolean": lambda _: bool(dice.below(2)),
            "null": lambda _: None,
        }

    def value(self, schema: Mapping[str, Any]) -> Any:
        """Return a value for `schema`."""
        schema = self._resolved(schema)
        if SAMPLE in schema:
            return self._kinds[schema[SAMPLE]]()
        if "const" in schema:
            return schema["const"]
        for choices in ("examples", "enum"):
            if schema.get(choices):
                return self._dice.pick(schema[choices])
        types = schema.get("type", "object")
        return self._types[types if isinstance(types, str) else types[0]](schema)

    def _resolved(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Merge what a reference and the first alternative add; keywords beside them win."""
        merged = dict(schema)
        while True:
            if "$ref" in merged:
                parts = [self._root["$defs"][merged.pop("$ref").removeprefix("#/$defs/")]]
            elif keyword := next((word for word in ("oneOf", "anyOf") if word in merged), None):
                parts = merged.pop(keyword)[:1]
            elif "allOf" in merged:
                parts = merged.pop("allOf")
            else:
                return merged
            for part in parts:
                properties = {**part.get("properties", {}), **merged.get("properties", {})}
                required = [*part.get("required", []), *merged.get("required", [])]
                merged = {**part, **merged}
                if properties:
                    merged |= {"properties": properties, "required": required}

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        return {
            name: self.value(below)
            for name, below in schema.get("properties", {}).items()
            if name in required or self._dice.below(2)
        }

    def _array(self, schema: Mapping[str, Any]) -> list[Any]:
        least = int(schema.get("minItems", 0))
        length = least + self._dice.below(min(int(schema["maxItems"]) - least, 2) + 1)
        items: list[Any] = []
        for _ in range(length):
            item = self.value(schema["items"])
            if item not in items or not schema.get("uniqueItems"):
                items.append(item)
        return items

    def _string(self, schema: Mapping[str, Any]) -> str:
        if "format" in schema:
            return str(self._formats[schema["format"]]())
        return self._dice.pick(_WORDS)[: int(schema.get("maxLength", 64))]

    def _integer(self, schema: Mapping[str, Any]) -> int:
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        most = schema.get("maximum", schema.get("exclusiveMaximum", least + 101) - 1)
        step = schema.get("multipleOf", 1)
        first = -(-least // step)
        return int((first + self._dice.below(max(int(most // step - first) + 1, 1))) * step)

    def _bsn(self) -> str:
        number = 999_990_000 + self._dice.below(10_000)
        while not is_bsn(str(number)):
            number = 999_990_000 + (number + 1) % 10_000
        return str(number)

    def _municipality(self) -> str:
        """Pick another municipality than the publisher; where an event speaks for the publisher, its own is set."""
        codes = [p.municipality for p in self._partners if p.municipality and p is not self._publisher]
        return self._dice.pick_partner(codes) if codes else self._publisher.municipality or "0000"

    def _referral(self) -> str:
        able = [p.id for p in self._partners if p.roles & {Role.FOREIGN_CENTRE, Role.BORDER_INFO} and not p.ended]
        if not able:
            raise MisconfiguredError("There is no partner to refer to.", "Add one with the role foreign-centre.")
        return self._dice.pick_partner(able)
