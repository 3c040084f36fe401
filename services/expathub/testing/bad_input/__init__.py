"""Bad input as a table: what partners' systems may send by mistake or on purpose, and what the hub answers.

Pure data. Our tests put every case through the intake stage and through a real Kafka; a partner's developer can do the
same with `CASES`, whose senders are those of the shipped partners:

    for case in CASES:
        message = case.message()  # value, headers, key

`docs/bad-input.md` is made of this table, by `expathub.testing.bad_input.page`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from expathub.testing.bad_input import contents, envelopes, texts
from expathub.testing.bad_input.contents import RETIRED
from expathub.testing.bad_input.ways import Case, Message
from expathub.testing.bad_input.wire import ON_THE_WIRE

__all__ = ["CASES", "ON_THE_WIRE", "RETIRED", "ROWS", "Case", "Message"]

ROWS: Final[Mapping[int, tuple[str, tuple[Case, ...]]]] = MappingProxyType(
    dict(sorted({**texts.ROWS, **envelopes.ROWS, **contents.ROWS}.items()))
)
"""By the number of the row in the project's list of bad input: what it is about, and its cases."""

CASES: Final = tuple(case for _, cases in ROWS.values() for case in cases)
"""All cases."""
