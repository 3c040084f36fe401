"""The simulator: its events fit the schemas, its scripts repeat, and its oracle knows the rules by worked examples."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from expathub.configuration import load
from expathub.core.catalogue import Catalogue
from expathub.core.configuration import Configuration
from expathub.core.decode import decode
from expathub.core.event import Event, Refusal
from expathub.core.partners import Partner
from expathub.core.records import InputRecord, Position
from expathub.errors import MisconfiguredError
from expathub.shipped import shipped
from expathub.testing import contents, journeys, mishaps
from expathub.testing.actors import Newcomer
from expathub.testing.people import bsns_for_tests
from expathub.testing.region import Region
from expathub.testing.script import NOBODY, Outcome, Publication, Script

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(Path(shipped("deploy", "partners.yaml")), Path(shipped("schemas")))


@pytest.fixture
def region(configuration: Configuration) -> Region:
    return Region(configuration, seed=1, now=NOW)


@pytest.fixture
def ilse(region: Region) -> Newcomer:
    newcomer = region.newcomer()
    newcomer.arrives("maastricht")
    return newcomer


def fate_of(region: Region, publication: Publication) -> Publication:
    return region.script().publications[publication.number]


def told(region: Region, publication: Publication) -> set[str]:
    return set(fate_of(region, publication).fate.told)


def as_record(publication: Publication) -> InputRecord:
    position = Position(publication.topic, 0, publication.number)
    return InputRecord(position, publication.key, publication.value, publication.headers, 0)


# --- scripts ---


def test_the_same_arguments_give_the_same_script(configuration: Configuration) -> None:
    first, second = (journeys.write(configuration, events=120, seed=7, now=NOW) for _ in range(2))
    assert first == second


def test_another_run_has_the_same_deeds_about_other_dossiers(configuration: Configuration) -> None:
    first, second = (journeys.write(configuration, events=120, seed=7, now=NOW, run=run) for run in "ab")
    assert [one.deed for one in first.publications] == [one.deed for one in second.publications]
    assert not {one.subject for one in first.publications} & {one.subject for one in second.publications}
    assert not {one.event for one in first.publications} & {one.event for one in second.publications}


def test_another_seed_gives_another_script(configuration: Configuration) -> None:
    first, second = (journeys.write(configuration, events=120, seed=seed, now=NOW) for seed in (1, 2))
    assert [one.deed for one in first.publications] != [one.deed for one in second.publications]


@pytest.mark.parametrize("events", [1, 2, 37])
def test_a_script_has_exactly_as_many_records_as_asked(configuration: Configuration, events: int) -> None:
    assert len(journeys.write(configuration, events=events, seed=1, now=NOW).publications) == events


@pytest.fixture(scope="module")
def long_script(configuration: Configuration) -> Script:
    return journeys.write(configuration, events=2_000, seed=3, now=NOW)


def test_everything_that_is_accepted_fits_profile_and_schema(long_script: Script, configuration: Configuration) -> None:
    types = set()
    for publication in long_script.publications:
        if publication.fate.outcome is Outcome.REFUSED:
            continue
        event = decode(as_record(publication))
        assert isinstance(event, Event), publication.deed
        name, _, major = event.type.rpartition(".v")
        version = configuration.catalogue.types[name].versions[int(major)]
        assert version.validate(event.data) is None, publication.deed
        types.add(event.type)
    every = {f"{name}.v{major}" for name, kind in configuration.catalogue.types.items() for major in kind.versions}
    assert {one for one in every if not one.startswith("nl.expathub.")} == types


def test_a_long_script_shows_everything_that_can_happen(long_script: Script) -> None:
    fates = [publication.fate for publication in long_script.publications]
    assert {fate.outcome for fate in fates} == set(Outcome)
    assert {reason for fate in fates for reason in fate.withheld.values()} >= {"secrecy"}
    assert {code for fate in fates for code in fate.held.values()} >= {"unreachable-version", "held-behind"}
    assert any(fate.waited for fate in fates)
    assert {fate.code for fate in fates if fate.code} == {
        "duplicate",
        "not-your-municipality",
        "same-id-other-bytes",
        *mishaps.MISHAPS,
    }


def test_every_partner_is_told_something_and_all_but_those_who_have_nothing_to_say_publish(
    long_script: Script, configuration: Configuration
) -> None:
    partners = {name for name in configuration.partners.by_id if name != "hub-operator"}
    assert {partner for one in long_script.publications for partner in one.fate.told} == partners
    assert {one.partner for one in long_script.publications} == partners


def test_both_modes_are_used(long_script: Script) -> None:
    names = Counter(any(name.startswith("ce_") for name, _ in one.headers) for one in long_script.publications)
    assert names[True] > 100
    assert names[False] > 1_000


def test_a_record_waits_for_the_one_before_it_only_where_another_partner_sent_that(long_script: Script) -> None:
    last: dict[str, Publication] = {}
    for one in long_script.publications:
        before = last.get(one.subject)
        assert one.after == (before.number if before and before.partner != one.partner else None)
        last[one.subject] = one


def test_no_number_of_a_real_person_is_used() -> None:
    assert len(bsns_for_tests()) == 909
    assert all(number.startswith("99999") for number in bsns_for_tests())


def test_secrets_are_all_numbers_and_dossiers(region: Region, ilse: Newcomer) -> None:
    assert {ilse.person.dossier, ilse.person.bsn, ilse.person.v_number} <= region.script().secrets
    assert region.script().outsiders == {"aachen", "hasselt", "gip", "portal"}


def test_values_show_no_personal_data(ilse: Newcomer) -> None:
    content = contents.permit(ilse.person, NOW.date())
    for text in (repr(content), repr(ilse.person)):
        assert ilse.person.v_number not in text


def with_partners(configuration: Configuration, *partners: Partner) -> Configuration:
    named = {partner.id: partner for partner in partners}
    return replace(configuration, partners=replace(configuration.partners, by_id=named))


def without_versions(partner: Partner) -> Partner:
    return replace(partner, reads={})


def test_where_everybody_reads_the_newest_version_all_other_journeys_go_on(configuration: Configuration) -> None:
    modern = with_partners(configuration, *map(without_versions, configuration.partners.by_id.values()))
    script = journeys.write(modern, events=200, seed=1, now=NOW)
    assert not any("day unknown" in one.deed for one in script.publications)


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        (("expat-centre",), "expat-centre"),
        (("ind",), "ind"),
        (("aachen", "hasselt", "gip"), "border-info or foreign-centre"),
    ],
)
def test_a_configuration_without_the_cast_is_said(
    configuration: Configuration, left_out: tuple[str, ...], named: str
) -> None:
    rest = [one for one in configuration.partners.by_id.values() if one.id not in left_out]
    with pytest.raises(MisconfiguredError, match=f"need: {named}"):
        journeys.write(with_partners(configuration, *rest), events=1, seed=1, now=NOW)


def test_one_municipality_is_not_enough(configuration: Configuration) -> None:
    towns = {town.id for town in Region(configuration, seed=1, now=NOW).municipalities[1:]}
    rest = [one for one in configuration.partners.by_id.values() if one.id not in towns]
    with pytest.raises(MisconfiguredError, match="a second municipality"):
        journeys.write(with_partners(configuration, *rest), events=1, seed=1, now=NOW)


def test_a_catalogue_without_a_type_is_said(configuration: Configuration) -> None:
    types = {name: kind for name, kind in configuration.catalogue.types.items() if name != contents.PERMIT}
    poorer = replace(configuration, catalogue=Catalogue(types))
    with pytest.raises(MisconfiguredError, match=re.escape(contents.PERMIT)):
        journeys.write(poorer, events=1, seed=1, now=NOW)


# --- what goes wrong on purpose ---


@pytest.mark.parametrize(
    "code",
    [
        code
        for code in mishaps.MISHAPS
        if code not in ("not-your-source", "unknown-type", "unknown-version", "not-your-type", "schema")
    ],
)
def test_a_spoilt_record_is_refused_by_the_decoder_with_its_code(ilse: Newcomer, code: str) -> None:
    refusal = decode(as_record(mishaps.spoils(ilse, code)))
    assert isinstance(refusal, Refusal)
    assert refusal.reason.value == code


def test_an_event_sent_again_is_the_same_event(ilse: Newcomer) -> None:
    registered = ilse.home.registers(ilse)
    events = [decode(as_record(one)) for one in (registered, *(mishaps.resends(ilse, registered) for _ in range(20)))]
    assert len({event.canonical for event in events if isinstance(event, Event)}) == 1
    assert all(isinstance(event, Event) for event in events)


def test_an_id_used_again_has_other_content(ilse: Newcomer) -> None:
    registered = ilse.home.registers(ilse)
    first, second = (decode(as_record(one)) for one in (registered, mishaps.reuses_id(ilse, registered)))
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert (first.source, first.id) == (second.source, second.id)
    assert first.canonical != second.canonical


# --- what the oracle knows ---


def test_an_arrival_is_told_to_the_residence_and_the_ind(region: Region) -> None:
    assert told(region, region.newcomer().arrives("vaals")) == {"vaals", "ind"}


def test_another_residence_is_told_to_the_former_one_too(region: Region, ilse: Newcomer) -> None:
    assert told(region, ilse.arrives("vaals")) == {"vaals", "ind", "maastricht"}


def test_the_sender_is_never_told(region: Region, ilse: Newcomer) -> None:
    assert told(region, ilse.home.registers(ilse)) == {"expat-centre", "ind"}


def test_a_permit_before_the_arrival_waits_for_the_municipality_and_then_comes_first(region: Region) -> None:
    newcomer = region.newcomer()
    permit = region.ind.grants_permit(newcomer)
    appointment = region.centre.plans_appointment(newcomer)
    assert fate_of(region, permit).fate.held == {"municipality-of-residence": "residence-unknown"}
    assert fate_of(region, appointment).fate.held == {"municipality-of-residence": "residence-unknown"}
    arrival = newcomer.arrives("stein")
    assert not fate_of(region, permit).fate.held
    assert fate_of(region, permit).fate.waited == {"stein"}
    queue = region.script().queues["stein", newcomer.person.dossier]
    assert queue == (permit.event, appointment.event, arrival.event)


def test_a_move_is_told_to_the_municipality_that_was_left_and_to_nobody_else(region: Region, ilse: Newcomer) -> None:
    assert told(region, ilse.moves_to("heerlen")) == {"maastricht", "expat-centre"}


def test_a_move_that_version_1_cannot_say_waits_and_what_follows_waits_behind_it(region: Region) -> None:
    newcomer = region.newcomer()
    newcomer.arrives("gulpen-wittem")
    move = newcomer.moves_to("vaals", some_day=True)
    assert fate_of(region, move).fate.held == {"gulpen-wittem": "unreachable-version"}
    assert told(region, move) == {"expat-centre"}
    newcomer.moves_to("gulpen-wittem")
    permit = region.ind.grants_permit(newcomer)
    assert fate_of(region, permit).fate.held == {"gulpen-wittem": "held-behind"}
    assert told(region, permit) == {"expat-centre"}


def test_a_move_in_version_1_is_told_with_the_fields_of_the_version_that_each_reads(
    region: Region, ilse: Newcomer
) -> None:
    move = ilse.moves_to("gulpen-wittem", in_version_1=True)
    assert "/data/van/gemeentecode" in fate_of(region, move).fate.told["maastricht"]
    back = ilse.moves_to("maastricht")
    assert "/data/gemeentecodeVan" in fate_of(region, back).fate.told["gulpen-wittem"]


def test_a_referral_is_told_to_the_partner_it_names_alone(region: Region, ilse: Newcomer) -> None:
    assert told(region, ilse.consents_to("aachen")) == {"aachen"}


def test_secrecy_keeps_a_referral_from_abroad(region: Region, ilse: Newcomer) -> None:
    ilse.home.registers(ilse, secret=True)
    assert fate_of(region, ilse.consents_to("hasselt")).fate.withheld == {"hasselt": "secrecy"}


def test_secrecy_that_comes_later_keeps_corrections_from_abroad(region: Region, ilse: Newcomer) -> None:
    ilse.consents_to("aachen")
    secret = fate_of(region, ilse.home.makes_secret(ilse)).fate
    assert secret.withheld == {"aachen": "secrecy"}
    assert set(secret.told) == {"ind"}


def test_a_withdrawal_goes_to_all_who_were_told_even_if_the_dossier_is_secret_now(
    region: Region, ilse: Newcomer
) -> None:
    ilse.consents_to("aachen")
    ilse.home.makes_secret(ilse)
    assert told(region, ilse.withdraws_consent()) == {"aachen", "ind", "maastricht"}


def test_after_a_withdrawal_another_consent_is_for_its_partner_alone(region: Region, ilse: Newcomer) -> None:
    ilse.consents_to("aachen")
    ilse.withdraws_consent()
    assert told(region, ilse.consents_to("hasselt")) == {"hasselt"}


def test_who_never_consented_has_nothing_to_withdraw(ilse: Newcomer) -> None:
    with pytest.raises(ValueError, match="no consent"):
        ilse.withdraws_consent()


def test_a_correction_before_anybody_was_told_has_no_recipient(region: Region) -> None:
    newcomer = region.newcomer()
    correction = region.municipality("beek").corrects(newcomer)
    assert fate_of(region, correction).fate.withheld == {NOBODY: "no-recipient"}


def test_an_article_is_told_to_everybody_but_its_writer(region: Region, configuration: Configuration) -> None:
    article = region.partner("portal").publishes_article()
    assert told(region, article) == set(configuration.partners.by_id) - {"portal", "hub-operator"}


def test_who_has_ended_acts_no_more_and_is_not_told(configuration: Configuration) -> None:
    ended = replace(configuration.partners.by_id["aachen"], ended=NOW.date())
    later = with_partners(configuration, *{**configuration.partners.by_id, "aachen": ended}.values())
    region = Region(later, seed=1, now=NOW)
    with pytest.raises(KeyError, match="aachen"):
        region.partner("aachen")
    newcomer = region.newcomer()
    newcomer.arrives("vaals")
    assert fate_of(region, newcomer.consents_to("aachen")).fate.withheld == {"aachen": "partner-ended"}


def test_only_a_municipality_is_one(region: Region) -> None:
    with pytest.raises(KeyError, match="aachen"):
        region.municipality("aachen")


def test_a_bad_record_says_what_is_wrong_and_changes_nothing(region: Region, ilse: Newcomer) -> None:
    before = dict(region.script().queues)
    spoilt = mishaps.spoils(ilse, "schema")
    assert (spoilt.fate.outcome, spoilt.fate.code) == (Outcome.REFUSED, "schema")
    assert spoilt.partner == "maastricht"
    assert "datumVestiging" not in orjson.loads(spoilt.value or b"")["data"]
    assert region.script().queues == before
