"""Minimisation: only what a grant names leaves, and nothing else can be told from the result."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.core.minimise import Minimised, minimise

DATA = {
    "naam": "Ikram Voorbeeld",
    "adres": {"postcode": "6211DW", "plaats": {"naam": "Maastricht", "code": "0935"}},
    "teksten": [{"taal": "nl", "titel": "Wonen", "intern": 1}, {"taal": "en", "intern": 2}, {"intern": 3}],
    "leeg": None,
    "diensten": ["brp", "document"],
}
ATTRIBUTES = {"id": "1", "source": "urn:x", "dataref": "urn:ref", "expirytime": None}

GRANTS = [
    pytest.param((), {}, {}, (), id="nothing"),
    pytest.param(("/data/naam",), {"naam": "Ikram Voorbeeld"}, {}, ("/data/naam",), id="a field"),
    pytest.param(("/data/leeg",), {"leeg": None}, {}, ("/data/leeg",), id="null is there"),
    pytest.param(("/data/weg", "/data/naam/x"), {}, {}, (), id="what is not there"),
    pytest.param(
        ("/data/adres/plaats/code",),
        {"adres": {"plaats": {"code": "0935"}}},
        {},
        ("/data/adres/plaats/code",),
        id="deep",
    ),
    pytest.param(("/data/adres/huis",), {}, {}, (), id="an object with nothing granted"),
    pytest.param(("/data/diensten",), {"diensten": ["brp", "document"]}, {}, ("/data/diensten",), id="a whole list"),
    pytest.param(
        ("/data/teksten/*/taal", "/data/teksten/*/titel"),
        {"teksten": [{"taal": "nl", "titel": "Wonen"}, {"taal": "en"}]},
        {},
        ("/data/teksten/*/taal", "/data/teksten/*/titel"),
        id="members of each element",
    ),
    pytest.param(("/data/teksten/*/weg",), {}, {}, (), id="a list with nothing granted"),
    pytest.param(
        ("/data/diensten/*",), {"diensten": ["brp", "document"]}, {}, ("/data/diensten/*",), id="each element"
    ),
    pytest.param(
        ("/dataref", "/expirytime", "/data/adres/plaats/code"),
        {"adres": {"plaats": {"code": "0935"}}},
        {"dataref": "urn:ref"},
        ("/dataref", "/data/adres/plaats/code"),
        id="an attribute and a part",
    ),
    pytest.param(("/data/naam/*",), {}, {}, (), id="elements of a text"),
    pytest.param(("/dataref",), {}, {"dataref": "urn:ref"}, ("/dataref",), id="an attribute"),
    pytest.param(("/expirytime", "/sequence"), {}, {}, (), id="attributes that are not there"),
    pytest.param(
        ("/data/adres", "/data/adres/postcode"),
        {"adres": DATA["adres"]},
        {},
        ("/data/adres", "/data/adres/postcode"),
        id="a whole and a part",
    ),
    pytest.param(
        ("/data/adres/postcode", "/data/adres"),
        {"adres": DATA["adres"]},
        {},
        ("/data/adres/postcode", "/data/adres"),
        id="a part and the whole",
    ),
    pytest.param(
        ("/data/teksten", "/data/teksten/*/taal", "/data/teksten/*/weg"),
        {"teksten": DATA["teksten"]},
        {},
        ("/data/teksten", "/data/teksten/*/taal"),
        id="a whole list and members of its elements",
    ),
    pytest.param(("/data",), DATA, {}, ("/data",), id="everything"),
]


@pytest.mark.parametrize(("pointers", "data", "extensions", "fields"), GRANTS)
def test_what_is_granted_is_kept_and_named(pointers: tuple[str, ...], data: Any, extensions: Any, fields: Any) -> None:
    before = copy.deepcopy(DATA)

    assert minimise(ATTRIBUTES, DATA, pointers) == Minimised(extensions, data, fields)
    assert before == DATA


def test_data_that_is_no_object_gives_nothing() -> None:
    assert minimise({}, ["x"], ("/data/x", "/data/*")).data == {}


def test_what_is_kept_does_not_show_itself_in_a_log() -> None:
    assert repr(minimise(ATTRIBUTES, DATA, ("/data/naam",))) == "Minimised(/data/naam)"


# --------------------------------------------------------------------------------------- properties

NAMES = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.text("xy", max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=15,
)
EVENTS = st.dictionaries(NAMES, VALUES, max_size=4)
POINTERS = st.lists(st.lists(NAMES | st.just("*"), min_size=1, max_size=3).map("/".join), max_size=4).map(
    lambda paths: tuple(f"/data/{path}" for path in paths)
)


def leaves(value: Any, path: tuple[str, ...] = ("", "data")) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each scalar, and each empty object or list, with its path; elements of lists have the segment `*`."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, (*path, "*"))
    else:
        yield path, value


def is_granted(path: tuple[str, ...], pointers: tuple[str, ...]) -> bool:
    return any(path[: len(parts)] == parts for parts in (tuple(pointer.split("/")) for pointer in pointers))


@settings(deadline=None)
@given(EVENTS, POINTERS)
def test_nothing_but_granted_values_is_kept(data: Any, pointers: tuple[str, ...]) -> None:
    kept = minimise({}, data, pointers)

    there = [(path, value) for path, value in leaves(data) if is_granted(path, pointers)]
    if kept.data:
        assert all(is_granted(path, pointers) for path, _ in leaves(kept.data))
        assert sorted(map(repr, leaves(kept.data))) == sorted(map(repr, there))
    else:
        assert there == []
    assert set(kept.fields) <= set(pointers)


def scrambled(value: Any, pointers: tuple[str, ...], draw: Any, path: tuple[str, ...] = ("", "data")) -> Any:
    """Change, add or remove whatever is not granted; what is granted, and what leads to it, stays."""
    if is_granted(path, pointers):
        return value
    if isinstance(value, dict):
        changed = {name: scrambled(inner, pointers, draw, (*path, name)) for name, inner in value.items()}
        for name in ("e", "f"):
            if draw(st.booleans()):
                changed[name] = draw(VALUES)
        return changed
    if isinstance(value, list):
        changed_list = [scrambled(inner, pointers, draw, (*path, "*")) for inner in value]
        if draw(st.booleans()):
            changed_list.insert(draw(st.integers(0, len(changed_list))), {"e": draw(VALUES)})
        return changed_list
    return draw(st.none() | st.integers() | st.text())


@settings(deadline=None)
@given(EVENTS, POINTERS.filter(lambda pointers: not any(pointer.endswith("*") for pointer in pointers)), st.data())
def test_two_events_that_differ_in_other_fields_give_the_same_bytes(
    data: Any, pointers: tuple[str, ...], chance: st.DataObject
) -> None:
    other = scrambled(data, pointers, chance.draw)
    others = {"secret": chance.draw(st.text())}

    one, two = minimise({"dataref": "x"}, data, pointers), minimise({"dataref": "x"} | others, other, pointers)

    assert orjson.dumps(one.data) == orjson.dumps(two.data)
    assert (one.extensions, one.fields) == (two.extensions, two.fields)
