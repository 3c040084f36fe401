"""`expathub schemas`: the catalogue of event types, and events invented from it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from expathub.cli.schemas_convert import convert
from expathub.cli.schemas_diff import diff, release
from expathub.cli.schemas_docs import asyncapi, docs
from expathub.cli.schemas_lint import lint
from expathub.settings import load_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="The catalogue: compare, convert and lint; sample events.",
)


@app.callback()
def schemas() -> None:
    """Look into the catalogue: compare, convert and lint; make sample events."""


@app.command()
def sample(
    type: Annotated[str, typer.Argument(metavar="TYPE", help="An event type, with or without its version (.v2).")],
    version: Annotated[int | None, typer.Option(min=1, help="Major version; default the newest that is live.")] = None,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many events.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed gives other events.")] = 0,
    subject: Annotated[
        str | None, typer.Option(metavar="UUID", help="The dossier they are about; default one of its own for each.")
    ] = None,
    publisher: Annotated[
        str | None, typer.Option("--as", metavar="PARTNER", help="Who publishes; default the first partner who can.")
    ] = None,
) -> None:
    """Print valid random events, one JSON a line; the same arguments give the same events.

    Everything in them is invented and lies in the past. Each is accepted from the partner named in its `source`.
    Exit code 2 where nobody, or not the partner of --as, can publish such an event.
    """
    import orjson

    from expathub import configuration
    from expathub.configuration.sampling import Wish
    from expathub.configuration.sampling import sample as invent

    settings = load_settings()
    found = configuration.load(settings.partners, settings.schemas)
    wish = Wish(type, version, count, seed, subject, publisher)
    for event in invent(found, wish, datetime.now(UTC).date()):
        sys.stdout.write(orjson.dumps(event).decode() + "\n")
    sys.stdout.flush()


app.command()(diff)
app.command()(release)
app.command()(convert)
app.command()(lint)
app.command()(docs)
app.command()(asyncapi)
