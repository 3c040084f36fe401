"""How a partner knows a dossier: pairwise references, numbered keys, and what a marker may show of them."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expathub.core.references import ReferenceKeys

ONE, TWO = bytes(range(32)), bytes(range(1, 33))
SUBJECT = "0d9c8a52-77a1-4a54-8a3f-2f6ad6a5b1c3"


def test_a_reference_is_the_same_for_one_partner_and_another_for_each() -> None:
    keys = ReferenceKeys({1: ONE})

    assert keys.reference("aachen", SUBJECT) == keys.reference("aachen", SUBJECT)
    assert keys.reference("aachen", SUBJECT) != keys.reference("hasselt", SUBJECT)
    assert keys.reference("ab", "c") != keys.reference("a", "bc")


@given(st.text(), st.text())
def test_a_reference_has_the_form_of_a_uuid_of_version_8(partner: str, subject: str) -> None:
    reference = UUID(ReferenceKeys({1: ONE}).reference(partner, subject).text)

    assert (reference.version, reference.variant) == (8, "specified in RFC 4122")


def test_new_references_use_the_highest_number() -> None:
    old, new = ReferenceKeys({1: ONE}), ReferenceKeys({1: ONE, 2: TWO})

    assert old.reference("aachen", SUBJECT).key == 1
    assert new.reference("aachen", SUBJECT).key == 2
    assert old.reference("aachen", SUBJECT).text != new.reference("aachen", SUBJECT).text


def test_a_key_file_is_read_as_it_was_written() -> None:
    keys = ReferenceKeys({2: TWO, 1: ONE})

    assert ReferenceKeys.parse(keys.render()) == keys
    assert ReferenceKeys.parse(f"\n1:{ONE.hex()}\n\n") == ReferenceKeys({1: ONE})


@pytest.mark.parametrize("line", ["", "1", "1:zz", "x:00", f"0:{TWO.hex()}", f"1:{TWO.hex()}", f"2:{TWO.hex()}:3"])
def test_a_broken_line_is_named_and_not_shown(line: str) -> None:
    text = f"1:{ONE.hex()}\n{line or '?'}\n"

    with pytest.raises(ValueError, match=r"^line 2 is not `number:key in hexadecimal`") as raised:
        ReferenceKeys.parse(text)
    assert TWO.hex() not in str(raised.value)


@pytest.mark.parametrize("numbered", [{}, {0: ONE}, {1: ONE[:31]}])
def test_keys_that_would_not_keep_references_apart_are_refused(numbered: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="reference key"):
        ReferenceKeys(numbered)


def test_a_fingerprint_tells_keys_apart_and_gives_none_away() -> None:
    keys = ReferenceKeys({1: ONE, 2: TWO})

    fingerprints = keys.fingerprints()

    assert set(fingerprints) == {1, 2}
    assert len(set(fingerprints.values())) == 2
    assert all(key.hex() not in repr(keys) + str(fingerprints) for key in (ONE, TWO))
