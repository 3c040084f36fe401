"""`expathub replay`: what partners would get for a stretch of the journal, shown, written to a file or to a topic.

Never into an inbox: what goes there is decided by dispatch alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli.output import print_json, print_line, tell
from expathub.core.topic_names import is_of_the_hub
from expathub.errors import SomethingFoundError, UsageError

if TYPE_CHECKING:
    from expathub.core.catalogue import EventType
    from expathub.core.replay import Replayed
    from expathub.kafka.replaying import Request

PROGRESS_RECORDS = 5_000


def replay(
    start: Annotated[str, typer.Option("--from", metavar="TIME|POSITION", help="First event: a time or a position.")],
    to: Annotated[str, typer.Option("--to", metavar="TIME|POSITION", help="Before this time, or up to this position.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="Permission as of this time; default now.")
    ] = None,
    partner: Annotated[str | None, typer.Option("--partner", metavar="PARTNER", help="Only for this partner.")] = None,
    event_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only this event type, with or without .vN.")
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", metavar="UUID", help="Only this dossier.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; write nothing.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="OUT.jsonl", help="Write the events, one JSON a line.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", metavar="NAME", help="Write the events to this topic.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")] = False,
) -> None:
    """Show what partners would get for a stretch of the journal, in order per dossier.

    Who is chosen is as it was at each event; what may be told (grants, consent, secrecy, versions) is as of --as-of.
    The same stretch, --as-of and configuration give the same bytes and the same digest. A position is
    hub.journal/PARTITION/OFFSET and picks that partition. A file or topic has all of it or, interrupted, nothing.
    """
    from expathub.cli.moments import now_ms, past, position_or_past
    from expathub.core.identifiers import is_uuid
    from expathub.kafka.replaying import Request

    if (dry_run, file is not None, topic is not None).count(True) != 1:
        raise UsageError("Say where to: one of --dry-run, --file and --topic.", "--dry-run writes nothing.")
    if topic is not None and is_of_the_hub(topic):
        raise UsageError("--topic is one of the hub's own.", "A replay never goes into an inbox: name another topic.")
    if subject is not None and not is_uuid(subject):
        raise UsageError("--subject is no dossier id.", "Give a UUID in lower case.")
    request = Request(
        position_or_past("--from", start),
        position_or_past("--to", to),
        past("--as-of", as_of) if as_of else now_ms(),
        subject,
    )
    _check_order(request)
    wanted = _Wanted(partner, event_type)
    summary = asyncio.run(_run(request, wanted, file, topic))
    print_json(summary.as_json()) if as_json else summary.print()
    if not summary.count:
        raise SomethingFoundError("Nothing would be told.", "The reasons are counted above.")


def _check_order(request: Request) -> None:
    start, to = request.start, request.to
    if isinstance(start, int) and isinstance(to, int) and start >= to:
        raise UsageError("--from is not before --to.", "Give a stretch that holds time.")
    if isinstance(to, int) and to > request.as_of_ms:
        raise UsageError("--as-of is before --to.", "Permission as of then is not known for later events.")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which of the replayed events are asked for."""

    partner: str | None
    type: str | None

    def matches(self, one: Replayed) -> bool:
        """Tell whether an event is asked for."""
        name = one.type.rpartition(".v")[0]
        return self.partner in (None, one.partner) and self.type in (None, one.type, name)


@dataclass(slots=True)
class _Summary:
    """What a replay came to; the digest is that of the lines a file would hold."""

    as_of: str
    where: str
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept_back: Counter[tuple[str, str]] = field(default_factory=Counter)
    digest: Any = field(default_factory=sha256)

    @property
    def count(self) -> int:
        """How many events partners would get."""
        return self.told.total()

    def as_json(self) -> dict[str, Any]:
        """Return the summary as a JSON value."""
        return {
            "as_of": self.as_of,
            "events": self.count,
            "digest": self.digest.hexdigest(),
            "written_to": self.where,
            "told": [{"partner": one, "type": kind, "events": n} for (one, kind), n in sorted(self.told.items())],
            "withheld": [
                {"partner": one or None, "reason": why, "events": n} for (one, why), n in sorted(self.kept_back.items())
            ],
        }

    def print(self) -> None:
        """Print the summary for people."""
        for (partner, kind), count in sorted(self.told.items()):
            print_line(f"{partner:24} {count:6}  {kind}")
        for (partner, reason), count in sorted(self.kept_back.items()):
            print_line(f"{partner or 'nobody':24} {count:6}  withheld: {reason}")
        print_line(f"{self.count} events, permission as of {self.as_of}; {self.where}")
        print_line(f"sha256 {self.digest.hexdigest()}")


async def _run(request: Request, wanted: _Wanted, file: Path | None, topic: str | None) -> _Summary:
    from expathub import configuration as configured
    from expathub.cli.partner import known_partner
    from expathub.cli.replay_sinks import open_sink
    from expathub.core.replay import Replayed
    from expathub.core.times import rfc3339
    from expathub.kafka.replaying import replay as played
    from expathub.settings import load_settings
    from expathub.shell import reference_keys

    settings = load_settings()
    if wanted.partner is not None:
        known_partner(settings, wanted.partner)
    configuration = configured.load(settings.partners, settings.schemas)
    _check_type(wanted.type, configuration.catalogue.types)
    keys = reference_keys.load(settings.reference_keys)
    as_of = rfc3339(request.as_of_ms)
    summary = _Summary(as_of, f"written to {file or topic}" if file or topic else "nothing was written")
    async with open_sink(settings.bootstrap, file, topic, as_of) as sink:
        async for one in played(settings.bootstrap, configuration, keys, request, _progress):
            if isinstance(one, Replayed):
                if wanted.matches(one):
                    summary.told[one.partner, one.type] += 1
                    summary.digest.update((one.output.value or b"") + b"\n")
                    await sink.put(one)
            elif wanted.type is None and wanted.partner in (None, one.partner):
                summary.kept_back[one.partner or "", one.reason] += 1
    return summary


def _check_type(name: str | None, types: Mapping[str, EventType]) -> None:
    if name is not None and name not in types and name.rpartition(".v")[0] not in types:
        raise UsageError(f"There is no event type {name!r}.", "`expathub schemas --help` shows how to list them.")


def _progress(count: int) -> None:
    if count % PROGRESS_RECORDS == 0:
        tell(f"{count} events of the journal played …")
