"""Let a library say the same thing seldom: in an outage a Kafka client complains a hundred times a second.

Our own lines are not touched: each of them is about something that happened once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

AGAIN_SECONDS = 30.0
"""So long after a line its place in the source may speak again, and says how often it was kept back."""

PLACES_MAX = 1_000


class Seldom(logging.Filter):
    """Passes one record of each place in `AGAIN_SECONDS`; the next one that passes has the number kept back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._places: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether this record is written."""
        place = record.pathname, record.lineno
        now = self._clock()
        spoke, kept_back = self._places.get(place, (now - AGAIN_SECONDS, 0))
        if now - spoke < AGAIN_SECONDS:
            self._places[place] = spoke, kept_back + 1
            return False
        if len(self._places) >= PLACES_MAX:
            self._places.clear()
        self._places[place] = now, 0
        fields = getattr(record, "expathub_fields", None)
        if kept_back and isinstance(fields, dict):
            fields["kept_back"] = kept_back
        return True
