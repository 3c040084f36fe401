"""Names as the population register can hold them."""

from __future__ import annotations

import re
import unicodedata

# The register's own set ends at U+017E; a name with other letters needs a free form beside it (weergavenaam).
_NAME = re.compile(r"[a-zA-Z0-9\u00c0-\u017e .\-']{1,200}")
_PREFIX = re.compile(r"[a-zA-Z ']{1,10}")


def is_name(text: str) -> bool:
    """Tell whether `text` can be a first name or surname of the register: its letters, composed (NFC), not blank."""
    return _NAME.fullmatch(text) is not None and not text.isspace() and unicodedata.is_normalized("NFC", text)


def is_prefix(text: str) -> bool:
    """Tell whether `text` can be what stands before a surname, as `van der`: at most 10 letters, spaces or `'`."""
    return _PREFIX.fullmatch(text) is not None and not text.isspace()
