"""Invented events: the kinds of value that a schema can ask for with `x-voorbeeld`."""

from __future__ import annotations

KINDS = frozenset({"bsn", "v-nummer", "gemeentecode", "jaar", "naam", "doorverwijspartner", "toekomst"})
