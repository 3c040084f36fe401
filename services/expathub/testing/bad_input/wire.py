"""The rows of bad input that no client library would send: what is wrong with the batch, the transaction or the topic.

Pure words, for `docs/bad-input.md`. The tests that bring each about on a real broker have the row in their name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class OnTheWire:
    """Something that is sent below the level of records: in words, and what comes of it."""

    row: int
    sent: str
    answer: str


ON_THE_WIRE: Final = (
    OnTheWire(21, "a record over 512 KiB as it is sent", "Kafka refuses it: `MESSAGE_TOO_LARGE`"),
    OnTheWire(25, "a batch compressed with gzip, snappy, lz4 or zstd", "read like any other"),
    OnTheWire(25, "a batch that inflates to more than 512 KiB", "Kafka refuses it unpacked: `MESSAGE_TOO_LARGE`"),
    OnTheWire(57, "a record that another partitioner would place elsewhere", "placed by the hub, by its dossier"),
    OnTheWire(59, "a header's name that is no UTF-8", "read with the bytes written as escapes; it is no attribute"),
    OnTheWire(60, "a batch in the format of before Kafka 0.11", "Kafka refuses it"),
    OnTheWire(60, "a batch with a wrong checksum, or cut short", "Kafka refuses it"),
    OnTheWire(60, "a batch that pretends to end a transaction", "Kafka refuses it"),
    OnTheWire(60, "a batch with a codec that does not exist, or another than it says", "Kafka refuses it"),
    OnTheWire(61, "a transaction that is aborted", "never seen"),
    OnTheWire(61, "a transaction that is left open", "what follows waits until Kafka aborts it, then goes through"),
)
"""In the order of the rows."""
