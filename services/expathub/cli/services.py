"""`expathub intake`, `dispatch` and `up`: the services, one or all in a process, until they are told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from expathub.cli.output import print_line

if TYPE_CHECKING:
    from expathub.shell.plan import Ground
    from expathub.shell.service import HubService


def intake() -> None:
    """Run the first relay stage: outboxes to the journal, exactly once, until SIGTERM or Ctrl-C (then exit 0).

    Several may run: they share the outboxes. While Kafka does not answer it waits, and says so.
    """
    from expathub.intake.app import app

    asyncio.run(app.run())


def dispatch() -> None:
    """Run the second relay stage: the journal to the inboxes, exactly once, until SIGTERM or Ctrl-C (then exit 0).

    Several may run: they share the journal. While Kafka does not answer it waits, and says so.
    """
    from expathub.dispatch.app import app

    asyncio.run(app.run())


def up(
    provision: Annotated[
        bool, typer.Option("--provision", help="First make the topics and the key file (as `provision apply` does).")
    ] = False,
) -> None:
    """Run all services in one process, each with an HTTP port of its own, until SIGTERM or Ctrl-C (then exit 0).

    With EXPATHUB_HTTP_PORT set, the first takes that port and each other the next one.
    """
    from expathub.dispatch.app import app as dispatch_app
    from expathub.intake.app import app as intake_app
    from expathub.shell.plan import Ground

    if provision:
        from expathub.cli.provision import apply

        apply()
    code = asyncio.run(_run_all(Ground.read(), [intake_app, dispatch_app]))
    if code:
        raise typer.Exit(code)


async def _run_all(ground: Ground, services: list[HubService]) -> int:
    from expathub.shell.serving import run_together

    first = ground.settings.http_port
    addresses = [service.life.prepare(ground, port=first and first + number) for number, service in enumerate(services)]
    where = ", ".join(f"{address.service} at {address.address}" for address in addresses)
    print_line(f"Up: {where}; Kafka at {ground.settings.bootstrap}. Ctrl-C stops.")
    return await run_together([service.life for service in services])
