"""What an operator and an auditor would look at now: lag, one newcomer's history, and what would be told today.

Reads the hub with the same parts as `expathub lag`, `expathub audit history` and `expathub replay --dry-run`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from expathub.core.lag import GroupLag, LagState, group_lag
from expathub.core.records import InputRecord
from expathub.core.replay import Replayed
from expathub.core.times import rfc3339
from expathub.core.trail import told_in_order
from expathub.demo.hub import Hub
from expathub.demo.view import QUIET
from expathub.kafka import waiting
from expathub.kafka.group_readings import group_reader, groups_of
from expathub.kafka.replaying import Request, replay
from expathub.kafka.trail_reading import read_trail
from expathub.shell import reference_keys
from expathub.tables import history_lines, lag_table

BEGINNING_MS = 1


async def tools(hub: Hub, subject: str) -> RenderableType:
    """Draw the three looks at a hub; `subject` is the dossier whose history is shown."""
    return Group(
        Rule("expathub lag", style=QUIET, align="left"),
        *await _lag(hub),
        Rule(f"expathub audit history --subject {subject}", style=QUIET, align="left"),
        *[Text(line, overflow="ellipsis", no_wrap=True) for line in await _history(hub, subject)],
        Rule("expathub replay --subject … --dry-run", style=QUIET, align="left"),
        *[Text(line) for line in await _replay(hub, subject)],
    )


async def _lag(hub: Hub) -> Iterable[RenderableType]:
    async with waiting.admin_client(hub.bootstrap) as admin, group_reader(hub.bootstrap, admin) as reader:
        groups = groups_of(await reader.existing(), hub.configuration.partners.by_id)
        readings = await reader.read_all(groups)
    now_ms = time.time_ns() // 1_000_000
    lags = [group_lag(one.group.id, one.group.partner, one.members, one.partitions, now_ms) for one in readings]
    shown = [lag for lag in lags if _is_worth_a_row(lag)]
    quiet = len(lags) - len(shown)
    rest = Text(f"and {quiet} groups of partners that have read everything", style=QUIET)
    return (lag_table(shown), *([rest] if quiet else []))


def _is_worth_a_row(lag: GroupLag) -> bool:
    return lag.partner is None or lag.state is not LagState.OK


async def _history(hub: Hub, subject: str) -> Iterator[str]:
    key = subject.encode()

    def is_about_it(record: InputRecord) -> bool:
        return record.key == key

    found = await read_trail(hub.bootstrap, is_about_it)
    entries = told_in_order(found.journal, found.refusals, found.outcomes)
    return (line for entry in entries for line in history_lines(entry))


async def _replay(hub: Hub, subject: str) -> Iterable[str]:
    as_of_ms = time.time_ns() // 1_000_000
    keys = reference_keys.load(hub.reference_keys)
    request = Request(BEGINNING_MS, as_of_ms, as_of_ms, subject)
    told: dict[str, int] = {}
    async for one in replay(hub.bootstrap, hub.configuration, keys, request):
        if isinstance(one, Replayed):
            told[one.partner] = told.get(one.partner, 0) + 1
    counts = ", ".join(f"{partner} {count}" for partner, count in sorted(told.items()))
    return [f"would be told as of {rfc3339(as_of_ms)}: {counts or 'nobody'}", "nothing was written"]
