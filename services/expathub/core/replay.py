"""What partners would get for a stretch of the journal: dispatch again, with permission as of one moment.

Pure. Routing is as it was at each event (the journal is folded from its beginning, whatever the stretch), and
permission is as of `as_of_ms`: grants and pinned versions are those of the configuration at hand, and secrecy and
consents are those that the journal had said by then. So a replay can disclose less than was disclosed, and never what
may not be disclosed any more.

Two passes over one partition of the journal, in order: `Permissions.note` for each record up to the moment, then
`Replay.feed` for the same records. The same records, moment and configuration give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson
from msgspec.structs import replace

from expathub.core.case import Case
from expathub.core.configuration import Configuration
from expathub.core.decode import read_accepted
from expathub.core.dispatch import DispatchStage
from expathub.core.dossier import BLANK, Dossier, fold
from expathub.core.dossiers import Dossiers
from expathub.core.event import split_type
from expathub.core.notice import Notice
from expathub.core.records import InputRecord, Output, Position
from expathub.core.references import ReferenceKeys
from expathub.core.topic_names import DISCLOSURES, inbox


@dataclass(frozen=True, slots=True)
class Replayed:
    """One event as a partner's inbox would hold it, from the journal record at `origin`."""

    partner: str
    origin: Position
    type: str
    output: Output

    def __repr__(self) -> str:
        """Show partner and position only: the event may hold personal data."""
        return f"Replayed({self.partner}, {self.origin})"


@dataclass(frozen=True, slots=True)
class KeptBack:
    """One event that a partner (or nobody) would not get, and the reason code."""

    partner: str | None
    origin: Position
    reason: str


class Permissions:
    """What the journal had said by a moment about secrecy and consents, per dossier."""

    def __init__(self, configuration: Configuration) -> None:
        self._types = configuration.catalogue.types
        self._dossiers: dict[str, Dossier] = {}

    def note(self, record: InputRecord) -> None:
        """Take in one record of the journal."""
        event = read_accepted(record.value or b"")
        reference = split_type(event.type)
        if reference is None or self._types[reference.name].public:
            return
        before = self._dossiers.get(event.subject, BLANK)
        after = fold(before, self._types[reference.name], reference.major, event)
        if after is not before:
            self._dossiers[event.subject] = after

    def of(self, subject: str) -> Dossier:
        """Return what had been said about a dossier."""
        return self._dossiers.get(subject, BLANK)


class _PermittedCase(Case):
    """A case that is judged by what had been said by the moment of the replay."""

    __slots__ = ("permission",)

    permission: Dossier

    @property
    def judged(self) -> Dossier:
        """The dossier as of this event, with secrecy and consents as of the moment."""
        now = self.permission
        return replace(
            self.dossier,
            secrecy=now.secrecy,
            consents={partner: now.consents.get(partner, until) for partner, until in self.dossier.consents.items()},
        )


class _ReplayStage(DispatchStage):
    """Dispatch with permission as of a moment."""

    def __init__(self, configuration: Configuration, keys: ReferenceKeys, permissions: Permissions) -> None:
        super().__init__(configuration, keys)
        self._permissions = permissions

    def _open(self, notice: Notice, before: Dossier, at_ms: int) -> Case:
        case = _PermittedCase(notice.subject, before, at_ms, self._keys, self._digest)
        case.permission = self._permissions.of(notice.subject)
        return case


class Replay:
    """Plays one partition of the journal again and yields what lies in the stretch that was asked for."""

    def __init__(
        self,
        configuration: Configuration,
        keys: ReferenceKeys,
        permissions: Permissions,
        as_of_ms: int,
        is_asked: Callable[[Position], bool],
    ) -> None:
        self._stage = _ReplayStage(configuration, keys, permissions)
        self._dossiers = Dossiers()
        self._as_of_ms = as_of_ms
        self._is_asked = is_asked
        self._partners = {inbox(partner): partner for partner in configuration.partners.by_id}

    def feed(self, record: InputRecord) -> Iterator[Replayed | KeptBack]:
        """Play one record; what was held back and goes now belongs to its own place in the journal."""
        step = self._stage.step(record, self._dossiers.get, self._as_of_ms)
        self._dossiers.apply(step.entries)
        for output in step.outputs:
            origin = Position.parse(dict(output.headers)["hub-origin"].decode())
            if not self._is_asked(origin):
                continue
            if output.topic in self._partners:
                event = orjson.loads(output.value or b"{}")
                yield Replayed(self._partners[output.topic], origin, event["type"], output)
            elif output.topic == DISCLOSURES:
                yield from _kept_back(output, origin)


def _kept_back(output: Output, origin: Position) -> Iterator[KeptBack]:
    row = orjson.loads(output.value or b"{}")
    if "withheld" in row:
        yield KeptBack(row["partner"], origin, row["withheld"])
