"""The parts of a Dutch address."""

from __future__ import annotations

import re
from typing import Final

_POSTCODE = re.compile(r"([1-9][0-9]{3}) ?([A-Za-z]{2})")
_LETTER = re.compile(r"[a-zA-Z]")
_SUFFIX = re.compile(r"[a-zA-Z0-9 \-]{1,4}")

HOUSE_NUMBER_MAX: Final = 99_999


def normal_postcode(text: str) -> str | None:
    """Return a postcode as it is compared, `6211DW`; None for what is none."""
    match = _POSTCODE.fullmatch(text)
    return match[1] + match[2].upper() if match else None


def is_postcode(text: str) -> bool:
    """Tell whether `text` is a postcode, with or without the space and in small or capital letters."""
    return normal_postcode(text) is not None


def is_house_number(text: str) -> bool:
    """Tell whether `text` is a house number: 1 to 99999 without leading zeros."""
    return text.isascii() and text.isdigit() and not text.startswith("0") and int(text) <= HOUSE_NUMBER_MAX


def is_house_letter(text: str) -> bool:
    """Tell whether `text` is the letter behind a house number."""
    return _LETTER.fullmatch(text) is not None


def is_house_suffix(text: str) -> bool:
    """Tell whether `text` can be added to a house number, as `bis` or `3 hg`."""
    return _SUFFIX.fullmatch(text) is not None and not text.isspace()
