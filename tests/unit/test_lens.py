"""Lenses carry data between majors both ways, never change what they are given, and never guess."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expathub.configuration.tables import shipped_tables
from expathub.core.conversions import Convert, Country, Multiple, RegisterDate
from expathub.core.lens import ABSENT, Lens, Operation, UnreachableError, Why, carry, plans, same, take, without
from expathub.core.lens_operations import (
    Add,
    Inverse,
    Move,
    Rewrite,
    Row,
    Split,
    ToList,
    Wrap,
    form,
    recode,
)

HOUSE = {"nr": "[0-9]{1,5}", "toev": "[a-z]{1,4}"}
SPLIT = Split(
    ("huis",),
    (form("{nr}-{toev}", HOUSE), form("{nr}", HOUSE)),
    {"nr": ("nummer",), "toev": ("toevoeging",)},
    frozenset({"nr"}),
)
DATE = {"j": "[0-9]{4}", "m": "[0-9]{2}", "d": "[0-9]{2}"}
REWRITE = Rewrite(("d",), form("{j}-{m}-{d}", DATE), form("{j}{m}{d}", DATE))
RECODE = recode(("c",), [Row("A", "ambtshalve"), Row("1", newer=True), Row(1, None), Row("B", "ambtshalve", "up")])


DAY = Convert(("d",), RegisterDate())
WEEKS = Convert(("n",), Multiple(7))
COUNTRY = Convert(("l",), Country(shipped_tables().countries), lost_up=(("l",),))


def lens(*operations: Operation) -> Lens:
    return Lens(operations, {})


BOTH_WAYS = [
    pytest.param(Move(("a",), ("b",)), {"a": 1, "x": 2}, {"b": 1, "x": 2}, id="rename"),
    pytest.param(Move(("a",), ("b", "c", "d")), {"a": None}, {"b": {"c": {"d": None}}}, id="move deeper"),
    pytest.param(Move(("a", "b"), ("c",)), {"a": {"b": 1, "z": 2}}, {"c": 1, "a": {"z": 2}}, id="move out"),
    pytest.param(Move(("a",), ("b",)), {"x": 2}, {"x": 2}, id="nothing to move"),
    pytest.param(Add(("a",), "new"), {"x": 1}, {"x": 1, "a": "new"}, id="add"),
    pytest.param(Add(("a",)), {"x": 1}, {"x": 1}, id="add nothing"),
    pytest.param(Add(("a", "t"), 1, ("a", "v")), {"a": {"v": 2}}, {"a": {"v": 2, "t": 1}}, id="add beside"),
    pytest.param(Add(("a", "t"), 1, ("a", "v")), {"x": 1}, {"x": 1}, id="add beside nothing"),
    pytest.param(Inverse(Add(("a",), "old")), {"a": "old", "x": 1}, {"x": 1}, id="remove"),
    pytest.param(Wrap(("a",), "v"), {"a": [1]}, {"a": {"v": [1]}}, id="wrap"),
    pytest.param(Wrap(("a", "b"), "v"), {"a": {"b": 1}}, {"a": {"b": {"v": 1}}}, id="wrap inside"),
    pytest.param(Wrap(("a",), "v"), {}, {}, id="wrap nothing"),
    pytest.param(Inverse(Wrap(("a",), "v")), {"a": {"v": 1}}, {"a": 1}, id="unwrap"),
    pytest.param(ToList(("a",)), {"a": 1}, {"a": [1]}, id="to list"),
    pytest.param(Inverse(ToList(("a",))), {"a": [1]}, {"a": 1}, id="from list"),
    pytest.param(RECODE, {"c": "A"}, {"c": "ambtshalve"}, id="recode"),
    pytest.param(RECODE, {"c": "1"}, {"c": True}, id="recode a text to a truth"),
    pytest.param(RECODE, {"c": 1}, {"c": None}, id="recode a number to null"),
    pytest.param(RECODE, {}, {}, id="recode nothing"),
    pytest.param(SPLIT, {"huis": "12-bis"}, {"nummer": 12, "toevoeging": "bis"}, id="split"),
    pytest.param(SPLIT, {"huis": "12"}, {"nummer": 12}, id="split without the second part"),
    pytest.param(SPLIT, {}, {}, id="split nothing"),
    pytest.param(Inverse(SPLIT), {"nummer": 7, "toevoeging": "a"}, {"huis": "7-a"}, id="join"),
    pytest.param(REWRITE, {"d": "2026-03-01"}, {"d": "20260301"}, id="rewrite"),
    pytest.param(REWRITE, {}, {}, id="rewrite nothing"),
    pytest.param(DAY, {"d": "20260301"}, {"d": {"type": "Datum", "datum": "2026-03-01"}}, id="a date of the register"),
    pytest.param(DAY, {"d": "20260000"}, {"d": {"type": "JaarDatum", "jaar": 2026}}, id="a year of the register"),
    pytest.param(WEEKS, {"n": 13}, {"n": 91}, id="weeks are days"),
    pytest.param(COUNTRY, {"l": "5010"}, {"l": "BE"}, id="a country"),
    pytest.param(COUNTRY, {}, {}, id="no country"),
]


@pytest.mark.parametrize(("operation", "older", "newer"), BOTH_WAYS)
def test_an_operation_goes_both_ways(operation: Operation, older: Any, newer: Any) -> None:
    before = copy.deepcopy((older, newer))
    both = lens(operation)

    assert same(both.up()(older), newer)
    assert same(both.down()(newer), older)
    assert same((older, newer), before) or (older, newer) == before


UNREACHABLE = [
    pytest.param(lens(Move(("a",), ("b",))).up(), {"a": 1, "b": 2}, "/data/b", Why.OCCUPIED, id="over something"),
    pytest.param(lens(Move(("a",), ("b", "c"))).up(), {"a": 1, "b": 2}, "/data/b/c", Why.OCCUPIED, id="into a text"),
    pytest.param(lens(Add(("a",), 1)).down(), {"a": 2}, "/data/a", Why.VALUE, id="more than implied"),
    pytest.param(lens(Add(("a",), 1)).down(), {"a": True}, "/data/a", Why.VALUE, id="true is not 1"),
    pytest.param(lens(Add(("a",))).down(), {"a": 1}, "/data/a", Why.VALUE, id="nothing is implied"),
    pytest.param(lens(Wrap(("a",), "v")).down(), {"a": 1}, "/data/a", Why.FORM, id="unwrap a number"),
    pytest.param(lens(Wrap(("a",), "v")).down(), {"a": {"v": 1, "w": 2}}, "/data/a", Why.FORM, id="unwrap too much"),
    pytest.param(lens(ToList(("a",))).down(), {"a": [1, 2]}, "/data/a", Why.SEVERAL, id="two for one"),
    pytest.param(lens(ToList(("a",))).down(), {"a": []}, "/data/a", Why.SEVERAL, id="none for one"),
    pytest.param(lens(ToList(("a",))).down(), {"a": 1}, "/data/a", Why.SEVERAL, id="no list"),
    pytest.param(lens(RECODE).up(), {"c": "Z"}, "/data/c", Why.TABLE, id="not in the table"),
    pytest.param(lens(RECODE).up(), {"c": True}, "/data/c", Why.TABLE, id="true is not in the table"),
    pytest.param(lens(RECODE).up(), {"c": 1.0}, "/data/c", Why.TABLE, id="1.0 is not in the table"),
    pytest.param(lens(RECODE).up(), {"c": ["A"]}, "/data/c", Why.TABLE, id="a list is not in the table"),
    pytest.param(lens(SPLIT).up(), {"huis": "12-"}, "/data/huis", Why.FORM, id="half a house number"),
    pytest.param(lens(SPLIT).up(), {"huis": "007"}, "/data/huis", Why.FORM, id="007 would come back as 7"),
    pytest.param(lens(SPLIT).up(), {"huis": 12}, "/data/huis", Why.FORM, id="a number for a text"),
    pytest.param(lens(SPLIT).down(), {"toevoeging": "a"}, "/data/huis", Why.INCOMPLETE, id="a part is missing"),
    pytest.param(lens(SPLIT).down(), {"nummer": "7"}, "/data/nummer", Why.FORM, id="a text for a number"),
    pytest.param(lens(SPLIT).down(), {"nummer": True}, "/data/nummer", Why.FORM, id="true for a number"),
    pytest.param(
        lens(SPLIT).down(), {"nummer": 7, "toevoeging": "A9"}, "/data/huis", Why.AMBIGUOUS, id="not read back"
    ),
    pytest.param(lens(SPLIT).down(), {"nummer": -7}, "/data/huis", Why.AMBIGUOUS, id="not written so"),
    pytest.param(lens(REWRITE).up(), {"d": "1 maart"}, "/data/d", Why.FORM, id="no date"),
    pytest.param(lens(REWRITE).up(), {"d": 20260301}, "/data/d", Why.FORM, id="a number for a date"),
    pytest.param(lens(DAY).up(), {"d": "20260015"}, "/data/d", Why.FORM, id="a day without a month"),
    pytest.param(lens(DAY).up(), {"d": 20260301}, "/data/d", Why.FORM, id="a number for digits"),
    pytest.param(lens(DAY).down(), {"d": {"type": "Eeuw"}}, "/data/d", Why.FORM, id="a century"),
    pytest.param(lens(DAY).down(), {"d": "2026"}, "/data/d", Why.FORM, id="a text for an object"),
    pytest.param(lens(WEEKS).down(), {"n": 90}, "/data/n", Why.UNIT, id="no whole weeks"),
    pytest.param(lens(WEEKS).down(), {"n": True}, "/data/n", Why.FORM, id="true is no number of days"),
    pytest.param(lens(WEEKS).up(), {"n": 1.0}, "/data/n", Why.FORM, id="1.0 is no number of weeks"),
    pytest.param(lens(COUNTRY).up(), {"l": "9999"}, "/data/l", Why.TABLE, id="a country that is not in the table"),
    pytest.param(lens(COUNTRY).up(), {"l": 5010}, "/data/l", Why.TABLE, id="a number for a country"),
    pytest.param(lens(COUNTRY).down(), {"l": "FR"}, "/data/l", Why.TABLE, id="an ISO code that is not in the table"),
    pytest.param(lens(COUNTRY).down(), {"l": None}, "/data/l", Why.TABLE, id="null for a country"),
    pytest.param(lens(Move(("a",), ("b",))).up(), [1], "/data", Why.FORM, id="data is no object"),
    pytest.param(lambda data: carry({}, data, 1, 2), {"a": 1}, "/data", Why.NO_LENS, id="no lens"),
]


@pytest.mark.parametrize(("plan", "data", "pointer", "why"), UNREACHABLE)
def test_what_cannot_be_carried_is_refused_with_the_place_and_the_reason(
    plan: Any, data: Any, pointer: str, why: Why
) -> None:
    with pytest.raises(UnreachableError) as caught:
        plan(data)

    assert (caught.value.pointer, caught.value.why) == (pointer, why)
    assert str(caught.value) == f"{pointer}: {why.value}"


def test_two_forms_that_could_both_be_read_are_never_written() -> None:
    parts = {"a": "[a-z]*", "b": "[a-z]*"}
    split = lens(Split(("t",), (form("{a}{b}", parts),), {"a": ("a",), "b": ("b",)}))

    with pytest.raises(UnreachableError) as caught:
        split.down()({"a": "x", "b": "y"})

    assert caught.value.why is Why.AMBIGUOUS


def test_a_text_that_the_other_form_reads_otherwise_is_never_written() -> None:
    parts = {"a": "[a-z]+", "b": "[a-z]?"}
    rewrite = lens(Rewrite(("t",), form("{a}-{b}", parts), form("{a}{b}", parts)))

    with pytest.raises(UnreachableError) as caught:
        rewrite.up()({"t": "x-y"})

    assert caught.value.why is Why.AMBIGUOUS


def test_a_loss_is_declared_and_named_as_each_side_calls_it() -> None:
    note = lens(
        Move(("aangifte",), ("door",)),
        recode(("door",), [Row("A", "x"), Row("B", "x", "up"), Row("C", "y", "down"), Row("C", "z")]),
        Add(("functie",), "woon", drops=True),
        Move(("functie",), ("adres", "functie")),
    )

    assert note.lost_up == {("aangifte",)}
    assert note.lost_down == {("door",), ("adres", "functie")}
    assert note.down()(note.up()({"aangifte": "B"})) == {"aangifte": "A"}
    assert note.down()({"adres": {"functie": "brief"}}) == {}
    removed = lens(Inverse(Add(("a",), drops=True)))
    assert (removed.lost_up, removed.lost_down) == (frozenset({("a",)}), frozenset())


@pytest.mark.parametrize(
    ("operation", "older", "newer"),
    [
        (Move(("a",), ("b",)), (("a",),), (("b",),)),
        (Add(("a",)), (), (("a",),)),
        (Inverse(Add(("a",))), (("a",),), ()),
        (Wrap(("a",), "v"), (("a",),), (("a", "v"),)),
        (ToList(("a",)), (("a",),), (("a",),)),
        (SPLIT, (("huis",),), (("nummer",), ("toevoeging",))),
    ],
)
def test_an_operation_names_what_it_takes_and_makes(operation: Operation, older: Any, newer: Any) -> None:
    assert (operation.older, operation.newer) == (older, newer)


def test_rows_that_give_a_value_two_counterparts_are_no_table() -> None:
    with pytest.raises(ValueError, match="two counterparts"):
        recode(("c",), [Row("A", "x"), Row("A", "y")])
    with pytest.raises(ValueError, match="two counterparts"):
        recode(("c",), [Row("A", "x"), Row("B", "x")])


@pytest.mark.parametrize(
    ("template", "parts"),
    [("none", {"a": "x"}), ("{a}{a}", {"a": "x"}), ("{b}", {"a": "x"}), ("{a}}", {"a": "x"}), ("{a}", {"a": "("})],
)
def test_a_form_that_makes_no_sense_is_refused(template: str, parts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"part|expression|braces"):
        form(template, parts)


def test_steps_over_several_majors_are_taken_one_by_one() -> None:
    first, second = lens(Move(("a",), ("b",))), lens(Wrap(("b",), "c"))
    lenses = {(1, 2): first.up(), (2, 1): first.down(), (2, 3): second.up(), (3, 2): second.down()}

    assert carry(lenses, {"a": 1}, 1, 3) == {"b": {"c": 1}}
    assert carry(lenses, {"b": {"c": 1}}, 3, 1) == {"a": 1}
    assert carry(lenses, {"a": 1}, 1, 1) == {"a": 1}


def test_a_way_over_several_majors_is_one_plan_and_equals_the_steps() -> None:
    lenses = {1: lens(Move(("a",), ("b",))), 2: lens(Wrap(("b",), "c")), 3: lens(Add(("n",), 1))}
    compiled = plans(lenses)
    adjacent = {key: plan for key, plan in compiled.items() if abs(key[0] - key[1]) == 1}

    assert compiled.keys() == {(one, other) for one in range(1, 5) for other in range(1, 5) if one != other}
    for source, target, data in ((1, 4, {"a": 1}), (4, 1, {"b": {"c": 1}, "n": 1}), (4, 2, {"b": {"c": 1}, "n": 1})):
        assert carry(compiled, data, source, target) == carry(adjacent, data, source, target)
    with pytest.raises(UnreachableError) as caught:
        carry(compiled, {"b": {"c": 1}, "n": 2}, 4, 1)
    assert (caught.value.pointer, caught.value.why) == ("/data/n", Why.VALUE)


def test_a_country_code_that_is_closed_comes_back_as_todays_and_the_loss_is_declared() -> None:
    both = lens(COUNTRY)

    assert both.down()(both.up()({"l": "6029"})) == {"l": "9089"}
    assert (both.lost_up, both.lost_down) == (frozenset({("l",)}), frozenset())


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, 1.0), ({"a": 1}, {"a": 1, "b": 2}), ([1], [1, 2]), ([1], [True]), (None, False), ({}, [])],
)
def test_values_that_python_takes_for_equal_are_told_apart(one: Any, other: Any) -> None:
    assert not same(one, other)


def test_data_without_fields_are_the_rest() -> None:
    data = {"a": {"b": 1}, "c": 2}

    assert without(data, frozenset({("a", "b")})) == {"c": 2}
    assert without(data, frozenset()) is data
    assert without([1], frozenset({("a",)})) == [1]


def test_absent_is_not_null() -> None:
    assert lens(Add(("a",), None)).up()({}) == {"a": None}
    assert lens(Add(("a",), ABSENT)).up()({}) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab-12", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "v", "huis", "nummer", "c"]), inner, max_size=4)
    ),
    max_leaves=12,
)
OPERATIONS = [
    Move(("a",), ("b", "v")),
    Add(("a",), 1),
    Wrap(("a",), "v"),
    ToList(("a",)),
    RECODE,
    SPLIT,
    REWRITE,
    DAY,
    WEEKS,
    COUNTRY,
    Add(("v",), drops=True),
]


@given(data=JSON, chosen=st.lists(st.sampled_from(OPERATIONS), max_size=4), way=st.sampled_from(["up", "down"]))
def test_whatever_is_carried_the_input_stays_and_nothing_but_unreachable_is_raised(
    data: Any, chosen: list[Operation], way: str
) -> None:
    before = copy.deepcopy(data)
    plan = getattr(lens(*chosen), way)()

    with suppress(UnreachableError):
        plan(data)

    assert same(data, before)


@pytest.mark.parametrize("data", [{}, {"a": "x"}, {"a": {"c": 1}}, {"a": {}}])
def test_nothing_is_taken_where_nothing_stands(data: Any) -> None:
    before = copy.deepcopy(data)
    assert take(data, ("a", "b")) is ABSENT
    assert data == before


def test_taking_copies_what_the_plan_does_not_own_and_leaves_no_empty_object() -> None:
    inner = {"b": {"c": 1}, "d": 2}
    data = {"a": inner}
    assert take(data, ("a", "b", "c")) == 1
    assert data == {"a": {"d": 2}}
    assert inner == {"b": {"c": 1}, "d": 2}
