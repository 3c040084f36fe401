"""What was released is kept: schemas grow, lenses stay, nothing ends sooner than was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from expathub.configuration.judging import judge
from expathub.core.compatibility.compare import Verdict
from expathub.core.compatibility.editions import Edition, Life, breaking, compare_editions, compare_types

ONE = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}}
TWO = {"type": "object", "additionalProperties": False, "properties": {"b": {"type": "string"}}}
UP = [{"move": {"from": "/data/a", "to": "/data/b"}}, {"add": {"field": "/data/c", "note": {"nl": "x", "en": "y"}}}]
EDITION = Edition({1: ONE, 2: TWO}, {1: UP}, {1: Life(date(2027, 12, 31)), 2: Life()})

READERS, WRITERS, FINE = Verdict.BREAKS_READERS, Verdict.BREAKS_WRITERS, Verdict.COMPATIBLE
LATER, SOONER = date(2028, 1, 1), date(2027, 1, 1)

NEW_FIELD = {**ONE, "properties": {"a": {"type": "string"}, "nieuw": {"type": "string"}}}
ADD = {"add": {"field": "/data/nieuw"}}


def lives(**changed: Life) -> Edition:
    """Return the edition with other lives."""
    return replace(EDITION, lives={**EDITION.lives, **{int(major[1:]): life for major, life in changed.items()}})


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (EDITION, set()),
        (replace(EDITION, schemas={1: NEW_FIELD, 2: TWO}), {("/v1/properties/nieuw", FINE)}),
        (replace(EDITION, schemas={1: {**ONE, "required": ["a"]}, 2: TWO}), {("/v1/required/0", WRITERS)}),
        (replace(EDITION, schemas={1: ONE}), {("/v2", READERS), ("/v2", WRITERS)}),
        (replace(EDITION, schemas={**EDITION.schemas, 3: TWO}), {("/v3", FINE)}),
        (replace(EDITION, lenses={}), {("/v1-v2.lens", READERS)}),
        (replace(EDITION, lenses={1: UP, 2: []}), {("/v2-v3.lens", FINE)}),
        (replace(EDITION, lenses={1: UP[:1]}), {("/v1-v2.lens/up/1", READERS)}),
        (replace(EDITION, lenses={1: UP[::-1]}), {("/v1-v2.lens/up/0", READERS)}),
        (replace(EDITION, lenses={1: [UP[0], {"add": {"field": "/data/c", "note": {"nl": "z"}}}]}), set()),
        (replace(EDITION, lenses={1: [*UP, ADD]}), {("/v1-v2.lens/up/2", FINE)}),
        (
            replace(EDITION, lenses={1: [*UP, {"wrap": {"field": "/data/b", "as": "x"}}]}),
            {("/v1-v2.lens/up/2", READERS)},
        ),
        (lives(v1=Life(LATER)), {("/versions/1/sunset", FINE)}),
        (lives(v1=Life(None)), {("/versions/1/sunset", FINE)}),
        (lives(v1=Life(SOONER)), {("/versions/1/sunset", WRITERS)}),
        (lives(v2=Life(LATER)), {("/versions/2/sunset", FINE)}),
        (lives(v1=Life(date(2027, 12, 31), LATER)), {("/versions/1/ended", FINE)}),
        (lives(v1=Life(date(2027, 12, 31), SOONER)), {("/versions/1/ended", WRITERS)}),
        (lives(v2=Life(None, LATER)), {("/versions/2/ended", WRITERS)}),
    ],
)
def test_what_becomes_of_a_released_type(new: Edition, expected: set[tuple[str, Verdict]]) -> None:
    found = compare_editions(EDITION, new, judge)

    assert expected == {(change.pointer, change.verdict) for change in found}
    assert {verdict for _, verdict in expected} - {FINE} == {change.verdict for change in breaking(found)}


def test_an_end_that_was_never_told_of_may_be_taken_back() -> None:
    ended = lives(v2=Life(None, LATER))

    assert [FINE] == [change.verdict for change in compare_editions(ended, EDITION, judge)]


def test_a_lens_between_majors_of_which_nothing_is_known_is_compared_all_the_same() -> None:
    old = Edition({}, {1: UP}, {})

    assert [READERS] == [one.verdict for one in compare_editions(old, replace(old, lenses={1: None}), judge)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"nl.a.b": EDITION}, {"nl.a.b": lives(v1=Life(SOONER))}, {("/nl.a.b/versions/1/sunset", WRITERS)}),
        ({"nl.a.b": EDITION}, {}, {("/nl.a.b", READERS), ("/nl.a.b", WRITERS)}),
        ({}, {"nl.a.b": EDITION}, {("/nl.a.b", FINE)}),
    ],
)
def test_a_type_is_never_taken_away(old: Any, new: Any, expected: set[tuple[str, Verdict]]) -> None:
    assert expected == {(change.pointer, change.verdict) for change in compare_types(old, new, judge)}
