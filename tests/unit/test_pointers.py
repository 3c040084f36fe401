"""JSON Pointers from the root of an event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expathub.core.pointers import parse, read, render


def test_the_empty_pointer_is_the_whole() -> None:
    assert parse("") == ()


def test_a_pointer_without_a_slash_is_none() -> None:
    with pytest.raises(ValueError, match="starts with /"):
        parse("data")


@given(st.lists(st.text()))
def test_what_is_written_is_read_back(path: list[str]) -> None:
    assert parse(render(tuple(path))) == tuple(path)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/data/a/b", 1),
        ("/data/a", {"b": 1}),
        ("/dataref", "urn:x"),
        ("/data/none", None),
        ("/data/a/b/c", None),
        ("/data/list/0", None),
        ("/unknown", None),
        ("/dataref/x", None),
    ],
)
def test_a_value_is_found_or_none(pointer: str, value: object) -> None:
    data = {"a": {"b": 1}, "none": None, "list": [1]}

    assert read({"dataref": "urn:x"}, data, pointer) == value
