"""Numbers of persons are found where they stand alone, and nowhere else."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.core.identifiers import holds_bsn, is_bsn, is_oin, is_uuid

BSNS = ["999990342", "999993653", "999992806", "999990019", "000000012", "000000024", "000000036"]


@pytest.mark.parametrize("number", BSNS)
def test_a_bsn_passes_the_eleven_test(number: str) -> None:
    assert is_bsn(number)


@pytest.mark.parametrize(
    "text",
    [
        "000000000",
        "999999999",
        "99999034",
        "9999903422",
        "99999034x",
        "",
        "\uff19\uff19\uff19\uff19\uff19\uff10\uff13\uff14\uff12",
        " 99990342",
        "999990343",
    ],
)
def test_other_text_is_no_bsn(text: str) -> None:
    assert not is_bsn(text)


@pytest.mark.parametrize(
    "text",
    [
        "999990342",
        "bsn:999990342",
        "/personen/999990342",
        "x 999990342.",
        "é999990342ü",
        "a=1&bsn=999990342&b",
        "_999990342_",
    ],
)
@pytest.mark.parametrize("raw", ["", "9", "=", "0"], ids=["nothing", "nine", "equals", "zero"])
def test_a_bsn_that_stands_alone_is_found_also_where_a_character_is_percent_encoded(text: str, raw: str) -> None:
    assert holds_bsn((text.replace(raw, f"%{ord(raw):X}") if raw else text).encode())


def test_a_bsn_that_is_percent_encoded_twice_is_found() -> None:
    assert holds_bsn(b"https://x.example/?q=%2539%2539%2539%2539%2539%2530%2533%2534%2532")


def test_a_bsn_behind_an_encoded_space_is_found() -> None:
    assert holds_bsn(b"q=%20999990342")


@pytest.mark.parametrize(
    "text",
    [
        "x999990342",
        "999990342x",
        "0999990342",
        "-999990342",
        "999990342-1",
        "999999999",
        "000000000",
        "%3999999034",
        "%",
    ],
)
def test_what_does_not_stand_alone_or_fails_the_test_is_no_bsn(text: str) -> None:
    assert not holds_bsn(text.encode())


@settings(deadline=None)
@given(st.uuids(), st.binary(), st.from_regex(r"0000000[0-9]{13}", fullmatch=True))
def test_no_uuid_digest_or_organisation_number_is_taken_for_a_bsn(uuid: object, content: bytes, oin: str) -> None:
    digest = sha256(content).hexdigest()

    assert not holds_bsn(f"{uuid} {digest} sha256:{digest} {oin} urn:nld:oin:{oin}:systeem:brp".encode())


@settings(deadline=None)
@given(st.text(), st.sampled_from(BSNS), st.text())
def test_a_bsn_between_any_two_boundaries_is_found(before: str, number: str, after: str) -> None:
    text = f"{before} {number}/{after}".encode("utf-8", "replace")

    assert holds_bsn(text)


@pytest.mark.parametrize("text", ["00000099000000935000", "00000001822477348000", "00000008123456789000"])
def test_an_organisation_number_has_twenty_digits_and_a_prefix_of_the_register(text: str) -> None:
    assert is_oin(text)


@pytest.mark.parametrize("text", ["000000990000009350000", "0000009900000093500", "00000012000000935000", "x" * 20, ""])
def test_other_text_is_no_organisation_number(text: str) -> None:
    assert not is_oin(text)


@settings(deadline=None)
@given(st.uuids(allow_nil=False))
def test_a_uuid_has_one_spelling(uuid: object) -> None:
    assert is_uuid(str(uuid)) == (str(uuid) != "ffffffff-ffff-ffff-ffff-ffffffffffff")
    assert is_uuid(str(uuid).upper()) == (str(uuid).upper() == str(uuid))
    assert not is_uuid(str(uuid).replace("-", ""))
    assert not is_uuid(f"urn:uuid:{uuid}")
    assert not is_uuid(f"{uuid}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "g" * 36,
        "é" * 36,
        "\ud800" * 36,
    ],
)
def test_what_names_nothing_is_no_uuid(text: str) -> None:
    assert not is_uuid(text)
