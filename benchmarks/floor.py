"""The floor: what an excellent programmer writes by hand for exactly this work, on the same client.

Two plain functions for each event and, in `benchmarks.loop`, one loop: fetch, work, one transaction a batch. The
records that come out are the hub's own, byte for byte, except the time of the attempt (`at`) in a row; the bench reads
both back and compares.

The same work: decode, prove that no member was there twice and no forbidden character, the attributes and forms of
the profile, no BSN in an attribute, the schema, one canonical form, deduplication with the packed record of what was
seen; then the dossier with its changelog record, recipients, minimisation, one encoding for equal views, the second
filter for partners outside government, references, UUIDv5 ids, rows.

What it leaves out, because an event of the bench never needs it, and raises `NotImplementedError` where it can tell:
why and where an event is wrong (code, pointer, receipt), binary mode, limits of depth and counts, NFC of names, ended
partners and majors, lenses, withholding and holding back, withdrawal, commands. And all that makes the hub survive:
groups, markers, fencing by lanes, trials of poison, doubt, metrics, bounds.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, sha1
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
import orjson

from benchmarks.tables import GrantTable, Tables, Target, TypeTable
from expathub.core.catalogue import SelectorKind

Put: TypeAlias = Callable[[str, bytes | None, bytes, list[tuple[str, bytes]]], None]
"""Takes an output: topic, key, value, headers."""

_SORTED = orjson.OPT_SORT_KEYS
_EVENT = ("content-type", b"application/cloudevents+json")
_JSON = ("content-type", b"application/json")
_MEDIA = "application/json"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NINE_DIGITS = re.compile(rb"(?<![0-9A-Za-z-])[0-9](?:[ .-]?[0-9]){8}(?![0-9A-Za-z-])")
_IN_FORBIDDEN_NAMES = (
    b"nummer",
    b"bsn",
    b"burgerservice",
    b"paspoort",
    b"identiteit",
    b"register",
    b"insz",
    b"steuer",
    b"azr",
)
_NAMESPACE = UUID("7796063c-9486-5f23-859a-002280d9f740").bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_VERSION_8, _VARIANT_BITS = 0x8 << 76, 0b10 << 62
_FREE = ~((0xF << 76) | (0b11 << 62)) & ((1 << 128) - 1)


def _unexpected(what: str) -> NotImplementedError:
    return NotImplementedError(f"the floor knows no {what}: the bench must not send that")


@lru_cache(maxsize=4096)
def _moment(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


# --- intake


class IntakeFloor:
    """Intake of one partner's outbox by hand."""

    _CHECKED = frozenset({"specversion", "id", "source", "type", "subject", "time", "datacontenttype"})

    def __init__(self, tables: Tables, partner: str) -> None:
        self._source = tables.sources[partner]
        self._types = {text: tables.types[text].is_valid for text in tables.publishes[partner]}
        self._partner = ("hub-partner", partner.encode())
        self.seen: dict[bytes, bytes] = {}
        """What has been committed: digest of source and id to time and digest of the event."""
        self.new: dict[bytes, bytes] = {}
        """What this batch adds."""

    def floor_intake(self, record: Any, put: Put) -> None:
        """Work one record of the outbox out."""
        value, received = record.value, record.timestamp
        event = orjson.loads(value)
        canonical = orjson.dumps(event, option=_SORTED)
        if canonical != value and (b"\\" in value or value.count(b":") != canonical.count(b":")):
            raise _unexpected("member that is there twice")
        if not (canonical.isascii() or canonical.decode().isprintable()) or b"\x7f" in canonical:
            raise _unexpected("forbidden character")
        data = event.pop("data")
        subject = event["subject"].encode()
        self._check(event, subject, record.key)
        if not self._types[event["type"]](data):
            raise _unexpected("event that breaks its schema")
        key = blake2b(f"{event['source']}\0{event['id']}".encode(), digest_size=16).digest()
        if key in self.new or key in self.seen:
            raise _unexpected("duplicate")
        self.new[key] = received.to_bytes(8) + blake2b(canonical, digest_size=16).digest()
        headers = [
            _EVENT,
            ("hub-origin", f"{record.topic}/{record.partition}/{record.offset}".encode()),
            self._partner,
            ("hub-received-at", _moment(received).encode()),
        ]
        put("hub.journal", subject, canonical, headers)

    def _check(self, event: Mapping[str, Any], subject: bytes, key: bytes | None) -> None:
        """Hold the attributes against the profile, and look for a BSN in those of free form."""
        if event["specversion"] != "1.0" or event["source"] != self._source or event["datacontenttype"] != _MEDIA:
            raise _unexpected("other source, version or media type")
        if _UUID.fullmatch(event["subject"]) is None or (key is not None and key != subject):
            raise _unexpected("other subject or key")
        if _UUID.fullmatch(event["id"]) is None:
            raise _unexpected("id that is no UUID")
        datetime.fromisoformat(event["time"])
        free = [event[name] for name in event.keys() - self._CHECKED]
        if not (texts := "\0".join(free)).isalpha() and _NINE_DIGITS.search(texts.encode()):
            raise _unexpected("number in an attribute")

    def pack(self) -> Iterable[tuple[bytes | None, bytes]]:
        """Return the record of what this batch has seen."""
        return [(None, b"".join(key + entry for key, entry in self.new.items()))]

    def commit(self) -> None:
        """Take the batch over."""
        self.seen.update(self.new)
        self.new = {}


# --- dispatch


class DispatchFloor:
    """Dispatch of one partition of the journal by hand."""

    def __init__(self, tables: Tables, keys: Mapping[int, bytes]) -> None:
        self._types = tables.types
        self._keep = {id(grant): _keep(grant) for table in tables.types.values() for grant in table.grants}
        self._by_id, self._by_code = tables.by_id, tables.by_code
        self._config = ("hub-config", tables.digest)
        self._number = max(keys)
        self._key = keys[self._number]
        self._decode = msgspec.msgpack.Decoder().decode
        self._encode = msgspec.msgpack.Encoder().encode
        self.dossiers: dict[bytes, bytes] = {}
        """What has been committed, by subject, as it stands in the changelog."""
        self.new: dict[bytes, list[Any]] = {}
        """Dossiers that this batch has touched."""
        self._packed: list[tuple[bytes, bytes]] = []
        self.at_ms = 0
        """The time of the attempt, the same for a batch."""

    def floor_dispatch(self, record: Any, put: Put) -> None:
        """Work one record of the journal out."""
        event = orjson.loads(record.value)
        table = self._types[event["type"]]
        key, data = record.key, event["data"]
        dossier = self.new.get(key)
        if dossier is None:
            known = self.dossiers.get(key)
            dossier = self._decode(known) if known else [None, 0, {}, {}, {}, [], [], False]
        if dossier[5] or dossier[6] or ("expirytime" in event and _ms(event["expirytime"]) <= self.at_ms):
            raise _unexpected("event that waits or has expired")
        before = dossier[0]
        changed = _fold(dossier, table, data)
        taken = {next(value for name, value in record.headers if name == "hub-partner").decode()}
        chosen = []
        for grant in table.grants:
            for target in self._partners(grant, dossier[0], before, table, data):
                if target.id not in taken:
                    taken.add(target.id)
                    chosen.append((grant, target))
        if not chosen:
            raise _unexpected("event without recipient")
        self._tell(event, table, dossier, chosen, record, put)
        if changed or not table.public:
            self.new[key] = dossier

    def _partners(
        self, grant: GrantTable, residence: str | None, before: str | None, table: TypeTable, data: Mapping[str, Any]
    ) -> Iterable[Target]:
        kind = grant.kind
        if kind is SelectorKind.ROLE or kind is SelectorKind.EVERYONE:
            return grant.partners
        if kind is SelectorKind.MUNICIPALITY_OF_RESIDENCE and residence in self._by_code:
            return (self._by_code[residence or ""],)
        if kind is SelectorKind.FORMER_MUNICIPALITY:
            return (self._by_code[before or ""],) if before in self._by_code else ()
        if kind is SelectorKind.REFERRED_PARTNER and table.consent:
            return (self._by_id[data[table.consent[0]]],)
        raise _unexpected("such recipient")

    def _tell(
        self,
        event: Mapping[str, Any],
        table: TypeTable,
        dossier: list[Any],
        chosen: Iterable[tuple[GrantTable, Target]],
        record: Any,
        put: Put,
    ) -> None:
        """Write the event into each inbox, and the row that accounts for it; what all share is made once."""
        subject, told, position = event["subject"], dossier[3], f"{record.topic}/{record.partition}/{record.offset}"
        about = {"source": event["source"], "id": event["id"], "type": event["type"]}
        origin, at = ("hub-origin", position.encode()), _moment(self.at_ms)
        seed = sha1(_NAMESPACE + f"{event['source']}\0{event['id']}\0".encode(), usedforsecurity=False)
        views: dict[tuple[int, str, bool], tuple[bytes, tuple[str, ...]]] = {}
        for grant, target in chosen:
            known, reference, number = told.get(target.id), subject, 0
            if target.is_outside and not table.public:
                reference, number = self._reference(target, subject, known, dossier)
            same = (id(grant), reference, target.is_outside)
            view = views.get(same)
            if view is None:
                view = views[same] = self._view(event, table, grant, reference, target)
            finished = seed.copy()
            finished.update(target.id_bytes)
            digits = finished.hexdigest()
            name = f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
            put(target.inbox, reference.encode(), view[0], [_EVENT, origin, ("hub-disclosure", name.encode())])
            row = {
                "disclosure": name,
                "event": about,
                "journal": position,
                "partner": target.id,
                "type": table.text,
                "fields": view[1],
                "ground": grant.ground,
                "reference": reference,
                "at": at,
            }
            put("hub.disclosures", record.key, orjson.dumps(row), [_JSON, origin, self._config])
            if known is not None:
                first = known[2].get(table.name)
                known[2][table.name] = (first[0] if first else position, position)
            elif not table.public:
                told[target.id] = [reference, number, {table.name: (position, position)}]

    def _reference(self, target: Target, subject: str, known: list[Any] | None, dossier: list[Any]) -> tuple[str, int]:
        """Return what a partner outside government calls the dossier, and the number of the key."""
        if dossier[1] or dossier[7]:
            raise _unexpected("secrecy")
        if known is not None:
            return known[0], known[1]
        digest = hmac.digest(self._key, f"{target.id}\0{subject}".encode(), "sha256")
        digits = f"{(int.from_bytes(digest[:16]) & _FREE) | _VERSION_8 | _VARIANT_BITS:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}", self._number

    def _view(
        self, event: Mapping[str, Any], table: TypeTable, grant: GrantTable, reference: str, target: Target
    ) -> tuple[bytes, tuple[str, ...]]:
        """Make what one grant tells."""
        kept, extensions, fields = self._keep[id(grant)](event, event["data"])
        told = {
            "specversion": "1.0",
            "id": event["id"],
            "source": event["source"],
            "time": event["time"],
            "datacontenttype": _MEDIA,
            **extensions,
            "type": table.text,
            "subject": reference,
            "data": kept,
        }
        value = orjson.dumps(told)
        if target.is_outside and _may_leak(value, None if table.public else event["subject"]):
            raise _unexpected("leak")
        return value, fields

    def pack(self) -> Iterable[tuple[bytes | None, bytes]]:
        """Return the changelog records of the batch."""
        encode = self._encode
        self._packed = [(key, encode(dossier)) for key, dossier in self.new.items()]
        return self._packed or [(b"hub-marker", b"")]

    def commit(self) -> None:
        """Take the batch over."""
        self.dossiers.update(self._packed)
        self.new = {}


def _fold(dossier: list[Any], table: TypeTable, data: Mapping[str, Any]) -> bool:
    """Write into the dossier what an event says of it; returns whether that is something new."""
    changed = False
    if table.residence is not None and data[table.residence] != dossier[0]:
        dossier[0] = data[table.residence]
        changed = True
    if table.secrecy is not None and data.get(table.secrecy, dossier[1]) != dossier[1]:
        dossier[1] = int(data[table.secrecy])
        changed = True
    if table.consent is not None:
        partner, *path = table.consent
        until: Any = data
        for name in path:
            until = until.get(name) if until else None
        dossier[2].pop(data[partner], None)
        dossier[2][data[partner]] = _ms(until) if until else None
        changed = True
    return changed


def _may_leak(value: bytes, subject: str | None) -> bool:
    """Look for a national number, a word out of the name of a member with one, or the hub's own id of the dossier."""
    lower = value.lower()
    if subject is not None and subject.encode() in lower:
        return True
    return any(part in lower for part in _IN_FORBIDDEN_NAMES) or _NINE_DIGITS.search(value) is not None


# --- minimisation: for each grant a function, written for its form

Keep: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[Any, Any, tuple[str, ...]]]
"""Event and its `data` to the granted members, the granted attributes, and the pointers that are really there."""


def _keep(grant: GrantTable) -> Keep:
    return _keep_below(grant) if any(grant.members.values()) else _keep_members(grant)


def _keep_members(grant: GrantTable) -> Keep:
    members, extensions, fields = tuple(grant.members), grant.extensions, grant.fields

    def keep(event: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[Any, Any, tuple[str, ...]]:
        kept = {name: data[name] for name in members if name in data}
        beside = {name: event[name] for name in extensions if name in event} if extensions else {}
        if len(kept) + len(beside) == len(fields):
            return kept, beside, fields
        there = {f"/data/{name}" for name in kept} | {f"/{name}" for name in beside}
        return kept, beside, tuple(pointer for pointer in fields if pointer in there)

    return keep


def _keep_below(grant: GrantTable) -> Keep:
    fields, extensions = grant.fields, grant.extensions

    def keep(event: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[Any, Any, tuple[str, ...]]:
        kept: dict[str, Any] = {}
        beside = {name: event[name] for name in extensions if name in event}
        there = {f"/{name}" for name in beside}
        for name, below in grant.members.items():
            value = data.get(name)
            if value is None:
                continue
            if below is None:
                kept[name] = value
                there.add(f"/data/{name}")
            elif name in grant.lists:
                parts = [{one: each[one] for one in below if one in each} for each in value]
                if parts := [part for part in parts if part]:
                    kept[name] = parts
                    there.update(f"/data/{name}/*/{one}" for part in parts for one in part)
            elif part := {one: value[one] for one in below if one in value}:
                kept[name] = part
                there.update(f"/data/{name}/{one}" for one in part)
        return kept, beside, tuple(pointer for pointer in fields if pointer in there)

    return keep
