"""The working paper of one step of dispatch: the dossier as it stands now, and what has been decided so far.

The one place where a decision becomes records: told (inbox and row), withheld (row), parked (row, and the event goes
into the dossier). Decides nothing itself.
"""

from __future__ import annotations

from msgspec.structs import replace

from expathub.core.disclosure import Outcome, parked, row, told, withheld
from expathub.core.disclosure_ids import disclosure_id
from expathub.core.dossier import Dossier, Kept, Told, Wait
from expathub.core.notice import Notice, View
from expathub.core.reasons import Withheld
from expathub.core.records import Headers, Output
from expathub.core.references import Reference, ReferenceKeys
from expathub.core.route import Route
from expathub.core.stage import Step
from expathub.core.times import rfc3339
from expathub.core.topic_names import DISCLOSURES, PARKED

CLOUDEVENT = ("content-type", b"application/cloudevents+json")
JSON = ("content-type", b"application/json")

ROOM_BYTES = 512 * 1024
"""How much one dossier may hold back, all told (design R8): with who was told, an entry stays under 1 MiB."""

_KEPT_BYTES = 64  # what an event costs beside its texts, and a wait beside the partners it names; more than measured
_WAIT_BYTES = 192
_PARTNER_BYTES = 32


class Case:
    """One record of the journal while it is dealt with."""

    __slots__ = (
        "_at",
        "_before",
        "_config",
        "_key",
        "_keys",
        "_ordered",
        "_own_name",
        "_told",
        "at_ms",
        "dossier",
        "outputs",
        "subject",
        "tally",
    )

    def __init__(self, subject: str, dossier: Dossier, at_ms: int, keys: ReferenceKeys, digest: bytes) -> None:
        self.subject = subject
        self.dossier = self._before = dossier
        self.at_ms = at_ms
        self.outputs: list[Output] = []
        self.tally: list[str] = []
        self._at = rfc3339(at_ms)
        self._key = subject.encode()
        self._own_name = Reference(subject)
        self._keys = keys
        self._config = ("hub-config", digest)
        self._ordered: Headers = ()
        self._told: dict[str, Told] | None = None  # the dossier's own, once this case has made it

    @property
    def judged(self) -> Dossier:
        """The dossier by which is judged who may be told."""
        return self.dossier

    def order(self, notice: Notice) -> None:
        """Mark all that is written from here on as ordered by a command."""
        self._ordered = (("hub-command", notice.origin[1]),)

    def tell(
        self, notice: Notice, route: Route, reference: Reference, view: View, waits: str | None, overtakes: str | None
    ) -> None:
        """Write the event into the partner's inbox and the row that accounts for it, and remember that it knows."""
        name = disclosure_id(notice.seed, route.partner.id)
        headers: Headers = (CLOUDEVENT, notice.origin, ("hub-disclosure", name.encode()), *self._ordered)
        if overtakes is not None:
            headers += (("hub-overtakes", overtakes.encode()),)
        self.outputs.append(Output(route.inbox, reference.text.encode(), view.value, headers))
        value = row(notice, name, route, reference.text, told(view.fields, waits), self._at)
        self.outputs.append(Output(DISCLOSURES, self._key, value, self._row_headers(notice)))
        self.tally.append("disclosed")
        if not notice.kind.public:
            self._remember(notice, route, reference)

    def withhold(self, notice: Notice, route: Route | None, reason: Withheld, waits: str | None = None) -> None:
        """Write the row that says that a partner, or nobody, is told, and why."""
        self._row(DISCLOSURES, notice, route, withheld(reason, waits))
        self.tally.append(f"withheld:{reason.value}")

    def park(self, notice: Notice, route: Route | None, wait: Wait) -> None:
        """Write the row that says what waits, and why; the wait itself is the caller's to keep."""
        self._row(PARKED, notice, route, parked(wait))
        self.tally.append(f"held:{wait.code}")

    def reference(self, notice: Notice, route: Route) -> Reference:
        """Return how the partner knows this dossier: as it was told before, by its key of then (design §6)."""
        if notice.kind.public or not route.is_outside:
            return self._own_name
        known = self.dossier.told.get(route.partner.id)
        if known is not None:
            return Reference(known.reference, known.key)
        return self._keys.reference(route.partner.id, self.subject)

    def step(self) -> Step[Dossier]:
        """Close the case: all records, and the dossier if it has changed."""
        entries = () if self.dossier is self._before else ((self._key, self.dossier),)
        return Step(tuple(self.outputs), entries, tuple(self.tally))

    def has_room(self, notice: Notice, besides: int = 0) -> bool:
        """Tell whether the dossier may keep one wait more, and its event if it is not kept yet."""
        dossier = self.dossier
        size = _WAIT_BYTES + _PARTNER_BYTES * besides + (0 if notice.position in dossier.kept else _size(notice.kept))
        size += sum(_WAIT_BYTES + _PARTNER_BYTES * len(wait.besides) for wait in dossier.waits)
        size += _WAIT_BYTES * len(dossier.unfolded) + sum(map(_size, dossier.kept.values()))
        return size <= ROOM_BYTES

    def _row(self, topic: str, notice: Notice, route: Route | None, outcome: Outcome) -> None:
        """Write a row about a partner that is not told, or about nobody."""
        name = disclosure_id(notice.seed, route.partner.id if route else "")
        reference = self.reference(notice, route).text if route else None
        value = row(notice, name, route, reference, outcome, self._at)
        self.outputs.append(Output(topic, self._key, value, self._row_headers(notice)))

    def _row_headers(self, notice: Notice) -> Headers:
        return (JSON, notice.origin, self._config, *self._ordered)

    def _remember(self, notice: Notice, route: Route, reference: Reference) -> None:
        if self._told is None:
            self._told = dict(self.dossier.told)
            self.dossier = replace(self.dossier, told=self._told)
        known = self._told.get(route.partner.id)
        name, position = notice.kind.name, notice.position
        if known is None:
            types = {name: (position, position)}
        else:
            first, _ = known.types.get(name, (position, position))
            types = {**known.types, name: (first, position)}
        self._told[route.partner.id] = Told(reference.text, reference.key, types)


def _size(kept: Kept) -> int:
    return _KEPT_BYTES + len(kept.body) + len(kept.sender) + len(kept.source) + len(kept.id) + len(kept.type)
