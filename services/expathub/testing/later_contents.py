"""What events say, continued: what comes after the arrival, each in every version that a sender may still use. Pure.

The versions are written out one by one, from their schemas and not with the hub's lenses: a simulator that shared them
could not find fault with them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from expathub.testing.contents import (
    APPLICATION,
    CANCELLATION,
    CHANGED_PERMIT,
    ENDED_PERMIT,
    HANDED_DOCUMENT,
    MOVE_ABROAD,
    MOVE_WITHIN,
    READY_DOCUMENT,
    REJECTION,
    SECRET,
    STATISTICS,
    Content,
)
from expathub.testing.people import Person

CODES = {
    "kennismigrant": "KM",
    "europese-blauwe-kaart": "BK",
    "onderzoeker-2016-801": "OZ",
    "zoekjaar": "ZJ",
    "startup": "SU",
}
"""How version 1 of an application writes the purposes that newcomers here have."""

DECISION_WEEKS = 2
DAYS_A_WEEK = 7


def cancellation(at: datetime, major: int) -> Content:
    """Say that the one visit is off: the newcomer did not appear."""
    text = at.isoformat(timespec="seconds")
    data = {
        1: {"datum": text[:10], "tijd": text[11:16], "zone": text[19:], "reden": "N"},
        2: {"tijdstip": text, "reden": "niet-verschenen"},
    }
    return Content(CANCELLATION, major, {"wijziging": "nieuw", **data[major]})


def application(person: Person, day: date, major: int) -> Content:
    """Say that an application for a permit came in, to be decided on within two weeks."""
    purpose = person.purpose
    data: dict[int, dict[str, Any]] = {
        1: {
            "vnr": person.v_number,
            "doel": CODES[purpose],
            "ontvangen": f"{day:%Y%m%d}",
            "beslistermijnWeken": DECISION_WEEKS,
        },
        2: {
            "vNummer": person.v_number,
            "verblijfsdoel": purpose,
            "ontvangenOp": day.isoformat(),
            "beslistermijnWeken": DECISION_WEEKS,
        },
        3: {
            "vNummer": person.v_number,
            "verblijfsdoel": purpose,
            "ontvangenOp": day.isoformat(),
            "beslistermijn": {"dagen": DECISION_WEEKS * DAYS_A_WEEK},
            "procedure": "verkort",
        },
    }
    return Content(APPLICATION, major, {"wijziging": "nieuw", **data[major]})


def rejection(person: Person) -> Content:
    """Say that there will be no permit, and nothing more."""
    return Content(REJECTION, 1, {"wijziging": "nieuw", "vNummer": person.v_number})


def changed_permit(person: Person, day: date, major: int) -> Content:
    """Say that a permit was extended for five years."""
    until = (day + timedelta(days=5 * 365)).isoformat()
    data: dict[int, dict[str, Any]] = {
        1: {
            "aard": "verlenging",
            "titelcode": "23",
            "vorigeTitelcode": "23",
            "ingangsdatum": day.isoformat(),
            "einddatum": until,
        },
        2: {
            "wijzigingen": ["verlenging"],
            "titel": {"code": "23"},
            "vorigeTitel": {"code": "23"},
            "geldig": {"vanaf": day.isoformat(), "tot": until},
        },
    }
    common = {"wijziging": "nieuw", "vNummer": person.v_number, "verblijfsdoel": person.purpose}
    return Content(CHANGED_PERMIT, major, {**common, **data[major]})


def ended_permit(person: Person, day: date) -> Content:
    """Say that there is no title any more since a day."""
    data = {"wijziging": "nieuw", "vNummer": person.v_number, "verblijfstitel": "98", "einddatum": day.isoformat()}
    return Content(ENDED_PERMIT, 1, data)


def ready_document(person: Person, day: date, expires: datetime, major: int) -> Content:
    """Say that a residence document can be picked up from a day on."""
    data: dict[int, dict[str, Any]] = {
        1: {"balie": "maastricht-centrum/3", "gereedOp": day.isoformat()},
        2: {"afhalen": {"balie": "maastricht-centrum", "loket": 3, "vanaf": day.isoformat()}},
    }
    until = expires.isoformat(timespec="seconds").replace("+00:00", "Z")
    common = {"wijziging": "nieuw", "vNummer": person.v_number}
    return Content(READY_DOCUMENT, major, {**common, **data[major]}, {"expirytime": until})


def handed_document(person: Person, at: datetime) -> Content:
    """Say that a residence document was handed over."""
    moment = at.isoformat(timespec="seconds")
    return Content(HANDED_DOCUMENT, 1, {"wijziging": "nieuw", "vNummer": person.v_number, "uitgereiktOp": moment})


def move_within(person: Person, code: str, day: date, major: int) -> Content:
    """Say that somebody lives at another address in the same municipality since a day."""
    data: dict[int, dict[str, Any]] = {
        1: {"datumVan": day.isoformat(), "aangifte": "I"},
        2: {"datumVan": {"type": "Datum", "datum": day.isoformat()}, "aangifteDoor": "ingeschrevene"},
    }
    return Content(MOVE_WITHIN, major, {**_registered(person, code), **data[major]})


def move_abroad(person: Person, code: str, day: date, major: int) -> Content:
    """Say that somebody has left for Germany; of the day only the month is known."""
    data: dict[int, dict[str, Any]] = {
        1: {"datumVertrek": f"{day:%Y%m}00", "landcode": "9089"},
        2: {
            "datumVertrek": {"type": "JaarMaandDatum", "jaar": day.year, "maand": day.month},
            "land": {"code": "9089"},
            "aangifteDoor": "ingeschrevene",
        },
    }
    return Content(MOVE_ABROAD, major, {**_registered(person, code), **data[major]})


def _registered(person: Person, code: str) -> dict[str, Any]:
    secrecy = SECRET if person.is_secret else 0
    return {"wijziging": "nieuw", "gemeentecode": code, "geheimhouding": secrecy, "inOnderzoek": False}


def statistics(code: str, day: date, major: int) -> Content:
    """Publish the figures of the week of a day for one municipality; fewer than five newcomers are not told."""
    year, week, _ = day.isocalendar()
    figures = {"gemeentecode": code, "aankomsten": 12, "inschrijvingen": None}
    data: dict[int, dict[str, Any]] = {
        1: {"periode": f"{year}-W{week:02}", **figures, "doorlooptijdWeken": 3},
        2: {"periode": {"jaar": year, "week": f"W{week:02}"}, "gemeenten": [{**figures, "doorlooptijdDagen": 21}]},
    }
    return Content(STATISTICS, major, {"wijziging": "nieuw", **data[major]}, {"dataclassification": "public"})
