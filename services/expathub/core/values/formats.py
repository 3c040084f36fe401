"""The hub's own formats: the names by which a schema asks for a rule of a field (`"format": "gemeentecode"`).

The formats of JSON Schema itself (`date`, `uuid` …) are checked by the schema library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from expathub.core.identifiers import is_a_number, is_bsn, is_oin, is_v_number
from expathub.core.values.addresses import is_house_letter, is_house_number, is_house_suffix, is_postcode
from expathub.core.values.dates import is_incomplete_date
from expathub.core.values.languages import is_language
from expathub.core.values.names import is_name, is_prefix
from expathub.core.values.tables import Tables

Format: TypeAlias = Callable[[str], bool]

REMEMBERED_MAX: Final = 1024
"""So many answers are kept of each format that is about no person: the same codes come back in event after event."""

_ISO_COUNTRY = re.compile(r"[A-Z]{2}")


def _is_country(tables: Tables) -> Format:
    known = frozenset(row.iso for row in tables.countries.rows.values() if row.iso)

    def is_country(text: str) -> bool:
        if tables.countries.is_complete:
            return text in known
        return _ISO_COUNTRY.fullmatch(text) is not None

    return is_country


OF_THE_FORM: Final[Mapping[str, Format]] = {
    "bsn": is_bsn,
    "a-nummer": is_a_number,
    "v-nummer": is_v_number,
    "oin": is_oin,
    "brp-datum": is_incomplete_date,
    "brp-naam": is_name,
    "brp-voorvoegsel": is_prefix,
    "postcode": is_postcode,
    "huisnummer": is_house_number,
    "huisletter": is_house_letter,
    "huisnummertoevoeging": is_house_suffix,
    "taal": lru_cache(REMEMBERED_MAX)(is_language),
}
"""Formats that a text has by itself."""

OF_A_TABLE: Final[Mapping[str, Callable[[Tables], Format]]] = {
    "gemeentecode": lambda tables: tables.municipalities.names,
    "gemeentecode-actueel": lambda tables: tables.municipalities.names_now,
    "nationaliteitcode": lambda tables: tables.nationalities.names,
    "landcode": lambda tables: tables.countries.names,
    "landcode-iso": _is_country,
    "verblijfstitel": lambda tables: tables.titles.names,
}
"""Formats that a national table decides on."""

NAMES: Final = frozenset(OF_THE_FORM) | frozenset(OF_A_TABLE)
"""All of them."""


def formats(tables: Tables) -> dict[str, Format]:
    """Return every format, with these tables."""
    of_a_table = {name: lru_cache(REMEMBERED_MAX)(make(tables)) for name, make in OF_A_TABLE.items()}
    return {**OF_THE_FORM, **of_a_table}
