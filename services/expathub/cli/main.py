"""The entry point of `expathub`: global options, the table of commands, and the end of every error.

How a command is added: write `expathub/cli/<module>.py` with a plain Typer function (one command) or a
`typer.Typer()` named `app` (a group), and add one row to `COMMANDS`. A row's module is imported only when
its command runs, so `expathub --help` reads nothing but this file and the table's own words.

How a command ends: it returns (exit 0), raises an error of `expathub.errors` (one line, exit 1, 2, 69 or 78) or
raises `typer.Exit(code)` after it has printed what there is to say. Nothing else calls `sys.exit`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from expathub import __version__
from expathub.cli.exits import exit_code, explain
from expathub.cli.output import print_line, tell

if TYPE_CHECKING:
    # Typer vendors Click; these names are needed for the signatures of what is overridden, and for nothing else.
    from typer._click import Command, Context, HelpFormatter


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: where its function or Typer app is (`module:attribute`), its panel in the help, and its one line."""

    name: str
    target: str
    panel: str
    help: str

    def load(self) -> Command:
        """Import the command; only the one that runs is ever imported."""
        module, attribute = self.target.split(":")
        found: typer.Typer | Callable[..., Any] = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return get_command(found)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(self.name)(found)
        return get_command(single)


TRY, PARTNERS, OPERATORS = "Try it out", "For partners", "For operators"
AUDITORS, CONFIGURE, SERVICES = "For auditors", "Configure", "Run services"

COMMANDS: tuple[Entry, ...] = (
    Entry(
        "demo",
        "expathub.cli.demo:demo",
        TRY,
        "Play newcomers' journeys through all partners, live, and check the result.",
    ),
    Entry(
        "broker", "expathub.cli.broker:app", TRY, "Start, stop or show a local Apache Kafka for development and tests."
    ),
    Entry(
        "publish",
        "expathub.cli.publish:publish",
        PARTNERS,
        "Publish events as a partner: CloudEvents, one JSON a line.",
    ),
    Entry("consume", "expathub.cli.consume:consume", PARTNERS, "Read a partner's inbox, one JSON a line."),
    Entry("lag", "expathub.cli.lag:lag", OPERATORS, "Show how far each consumer group is behind, and since when."),
    Entry(
        "deadletters",
        "expathub.cli.deadletters:app",
        OPERATORS,
        "What waits and why; release it to be judged again, or put it aside.",
    ),
    Entry("lane", "expathub.cli.lane:app", OPERATORS, "How the lanes of the stages stand; let a stopped one go on."),
    Entry(
        "audit",
        "expathub.cli.audit:app",
        AUDITORS,
        "What the hub did with events: a dossier's history, one event, whether it adds up.",
    ),
    Entry(
        "replay",
        "expathub.cli.replay:replay",
        AUDITORS,
        "Show what partners would get for a stretch of the journal, as of today's permissions.",
    ),
    Entry(
        "check",
        "expathub.cli.check:check",
        CONFIGURE,
        "Check the whole configuration: partners, schemas, grants, lenses.",
    ),
    Entry(
        "provision",
        "expathub.cli.provision:app",
        CONFIGURE,
        "Make the topics that the configuration asks for, or compare.",
    ),
    Entry(
        "schemas",
        "expathub.cli.schemas:app",
        CONFIGURE,
        "The catalogue: compare, convert and lint; sample events.",
    ),
    Entry("up", "expathub.cli.services:up", SERVICES, "Run all services in one process."),
    Entry("intake", "expathub.cli.services:intake", SERVICES, "Run the first relay stage: outboxes to the journal."),
    Entry(
        "dispatch",
        "expathub.cli.services:dispatch",
        SERVICES,
        "Run the second relay stage: the journal to the inboxes.",
    ),
)


class LazyGroup(TyperGroup):
    """A group that knows its commands by the table and imports the one that runs."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Find the command by name, with Typer's own suggestions for a typing error, and import it."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, next(entry.load() for entry in COMMANDS if entry.name == name), rest

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002 (the base class names it)
        """List the commands by panel, in the table's order."""
        for panel, entries in groupby(COMMANDS, key=lambda entry: entry.panel):
            with formatter.section(panel):
                formatter.write_dl([(entry.name, entry.help) for entry in entries])


app = typer.Typer(
    name="expathub",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: no box breaks a line that a script looks for
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"expathub {__version__}")
        raise typer.Exit


@app.callback()
def root(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings from this YAML or TOML file; EXPATHUB_* wins over it."),
    ] = None,
    version: Annotated[  # noqa: ARG001 (the callback acts on it)
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Carry events between the organisations around the Expat Centre Maastricht Region, exactly once."""
    from expathub.settings import unknown_variables  # Pydantic takes longer to import than `--help` to answer

    for hint in unknown_variables():
        tell(f"expathub: {hint}")
    if config is not None:
        # In the environment, so that every process that a command starts reads the same file.
        os.environ["EXPATHUB_CONFIG"] = str(config)


def _stub() -> None:
    """Stand for a command in the root's list until it is imported."""


for _entry in COMMANDS:
    app.command(_entry.name, help=_entry.help)(_stub)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code; no error leaves a traceback."""
    try:
        get_command(app)(args=arguments, prog_name="expathub")
    except Exception as error:  # noqa: BLE001 (the one place where every error ends)
        for line in explain(error):
            tell(f"expathub: {line}")
        sys.exit(exit_code(error))
