"""A small configuration made by hand, for tests of the hub's rules: every selector, effect and command once.

Its types have no schema but one rule: a member `fout` in `data` is a fault. Not the catalogue that the hub ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from expathub.core.catalogue import (
    Catalogue,
    Command,
    Effects,
    EventType,
    Grant,
    SchemaFault,
    Selector,
    SelectorKind,
    Version,
)
from expathub.core.configuration import Configuration
from expathub.core.lens import UnreachableError, Why
from expathub.core.partners import HUB_OPERATOR, Partner, Partners, Role
from expathub.core.references import ReferenceKeys

HUB_SOURCE = "urn:nld:oin:00000099000000000000:systeem:hub"
KEYS = ReferenceKeys({1: bytes(range(32))})
START_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z
LATER = "2030-01-01T00:00:00Z"

RESIDENCE = Selector(SelectorKind.MUNICIPALITY_OF_RESIDENCE)
FORMER = Selector(SelectorKind.FORMER_MUNICIPALITY)
REFERRED = Selector(SelectorKind.REFERRED_PARTNER)
EARLIER = Selector(SelectorKind.EARLIER_RECIPIENTS)
EVERYONE = Selector(SelectorKind.EVERYONE)
CENTRE = Selector(SelectorKind.ROLE, Role.EXPAT_CENTRE)
IND = Selector(SelectorKind.ROLE, Role.IND)

_ROLES = {
    "expat-centre": Role.EXPAT_CENTRE,
    "ind": Role.IND,
    "maastricht": Role.MUNICIPALITY,
    "heerlen": Role.MUNICIPALITY,
    "vaals": Role.MUNICIPALITY,
    "aachen": Role.FOREIGN_CENTRE,
    "gip": Role.BORDER_INFO,
    "portal": Role.PORTAL,
    HUB_OPERATOR: Role.OPERATOR,
}
CODES = {"maastricht": "0935", "heerlen": "0917", "vaals": "0981"}
ELSEWHERE = "0363"
"""A municipality that is no partner."""


def partners() -> dict[str, Partner]:
    """Make the partners: three municipalities, one of everything else, and the hub's own operator."""
    return {
        name: Partner(name, name, frozenset({role}), source_of(name), municipality=CODES.get(name))
        for name, role in _ROLES.items()
    }


def source_of(partner: str) -> str:
    """Return the source URN of a partner."""
    number = list(_ROLES).index(partner) + 1
    return f"urn:nld:oin:00000099{number:012d}:systeem:balie"


def subject(number: int) -> str:
    """Make the id of a dossier."""
    return str(uuid5(UUID(int=7), f"dossier {number}"))


def types() -> dict[str, EventType]:
    """Make the event types, by the last part of their name."""
    made = [
        _type("aankomst", {Role.EXPAT_CENTRE}, {RESIDENCE: "gemeente", IND: "gemeente"}, residence="gemeente"),
        _type("vergunning", {Role.IND}, {CENTRE: "doel", RESIDENCE: "doel"}),
        _type("document", {Role.IND}, {CENTRE: "doel"}),
        _type(
            "inschrijving",
            {Role.MUNICIPALITY},
            {FORMER: "datum", CENTRE: "datum", IND: "datum"},
            residence="gemeente",
            secrecy="geheim",
            owns="gemeente",
        ),
        _moving(),
        _type("correctie", {Role.IND, Role.EXPAT_CENTRE, Role.MUNICIPALITY}, {EARLIER: "datum"}),
        _type(
            "doorverwijzing", {Role.EXPAT_CENTRE}, {REFERRED: "naam"}, consent_partner="partner", consent_until="tot"
        ),
        _type("vervolg", {Role.EXPAT_CENTRE}, {REFERRED: "naam"}),
        _type("intrekking", {Role.EXPAT_CENTRE}, {EARLIER: "verwijzing"}, consent_partner="partner", withdraws=True),
        _type("artikel", {Role.EXPAT_CENTRE, Role.PORTAL}, {EVERYONE: "titel"}, public=True),
        _type("aantekening", {Role.IND, Role.EXPAT_CENTRE}, {}),
        _command("vrijgegeven", Command.RELEASE),
        _command("weggelegd", Command.DISCARD),
        _command("gewist", Command.ERASE),
    ]
    return {kind.name.rpartition(".")[2]: kind for kind in made}


def configuration(
    kinds: Mapping[str, EventType] | None = None,
    people: Mapping[str, Partner] | None = None,
    digest: str = "digest-1",
    revision: int = 1,
) -> Configuration:
    """Put types and partners together."""
    by_name = {kind.name: kind for kind in (kinds or types()).values()}
    return Configuration(Catalogue(by_name), Partners(revision, HUB_SOURCE, people or partners()), digest)


def reading(name: str, major: int, *, of: str = "verhuizing") -> dict[str, Partner]:
    """Make the partners, of whom `name` pins `major` of a type."""
    people = partners()
    return people | {name: replace(people[name], reads={types()[of].name: major})}


def ended(name: str, on: date) -> dict[str, Partner]:
    """Make the partners, of whom `name` takes part until the day before `on`."""
    people = partners()
    return people | {name: replace(people[name], ended=on)}


def event(kind: str, sender: str, dossier: int, id: str, data: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """Make an event in its structured form; `more` are attributes, a `type` among them where it is not v1."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": source_of(sender),
        "type": f"{types()[kind].name}.v1",
        "time": "2026-09-21T14:00:00Z",
        "subject": subject(dossier),
        "datacontenttype": "application/json",
        "data": dict(data or {}),
        **more,
    }


def _type(
    name: str,
    publishers: set[Role],
    grants: Mapping[Selector, str],
    *,
    public: bool = False,
    owns: str | None = None,
    withdraws: bool = False,
    **effects: str,
) -> EventType:
    return EventType(
        name=f"nl.proef.{name}",
        title={},
        meaning={},
        publishers=frozenset(publishers),
        grants=tuple(Grant(to, f"grond {to}", "doel", {1: (f"/data/{field}",)}) for to, field in grants.items()),
        versions={1: Version(1, {}, _fault)},
        lenses={},
        classification="public" if public else "confidential",
        public=public,
        publisher_owns={1: f"/data/{owns}"} if owns else None,
        effects=Effects(
            withdraws_consent=withdraws, **{effect: {1: f"/data/{field}"} for effect, field in effects.items()}
        ),
    )


def _command(name: str, command: Command) -> EventType:
    return replace(_type(name, {Role.OPERATOR}, {}), name=f"nl.expathub.{name}", command=command)


def _moving() -> EventType:
    """Make the type with two majors: v1 names two codes, v2 has them in objects; 9999 cannot go up, nor 8888 down."""
    first = _type(
        "verhuizing", {Role.MUNICIPALITY}, {FORMER: "naar", CENTRE: "naar"}, residence="naar", former="van", owns="naar"
    )
    second = {"former": "/data/van/code", "residence": "/data/naar/code"}
    return replace(
        first,
        grants=tuple(replace(grant, fields={1: ("/data/naar",), 2: ("/data/naar/code",)}) for grant in first.grants),
        versions={1: Version(1, {}, _fault), 2: Version(2, {}, _fault)},
        lenses={(1, 2): _up, (2, 1): _down},
        publisher_owns={1: "/data/naar", 2: second["residence"]},
        effects=Effects(
            residence={1: "/data/naar", 2: second["residence"]}, former={1: "/data/van", 2: second["former"]}
        ),
    )


def _up(data: Any) -> Any:
    if data.get("van") == "9999":
        raise UnreachableError("/data/van", Why.TABLE)
    return {**data, "van": {"code": data.get("van")}, "naar": {"code": data["naar"]}}


def _down(data: Any) -> Any:
    if data["van"]["code"] == "8888":
        raise UnreachableError("/data/van", Why.TABLE)
    return {**data, "van": data["van"]["code"], "naar": data["naar"]["code"]}


def _fault(data: Any) -> SchemaFault | None:
    return SchemaFault("/data", "additionalProperties") if "fout" in data else None
