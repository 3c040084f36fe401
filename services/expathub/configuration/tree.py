"""YAML and JSON files as plain values that remember their lines.

Of YAML only what a configuration needs is taken: mappings, lists and scalars of one document. Anchors, aliases,
tags and repeated keys are faults (they hide content, or blow up), and so is everything beyond the limits below.
Scalars are those of JSON: `yes`, `0935` and `2026-01-01` are text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import yaml

from expathub.configuration.faults import Faults

FILE_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32

Loc: TypeAlias = tuple[str | int, ...]
"""Where a value stands in its file: keys and list indexes from the root."""

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)  # only its event parser is used; ten times faster where it exists
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Document:
    """The value of a file, and the line (from 1) of each of its values and keys."""

    file: Path
    value: Any
    lines: Mapping[Loc, int]

    def line(self, loc: Loc) -> int:
        """Return the line of the value at `loc`, or of the nearest value around it that is there."""
        for length in range(len(loc), -1, -1):
            found = self.lines.get(loc[:length])
            if found is not None:
                return found
        return 1


class _UnreadableError(Exception):
    """The file stops being readable here."""

    def __init__(self, line: int, what: str, mend: str) -> None:
        super().__init__(what)
        self.line, self.what, self.mend = line, what, mend


def read_text(file: Path, faults: Faults) -> str | None:
    """Read a file of at most 1 MiB of UTF-8; anything else is a fault and gives None."""
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as problem:
        faults.add(file, 1, f"the file cannot be read ({problem.strerror})", "Create it or correct the path")
        return None
    if len(content) > FILE_BYTES_MAX:
        faults.add(file, 1, "the file is larger than 1 MiB", "Check that it is the right file")
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        faults.add(file, line, "the file is not UTF-8", "Save it as UTF-8")
        return None


def listed(folder: Path, faults: Faults) -> list[Path]:
    """Return what is in a folder, by name; a folder that cannot be read is a fault and gives nothing."""
    try:
        return sorted(folder.iterdir())
    except OSError as problem:
        faults.add(folder, 1, f"the folder cannot be read ({problem.strerror})", "Create it or correct the path")
        return []


def read_yaml(file: Path, faults: Faults) -> Document | None:
    """Read one YAML document; None where a fault was noted."""
    text = read_text(file, faults)
    if text is None:
        return None
    builder = _Builder(text)
    try:
        return Document(file, builder.build(), builder.lines)
    except _UnreadableError as problem:
        faults.add(file, problem.line, problem.what, problem.mend)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else 1
        faults.add(file, line, f"this is not YAML ({_tidy(problem.problem)})", _yaml_remedy(text, line))
    except yaml.YAMLError:
        faults.add(file, 1, "the file holds characters that YAML does not allow", "Remove control characters")
    return None


def read_json(file: Path, faults: Faults) -> Document | None:
    """Read one JSON document (RFC 8259, no repeated keys); None where a fault was noted."""
    text = read_text(file, faults)
    if text is None:
        return None
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        orjson.dumps(value)  # refuses whole numbers beyond 64 bits and halves of characters
        scanner = _JsonLines(text)
        scanner.scan()
    except json.JSONDecodeError as problem:
        faults.add(file, problem.lineno, f"this is not JSON ({problem.msg})", "Check commas, quotes and brackets here")
    except (RecursionError, ValueError, TypeError):
        mend = "Write no NaN, Infinity, huge number, half of a character or deep nesting"
        faults.add(file, 1, "this is not JSON that the hub reads", mend)
    except _UnreadableError as problem:
        faults.add(file, problem.line, problem.what, problem.mend)
    else:
        return Document(file, value, scanner.lines)
    return None


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _tidy(problem: str | None) -> str:
    return " ".join((problem or "syntax error").split())


def _yaml_remedy(text: str, line: int) -> str:
    lines = text.splitlines()
    if 0 < line <= len(lines) and "\t" in lines[line - 1]:
        return "Indent with spaces, not with tabs"
    return "Check indentation, colons and quotes on this line and the one above"


class _Builder:
    """Turns YAML's events into values, without composing what it refuses; the recursion ends at `DEPTH_MAX`."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self.lines: dict[Loc, int] = {}

    def build(self) -> object:
        """Return the value of the one document."""
        value, documents = None, 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _UnreadableError(_line(event), "the file holds more than one document", "Keep the first")
                value = self._value(next(self._events), ())
        if documents == 0:
            raise _UnreadableError(1, "the file is empty", "Write the configuration or correct the path")
        return value

    def _value(self, event: yaml.NodeEvent, loc: Loc) -> object:
        line = _line(event)
        self.lines.setdefault(loc, line)
        _refuse_indirection(event, line)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if len(loc) >= DEPTH_MAX:
            raise _UnreadableError(line, f"the nesting is deeper than {DEPTH_MAX} levels", "Write it flatter")
        return self._mapping(loc) if isinstance(event, yaml.MappingStartEvent) else self._list(loc)

    def _mapping(self, loc: Loc) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            _refuse_indirection(event, line)
            if not isinstance(event, yaml.ScalarEvent):
                raise _UnreadableError(line, "a key is not plain text", "Use a word as the key")
            key = str(event.value)
            if key in mapping:
                raise _UnreadableError(line, f"the key `{key}` stands here twice", "Keep one of them")
            self.lines[*loc, key] = line
            mapping[key] = self._value(next(self._events), (*loc, key))
        return mapping

    def _list(self, loc: Loc) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*loc, len(items))))
        return items


def _refuse_indirection(event: yaml.NodeEvent, line: int) -> None:
    if event.anchor:
        raise _UnreadableError(line, "anchors and aliases are not allowed", "Write the value out in full")
    if getattr(event, "tag", None):
        raise _UnreadableError(line, "tags (!…) are not allowed", "Write the value without the tag")


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return int(mark.line) + 1 if mark else 1


def _scalar(event: yaml.ScalarEvent) -> str | int | bool | None:
    text = str(event.value)
    if event.style:  # quoted or block: text, whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|\n|[^\s\[\]{}:,"]+')
_CLOSING = frozenset("]}")


class _JsonLines:
    """Finds the line of every key and item of a text that is JSON already, and refuses repeated keys."""

    def __init__(self, text: str) -> None:
        self._tokens = iter(_JSON_TOKEN.findall(text))
        self._line = 1
        self.lines: dict[Loc, int] = {}

    def scan(self) -> None:
        """Fill `lines`."""
        self._value(self._next(), ())

    def _next(self) -> str:
        piece: str = next(self._tokens)
        while piece == "\n":
            self._line += 1
            piece = next(self._tokens)
        return piece

    def _value(self, piece: str, loc: Loc) -> None:
        self.lines.setdefault(loc, self._line)
        if piece in "[{" and len(loc) >= DEPTH_MAX:
            raise _UnreadableError(self._line, f"the nesting is deeper than {DEPTH_MAX} levels", "Write it flatter")
        if piece == "{":
            self._members(loc)
        elif piece == "[":
            self._items(loc)

    def _members(self, loc: Loc) -> None:
        while (piece := self._next()) not in _CLOSING:
            if piece == ",":
                continue
            member = (*loc, json.loads(piece))
            if member in self.lines:
                raise _UnreadableError(self._line, f"the key {piece} stands here twice", "Keep one of them")
            self.lines[member] = self._line
            self._next()  # the colon
            self._value(self._next(), member)

    def _items(self, loc: Loc) -> None:
        index = 0
        while (piece := self._next()) not in _CLOSING:
            if piece != ",":
                self._value(piece, (*loc, index))
                index += 1
