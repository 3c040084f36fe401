"""What the keys of one `about.yaml` must mean for each other and for its schemas: one method a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from expathub.configuration.faults import Faults
from expathub.configuration.forms import About, Life, Recipient
from expathub.configuration.schemas import Field
from expathub.configuration.tree import Document, Loc
from expathub.core.pointers import EACH, parse

GRANTABLE = frozenset({"dataref", "expirytime", "dataclassification", "dataregulation", "datacategory"})
"""The extension attributes that a grant may name; every other stays in the hub."""

DAYS_A_YEAR = 365

FieldsByMajor = Mapping[int, Mapping[str, Field]]


class TypeRules:
    """Judges one event type; `fields` are those of each major whose schema could be read."""

    def __init__(self, about: Document, form: About, fields: FieldsByMajor, faults: Faults) -> None:
        self._about, self._form, self._fields, self._faults = about, form, fields, faults

    def judge(self) -> None:
        """Note every break of a rule."""
        for version, life in self._form.versions.items():
            self._life(("versions", version), life)
        self._endings()
        self._publishers()
        self._public()
        self._command()
        self._retention()
        for index, recipient in enumerate(self._form.recipients):
            self._recipient(("recipients", index), recipient)
        self._pointers()
        self._residence()
        self._consent()

    def _life(self, loc: Loc, life: Life) -> None:
        days = [day for day in (life.since, life.sunset, life.ended) if day is not None]
        if days != sorted(days):
            self._add(loc, "these dates are not in their order", "First `since`, then `sunset`, then `ended`")

    def _endings(self) -> None:
        """Whoever pins no major reads the newest, so that one ends last."""
        lives = sorted(self._form.versions.items(), key=lambda entry: int(entry[0]))
        newest, newest_life = lives[-1]
        if newest_life.ended and any(life.ended is None or life.ended > newest_life.ended for _, life in lives[:-1]):
            mend = "End the older ones with it, or before it"
            self._add(("versions", newest, "ended"), "the newest major ends while an older one lives", mend)

    def _publishers(self) -> None:
        form = self._form
        if len(set(form.publishers)) < len(form.publishers):
            self._add(("publishers",), "a role stands here twice", "Keep one of them")
        if not form.publishers and form.recipients:
            self._add(
                ("publishers",), "nobody publishes this and yet it has recipients", "Name a role, or no recipient"
            )
        if form.publisher_owns and "municipality" not in form.publishers:
            self._add(("publisher-owns",), "no municipality publishes this", "Add the role, or remove the key")

    def _public(self) -> None:
        form = self._form
        selectors = [recipient.to for recipient in form.recipients]
        if form.public is not (form.classification == "public"):
            self._add(("classification",), "`public` and `classification` contradict each other", "Make them agree")
        if form.public is not ("everyone" in selectors):
            self._add(("recipients",), "public events, and they alone, are for `everyone`", "Correct `public` or `to`")
        if form.public and form.dossier.model_fields_set:
            self._add(("dossier",), "a public event is about no dossier", "Remove `dossier`")
        for index, selector in enumerate(selectors):
            if selector in selectors[:index]:
                self._add(("recipients", index, "to"), "this selector stands here twice", "Merge the two")

    def _command(self) -> None:
        form = self._form
        if (form.command is not None) is not ("operator" in form.publishers):
            self._add(("publishers",), "commands, and they alone, come from the operator", "Correct `command` or this")
        if form.command and (form.recipients or form.publishers != ["operator"]):
            self._add(("command",), "a command has no recipients and no other publisher", "Leave `recipients` empty")

    def _retention(self) -> None:
        """Whom something was told must be known for as long as it is there (GDPR art. 5(2) and 19)."""
        keeping = self._form.retention
        if keeping.account_years * DAYS_A_YEAR < keeping.content_days:
            self._add(("retention",), "the account is gone before the content", "Keep the account at least as long")

    def _recipient(self, loc: Loc, recipient: Recipient) -> None:
        missing = sorted(self._form.versions.keys() - recipient.fields.keys())
        if missing:
            self._add((*loc, "fields"), f"major {missing[0]} has no fields here", "List them; [] gives none")
        for major, pointers in recipient.fields.items():
            here = (*loc, "fields", major)
            if major not in self._form.versions:
                self._add(here, f"there is no major {major}", "Add it to `versions`, or remove the line")
                continue
            for index, pointer in enumerate(pointers):
                self._grant((*here, index), int(major), pointer)
                if pointer in pointers[:index]:
                    self._add((*here, index), "this field stands here twice", "Keep one of them")

    def _grant(self, loc: Loc, major: int, pointer: str) -> None:
        """Default deny needs every field by name: a grant of a whole object would grant what is added to it later."""
        name = parse(pointer)[0]
        if name != "data":
            if name not in GRANTABLE:
                self._add(
                    loc, f"`{pointer}` is no attribute that can be granted", f"Use {', '.join(sorted(GRANTABLE))}"
                )
            return
        field = self._fields[major].get(pointer) if major in self._fields else None
        if major in self._fields and field is None:
            self._add(loc, f"the schema of major {major} has no field `{pointer}`", "Correct the pointer")
        if field is not None and field.holds_objects:
            self._add(loc, f"`{pointer}` is not a single field", f"Name its members (`/{EACH}/` for a list's elements)")

    def _pointers(self) -> None:
        for loc, pointers in self._all_pointers():
            for major, fields in self._fields.items():
                pointer = pointers.get(str(major), pointers.get("*"))
                if pointer is None:
                    self._add(loc, f"major {major} has no pointer here", "Add it")
                elif pointer not in fields or fields[pointer].holds_objects or EACH in parse(pointer):
                    what = f"the schema of major {major} has no single field `{pointer}`"
                    self._add((*loc, str(major)), what, "Correct the pointer")
            for key in sorted(pointers.keys() - self._form.versions.keys() - {"*"}):
                self._add((*loc, key), f"there is no major {key}", "Add it to `versions`, or remove the line")

    def _all_pointers(self) -> Iterator[tuple[Loc, Mapping[str, str]]]:
        dossier = self._form.dossier
        consent = dossier.consent
        for loc, pointers in (
            (("publisher-owns",), self._form.publisher_owns),
            (("dossier", "residence"), dossier.residence),
            (("dossier", "former"), dossier.former),
            (("dossier", "secrecy"), dossier.secrecy),
            (("dossier", "consent", "partner"), consent.partner if consent else None),
            (("dossier", "consent", "until"), consent.until if consent else None),
        ):
            if pointers is not None:
                yield loc, pointers

    def _residence(self) -> None:
        """Whoever loses a newcomer is told: nobody can take over a dossier unseen."""
        selectors = {recipient.to for recipient in self._form.recipients}
        if self._form.dossier.residence and "former-municipality" not in selectors:
            self._add(("dossier", "residence"), "the former municipality is not told", "Add it to `recipients`")

    def _consent(self) -> None:
        selectors = {recipient.to for recipient in self._form.recipients}
        if self._form.dossier.consent and "referred-partner" not in selectors:
            self._add(("dossier", "consent"), "the partner that is named is not told", "Add `referred-partner`")

    def _add(self, loc: Loc, what: str, mend: str) -> None:
        self._faults.add(self._about.file, self._about.line(loc), what, mend)
