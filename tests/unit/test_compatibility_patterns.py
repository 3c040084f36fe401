"""Regular expressions are compared by what they take, and examples fit them."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.core.compatibility import patterns
from expathub.core.compatibility.patterns import NOTHING, example, included, of_length


def takes(pattern: str, text: str) -> bool:
    validator = jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
    return validator.is_valid(text)


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        ("^[0-9]{4}$", "^[0-9]{3,5}$", True),
        ("^[0-9]{4}$", "^[0-8]{4}$", False),
        ("^a+$", "a", True),
        ("x", "^x$", False),
        ("^(?:ab|ac)$", "^a[bc]$", True),
        ("^a[bc]$", "^(ab|ac)$", True),
        ("^a?b*c+?$", "^a{0,1}b{0,}c{1,}$", True),
        ("^\\d$", "^\\w$", True),
        ("^\\w$", "^[^-]$", True),
        ("^.$", "^[^\\n]$", True),
        ("^[^\\n]$", "^.$", False),
        ("^\\t\\r\\n\\-\\x41\\u00e9$", "^\\t\\r\\n-Aé$", True),
        ("^a$|^b$", "^[ab]$", True),
        ("^[]$", "^x$", True),
        ("^x$", NOTHING, False),
        ("^[a-]$", "^(a|-)$", True),
        ("^a(?=b)", "^a", None),
        ("^a", "^a(?=b)", None),
        ("^(?=b)a", "x", None),
        ("^a{2,1}$", "^a$", None),
        ("^a{9999}$", "^a$", None),
        ("^a{100000}$", "^a$", None),
        ("^(a{900}){9}$", "^a$", None),
        ("^a{x}$", "^a$", None),
        ("^a{2", "^a$", None),
        ("^a\\", "^a$", None),
        ("^\\b$", "^a$", None),
        ("^\\x4$", "^a$", None),
        ("^\\u00zz$", "^a$", None),
        ("^[b-a]$", "^a$", None),
        ("^[\\d-z]$", "^a$", None),
        ("^[a", "^a$", None),
        ("^a)$", "^a$", None),
        ("^(a$", "^a$", None),
        ("^a$b", "^a$", None),
        ("^*", "^a$", None),
        ("^(a", "^a$", None),
        ("^[^\\x00a-ca]$", "^[^b]$", True),
        ("^[a\\", "^a$", None),
    ],
)
def test_what_one_expression_takes_another_takes_too(narrow: str, wide: str, *, expected: bool | None) -> None:
    assert included([narrow], wide) is expected


def test_several_expressions_hold_together() -> None:
    assert included(["^[0-9]+$", of_length(2, 2)], "^[0-9]{2}$")
    assert included(["^[0-9]+$", "(?=x)"], "^[0-9]+$")  # what cannot be read could only narrow it
    assert included(["(?=x)"], "^[0-9]+$") is None
    assert included([], "^[^a]*$") is False


def test_texts_are_as_long_as_was_asked() -> None:
    assert [False, True, True, False] == [takes(of_length(1, 2), "é" * size) for size in range(4)]
    assert takes(of_length(0, None), "\\n" * 50)


def test_an_example_fits_and_is_the_shortest() -> None:
    assert "0000-00-00" == example(["^[0-9]{4}-[0-9]{2}-[0-9]{2}$"])
    assert "000" == example(["^[0-9]+$"], of_length(0, 2))
    assert example(["^a$"], "^a$") is None
    assert example(["(?=a)"]) is None
    assert example(["^a$"], "(?=a)") is None


def test_a_search_that_grows_too_large_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PAIRS_MAX", 3)

    assert included(["^[ab]{9}$"], "^[ab]{8,9}$") is None


pieces = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "(a|bc)", "(?:ab)", "0", "\\d"])
quantifiers = st.sampled_from(["", "?", "*", "+", "{2}", "{1,2}", "{1,}"])
expressions = st.builds(
    lambda start, body, end: start + "".join(f"{piece}{how}" for piece, how in body) + end,
    st.sampled_from(["^", ""]),
    st.lists(st.tuples(pieces, quantifiers), max_size=3),
    st.sampled_from(["$", ""]),
)


@settings(deadline=None)
@given(expressions, expressions, st.lists(st.text("abc0\\n", max_size=6), max_size=20))
def test_the_validator_agrees(narrow: str, wide: str, texts: list[str]) -> None:
    verdict = included([narrow], wide)
    if verdict:
        assert [] == [text for text in texts if takes(narrow, text) and not takes(wide, text)]
    elif verdict is False:
        text = example([narrow], wide)
        assert text is not None
        assert takes(narrow, text)
        assert not takes(wide, text)
