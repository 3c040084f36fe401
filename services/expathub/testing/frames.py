"""Kafka's frames as bytes: what a request is about, and changing an answer on its way. Pure.

A frame here is what follows the four bytes of its length. Knows no more of Kafka's protocol than a proxy needs to
tell requests apart (`kafka.apache.org/protocol`), so that it fits any client and any version, but where it says so.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

LENGTH_BYTES = 4
FRAME_BYTES_MAX = 100 * 1024 * 1024
"""Kafka's own limit (`socket.request.max.bytes`)."""


class Api(IntEnum):
    """Numbers of the requests that tests have to do with."""

    PRODUCE = 0
    METADATA = 3
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28
    DESCRIBE_CLUSTER = 60


_TELL_ADDRESSES = frozenset({Api.METADATA, Api.FIND_COORDINATOR, Api.DESCRIBE_CLUSTER})

_HEAD = struct.Struct(">hhi")
_NUMBER = struct.Struct(">i")
_SHORT = struct.Struct(">h")


@dataclass(frozen=True, slots=True)
class Head:
    """How a request begins: which API, in which version, and the number under which it will be answered."""

    api: int
    version: int
    correlation: int


def head_of(request: bytes) -> Head:
    """Read a request's head; raises `ValueError` when it has none."""
    if len(request) < _HEAD.size:
        raise ValueError("too short for a request")
    return Head(*_HEAD.unpack_from(request))


def correlation_of(answer: bytes) -> int:
    """Read the number of the request that an answer is for; raises `ValueError` when there is none."""
    if len(answer) < _NUMBER.size:
        raise ValueError("too short for an answer")
    number: int = _NUMBER.unpack_from(answer)[0]
    return number


def length_of(four_bytes: bytes) -> int:
    """Read a frame's length; raises `ValueError` when no frame is so long."""
    length: int = _NUMBER.unpack(four_bytes)[0]
    if not 0 <= length <= FRAME_BYTES_MAX:
        raise ValueError("no frame of Kafka's is so long")
    return length


def framed(frame: bytes) -> bytes:
    """Put a frame's length before it."""
    return _NUMBER.pack(len(frame)) + frame


def readdressed(head: Head, answer: bytes, host: str, ports: Mapping[int, int]) -> bytes:
    """Put other ports in an answer that tells where brokers are.

    In every version of these answers a port stands in four bytes right behind its host, so only those are looked for.
    """
    if head.api not in _TELL_ADDRESSES:
        return answer
    for real, other in ports.items():
        # First to what no port is: one broker's new port may be another's real one.
        answer = answer.replace(_address(host, real), _address(host, -other))
    for other in ports.values():
        answer = answer.replace(_address(host, -other), _address(host, other))
    return answer


def _address(host: str, port: int) -> bytes:
    return host.encode() + _NUMBER.pack(port)


def with_code(head: Head, answer: bytes, code: int) -> bytes:
    """Put an error code in the answer to an EndTxn or a TxnOffsetCommit; raises `ValueError` for what it cannot read.

    Reads the versions before the flexible ones (3): clients without KIP-890 use no others.
    """
    if head.version >= 3 or head.api not in {Api.END_TXN, Api.TXN_OFFSET_COMMIT}:  # noqa: PLR2004 (as said)
        raise ValueError(f"no code to be put in API {head.api}, version {head.version}")
    changed = bytearray(answer)
    for at in _code_places(head, answer):
        _SHORT.pack_into(changed, at, code)
    return bytes(changed)


def _code_places(head: Head, answer: bytes) -> list[int]:
    """Find where an answer has its codes, behind correlation and throttle time."""
    at = 2 * _NUMBER.size
    if head.api == Api.END_TXN:
        return [at]
    places = []
    topics, at = _NUMBER.unpack_from(answer, at)[0], at + _NUMBER.size
    for _ in range(topics):
        at += _SHORT.size + _SHORT.unpack_from(answer, at)[0]  # the topic's name
        partitions, at = _NUMBER.unpack_from(answer, at)[0], at + _NUMBER.size
        for _ in range(partitions):
            places.append(at + _NUMBER.size)  # behind the partition's number
            at += _NUMBER.size + _SHORT.size
    return places
