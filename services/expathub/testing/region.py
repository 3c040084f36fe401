"""The region as a stage: partners and newcomers that act with the words of the work, and a script of what they did.

    region = Region(configuration, seed=1, now=now)
    ilse = region.newcomer()
    ilse.arrives("maastricht")
    region.ind.grants_permit(ilse)
    region.municipality("maastricht").registers(ilse)
    script = region.script()

Pure and seeded: the same arguments, the same script. Each deed publishes one event through the outbox of whoever does
it, and tells the oracle what it means, so that the script says what should become of it. Who can do what is
`expathub.testing.actors`, what goes wrong on purpose `expathub.testing.mishaps`, whole lives
`expathub.testing.journeys`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from expathub.core.configuration import Configuration
from expathub.core.partners import HUB_OPERATOR, Partner
from expathub.testing.actors import Actor, Centre, Ind, Municipality, Newcomer, actor_for
from expathub.testing.contents import Content
from expathub.testing.envelope import Mode, Record, pack
from expathub.testing.oracle import NOTHING, Act, Meaning, Oracle
from expathub.testing.people import People, new_uuid
from expathub.testing.script import EventKey, Fate, Outcome, Publication, Script

A = TypeVar("A", bound=Actor)

BINARY_SHARE = 0.2
"""How many of the records are sent in binary mode."""

TICK = timedelta(milliseconds=50)
PAST = timedelta(days=1)
"""Events say a time in the past: `time` is when the sender logged it."""

UNDECIDED = Fate(Outcome.ACCEPTED)


class Region:
    """All partners of a configuration, the newcomers, and what has been published so far.

    `run` makes the ids of one run its own: the same journeys, other dossiers. `now` is where times are counted from.
    """

    def __init__(self, configuration: Configuration, *, seed: int, now: datetime, run: str = "") -> None:
        self.configuration = configuration
        self.dice = Random(seed)  # noqa: S311 - seeded on purpose, protects nothing
        self.ids = Random(f"{seed} {run}")  # noqa: S311 - as above
        self.now = now.astimezone(UTC)
        self.people = People(self.dice, self.ids)
        self.publications: list[Publication] = []
        self._oracle = Oracle(configuration, self.today)
        self._last: dict[str, Publication] = {}
        self._actors = {
            name: actor_for(self, partner)
            for name, partner in configuration.partners.by_id.items()
            if name != HUB_OPERATOR and not (partner.ended and partner.ended <= self.today)
        }

    @property
    def today(self) -> date:
        """The day of the play."""
        return self.now.date()

    # --- who there is ---

    def newcomer(self) -> Newcomer:
        """Let somebody come to the region."""
        return Newcomer(self, self.people.arrive())

    def partner(self, name: str) -> Actor:
        """Find a partner by its id; raises `KeyError` for one that has ended."""
        return self._actors[name]

    @property
    def partners(self) -> tuple[Actor, ...]:
        """All partners that take part today."""
        return tuple(self._actors.values())

    @property
    def centre(self) -> Centre:
        """The expat centre."""
        return self._of(Centre)[0]

    @property
    def ind(self) -> Ind:
        """The immigration service."""
        return self._of(Ind)[0]

    @property
    def municipalities(self) -> tuple[Municipality, ...]:
        """All municipalities."""
        return self._of(Municipality)

    def municipality(self, name: str) -> Municipality:
        """Find a municipality by its id; raises `KeyError` for a partner that is none."""
        return {one.id: one for one in self.municipalities}[name]

    def may_publish(self, partner: Partner, kind: str) -> bool:
        """Say whether a partner's roles let it publish events of this type."""
        return bool(partner.roles & self.configuration.catalogue.types[kind].publishers)

    def _of(self, kind: type[A]) -> tuple[A, ...]:
        return tuple(actor for actor in self._actors.values() if isinstance(actor, kind))

    # --- what they do ---

    def moment(self) -> str:
        """Say when the next event was logged (RFC 3339); no two events say the same."""
        logged = self.now - PAST + TICK * len(self.publications)
        return logged.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def event(self, sender: Partner, content: Content, subject: str) -> dict[str, Any]:
        """Write a CloudEvent as its sender does."""
        return {
            "specversion": "1.0",
            "id": new_uuid(self.ids),
            "source": sender.source,
            "type": f"{content.type}.v{content.major}",
            "subject": subject,
            "time": self.moment(),
            "datacontenttype": "application/json",
            **content.extensions,
            "data": content.data,
        }

    def publish(
        self, sender: Partner, content: Content, subject: str, deed: str, meaning: Meaning = NOTHING
    ) -> Publication:
        """Publish an event that intake accepts."""
        event = self.event(sender, content, subject)
        key = (event["source"], event["id"])
        self._oracle.accept(
            Act(
                kind=self.configuration.catalogue.types[content.type],
                sender=sender.id,
                subject=subject,
                event=key,
                meaning=meaning,
            )
        )
        return self.send(sender.id, subject, deed, key, pack(event, self.any_mode()), UNDECIDED)

    def any_mode(self) -> Mode:
        """Choose how the next record is sent."""
        return Mode.BINARY if self.dice.random() < BINARY_SHARE else Mode.STRUCTURED

    def send(self, sender: str, subject: str, deed: str, event: EventKey, record: Record, fate: Fate) -> Publication:
        """Put a record into an outbox, whatever it holds; `fate` is what intake should make of it."""
        before = self._last.get(subject)
        publication = Publication(
            number=len(self.publications),
            partner=sender,
            subject=subject,
            deed=deed,
            event=event,
            value=record[0],
            headers=record[1],
            fate=fate,
            after=before.number if before and before.partner != sender else None,
        )
        self.publications.append(publication)
        self._last[subject] = publication
        return publication

    def script(self) -> Script:
        """Write down what was done so far, with what should have become of it."""
        return Script(
            publications=tuple(map(self._decided, self.publications)),
            queues={key: tuple(events) for key, events in self._oracle.queues.items()},
            secrets=frozenset().union(*(person.secrets for person in self.people.all)),
            outsiders=frozenset(
                name for name, partner in self.configuration.partners.by_id.items() if partner.is_outside_government
            ),
        )

    def _decided(self, publication: Publication) -> Publication:
        if publication.fate is not UNDECIDED:
            return publication
        return replace(publication, fate=self._oracle.fate(publication.event))
