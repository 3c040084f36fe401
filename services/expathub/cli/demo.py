"""`expathub demo`: newcomers' journeys through all partners on a real Apache Kafka, live, with a verdict at the end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from expathub.cli.output import print_json, tell
from expathub.errors import UsageError

if TYPE_CHECKING:
    from expathub.demo.hub import Hub
    from expathub.demo.run import Outcome
    from expathub.demo.show import Show
    from expathub.settings import Settings

EVENTS = 400
"""About twenty seconds of play."""

INTERRUPTED, TERMINATED = 130, 143  # 128 + the signal's number, as shells say it


def demo(
    events: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many events are published.")] = EVENTS,
    seed: Annotated[int, typer.Option(help="Another seed, other journeys; the same seed, the same.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with the figures, no picture.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Save the picture of the end as SVG.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it all running, and say how to go on and stop.")] = False,
) -> None:
    """Play newcomers' journeys through all partners, live, and check the result.

    Starts what is missing (a broker on free ports unless EXPATHUB_BOOTSTRAP names one, topics, services) and leaves
    nothing running. Exit 1 if anything was lost, doubled, torn, reordered or told to somebody who may not know it.
    """
    from expathub.settings import load_settings

    if svg and not svg.absolute().parent.is_dir():
        raise UsageError(f"There is no folder for {svg}.", "Make it, or save the picture elsewhere.")
    # Clients retry what they complain of, and their lines would break the picture; what counts is judged at the end.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    show = _show(as_json=as_json)
    try:
        outcome = asyncio.run(_demonstrate(load_settings(), show, events=events, seed=seed, svg=svg, keep=keep))
    except KeyboardInterrupt:
        tell("Stopped; nothing is left running.")
        raise typer.Exit(INTERRUPTED) from None
    except asyncio.CancelledError:
        tell("Stopped; nothing is left running.")
        raise typer.Exit(TERMINATED) from None
    if as_json:
        print_json(figures(outcome))
    if not outcome.verdict.is_clean:
        raise typer.Exit(1)


def _show(*, as_json: bool) -> Show:
    from rich.console import Console

    from expathub.demo.show import LiveShow, PlainShow, QuietShow

    if as_json:
        return QuietShow(Console(stderr=True))
    console = Console()
    return LiveShow(console) if console.is_terminal else PlainShow(console)


async def _demonstrate(
    settings: Settings, show: Show, *, events: int, seed: int, svg: Path | None, keep: bool
) -> Outcome:
    from datetime import UTC, datetime
    from uuid import uuid4

    from expathub.configuration import load
    from expathub.demo import picture
    from expathub.demo.hub import running
    from expathub.demo.run import play
    from expathub.demo.show import QuietShow, drawing
    from expathub.demo.summary import most_telling
    from expathub.demo.tools import tools
    from expathub.testing.journeys import write

    _end_when_asked()
    loaded = load(settings.partners, settings.schemas)
    script = write(loaded, events=events, seed=seed, run=uuid4().hex, now=datetime.now(UTC))
    async with running(settings, loaded, keep=keep, note=show.note) as hub:
        async with drawing(show):
            outcome = await play(hub, script, show.begin)
            show.end(outcome)
        story = most_telling(outcome.board)
        if story and not isinstance(show, QuietShow):
            show.add(await tools(hub, story[0].publication.subject))
        if svg:
            picture.save(picture.parts(outcome), svg)
        if keep:
            for line in _how_to_go_on(hub):
                show.say(line)
    return outcome


def _end_when_asked() -> None:
    """Have a terminating signal end the demonstration the way Ctrl-C does: tidied up."""
    task = asyncio.current_task()
    if task:
        for one in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(one, task.cancel)


def figures(outcome: Outcome) -> dict[str, int | float | None]:
    """Return the figures of a demonstration; times in the unit that the name says."""
    from expathub.testing.verdict import Kind

    found, p50, p99 = outcome.verdict, outcome.board.latency_ms(50), outcome.board.latency_ms(99)
    return {
        "published": outcome.board.counts["published"],
        "accepted": found.accepted,
        "refused": found.refused,
        "duplicates": found.duplicates,
        "disclosures": found.disclosures,
        "parked": found.parked,
        "lost": found.count(Kind.LOST),
        "doubled": found.count(Kind.DOUBLED),
        "reordered": found.count(Kind.REORDERED),
        "over_disclosed": found.count(Kind.LEAKED),
        "seconds": round(outcome.seconds, 3),
        "p50_ms": None if p50 is None else round(p50, 1),
        "p99_ms": None if p99 is None else round(p99, 1),
    }


def _how_to_go_on(hub: Hub) -> Iterator[str]:
    yield "Left running. To go on:"
    yield f"  export EXPATHUB_BOOTSTRAP={hub.bootstrap} EXPATHUB_DATA={hub.data}"
    yield "  expathub consume --as aachen --from beginning --timeout 2"
    yield "  expathub schemas sample nl.expats.aankomst-aangemeld | expathub publish --as expat-centre - --wait 5"
    yield "  expathub demo"
    yield "To stop:"
    if hub.services:
        yield f"  kill {hub.services.pid}"
    if hub.own_broker:
        yield f"  expathub broker stop --data {hub.data / 'kafka'}"
