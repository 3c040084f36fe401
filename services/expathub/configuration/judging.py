"""The validator that has the last word in the compatibility gate: the same, set up the same, as the hub's own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from expathub.configuration.schema_rules import NATIONAL
from expathub.configuration.schemas import NationalNumber
from expathub.configuration.tables import shipped_tables
from expathub.core.compatibility.documents import Schema
from expathub.core.values.formats import formats

_JUDGED = "urn:expathub:judged"


def judge(root: Any, schema: Schema, value: object) -> bool:
    """Tell whether `value` is valid under `schema`, whose local references lead into `root`.

    Raises `ValueError` where one of the two is no JSON Schema 2020-12.
    """
    base = root if isinstance(root, dict) else {}
    held = {**base, "$id": _JUDGED, "$defs": {**base.get("$defs", {}), "judged": schema}}
    document = {"$defs": {"root": held}, "$ref": f"{_JUDGED}#/$defs/judged"}
    return _validator(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).is_valid(value)


@lru_cache(maxsize=4096)
def _validator(document: bytes) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        orjson.loads(document),
        validate_formats=True,
        formats=formats(shipped_tables()),
        pattern_options=jsonschema_rs.RegexOptions(),
        keywords={NATIONAL: NationalNumber},
        offline=True,
    )
