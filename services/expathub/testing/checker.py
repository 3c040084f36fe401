"""The whole check: operations that were logged, a cluster as it was observed, and a script, to one verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from expathub.core.records import Position
from expathub.testing.evidence import Beside, Observation, fingerprints
from expathub.testing.history import History
from expathub.testing.judgement import account, judge
from expathub.testing.operations import Operation, Resolved, resolve
from expathub.testing.script import Script
from expathub.testing.verdict import Verdict

NOBODY_LATE: Mapping[str, float] = MappingProxyType({})
NO_TEXTS: Mapping[str, str] = MappingProxyType({})


def check(
    observation: Observation,
    operations: Iterable[Operation] = (),
    script: Script | None = None,
    *,
    alone: bool = True,
    late: Mapping[str, float] = NOBODY_LATE,
    texts: Mapping[str, str] = NO_TEXTS,
) -> Verdict:
    """Judge a cluster; without a script by its topics alone.

    `alone`: nobody else has used the cluster. `late`: what was not at rest in time, in seconds by name. `texts`: logs
    and metrics by name, in which no national number may stand.
    """
    history = History.of(observation.records)
    if script is None:
        return account(history, _beside(observation, None, late, texts))
    resolved = resolve(operations, script, history.outboxes)
    beside = _beside(observation, resolved, late, texts, alone=alone)
    return judge(history, resolved.sent, script, beside, resolved.unfinished, alone=alone)


def _beside(
    observation: Observation,
    resolved: Resolved | None,
    late: Mapping[str, float],
    texts: Mapping[str, str],
    *,
    alone: bool = True,
) -> Beside:
    committed = fingerprints(observation.records)
    nothing: frozenset[Position] = frozenset()
    return Beside(
        first=committed,
        second=observation.second,
        aborted=(observation.raw - committed.keys()) | (resolved.aborted if resolved else nothing),
        next_offsets=observation.next_offsets,
        unread=observation.unread,
        late=late,
        texts=texts,
        acknowledged=resolved.acknowledged if resolved else nothing,
        taken_back=resolved.taken_back if resolved else frozenset(),
        uncalled=resolved.uncalled if resolved and alone else nothing,
    )
