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


class JsonError(Exception):
    """What is wrong with a document, and where: `path` holds the names and indexes on the way there.

    A name may be a person's number, so nobody shows `path` before it is cut to what is known.
    """

    def __init__(self, reason: Reason, path: Path = ()) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.path = path


def parse(document: bytes, *, depth_max: int = DEPTH_MAX) -> tuple[Any, bytes]:
    """Read one JSON document: its value and its canonical form, which is compact with sorted names.

    Raises `JsonError` and nothing else, on whatever bytes.
    """
    if len(document) > DOCUMENT_BYTES_MAX:
        raise JsonError(Reason.TOO_LARGE)
    certain = _quick(document, depth_max)
    if certain is not None:
        return certain
    tree = parse_exactly(document, depth_max=depth_max)
    return tree, orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)


def parse_exactly(document: bytes, *, depth_max: int = DEPTH_MAX) -> Any:
    """Read one JSON document by the letter, without the quick way; raises `JsonError`."""
    return _Exact(_text(document), depth_max).document()


FORBIDDEN_CHARACTERS: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef" + "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)
)
"""Control characters except tab and line ends, and the noncharacters of Unicode, for use inside `[…]`."""
_FORBIDDEN = re.compile(f"[{FORBIDDEN_CHARACTERS}]")


# --- the quick way -----------------------------------------------------------------------------------------------

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NEGATIVE_ZERO = re.compile(rb"-0(?<![^\s,:\[]-0)(?![.eE0-9])")
_ESCAPED_CONTROL = re.compile(rb"(?<!\\)(?:\\\\)*\\[ubf]")
_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_HARMLESS = bytes(octet for octet in range(0x20, 0x7F) if octet not in b"{[\\")

# The shortest document with so many members or values is longer than this: `"":0,` and `0,` at least.
_SMALL_BYTES: Final = min(5 * MEMBERS_MAX, 2 * VALUES_MAX, STRING_CHARACTERS_MAX)


def _quick(document: bytes, depth_max: int) -> tuple[Any, bytes] | None:
    """Return value and canonical form if it is certain that the exact way finds no fault, else None."""
    try:
        tree = orjson.loads(document)
        canonical = orjson.dumps(tree, option=_CANONICAL)
    except (orjson.JSONDecodeError, TypeError):
        return None
    if not (document == canonical or document == orjson.dumps(tree) or _kept_everything(document, canonical)):
        return None
    marks = canonical.translate(None, _HARMLESS)  # brackets, in strings too, and whatever is not plain ASCII
    brackets = marks.count(b"{") + marks.count(b"[")
    if not (len(canonical) <= _SMALL_BYTES and brackets <= depth_max) and not _is_within_limits(tree, depth_max):
        return None
    return (tree, canonical) if brackets == len(marks) or _has_clean_text(canonical) else None


def _kept_everything(document: bytes, canonical: bytes) -> bool:
    """Tell whether the two differ in nothing but space, order, escapes, and the digits of fractions."""
    if b"e+" in canonical or _NEGATIVE_ZERO.search(document):
        return False  # orjson reads integers beyond 64 bits as a float (1.8e+19 and more), and -0 as 0
    return _kept_every_member(document, canonical)


def _kept_every_member(document: bytes, canonical: bytes) -> bool:
    """Count colons: a parser that keeps the last of two like-named members drops one with the other.

    Without a backslash every string is the same in both texts, so colons inside strings cancel out.
    """
    if b"\\" in document:
        document, canonical = _STRING.sub(b"", document), _STRING.sub(b"", canonical)
    return document.count(b":") == canonical.count(b":")


def _has_clean_text(canonical: bytes) -> bool:
    """Tell whether no string can hold a forbidden character and no two names are equal after NFC."""
    if b"\\" in canonical and _ESCAPED_CONTROL.search(canonical):
        return False
    if canonical.isascii():
        return b"\x7f" not in canonical
    text = canonical.decode()
    return (text.isprintable() or _FORBIDDEN.search(text) is None) and unicodedata.is_normalized("NFC", text)


def _is_within_limits(tree: Any, depth_max: int) -> bool:
    """Walk level by level, and look at depth, members, values and lengths."""
    level, depth, values = [tree], 0, 0
    while level:
        values += len(level)
        nested = [node for node in level if type(node) is dict or type(node) is list]
        depth += bool(nested)
        if values > VALUES_MAX or depth > depth_max or not all(map(_is_short, level)):
            return False
        level = list(chain.from_iterable(node.values() if type(node) is dict else node for node in nested))
    return True


def _is_short(node: Any) -> bool:
    kind = type(node)
    if kind is dict:
        return len(node) <= MEMBERS_MAX and all(len(name) <= STRING_CHARACTERS_MAX for name in node)
    return kind is not str or len(node) <= STRING_CHARACTERS_MAX


# --- the exact way -----------------------------------------------------------------------------------------------

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING_TOKEN = re.compile(r'"([^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+)"')
_NUMBER_TOKEN = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<inexact>\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)?")
_NO_NUMBER_TOKEN = re.compile(r"-?(?:NaN|Infinity)")
_LITERALS: Final = (("true", True), ("false", False), ("null", None))


def _text(document: bytes) -> str:
    if document.startswith(b"\xef\xbb\xbf"):
        raise JsonError(Reason.BYTE_ORDER_MARK)
    if b"\x00" in document[:2]:  # as in every JSON text in UTF-16 or UTF-32
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
        self.space()
        first = self.text[self.at : self.at + 1]
        if first == '"':
            return self.string()
        if first == "{":
            return self.nested(self.members)
        if first == "[":
            return self.nested(self.items)
        return self.literal()

    def literal(self) -> bool | int | float | None:
        for token, meaning in _LITERALS:
            if self.text.startswith(token, self.at):
                self.at += len(token)
                return meaning
        return self.number()

    def nested(self, read: Callable[[], Any]) -> Any:
        self.at += 1
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
            self.require(token[0] != "-0", Reason.NEGATIVE_ZERO)  # the sign would not come back
        else:
            number = float(token[0])
            self.require(math.isfinite(number), Reason.NUMBER_OUT_OF_RANGE)
        return number


def _are_distinct_after_nfc(names: dict[str, Any]) -> bool:
    if all(map(str.isascii, names)):
        return True
    return len({unicodedata.normalize("NFC", name) for name in names}) == len(names)
