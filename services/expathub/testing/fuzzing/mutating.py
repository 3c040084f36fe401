"""Mutated records: good and bad ones, changed as values, as text, as bytes, in their headers, and several at once.

The n-th record of a seed is always the same. Changes know the structure: members are taken out, doubled, renamed,
nested and given values that readers disagree about; the text is written in odd ways; then bytes may go wrong as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

import orjson

from expathub.core.records import ForeignHeaders, InputRecord, Position
from expathub.core.topic_names import outbox

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]

RECEIVED_MS = 1_795_000_000_000
_SMALL_BYTES = 20_000
"""Larger seedlings are used seldom: they cost as much as a hundred others."""

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, -(2**31) - 1, 2**53, 2**63, 1.5, -0.0, 1e15, 1e300, 5e-324),
    *("", "a", "1.0", "0", "\u00e9", "e\u0301", "\u0000", "\u001b[31m", "\u202e", "\ufffe", "\U0001f600", "\x7f", "\n"),
    *("999990019", "a999990019", "%39%39%39%39%39%30%30%31%39", "../../etc/passwd", "${jndi:ldap://x}", "x" * 300),
    *("2026-02-30", "0000-00-00", "9999-12-31T23:59:59Z", "2026-01-31T09:30:00+01:60", "urn:nld:oin:1", "https://x@y/"),
    *([], {}, [[]], {"a": {}}, [None] * 20, {"": ""}),
)
_NAMES = (
    *("id", "source", "type", "subject", "time", "data", "data_base64", "specversion", "datacontenttype", "dataschema"),
    *("dataref", "sequence", "sequencetype", "expirytime", "dataclassification", "deprecated", "sampledrate"),
    *("hubx", "Extra", "a" * 21, "", "\u00e9", "e\u0301", "999990019", "a.b", "a\u0000", "extra"),
)
_TOKENS = (
    *(b"NaN", b"Infinity", b"-0", b"1e400", b"1E2", b"01", b"1" * 400, b"18446744073709551616", b"null", b"true"),
    *(b'"id":"x",', b'"\\u0069d":"x",', b'"', b"\\", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"{", b"}", b"[", b"]"),
    *(b",", b":", b"/*", b"'", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"\x1b", b"[" * 40),
    *(b" " * 3, b"\r\n\t", b"\x0b", "\u2028".encode(), b'{"a":' * 33, b"999990019", b"e+", b"1e15", b":", b"\\\\"),
)
_MEDIA = (
    *(b"application/cloudevents+json", b"application/json", b"APPLICATION/JSON; charset=UTF-8", b"text/plain", b""),
    *(b"application/cloudevents-batch+json", b"application/cloudevents+xml", b"application/x+json", b"\xff"),
)
_HEADER_VALUES = (None, b"", b"x", b"\xff", b"a\r\nb", b"999990019", "\ufffe".encode(), b"x" * 9_000, b"true", b"7")


def _size(seedling: Seedling) -> int:
    return len(seedling.value or b"")


@dataclass(frozen=True, slots=True)
class Seedling:
    """A record to begin with: who sends it, and what."""

    sender: str
    value: bytes | None
    headers: ForeignHeaders
    key: bytes | None
    id: str | None = None
    """The event's id, where it is a good one: most records made of it get an id of their own."""


class Mutator:
    """Makes records of seedlings; `record` is a function of its arguments alone."""

    def __init__(self, seedlings: Sequence[Seedling], senders: Sequence[str]) -> None:
        self._good = [one for one in seedlings if one.id]
        self._bad = [one for one in seedlings if not one.id and _size(one) < _SMALL_BYTES]
        self._large = [one for one in seedlings if not one.id and _size(one) >= _SMALL_BYTES]
        self._senders = senders

    def record(self, seed: int, number: int) -> InputRecord:
        """Return the record with this number."""
        dice = Random(f"{seed}/{number}")  # noqa: S311 (seeded on purpose, protects nothing)
        seedling = self._seedling(dice)
        value, headers, key = seedling.value, seedling.headers, seedling.key
        if seedling.id and dice.random() < 0.9:  # noqa: PLR2004 (a share)
            old, new = seedling.id.encode(), f"fuzz-{number}".encode()
            value = value and value.replace(old, new)
            headers = tuple((name, new if held == old else held) for name, held in headers)
        sender = seedling.sender if dice.random() < 0.97 else dice.choice(self._senders)  # noqa: PLR2004 (a share)
        if value is not None:
            value = self._changed(dice, value)
        if dice.random() < 0.15:  # noqa: PLR2004 (a share)
            headers = _other_headers(dice, headers)
        if dice.random() < 0.1:  # noqa: PLR2004 (a share)
            key = dice.choice((None, b"", b"k", b"999990019", b"\xff", b"x" * 5_000))
        return InputRecord(Position(outbox(sender), 0, number), key, value, headers, RECEIVED_MS + number)

    def _seedling(self, dice: Random) -> Seedling:
        roll = dice.random()
        return dice.choice(self._good if roll < 0.75 else self._bad if roll < 0.999 else self._large)  # noqa: PLR2004

    def _changed(self, dice: Random, value: bytes) -> bytes:
        roll = dice.random()
        if roll < 0.15:  # noqa: PLR2004 (a share)
            return value
        if roll < 0.75:  # noqa: PLR2004 (a share)
            value = _as_values(dice, value)
        while dice.random() < 0.3:  # noqa: PLR2004 (a share)
            value = dice.choice(_TEXTUAL)(dice, value)
        if roll > 0.98:  # noqa: PLR2004 (a share)
            value = _spliced(dice, value, dice.choice(self._bad).value or b"")
        return value


# --- values ------------------------------------------------------------------------------------------------------


def _as_values(dice: Random, value: bytes) -> bytes:
    """Change the document as values, and write it in one of many ways; what is none stays as it is."""
    try:
        tree = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    for _ in range(dice.choice((0, 0, 1, 1, 1, 2, 3))):
        place = _place(dice, tree)
        if place is not None:
            dice.choice(_STRUCTURAL)(dice, place)
    try:
        return _written(dice, tree)
    except (RecursionError, TypeError):  # deeper than either writer goes
        return value


def _place(dice: Random, tree: Any) -> Any:
    """Go down into the tree for a while, and return an object or an array; None where there is none."""
    found = tree if isinstance(tree, dict | list) else None
    while found and dice.random() < 0.6:  # noqa: PLR2004 (a share)
        inner = [one for one in (found.values() if isinstance(found, dict) else found) if isinstance(one, dict | list)]
        if not inner:
            break
        found = dice.choice(inner)
    return found


def _key_in(dice: Random, place: Any) -> Any:
    return dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))


def _take_out(dice: Random, place: Any) -> None:
    if place:
        del place[_key_in(dice, place)]


def _replace(dice: Random, place: Any) -> None:
    if place:
        place[_key_in(dice, place)] = deepcopy(dice.choice(_VALUES))


def _bend(dice: Random, place: Any) -> None:
    """Change a string a little."""
    if place:
        key = _key_in(dice, place)
        if isinstance(place[key], str):
            text, at = place[key], dice.randint(0, len(place[key]))
            place[key] = text[:at] + dice.choice(("", "x", ".", "0", "\u00e9", "\t", "\u0000", " ")) + text[at + 1 :]


def _add(dice: Random, place: Any) -> None:
    if isinstance(place, dict):
        place[dice.choice(_NAMES)] = deepcopy(dice.choice(_VALUES))
    else:
        place.append(deepcopy(dice.choice(_VALUES)))


def _rename(dice: Random, place: Any) -> None:
    if place and isinstance(place, dict):
        place[dice.choice(_NAMES)] = place.pop(_key_in(dice, place))


def _nest(dice: Random, place: Any) -> None:
    if place:
        key = _key_in(dice, place)
        for _ in range(dice.choice((1, 2, 29, 30, 31, 32, 33))):
            place[key] = [place[key]]


def _swell(dice: Random, place: Any) -> None:
    if isinstance(place, dict):
        place.update((f"k{number}", number) for number in range(dice.choice((10, 1_999, 2_001))))
    else:
        place.extend([0] * dice.choice((10, 9_000, 10_000)))


_STRUCTURAL: tuple[Callable[[Random, Any], None], ...] = (
    *(_take_out, _replace, _replace, _replace, _bend, _bend, _add, _add, _rename, _nest),
)
_SELDOM = _swell


def _written(dice: Random, tree: Any) -> bytes:
    """Write a document plainly, sorted, loosely or with escapes; now and then with very many members."""
    if dice.random() < 0.002 and isinstance(tree, dict | list):  # noqa: PLR2004 (a share)
        _SELDOM(dice, tree)
    roll = dice.random()
    if roll < 0.5:  # noqa: PLR2004 (a share)
        return orjson.dumps(tree)
    if roll < 0.7:  # noqa: PLR2004 (a share)
        return orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)
    loose = roll < 0.9  # noqa: PLR2004 (a share)
    return json.dumps(tree, ensure_ascii=loose, indent=None if loose else 1).encode()


# --- text and bytes ----------------------------------------------------------------------------------------------


def _insert(dice: Random, value: bytes) -> bytes:
    at = dice.randint(0, len(value))
    return value[:at] + dice.choice(_TOKENS) + value[at:]


def _overwrite(dice: Random, value: bytes) -> bytes:
    token = dice.choice(_TOKENS)
    at = dice.randint(0, len(value))
    return value[:at] + token + value[at + len(token) :]


def _instead_of_a_value(dice: Random, value: bytes) -> bytes:
    """Write a token where a value begins."""
    starts = [at + 1 for at, octet in enumerate(value[:4_000]) if octet == ord(":")]
    if not starts:
        return value
    at = dice.choice(starts)
    end = next((n for n in range(at, min(len(value), at + 200)) if value[n] in b",}"), at)
    return value[:at] + dice.choice(_TOKENS) + value[end:]


def _drop(dice: Random, value: bytes) -> bytes:
    at = dice.randint(0, len(value))
    return value[:at] + value[at + dice.choice((1, 1, 2, 5, 50)) :]


def _truncate(dice: Random, value: bytes) -> bytes:
    return value[: dice.randint(0, len(value))]


def _flip(dice: Random, value: bytes) -> bytes:
    if not value:
        return value
    changed = bytearray(value)
    for _ in range(dice.choice((1, 1, 2, 8))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _double(dice: Random, value: bytes) -> bytes:
    """Repeat a stretch, which often repeats a member."""
    commas = [at for at, octet in enumerate(value[:4_000]) if octet == ord(",")]
    if len(commas) < 2:  # noqa: PLR2004 (between two of them there is a stretch)
        return value + value
    begin, end = sorted(dice.sample(commas, 2))
    return value[:end] + value[begin:end] + value[end:]


def _spliced(dice: Random, value: bytes, other: bytes) -> bytes:
    return value[: dice.randint(0, len(value))] + other[dice.randint(0, len(other)) :]


_TEXTUAL: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_insert, _insert, _overwrite, _instead_of_a_value, _instead_of_a_value, _drop, _truncate, _flip, _double),
)


# --- headers -----------------------------------------------------------------------------------------------------


def _other_headers(dice: Random, headers: ForeignHeaders) -> Headers:
    changed = list(headers)
    for _ in range(dice.choice((1, 1, 2, 70))):
        roll = dice.random()
        if roll < 0.3 and changed:  # noqa: PLR2004 (a share)
            changed.pop(dice.randrange(len(changed)))
        elif roll < 0.5 and changed:  # noqa: PLR2004 (a share)
            at = dice.randrange(len(changed))
            changed[at] = (changed[at][0], dice.choice((*_HEADER_VALUES, *_MEDIA)))
        elif roll < 0.6:  # noqa: PLR2004 (a share)
            changed = [("content-type", dice.choice(_MEDIA)), *(one for one in changed if one[0] != "content-type")]
        else:
            name = dice.choice((*(f"ce_{name}" for name in _NAMES), "x", "hub-origin", "content-type", "\\xff"))
            changed.append((name, dice.choice(_HEADER_VALUES)))
    return tuple(changed)
