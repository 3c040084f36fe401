"""Put an event into a Kafka record as a partner does: CloudEvents 1.0, structured or binary mode.

Written from the CloudEvents Kafka binding and not from the hub's code: a simulator that shared the hub's writer
could not find fault with its reader. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias

import orjson

from expathub.core.records import ForeignHeaders


class Mode(Enum):
    """Where the attributes of an event go (Kafka binding §3)."""

    STRUCTURED = "structured"  # all in the value
    BINARY = "binary"  # in headers; the value is `data` alone


Record: TypeAlias = tuple[bytes | None, ForeignHeaders]
"""Value and headers of a record."""

STRUCTURED_TYPE = b"application/cloudevents+json; charset=UTF-8"


def pack(event: Mapping[str, Any], mode: Mode) -> Record:
    """Return value and headers of the record that carries `event`, a CloudEvent with JSON `data`."""
    if mode is Mode.STRUCTURED:
        return orjson.dumps(event), (("content-type", STRUCTURED_TYPE),)
    attributes = {name: value for name, value in event.items() if name not in ("data", "datacontenttype")}
    headers = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
    return orjson.dumps(event["data"]), (*headers, ("content-type", event["datacontenttype"].encode()))
