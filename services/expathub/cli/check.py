"""`expathub check`: is the whole configuration fit to be used, and what is wrong with it where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from expathub.cli.exits import ExitCode
from expathub.cli.output import print_json, print_line
from expathub.settings import load_settings

if TYPE_CHECKING:
    from expathub.configuration import Fault, Tally
    from expathub.core.configuration import Configuration


def check(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Check the whole configuration: partners, schemas, grants, lenses, examples, and the order of times.

    Prints a line for each fault, with file, line, what is wrong and how to mend it; then the exit code is 78.
    """
    from expathub import configuration

    settings = load_settings()
    try:
        found, tally = configuration.check(settings.partners, settings.schemas, datetime.now(UTC).date())
    except configuration.ConfigurationError as problem:
        _print_faults(problem.faults, as_json=as_json)
        raise typer.Exit(ExitCode.CONFIGURATION) from None
    faults = _times_out_of_order()
    if faults:
        _print_faults(faults, as_json=as_json)
        raise typer.Exit(ExitCode.CONFIGURATION)
    _print_result(found, tally, as_json=as_json)


def _times_out_of_order() -> tuple[Fault, ...]:
    """Hold the planned times against each other; they are code, so the file is ours."""
    from expathub.configuration import Fault
    from expathub.kafka import topics

    mend = "Set the times in their order"
    return tuple(Fault(str(topics.__file__), 1, what, mend) for what in topics.out_of_order(topics.PLANNED_TIMES))


def _print_faults(faults: tuple[Fault, ...], *, as_json: bool) -> None:
    if as_json:
        rows = [{"file": f.file, "line": f.line, "what": f.what, "mend": f.mend} for f in faults]
        print_json({"ok": False, "faults": rows})
        return
    for fault in faults:
        print_line(str(fault))
    print_line(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}.")


def _print_result(found: Configuration, tally: Tally, *, as_json: bool) -> None:
    counts = {
        "partners": tally.partners,
        "types": tally.types,
        "versions": tally.versions,
        "lenses": tally.lenses,
        "examples": tally.good,
        "refused_examples": tally.refused,
    }
    if as_json:
        print_json({"ok": True, "revision": found.revision, "digest": found.digest, **counts, "faults": []})
        return
    words = ", ".join(f"{what.replace('_', ' ')} {count}" for what, count in counts.items())
    print_line(f"The configuration is sound: {words}.")
    print_line(f"Revision {found.revision}, digest {found.digest}.")
