"""`expathub publish`: send lines as a partner, and say what became of each."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from expathub.cli import lines
from expathub.cli.output import tell
from expathub.errors import SomethingFoundError

if TYPE_CHECKING:
    from expathub.cli.publication import Publication

_PROGRESS_SECONDS = 1.0


def publish(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="CloudEvents, one JSON a line; - reads standard input.")
    ],
    partner: Annotated[str, typer.Option("--as", metavar="PARTNER", help="The partner that publishes.")],
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait", metavar="SECONDS", min=0.001, help="Wait so long, per line, for what the hub makes of it."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON a line, also on a terminal.")] = False,
) -> None:
    """Publish events as a partner: CloudEvents, one JSON a line.

    Each line is sent byte for byte, good or bad, and its position is printed. With --wait also its outcome: accepted,
    refused or duplicate, with the reason code (null: not known in time). Exit 1 if a line was refused or its outcome
    stayed unknown. A line on its way when a connection breaks may be stored twice: the hub passes one of the two on.
    """
    from expathub.cli.partner import known_partner
    from expathub.cli.publication import Publication
    from expathub.kafka import waiting
    from expathub.settings import load_settings

    settings = load_settings()
    waiting.silence_client()
    known_partner(settings, partner)
    tally = Tally(_row_for_people if sys.stdout.isatty() and not as_json else _row_as_json)
    with lines.opened(file) as source:
        asyncio.run(tally.take(Publication(settings.bootstrap, partner, wait, sys.stdout.flush), source))
    sys.stdout.flush()
    if tally.unknown:
        raise SomethingFoundError(
            f"{tally.unknown} of {tally.count} lines have no outcome after {wait:g} s.", "Is `expathub intake` running?"
        )
    if tally.refused:
        raise typer.Exit(1)


@dataclass(slots=True)
class Tally:
    """Prints rows and counts what the exit code and the last words are made of."""

    shape: Callable[[Mapping[str, Any]], str]
    count: int = 0
    refused: int = 0
    unknown: int = 0

    async def take(self, publication: Publication, source: lines.Chunked) -> None:
        """Send all lines and take in what became of them."""
        progress = _Progress()
        async for row in publication.rows(source):
            sys.stdout.write(self.shape(row))
            self.count += 1
            self.refused += row.get("outcome") == "refused"
            self.unknown += "outcome" in row and row["outcome"] is None
            progress.show(self.count)


def _row_as_json(row: Mapping[str, Any]) -> str:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode()


def _row_for_people(row: Mapping[str, Any]) -> str:
    outcome = row["outcome"] or "no outcome yet" if "outcome" in row else "stored"
    code = f" ({row['code']})" if row.get("code") else ""
    return f"line {row['line']}: {outcome}{code}  {row['position'] or '-'}  {row['id'] or '(no id)'}\n"


@dataclass(slots=True)
class _Progress:
    """Tells how far a long file is, where somebody looks on and the rows themselves go elsewhere."""

    shown_at: float = field(default_factory=time.monotonic)
    wanted: bool = field(default_factory=lambda: sys.stderr.isatty() and not sys.stdout.isatty())

    def show(self, count: int) -> None:
        now = time.monotonic()
        if self.wanted and now - self.shown_at >= _PROGRESS_SECONDS:
            self.shown_at = now
            tell(f"{count:,} lines")
