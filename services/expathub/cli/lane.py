"""`expathub lane`: how each lane of the relay stages stands, and how a stopped one goes on by a person's word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli.output import print_json, print_line
from expathub.errors import UsageError

if TYPE_CHECKING:
    from expathub.kafka.engine_settings import EngineSettings
    from expathub.kafka.lane_plan import LaneSpec
    from expathub.kafka.resume import LaneStatus
    from expathub.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="How the lanes of intake and dispatch stand; let a stopped one go on.",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
LaneName = Annotated[str, typer.Argument(metavar="LANE", help="E.g. outbox.ind/0 or hub.journal/2.")]

AT_ONCE = 4
"""How many lanes are looked at at once: each look reads a changelog."""


class GoOn(StrEnum):
    """Where a stopped lane goes on."""

    MARKER = "marker"
    OFFSETS = "offsets"
    LOG_START = "log-start"


@app.command("list")
def list_lanes(as_json: Json = False) -> None:
    """List all lanes: where each stands, how much is before it, and whether it is stopped. Exit 1 if one is."""
    statuses = _look(_Lanes.read(), None)
    _print(statuses, as_json)
    if any(one.stop for one in statuses):
        raise typer.Exit(1)


@app.command()
def show(lane: LaneName, as_json: Json = False) -> None:
    """Show one lane: its marker, its offset, what its input still has, and why it would not be taken over."""
    lanes = _Lanes.read()
    (status,) = _look(lanes, lane)
    if as_json:
        print_json(_as_json(status))
        return
    for name, value in _as_json(status).items():
        print_line(f"{name:12} {'–' if value is None else value}")


@app.command()
def resume(
    lane: LaneName,
    start: Annotated[
        GoOn, typer.Option("--from", help="By its marker, by the group's offset, or at the oldest record.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="The account that orders it.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason. No personal data.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask (for scripts).")] = False,
    as_json: Json = False,
) -> None:
    """Let a stopped lane go on from where you say; its process notices within 30 s.

    From the marker nothing is lost or doubled as far as the hub knows. From the offsets, or the oldest record, events
    may be passed over or relayed once more: how many is shown first, and who ordered it is kept.
    """
    from expathub.cli.access_log import note_action
    from expathub.kafka.resume import resume_lane

    lanes = _Lanes.read()
    spec, settings = lanes.named(lane)
    if not yes:
        _print(_look(lanes, lane), as_json=False)
        typer.confirm(f"Let {lane} go on from its {start.value}?", abort=True)
    note_action(lanes.settings.data, f"lane resume {lane} --from {start.value}", by, why)
    done = asyncio.run(resume_lane(spec, settings, start.value))
    if as_json:
        print_json(
            {
                "lane": done.lane,
                "next": done.next,
                "was_marker": done.was_marker,
                "was_offset": done.was_offset,
                "skipped": done.skipped,
                "repeated": done.repeated,
            }
        )
        return
    print_line(f"{lane} goes on at {done.next}: {done.skipped} offsets passed over, {done.repeated} once more.")


@dataclass(frozen=True, slots=True)
class _Lanes:
    """All lanes of both stages by name, each with the settings of its engine."""

    settings: Settings
    by_name: dict[str, tuple[LaneSpec[Any], EngineSettings]]

    @classmethod
    def read(cls) -> _Lanes:
        """Work out the lanes from the configuration."""
        from expathub import configuration
        from expathub.dispatch import wiring as dispatch
        from expathub.intake import wiring as intake
        from expathub.kafka import waiting
        from expathub.metrics import Service
        from expathub.settings import load_settings
        from expathub.shell import reference_keys
        from expathub.shell.engines import engine_settings
        from expathub.shell.plan import Ground

        settings = load_settings()
        waiting.silence_client()
        ground = Ground(settings, configuration.load(settings.partners, settings.schemas))
        keys = reference_keys.load(settings.reference_keys).fingerprints()
        taking_in = engine_settings(ground, Service.INTAKE)
        dispatching = engine_settings(ground, Service.DISPATCH, keys)
        return cls(
            settings,
            {spec.name: (spec, taking_in) for spec in intake.lanes(ground.configuration)}
            | {spec.name: (spec, dispatching) for spec in dispatch.lanes()},
        )

    def named(self, name: str) -> tuple[LaneSpec[Any], EngineSettings]:
        """Find a lane; raises `UsageError`."""
        if name not in self.by_name:
            raise UsageError(f"There is no lane {name!r}.", "`expathub lane list` shows them.")
        return self.by_name[name]


def _look(lanes: _Lanes, name: str | None) -> Sequence[LaneStatus]:
    from expathub.kafka.waiting import giving_up, reach

    wanted = [lanes.named(name)] if name else list(lanes.by_name.values())

    async def look() -> Sequence[LaneStatus]:
        await reach(lanes.settings.bootstrap)
        return await _statuses(wanted)

    with giving_up(lanes.settings.bootstrap):
        return asyncio.run(look())


async def _statuses(wanted: Sequence[tuple[LaneSpec[Any], EngineSettings]]) -> Sequence[LaneStatus]:
    from expathub.kafka.resume import lane_status

    few = asyncio.Semaphore(AT_ONCE)

    async def one(spec: LaneSpec[Any], settings: EngineSettings) -> LaneStatus:
        async with few:
            return await lane_status(spec, settings)

    return await asyncio.gather(*(one(spec, settings) for spec, settings in wanted))


def _print(statuses: Sequence[LaneStatus], as_json: bool) -> None:
    if as_json:
        print_json([_as_json(status) for status in statuses])
        return
    for status in statuses:
        at = _next(status)
        stands = "has not begun" if at is None else f"at {at} of {status.input_end}"
        why = f"; would stop: {status.stop.cause.value} ({status.stop.detail})" if status.stop else ""
        print_line(f"{status.lane:32} {stands}{why}")


def _next(status: LaneStatus) -> int | None:
    return status.marker.next if status.marker else status.committed


def _as_json(status: LaneStatus) -> dict[str, Any]:
    marker = status.marker
    return {
        "lane": status.lane,
        "marker": marker.next if marker else None,
        "offset": status.committed,
        "log_start": status.input_start,
        "end": status.input_end,
        "revision": marker.revision if marker else None,
        "config": marker.digest if marker else None,
        "takeovers": marker.takeovers if marker else None,
        "stop": status.stop.cause.value if status.stop else None,
        "detail": status.stop.detail if status.stop else None,
    }
