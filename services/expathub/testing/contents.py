"""What events say: the content of each event type in the words of its schema, from what the simulator knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from expathub.testing.people import Person

ARRIVAL = "nl.expats.aankomst-aangemeld"
APPOINTMENT = "nl.expats.afspraak-gepland"
REFERRAL = "nl.expats.doorverwijzing-aangemaakt"
WITHDRAWAL = "nl.expats.toestemming-ingetrokken"
PERMIT = "nl.verblijfsvergunningen.vergunning-verleend"
REGISTRATION = "nl.brp.ingeschreven.immigratie"
BSN = "nl.brp.bsn-toegekend"
CORRECTION = "nl.brp.persoonsgegevens-gecorrigeerd"
MOVE = "nl.brp.verhuisd.intergemeentelijk"
ARTICLE = "nl.voorlichting.artikel-gepubliceerd"

CANCELLATION = "nl.expats.afspraak-geannuleerd"
APPLICATION = "nl.verblijfsvergunningen.aanvraag-ontvangen"
REJECTION = "nl.verblijfsvergunningen.aanvraag-afgewezen"
CHANGED_PERMIT = "nl.verblijfsvergunningen.vergunning-gewijzigd"
ENDED_PERMIT = "nl.verblijfsvergunningen.vergunning-beeindigd"
READY_DOCUMENT = "nl.verblijfsvergunningen.document-afhaalbaar"
HANDED_DOCUMENT = "nl.verblijfsvergunningen.document-uitgereikt"
MOVE_WITHIN = "nl.brp.verhuisd.binnengemeentelijk"
MOVE_ABROAD = "nl.brp.verhuisd.naar-buitenland"
STATISTICS = "nl.expats.statistiek-gepubliceerd"

TYPES = frozenset(
    {
        *(ARRIVAL, APPOINTMENT, CANCELLATION, REFERRAL, WITHDRAWAL, REGISTRATION, BSN, CORRECTION, ARTICLE, STATISTICS),
        *(APPLICATION, REJECTION, PERMIT, CHANGED_PERMIT, ENDED_PERMIT, READY_DOCUMENT, HANDED_DOCUMENT),
        *(MOVE, MOVE_WITHIN, MOVE_ABROAD),
    }
)
"""All types that the simulator can publish."""

SECRET = 7
"""Geheimhouding (BRP 70.10) against all kinds of third parties."""

SUBJECTS = ("werk", "partner", "wonen", "belasting", "sociale-zekerheid")
"""What a newcomer may want to talk about, and what articles are about."""


@dataclass(frozen=True, slots=True)
class Content:
    """An event without its envelope: type, major, `data`, and extension attributes."""

    type: str
    major: int
    data: Mapping[str, Any]
    extensions: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show the type only."""
        return f"Content({self.type}.v{self.major})"


def arrival(person: Person, code: str, day: date, *, changed: bool) -> Content:
    """Say that somebody is going to live in the municipality with this code; or that this has changed."""
    data = {
        "wijziging": "gecorrigeerd" if changed else "nieuw",
        "gemeentecode": code,
        "verwachteAankomst": day.isoformat(),
        "langerDanVierMaanden": True,
        "verblijfsdoel": person.purpose,
        "gezinsdossiers": 0,
        "taal": person.language,
    }
    return Content(ARRIVAL, 1, data)


def appointment(person: Person, at: datetime) -> Content:
    """Say when the one visit is for permit, inscription, number and information."""
    data = {
        "wijziging": "nieuw",
        "tijdstip": at.isoformat(timespec="seconds"),
        "balie": "maastricht-centrum",
        "diensten": ["brp", "biometrie", "voorlichting"],
        "deelnemers": [person.dossier],
        "vNummer": person.v_number,
    }
    return Content(APPOINTMENT, 1, data)


def permit(person: Person, day: date) -> Content:
    """Say that a residence permit was granted from a day on, for a year."""
    data = {
        "wijziging": "nieuw",
        "vNummer": person.v_number,
        "verblijfsdoel": person.purpose,
        "verblijfstitel": "21" if person.purpose == "zoekjaar" else "23",
        "ingangsdatum": day.isoformat(),
        "einddatum": (day + timedelta(days=365)).isoformat(),
    }
    return Content(PERMIT, 1, data)


def registration(person: Person, code: str, day: date, dataref: str) -> Content:
    """Say that a municipality has inscribed somebody; where to ask for more stands in `dataref`."""
    data = {
        "wijziging": "nieuw",
        "gemeentecode": code,
        "datumVestiging": {"type": "Datum", "datum": day.isoformat()},
        "geheimhouding": _secrecy(person),
        "inOnderzoek": False,
    }
    return Content(REGISTRATION, 1, data, {"dataref": dataref})


def bsn(person: Person, code: str, day: date, dataref: str) -> Content:
    """Say that there is a citizen service number, and which."""
    data = {
        "wijziging": "nieuw",
        "gemeentecode": code,
        "datumToekenning": day.isoformat(),
        "burgerservicenummer": person.bsn,
        "geheimhouding": _secrecy(person),
        "inOnderzoek": False,
    }
    return Content(BSN, 1, data, {"dataref": dataref})


def correction(code: str, category: str, day: date, secrecy: int | None) -> Content:
    """Say that something registered since a day was corrected, not what; with `secrecy` where that is what changed."""
    data = {"wijziging": "gecorrigeerd", "gemeentecode": code, "categorie": category, "datumVan": day.isoformat()}
    return Content(CORRECTION, 1, data if secrecy is None else {**data, "geheimhouding": secrecy})


def move(person: Person, left: str, reached: str, day: date, dataref: str) -> Content:
    """Say that somebody lives in another municipality since a day."""
    return _move(person, left, reached, {"type": "Datum", "datum": day.isoformat()}, dataref)


def move_some_day(person: Person, left: str, reached: str, day: date, dataref: str) -> Content:
    """Say it where only the month is known: version 1 has no words for that."""
    return _move(person, left, reached, {"type": "JaarMaandDatum", "jaar": day.year, "maand": day.month}, dataref)


def _move(person: Person, left: str, reached: str, since: Mapping[str, Any], dataref: str) -> Content:
    data = {
        "wijziging": "nieuw",
        "datumVan": since,
        "van": {"gemeentecode": left},
        "naar": {"gemeentecode": reached},
        "functieAdres": "woonadres",
        "aangifteDoor": "ingeschrevene",
        "geheimhouding": _secrecy(person),
        "inOnderzoek": False,
    }
    return Content(MOVE, 2, data, {"dataref": dataref})


def move_in_version_1(person: Person, left: str, reached: str, day: date, dataref: str) -> Content:
    """Say it in version 1, as a sender does that has not changed over yet."""
    data = {
        "wijziging": "nieuw",
        "datumVan": day.isoformat(),
        "gemeentecodeVan": left,
        "gemeentecodeNaar": reached,
        "aangifte": "I",
        "geheimhouding": _secrecy(person),
        "inOnderzoek": False,
    }
    return Content(MOVE, 1, data, {"dataref": dataref})


def referral(person: Person, partner: str, consent: str, subjects: Sequence[str], given: datetime) -> Content:
    """Say that somebody wants to be contacted by one partner, and agrees to what it may know for that."""
    until = (given + timedelta(days=90)).isoformat(timespec="seconds").replace("+00:00", "Z")
    data = {
        "partner": partner,
        "toestemming": {
            "id": consent,
            "gegevenOp": given.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "tekstversie": "2026-1",
            "geldigTot": until,
        },
        "naam": person.full_name,
        "email": f"{person.name.lower().replace(' ', '-')}@nieuwkomer.example",
        "taal": person.language,
        "onderwerpen": list(subjects),
    }
    return Content(REFERRAL, 1, data, {"expirytime": until})


def withdrawal(taken_back: tuple[str, str], day: date) -> Content:
    """Say that the consent behind an event (`source`, `id`) is withdrawn, and before when its data must be gone."""
    source, event_id = taken_back
    data = {
        "reden": "toestemming-ingetrokken",
        "betreft": {"source": source, "id": event_id},
        "verwijderenVoor": day.isoformat(),
    }
    return Content(WITHDRAWAL, 1, data)


def article(subject: str, day: date) -> Content:
    """Say that there is something new to read, for everybody."""
    texts = [
        {"taal": language, "titel": title, "samenvatting": title, "adres": f"https://welkom.example/{language}"}
        for language, title in (("nl", "Uw eerste week"), ("en", "Your first week"), ("de", "Ihre erste Woche"))
    ]
    data = {"wijziging": "nieuw", "onderwerp": subject, "publicatiedatum": day.isoformat(), "teksten": texts}
    return Content(ARTICLE, 1, data, {"dataclassification": "public"})


def _secrecy(person: Person) -> int:
    return SECRET if person.is_secret else 0
