"""Forbidden routes: a national number must have no way to anybody outside government (Wabb art. 10 and 11).

Held against the partners that there are: a selector is as dangerous as the worst partner that it can choose. The hub
has a second filter of other code at the very end of dispatch; this one keeps a wrong grant from ever being loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from expathub.configuration.catalogue import TypeFiles, selector
from expathub.configuration.faults import Faults
from expathub.core.catalogue import Selector, SelectorKind
from expathub.core.partners import OUTSIDE_GOVERNMENT, Partner, Partners

_MUNICIPALITIES = frozenset({SelectorKind.MUNICIPALITY_OF_RESIDENCE, SelectorKind.FORMER_MUNICIPALITY})


def refuse_forbidden_routes(files: Mapping[str, TypeFiles], partners: Partners, faults: Faults) -> None:
    """Note every grant by which somebody outside government would get a national number or a reference to one."""
    for read in files.values():
        for index, recipient in enumerate(read.form.recipients):
            if not leads_outside(selector(recipient.to), partners.by_id.values()):
                continue
            for major, pointers in recipient.fields.items():
                for place, pointer in enumerate(pointers):
                    if _is_forbidden(read, int(major), pointer):
                        loc = ("recipients", index, "fields", major, place)
                        what = f"`{pointer}` would leave government through `{recipient.to}`"
                        faults.add(read.about.file, read.about.line(loc), what, "Remove it from this grant")


def leads_outside(chosen_by: Selector, partners: Iterable[Partner]) -> bool:
    """Whether a selector can choose a partner outside government."""
    if chosen_by.role in OUTSIDE_GOVERNMENT:
        return True
    candidates = [partner for partner in partners if partner.is_outside_government]
    if chosen_by.role is not None:
        return any(chosen_by.role in partner.roles for partner in candidates)
    if chosen_by.kind in _MUNICIPALITIES:
        return any(partner.municipality is not None for partner in candidates)
    return True


def _is_forbidden(read: TypeFiles, major: int, pointer: str) -> bool:
    if pointer == "/dataref":  # what it refers to is the person's record, unless the event is public
        return not read.form.public
    schema = read.schemas.get(major)
    field = schema.fields.get(pointer) if schema else None
    return field is not None and field.national
