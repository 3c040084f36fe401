"""The records that say what intake did not accept: one in `hub.refusals`, and a receipt for the sender.

Pure. The refusal keeps what was sent, untouched, for whoever must find out what happened; the receipt carries nothing
out of the event but its `source` and `id` (design §5).
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID, uuid5

import orjson

from expathub.core.event import Refusal
from expathub.core.partners import Partner
from expathub.core.reasons import Reason
from expathub.core.records import Headers, InputRecord, Output
from expathub.core.times import rfc3339
from expathub.core.topic_names import REFUSALS, inbox

RECEIPT_TYPE = "nl.expathub.gebeurtenis-geweigerd.v1"
RECEIPTS = UUID("26991ae5-7bb5-5dfb-beb3-1725654ece02")
"""The namespace of the ids of receipts (UUIDv5 of the position refused); itself UUIDv5 of receipts.expathub.nl."""

WHOLE_BYTES = 1024 * 1024
"""Up to this size, headers included, a refused record is kept whole."""
TRUNCATED_BYTES = 64 * 1024
"""Of a larger one so much of the value is kept, and of the headers."""


def refused(record: InputRecord, sender: Partner, refusal: Refusal, subject: str) -> Output:
    """Make the record that keeps what was refused, with the sender's headers first and the hub's own after them."""
    value, headers = record.value, _foreign(record)
    own = _own_headers(record, sender, refusal.reason, refusal.pointer)
    if _size(headers) + len(value or b"") > WHOLE_BYTES:
        own += (
            ("hub-size", str(len(value or b"")).encode()),
            ("hub-sha256", sha256(value or b"").hexdigest().encode()),
            ("hub-truncated", b"true"),
        )
        value, headers = value and value[:TRUNCATED_BYTES], _first(headers)
    return Output(REFUSALS, _key(subject), value, headers + own)


def duplicate(record: InputRecord, sender: Partner, subject: str) -> Output:
    """Make the record that says: the very same was accepted before. It keeps no content; the journal has it."""
    return Output(REFUSALS, _key(subject), None, _own_headers(record, sender, Reason.DUPLICATE, ""))


def receipt(record: InputRecord, sender: Partner, refusal: Refusal, hub_source: str) -> Output:
    """Tell the sender: an event of the hub in its inbox, in no dossier, the same again whenever it is made."""
    position = str(record.position)
    event = {
        "specversion": "1.0",
        "id": str(uuid5(RECEIPTS, position)),
        "source": hub_source,
        "type": RECEIPT_TYPE,
        "time": rfc3339(record.received_ms),
        "datacontenttype": "application/json",
        "data": {
            "position": position,
            "source": refusal.source,
            "id": refusal.id,
            "code": refusal.reason.value,
            "pointer": refusal.pointer,
            "detail": refusal.detail,
        },
    }
    headers = (("content-type", b"application/cloudevents+json"), ("hub-origin", position.encode()))
    return Output(inbox(sender.id), None, orjson.dumps(event, option=orjson.OPT_SORT_KEYS), headers)


def _own_headers(record: InputRecord, sender: Partner, reason: Reason, pointer: str) -> Headers:
    return (
        ("hub-origin", str(record.position).encode()),
        ("hub-partner", sender.id.encode()),
        ("hub-code", reason.value.encode()),
        ("hub-pointer", pointer.encode()),
        ("hub-received-at", rfc3339(record.received_ms).encode()),
    )


def _foreign(record: InputRecord) -> Headers:
    """Copy the sender's headers: bytes stay as they are (text or not), a null becomes empty, `hub-*` is renamed."""
    return tuple(
        (f"orig-{name}" if name.lower().startswith("hub-") else name, value or b"") for name, value in record.headers
    )


def _size(headers: Headers) -> int:
    return sum(len(name.encode()) + len(value) for name, value in headers)


def _first(headers: Headers) -> Headers:
    """Keep the first headers, whole, as long as they fit."""
    kept, room = [], TRUNCATED_BYTES
    for header in headers:
        room -= _size((header,))
        if room < 0:
            break
        kept.append(header)
    return tuple(kept)


def _key(subject: str) -> bytes | None:
    """Key by the dossier of an event that could be decoded; what else stands there might name a person."""
    return subject.encode() if subject else None
