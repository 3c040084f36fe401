"""Newcomers, all invented: a first name, a dossier, numbers from the ranges that are for tests. Pure.

Nobody's number is used: BSNs begin with 99999 and pass the eleven test, the numbers of the IND and the register have
ten digits that begin with 09.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from uuid import UUID

NAMES = (
    *("Aiko", "Amara", "Bao", "Caio", "Dalia", "Emeka", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kavya"),
    *("Leila", "Mateo", "Nadia", "Oleksa", "Priya", "Quim", "Rosa", "Selma", "Tariq", "Uma", "Viktor", "Wen"),
    *("Ximena", "Yara", "Zoltan", "Anouk", "Bilal", "Chidi", "Dagny", "Elif", "Fumiko", "Gael", "Hadi", "Ilse"),
)

PURPOSES = ("kennismigrant", "europese-blauwe-kaart", "onderzoeker-2016-801", "zoekjaar", "startup")
LANGUAGES = ("en", "de", "fr", "nl", "pt-BR", "nl-BE")

_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


@dataclass(slots=True)
class Person:
    """A newcomer as the world knows it; `residence` is the id of the municipality, None before the first is known."""

    name: str
    dossier: str
    bsn: str
    v_number: str
    a_number: str
    purpose: str
    language: str
    residence: str | None = None
    is_secret: bool = False

    @property
    def full_name(self) -> str:
        """A name as it is told where a consent allows it: letters only."""
        return f"{self.name.split()[0]} van Elders"

    @property
    def secrets(self) -> frozenset[str]:
        """What may be found nowhere outside Dutch government."""
        return frozenset({self.dossier, self.bsn, self.v_number, self.a_number})

    def __repr__(self) -> str:
        """Show the invented name only."""
        return f"Person({self.name})"


class People:
    """Makes newcomers: with the same dice the same ones; `ids` makes their dossiers."""

    def __init__(self, dice: Random, ids: Random) -> None:
        self._dice = dice
        self._ids = ids
        self._names = _names()
        self.all: list[Person] = []

    def arrive(self) -> Person:
        """Make the next newcomer."""
        person = Person(
            name=next(self._names),
            dossier=new_uuid(self._ids),
            bsn=self._dice.choice(bsns_for_tests()),
            v_number=self._ten_digits(),
            a_number=self._ten_digits(),
            purpose=self._dice.choice(PURPOSES),
            language=self._dice.choice(LANGUAGES),
        )
        self.all.append(person)
        return person

    def _ten_digits(self) -> str:
        return f"09{self._dice.randrange(10**8):08}"


def _names() -> Iterator[str]:
    """Yield each name, then each with a number behind it, for ever."""
    yield from NAMES
    turn = 2
    while True:
        yield from (f"{name} {turn}" for name in NAMES)
        turn += 1


def new_uuid(dice: Random) -> str:
    """Make a random UUID (version 4)."""
    return str(UUID(int=dice.getrandbits(128), version=4))


@cache
def bsns_for_tests() -> tuple[str, ...]:
    """List the BSNs of the test range 99999xxxx: those that pass the eleven test."""
    numbers = (f"99999{rest:04}" for rest in range(10_000))
    return tuple(number for number in numbers if _passes_eleven_test(number))


def _passes_eleven_test(number: str) -> bool:
    return sum(weight * int(digit) for weight, digit in zip(_BSN_WEIGHTS, number, strict=True)) % 11 == 0
