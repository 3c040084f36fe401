"""Language tags (BCP 47, RFC 5646): their form, not whether a subtag is registered."""

from __future__ import annotations

import re

# §2.1 without private use and the irregular tags of old; no repeated variant or extension (§2.2.5, §2.2.6).
_TAG = re.compile(
    r"[a-z]{2,3}"
    r"(-[A-Z][a-z]{3})?"
    r"(-(?:[A-Z]{2}|[0-9]{3}))?"
    r"((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
)
TAG_CHARACTERS_MAX = 35
"""So long may a tag be (RFC 5646 §4.4.1)."""


def is_language(text: str) -> bool:
    """Tell whether `text` is a language tag in its usual capitals: `nl`, `nl-BE`, `zh-Hant-TW`, `de-1996`."""
    match = _TAG.fullmatch(text)
    if match is None or len(text) > TAG_CHARACTERS_MAX:
        return False
    variants = match[3].split("-")[1:]
    return len(variants) == len(set(variants))
