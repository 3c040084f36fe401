"""Record batches byte by byte: as the client builds them, with anything changed, and with the checksum that they need.

The form is that of Kafka's record batch, version 2; places are counted from the first byte of the batch.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from random import Random
from typing import Final

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c

from expathub.testing.bad_input import Message

LENGTH: Final = 8
CHECKSUM: Final = 17
ATTRIBUTES: Final = 21
CHECKED_FROM: Final = 21
COUNT: Final = 57
PAYLOAD: Final = 61
CONTROL, TRANSACTIONAL = 0x20, 0x10
CODECS: Final = (0, 1, 2, 3, 4)

_BYTES_MAX: Final = 1_000_000
_FIELDS: Final = ((ATTRIBUTES, 2), (23, 4), (27, 8), (35, 8), (43, 8), (51, 2), (53, 4), (COUNT, 4))
"""Where the fields of a batch stand that come behind its checksum, and how long they are."""
_NEAR: Final = 80
"""So far into the records most changes are made: that is where lengths and counts stand."""


def batch(messages: Sequence[Message], *, codec: int = 0) -> bytearray:
    """Build a batch as the client does."""
    made = BatchBuilder(_BYTES_MAX, codec, is_transactional=0)
    for message in messages:
        made.append(timestamp=None, key=message.key, value=message.value, headers=list(message.headers))
    return bytearray(made._build())  # noqa: SLF001 (the client's own bytes, before they are sent)


def signed(raw: bytearray) -> bytes:
    """Give a batch the checksum that it should have."""
    struct.pack_into(">I", raw, CHECKSUM, calc_crc32c(bytes(raw[CHECKED_FROM:])))
    return bytes(raw)


def mutated(dice: Random, messages: Sequence[Message]) -> bytes:
    """Build a batch and change some of it: fields, bytes of the records, its end; only the checksum stays right."""
    raw = batch(messages, codec=dice.choice((0, 0, 0, *CODECS)))
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        roll = dice.random()
        if len(raw) <= PAYLOAD or roll < 0.2:  # noqa: PLR2004 (a share)
            at, length = dice.choice(_FIELDS)
            raw[at : at + length] = dice.choice((bytes(length), b"\xff" * length, dice.randbytes(length)))
        elif roll < 0.9:  # noqa: PLR2004 (a share)
            octet = dice.choice((0, 1, 2, 0x7F, 0x80, 0xFF, dice.randrange(256)))
            raw[dice.randrange(PAYLOAD, min(len(raw), PAYLOAD + _NEAR))] = octet
        else:
            del raw[dice.randrange(PAYLOAD, len(raw)) :]
            struct.pack_into(">i", raw, LENGTH, len(raw) - LENGTH - 4)
    return signed(raw)
