"""`expathub schemas lint`: a partner's own events against the profile, before they are sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli import lines
from expathub.cli.exits import ExitCode
from expathub.cli.output import print_json, print_line
from expathub.errors import UsageError

if TYPE_CHECKING:
    from expathub.core.linting import Lint

TEXT_BYTES_MAX = 64 * 1024 * 1024


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Events: one JSON a line, a JSON list, or one event.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 also where only a SHOULD is not followed.")
    ] = False,
) -> None:
    """Say what is wrong with events by the NL GOV profile: what the hub would refuse (must) or advises (should).

    Says where, which code and which statements of docs/profile-rules.md; never a value. Exit code 1 on a must.
    """
    from expathub.core.linting import Weight
    from expathub.core.linting import lint as look

    events, rows = 0, []
    for number, text in _events(file):
        events += 1
        rows += [(number, found) for found in look(text)]
    if as_json:
        print_json([_row(number, found) for number, found in rows])
    else:
        for number, found in rows:
            where = found.pointer or "the event"
            print_line(f"{number}: {found.weight.value:6}  {where}  {found.reason.value}: {_said(found)}")
        counts = Counter(found.weight.value for _, found in rows)
        print_line(f"{events} event{'' if events == 1 else 's'}, {counts['must']} must, {counts['should']} should.")
    if rows and (strict or any(found.weight is Weight.MUST for _, found in rows)):
        raise typer.Exit(ExitCode.FOUND)


def _row(number: int, found: Lint) -> dict[str, Any]:
    return {
        "line": number,
        "level": found.weight.value,
        "code": found.reason.value,
        "pointer": found.pointer,
        "rules": list(found.statements),
        "text": _said(found),
    }


def _said(found: Lint) -> str:
    return f"{found.reason.meaning} {found.reason.remedy}"


def _events(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield each event with the line on which it begins; text that is no JSON is left to the linter, line by line."""
    with lines.opened(name) as source:
        content = b""
        while chunk := source.read1(1024 * 1024):
            content += chunk
            if len(content) > TEXT_BYTES_MAX:
                raise UsageError("The events take more than 64 MiB.", "Lint them in parts.")
    documents = _documents(content)
    if documents is not None:
        yield from documents
        return
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _documents(content: bytes) -> list[tuple[int, bytes]] | None:
    """Take a list, or one event, apart without reading what is in it; None where the text is neither."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    start = _past_space(text, 0)
    if text[start : start + 1] == "[":
        return _elements(text, start + 1)
    end = _end(text, start)
    if end is None or _past_space(text, end) < len(text):
        return None
    return [(text.count("\n", 0, start) + 1, text[start:end].encode())]


def _elements(text: str, at: int) -> list[tuple[int, bytes]] | None:
    found: list[tuple[int, bytes]] = []
    at = _past_space(text, at)
    while text[at : at + 1] != "]":
        end = _end(text, at)
        if end is None:
            return None
        found.append((text.count("\n", 0, at) + 1, text[at:end].encode()))
        at = _past_space(text, end)
        if text[at : at + 1] == ",":
            at = _past_space(text, at + 1)
    return found if _past_space(text, at + 1) == len(text) else None


def _end(text: str, at: int) -> int | None:
    """Find where a JSON value ends."""
    try:
        return _DECODER.raw_decode(text, at)[1]
    except (json.JSONDecodeError, RecursionError):
        return None


_DECODER = json.JSONDecoder()


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
