"""The shipped catalogue and partners: what the design and the law say of them, and the laws of every lens."""

from __future__ import annotations

import copy
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from expathub import configuration
from expathub.configuration.catalogue import TypeFiles, read_catalogue
from expathub.configuration.faults import Faults
from expathub.configuration.laws import trial
from expathub.core.catalogue import Command, EventType, SelectorKind
from expathub.core.identifiers import is_bsn
from expathub.core.lens import Plan, UnreachableError, Why, carry
from expathub.core.minimise import minimise
from expathub.core.partners import HUB_OPERATOR, OUTSIDE_GOVERNMENT, Role
from expathub.shipped import shipped

TODAY = date(2026, 11, 24)
FOUND = configuration.load(shipped("deploy", "partners.yaml"), shipped("schemas"))
TYPES: Mapping[str, EventType] = FOUND.catalogue.types
FILES: dict[str, TypeFiles] = {
    name: read for name, read in read_catalogue(shipped("schemas"), Faults()).items() if read is not None
}
MAJORS = [(name, major) for name, event_type in TYPES.items() for major in event_type.versions]
MOVED = TYPES["nl.brp.verhuisd.intergemeentelijk"]


# -------------------------------------------------------------------------------------------- as designed

MUNICIPALITIES = {
    "beek": "0888",
    "beekdaelen": "1954",
    "brunssum": "0899",
    "eijsden-margraten": "1903",
    "gulpen-wittem": "1729",
    "heerlen": "0917",
    "kerkrade": "0928",
    "landgraaf": "0882",
    "maastricht": "0935",
    "meerssen": "0938",
    "simpelveld": "0965",
    "sittard-geleen": "1883",
    "stein": "0971",
    "vaals": "0981",
    "valkenburg-aan-de-geul": "0994",
    "voerendaal": "0986",
}


def test_the_partners_are_the_twenty_two_of_the_design_and_the_operator() -> None:
    others = {"expat-centre", "ind", "aachen", "hasselt", "gip", "portal", HUB_OPERATOR}

    assert FOUND.partners.by_id.keys() == MUNICIPALITIES.keys() | others
    assert {
        id: partner.municipality for id, partner in FOUND.partners.by_id.items() if partner.municipality
    } == MUNICIPALITIES


def test_the_operator_speaks_with_the_hubs_source_and_has_a_role_of_its_own() -> None:
    operator = FOUND.partners.by_id[HUB_OPERATOR]

    assert operator.roles == {Role.OPERATOR}
    assert operator.source == FOUND.partners.hub_source


def test_every_oin_is_a_test_number() -> None:
    sources = [partner.source for partner in FOUND.partners.by_id.values() if ":oin:" in partner.source]

    assert len(sources) == 21
    assert all(source.startswith("urn:nld:oin:00000099") for source in sources)


def test_some_partners_read_the_older_version() -> None:
    pinned = {id for id, partner in FOUND.partners.by_id.items() if partner.reads}

    assert pinned == {"gulpen-wittem", "sittard-geleen", "valkenburg-aan-de-geul", "expat-centre", "ind"}


def test_the_commands_are_the_operators_and_have_no_recipient() -> None:
    commands = {event_type.name: event_type.command for event_type in TYPES.values() if event_type.command}

    assert commands == {
        "nl.expathub.vrijgegeven": Command.RELEASE,
        "nl.expathub.weggelegd": Command.DISCARD,
        "nl.expathub.gewist": Command.ERASE,
    }
    assert all(TYPES[name].publishers == {Role.OPERATOR} and not TYPES[name].grants for name in commands)


def test_nobody_can_publish_a_receipt() -> None:
    assert TYPES["nl.expathub.gebeurtenis-geweigerd"].publishers == frozenset()


@pytest.mark.parametrize("name", ["nl.expathub.vrijgegeven", "nl.expathub.weggelegd", "nl.expathub.gewist"])
@pytest.mark.parametrize(
    "rest", [{}, {"partner": None, "positions": None}, {"partner": "ind", "positions": ["hub.journal/3/17"]}]
)
def test_a_command_names_partner_and_positions_or_leaves_them_open(name: str, rest: dict[str, Any]) -> None:
    assert TYPES[name].versions[1].validate({"by": "beheer-1", "why": "x", **rest}) is None


def test_abroad_learns_name_address_language_and_topics_with_the_consent_and_nothing_else() -> None:
    leading_abroad = {
        (event_type.name, pointer)
        for event_type in TYPES.values()
        for grant in event_type.grants
        if grant.selector.role in OUTSIDE_GOVERNMENT or grant.selector.kind is SelectorKind.REFERRED_PARTNER
        for pointer in grant.fields[event_type.newest]
    }

    assert {name for name, _ in leading_abroad} == {"nl.expats.doorverwijzing-aangemaakt"}
    assert {pointer for _, pointer in leading_abroad} == {
        "/data/naam",
        "/data/email",
        "/data/taal",
        "/data/onderwerpen",
        "/data/toestemming/id",
        "/data/toestemming/gegevenOp",
        "/data/toestemming/tekstversie",
        "/data/toestemming/geldigTot",
        "/expirytime",
    }


def test_the_number_itself_goes_to_the_ind_alone() -> None:
    told = {
        str(grant.selector)
        for event_type in TYPES.values()
        for grant in event_type.grants
        for pointers in grant.fields.values()
        if "/data/burgerservicenummer" in pointers
    }

    assert told == {"role:ind"}


def test_whoever_loses_a_newcomer_is_told() -> None:
    moving = [event_type for event_type in TYPES.values() if event_type.effects.residence]

    assert len(moving) == 3
    for event_type in moving:
        assert SelectorKind.FORMER_MUNICIPALITY in {grant.selector.kind for grant in event_type.grants}


def test_a_municipality_speaks_for_itself_wherever_it_publishes_about_a_dossier() -> None:
    for event_type in TYPES.values():
        if Role.MUNICIPALITY in event_type.publishers and not event_type.public:
            assert event_type.publisher_owns, event_type.name


ABOUT_NEWCOMERS = sorted(name for name in TYPES if not name.startswith("nl.expathub."))
"""What partners say; the rest are the hub's own receipts and its operator's commands."""


def test_the_catalogue_has_eighteen_types_about_newcomers_and_two_for_everybody() -> None:
    public = {name for name in ABOUT_NEWCOMERS if TYPES[name].public}

    assert public == {"nl.expats.statistiek-gepubliceerd", "nl.voorlichting.artikel-gepubliceerd"}
    assert len(ABOUT_NEWCOMERS) == 18 + len(public)


@pytest.mark.parametrize("name", ABOUT_NEWCOMERS)
def test_every_live_major_has_three_good_examples_and_every_type_five_refused_ones(name: str) -> None:
    folder = shipped("schemas") / name / "examples"

    assert len(list((folder / "refused").glob("*.json"))) >= 5
    for major, version in TYPES[name].versions.items():
        if version.ended is None:
            assert len(list((folder / f"v{major}").glob("*.json"))) >= 3


def test_eight_types_have_changed_and_one_of_them_twice_and_every_older_major_says_when_it_ends() -> None:
    majors = {name: len(TYPES[name].versions) for name in TYPES if len(TYPES[name].versions) > 1}

    assert len(majors) == 8
    assert max(majors.values()) == 3
    for name in majors:
        assert all(TYPES[name].versions[major].sunset for major in range(1, TYPES[name].newest))


def test_every_type_says_how_long_it_is_kept_and_personal_content_not_for_long() -> None:
    for event_type in TYPES.values():
        assert event_type.retention is not None
        assert event_type.retention.account_years == 20
        assert event_type.public or event_type.retention.content_days == 30


def told_of(name: str) -> set[str]:
    return {str(grant.selector) for grant in TYPES[name].grants}


RESIDENCE, CENTRE, IND = "municipality-of-residence", "role:expat-centre", "role:ind"
TOLD = {
    "nl.expats.aankomst-aangemeld": {RESIDENCE, IND, "former-municipality"},
    "nl.expats.afspraak-gepland": {RESIDENCE, IND},
    "nl.expats.afspraak-geannuleerd": {RESIDENCE, IND},
    "nl.verblijfsvergunningen.aanvraag-ontvangen": {CENTRE},
    "nl.verblijfsvergunningen.vergunning-verleend": {RESIDENCE, CENTRE},
    "nl.verblijfsvergunningen.aanvraag-afgewezen": {CENTRE},
    "nl.verblijfsvergunningen.vergunning-gewijzigd": {RESIDENCE, CENTRE},
    "nl.verblijfsvergunningen.vergunning-beeindigd": {RESIDENCE},
    "nl.verblijfsvergunningen.document-afhaalbaar": {CENTRE},
    "nl.verblijfsvergunningen.document-uitgereikt": {IND},
    "nl.brp.ingeschreven.immigratie": {CENTRE, IND, "former-municipality"},
    "nl.brp.bsn-toegekend": {CENTRE, IND},
    "nl.brp.verhuisd.binnengemeentelijk": {CENTRE},
    "nl.brp.verhuisd.intergemeentelijk": {CENTRE, "former-municipality"},
    "nl.brp.verhuisd.naar-buitenland": {CENTRE, IND},
    "nl.brp.persoonsgegevens-gecorrigeerd": {"earlier-recipients"},
    "nl.expats.doorverwijzing-aangemaakt": {"referred-partner"},
    "nl.expats.toestemming-ingetrokken": {"earlier-recipients"},
    "nl.expats.statistiek-gepubliceerd": {"everyone"},
    "nl.voorlichting.artikel-gepubliceerd": {"everyone"},
}


def test_who_is_told_of_what_is_as_agreed() -> None:
    assert {name: told_of(name) for name in ABOUT_NEWCOMERS} == TOLD


def test_every_text_is_there_in_dutch_and_english() -> None:
    for event_type in TYPES.values():
        for words in (event_type.title, event_type.meaning, event_type.published_when, event_type.not_published_when):
            assert words.keys() == {"nl", "en"}


# --------------------------------------------------------------------------------------------- loading


def test_two_loads_are_the_same_and_a_comment_changes_nothing(tmp_path: Path) -> None:
    text = shipped("deploy", "partners.yaml").read_text("utf-8")
    (tmp_path / "partners.yaml").write_text(f"# a comment\n{text}", "utf-8")

    assert configuration.load(tmp_path / "partners.yaml", shipped("schemas")).digest == FOUND.digest


def test_the_digest_covers_partners_and_changes_with_the_revision(tmp_path: Path) -> None:
    text = shipped("deploy", "partners.yaml").read_text("utf-8")
    (tmp_path / "partners.yaml").write_text(text.replace("revision: 1", "revision: 2"), "utf-8")

    found = configuration.load(tmp_path / "partners.yaml", shipped("schemas"))

    assert found.revision == 2
    assert found.digest != FOUND.digest


def test_a_seventeenth_municipality_is_one_more_entry_in_a_file(tmp_path: Path) -> None:
    text = shipped("deploy", "partners.yaml").read_text("utf-8")
    entry = (
        "  - id: echt-susteren\n    name: Gemeente Echt-Susteren\n    roles: [municipality]\n    municipality: 1711\n"
        "    source: urn:nld:oin:00000099000001711000:systeem:burgerzaken\n    ended: 2027-01-01\n"
    )
    (tmp_path / "partners.yaml").write_text(text + entry, "utf-8")

    partner = configuration.load(tmp_path / "partners.yaml", shipped("schemas")).partners.by_id["echt-susteren"]

    assert (partner.municipality, partner.ended, partner.languages) == ("1711", date(2027, 1, 1), ())


def test_loading_is_fast_enough_for_every_command(benchmark_seconds: Callable[[Callable[[], object]], float]) -> None:
    spent = benchmark_seconds(lambda: configuration.load(shipped("deploy", "partners.yaml"), shipped("schemas")))

    assert spent < 0.5


def test_the_shipped_configuration_proves_itself() -> None:
    _, tally = configuration.check(shipped("deploy", "partners.yaml"), shipped("schemas"), TODAY)

    assert (tally.partners, tally.types, tally.lenses) == (22, len(TYPES), 9)


def test_the_shipped_configuration_proves_itself_in_ten_years_too() -> None:
    configuration.check(shipped("deploy", "partners.yaml"), shipped("schemas"), TODAY + timedelta(days=3650))


# ------------------------------------------------------------------------------------------ validators


def ordinary(name: str, major: int = 1) -> dict[str, Any]:
    folder = shipped("schemas") / name / "examples" / f"v{major}"
    data: dict[str, Any] = json.loads(next(iter(sorted(folder.glob("*.json")))).read_text("utf-8"))["data"]
    return data


FAULTY = [
    pytest.param(
        "nl.brp.bsn-toegekend",
        1,
        {"burgerservicenummer": "999993654"},
        "/data/burgerservicenummer",
        "x-nationaal-nummer",
        id="11-test",
    ),
    pytest.param(
        "nl.brp.bsn-toegekend",
        1,
        {"burgerservicenummer": "999993653\n"},
        "/data/burgerservicenummer",
        "pattern",
        id="a line break",
    ),
    pytest.param(
        "nl.brp.bsn-toegekend",
        1,
        {"burgerservicenummer": "\uff19" * 9},
        "/data/burgerservicenummer",
        "pattern",
        id="full width",
    ),
    pytest.param(
        "nl.brp.bsn-toegekend",
        1,
        {"datumToekenning": "2026-02-30"},
        "/data/datumToekenning",
        "format",
        id="30 February",
    ),
    pytest.param("nl.brp.bsn-toegekend", 1, {"999993653": 1}, "/data", "additionalProperties", id="unknown name"),
    pytest.param(
        "nl.brp.bsn-toegekend", 1, {"geheimhouding": True}, "/data/geheimhouding", "type", id="true for a number"
    ),
    pytest.param("nl.brp.bsn-toegekend", 1, {"geheimhouding": 1.5}, "/data/geheimhouding", "type", id="half a level"),
    pytest.param(
        "nl.brp.verhuisd.intergemeentelijk", 2, {"naar": {}}, "/data/naar/gemeentecode", "required", id="missing below"
    ),
    pytest.param(
        "nl.brp.verhuisd.intergemeentelijk",
        2,
        {"naar": {"gemeentecode": "0917", "999993653": 1}},
        "/data/naar",
        "additionalProperties",
        id="unknown name below",
    ),
    pytest.param(
        "nl.brp.verhuisd.intergemeentelijk",
        2,
        {"datumVan": {"type": "JaarDatum", "jaar": "2026"}},
        "/data/datumVan/jaar",
        "type",
        id="in the alternative that is meant",
    ),
    pytest.param(
        "nl.brp.verhuisd.intergemeentelijk",
        2,
        {"datumVan": {"type": "Eeuw"}},
        "/data/datumVan",
        "oneOf",
        id="no alternative",
    ),
    pytest.param(
        "nl.voorlichting.artikel-gepubliceerd", 1, {"teksten": [1]}, "/data/teksten/0", "type", id="in a list"
    ),
]


@pytest.mark.parametrize(("name", "major", "change", "pointer", "keyword"), FAULTY)
def test_a_fault_points_at_what_the_schema_knows(
    name: str, major: int, change: Any, pointer: str, keyword: str
) -> None:
    fault = TYPES[name].versions[major].validate({**ordinary(name, major), **change})

    assert fault is not None
    assert (fault.pointer, fault.keyword) == (pointer, keyword)


def test_a_missing_field_is_pointed_at_by_the_schemas_own_name() -> None:
    data = ordinary("nl.brp.bsn-toegekend")
    del data["burgerservicenummer"]

    fault = TYPES["nl.brp.bsn-toegekend"].versions[1].validate(data)

    assert fault is not None
    assert (fault.pointer, fault.keyword) == ("/data/burgerservicenummer", "required")


@pytest.mark.parametrize("data", [None, [], "x", 1, True])
def test_data_that_is_no_object_is_a_fault_of_data(data: Any) -> None:
    fault = TYPES["nl.brp.bsn-toegekend"].versions[1].validate(data)

    assert fault is not None
    assert (fault.pointer, fault.keyword) == ("/data", "type")


@pytest.mark.parametrize(
    "pattern_breaker", ["a" * 200_000, "a-" * 100_000, "0" * 200_000 + "!", " " * 200_000, "é" * 100_000]
)
def test_no_text_makes_a_pattern_run_for_long(
    pattern_breaker: str, benchmark_seconds: Callable[[Callable[[], object]], float]
) -> None:
    for event_type in TYPES.values():
        for version in event_type.versions.values():
            data = dict.fromkeys(version.schema["properties"], pattern_breaker)
            assert benchmark_seconds(partial(version.validate, data)) < 0.05


@pytest.fixture(scope="module")
def benchmark_seconds() -> Callable[[Callable[[], object]], float]:
    """Return the least CPU time of three runs: what the code costs, whoever else is using the machine."""

    def measure(work: Callable[[], object]) -> float:
        spent = []
        for _ in range(3):
            start = time.process_time()
            work()
            spent.append(time.process_time() - start)
        return min(spent)

    return measure


# ----------------------------------------------------------------------------------- generated from schemas


def strategy(root: Mapping[str, Any], schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Return data of every shape that a schema of the catalogue allows, the unusual alternatives too."""
    while "$ref" in schema:
        beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        schema = {**root["$defs"][schema["$ref"].removeprefix("#/$defs/")], **beside}
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "oneOf" in schema:
        return st.one_of([strategy(root, branch) for branch in schema["oneOf"]])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([BY_TYPE[one](root, schema) for one in types])


def objects(root: Mapping[str, Any], schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    members = {name: strategy(root, below) for name, below in schema["properties"].items()}
    required = {name: members[name] for name in schema.get("required", ())}
    return st.fixed_dictionaries(
        required, optional={name: made for name, made in members.items() if name not in required}
    )


def lists(root: Mapping[str, Any], schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    unique_by = json.dumps if schema.get("uniqueItems") else None
    least = schema.get("minItems", 0)
    return st.lists(
        strategy(root, schema["items"]),
        min_size=least,
        max_size=min(schema["maxItems"], least + 3),
        unique_by=unique_by,
    )


CODES = {
    "gemeentecode": ["0935", "0936", "0363", "9999"],
    "gemeentecode-actueel": ["0935", "1954", "0363"],
    "landcode": ["5010", "9089", "6029", "6014"],
    "landcode-iso": ["BE", "DE", "US", "IN", "FR"],
    "verblijfstitel": ["21", "23", "46"],
    "brp-datum": ["20260301", "20260300", "20260000", "00000000", "19000101", "29991231"],
}
"""Formats that are not drawn from a pattern: values at the edges of each."""

BY_FORMAT: Mapping[str, SearchStrategy[str]] = {
    "date": st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat),
    "date-time": st.datetimes(min_value=datetime(1900, 1, 1)).map(  # noqa: DTZ001 - the offset is written behind it
        lambda at: at.isoformat(timespec="seconds") + "+01:00"
    ),
    "email": st.from_regex(r"[a-z]{1,9}(\.[a-z0-9]{1,9})?@[a-z0-9]{1,9}\.example", fullmatch=True),
}


def texts(_: Mapping[str, Any], schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    if schema.get("x-nationaal-nummer") == "bsn":
        return st.integers(999_990_000, 999_999_999).map(str).filter(is_bsn)
    if schema.get("format") in CODES:
        return st.sampled_from([code for code in CODES[schema["format"]] if re.match(schema["pattern"], code)])
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    longest = schema.get("maxLength", 4000)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True).filter(lambda text: len(text) <= longest)
    return st.text(st.characters(codec="utf-8"), min_size=schema.get("minLength", 0), max_size=min(longest, 20))


BY_TYPE: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], SearchStrategy[Any]]] = {
    "object": objects,
    "array": lists,
    "string": texts,
    "integer": lambda _, schema: st.integers(schema["minimum"], schema["maximum"]),
    "boolean": lambda _, __: st.booleans(),
    "null": lambda _, __: st.none(),
}
DATA = {key: strategy(TYPES[key[0]].versions[key[1]].schema, TYPES[key[0]].versions[key[1]].schema) for key in MAJORS}
IN_ANY_MAJOR = st.sampled_from(MAJORS).flatmap(lambda key: st.tuples(st.just(key), DATA[key]))
EXAMPLES = int(os.environ.get("EXPATHUB_TEST_EXAMPLES", "100"))
"""How many values are generated for each law; `make faults` takes 20,000."""

MANY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(IN_ANY_MAJOR)
def test_what_the_schema_generates_is_valid(drawn: tuple[tuple[str, int], Any]) -> None:
    (name, major), data = drawn

    assert TYPES[name].versions[major].validate(data) is None


STEPS = [
    (name, source, target)
    for name, read in FILES.items()
    for older in read.lenses
    for source, target in ((older, older + 1), (older + 1, older))
]


@pytest.mark.parametrize(("name", "source", "target"), STEPS)
@MANY
@given(chance=st.data())
def test_a_lens_keeps_its_laws(name: str, source: int, target: int, chance: st.DataObject) -> None:
    data = chance.draw(DATA[name, source])
    before = copy.deepcopy(data)

    result = trial(TYPES[name], FILES[name].lenses[min(source, target)], source, target, data)

    assert result.broken is None
    assert data == before


SEVERAL = [
    (name, source, target)
    for name, kind in TYPES.items()
    for source in kind.versions
    for target in kind.versions
    if abs(source - target) > 1
]


@pytest.mark.parametrize(("name", "source", "target"), SEVERAL)
@MANY
@given(chance=st.data())
def test_a_way_over_several_majors_equals_its_steps(name: str, source: int, target: int, chance: st.DataObject) -> None:
    lenses = TYPES[name].lenses
    steps = {key: plan for key, plan in lenses.items() if abs(key[0] - key[1]) == 1}
    data = chance.draw(DATA[name, source])

    assert outcome(lenses, data, source, target) == outcome(steps, data, source, target)


def outcome(lenses: Mapping[tuple[int, int], Plan], data: Any, source: int, target: int) -> object:
    try:
        return carry(lenses, data, source, target)
    except UnreachableError as problem:
        return problem.pointer, problem.why


def test_every_loss_is_told_to_partners_in_both_languages() -> None:
    lossy = {(name, older): lens for name, read in FILES.items() for older, lens in read.lenses.items() if lens.notes}

    assert lossy.keys() == {
        ("nl.brp.verhuisd.intergemeentelijk", 1),
        ("nl.brp.verhuisd.naar-buitenland", 1),
        ("nl.verblijfsvergunningen.aanvraag-ontvangen", 2),
    }
    assert all(note.keys() == {"nl", "en"} for lens in lossy.values() for note in lens.notes)
    for name, read in FILES.items():
        for older, lens in read.lenses.items():
            assert bool(lens.lost_up | lens.lost_down) is ((name, older) in lossy)


def test_of_a_changed_type_every_way_is_there() -> None:
    for kind in TYPES.values():
        assert kind.lenses.keys() == {(one, other) for one in kind.versions for other in kind.versions if one != other}
    assert len(SEVERAL) == 2


@MANY
@given(DATA[MOVED.name, 1])
def test_every_older_move_can_be_read_by_a_newer_partner(data: Any) -> None:
    carry(MOVED.lenses, data, 1, 2)


@MANY
@given(DATA[MOVED.name, 2])
def test_a_newer_move_cannot_be_read_by_an_older_partner_when_and_only_when_its_day_is_not_known(data: Any) -> None:
    if data["datumVan"]["type"] == "Datum":
        assert carry(MOVED.lenses, data, 2, 1)["datumVan"] == data["datumVan"]["datum"]
        return
    with pytest.raises(UnreachableError) as caught:
        carry(MOVED.lenses, data, 2, 1)
    assert (caught.value.pointer, caught.value.why) == ("/data/datumVan/type", Why.VALUE)


@MANY
@given(IN_ANY_MAJOR, st.data())
def test_no_grant_lets_out_more_than_it_names(drawn: tuple[tuple[str, int], Any], chance: st.DataObject) -> None:
    (name, major), data = drawn
    for grant in TYPES[name].grants:
        kept = minimise({}, {**data, "nieuwVeld": chance.draw(st.text())}, grant.fields[major])

        assert kept.data == minimise({}, data, grant.fields[major]).data
        assert set(kept.fields) <= set(grant.fields[major])
        assert "nieuwVeld" not in kept.data
