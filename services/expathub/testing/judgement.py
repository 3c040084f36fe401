"""The verdict from what was sent and what all topics hold: eleven judgements, each a function over the same evidence.

Pure. `account` needs the topics alone; `judge` also compares with what a script says should have become of each
record. Neither calls the hub's own rules: a judge that asks the accused finds nothing. One fault often shows in more
than one judgement; none of them keeps silent because another has spoken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from expathub.core.records import Position
from expathub.testing.case import Ours, case_of, waiting
from expathub.testing.evidence import Beside, Evidence, Expected
from expathub.testing.history import History
from expathub.testing.judging_excesses import aborted_visible, doubled, phantom
from expathub.testing.judging_losses import lost, skipped, torn, wedged
from expathub.testing.judging_order import inconsistent, reordered
from expathub.testing.judging_rules import leaked, unexpected
from expathub.testing.script import Script
from expathub.testing.verdict import Finding, Kind, Sent, Verdict

JUDGEMENTS: Mapping[Kind, Callable[[Evidence], Iterator[Finding]]] = MappingProxyType(
    {
        Kind.LOST: lost,
        Kind.DOUBLED: doubled,
        Kind.ABORTED_VISIBLE: aborted_visible,
        Kind.TORN: torn,
        Kind.REORDERED: reordered,
        Kind.SKIPPED: skipped,
        Kind.INCONSISTENT: inconsistent,
        Kind.PHANTOM: phantom,
        Kind.LEAKED: leaked,
        Kind.WEDGED: wedged,
        Kind.UNEXPECTED: unexpected,
    }
)
"""All that is judged, in the order of the numbers."""

NOTHING_BESIDE = Beside()


def account(history: History, beside: Beside = NOTHING_BESIDE) -> Verdict:
    """Check a whole cluster by its topics alone: every record accounted for, nothing doubled, torn or reordered."""
    origins = frozenset(record.position for record in history.outboxes)
    return _verdict(Evidence(case_of(history, origins, None), None, beside))


def judge(
    history: History,
    sent: Sequence[Sent],
    script: Script,
    beside: Beside = NOTHING_BESIDE,
    unfinished: frozenset[str] = frozenset(),
    *,
    alone: bool = False,
) -> Verdict:
    """Check what became of the records in `sent`, against the topics and against what the script expects.

    Nothing is expected of the dossiers in `unfinished`, of which something was never sent. `alone` says that nobody
    else uses the cluster, so that everything it holds must add up.
    """
    origins = frozenset(one.position for one in sent)
    if alone:
        origins |= {record.position for record in history.outboxes}
    case = case_of(history, origins, None if alone else Ours.of(sent, beside.taken_back), beside.aborted)
    return _verdict(Evidence(case, Expected.of(sent, script, unfinished), beside))


def is_settled(history: History, origins: Iterable[Position]) -> bool:
    """Say whether each of the outbox offsets was decided on, and each accepted one dispatched."""
    journaled = {accepted.origin: accepted.position for accepted in history.journal}
    refused = {refusal.origin for refusal in history.refusals}
    handled = {row.journal for row in (*history.disclosures, *history.parked)}
    return all(journaled[origin] in handled if origin in journaled else origin in refused for origin in origins)


def _verdict(evidence: Evidence) -> Verdict:
    case = evidence.case
    duplicates = sum(refusal.code == "duplicate" for refusal in case.refusals)
    rows = [row for accepted in case.journal for row in case.rows.get(accepted.position, ())]
    return Verdict(
        findings=tuple(finding for find in JUDGEMENTS.values() for finding in find(evidence)),
        accepted=len(case.journal),
        refused=len(case.refusals) - duplicates,
        duplicates=duplicates,
        disclosures=sum(row.fields is not None for row in rows),
        parked=sum(len(waiting(case, accepted.position)) for accepted in case.journal),
    )
