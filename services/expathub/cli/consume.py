"""`expathub consume`: read a partner's inbox, one event a line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from expathub.cli.moments import moment

if TYPE_CHECKING:
    from expathub.core.records import InputRecord
    from expathub.kafka.reading import Reader

BEGINNING = "beginning"


def consume(
    partner: Annotated[str, typer.Option("--as", metavar="PARTNER", help="The partner whose inbox is read.")],
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="beginning|TIME", help="Where to begin (RFC 3339 time); else only what is new."),
    ] = None,
    most: Annotated[int | None, typer.Option("--max", metavar="N", min=1, help="End after so many events.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", min=0.0, help="End when no event came for so long; else never."),
    ] = None,
    with_position: Annotated[
        bool, typer.Option("--with-position", help='Print {"position", "headers", "event"} instead of the event alone.')
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON a line, which it always is.")] = False,  # noqa: ARG001
) -> None:
    """Read a partner's inbox, one JSON a line: what is committed, in order per partition (so per dossier).

    It uses no group and commits nothing: it takes no event from anybody, and reads the same again next time.
    It ends after --max events, --timeout seconds after the last event (or after the start, if none came), at Ctrl-C,
    or when nobody reads its output any more; each is a good end (exit 0).
    """
    from expathub.cli.partner import known_partner
    from expathub.core import topic_names
    from expathub.kafka import waiting
    from expathub.settings import load_settings

    at_ms = _moment(start)
    settings = load_settings()
    waiting.silence_client()
    known_partner(settings, partner)
    inbox = _Inbox(settings.bootstrap, topic_names.inbox(partner), with_position)
    with _good_ends():
        asyncio.run(inbox.print(at_ms, most, timeout))


@dataclass(frozen=True, slots=True)
class _Inbox:
    bootstrap: str
    topic: str
    with_position: bool

    async def print(self, at_ms: int | None, most: int | None, idle_seconds: float | None) -> None:
        """Print events from a time on (0: all there are, None: only new ones)."""
        from expathub.kafka import waiting
        from expathub.kafka.reading import Reader

        left = most
        async with Reader.of(self.bootstrap, self.topic) as reader:
            with waiting.giving_up(self.bootstrap):
                await _go(reader, at_ms)
                async for batch in reader.batches(idle_seconds):
                    wanted = batch if left is None else batch[:left]
                    sys.stdout.buffer.writelines(self._line(record) for record in wanted)
                    sys.stdout.buffer.flush()
                    left = left and left - len(wanted)
                    if left == 0:
                        return

    def _line(self, record: InputRecord) -> bytes:
        event = record.value or b"null"
        if not self.with_position:
            return event + b"\n"
        headers = {name: value and value.decode("utf-8", "replace") for name, value in record.headers}
        row = {"position": str(record.position), "headers": headers, "event": orjson.Fragment(event)}
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


async def _go(reader: Reader, at_ms: int | None) -> None:
    if at_ms is None:
        await reader.from_end()
    elif at_ms == 0:
        await reader.from_beginning()
    else:
        await reader.from_time(at_ms)


def _moment(start: str | None) -> int | None:
    """Read `--from` as a time (epoch, ms); 0 is the beginning, None means from now on."""
    if start is None:
        return None
    return 0 if start == BEGINNING else moment("--from", start)


@contextmanager
def _good_ends() -> Iterator[None]:
    """Let Ctrl-C and a reader that went away end the command quietly."""
    try:
        yield
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Python flushes standard output once more at exit, and would complain of the same broken pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
