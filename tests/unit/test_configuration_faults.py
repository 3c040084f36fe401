"""Every planted fault is named with its file and line, and nothing but a list of faults ever comes out."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expathub import configuration
from expathub.configuration import ConfigurationError
from expathub.configuration.faults import FAULTS_MAX, Fault, Faults
from expathub.configuration.tree import read_json, read_yaml
from expathub.shipped import shipped

TODAY = date(2026, 11, 24)
PARTNERS = "partners.yaml"
MOVED = "schemas/nl.brp.verhuisd.intergemeentelijk"
BSN = "schemas/nl.brp.bsn-toegekend"
REFERRAL = "schemas/nl.expats.doorverwijzing-aangemaakt"
ARRIVAL = "schemas/nl.expats.aankomst-aangemeld"
ARTICLE = "schemas/nl.voorlichting.artikel-gepubliceerd"
RELEASE = "schemas/nl.expathub.vrijgegeven"
LENS = f"{MOVED}/v1-v2.lens.yaml"


class Copy:
    """A copy of the shipped configuration that can be spoilt, and is mended after each test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before: dict[Path, bytes | None] = {}
        shutil.copytree(shipped("schemas"), folder / "schemas")
        shutil.copy(shipped("deploy", "partners.yaml"), folder / PARTNERS)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        self._before.setdefault(path, path.read_bytes() if path.exists() else None)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def remove(self, name: str) -> None:
        path = self.folder / name
        self._before.setdefault(path, path.read_bytes())
        path.unlink()

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def mend(self) -> None:
        for path, content in self._before.items():
            if content is None:
                path.unlink(missing_ok=True)
                if path.parent.name != "schemas" and not any(path.parent.iterdir()):
                    path.parent.rmdir()
            else:
                path.write_bytes(content)
        self._before.clear()

    def line(self, name: str, text: str, nth: int = 1) -> int:
        """Return the line of the nth place where `text` stands; 1 for the zeroth."""
        lines = [number for number, line in enumerate(self.read(name).splitlines(), 1) if text in line]
        return lines[nth - 1] if nth else 1

    def faults(self, *, examples: bool = False) -> tuple[Fault, ...]:
        partners, schemas = self.folder / PARTNERS, self.folder / "schemas"
        load = partial(configuration.check, today=TODAY) if examples else configuration.load
        with pytest.raises(ConfigurationError) as caught:
            load(partners, schemas)
        return caught.value.faults


@pytest.fixture(scope="module")
def whole_copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("configuration"))


@pytest.fixture
def copy(whole_copy: Copy) -> Iterator[Copy]:
    yield whole_copy
    whole_copy.mend()


@dataclass(frozen=True)
class Plant:
    """Replace `old` by `new` in `file` (once); the fault is at the line of `at` after that, and says `what`."""

    file: str
    old: str
    new: str
    at: str
    what: str
    nth: int = 1


def plant(name: str, *plants: Any) -> Any:
    return pytest.param(Plant(*plants), id=name)


IN_PARTNERS = [
    plant(
        "unknown key",
        PARTNERS,
        "    name: Gemeente Beek\n",
        "    name: Gemeente Beek\n    nmae: x\n",
        "nmae",
        "unknown",
    ),
    plant("missing key", PARTNERS, "    name: Gemeente Beek\n", "", "id: beek", "`partners[2].name` is missing"),
    plant("wrong type", PARTNERS, "languages: [de, en]", "languages: de", "languages: de", "valid list"),
    plant("number for text", PARTNERS, "name: Gemeente Beek\n", "name: 12\n", "name: 12", "is not text"),
    plant("null for text", PARTNERS, "name: Gemeente Beek\n", "name:\n", "name:\n".strip() + "", "is not text", 3),
    plant("text for number", PARTNERS, "revision: 1", "revision: one", "revision: one", "valid integer"),
    plant("revision zero", PARTNERS, "revision: 1", "revision: 0", "revision: 0", "greater than or equal to 1"),
    plant("unknown role", PARTNERS, "roles: [ind]", "roles: [ins]", "roles: [ins]", "none of the words"),
    plant("role operator", PARTNERS, "roles: [ind]", "roles: [operator]", "roles: [operator]", "none of the words"),
    plant("role twice", PARTNERS, "roles: [ind]", "roles: [ind, ind]", "roles: [ind, ind]", "stands here twice"),
    plant("no role", PARTNERS, "roles: [ind]", "roles: []", "roles: []", "at least 1 item"),
    plant("reserved id", PARTNERS, "id: gip", "id: hub-operator", "id: hub-operator", "is reserved"),
    plant("reserved canary", PARTNERS, "id: gip", "id: hub-canary", "id: hub-canary", "is reserved"),
    plant("id twice", PARTNERS, "id: stein", "id: vaals", "id: vaals", "this id stands in line", 2),
    plant("id with capitals", PARTNERS, "id: stein", "id: Stein", "id: Stein", "not of the form"),
    plant("code twice", PARTNERS, '"0971"', '"0935"', '"0935"', "this municipality stands in line", 2),
    plant("code too short", PARTNERS, '"0971"', '"971"', '"971"', "not of the form"),
    plant("code is the RNI", PARTNERS, '"0971"', '"1999"', '"1999"', "no municipality"),
    plant("municipality without code", PARTNERS, '    municipality: "0971"\n', "", "id: stein", "has a code"),
    plant(
        "code without role",
        PARTNERS,
        "roles: [ind]\n",
        'roles: [ind]\n    municipality: "0001"\n',
        '"0001"',
        "has a code",
    ),
    plant("source twice", PARTNERS, "0000971000", "0000935000", "0000935000", "this source stands in line", 2),
    plant(
        "source of the hub",
        PARTNERS,
        "100004000:systeem:portaal",
        "100009000:systeem:expathub",
        "expathub",
        "stands in line",
        2,
    ),
    plant("OIN of 21 digits", PARTNERS, "00000099000000971000", "000000990000009710000", "9710000", "NL GOV"),
    plant(
        "source is an address",
        PARTNERS,
        "urn:be:stad-hasselt:systeem:onthaal",
        "https://hasselt.example",
        "https",
        "NL GOV",
    ),
    plant(
        "foreign source at home",
        PARTNERS,
        "urn:nld:oin:00000099000000971000:systeem:burgerzaken",
        "urn:nl:stein:x",
        "stein:x",
        "NL GOV",
    ),
    plant("hub source", PARTNERS, "urn:nld:oin:00000099000100009000:systeem:expathub", "hub", "source: hub", "NL GOV"),
    plant("language", PARTNERS, "languages: [de, en]", "languages: [Deutsch]", "Deutsch", "not of the form"),
    plant("language twice", PARTNERS, "languages: [de, en]", "languages: [de, de]", "[de, de]", "twice"),
    plant(
        "unknown type in reads",
        PARTNERS,
        "intergemeentelijk: 1",
        "buitengemeentelijk: 1",
        "buitengemeentelijk",
        "not in the catalogue",
    ),
    plant("unknown major in reads", PARTNERS, "intergemeentelijk: 1", "intergemeentelijk: 7", "lijk: 7", "no major 7"),
    plant("no date", PARTNERS, "roles: [ind]\n", "roles: [ind]\n    ended: 2027-02-30\n", "2027-02-30", "date"),
    plant(
        "key twice", PARTNERS, "    roles: [ind]\n", "    roles: [ind]\n    roles: [ind]\n", "roles: [ind]", "twice", 2
    ),
    plant("tab", PARTNERS, "    roles: [ind]\n", "\troles: [ind]\n", "\troles: [ind]", "not YAML"),
    plant(
        "open bracket",
        PARTNERS,
        "roles: [ind]\n",
        "roles: [ind\n",
        "source: urn:nld:oin:00000099000100002000",
        "not YAML",
    ),
    plant("anchor", PARTNERS, "roles: [ind]", "roles: &a [ind]", "&a", "anchors"),
    plant("alias", PARTNERS, "roles: [ind]", "roles: *a", "*a", "anchors"),
    plant("tag", PARTNERS, "roles: [ind]", "roles: !!python/list [ind]", "!!python", "tags"),
    plant(
        "merge key", PARTNERS, "roles: [ind]", "roles: [ind]\n    <<: {name: x}", "<<", "`partners[1].<<` is unknown"
    ),
    plant("two documents", PARTNERS, "partners:\n", "---\npartners:\n", "---", "more than one document"),
    plant("a list as key", PARTNERS, "revision: 1", "[a]: 1", "[a]", "a key is not plain text"),
    plant("control character", PARTNERS, "revision: 1", "revision: 1\x01", "# The organisations", "characters"),
]

IN_ABOUT = [
    plant("unknown publisher", f"{BSN}/about.yaml", "[municipality]", "[mayor]", "[mayor]", "none of the words"),
    plant(
        "publisher twice", f"{BSN}/about.yaml", "[municipality]", "[municipality, municipality]", "publishers:", "twice"
    ),
    plant(
        "unknown selector", f"{BSN}/about.yaml", "to: role:ind", "to: role:police", "role:police", "none of the words"
    ),
    plant("selector twice", f"{BSN}/about.yaml", "to: role:expat-centre", "to: role:ind", "to: role:ind", "twice", 2),
    plant(
        "grant of an unknown field",
        f"{BSN}/about.yaml",
        "/data/datumToekenning",
        "/data/datum",
        "/data/datum",
        "has no field",
    ),
    plant(
        "grant twice",
        f"{BSN}/about.yaml",
        "/data/datumToekenning",
        "/data/gemeentecode",
        "- /data/gemeentecode",
        "twice",
        2,
    ),
    plant(
        "grant of an object",
        f"{MOVED}/about.yaml",
        "/data/naar/gemeentecode\n        - /data/functie",
        "/data/naar\n        - /data/functie",
        "- /data/naar",
        "not a single field",
    ),
    plant(
        "grant of a list of objects",
        f"{ARTICLE}/about.yaml",
        "/data/teksten/*/taal",
        "/data/teksten",
        "- /data/teksten",
        "not a single field",
    ),
    plant(
        "grant of an attribute",
        f"{BSN}/about.yaml",
        "- /dataref",
        "- /subject",
        "- /subject",
        "no attribute that can be granted",
    ),
    plant("grant that is no pointer", f"{BSN}/about.yaml", "- /dataref", "- dataref", "- dataref", "not of the form"),
    plant(
        "major without fields",
        f"{MOVED}/about.yaml",
        "      1:\n        - /data/wijziging\n",
        "      3:\n        - /data/wijziging\n",
        "fields:",
        "major 1 has no fields",
    ),
    plant(
        "fields of no major",
        f"{MOVED}/about.yaml",
        "      1:\n        - /data/wijziging\n",
        "      3:\n        - /data/wijziging\n",
        "      3:",
        "there is no major 3",
    ),
    plant("no date of since", f"{BSN}/about.yaml", "since: 2025-01-01", "since: soon", "since: soon", "date"),
    plant(
        "sunset before since",
        f"{MOVED}/about.yaml",
        "sunset: 2027-12-31",
        "sunset: 2024-12-31",
        "sunset: 2024",
        "not in their order",
    ),
    plant(
        "version gap",
        f"{MOVED}/about.yaml",
        "  2: {since: 2025-07-01}",
        "  3: {since: 2025-07-01}",
        "  3: {",
        "major 2 is missing",
    ),
    plant(
        "owned field unknown",
        f"{BSN}/about.yaml",
        "owns: /data/gemeentecode",
        "owns: /data/gemeente",
        "owns: /data/gemeente",
        "no single field",
    ),
    plant(
        "owned by nobody",
        f"{BSN}/about.yaml",
        "publishers: [municipality]",
        "publishers: [ind]",
        "publisher-owns",
        "no municipality publishes",
    ),
    plant(
        "effect on an unknown field",
        f"{BSN}/about.yaml",
        "secrecy: /data/geheimhouding",
        "secrecy: /data/geheim",
        "secrecy: /data/geheim",
        "no single field",
    ),
    plant(
        "effect of one major only",
        f"{MOVED}/about.yaml",
        "    2: /data/van/gemeentecode\n",
        "",
        "  former:",
        "major 2 has no pointer",
    ),
    plant(
        "effect of no major",
        f"{MOVED}/about.yaml",
        "    2: /data/van/gemeentecode\n",
        "    2: /data/van/gemeentecode\n    9: /data/x\n",
        "9: /data/x",
        "there is no major 9",
    ),
    plant(
        "residence, former not told",
        f"{ARRIVAL}/about.yaml",
        "to: former-municipality",
        "to: role:portal",
        "residence:",
        "not told",
    ),
    plant(
        "consent, named not told",
        f"{REFERRAL}/about.yaml",
        "to: referred-partner",
        "to: role:ind",
        "  consent:",
        "not told",
    ),
    plant(
        "public for some", f"{ARTICLE}/about.yaml", "to: everyone", "to: role:portal", "recipients:", "for `everyone`"
    ),
    plant(
        "public and confidential",
        f"{ARTICLE}/about.yaml",
        "classification: public",
        "classification: internal",
        "classification:",
        "contradict",
    ),
    plant(
        "public about a dossier",
        f"{ARTICLE}/about.yaml",
        "public: true\n",
        "public: true\ndossier: {withdraws-consent: true}\n",
        "dossier:",
        "about no dossier",
    ),
    plant("everyone, not public", f"{BSN}/about.yaml", "to: role:ind", "to: everyone", "recipients:", "for `everyone`"),
    plant(
        "command of a partner",
        f"{RELEASE}/about.yaml",
        "publishers: [operator]",
        "publishers: [ind]",
        "publishers:",
        "come from the operator",
    ),
    plant(
        "command beside a partner",
        f"{RELEASE}/about.yaml",
        "publishers: [operator]",
        "publishers: [operator, ind]",
        "command:",
        "no other publisher",
    ),
    plant(
        "operator without command",
        f"{RELEASE}/about.yaml",
        "command: release\n",
        "",
        "publishers:",
        "come from the operator",
    ),
    plant(
        "nobody publishes",
        f"{BSN}/about.yaml",
        "publishers: [municipality]\n",
        "publishers: []\n",
        "publishers:",
        "nobody publishes",
    ),
    plant(
        "BSN abroad",
        f"{BSN}/about.yaml",
        "to: role:ind",
        "to: role:foreign-centre",
        "/data/burgerservicenummer",
        "leave government",
    ),
    plant(
        "BSN to the border",
        f"{BSN}/about.yaml",
        "to: role:ind",
        "to: role:border-info",
        "/data/burgerservicenummer",
        "leave government",
    ),
    plant(
        "BSN to the portal",
        f"{BSN}/about.yaml",
        "to: role:ind",
        "to: role:portal",
        "/data/burgerservicenummer",
        "leave government",
    ),
    plant(
        "BSN to earlier recipients",
        f"{BSN}/about.yaml",
        "to: role:ind",
        "to: earlier-recipients",
        "/data/burgerservicenummer",
        "leave government",
    ),
    plant(
        "reference abroad",
        f"{BSN}/about.yaml",
        "to: role:expat-centre",
        "to: referred-partner",
        "- /dataref",
        "leave government",
        2,
    ),
]

IN_SCHEMAS = [
    plant("no JSON", f"{BSN}/v1.json", '"type": "object",', '"type": "object"', '"additionalProperties"', "not JSON"),
    plant(
        "JSON key twice",
        f"{BSN}/v1.json",
        '"type": "object",',
        '"type": "object",\n  "type": "object",',
        '"type": "object"',
        "twice",
        2,
    ),
    plant("NaN", f"{BSN}/v1.json", '"maximum": 7', '"maximum": NaN', '"$schema"', "not JSON", 0),
    plant(
        "huge number",
        f"{BSN}/v1.json",
        '"maximum": 7',
        '"maximum": 99999999999999999999999',
        '"$schema"',
        "not JSON",
        0,
    ),
    plant(
        "half a character",
        f"{BSN}/v1.json",
        "Nine digits",
        "\\\\ud800".replace("\\\\", "\\"),
        '"$schema"',
        "not JSON",
        0,
    ),
    plant("other dialect", f"{BSN}/v1.json", "draft/2020-12", "draft/2019-09", '"$schema"', "2020-12"),
    plant("open object", f"{BSN}/v1.json", '  "additionalProperties": false,\n', "", "{", "is open"),
    plant("mistyped keyword", f"{BSN}/v1.json", '"maximum": 7', '"maximun": 7', "maximun", "not one the hub knows"),
    plant(
        "wrong keyword value", f"{BSN}/v1.json", '"maximum": 7', '"maximum": "7"', '"maximum": "7"', "does not allow"
    ),
    plant(
        "unknown JSON type", f"{BSN}/v1.json", '"type": "integer"', '"type": "int"', '"type": "int"', "does not allow"
    ),
    plant(
        "data is a list",
        f"{BSN}/v1.json",
        '"type": "object"',
        '"type": "array"',
        '"type": "array"',
        "must be an object",
    ),
    plant(
        "remote reference",
        f"{ARRIVAL}/v1.json",
        '"#/$defs/taal"',
        '"https://example.org/taal"',
        "example.org",
        "nothing outside itself",
    ),
    plant(
        "reference to a file",
        f"{ARRIVAL}/v1.json",
        '"#/$defs/taal"',
        '"taal.json"',
        "taal.json",
        "nothing outside itself",
    ),
    plant(
        "dangling reference", f"{ARRIVAL}/v1.json", '"#/$defs/taal"', '"#/$defs/tal"', "defs/tal", "no such definition"
    ),
    plant(
        "circle",
        f"{MOVED}/v2.json",
        '"jaar": {\n      "type": "integer",',
        '"jaar": {\n      "$ref": "#/$defs/jaar",',
        '"jaar": {',
        "refers to itself",
        3,
    ),
    plant("unanchored pattern", f"{BSN}/v1.json", '"^[0-9]{9}$"', '"[0-9]{9}"', '"[0-9]{9}"', "part of the text"),
    plant("look-ahead", f"{BSN}/v1.json", '"^[0-9]{9}$"', '"^(?=9)[0-9]{9}$"', "(?=9)", "does not allow"),
    plant(
        "unbounded text",
        f"{BSN}/v1.json",
        '      "pattern": "^[0-9]{4}$",\n',
        "",
        '"gemeentecode": {',
        "text is unbounded",
    ),
    plant("unbounded list", f"{ARTICLE}/v1.json", '      "maxItems": 24,\n', "", '"teksten": {', "list is unbounded"),
    plant(
        "anything goes",
        f"{BSN}/v1.json",
        '"enum": ["nieuw"',
        '"default": ["nieuw"',
        '"wijziging": {',
        "lets any value in",
    ),
    plant(
        "true for a schema",
        f"{BSN}/v1.json",
        '"datumToekenning": {',
        '"extra": true,\n    "datumToekenning": {',
        '"extra"',
        "not a schema",
    ),
    plant(
        "required, not there",
        f"{BSN}/v1.json",
        '["wijziging",',
        '["wijzigingen",',
        "wijzigingen",
        "required that is not there",
    ),
    plant(
        "odd field name",
        f"{BSN}/v1.json",
        '"datumToekenning": {',
        '"datum-Toekenning": {',
        "datum-Toekenning",
        "letters and digits",
    ),
    plant(
        "unmarked BSN",
        f"{BSN}/v1.json",
        '      "x-nationaal-nummer": "bsn",\n',
        "",
        '"burgerservicenummer": {',
        "not marked",
    ),
    plant(
        "unknown number",
        f"{BSN}/v1.json",
        '"x-nationaal-nummer": "bsn"',
        '"x-nationaal-nummer": true',
        "x-nationaal",
        "number is unknown",
    ),
    plant(
        "unknown sample", f"{BSN}/v1.json", '"x-voorbeeld": "bsn"', '"x-voorbeeld": "ssn"', "ssn", "sample is unknown"
    ),
    plant(
        "unknown format",
        f"{BSN}/v1.json",
        '"format": "date"',
        '"format": "datum"',
        '"datum"',
        "does not check this format",
    ),
]

IN_LENS = [
    plant("unknown operation", LENS, "- wrap:", "- warp:", "- warp:", "`up[2].warp` is unknown"),
    plant(
        "two operations in one",
        LENS,
        "  - wrap: {",
        "  - to-list: {field: /data/x}\n    wrap: {",
        "to-list",
        "one operation",
    ),
    plant(
        "field of no major",
        LENS,
        "/data/gemeentecodeVan",
        "/data/gemeentecodevan",
        "codevan",
        "no field `/data/gemeentecodevan` to take",
    ),
    plant(
        "field goes nowhere",
        LENS,
        "  - move: {from: /data/gemeentecodeVan, to: /data/van/gemeentecode}\n",
        "",
        "up:",
        "goes nowhere",
    ),
    plant(
        "field from nowhere",
        LENS,
        "  - move: {from: /data/gemeentecodeVan, to: /data/van/gemeentecode}\n",
        "",
        "up:",
        "comes from nowhere",
    ),
    plant(
        "makes an unknown field",
        LENS,
        "to: /data/van/gemeentecode",
        "to: /data/weg/gemeentecode",
        "up:",
        "newer schema has no field `/data/weg",
    ),
    plant(
        "loss without a note",
        LENS,
        "      note:\n        nl: In v1 is niet te zien dat een adres een briefadres is.\n"
        "        en: In v1 it cannot be seen that an address is for post only.\n",
        "",
        "- add:",
        "a `note` tells partners",
        2,
    ),
    plant("value with two counterparts", LENS, "{old: B, new", "{old: A, new", "- recode:", "two counterparts"),
    plant("pointer outside data", LENS, "to: /data/aangifteDoor}", "to: /dataref}", "to: /dataref", "not of the form"),
    plant("no words", LENS, "  en: >-", "  de: >-", "  de:", "is unknown"),
]


TOWNS = "schemas/tables/gemeenten.yaml"
IN_TABLES = [
    plant("unknown key of a table", TOWNS, "complete: false", "whole: false", "whole: false", "`whole` is unknown"),
    plant("table of another number", TOWNS, "table: 33", "table: 34", "table: 34", "this is not table 33"),
    plant("code of another length", TOWNS, 'code: "0888"', 'code: "888"', '"888"', "has 4 digits"),
    plant("code that is no number", TOWNS, 'code: "0888"', "code: GM0888", "GM0888", "not of the form"),
    plant("code twice in a table", TOWNS, 'code: "0888"', 'code: "0899"', '"0899"', "this code stands here twice"),
    plant(
        "successor of a living code", TOWNS, "name: Beek}", 'name: Beek, successor: "1954"}', "name: Beek,", "follows"
    ),
    plant("successor unknown", TOWNS, 'successor: "1954"', 'successor: "1955"', '"1955"', "a successor follows"),
    plant("end before the beginning", TOWNS, "since: 2019", "until: 2018-01-01, since: 2019", "until: 2018", "order"),
    plant("country of three letters", "schemas/tables/landen.yaml", "iso: BE", "iso: BEL", "BEL", "not of the form"),
    plant(
        "code after itself",
        TOWNS,
        'successor: "1954"}',
        'successor: "0881"}',
        '"0881"}',
        "comes after itself",
    ),
    plant("partner with a code that has ended", PARTNERS, '"1903"', '"0936"', '"0936"', "municipality is no more"),
    plant("no retention", f"{BSN}/about.yaml", "retention:", "retain:", "retain:", "`retain` is unknown"),
    plant("kept for no days", f"{BSN}/about.yaml", "content-days: 30", "content-days: 0", "content-days: 0", "greater"),
    plant(
        "account gone before the content",
        f"{BSN}/about.yaml",
        "content-days: 30, account-years: 20",
        "content-days: 400, account-years: 1",
        "retention:",
        "gone before the content",
    ),
    plant(
        "newest major ends first",
        f"{MOVED}/about.yaml",
        "2: {since: 2025-07-01}",
        "2: {since: 2025-07-01, ended: 2026-01-01}",
        "  2: {",
        "newest major ends while",
    ),
    plant(
        "unknown conversion",
        LENS,
        "  - wrap: {field: /data/datumVan, as: datum}",
        "  - convert: {field: /data/datumVan, by: eeuw}",
        "by: eeuw",
        "none of the words",
    ),
    plant(
        "conversion without its number",
        LENS,
        "  - wrap: {field: /data/datumVan, as: datum}",
        "  - convert: {field: /data/datumVan, by: veelvoud}",
        "by: veelvoud",
        "`times` goes with",
    ),
    plant(
        "conversion without a note",
        LENS,
        "  - wrap: {field: /data/datumVan, as: datum}",
        "  - convert: {field: /data/datumVan, by: landcode-iso}",
        "by: landcode-iso",
        "a `note` tells partners",
    ),
]


def assert_named(copy: Copy, faults: tuple[Fault, ...], file: str, line: int, what: str) -> None:
    here = [fault for fault in faults if fault.file == str(copy.folder / file) and fault.line == line]
    assert any(what in fault.what for fault in here), "\n".join(map(str, faults))
    assert all(fault.mend for fault in faults)
    assert all(re.fullmatch(r"[^\n]+", str(fault)) for fault in faults)


@pytest.mark.parametrize("planted", IN_PARTNERS + IN_ABOUT + IN_SCHEMAS + IN_LENS + IN_TABLES)
def test_a_planted_fault_is_named_with_file_and_line(copy: Copy, planted: Plant) -> None:
    copy.replace(planted.file, planted.old, planted.new)

    faults = copy.faults()

    assert_named(copy, faults, planted.file, copy.line(planted.file, planted.at, planted.nth), planted.what)


FILES = [
    pytest.param(PARTNERS, b"", 1, "is empty", id="empty partners"),
    pytest.param(PARTNERS, b"# nothing\n", 1, "is empty", id="only a comment"),
    pytest.param(PARTNERS, b"just words", 1, "the file", id="a text for a mapping"),
    pytest.param(PARTNERS, b"- a\n- b\n", 1, "the file", id="a list for a mapping"),
    pytest.param(PARTNERS, b"a: 1\nb: \xff\n", 2, "not UTF-8", id="not UTF-8"),
    pytest.param(PARTNERS, b"#" * 10_000_000, 1, "larger than 1 MiB", id="10 MB"),
    pytest.param(PARTNERS, b"[" * 100, 1, "deeper than 32", id="deep brackets"),
    pytest.param(PARTNERS, b"a:\n  b: [[{c: " + b"[" * 40 + b"]" * 40 + b"}]]\n", 2, "deeper than 32", id="deep lists"),
    pytest.param(PARTNERS, b"a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", 1, "anchors", id="billion laughs"),
    pytest.param(f"{BSN}/v1.json", b"", 1, "not JSON", id="empty schema"),
    pytest.param(f"{BSN}/v1.json", b'{"maximum": 1e400}', 1, "not JSON", id="beyond all numbers"),
    pytest.param(f"{BSN}/v1.json", b"[]", 1, "a schema is an object", id="a list for a schema"),
    pytest.param(f"{BSN}/v1.json", b"true", 1, "a schema is an object", id="true for a schema"),
    pytest.param(f"{BSN}/v1.json", b"\xef\xbb\xbf{}", 1, "not JSON", id="byte order mark"),
    pytest.param(f"{BSN}/v1.json", b'{"a":' * 5000 + b"1" + b"}" * 5000, 1, "", id="5,000 levels of JSON"),
    pytest.param(f"{BSN}/v1.json", b"[" * 200_000, 1, "not JSON", id="200,000 brackets"),
    pytest.param(
        f"{BSN}/v1.json", b'\n{"a":' + b"[" * 33 + b"]" * 33 + b"}", 2, "deeper than 32", id="33 levels of JSON"
    ),
    pytest.param(f"{BSN}/v3.json", b"{}", 1, "has no version for this file", id="orphan schema"),
    pytest.param(f"{MOVED}/v2-v3.lens.yaml", b"{}", 1, "has no version for this file", id="orphan lens"),
    pytest.param(f"{MOVED}/v2-v1.lens.yaml", b"{}", 1, "has no version for this file", id="lens backwards"),
    pytest.param(f"{BSN}/notes.txt", b"x", 1, "has no version for this file", id="something else"),
    pytest.param("schemas/tables/talen.yaml", b"x", 1, "uses no such table", id="table that nobody uses"),
    pytest.param(TOWNS, b"", 1, "is empty", id="empty table"),
    pytest.param("schemas/notes.txt", b"x", 1, "no folder of an event type", id="file among types"),
    pytest.param("schemas/NL.Brp.X/about.yaml", b"x: 1", 1, "", id="folder with a wrong name"),
]


@pytest.mark.parametrize(("file", "content", "line", "what"), FILES)
def test_a_file_that_is_something_else_is_named(copy: Copy, file: str, content: bytes, line: int, what: str) -> None:
    copy.write(file, content)

    faults = copy.faults()

    assert_named(copy, faults, file if "NL.Brp" not in file else "schemas/NL.Brp.X", line, what)


def test_orphan_examples_are_named(copy: Copy) -> None:
    copy.write(f"{BSN}/examples/v2/x.json", "{}")

    assert_named(copy, copy.faults(), f"{BSN}/examples/v2", 1, "no version for these examples")


@pytest.mark.parametrize("file", [PARTNERS, f"{BSN}/about.yaml", f"{BSN}/v1.json", LENS])
def test_a_missing_file_is_named(copy: Copy, file: str) -> None:
    copy.remove(file)

    assert_named(copy, copy.faults(), file, 1, "cannot be read")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    shutil.copy(shipped("deploy", "partners.yaml"), tmp_path / PARTNERS)

    with pytest.raises(ConfigurationError) as caught:
        configuration.load(tmp_path / PARTNERS, tmp_path / "schemas")

    assert str(tmp_path / "schemas") in {fault.file for fault in caught.value.faults}


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / PARTNERS).write_text(
        "revision: 1\nhub: {source: urn:nld:oin:00000099000100009000:systeem:x}\npartners: []\n"
    )

    with pytest.raises(ConfigurationError, match="1 fault") as caught:
        configuration.load(tmp_path / PARTNERS, tmp_path / "schemas")

    assert [fault.what for fault in caught.value.faults] == ["there is no event type here"]


def test_all_faults_are_told_at_once_in_the_order_of_files_and_lines(copy: Copy) -> None:
    copy.replace(PARTNERS, "roles: [ind]", "roles: [ins]")
    copy.replace(PARTNERS, "id: stein", "id: Stein")
    copy.replace(f"{BSN}/v1.json", '"maximum": 7', '"maximun": 7')
    copy.replace(f"{BSN}/v1.json", '"^[0-9]{9}$"', '"[0-9]{9}"')
    copy.replace(LENS, "- wrap:", "- warp:")

    faults = copy.faults()

    assert {Path(fault.file).name for fault in faults} == {"partners.yaml", "v1.json", "v1-v2.lens.yaml"}
    assert len(faults) == 5
    assert list(faults) == sorted(faults)


def test_a_fault_in_a_type_is_not_blamed_on_the_partners_that_read_it(copy: Copy) -> None:
    copy.replace(f"{MOVED}/about.yaml", "publishers: [municipality]", "publishers: [mayor]")

    assert {Path(fault.file).name for fault in copy.faults()} == {"about.yaml"}


def test_the_list_of_faults_is_bounded(copy: Copy) -> None:
    entries = "".join(f"  - {{id: stein, name: x{number}, roles: [], source: x}}\n" for number in range(500))
    copy.write(PARTNERS, f"revision: 1\nhub: {{source: x}}\npartners:\n{entries}")

    assert len(copy.faults()) == FAULTS_MAX


def test_a_fault_is_one_line_that_a_terminal_can_follow() -> None:
    faults = Faults()
    faults.add(Path("deploy/partners.yaml"), 3, "the key `x` is unknown", "Remove it")

    with pytest.raises(ConfigurationError) as caught:
        faults.raise_if_any()

    assert list(caught.value.lines()) == ["deploy/partners.yaml:3: the key `x` is unknown. Remove it."]


def test_a_national_number_keeps_its_mark_through_a_lens(copy: Copy) -> None:
    number = '"vNummer": {"type": "string", "pattern": "^[0-9]{10}$", "x-nationaal-nummer": "v-nummer"}, "wijziging"'
    plain = '"nummer": {"type": "string", "pattern": "^[0-9]{10}$"}, "wijziging"'
    for file, field in ((f"{MOVED}/v1.json", number), (f"{MOVED}/v2.json", plain)):
        text = copy.read(file)
        copy.write(file, field.join(text.rsplit('"wijziging"', 1)))
    copy.replace(LENS, "up:\n", "up:\n  - move: {from: /data/vNummer, to: /data/nummer}\n")

    faults = copy.faults()

    assert_named(copy, faults, LENS, copy.line(LENS, "up:"), "`/data/nummer` of the newer major, which is not marked")


def test_a_fault_never_breaks_a_terminal(copy: Copy) -> None:
    copy.replace(PARTNERS, "revision: 1", 'revision: 1\n"a\\nb\\e[31m": 1')
    copy.replace(f"{BSN}/v1.json", '"maximum": 7', f'"{"x" * 5000}": 7')

    faults = copy.faults()

    assert "the key `a\\nb\\x1b[31m` is unknown" in {fault.what for fault in faults}
    assert all(str(fault).isprintable() and len(str(fault)) < 3000 for fault in faults)


def test_references_that_unfold_without_end_are_refused(copy: Copy) -> None:
    schema = json.loads(copy.read(f"{BSN}/v1.json"))
    schema["$defs"] = {
        f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}, {"$ref": f"#/$defs/d{level + 1}"}]}
        for level in range(40)
    } | {"d40": {"type": "boolean"}}
    schema["properties"]["inOnderzoek"] = {"$ref": "#/$defs/d0"}
    copy.write(f"{BSN}/v1.json", json.dumps(schema))

    assert_named(copy, copy.faults(), f"{BSN}/v1.json", 1, "unfold to more than")


# ------------------------------------------------------------------------------------------------ examples

IN_EXAMPLES = [
    plant(
        "good one is refused",
        f"{BSN}/examples/v1/toegekend.json",
        "999993653",
        "999993654",
        "burgerservicenummer",
        "schema at /data/burgerservicenummer",
    ),
    plant(
        "good one of nobody",
        f"{BSN}/examples/v1/toegekend.json",
        "00000099000000935000",
        "00000099000000001000",
        '"source"',
        "not-your-source at /source",
    ),
    plant(
        "other type",
        f"{BSN}/examples/v1/toegekend.json",
        "bsn-toegekend.v1",
        "bsn-toegekend.v2",
        '"type"',
        "no event of nl.brp.bsn-toegekend.v1",
    ),
    plant(
        "refused one is accepted",
        f"{BSN}/examples/refused/acht-cijfers.json",
        "99999365",
        "999993653",
        '"expect"',
        "accepts this example",
    ),
    plant(
        "other code",
        f"{BSN}/examples/refused/acht-cijfers.json",
        '"expect": "schema"',
        '"expect": "too-large"',
        '"expect"',
        "refused as schema",
    ),
    plant(
        "other pointer",
        f"{BSN}/examples/refused/acht-cijfers.json",
        '"/data/burgerservicenummer"',
        '"/data"',
        '"pointer"',
        "the pointer is /data/burger",
    ),
    plant(
        "no such code",
        f"{BSN}/examples/refused/acht-cijfers.json",
        '"expect": "schema"',
        '"expect": "bad"',
        '"expect"',
        "no reason code",
    ),
    plant(
        "no such partner",
        f"{BSN}/examples/refused/acht-cijfers.json",
        '"publisher": "maastricht"',
        '"publisher": "mheer"',
        '"publisher"',
        "no such partner",
    ),
    plant("unknown key", f"{BSN}/examples/refused/acht-cijfers.json", '"publisher"', '"sender"', '"sender"', "unknown"),
]


@pytest.mark.parametrize("planted", IN_EXAMPLES)
def test_an_example_that_comes_out_otherwise_is_named(copy: Copy, planted: Plant) -> None:
    copy.replace(planted.file, planted.old, planted.new)

    faults = copy.faults(examples=True)

    assert_named(copy, faults, planted.file, copy.line(planted.file, planted.at), planted.what)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("value: woonadres\n", "value: thuis\n", "it is not valid in v2: /data/functieAdres (enum)"),
        ("value: Datum, ", "value: Dag, ", "it is not valid in v2: /data/datumVan"),
    ],
)
def test_a_lens_that_breaks_its_law_is_named_at_the_example(copy: Copy, old: str, new: str, what: str) -> None:
    copy.replace(LENS, old, new)

    faults = copy.faults(examples=True)

    file = f"{MOVED}/examples/v1/door-de-ingeschrevene.json"
    assert_named(copy, faults, file, copy.line(file, '"data"'), what)


def test_a_lens_that_carries_no_example_is_named(copy: Copy) -> None:
    text = copy.read(LENS)
    copy.write(LENS, text.replace("value: Datum, beside", "value: Onvolledig, beside"))

    faults = copy.faults(examples=True)

    assert_named(copy, faults, f"{MOVED}/about.yaml", copy.line(f"{MOVED}/about.yaml", "versions:"), "no example of v2")


def test_a_type_without_examples_is_named(copy: Copy) -> None:
    for file in sorted((copy.folder / BSN / "examples").rglob("*.json")):
        copy.remove(str(file.relative_to(copy.folder)))

    faults = copy.faults(examples=True)

    line = copy.line(f"{BSN}/about.yaml", "versions:")
    assert_named(copy, faults, f"{BSN}/about.yaml", line, "major 1 has no example")
    assert_named(copy, faults, f"{BSN}/about.yaml", line, "there is no refused example")


def test_a_file_that_is_no_example_is_named(copy: Copy) -> None:
    copy.write(f"{BSN}/examples/v1/notes.txt", "x")

    assert_named(copy, copy.faults(examples=True), f"{BSN}/examples/v1/notes.txt", 1, "no example")


def test_a_schema_from_which_nothing_can_be_invented_is_named(copy: Copy) -> None:
    format_and_sample = '      "format": "gemeentecode",\n      "x-voorbeeld": "gemeentecode"'
    copy.replace(f"{BSN}/v1.json", format_and_sample, '      "title": "x"')
    copy.replace(f"{BSN}/about.yaml", "publisher-owns: /data/gemeentecode\n", "")

    faults = copy.faults(examples=True)

    line = copy.line(f"{BSN}/about.yaml", "versions:")
    assert_named(copy, faults, f"{BSN}/about.yaml", line, "no sample can be made")


def test_a_partner_that_reads_a_major_that_has_ended_is_named(copy: Copy) -> None:
    copy.replace(f"{MOVED}/about.yaml", "sunset: 2027-12-31", "sunset: 2026-11-01, ended: 2026-11-24")

    faults = copy.faults(examples=True)

    for nth in range(1, 4):
        line = copy.line(PARTNERS, "nl.brp.verhuisd.intergemeentelijk: 1", nth)
        assert_named(copy, faults, PARTNERS, line, "has ended, so that")


def test_what_a_partner_reads_matters_no_more_once_it_has_ended(copy: Copy) -> None:
    copy.replace(f"{MOVED}/about.yaml", "sunset: 2027-12-31", "sunset: 2026-11-01, ended: 2026-11-24")
    pin = "    reads:\n      nl.brp.verhuisd.intergemeentelijk: 1\n"
    copy.write(PARTNERS, copy.read(PARTNERS).replace(pin, f"{pin}    ended: 2026-11-24\n"))

    faults = copy.faults(examples=True)  # examples of partners that have ended are

    assert all("partner-ended" in fault.what for fault in faults)


def test_examples_of_a_version_outlive_it_and_one_can_say_that_it_is_retired(copy: Copy) -> None:
    copy.replace(f"{MOVED}/about.yaml", "sunset: 2027-12-31", "sunset: 2026-11-01, ended: 2026-11-24")
    copy.write(PARTNERS, copy.read(PARTNERS).replace("verhuisd.intergemeentelijk: 1", "verhuisd.intergemeentelijk: 2"))
    refused = json.loads(copy.read(f"{MOVED}/examples/refused/infrastructurele-wijziging.json"))
    good = json.loads(copy.read(f"{MOVED}/examples/v1/door-de-ingeschrevene.json"))
    late = {
        **refused,
        "expect": "retired-version",
        "pointer": "/type",
        "event": {**refused["event"], "data": good["data"]},
    }
    copy.write(f"{MOVED}/examples/refused/te-laat.json", json.dumps(late))

    configuration.check(copy.folder / PARTNERS, copy.folder / "schemas", TODAY)


def test_a_lens_that_breaks_its_law_on_a_sample_alone_is_named(copy: Copy) -> None:
    application = "schemas/nl.verblijfsvergunningen.aanvraag-ontvangen"
    copy.replace(f"{application}/v1.json", '"ZS", "GZ"]', '"ZS", "GZ"], "examples": ["SU"]')
    copy.replace(f"{application}/v2.json", '        "startup",\n', "")

    line = copy.line(f"{application}/about.yaml", "versions:")
    assert_named(
        copy, copy.faults(examples=True), f"{application}/about.yaml", line, "breaks its law on a sample of v1"
    )


# -------------------------------------------------------------------------------------------- total


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = Copy(tmp_path_factory.mktemp("scratch"))
    for folder in (copy.folder / "schemas").iterdir():
        if f"schemas/{folder.name}" not in {MOVED, BSN, REFERRAL, ARTICLE, RELEASE}:
            shutil.rmtree(folder)
    return copy


def attempt(copy: Copy) -> None:
    """Load and check; nothing but a configuration or a list of faults may come out."""
    faults: tuple[Fault, ...] | None = None
    try:
        configuration.check(copy.folder / PARTNERS, copy.folder / "schemas", TODAY)
    except ConfigurationError as problem:
        faults = problem.faults
    assert faults is None or (faults and all(fault.line >= 1 and fault.what and fault.mend for fault in faults))


FRAGMENTS = st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=FRAGMENTS, file=st.sampled_from([PARTNERS, f"{BSN}/about.yaml", f"{BSN}/v1.json", LENS]))
def test_whatever_bytes_a_file_holds_only_faults_come_out(scratch: Copy, content: bytes, file: str) -> None:
    scratch.write(file, content)
    try:
        attempt(scratch)
    finally:
        scratch.mend()


ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "/data",
    "/data/x",
    "\u0000",
    [],
    ["x"],
    [[]],
    {},
    {"x": 1},
    {"$ref": "#"},
)


def spots(value: Any, loc: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if loc:
        yield loc
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from spots(inner, (*loc, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from spots(inner, (*loc, index))


def changed(value: Any, loc: tuple[Any, ...], chance: random.Random) -> Any:
    value = json.loads(json.dumps(value, default=str))
    owner = value
    for part in loc[:-1]:
        owner = owner[part]
    kind = chance.randrange(4)
    if kind == 0:
        del owner[loc[-1]]
    elif kind == 1 and isinstance(owner, dict):
        owner[chance.choice(["x", "type", "$ref", "properties", "items", "to", "fields", "from"])] = owner.pop(loc[-1])
    else:
        owner[loc[-1]] = chance.choice(ODD)
    return value


@pytest.mark.parametrize(
    "file",
    [
        PARTNERS,
        f"{MOVED}/about.yaml",
        f"{MOVED}/v1.json",
        f"{MOVED}/v2.json",
        LENS,
        f"{REFERRAL}/about.yaml",
        f"{ARTICLE}/v1.json",
        f"{RELEASE}/about.yaml",
        f"{BSN}/examples/v1/toegekend.json",
        f"{BSN}/examples/refused/acht-cijfers.json",
    ],
)
def test_whatever_value_stands_somewhere_only_faults_come_out(scratch: Copy, file: str) -> None:
    chance = random.Random(file)
    read = read_yaml if file.endswith("yaml") else read_json
    document = read(scratch.folder / file, Faults())
    assert document is not None
    places = list(spots(document.value))
    for loc in chance.sample(places, min(len(places), 25)):
        scratch.write(file, json.dumps(changed(document.value, loc, chance)))
        try:
            attempt(scratch)
        finally:
            scratch.mend()
