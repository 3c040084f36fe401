"""The words of the pages, in both languages of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("nl", "en")

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "title": {"nl": "Catalogus van gebeurtenissen", "en": "Catalogue of events"},
    "for": {"nl": "voor", "en": "for"},
    "intro": {
        "nl": "Gemaakt van de inrichting van de hub: revisie {revision}. Wat hier niet staat, krijgt niemand.",
        "en": "Made of the hub's configuration: revision {revision}. What is not written here nobody gets.",
    },
    "matrix": {"nl": "Wie krijgt wat", "en": "Who gets what"},
    "matrix-intro": {
        "nl": "Per gebeurtenis het aantal velden dat een ontvanger krijgt; hieronder welke, op welke grond en waarom.",
        "en": "For each event the number of fields that a recipient gets; below which, on what ground and why.",
    },
    "event": {"nl": "gebeurtenis", "en": "event"},
    "published": {"nl": "Wanneer wel", "en": "Published when"},
    "not-published": {"nl": "Wanneer niet", "en": "Not published when"},
    "publishers": {"nl": "Wie publiceert", "en": "Published by"},
    "classification": {"nl": "Classificatie", "en": "Classification"},
    "retention": {"nl": "Bewaren", "en": "Kept"},
    "kept": {
        "nl": "inhoud {days} dagen, verantwoording {years} jaar; {ground}",
        "en": "content for {days} days, the account of it for {years} years; {ground}",
    },
    "versions": {"nl": "Versies", "en": "Versions"},
    "version": {"nl": "versie", "en": "version"},
    "since": {"nl": "sinds", "en": "since"},
    "sunset": {"nl": "eindigt (aangekondigd)", "en": "sunset"},
    "ended": {"nl": "geëindigd", "en": "ended"},
    "changes": {"nl": "wat er anders is", "en": "what is different"},
    "recipients": {"nl": "Wie wat krijgt, en waarom", "en": "Who gets what, and why"},
    "recipient": {"nl": "ontvanger", "en": "recipient"},
    "fields": {"nl": "velden", "en": "fields"},
    "ground": {"nl": "grond", "en": "ground"},
    "purpose": {"nl": "doel", "en": "purpose"},
    "nobody": {"nl": "niemand", "en": "nobody"},
    "hub": {"nl": "de hub zelf", "en": "the hub itself"},
    "schema": {"nl": "Schema", "en": "Schema"},
    "chosen": {"nl": "Gekozen als", "en": "Chosen as"},
    "nothing": {"nl": "Deze partner krijgt niets.", "en": "This partner gets nothing."},
}

SELECTORS: Final[Mapping[str, Mapping[str, str]]] = {
    "role:expat-centre": {"nl": "expatcentrum", "en": "expat centre"},
    "role:ind": {"nl": "IND", "en": "IND"},
    "role:municipality": {"nl": "elke gemeente", "en": "every municipality"},
    "role:foreign-centre": {"nl": "centrum over de grens", "en": "centre across the border"},
    "role:border-info": {"nl": "grensinformatiepunt", "en": "border information point"},
    "role:portal": {"nl": "portaal", "en": "portal"},
    "municipality-of-residence": {"nl": "woongemeente", "en": "municipality of residence"},
    "former-municipality": {"nl": "vorige gemeente", "en": "former municipality"},
    "referred-partner": {
        "nl": "de partner die de toestemming noemt",
        "en": "the partner that the consent names",
    },
    "earlier-recipients": {"nl": "wie het eerder hoorde", "en": "who was told before"},
    "everyone": {"nl": "iedereen", "en": "everyone"},
}
