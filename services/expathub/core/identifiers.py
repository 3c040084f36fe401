"""Numbers that name people, organisations and dossiers: how to tell them from other text.

Only the form is judged, never whether the number was issued.
"""

from __future__ import annotations

import re
from itertools import pairwise
from operator import mul
from typing import Final

UUID_SHAPE: Final = b"0" * 8 + b"-0000" * 3 + b"-" + b"0" * 12
"""What UUIDs look like, with a zero for every digit."""
_UUID_SHAPES = bytes(
    ord("0") if octet in b"0123456789abcdef" else octet if octet == ord("-") else ord("x") for octet in range(256)
)
NAMELESS: Final = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")
"""UUIDs that name nothing."""

# Prefixes of the register of organisation numbers (OIN-Stelsel, chapter on the data architecture); 99 is for tests.
_OIN = re.compile(r"000000(?:01|02|03|04|06|07|08|09|10|11|99)[0-9]{12}")

_BSN_WEIGHTS: Final[tuple[int, ...]] = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_BSN_OF_ZEROS: Final = sum(_BSN_WEIGHTS) * ord("0")  # what the sum over the characters has too much
BSN_DIGITS: Final = len(_BSN_WEIGHTS)

_TEN = re.compile(r"[0-9]{10}")
_ELEVEN = 11
_A_NUMBER_SUMS = (0, 5)

# Standing alone: between letters, digits and dashes nine digits are part of a UUID, a digest or a longer number.
_NINE_ALONE = re.compile(rb"(?<![0-9A-Za-z-])[0-9]{9}(?![0-9A-Za-z-])")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")

_DIGITS_TO_ZERO = bytes(ord("0") if octet in b"0123456789" else octet for octet in range(256))


def is_bsn(text: str) -> bool:
    """Tell whether `text` is nine digits that pass the eleven test (weights 9, 8 … 2 and -1, sum divisible by 11).

    `000000000` passes the sum and is no BSN.
    """
    if len(text) != BSN_DIGITS or not (text.isascii() and text.isdigit()) or text == "000000000":
        return False
    weighted: int = sum(map(mul, _BSN_WEIGHTS, text.encode())) - _BSN_OF_ZEROS
    return weighted % 11 == 0


def is_a_number(text: str) -> bool:
    """Tell whether `text` is a number of the population register (A-nummer, LO BRP element 01.10): ten digits.

    No two neighbours are equal; their sum leaves 0 or 5 when divided by 11; and with the weights 1, 2, 4 … 512 it
    leaves 0.
    """
    if _TEN.fullmatch(text) is None:
        return False
    digits = [int(digit) for digit in text]
    if any(one == next_one for one, next_one in pairwise(digits)):
        return False
    weighted = sum(digit << place for place, digit in enumerate(digits))
    return sum(digits) % _ELEVEN in _A_NUMBER_SUMS and weighted % _ELEVEN == 0


def is_v_number(text: str) -> bool:
    """Tell whether `text` has the form of an alien number (V-nummer): ten digits, no check digit is known."""
    return _TEN.fullmatch(text) is not None


def holds_bsn(text: bytes) -> bool:
    """Tell whether nine digits that pass the eleven test stand alone in `text`, also percent-encoded once or twice."""
    if b"%" in text:
        once = _decoded(text)
        text = b" ".join((text, once, _decoded(once)))
    if b"000000000" not in text.translate(_DIGITS_TO_ZERO):  # cheaper than the expression, and mostly true
        return False
    return any(is_bsn(digits.decode("ascii")) for digits in _NINE_ALONE.findall(text))


def _decoded(text: bytes) -> bytes:
    return _PERCENT.sub(lambda octet: bytes([int(octet[1], 16)]), text)


def is_oin(text: str) -> bool:
    """Tell whether `text` has the form of an organisation number (OIN): 20 digits with a prefix of the register."""
    return _OIN.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID in lower case that can name something: neither all zeros nor all ones.

    One spelling only, since a dossier id is also the Kafka key: two spellings would be two dossiers.
    """
    if not text.isascii() or text.encode().translate(_UUID_SHAPES) != UUID_SHAPE:
        return False
    return text not in NAMELESS
