"""`expathub schemas convert`: what the hub makes of events for a partner that reads another version."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from expathub.cli import lines
from expathub.cli.exits import ExitCode
from expathub.cli.output import tell
from expathub.errors import UsageError
from expathub.settings import load_settings

if TYPE_CHECKING:
    from expathub.core.catalogue import EventType


def convert(
    type: Annotated[str, typer.Argument(metavar="TYPE", help="An event type, without its version.")],
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Events, one JSON a line; - is standard input.")],
    source: Annotated[int, typer.Option("--from", min=1, metavar="N", help="The major that the events have.")],
    target: Annotated[int, typer.Option("--to", min=1, metavar="M", help="The major that they are to have.")],
) -> None:
    """Carry events from one major to another with the hub's own lenses, one a line.

    A line that cannot be carried goes to standard error, with its number, the reason and a pointer, never a value; the
    rest goes on, and the exit code is 1.
    """
    kind = _type(type, source, target)
    failed = False
    with lines.opened(file) as opened:
        number = 0
        for batch in lines.split(opened):
            for line in batch:
                number += 1
                if not line.strip():
                    continue
                failed |= not _one(kind, source, target, line, number)
            sys.stdout.flush()
    if failed:
        raise typer.Exit(ExitCode.FOUND)


def _type(name: str, source: int, target: int) -> EventType:
    from expathub import configuration

    settings = load_settings()
    types = configuration.load(settings.partners, settings.schemas).catalogue.types
    if name not in types:
        raise UsageError(f"The catalogue has no event type {name}.", "See `expathub schemas docs`.")
    for major in (source, target):
        if major not in types[name].versions:
            majors = ", ".join(map(str, sorted(types[name].versions)))
            raise UsageError(f"{name} has no major {major}.", f"It has {majors}.")
    return types[name]


def _one(kind: EventType, source: int, target: int, line: bytes, number: int) -> bool:
    """Write one event, or say why not; tells whether it went well."""
    from expathub.core.lens import UnreachableError, carry

    event, why = _read(kind, source, line)
    if event is None:
        tell(f"Line {number}: {why}")
        return False
    try:
        data = carry(kind.lenses, event["data"], source, target)
    except UnreachableError as problem:
        tell(f"Line {number}: unreachable-version at {problem.pointer} ({problem.why.value})")
        return False
    changed = {**event, "type": f"{kind.name}.v{target}", "data": data}
    changed.pop("dataschema", None)  # it named the other version
    sys.stdout.write(orjson.dumps(changed).decode() + "\n")
    return True


def _read(kind: EventType, source: int, line: bytes) -> tuple[dict[str, Any] | None, str]:
    """Read an event of the type and major, with `data` that is valid; else say what is wrong with it."""
    from expathub.core.decode import decode
    from expathub.core.event import Refusal
    from expathub.core.records import InputRecord, Position

    headers = (("content-type", b"application/cloudevents+json"),)
    event = decode(InputRecord(Position("outbox.example", 0, 0), None, line, headers, 0))
    if isinstance(event, Refusal):
        return None, f"{event.reason.value}{f' at {event.pointer}' if event.pointer else ''}"
    if event.type != f"{kind.name}.v{source}":
        return None, f"this is no event of {kind.name}.v{source}, at /type"
    fault = kind.versions[source].validate(event.data)
    if fault is not None:
        return None, f"schema at {fault.pointer} ({fault.keyword})"
    return {**event.attributes, "data": event.data}, ""
