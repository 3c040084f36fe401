"""`expathub deadletters`: what waits and why, and an operator's word that ends the waiting.

The word is a command of the hub's own operator (design §5): an event like any other, in the dossier's order, on record.
"""

from __future__ import annotations

import asyncio
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from expathub.cli.output import print_json, print_line
from expathub.errors import SomethingFoundError, UsageError

if TYPE_CHECKING:
    from expathub.core.catalogue import Command
    from expathub.core.orders import Choice, Instruction
    from expathub.core.trail import Outcome
    from expathub.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="What waits and why; release it to be judged again, or put it aside.",
)

Subject = Annotated[str | None, typer.Option("--subject", metavar="UUID", help="Only this dossier.")]
PartnerOption = Annotated[
    str | None, typer.Option("--partner", metavar="PARTNER", help="Only what this one waits for.")
]
Code = Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only what is held for this reason.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="The account that orders it; kept for ever.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; kept for ever. No personal data.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask (for scripts).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

OUTCOME_SECONDS = 30.0
"""How long a command may take to be accepted."""


@app.command("list")
def list_held(subject: Subject = None, partner: PartnerOption = None, code: Code = None, as_json: Json = False) -> None:
    """List what is held now: for whom, since when, and why, the oldest first."""
    from expathub.cli.moments import now_ms

    work = _Work.prepare(subject, partner, code)
    rows = sorted(filter(work.choice.takes, work.held()), key=lambda row: row.at)
    ages = [_age(row, now_ms()) for row in rows]
    if as_json:
        print_json([{**_row(row), "age_seconds": age} for row, age in zip(rows, ages, strict=True)])
        return
    for row, age in zip(rows, ages, strict=True):
        print_line(_line(row, age))
    print_line(f"{len(rows)} held." if rows else "Nothing is held.")


@app.command()
def release(
    by: By,
    why: Why,
    subject: Subject = None,
    partner: PartnerOption = None,
    code: Code = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Have what waits judged again, as of now: it is told, withheld, or goes on waiting; nobody is added."""
    from expathub.core.catalogue import Command

    _order(Command.RELEASE, _Work.prepare(subject, partner, code), _Word(by, why, yes), as_json)


@app.command()
def discard(
    by: By,
    why: Why,
    subject: Subject = None,
    partner: PartnerOption = None,
    code: Code = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Put what waits aside: it is withheld for good (`discarded`), and what waited behind it goes on."""
    from expathub.core.catalogue import Command

    _order(Command.DISCARD, _Work.prepare(subject, partner, code), _Word(by, why, yes), as_json)


@dataclass(frozen=True, slots=True)
class _Word:
    by: str
    why: str
    yes: bool


@dataclass(frozen=True, slots=True)
class _Work:
    settings: Settings
    source: str
    choice: Choice

    @classmethod
    def prepare(cls, subject: str | None, partner: str | None, code: str | None) -> _Work:
        """Check the choice; raises `UsageError` for what cannot be."""
        from expathub import configuration
        from expathub.cli.partner import known_partner
        from expathub.core.identifiers import is_uuid
        from expathub.core.orders import Choice
        from expathub.core.reasons import Held
        from expathub.kafka import waiting
        from expathub.settings import load_settings

        settings = load_settings()
        waiting.silence_client()
        if subject is not None and not is_uuid(subject):
            raise UsageError("--subject is no dossier id.", "Give a UUID in lower case.")
        if partner is not None:
            known_partner(settings, partner)
        codes = [held.value for held in Held]
        if code not in (None, *codes):
            raise UsageError(f"Nothing is held as {code!r}.", f"There are: {', '.join(codes)}.")
        hub_source = configuration.load(settings.partners, settings.schemas).partners.hub_source
        return cls(settings, hub_source, Choice(subject, partner, code))

    def held(self) -> list[Outcome]:
        """Read what is held now, from Kafka."""
        from expathub.core.topic_names import DISCLOSURES, PARKED
        from expathub.core.trail import OutcomeKind, current
        from expathub.kafka.trail_reading import read_trail

        key = self.choice.subject.encode() if self.choice.subject else None
        found = asyncio.run(
            read_trail(self.settings.bootstrap, lambda record: key in (None, record.key), topics=(DISCLOSURES, PARKED))
        )
        return [row for row in current(found.outcomes) if row.kind is OutcomeKind.HELD]


def _order(command: Command, work: _Work, word: _Word, as_json: bool) -> None:
    from expathub.core.orders import instructions

    orders = list(instructions(work.held(), work.choice))
    if not orders:
        raise SomethingFoundError("Nothing that is held was chosen.", "`expathub deadletters list` shows what waits.")
    if not as_json:
        _preview(command, orders)
    if not word.yes and not typer.confirm("Do it?"):
        raise SomethingFoundError("Nothing was done.")
    outcomes = asyncio.run(_publish(work, [_event(one, command, work, word) for one in orders]))
    if as_json:
        print_json([_told(one, row) for one, row in zip(orders, outcomes, strict=True)])
    else:
        print_line(f"{len(orders)} commands given; `expathub audit history --subject …` shows what came of them.")
    if any(row["outcome"] != "accepted" for row in outcomes):
        raise SomethingFoundError("Not every command was accepted.", "Check --by and --why, and that intake runs.")


def _preview(command: Command, orders: Sequence[Instruction]) -> None:
    from expathub.cli.moments import now_ms

    for order in orders:
        for row in order.touched:
            print_line(_line(row, _age(row, now_ms())))
    print_line(f"{command.value}: {sum(len(order.touched) for order in orders)} in {len(orders)} commands.")


def _event(order: Instruction, command: Command, work: _Work, word: _Word) -> dict[str, Any]:
    from expathub.cli.moments import now_ms
    from expathub.core.times import rfc3339

    return order.event(command, str(uuid.uuid4()), work.source, rfc3339(now_ms()), word.by, word.why)


async def _publish(work: _Work, events: Sequence[dict[str, Any]]) -> list[Any]:
    """Publish commands and wait for what became of each."""
    from expathub.cli.publication import Publication
    from expathub.core.partners import HUB_OPERATOR

    source = io.BytesIO(b"\n".join(map(orjson.dumps, events)))
    publication = Publication(work.settings.bootstrap, HUB_OPERATOR, OUTCOME_SECONDS, lambda: None)
    return [row async for row in publication.rows(source)]


def _told(order: Instruction, row: Any) -> dict[str, Any]:
    return {
        "subject": order.subject,
        "partner": order.partner,
        "positions": list(order.positions),
        "command": row["position"],
        "outcome": row["outcome"],
        "code": row["code"],
    }


def _row(row: Outcome) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "journal": str(row.journal),
        "type": row.type,
        "partner": row.partner,
        "waits": row.waits,
        "code": row.reason,
        "since": row.at,
    }


def _line(row: Outcome, age: float) -> str:
    from expathub.tables import span

    return f"{row.subject}  {row.journal}  for {row.partner or row.waits}: {row.reason}, {span(age)}  {row.type}"


def _age(row: Outcome, now_ms: int) -> float:
    from expathub.core.times import milliseconds

    return max(0, now_ms - milliseconds(row.at)) / 1000
