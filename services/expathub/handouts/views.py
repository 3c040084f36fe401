"""What a partner can be told: for each event type the ways by which it may be chosen, and its own closed schema.

The schemas are generated from the grants alone, so they change with them: what no grant names is in none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from expathub.core.catalogue import EventType, Grant, SelectorKind
from expathub.core.configuration import Configuration
from expathub.core.event import TypeRef
from expathub.core.partners import Partner
from expathub.core.pointers import EACH, Path, parse

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_MUNICIPALITY: Final = frozenset({SelectorKind.MUNICIPALITY_OF_RESIDENCE, SelectorKind.FORMER_MUNICIPALITY})

_FIXED: Final[Mapping[str, Any]] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "minLength": 1, "maxLength": 255},
    "source": {"type": "string", "minLength": 1, "maxLength": 255},
    "subject": {"type": "string", "format": "uuid"},
    "time": {"type": "string", "format": "date-time"},
    "datacontenttype": {"type": "string"},
}
_REQUIRED: Final = ("specversion", "id", "source", "type", "subject", "data")


@dataclass(frozen=True, slots=True)
class View:
    """One way by which a partner may be told of a type: the grant, and the major that it reads."""

    kind: EventType
    partner: Partner
    grant: Grant
    major: int

    @property
    def name(self) -> str:
        """The CloudEvents `type` that the partner gets."""
        return str(TypeRef(self.kind.name, self.major))

    @property
    def fields(self) -> tuple[str, ...]:
        """The pointers of what it may have."""
        return self.grant.fields.get(self.major, ())

    @property
    def schema(self) -> dict[str, Any]:
        """The closed JSON Schema of the whole event as it comes to the inbox."""
        below = tuple(parse(pointer)[1:] for pointer in self.fields if pointer.startswith("/data/"))
        extensions = {
            parse(pointer)[0]: {"type": "string"} for pointer in self.fields if not pointer.startswith("/data/")
        }
        data = granted(self.kind.versions[self.major].schema, below)
        return {
            "$schema": DIALECT,
            "title": f"{self.name} for {self.partner.id} ({self.grant.selector})",
            "type": "object",
            "additionalProperties": False,
            "required": list(_REQUIRED),
            "properties": {**_FIXED, "type": {"const": self.name}, **extensions, "data": data},
        }


def views(configuration: Configuration, partner: Partner) -> Iterator[View]:
    """Yield all that a partner can be told, by type; of several ways the first that chooses it counts each time."""
    for _, kind in sorted(configuration.catalogue.types.items()):
        major = (partner.reads or {}).get(kind.name, kind.newest)
        for grant in kind.grants:
            if may_choose(grant, partner) and grant.fields.get(major):
                yield View(kind, partner, grant, major)


def may_choose(grant: Grant, partner: Partner) -> bool:
    """Tell whether a selector can choose a partner at all."""
    selector = grant.selector
    if selector.role is not None:
        return selector.role in partner.roles
    if selector.kind in _MUNICIPALITY:
        return partner.municipality is not None
    return selector.kind is not SelectorKind.REFERRED_PARTNER or partner.is_outside_government


# --- schemas of what is granted ----------------------------------------------------------------------------------

_KEPT_ALWAYS: Final = ("type", "title", "description")
_WHOLE: Final = frozenset({"x-voorbeeld", "x-nationaal-nummer", "examples", "$ref", "$defs", "$schema", "$id"})


def granted(schema: Mapping[str, Any], paths: tuple[Path, ...]) -> dict[str, Any]:
    """Return the closed schema of what minimisation leaves of `data`: the fields at `paths`, and nothing else."""
    return _narrowed(schema, schema, paths)


def _narrowed(root: Mapping[str, Any], schema: Mapping[str, Any], paths: tuple[Path, ...]) -> dict[str, Any]:
    """Narrow a schema to the parts at `paths`; a path of length 0 keeps the whole."""
    if () in paths:
        kept: dict[str, Any] = _unfolded(root, schema)
        return kept
    whole = _followed(root, schema)
    found: dict[str, Any] = {keyword: whole[keyword] for keyword in _KEPT_ALWAYS if keyword in whole}
    if "properties" in whole:
        found |= _object(root, whole, paths)
    if "items" in whole and (inner := tuple(path[1:] for path in paths if path[0] == EACH)):
        found["items"] = _narrowed(root, whole["items"], inner)
        found |= {"maxItems": whole["maxItems"]} if "maxItems" in whole else {}
    for keyword in ("oneOf", "anyOf"):
        if keyword in whole:  # of what is left of them, several may fit
            found["anyOf"] = [_narrowed(root, branch, paths) for branch in whole[keyword]]
    for part in whole.get("allOf", ()):
        found.setdefault("allOf", []).append(_narrowed(root, part, paths))
    return found


def _object(root: Mapping[str, Any], whole: Mapping[str, Any], paths: tuple[Path, ...]) -> dict[str, Any]:
    below = {
        name: tuple(path[1:] for path in paths if path[0] == name)
        for name in whole["properties"]
        if any(path[0] == name for path in paths)
    }
    properties = {name: _narrowed(root, whole["properties"][name], inner) for name, inner in below.items()}
    sure = [
        name
        for name in whole.get("required", ())
        if name in below and _is_sure(root, whole["properties"][name], below[name])
    ]
    return {"additionalProperties": False, "properties": properties, **({"required": sure} if sure else {})}


def _is_sure(root: Mapping[str, Any], schema: Mapping[str, Any], paths: tuple[Path, ...]) -> bool:
    """Tell whether something of a value is always left; an object of which nothing is left goes."""
    if () in paths:
        return True
    whole = _followed(root, schema)
    branches = [*whole.get("oneOf", ()), *whole.get("anyOf", ())]
    if branches and all(_is_sure(root, branch, paths) for branch in branches):
        return True
    properties = whole.get("properties", {})
    return any(
        name in properties and _is_sure(root, properties[name], tuple(path[1:] for path in paths if path[0] == name))
        for name in whole.get("required", ())
        if any(path[0] == name for path in paths)
    )


def _followed(root: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Put a definition in the place of a reference to it; what stands beside it comes on top."""
    merged = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    if "$ref" in schema:
        target = _followed(root, root["$defs"][schema["$ref"].rpartition("/")[2]])
        merged = {**target, **merged}
    return merged


def unfolded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with its references followed, and without what only the hub needs."""
    whole: dict[str, Any] = _unfolded(schema, schema)
    return whole


def _unfolded(root: Mapping[str, Any], schema: Any) -> Any:
    if isinstance(schema, list):
        return [_unfolded(root, one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    whole = _followed(root, schema)
    found = {keyword: _unfolded(root, value) for keyword, value in whole.items() if keyword not in _WHOLE}
    if "properties" in whole:  # a field may be called like a keyword
        found["properties"] = {name: _unfolded(root, value) for name, value in whole["properties"].items()}
    return found
