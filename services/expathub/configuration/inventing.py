"""Invented values: what a schema asks for, drawn by dice, of a kind that happens every day.

A value is drawn by the kind that `x-voorbeeld` names, else from `examples`, else from the type and its bounds. Of
alternatives (`oneOf`) the first is taken: the ordinary one stands first. Nobody real is in here: the BSNs are from the
range of test numbers, names and addresses are made up.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeAlias, TypeVar

from expathub.core.identifiers import is_a_number, is_bsn
from expathub.core.partners import Partner, Role
from expathub.errors import MisconfiguredError

T = TypeVar("T")

SAMPLE = "x-voorbeeld"
"""The schema keyword that names the kind of value to invent."""

PAST = datetime(2025, 2, 1, tzinfo=UTC)
FUTURE = datetime(2040, 1, 1, tzinfo=UTC)
SPAN_DAYS = 300

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
    """Chance drawn from a text: the same text rolls the same, on every machine and under every Python."""

    __slots__ = ("_rolls", "_seed", "_spare")

    def __init__(self, seed: str) -> None:
        """Start from `seed`."""
        self._seed = hashlib.sha256(seed.encode())
        self._rolls = 0
        self._spare: list[int] = []

    def below(self, limit: int) -> int:
        """Return a whole number from 0 up to, not including, `limit` (at most 2^128)."""
        if not self._spare:
            self._rolls += 1
            fresh = self._seed.copy()
            fresh.update(self._rolls.to_bytes(8, "big"))
            digest = fresh.digest()
            self._spare = [int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:], "big")]
        return self._spare.pop() % limit

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[self.below(len(choices))]

    def pick_partner(self, choices: Sequence[str]) -> str:
        """Return one of `choices` so that a choice more, or less, changes few picks."""
        roll = str(self.below(2**64))
        return min(choices, key=lambda choice: hashlib.sha256(f"{roll} {choice}".encode()).digest())

    def uuid(self) -> str:
        """Return a random UUID (version 4)."""
        return str(uuid.UUID(int=self.below(2**128), version=4))

    def moment(self, start: datetime) -> str:
        """Return a moment in the `SPAN_DAYS` after `start`, in whole seconds, as RFC 3339 writes it."""
        moment = start + timedelta(seconds=self.below(SPAN_DAYS * 86_400))
        return moment.isoformat().removesuffix("+00:00") + "Z"


@dataclass(frozen=True, slots=True)
class Scene:
    """What an event is invented for: who publishes it, about which dossier, and among which partners."""

    partners: tuple[Partner, ...]
    publisher: Partner
    subject: str
    dice: Dice


Make: TypeAlias = Callable[[Scene], Any]
"""Draws one value."""

_Schema: TypeAlias = Mapping[str, Any]


def _date_or_moment(start: datetime) -> Callable[[_Schema], Make]:
    def make(schema: _Schema) -> Make:
        length = len("2025-02-01") if schema.get("format") == "date" else None
        return lambda scene: scene.dice.moment(start)[:length]

    return make


def _municipality(scene: Scene) -> str:
    """Pick another municipality than the publisher; where an event speaks for the publisher, its own is set."""
    codes = [one.municipality for one in scene.partners if one.municipality and one is not scene.publisher]
    return scene.dice.pick_partner(codes) if codes else scene.publisher.municipality or "0000"


def _referral(scene: Scene) -> str:
    able = [one.id for one in scene.partners if one.roles & {Role.FOREIGN_CENTRE, Role.BORDER_INFO} and not one.ended]
    if not able:
        raise MisconfiguredError("There is no partner to refer to.", "Add one with the role foreign-centre.")
    return scene.dice.pick_partner(able)


@cache
def _test_a_numbers() -> tuple[str, ...]:
    """Return some invented numbers of ten digits that keep the rules of an A-nummer; all begin with 09."""
    return tuple(number for number in (f"09{rest:08}" for rest in range(12_000_000, 12_030_000)) if is_a_number(number))


@cache
def _test_bsns() -> tuple[str, ...]:
    """Return all numbers of the range for tests that pass the 11-test."""
    return tuple(number for number in map(str, range(999_990_000, 1_000_000_000)) if is_bsn(number))


def _attendees(scene: Scene) -> list[str]:
    return [scene.subject, *(scene.dice.uuid() for _ in range(scene.dice.below(3)))]


_BY_KIND: Mapping[str, Callable[[_Schema], Make]] = {
    "bsn": lambda _: lambda scene: scene.dice.pick(_test_bsns()),
    "v-nummer": lambda _: lambda scene: f"{scene.dice.below(10**10):010}",
    "gemeentecode": lambda _: _municipality,
    "jaar": lambda _: lambda _: PAST.year,
    "naam": lambda _: lambda scene: f"{scene.dice.pick(_GIVEN_NAMES)} {scene.dice.pick(_FAMILY_NAMES)}",
    "doorverwijspartner": lambda _: _referral,
    "deelnemers": lambda _: _attendees,
    "toekomst": _date_or_moment(FUTURE),
}

KINDS = frozenset(_BY_KIND)
"""What a schema can ask for with `x-voorbeeld`."""


def _one_of(*choices: str) -> Callable[[_Schema], Make]:
    return lambda _: lambda scene: scene.dice.pick(choices)


_BY_FORMAT: Mapping[str, Callable[[_Schema], Make]] = {
    "date": _date_or_moment(PAST),
    "date-time": _date_or_moment(PAST),
    "uuid": lambda _: lambda scene: scene.dice.uuid(),
    "email": lambda _: lambda scene: f"{scene.dice.pick(_WORDS)}.{scene.dice.below(1000)}@voorbeeld.example",
    "uri": lambda _: lambda scene: f"https://voorbeeld.example/{scene.dice.pick(_WORDS)}",
    "bsn": lambda _: lambda scene: scene.dice.pick(_test_bsns()),
    "a-nummer": lambda _: lambda scene: scene.dice.pick(_test_a_numbers()),
    "v-nummer": lambda _: lambda scene: f"{scene.dice.below(10**10):010}",
    "oin": lambda _: lambda scene: f"00000099{scene.dice.below(10**9):09}000",
    "brp-datum": lambda _: lambda scene: scene.dice.moment(PAST)[:10].replace("-", ""),
    "brp-naam": lambda _: lambda scene: scene.dice.pick(_GIVEN_NAMES),
    "brp-voorvoegsel": _one_of("van", "de", "van der", "in 't"),
    "postcode": lambda _: lambda scene: f"62{scene.dice.below(100):02}{scene.dice.pick(('AA', 'BE', 'XZ'))}",
    "huisnummer": lambda _: lambda scene: str(1 + scene.dice.below(400)),
    "huisletter": _one_of("a", "b", "C"),
    "huisnummertoevoeging": _one_of("bis", "2", "hs"),
    "taal": _one_of("en", "de", "fr", "nl", "nl-BE", "pt-BR"),
    "gemeentecode": lambda _: _municipality,
    "gemeentecode-actueel": lambda _: _municipality,
    "nationaliteitcode": _one_of("0052", "0055", "0223", "0312"),
    "landcode": _one_of("5010", "9089", "6014", "7046"),
    "landcode-iso": _one_of("BE", "DE", "US", "IN"),
    "verblijfstitel": _one_of("21", "22", "23", "24", "25"),
}


def inventor(root: _Schema) -> Make:
    """Compile a schema to what draws values for it."""
    return _Compiler(root).value(root)


class _Compiler:
    """Turns each part of one schema into a function, once."""

    def __init__(self, root: _Schema) -> None:
        self._root = root

    def value(self, schema: _Schema) -> Make:
        schema = self._resolved(schema)
        if SAMPLE in schema:
            return _BY_KIND[schema[SAMPLE]](schema)
        choices = [schema["const"]] if "const" in schema else schema.get("examples") or schema.get("enum")
        if choices:
            return lambda scene: scene.dice.pick(choices)
        types = schema.get("type", "object")
        return self._by_type(types if isinstance(types, str) else types[0], schema)

    def _by_type(self, name: str, schema: _Schema) -> Make:
        if name == "object":
            return self._object(schema)
        if name == "array":
            return self._array(schema)
        if name == "string":
            return _string(schema)
        if name in ("integer", "number"):
            return _number(schema)
        return (lambda scene: bool(scene.dice.below(2))) if name == "boolean" else lambda _: None

    def _resolved(self, schema: _Schema) -> dict[str, Any]:
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

    def _object(self, schema: _Schema) -> Make:
        required = set(schema.get("required", ()))
        members = [(name, self.value(below), name in required) for name, below in schema.get("properties", {}).items()]
        return lambda scene: {
            name: make(scene) for name, make, is_required in members if is_required or scene.dice.below(2)
        }

    def _array(self, schema: _Schema) -> Make:
        least, make = int(schema.get("minItems", 0)), self.value(schema["items"])
        spread = min(int(schema["maxItems"]) - least, 2) + 1
        is_unique = bool(schema.get("uniqueItems"))

        def array(scene: Scene) -> list[Any]:
            items: list[Any] = []
            for _ in range(least + scene.dice.below(spread)):
                item = make(scene)
                if not (is_unique and item in items):
                    items.append(item)
            return items

        return array


def _string(schema: _Schema) -> Make:
    if "format" in schema:
        return _BY_FORMAT[schema["format"]](schema)
    longest = int(schema.get("maxLength", 64))
    return lambda scene: scene.dice.pick(_WORDS)[:longest]


def _number(schema: _Schema) -> Make:
    """Draw a multiple of `multipleOf`, or a whole number, between the bounds that there are."""
    step = schema.get("multipleOf", 1)
    least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    most = schema.get("maximum", schema.get("exclusiveMaximum", least + 101) - 1)
    first = -(-least // step)
    room = max(int(most // step - first) + 1, 1)
    return lambda scene: int((first + scene.dice.below(room)) * step)
