"""Strict JSON: a document that every reader on the way understands alike, or a fault with a code.

RFC 8259 in UTF-8, narrowed as in RFC 7493 (I-JSON) and bounded. Readers disagree about duplicate names, NaN, large
integers and half surrogate pairs, and a hub whose validator and whose recipient disagree lets anything through.

Two ways to the same answer. `_quick` lets orjson read and then *proves* that nothing was lost: what does not need a
closer look costs little. `_Exact` reads by the letter, is the definition, and finds where a fault is.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from itertools import chain
from typing import Any, Final, TypeAlias

import orjson

from expathub.core.reasons import Reason

DOCUMENT_BYTES_MAX: Final = 256 * 1024
DEPTH_MAX: Final = 32
MEMBERS_MAX: Final = 2_000
"""Members of one object."""
VALUES_MAX: Final = 10_000
"""Values of one document: scalars, arrays and objects."""
STRING_CHARACTERS_MAX: Final = 16 * 1024
INTEGER_MAX: Final = 2**53 - 1

Path: TypeAlias = tuple[str | int, ...]

_UNSURE: Final = object()


class JsonError(Exception):
    """What is wrong with a document, and where: `path` holds the names and indexes on the way there.

    A name may be a person's number, so nobody shows `path` before it is cut to what is known.
    """

    def __init__(self, reason: Reason, path: Path = ()) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.path = path


def parse(document: bytes, *, depth_max: int = DEPTH_MAX) -> Any:
    """Read one JSON document; raises `JsonError` and nothing else on whatever bytes."""
    if len(document) > DOCUMENT_BYTES_MAX:
        raise JsonError(Reason.TOO_LARGE)
    tree = _quick(document, depth_max)
    return parse_exactly(document, depth_max=depth_max) if tree is _UNSURE else tree


def parse_exactly(document: bytes, *, depth_max: int = DEPTH_MAX) -> Any:
    """Read one JSON document by the letter, without the quick way; raises `JsonError`."""
    return _Exact(_text(document), depth_max).document()


# --- the quick way -----------------------------------------------------------------------------------------------

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NEGATIVE_ZERO_INTEGER = re.compile(rb"-0(?<![^\s,:\[]-0)(?![.eE0-9])")
_ESCAPED_CONTROL = re.compile(rb"\\[ubf]")


def _quick(document: bytes, depth_max: int) -> Any:
    """Return the value of `document` if it is certain that the exact way would, else `_UNSURE`."""
    try:
        tree = orjson.loads(document)
        compact = orjson.dumps(tree, option=orjson.OPT_STRICT_INTEGER)
    except (orjson.JSONDecodeError, TypeError):
        return _UNSURE
    if compact == document:
        # Nothing was dropped or re-read. Counting brackets and commas, in strings or not, bounds the rest from above.
        proven = b"-0.0" not in compact and (_is_small(compact, depth_max) or _is_within_limits(tree, depth_max))
    else:
        proven = (
            _kept_every_member(document, compact)
            and _NEGATIVE_ZERO_INTEGER.search(document) is None
            and _is_within_limits(tree, depth_max)
        )
    return tree if proven and _has_clean_text(compact) else _UNSURE


def _is_small(compact: bytes, depth_max: int) -> bool:
    return (
        len(compact) <= STRING_CHARACTERS_MAX
        and compact.count(b"{") + compact.count(b"[") <= depth_max
        and compact.count(b",") < MEMBERS_MAX
    )


def _kept_every_member(document: bytes, compact: bytes) -> bool:
    """Count colons: a parser that keeps the last of two like-named members drops one with the other.

    Without a backslash every string is the same in both texts, so colons inside strings cancel out.
    """
    if b"\\" in document:
        document, compact = _STRING.sub(b"", document), _STRING.sub(b"", compact)
    return document.count(b":") == compact.count(b":")


def _has_clean_text(compact: bytes) -> bool:
    """Tell whether no string can hold a forbidden character and no two names are equal after NFC."""
    if b"\\" in compact and _ESCAPED_CONTROL.search(compact):
        return False
    if compact.isascii():
        return b"\x7f" not in compact
    text = compact.decode()
    return text.isprintable() and unicodedata.is_normalized("NFC", text)


def _is_within_limits(tree: Any, depth_max: int) -> bool:
    """Walk level by level: depth, members, values, lengths, and floats that need a look at their digits."""
    level, depth, values = [tree], 0, 0
    while level:
        values += len(level)
        if values > VALUES_MAX or not all(map(_is_plain, level)):
            return False
        nested = [node for node in level if type(node) is dict or type(node) is list]
        depth += bool(nested)
        if depth > depth_max:
            return False
        level = list(chain.from_iterable(node.values() if type(node) is dict else node for node in nested))
    return True


def _is_plain(node: Any) -> bool:
    kind = type(node)
    if kind is str:
        return bool(len(node) <= STRING_CHARACTERS_MAX)
    if kind is float:
        # orjson reads an integer beyond 64 bits as a float, and zero may have a sign.
        return bool(node != 0 and -INTEGER_MAX <= node <= INTEGER_MAX)
    if kind is dict:
        return len(node) <= MEMBERS_MAX and all(len(name) <= STRING_CHARACTERS_MAX for name in node)
    return True


# --- the exact way -----------------------------------------------------------------------------------------------

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING_TOKEN = re.compile(r'"([^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*)"')
_NUMBER_TOKEN = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<inexact>\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)?")
_NO_NUMBER_TOKEN = re.compile(r"-?(?:NaN|Infinity)")
_LITERALS: Final = (("true", True), ("false", False), ("null", None))

FORBIDDEN_CHARACTERS: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef" + "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)
)
"""Control characters except tab and line ends, and the noncharacters of Unicode, for use inside `[…]`."""
_FORBIDDEN = re.compile(f"[{FORBIDDEN_CHARACTERS}]")


def _text(document: bytes) -> str:
    if document.startswith(b"\xef\xbb\xbf"):
        raise JsonError(Reason.BYTE_ORDER_MARK)
    if b"\x00" in document[:4]:  # every JSON text in UTF-16 or UTF-32 has a zero byte there
        raise JsonError(Reason.NOT_UTF_8)
    try:
        return document.decode()
    except UnicodeDecodeError:
        raise JsonError(Reason.NOT_UTF_8) from None


class _Exact:
    """One reading of one text, by recursive descent; the depth is bounded before Python's is."""

    __slots__ = ("at", "depth", "depth_max", "path", "text", "values")

    def __init__(self, text: str, depth_max: int) -> None:
        self.text = text
        self.depth_max = depth_max
        self.at = 0
        self.depth = 0
        self.values = 0
        self.path: list[str | int] = []

    def document(self) -> Any:
        value = self.value()
        self.space()
        self.require(self.at == len(self.text), Reason.MALFORMED_JSON)
        return value

    def require(self, condition: object, reason: Reason) -> None:
        if not condition:
            raise JsonError(reason, tuple(self.path))

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def take(self, token: str) -> bool:
        """Step over `token` and the space before it, if it is what follows."""
        self.space()
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def value(self) -> Any:
        self.values += 1
        self.require(self.values <= VALUES_MAX, Reason.TOO_MANY_VALUES)
        if self.take("{"):
            return self.nested(self.members)
        if self.take("["):
            return self.nested(self.items)
        if self.text.startswith('"', self.at):
            return self.string()
        for token, meaning in _LITERALS:
            if self.take(token):
                return meaning
        return self.number()

    def nested(self, read: Callable[[], Any]) -> Any:
        self.depth += 1
        self.require(self.depth <= self.depth_max, Reason.TOO_DEEP)
        value = read()
        self.depth -= 1
        return value

    def items(self) -> list[Any]:
        found: list[Any] = []
        if self.take("]"):
            return found
        while True:
            self.path.append(len(found))
            found.append(self.value())
            self.path.pop()
            if not self.take(","):
                self.require(self.take("]"), Reason.MALFORMED_JSON)
                return found

    def members(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.take("}"):
            return found
        while True:
            name = self.name(found)
            self.path.append(name)
            found[name] = self.value()
            self.path.pop()
            self.require(len(found) <= MEMBERS_MAX, Reason.TOO_MANY_MEMBERS)
            if not self.take(","):
                self.require(self.take("}"), Reason.MALFORMED_JSON)
                self.require(_are_distinct_after_nfc(found), Reason.SIMILAR_KEY)
                return found

    def name(self, found: dict[str, Any]) -> str:
        self.space()
        name = self.string()
        if name in found:
            self.path.append(name)
            raise JsonError(Reason.DUPLICATE_KEY, tuple(self.path))
        self.require(self.take(":"), Reason.MALFORMED_JSON)
        return name

    def string(self) -> str:
        token = _STRING_TOKEN.match(self.text, self.at)
        if token is None:
            raise JsonError(Reason.MALFORMED_JSON, tuple(self.path))
        self.at = token.end()
        text = token[1]
        if "\\" in text:
            text = self.unescaped(token[0])
        self.require(len(text) <= STRING_CHARACTERS_MAX, Reason.STRING_TOO_LONG)
        self.require(_FORBIDDEN.search(text) is None, Reason.FORBIDDEN_CHARACTER)
        return text

    def unescaped(self, token: str) -> str:
        try:
            return str(orjson.loads(token))
        except orjson.JSONDecodeError:  # the token has the right form, so it is half a pair
            raise JsonError(Reason.LONE_SURROGATE, tuple(self.path)) from None

    def number(self) -> int | float:
        self.require(_NO_NUMBER_TOKEN.match(self.text, self.at) is None, Reason.NOT_A_NUMBER)
        token = _NUMBER_TOKEN.match(self.text, self.at)
        if token is None:
            raise JsonError(Reason.MALFORMED_JSON, tuple(self.path))
        self.at = token.end()
        number: int | float
        if token["inexact"] is None:
            # Measure the digits first: reading thousands of them is slow, and Python refuses more than 4,300.
            self.require(len(token[0]) <= len(str(-INTEGER_MAX)), Reason.NUMBER_OUT_OF_RANGE)
            number = int(token[0])
            self.require(-INTEGER_MAX <= number <= INTEGER_MAX, Reason.NUMBER_OUT_OF_RANGE)
        else:
            number = float(token[0])
            self.require(math.isfinite(number), Reason.NUMBER_OUT_OF_RANGE)
        self.require(number != 0 or not token[0].startswith("-"), Reason.NEGATIVE_ZERO)
        return number


def _are_distinct_after_nfc(names: dict[str, Any]) -> bool:
    if all(map(str.isascii, names)):
        return True
    return len({unicodedata.normalize("NFC", name) for name in names}) == len(names)
