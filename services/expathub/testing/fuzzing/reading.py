"""Strict JSON as slowly and plainly as can be: the oracle that the quick reader is compared with.

Shares no code with `expathub.core.strict_json`: the standard library reads, and each rule is a line of its own. Only
the limits are the same numbers.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

from expathub.core.strict_json import (
    DEPTH_MAX,
    DOCUMENT_BYTES_MAX,
    INTEGER_MAX,
    MEMBERS_MAX,
    STRING_CHARACTERS_MAX,
    VALUES_MAX,
)


class NotStrictError(Exception):
    """The document is not what every reader understands alike."""


def read_slowly(document: bytes) -> Any:
    """Read one strict JSON document; raises `NotStrictError`."""
    _require(len(document) <= DOCUMENT_BYTES_MAX)
    try:
        text = document.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise NotStrictError from None
    _require(not text.startswith("\ufeff"))
    _require(_depth(text) <= DEPTH_MAX)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
        )
    except ValueError:
        raise NotStrictError from None
    _require(_count(value) <= VALUES_MAX)
    return value


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_PLANES = "".join(f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 17))
_ALLOWED = re.compile(f"[\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd{_PLANES}]*")
"""What Unicode has for text: no control character but tab and line ends, no surrogate, no noncharacter."""


def _require(condition: object) -> None:
    if not condition:
        raise NotStrictError


def _depth(text: str) -> int:
    """Count how deep brackets go, strings left out; in a document that is none the answer does not matter."""
    deepest = depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        deepest = max(deepest, depth)
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    _require(len(names) <= MEMBERS_MAX)
    _require(len({unicodedata.normalize("NFC", name) for name in names}) == len(names))
    return dict(pairs)


def _integer(digits: str) -> int:
    _require(len(digits) <= len(str(-INTEGER_MAX)))
    _require(digits != "-0")
    number = int(digits)
    _require(abs(number) <= INTEGER_MAX)
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    _require(math.isfinite(number))
    return number


def _constant(_: str) -> Any:
    raise NotStrictError


def _count(value: Any) -> int:
    """Count the values of a document, and look at every string and name on the way."""
    total, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        total += 1
        if isinstance(one, str):
            _look_at(one)
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            for name in one:
                _look_at(name)
            waiting.extend(one.values())
    return total


def _look_at(text: str) -> None:
    _require(len(text) <= STRING_CHARACTERS_MAX)
    _require(_ALLOWED.fullmatch(text))
