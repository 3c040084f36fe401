"""`expathub lag`: how far each consumer group is behind, as a table, as plain lines or as JSON.

Shows the hub's own groups and the partners' groups on their inboxes. It judges this moment only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli.output import print_json, print_line

if TYPE_CHECKING:
    from expathub.core.lag import GroupLag, PartitionLag
    from expathub.kafka.group_readings import GroupReader

WATCH_SECONDS = 2.0
"""How often `--watch` looks again."""


def lag(
    partner: Annotated[
        str | None, typer.Option("--partner", metavar="PARTNER", help="Only what concerns this partner.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every 2 s, until Ctrl-C.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="One line per group, for scripts and screen readers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per look, with every partition.")] = False,
) -> None:
    """Show how far each consumer group is behind: records, seconds, what was lost, and who holds the partitions.

    Counts committed records only: a transaction's marker is no lag, and a group that never committed has no number.
    "≤" marks an upper bound, "lost" what retention took before the group read it. A partition that does not answer
    is unknown and hides nothing else. `expathub lag` changes nothing and joins no group.
    """
    from expathub import configuration
    from expathub.cli.partner import known_partner
    from expathub.settings import load_settings

    settings = load_settings()
    partners = tuple(configuration.load(settings.partners, settings.schemas).partners.by_id)
    if partner is not None:
        known_partner(settings, partner)
    show = _json if as_json else _plain if plain else _table
    with suppress(KeyboardInterrupt):
        asyncio.run(_Look(settings.bootstrap, partners, partner).show(show, again=watch))


@dataclass(frozen=True, slots=True)
class _Look:
    bootstrap: str
    partners: tuple[str, ...]
    only: str | None

    async def show(self, show: Callable[[Sequence[GroupLag]], None], *, again: bool) -> None:
        """Read and show once, or every two seconds."""
        from expathub.kafka.group_readings import group_reader
        from expathub.kafka.waiting import admin_client

        async with admin_client(self.bootstrap) as admin, group_reader(self.bootstrap, admin) as reader:
            show(await self._read(reader))
            while again:
                await asyncio.sleep(WATCH_SECONDS)
                show(await self._read(reader))

    async def _read(self, reader: GroupReader) -> list[GroupLag]:
        from expathub.core.lag import group_lag
        from expathub.kafka.group_readings import groups_of

        groups = groups_of(await reader.existing(), self.partners)
        found = await reader.read_all(groups)
        now_ms = time.time_ns() // 1_000_000
        lags = (group_lag(one.group.id, one.group.partner, one.members, one.partitions, now_ms) for one in found)
        return [narrowed for lag in lags if (narrowed := self._narrowed(lag, now_ms))]

    def _narrowed(self, lag: GroupLag, now_ms: int) -> GroupLag | None:
        """Keep what concerns the partner asked for: its own groups, and its outbox in the hub's."""
        from expathub.core.lag import group_lag
        from expathub.core.topic_names import outbox

        if self.only is None or lag.partner == self.only:
            return lag
        own = [one.reading for one in lag.partitions if one.reading.topic == outbox(self.only)]
        return group_lag(lag.group, lag.partner, lag.members, own, now_ms) if own else None


def _json(lags: Sequence[GroupLag]) -> None:
    print_json({"groups": [_group(lag) for lag in lags]})


def _group(lag: GroupLag) -> dict[str, Any]:
    return {
        "group": lag.group,
        "partner": lag.partner,
        "state": lag.state.value,
        "members": lag.members,
        "records": lag.records,
        "at_most": lag.at_most,
        "lost": lag.lost,
        "seconds": lag.seconds,
        "partitions": [_partition(one) for one in lag.partitions],
    }


def _partition(lag: PartitionLag) -> dict[str, Any]:
    reading = lag.reading
    return {
        "topic": reading.topic,
        "partition": reading.partition,
        "state": lag.state.value,
        "committed": reading.committed,
        "log_start": reading.log_start,
        "end": reading.end,
        "records": lag.records,
        "at_most": lag.at_most,
        "lost": lag.lost,
        "seconds": lag.seconds,
        "member": reading.member,
        "fault": reading.fault,
    }


def _plain(lags: Sequence[GroupLag]) -> None:
    from expathub.tables import lag_line

    for lag in lags:
        print_line(lag_line(lag))


def _table(lags: Sequence[GroupLag]) -> None:
    from rich.console import Console

    from expathub.tables import lag_table

    Console().print(lag_table(lags))
