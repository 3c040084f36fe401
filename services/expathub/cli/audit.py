"""`expathub audit`: what the hub did with an event or with everything about one dossier, and whether it adds up.

Reads the hub's own records, never its state, and shows content only for a stated reason, which is written down first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from expathub.cli.output import print_json, print_line, tell
from expathub.errors import SomethingFoundError, UsageError

if TYPE_CHECKING:
    from expathub.core.account import Account
    from expathub.core.records import InputRecord
    from expathub.core.trail import Outcome, Received, Refused
    from expathub.kafka.trail_reading import Found
    from expathub.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="What the hub did with events: the history of a dossier, one event, and whether everything adds up.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON: one document.")]
Payload = Annotated[bool, typer.Option("--payload", help="Show the events' content too; needs --reason.")]
Why = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why content is looked at; kept in audit-access.jsonl.")
]


@app.command()
def history(
    subject: Annotated[str, typer.Option("--subject", metavar="UUID", help="The dossier.")],
    payload: Payload = False,
    reason: Why = None,
    as_json: Json = False,
) -> None:
    """Show everything the hub did about one dossier, in order.

    Received, refused, told to whom with which fields on which ground, withheld and why, held since when.
    """
    from expathub.core.identifiers import is_uuid
    from expathub.core.trail import told_in_order
    from expathub.settings import load_settings

    if not is_uuid(subject):
        raise UsageError("--subject is no dossier id.", "Give a UUID in lower case.")
    settings, key = load_settings(), subject.encode()
    found = _read(settings, lambda record: record.key == key)
    entries = told_in_order(found.journal, found.refusals, found.outcomes)
    if not entries:
        raise SomethingFoundError("The hub has no record about this dossier.", "Check the id.")
    _show(settings, entries, payload, reason, as_json)


@app.command()
def show(
    which: Annotated[str, typer.Argument(metavar="POSITION|ID", help="E.g. hub.journal/3/17, outbox.ind/0/42, an id.")],
    payload: Payload = False,
    reason: Why = None,
    as_json: Json = False,
) -> None:
    """Show what became of one event, by its position in the journal, an outbox or the refusals, or by its id."""
    from expathub.core.trail import told_in_order
    from expathub.settings import load_settings

    settings = load_settings()
    found = _read(settings)
    journal = [event for event in found.journal if which in (str(event.position), str(event.origin), event.id)]
    refusals = [refusal for refusal in found.refusals if which in (str(refusal.position), str(refusal.origin))]
    if not journal and not refusals:
        raise SomethingFoundError("The hub has no record of that event.", "Check the position or the id.")
    _show(settings, told_in_order(journal, refusals, found.outcomes), payload, reason, as_json)


@app.command()
def accounts(
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Received at or after.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Received before; default now.")] = None,
    as_json: Json = False,
) -> None:
    """Check that all that was received has exactly one outcome, and every accepted event its rows.

    Exit 1 with the positions where it does not add up. What the services have not come to yet is pending.
    """
    from expathub import configuration
    from expathub.cli.moments import now_ms, past
    from expathub.core.times import rfc3339
    from expathub.kafka.trail_reading import read_account
    from expathub.settings import load_settings

    start_ms, end_ms = past("--from", start) if start else 0, past("--to", to) if to else now_ms()
    if start_ms >= end_ms:
        raise UsageError("--from is not before --to.", "Give a stretch that holds time.")
    settings = load_settings()
    partners = configuration.load(settings.partners, settings.schemas).partners.by_id
    drawn_up = asyncio.run(read_account(settings.bootstrap, list(partners), start_ms, end_ms, _progress))
    if as_json:
        print_json({"from": rfc3339(start_ms) if start else None, "to": rfc3339(end_ms), **drawn_up.as_json()})
    else:
        for line in _account_lines(drawn_up):
            print_line(line)
    if drawn_up.wrong:
        raise SomethingFoundError(f"{len(drawn_up.wrong)} positions do not add up.", "They are listed above.")


def _account_lines(account: Account) -> Iterator[str]:
    refused = ", ".join(f"{count} {code}" for code, count in account.refused.items())
    yield f"received   {account.received}"
    yield f"accepted   {account.accepted}"
    yield f"refused    {sum(account.refused.values())}" + (f" ({refused})" if refused else "")
    yield f"pending    {account.pending}"
    yield f"told       {account.told}"
    for word, counts in (("withheld", account.withheld), ("held", account.held)):
        named = ", ".join(f"{count} {code}" for code, count in counts.items())
        yield f"{word:10} {sum(counts.values())}" + (f" ({named})" if named else "")
    for violation in account.wrong:
        yield f"wrong      {violation}"


def _progress(count: int) -> None:
    tell(f"{count} records read …")


def _read(settings: Settings, wanted: Callable[[InputRecord], bool] = lambda _: True) -> Found:
    from expathub.kafka.trail_reading import read_trail

    return asyncio.run(read_trail(settings.bootstrap, wanted, _progress))


def _show(
    settings: Settings, entries: Sequence[Received | Refused], payload: bool, reason: str | None, as_json: bool
) -> None:
    from expathub.cli.access_log import note_access
    from expathub.core.trail import Received
    from expathub.tables import history_lines

    if payload:
        shown = [str(entry.position) for entry in entries if isinstance(entry, Received)]
        note_access(settings.data, reason, shown)
    if as_json:
        print_json([_entry(entry, payload) for entry in entries])
        return
    for entry in entries:
        for line in history_lines(entry):
            print_line(line)
        if payload and isinstance(entry, Received):
            print_line(f"  content   {entry.canonical.decode()}")


def _entry(entry: Received | Refused, payload: bool) -> dict[str, Any]:
    from expathub.core.trail import Refused

    common = {
        "position": str(entry.position),
        "origin": str(entry.origin),
        "sender": entry.sender,
        "received_at": entry.received_at,
    }
    if isinstance(entry, Refused):
        return {"what": "refused", **common, "code": entry.code, "pointer": entry.pointer}
    content = {"content": orjson.loads(entry.canonical)} if payload else {}
    return {
        "what": "received",
        **common,
        "event": {"source": entry.source, "id": entry.id, "type": entry.type},
        "outcomes": [_outcome(one) for one in entry.outcomes],
        **content,
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "what": one.kind.value,
        "partner": one.partner,
        "at": one.at,
        "reason": one.reason,
        "waits": one.waits,
        "fields": list(one.fields),
        "ground": one.ground,
        "reference": one.reference,
        "disclosure": one.disclosure,
        "position": str(one.position),
    }
