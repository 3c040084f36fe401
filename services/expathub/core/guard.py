"""The second filter: the last look at the very bytes that are about to leave for a partner outside government.

Pure, and other code on purpose: it shares nothing with minimisation, grants or the decoder, so that a fault in one of
them is caught here (Wabb art. 10 and 11: such a partner may never hold a BSN). It reads the finished record, knows
nothing of the event types, and only ever says: stop.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_NAMES = re.compile(
    r"bsn|burgerservice|sofinummer|a-?nummer|administratie-?nummer|v-?nummer|vreemdelingen-?nummer|"
    r"document-?nummer|paspoort|identiteits-?kaart|rijksregister|insz|steuer-?id|azr",
    re.IGNORECASE,
)
"""What members that hold a national or document number are called, whole or as part of a name."""

_DIGITS = 9
_BETWEEN = "[ .\\u00a0\\u2009\\u202f-]"
_NINE_DIGITS = re.compile(rf"\d(?:{_BETWEEN}?\d){{8}}")
_SPACED = re.compile(rf"(?<=\d){_BETWEEN}(?=\d)")
_NINE = re.compile(r"(?<![0-9A-Za-z-])\d{9}(?![0-9A-Za-z-])")

_read = msgspec.json.Decoder().decode


def finds_leak(value: bytes, dossier: str | None) -> bool:
    """Tell whether a record holds what must not leave: a national number, a member named so, or the hub's dossier id.

    `dossier` is None for a public event, whose id belongs to nobody.
    """
    if dossier is not None and dossier.casefold() in value.decode(errors="replace").casefold():
        return True
    names, texts = _parts(_read(value))
    return any(map(_is_forbidden_name, names)) or any(map(_holds_number, texts))


def _parts(value: object) -> tuple[set[str], list[str]]:
    """Take a document apart, however deep: the names of all members, and all that they hold as text."""
    names: set[str] = set()
    texts: list[str] = []
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            texts.append(one)
        elif isinstance(one, dict):
            names.update(one)
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        else:
            texts.append(str(one))
    return names, texts


@lru_cache(maxsize=1024)  # the same members come back in event after event
def _is_forbidden_name(name: str) -> bool:
    return _NAMES.search(name) is not None


def _holds_number(text: str) -> bool:
    """Look for a number also as people write it: 999.990.342 or 999 990 342, and in digits of other scripts."""
    if len(text) < _DIGITS or _NINE_DIGITS.search(text) is None:  # most texts are too short to hold one
        return False
    return any(_passes_eleven_test(number) for form in (text, _SPACED.sub("", text)) for number in _NINE.findall(form))


def _passes_eleven_test(number: str) -> bool:
    digits = [int(digit) for digit in number]
    total = sum(digit * weight for digit, weight in zip(digits, range(9, 1, -1), strict=False)) - digits[8]
    return any(digits) and total % 11 == 0
