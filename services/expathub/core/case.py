"""The working paper of one step of dispatch: the dossier as it stands now, and what has been decided so far.

The one place where a decision becomes records: told (inbox and row), withheld (row), parked (row, and the event goes
into the dossier). Decides nothing itself.
"""

from __future__ import annotations

from msgspec.structs import replace

from expathub.core import disclosure
from expathub.core.disclosure import Recipient, disclosure_id
from expathub.core.dossier import Dossier, Kept, Told, Wait
from expathub.core.notice import Notice, View
from expathub.core.reasons import Withheld
from expathub.core.records import Headers, Output
from expathub.core.references import Reference, ReferenceKeys
from expathub.core.routing import Route
from expathub.core.stage import Step
from expathub.core.topic_names import DISCLOSURES, PARKED

CLOUDEVENT = ("content-type", b"application/cloudevents+json")
JSON = ("content-type", b"application/json")

ROOM_BYTES = 512 * 1024
"""How much one dossier may hold back, all told (design R8): with who was told, an entry stays under 1 MiB."""

_KEPT_BYTES = 64  # what an event costs beside its texts, and a wait beside the partners it names; more than measured
_WAIT_BYTES = 192
_PARTNER_BYTES = 32


class Case:
    """One record of the journal while it is dealt with. `command` is the position of the order that is carried out."""

    __slots__ = ("_digest", "_key", "_keys", "at_ms", "command", "dossier", "outputs", "subject", "tally")

    def __init__(self, subject: str, dossier: Dossier, at_ms: int, keys: ReferenceKeys, digest: bytes) -> None:
        self.subject = subject
        self.dossier = dossier
        self.at_ms = at_ms
        self.command: bytes | None = None
        self.outputs: list[Output] = []
        self.tally: list[str] = []
        self._key = subject.encode()
        self._keys = keys
        self._digest = digest

    @property
    def judged(self) -> Dossier:
        """The dossier by which is judged who may be told."""
        return self.dossier

    def tell(self, notice: Notice, route: Route, view: View, waits: str | None, overtakes: str | None) -> None:
        """Write the event into the partner's inbox and the row that accounts for it, and remember that it knows."""
        reference = self.reference(notice, route)
        name = disclosure_id(notice.kept.source, notice.kept.id, route.partner.id)
        headers: Headers = (CLOUDEVENT, ("hub-origin", notice.origin), ("hub-disclosure", name.encode()))
        if overtakes is not None:
            headers += (("hub-overtakes", overtakes.encode()),)
        self.outputs.append(Output(route.inbox, reference.text.encode(), view.value, headers + self._ordered))
        row = disclosure.told(notice, Recipient(route, reference.text), view.fields, waits, self.at_ms)
        self._row(DISCLOSURES, notice, row)
        self.tally.append("disclosed")
        if not notice.kind.public:
            self._remember(notice, route, reference)

    def withhold(self, notice: Notice, route: Route | None, reason: Withheld, waits: str | None = None) -> None:
        """Write the row that says that a partner, or nobody, is told, and why."""
        row = disclosure.withheld(notice, self._recipient(notice, route), reason, waits, self.at_ms)
        self._row(DISCLOSURES, notice, row)
        self.tally.append(f"withheld:{reason.value}")

    def park(self, notice: Notice, route: Route | None, wait: Wait) -> None:
        """Write the row that says what waits, and why; the wait itself is the caller's to keep."""
        self._row(PARKED, notice, disclosure.parked(notice, self._recipient(notice, route), wait, self.at_ms))
        self.tally.append(f"held:{wait.code}")

    def reference(self, notice: Notice, route: Route) -> Reference:
        """Return how the partner knows this dossier: as it was told before, by its key of then (design §6)."""
        if notice.kind.public or not route.is_outside:
            return Reference(self.subject)
        told = self.dossier.told.get(route.partner.id)
        if told is not None:
            return Reference(told.reference, told.key)
        return self._keys.reference(route.partner.id, self.subject)

    def step(self, before: Dossier) -> Step[Dossier]:
        """Close the case: all records, and the dossier if it has changed."""
        entries = () if self.dossier is before else ((self._key, self.dossier),)
        return Step(tuple(self.outputs), entries, tuple(self.tally))

    def has_room(self, notice: Notice, besides: int = 0) -> bool:
        """Tell whether the dossier may keep one wait more, and its event if it is not kept yet."""
        dossier = self.dossier
        size = _WAIT_BYTES + _PARTNER_BYTES * besides + (0 if notice.position in dossier.kept else _size(notice.kept))
        size += sum(_WAIT_BYTES + _PARTNER_BYTES * len(wait.besides) for wait in dossier.waits)
        size += _WAIT_BYTES * len(dossier.unfolded) + sum(map(_size, dossier.kept.values()))
        return size <= ROOM_BYTES

    def _recipient(self, notice: Notice, route: Route | None) -> Recipient | None:
        return Recipient(route, self.reference(notice, route).text) if route else None

    @property
    def _ordered(self) -> Headers:
        return (("hub-command", self.command),) if self.command is not None else ()

    def _row(self, topic: str, notice: Notice, value: bytes) -> None:
        headers: Headers = (JSON, ("hub-origin", notice.origin), ("hub-config", self._digest))
        self.outputs.append(Output(topic, self._key, value, headers + self._ordered))

    def _remember(self, notice: Notice, route: Route, reference: Reference) -> None:
        told = self.dossier.told.get(route.partner.id)
        types = told.types if told else {}
        first = types.get(notice.kind.name, (notice.position,))[0]
        types = {**types, notice.kind.name: (first, notice.position)}
        now = Told(reference.text, reference.key, types)
        self.dossier = replace(self.dossier, told={**self.dossier.told, route.partner.id: now})


def _size(kept: Kept) -> int:
    return _KEPT_BYTES + len(kept.body) + len(kept.sender) + len(kept.source) + len(kept.id) + len(kept.type)
