"""Who acts in the region, and with which words: the expat centre, the IND, municipalities, others, and newcomers.

Each verb publishes one event and returns its publication. The verbs know what they mean for the dossier; who will be
told is the oracle's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from expathub.core.partners import Partner, Role
from expathub.testing import contents, later_contents
from expathub.testing.oracle import Meaning
from expathub.testing.people import Person, new_uuid
from expathub.testing.script import Publication

if TYPE_CHECKING:
    from expathub.testing.region import Region

LOCAL = timezone(timedelta(hours=1))
"""The offset in which the desk makes appointments."""

V1_ONLY = frozenset({1})
"""The majors of a move that have no words for an incomplete date."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A partner that acts; every partner may publish something for everybody to read, but the IND."""

    region: Region
    partner: Partner

    @property
    def id(self) -> str:
        """The partner's id."""
        return self.partner.id

    def publishes_article(self) -> Publication:
        """Publish something to read, for everybody."""
        subject = self.region.dice.choice(contents.SUBJECTS)
        content = contents.article(subject, self.region.today)
        return self.region.publish(self.partner, content, new_uuid(self.region.ids), f"publishes on {subject}")


@dataclass(frozen=True, slots=True)
class Centre(Actor):
    """The expat centre."""

    def announces(self, newcomer: Newcomer, municipality: str) -> Publication:
        """Announce that a newcomer is going to live somewhere; again, if that has changed."""
        person, goal = newcomer.person, self.region.municipality(municipality)
        content = contents.arrival(
            person, goal.code, self.region.today + timedelta(days=14), changed=person.residence is not None
        )
        person.residence = municipality
        deed = f"announces {person.name} in {municipality}"
        return self.region.publish(self.partner, content, person.dossier, deed, Meaning(residence=municipality))

    def plans_appointment(self, newcomer: Newcomer) -> Publication:
        """Make the one appointment for everything."""
        content = contents.appointment(newcomer.person, self._visit())
        return self.region.publish(
            self.partner, content, newcomer.person.dossier, f"makes an appointment with {newcomer.person.name}"
        )

    def cancels_appointment(self, newcomer: Newcomer, *, major: int) -> Publication:
        """Say that the one appointment is off."""
        content = later_contents.cancellation(self._visit(), major)
        deed = f"cancels {newcomer.person.name}'s appointment"
        return self.region.publish(self.partner, content, newcomer.person.dossier, deed)

    def hands_over_document(self, newcomer: Newcomer) -> Publication:
        """Hand over a residence document at the desk."""
        content = later_contents.handed_document(newcomer.person, self._visit())
        deed = f"hands {newcomer.person.name} the document"
        return self.region.publish(self.partner, content, newcomer.person.dossier, deed)

    def publishes_statistics(self, *, major: int) -> Publication:
        """Publish the figures of this week for one municipality, for everybody."""
        town = self.region.dice.choice(self.region.municipalities)
        content = later_contents.statistics(town.code, self.region.today, major)
        return self.region.publish(self.partner, content, new_uuid(self.region.ids), f"counts newcomers in {town.id}")

    def _visit(self) -> datetime:
        day = self.region.today + timedelta(days=21)
        return datetime(day.year, day.month, day.day, 9, 30, tzinfo=LOCAL)

    def refers(self, newcomer: Newcomer, partner: str) -> Publication:
        """Pass on that a newcomer consents to be contacted by a partner."""
        person, dice = newcomer.person, self.region.dice
        subjects = dice.sample(contents.SUBJECTS, dice.randint(1, 3))
        content = contents.referral(person, partner, new_uuid(self.region.ids), subjects, self.region.now)
        deed = f"refers {person.name} to {partner}"
        return self.region.publish(self.partner, content, person.dossier, deed, Meaning(consent=partner))

    def takes_back(self, newcomer: Newcomer, referral: Publication) -> Publication:
        """Pass on that a newcomer withdraws the consent behind a referral."""
        content = contents.withdrawal(referral.event, self.region.today + timedelta(days=28))
        return self.region.publish(
            self.partner, content, newcomer.person.dossier, f"takes back {newcomer.person.name}'s consent"
        )


@dataclass(frozen=True, slots=True)
class Ind(Actor):
    """The immigration service."""

    def grants_permit(self, newcomer: Newcomer) -> Publication:
        """Grant a residence permit."""
        content = contents.permit(newcomer.person, self.region.today)
        return self._publish(newcomer, content, f"grants {newcomer.person.name} a permit")

    def receives_application(self, newcomer: Newcomer, *, major: int) -> Publication:
        """Register an application for a residence permit."""
        content = later_contents.application(newcomer.person, self.region.today, major)
        return self._publish(newcomer, content, f"receives {newcomer.person.name}'s application")

    def rejects(self, newcomer: Newcomer) -> Publication:
        """Decide that there will be no permit."""
        return self._publish(newcomer, later_contents.rejection(newcomer.person), f"rejects {newcomer.person.name}")

    def extends_permit(self, newcomer: Newcomer, *, major: int) -> Publication:
        """Extend a residence permit."""
        content = later_contents.changed_permit(newcomer.person, self.region.today, major)
        return self._publish(newcomer, content, f"extends {newcomer.person.name}'s permit")

    def ends_permit(self, newcomer: Newcomer) -> Publication:
        """End a residence permit."""
        content = later_contents.ended_permit(newcomer.person, self.region.today)
        return self._publish(newcomer, content, f"ends {newcomer.person.name}'s permit")

    def has_document_ready(self, newcomer: Newcomer, *, major: int) -> Publication:
        """Have a residence document ready at the desk."""
        expires = self.region.now + timedelta(days=180)
        content = later_contents.ready_document(newcomer.person, self.region.today, expires, major)
        return self._publish(newcomer, content, f"has {newcomer.person.name}'s document ready")

    def _publish(self, newcomer: Newcomer, content: contents.Content, deed: str) -> Publication:
        return self.region.publish(self.partner, content, newcomer.person.dossier, deed)


@dataclass(frozen=True, slots=True)
class Municipality(Actor):
    """A municipality; speaks for itself only."""

    @property
    def code(self) -> str:
        """Its code in national table 33."""
        return self.partner.municipality or ""

    def registers(self, newcomer: Newcomer, *, secret: bool = False) -> Publication:
        """Inscribe a newcomer in the population register; with `secret` nothing may be told to third parties."""
        person = newcomer.person
        person.is_secret, person.residence = secret, self.id
        content = contents.registration(person, self.code, self.region.today, self._dataref())
        deed = f"registers {person.name}" + (", secret" if secret else "")
        return self.region.publish(
            self.partner, content, person.dossier, deed, Meaning(residence=self.id, is_secret=secret)
        )

    def assigns_bsn(self, newcomer: Newcomer) -> Publication:
        """Give a newcomer a citizen service number."""
        person = newcomer.person
        content = contents.bsn(person, self.code, self.region.today, self._dataref())
        meaning = Meaning(is_secret=person.is_secret)
        return self.region.publish(self.partner, content, person.dossier, f"gives {person.name} a BSN", meaning)

    def moves_within(self, newcomer: Newcomer, *, major: int) -> Publication:
        """Process a move inside the municipality."""
        person = newcomer.person
        content = later_contents.move_within(person, self.code, self.region.today, major)
        meaning = Meaning(is_secret=person.is_secret)
        return self.region.publish(self.partner, content, person.dossier, f"moves {person.name} within", meaning)

    def sees_off(self, newcomer: Newcomer, *, major: int) -> Publication:
        """Process a departure abroad."""
        person = newcomer.person
        content = later_contents.move_abroad(person, self.code, self.region.today, major)
        meaning = Meaning(is_secret=person.is_secret)
        return self.region.publish(self.partner, content, person.dossier, f"sees {person.name} off abroad", meaning)

    def corrects(self, newcomer: Newcomer) -> Publication:
        """Correct something; whoever was told before must ask again."""
        content = contents.correction(self.code, "persoon", self.region.today, None)
        deed = f"corrects {newcomer.person.name}'s data"
        return self.region.publish(self.partner, content, newcomer.person.dossier, deed)

    def makes_secret(self, newcomer: Newcomer) -> Publication:
        """Keep a newcomer's data secret from now on."""
        person = newcomer.person
        person.is_secret = True
        content = contents.correction(self.code, "geheimhouding", self.region.today, contents.SECRET)
        deed = f"makes {person.name}'s data secret"
        return self.region.publish(self.partner, content, person.dossier, deed, Meaning(is_secret=True))

    def receives(self, newcomer: Newcomer, *, in_version_1: bool = False, some_day: bool = False) -> Publication:
        """Process a move from another municipality: in an old version, or where only the month is known."""
        person = newcomer.person
        left = self.region.municipality(person.residence or "")
        write = contents.move_some_day if some_day else contents.move_in_version_1 if in_version_1 else contents.move
        content = write(person, left.code, self.code, self.region.today, self._dataref())
        meaning = Meaning(
            residence=self.id,
            former=left.id,
            is_secret=person.is_secret,
            beyond=V1_ONLY if some_day else frozenset(),
        )
        person.residence = self.id
        deed = f"registers {person.name}'s move" + (", in v1" if in_version_1 else ", day unknown" if some_day else "")
        return self.region.publish(self.partner, content, person.dossier, deed, meaning)

    def _dataref(self) -> str:
        return f"https://burgerzaken.{self.id}.example/personen/{new_uuid(self.region.ids)}"


@dataclass(slots=True)
class Newcomer:
    """Somebody who comes to live here. What they do, others publish."""

    region: Region
    person: Person
    referral: Publication | None = None

    def arrives(self, municipality: str) -> Publication:
        """Tell the expat centre where to live."""
        return self.region.centre.announces(self, municipality)

    def moves_to(self, municipality: str, *, in_version_1: bool = False, some_day: bool = False) -> Publication:
        """Move; the new municipality publishes it."""
        goal = self.region.municipality(municipality)
        return goal.receives(self, in_version_1=in_version_1, some_day=some_day)

    def consents_to(self, partner: str) -> Publication:
        """Agree to be contacted by a partner."""
        self.referral = self.region.centre.refers(self, partner)
        return self.referral

    def withdraws_consent(self) -> Publication:
        """Think better of it; raises `ValueError` without a consent."""
        if self.referral is None:
            raise ValueError("there is no consent to withdraw")
        return self.region.centre.takes_back(self, self.referral)

    @property
    def home(self) -> Municipality:
        """The municipality of residence; raises `KeyError` before there is one."""
        return self.region.municipality(self.person.residence or "")


_ACTORS: dict[Role, Callable[[Region, Partner], Actor]] = {
    Role.EXPAT_CENTRE: Centre,
    Role.IND: Ind,
    Role.MUNICIPALITY: Municipality,
}


def actor_for(region: Region, partner: Partner) -> Actor:
    """Let a partner act according to its role."""
    kind = next((_ACTORS[role] for role in partner.roles if role in _ACTORS), Actor)
    return kind(region, partner)
