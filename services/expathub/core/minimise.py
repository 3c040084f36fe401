"""Minimisation: of an event only what a grant names (GDPR art. 5(1)(c)); everything else stays in the hub.

Default deny: the result is built up from the granted pointers, never cut down from the event, so a field that nobody
thought of cannot leave. What a partner gets depends on nothing but the granted fields: an object is there only if
something granted is in it, an element of a list likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from expathub.core.pointers import EACH, parse


class Minimised(msgspec.Struct, frozen=True, gc=False):
    """What of an event one partner may have.

    `extensions` are the granted attributes beside the fixed ones (`id`, `source`, …), `fields` the granted pointers
    that are really there, in the order of the grant.
    """

    extensions: Mapping[str, Any]
    data: dict[str, Any]
    fields: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the fields' names alone: their values may be personal."""
        return f"Minimised({', '.join(self.fields)})"


Plan: TypeAlias = Callable[[Mapping[str, Any], Any], Minimised]
"""A compiled grant: attributes and `data` of an event to what of them is granted."""

_Tree: TypeAlias = dict[str, Any]  # granted names: the pointer for the whole value, else the tree below

_NOTHING: Final = object()


def minimise(attributes: Mapping[str, Any], data: Any, pointers: tuple[str, ...]) -> Minimised:
    """Keep what `pointers` name of an event's attributes and `data`.

    `/dataref` names an attribute, `/data/x/y` a value with all that is in it, `/data/list/*/y` a member of each
    element. The result shares values with `data` and must not be changed.
    """
    return plan(pointers)(attributes, data)


@lru_cache(maxsize=4096)  # one for each type, major and grant of the configuration
def plan(pointers: tuple[str, ...]) -> Plan:
    """Compile a grant."""
    paths = {pointer: parse(pointer) for pointer in pointers}
    names = tuple((pointer, path[0]) for pointer, path in paths.items() if path[0] != "data")
    below = tuple((pointer, path[1:]) for pointer, path in paths.items() if path[0] == "data")
    if all(len(path) == 1 and path[0] != EACH for _, path in below):
        return _plan_of_members(tuple(paths), dict(names), {pointer: path[0] for pointer, path in below})
    tree, ordered = _tree(below), tuple(paths)
    keep_data = _keeper(tree)
    covered = tuple((pointer, path) for pointer, path in below if pointer not in _leaves(tree))

    def keep(attributes: Mapping[str, Any], data: Any) -> Minimised:
        there: set[str] = set()
        extensions: dict[str, Any] = {}
        kept = keep_data(data, there)
        for pointer, name in names:
            if (value := attributes.get(name)) is not None:
                extensions[name] = value
                there.add(pointer)
        if covered:
            there.update(pointer for pointer, path in covered if _is_there(data, path))
        return Minimised(extensions, kept if isinstance(kept, dict) else {}, _in_order(there, ordered))

    return keep


def _plan_of_members(pointers: tuple[str, ...], outer: Mapping[str, str], inner: Mapping[str, str]) -> Plan:
    """Compile a grant of attributes and whole members of `data`, as most are: no walk is needed."""
    outer_names, inner_names = tuple(outer.values()), tuple(inner.values())
    pointer_of = {name: pointer for pointer, name in inner.items()}
    attribute_pointer_of = {name: pointer for pointer, name in outer.items()}

    def keep(attributes: Mapping[str, Any], data: Any) -> Minimised:
        members = data if isinstance(data, dict) else {}
        kept = {name: members[name] for name in inner_names if name in members}
        extensions: dict[str, Any] = {}
        for name in outer_names:
            if (value := attributes.get(name)) is not None:
                extensions[name] = value
        if len(kept) + len(extensions) == len(pointers):  # all of it is there: nothing to choose
            return Minimised(extensions, kept, pointers)
        there = set(map(pointer_of.__getitem__, kept))
        there.update(map(attribute_pointer_of.__getitem__, extensions))
        return Minimised(extensions, kept, _in_order(there, pointers))

    return keep


def _in_order(there: set[str], pointers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the pointers that are there, in the order of the grant."""
    return pointers if len(there) == len(pointers) else tuple(filter(there.__contains__, pointers))


def _tree(below: Iterable[tuple[str, tuple[str, ...]]]) -> _Tree | str:
    """Merge paths; where one names a whole and another a part of it, the whole wins."""
    root: dict[str, Any] = {"": {}}
    for pointer, path in below:
        owner, name = root, ""
        for part in path:
            if isinstance(owner[name], str):
                break
            owner, name = owner[name], part
            owner.setdefault(name, {})
        else:
            owner[name] = pointer
    tree: _Tree | str = root[""]
    return tree


def _leaves(tree: _Tree | str) -> frozenset[str]:
    """Return the pointers that stand in a tree; a part of what is granted as a whole does not."""
    if isinstance(tree, str):
        return frozenset({tree})
    return frozenset().union(*map(_leaves, tree.values()))


_Keep: TypeAlias = Callable[[Any, set[str]], Any]
"""Takes a value to what is granted of it, or to `_NOTHING`, and adds the pointers that are really there."""


def _keeper(tree: _Tree | str) -> _Keep:
    """Compile what is granted of one value: a walk over the tree for each event cost half as much again."""
    if isinstance(tree, str):
        return _keep_whole(tree)
    keep_members = _keep_members(tree)
    if EACH not in tree:
        return keep_members
    keep_one = _keeper(tree[EACH])

    def keep(value: Any, there: set[str]) -> Any:
        if not isinstance(value, list):
            return keep_members(value, there)
        return [kept for one in value if (kept := keep_one(one, there)) is not _NOTHING] or _NOTHING

    return keep


def _keep_whole(pointer: str) -> _Keep:
    def keep(value: Any, there: set[str]) -> Any:
        there.add(pointer)
        return value

    return keep


def _keep_members(tree: _Tree) -> _Keep:
    """Compile what is granted of an object: all members by name first, in the order of the grant, then their parts."""
    names = tuple(tree)
    wholes = tuple((name, below) for name, below in tree.items() if isinstance(below, str))
    pointers = tuple(pointer for _, pointer in wholes)
    parts = tuple((name, _keeper(below)) for name, below in tree.items() if not isinstance(below, str))

    def keep(value: Any, there: set[str]) -> Any:
        if not isinstance(value, dict):
            return _NOTHING
        kept = {name: value[name] for name in names if name in value}
        there.update(pointers if len(kept) == len(names) else [pointer for name, pointer in wholes if name in kept])
        for name, keep_part in parts:
            if name in kept:
                kept[name] = keep_part(kept[name], there)
                if kept[name] is _NOTHING:
                    del kept[name]
        return kept or _NOTHING

    return keep


def _is_there(value: Any, path: tuple[str, ...]) -> bool:
    for index, part in enumerate(path):
        if part == EACH and isinstance(value, list):
            return any(_is_there(element, path[index + 1 :]) for element in value)
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True
