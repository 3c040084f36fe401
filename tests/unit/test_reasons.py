"""The closed lists of codes, and the page that explains them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expathub.core import profile
from expathub.core.reason_page import page
from expathub.core.reasons import Code, Held, Reason, Withheld

PAGE = Path(__file__).parents[2] / "docs" / "reason-codes.md"
CODES = [*Reason, *Held, *Withheld]


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{type(code).__name__}.{code.name}")
def test_every_code_is_its_name_in_small_letters_and_says_what_it_means_and_what_to_do(code: Code) -> None:
    assert code.value == code.name.lower().replace("_", "-")
    assert re.fullmatch(r"[`A-Z].*\.", code.meaning)
    assert re.fullmatch(r"[`A-Z].*\.", code.remedy)
    assert "|" not in code.meaning + code.remedy


def test_a_code_is_found_by_its_value() -> None:
    assert Reason.SCHEMA is Reason("schema")
    assert Held.POISON is Held("poison")
    assert Withheld.SECRECY is Withheld("secrecy")


def test_every_profile_code_has_one_numbered_rule_and_every_rule_one_code() -> None:
    assert [code for code in Reason if code.value.startswith("profile-")] == [
        rule.reason for rule in (*profile.MUST, *profile.SHOULD)
    ]
    assert list(range(1, 24)) == [rule.number for rule in (*profile.MUST, *profile.SHOULD)]


def test_the_page_is_up_to_date() -> None:
    assert page() == PAGE.read_text("utf-8"), "run the command that the page ends with"


def test_the_page_explains_every_code() -> None:
    explained = set(re.findall(r"^\| `([a-z0-9-]+)` \|", page(), re.MULTILINE))

    assert {code.value for code in CODES} <= explained
