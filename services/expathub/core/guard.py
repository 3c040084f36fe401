"""The second filter: the last look at the very bytes that are about to leave for a partner outside government.

Pure, and other code on purpose: it shares nothing with minimisation, grants or the decoder, so that a fault in one of
them is caught here (Wabb art. 10 and 11: such a partner may never hold a BSN). It reads the finished record, knows
nothing of the event types, and only ever says: stop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_NAMES = re.compile(
    r"bsn|burgerservice|sofinummer|a-?nummer|administratie-?nummer|v-?nummer|vreemdelingen-?nummer|"
    r"document-?nummer|paspoort|identiteits-?kaart|rijksregister|insz|steuer-?id|azr",
    re.IGNORECASE,
)
"""What members that hold a national or document number are called, whole or as part of a name."""

_SPACED = re.compile(r"(?<=\d)[ .\u00a0\u2009\u202f-](?=\d)")
_NINE = re.compile(r"(?<![0-9A-Za-z-])\d{9}(?![0-9A-Za-z-])")


def finds_leak(value: bytes, dossier: str | None) -> bool:
    """Tell whether a record holds what must not leave: a national number, a member named so, or the hub's dossier id.

    `dossier` is None for a public event, whose id belongs to nobody.
    """
    if dossier is not None and dossier.casefold() in value.decode(errors="replace").casefold():
        return True
    return any(_is_forbidden(name, text) for name, text in _leaves("", json.loads(value)))


def _leaves(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield each member's name with its text, however deep; elements of a list have the list's name."""
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield inner_name, ""
            yield from _leaves(inner_name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(name, inner)
    else:
        yield name, str(value)


def _is_forbidden(name: str, text: str) -> bool:
    if _NAMES.search(name) is not None:
        return True
    # Also as people write it: 999.990.342 or 999 990 342, and in digits of other scripts.
    return any(_passes_eleven_test(number) for form in (text, _SPACED.sub("", text)) for number in _NINE.findall(form))


def _passes_eleven_test(number: str) -> bool:
    digits = [int(digit) for digit in number]
    total = sum(digit * weight for digit, weight in zip(digits, range(9, 1, -1), strict=False)) - digits[8]
    return any(digits) and total % 11 == 0
