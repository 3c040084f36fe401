"""Reading records that the client cannot: one fetch, parsed with tolerance.

A record's header names should be UTF-8, and a broker does not look. aiokafka's parser raises at such a record (and
would silently pass over the good ones before it, see `GroupConsumer.fetch`), so that one partner's slip would hold up
its own outbox for ever. Here a name that is no UTF-8 is written with backslashes and the stage decides.
Everything else stays strict: a wrong checksum or a broken structure is damage, and stops the lane (R5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.errors import CorruptRecordException, NoError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.util import calc_crc32c

from expathub.kafka.cluster_view import ClusterView
from expathub.kafka.group_consumer import Fetched

_READ_COMMITTED = 1
_WAIT_MS = 100
_FRAME = struct.Struct(">qi")
_HEAD = struct.Struct(">qiibIhiqqqhii")
_CRC_FROM = 21
_CODEC_MASK, _LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_MAGIC = 2
_ABORT = 0
_VARINT_BITS_MAX = 70
_CODECS = {1: gzip_decode, 2: snappy_decode, 3: lz4_decode, 4: zstd_decode}


@dataclass(frozen=True, slots=True)
class _Batch:
    base_offset: int
    attributes: int
    last_delta: int
    base_ms: int
    max_ms: int
    producer_id: int
    count: int
    body: bytes

    @property
    def next_offset(self) -> int:
        return self.base_offset + self.last_delta + 1


async def fetch(view: ClusterView, at: TopicPartition, offset: int, bytes_max: int) -> tuple[Sequence[Fetched], int]:
    """Return committed records from `offset` on, and the offset behind them; none when there is nothing to read.

    Raises `CorruptRecordException` for damage and another `KafkaError` when the broker does not answer.
    """
    await view.refresh()
    request = FetchRequest(_WAIT_MS, 1, bytes_max, _READ_COMMITTED, [(at.topic, [(at.partition, offset, bytes_max)])])
    answer = await view.client.send(view.leader(at), request)
    for _, partitions in answer.topics:
        for _, code, _, *rest in partitions:
            error = for_code(code)
            if error is not NoError:
                raise error
            aborted = rest[2] if answer.API_VERSION >= 11 else rest[-2]  # noqa: PLR2004 (v11 has one field more)
            return parse(at, bytes(rest[-1] or b""), aborted or (), offset)
    return (), offset


def parse(at: TopicPartition, data: bytes, aborted: Sequence[Any], offset: int) -> tuple[Sequence[Fetched], int]:
    """Read the batches of a fetch, without what `aborted` (producer id, first offset) says was never committed.

    Raises `CorruptRecordException`, which names the offset and never content.
    """
    found: list[Fetched] = []
    waiting = sorted(aborted, key=lambda one: one[1])
    aborting: set[int] = set()
    behind = offset
    try:
        for batch in _batches(data):
            while waiting and waiting[0][1] <= batch.base_offset:
                aborting.add(waiting.pop(0)[0])
            if batch.attributes & _CONTROL:
                if _is_abort(batch):
                    aborting.discard(batch.producer_id)
            elif not (batch.attributes & _TRANSACTIONAL and batch.producer_id in aborting):
                found += [record for record in _records(at, batch) if record.offset >= offset]
            behind = max(behind, batch.next_offset)
    except CorruptRecordException:
        raise
    except Exception as error:  # each codec raises errors of its own
        raise CorruptRecordException(f"{type(error).__name__} from offset {behind} on") from error
    return found, behind


def _batches(data: bytes) -> Iterator[_Batch]:
    """Split a fetch into batches; the last one may be cut off by the limit of the fetch."""
    begin = 0
    while begin + _HEAD.size <= len(data):
        _, length = _FRAME.unpack_from(data, begin)
        end = begin + _FRAME.size + length
        if end > len(data):
            return
        (base, _, _, magic, crc, attributes, last_delta, base_ms, max_ms, producer_id, _, _, count) = _HEAD.unpack_from(
            data, begin
        )
        if magic != _MAGIC or calc_crc32c(data[begin + _CRC_FROM : end]) != crc:
            raise CorruptRecordException(f"batch at offset {base}")
        body = data[begin + _HEAD.size : end]
        codec = attributes & _CODEC_MASK
        if codec:
            body = bytes(_CODECS[codec](body))
        yield _Batch(base, attributes, last_delta, base_ms, max_ms, producer_id, count, body)
        begin = end


def _is_abort(batch: _Batch) -> bool:
    key, _, _ = next(_fields(batch))[2:]
    return key is not None and struct.unpack(">hh", key)[1] == _ABORT


def _records(at: TopicPartition, batch: _Batch) -> Iterator[Fetched]:
    of_broker = bool(batch.attributes & _LOG_APPEND_TIME)
    for ms_delta, offset_delta, key, value, headers in _fields(batch):
        yield ConsumerRecord(
            at.topic,
            at.partition,
            batch.base_offset + offset_delta,
            batch.max_ms if of_broker else batch.base_ms + ms_delta,
            int(of_broker),
            key,
            value,
            None,
            -1 if key is None else len(key),
            -1 if value is None else len(value),
            headers,
        )


_Fields = tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, Any], ...]]


def _fields(batch: _Batch) -> Iterator[_Fields]:
    """Read the records of a batch: milliseconds and offset relative to it, key, value, headers."""
    data = batch.body
    at = 0
    for _ in range(batch.count):
        length, at = _varint(data, at)
        end = at + length
        ms_delta, at = _varint(data, at + 1)  # a byte of attributes, unused
        offset_delta, at = _varint(data, at)
        key, at = _bytes(data, at)
        value, at = _bytes(data, at)
        count, at = _varint(data, at)
        headers: list[tuple[str, Any]] = []  # values may be null, which the client's annotation forgets
        for _ in range(count):
            name, at = _bytes(data, at)
            content, at = _bytes(data, at)
            headers.append(((name or b"").decode("utf-8", "backslashreplace"), content))
        if at != end or end > len(data):
            raise CorruptRecordException(f"record in the batch at offset {batch.base_offset}")
        yield ms_delta, offset_delta, key, value, tuple(headers)
    if at != len(data):
        raise CorruptRecordException(f"more than its records in the batch at offset {batch.base_offset}")


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = _varint(data, at)
    if length < 0:
        return None, at
    if at + length > len(data):
        raise CorruptRecordException("a text reaches beyond its batch")
    return data[at : at + length], at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of variable length; raises `IndexError` behind the end.

    The client's own is written in C and does not look where the end is: a broken length is a crash of the process.
    """
    value = 0
    for shift in range(0, _VARINT_BITS_MAX, 7):
        octet = data[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:  # noqa: PLR2004 (the last one)
            return (value >> 1) ^ -(value & 1), at
    raise CorruptRecordException("a number has no end")
