"""From `partners.yaml` to the partners of the core: what one entry means for another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from expathub.configuration.faults import Faults
from expathub.configuration.forms import PartnerEntry, PartnersFile, fill
from expathub.configuration.tree import Document, Loc, read_yaml
from expathub.core.catalogue import EventType
from expathub.core.partners import HUB_OPERATOR, Partner, Partners, Role
from expathub.core.reasons import Reason
from expathub.core.values.tables import Table

DUTCH_SOURCE = re.compile(r"urn:nld:oin:[0-9]{20}:systeem:[A-Za-z0-9][A-Za-z0-9._-]*")
"""How a Dutch organisation names itself (NL GOV profile, `source`): its OIN of 20 digits and a system."""

FOREIGN_SOURCE = re.compile(r"urn:(?!nld:)[a-z0-9][a-z0-9-]{0,30}:[A-Za-z0-9()+,\-.:=@;$_!*'%/]+")
"""How another organisation names itself: a URN; an address would point at data outside, which the profile forbids."""

_ABROAD = frozenset({Role.FOREIGN_CENTRE, Role.BORDER_INFO})
_RESERVED = "hub-"


def read_partners(
    file: Path, majors: Mapping[str, frozenset[int] | None], municipalities: Table, faults: Faults
) -> tuple[Partners | None, Document | None]:
    """Read `partners.yaml`; what is wrong with it is added to `faults`.

    `majors` are those of each event type; None where its own files are at fault. `municipalities` is national table 33.
    """
    document = read_yaml(file, faults)
    form = fill(PartnersFile, document, faults) if document else None
    if document is None or form is None:
        return None, document
    check = _Check(document, municipalities, faults)
    check.source(("hub", "source"), form.hub.source, frozenset())
    for index, entry in enumerate(form.partners):
        check.entry(index, entry, majors)
    partners = [_partner(entry) for entry in form.partners]
    partners.append(Partner(HUB_OPERATOR, "The hub's operators", frozenset({Role.OPERATOR}), form.hub.source, reads={}))
    return Partners(form.revision, form.hub.source, {partner.id: partner for partner in partners}), document


def refuse_ended_pins(
    partners: Partners, types: Mapping[str, EventType], document: Document, today: date, faults: Faults
) -> None:
    """Note every partner that is told nothing more, since the major that it reads has ended."""
    index_of = {entry["id"]: index for index, entry in enumerate(document.value["partners"])}
    for id, index in index_of.items():
        partner = partners.by_id[id]
        if partner.ended is not None and partner.ended <= today:
            continue
        for name, major in (partner.reads or {}).items():
            ended = types[name].versions[major].ended
            if ended is not None and ended <= today:
                what = f"major {major} of this event type has ended, so that {id} is told nothing of it"
                loc = ("partners", index, "reads", name)
                faults.add(document.file, document.line(loc), what, "Let it read a newer one, or remove the line")


def _partner(entry: PartnerEntry) -> Partner:
    return Partner(
        id=entry.id,
        name=entry.name,
        roles=frozenset(Role(word) for word in entry.roles),
        source=entry.source,
        municipality=entry.municipality,
        languages=tuple(entry.languages),
        reads=dict(entry.reads),
        ended=entry.ended,
        strict=frozenset(Reason(f"profile-{word}") for word in entry.strict),
    )


class _Check:
    """What must hold between entries: everything that identifies a partner is its own."""

    def __init__(self, document: Document, municipalities: Table, faults: Faults) -> None:
        self._document, self._municipalities, self._faults = document, municipalities, faults
        self._taken: dict[tuple[str, str], Loc] = {}

    def entry(self, index: int, entry: PartnerEntry, majors: Mapping[str, frozenset[int] | None]) -> None:
        """Note what is wrong with one entry."""
        here: Loc = ("partners", index)
        roles = frozenset(Role(word) for word in entry.roles)
        if entry.id.startswith(_RESERVED):
            self._add((*here, "id"), f"the id `{entry.id}` is reserved", "Remove the entry: the hub brings it itself")
        self._own((*here, "id"), "id", entry.id)
        if len(roles) < len(entry.roles):
            self._add((*here, "roles"), "a role stands here twice", "Keep one of them")
        self.source((*here, "source"), entry.source, roles)
        self._municipality(here, entry, roles)
        if len(set(entry.languages)) < len(entry.languages):
            self._add((*here, "languages"), "a language stands here twice", "Keep one of them")
        self._reads((*here, "reads"), entry.reads, majors)

    def source(self, loc: Loc, source: str, roles: frozenset[Role]) -> None:
        """Note what is wrong with a source URN."""
        abroad = bool(roles & _ABROAD)
        if not DUTCH_SOURCE.fullmatch(source) and not (abroad and FOREIGN_SOURCE.fullmatch(source)):
            kinds = "urn:nld:oin:<20 digits>:systeem:<name>" + (", or another urn:…" if abroad else "")
            self._add(loc, "`source` is not a URN that the NL GOV profile allows here", f"Write {kinds}")
        self._own(loc, "source", source)

    def _municipality(self, here: Loc, entry: PartnerEntry, roles: frozenset[Role]) -> None:
        loc = (*here, "municipality")
        if (entry.municipality is None) is (Role.MUNICIPALITY in roles):
            self._add(
                loc, "a municipality has a code, and nobody else has", "Add or remove `municipality`, or the role"
            )
        if entry.municipality is None:
            return
        self._own(loc, "municipality", entry.municipality)
        if not self._municipalities.names(entry.municipality):
            self._add(loc, "this code of table 33 is no municipality", "Write the municipality's own code")
        elif entry.ended is None and not self._municipalities.names_now(entry.municipality):
            after = self._municipalities.successor(entry.municipality, self._municipalities.as_of)
            self._add(loc, "this municipality is no more", f"Its code is {after} now; or end the partner with `ended`")

    def _reads(self, loc: Loc, reads: Mapping[str, int], majors: Mapping[str, frozenset[int] | None]) -> None:
        for name, major in reads.items():
            known = majors.get(name)
            if name not in majors:
                self._add(
                    (*loc, name), "this event type is not in the catalogue", "Correct the name, or remove the line"
                )
            elif known is not None and major not in known:
                there = ", ".join(map(str, sorted(known)))
                self._add((*loc, name), f"this event type has no major {major}", f"Use one of {there}")

    def _own(self, loc: Loc, what: str, value: str) -> None:
        first = self._taken.setdefault((what, value), loc)
        if first != loc:
            self._add(loc, f"this {what} stands in line {self._document.line(first)} too", "Give each partner its own")

    def _add(self, loc: Loc, what: str, mend: str) -> None:
        self._faults.add(self._document.file, self._document.line(loc), what, mend)
