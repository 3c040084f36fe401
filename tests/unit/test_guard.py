"""The second filter: what it must stop, also where the first has failed, and what it must let through."""

from __future__ import annotations

from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expathub.core.guard import finds_leak

DOSSIER = "0d9c8a52-77a1-4a54-8a3f-2f6ad6a5b1c3"
BSNS = ("999990342", "999993653", "000000012", "123456782", "111222333")


def leaks(event: object) -> bool:
    return finds_leak(orjson.dumps(event), DOSSIER)


def test_what_a_foreign_centre_may_have_passes() -> None:
    assert not leaks(
        {
            "id": "31c1a2c0-5a07-4b93-9a4f-6c1e8dd3a111",
            "source": "urn:nld:oin:00000099000100001000:systeem:expatbalie",
            "subject": "11111111-2222-8333-9444-555555555555",
            "time": "2026-09-21T14:13:20.123456789Z",
            "data": {"naam": "Noor Jansen", "taal": "en", "telefoon": "+31433501234", "onderwerpen": ["wonen", 2]},
        },
    )


@pytest.mark.parametrize("bsn", BSNS)
@pytest.mark.parametrize("form", ["{}", "BSN {}.", "bsn:{}", "({})"])
def test_a_number_that_may_be_a_bsn_is_stopped_wherever_it_stands(bsn: str, form: str) -> None:
    text = form.format(bsn)

    assert leaks({"data": {"opmerking": text}})
    assert leaks({"data": {"lijst": [{"diep": [text]}]}})
    assert leaks({"dataref": f"https://voorbeeld.nl/personen/{bsn}?x=1"})


@pytest.mark.parametrize("text", ["999.990.342", "999 990 342", "999-990-342", "٩٩٩٩٩٠٣٤٢", "999\u00a0990\u00a0342"])
def test_also_as_people_write_it(text: str) -> None:
    assert leaks({"data": {"opmerking": f"nummer {text}"}})


def test_also_as_a_number() -> None:
    assert leaks({"data": {"nummer": 999990342}})


@pytest.mark.parametrize("text", ["999999999", "123456789", "000000000", "9999903421", "A999990342", "12345678"])
def test_what_is_no_bsn_passes(text: str) -> None:
    assert not leaks({"data": {"opmerking": text}})


@pytest.mark.parametrize(
    "name",
    [
        *("burgerservicenummer", "bsn", "BSN", "bsnPartner", "aNummer", "a-nummer", "vNummer", "vreemdelingennummer"),
        *("documentnummer", "paspoort", "rijksregisternummer", "insz", "steuerId", "administratienummer", "azrNummer"),
    ],
)
def test_a_member_named_after_a_national_number_is_stopped_whatever_it_holds(name: str) -> None:
    assert leaks({"data": {"persoon": {name: {"verborgen": None}}}})


def test_the_dossier_id_is_stopped_in_any_spelling_and_place() -> None:
    assert leaks({"subject": DOSSIER})
    assert leaks({"data": {"verwijzing": f"urn:uuid:{DOSSIER.upper()}"}})
    assert leaks({"data": {DOSSIER: 1}})


def test_a_public_event_has_its_own_id() -> None:
    assert not finds_leak(orjson.dumps({"subject": DOSSIER}), None)


@given(st.uuids(), st.binary(min_size=32, max_size=32))
def test_no_uuid_and_no_digest_is_taken_for_a_bsn(identity: UUID, digest: bytes) -> None:
    assert not leaks({"id": str(identity), "data": {"hash": digest.hex()}})
