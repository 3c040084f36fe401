"""The catalogue as a page to read: what each event means, its versions, and who gets which field on which ground."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from expathub.core.catalogue import EventType, Grant, Version
from expathub.core.configuration import Configuration
from expathub.core.partners import Partner, Role
from expathub.handouts.blocks import Block, Code, Heading, Paragraph, Table
from expathub.handouts.views import View, views
from expathub.handouts.words import SELECTORS, WORDS

Changes = Mapping[str, Mapping[int, Mapping[str, str]]]
"""What each lens changes, in words, by event type, by the older of its majors, by language."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes pages in one language."""

    configuration: Configuration
    changes: Changes
    language: str

    def catalogue(self) -> Iterator[Block]:
        """Yield the page of the whole catalogue."""
        yield from self._opening(self._word("title"))
        yield Heading(2, self._word("matrix"))
        yield Paragraph(self._word("matrix-intro"))
        yield self._matrix()
        for _, kind in sorted(self.configuration.catalogue.types.items()):
            yield from self._about(kind)
            yield self._recipients(kind.grants, kind.newest)

    def partner(self, partner: Partner) -> Iterator[Block]:
        """Yield the page of what one partner gets, with its schemas."""
        yield from self._opening(f"{self._word('title')} {self._word('for')} {partner.name}")
        shown = list(views(self.configuration, partner))
        if not shown:
            yield Paragraph(self._word("nothing"))
        for kind in dict.fromkeys(view.kind.name for view in shown):
            yield from self._about(self.configuration.catalogue.types[kind])
            for view in (one for one in shown if one.kind.name == kind):
                yield from self._view(view)

    def _opening(self, title: str) -> Iterator[Block]:
        yield Heading(1, title)
        yield Paragraph(self._word("intro").format(revision=self.configuration.revision))

    def _matrix(self) -> Table:
        kinds = [kind for _, kind in sorted(self.configuration.catalogue.types.items()) if kind.grants]
        used = {str(grant.selector) for kind in kinds for grant in kind.grants}
        columns = [selector for selector in SELECTORS if selector in used]
        rows = []
        for kind in kinds:
            counts = {str(grant.selector): len(grant.fields.get(kind.newest, ())) for grant in kind.grants}
            rows.append([kind.name, *(str(counts.get(column) or "–") for column in columns)])
        head = [self._word("event"), *(SELECTORS[column][self.language] for column in columns)]
        return Table(self._word("matrix"), head, rows)

    def _about(self, kind: EventType) -> Iterator[Block]:
        yield Heading(2, f"{kind.title.get(self.language, kind.name)} ({kind.name})")
        yield Paragraph(kind.meaning.get(self.language, ""))
        for label, texts in (("published", kind.published_when), ("not-published", kind.not_published_when)):
            if texts.get(self.language):
                yield Paragraph(texts[self.language], self._word(label))
        yield Paragraph(self._publishers(kind.publishers), self._word("publishers"))
        yield Paragraph(kind.classification, self._word("classification"))
        if kind.retention is not None:
            kept = kind.retention
            text = self._word("kept").format(days=kept.content_days, years=kept.account_years, ground=kept.ground)
            yield Paragraph(text, self._word("retention"))
        yield self._versions(kind)

    def _publishers(self, roles: frozenset[Role]) -> str:
        return ", ".join(sorted(role.value for role in roles)) or self._word("hub")

    def _versions(self, kind: EventType) -> Table:
        words = self.changes.get(kind.name, {})
        rows = [
            [f"v{major}", *_life(version), words.get(major - 1, {}).get(self.language, "")]
            for major, version in sorted(kind.versions.items())
        ]
        head = [self._word(word) for word in ("version", "since", "sunset", "ended", "changes")]
        return Table(f"{self._word('versions')}: {kind.name}", head, rows)

    def _recipients(self, grants: tuple[Grant, ...], major: int) -> Block:
        if not grants:
            return Paragraph(self._word("nobody"), self._word("recipients"))
        rows = [
            [
                SELECTORS[str(grant.selector)][self.language],
                "\n".join(grant.fields.get(major, ())) or self._word("nobody"),
                grant.ground,
                grant.purpose,
            ]
            for grant in grants
        ]
        head = [self._word(word) for word in ("recipient", "fields", "ground", "purpose")]
        return Table(f"{self._word('recipients')} (v{major})", head, rows)

    def _view(self, view: View) -> Iterator[Block]:
        yield Heading(
            3, f"{view.name}: {self._word('chosen').lower()} {SELECTORS[str(view.grant.selector)][self.language]}"
        )
        yield self._recipients((view.grant,), view.major)
        yield Heading(4, self._word("schema"))
        yield Code(json.dumps(view.schema, indent=2, ensure_ascii=False), "json")

    def _word(self, name: str) -> str:
        return WORDS[name][self.language]


def _life(version: Version) -> Iterator[str]:
    for day in (version.since, version.sunset, version.ended):
        yield day.isoformat() if day else "–"
