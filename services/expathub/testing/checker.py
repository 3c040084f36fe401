"""The whole check: operations that were logged, a cluster as it was observed, and a script, to one verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from expathub.testing.evidence import Beside, Observation, fingerprints
from expathub.testing.history import History
from expathub.testing.judgement import account, judge
from expathub.testing.operations import Operation, resolve
from expathub.testing.script import Script
from expathub.testing.verdict import Verdict

NOBODY_LATE: Mapping[str, float] = MappingProxyType({})
NO_TEXTS: Mapping[str, str] = MappingProxyType({})


def check(
    observation: Observation,
    operations: Iterable[Operation],
    script: Script | None = None,
    *,
    alone: bool,
    late: Mapping[str, float] = NOBODY_LATE,
    texts: Mapping[str, str] = NO_TEXTS,
) -> Verdict:
    """Judge a cluster; without a script by its topics and the operations alone.

    `alone`: nobody but these operations has published. `late`: what was not at rest in time, in seconds by name.
    `texts`: logs and metrics by name, in which no national number may stand.
    """
    history = History.of(observation.records)
    committed = fingerprints(observation.records)
    resolved = resolve(operations, script, history.outboxes)
    beside = Beside(
        first=committed,
        second=observation.second,
        aborted=(observation.raw - committed.keys()) | resolved.aborted,
        next_offsets=observation.next_offsets,
        unread=observation.unread,
        late=late,
        texts=texts,
        acknowledged=resolved.acknowledged,
        taken_back=resolved.taken_back,
        uncalled=resolved.uncalled if alone else frozenset(),
    )
    if script is None:
        return account(history, beside)
    return judge(history, resolved.sent, script, beside, resolved.unfinished, alone=alone)
