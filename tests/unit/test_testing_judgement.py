"""Hand-made histories: the judge passes the good one and finds each fault that is planted in it, and only that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import orjson
import pytest

from expathub.core.records import InputRecord, Position
from expathub.testing.evidence import Beside, fingerprints
from expathub.testing.history import History, pointers
from expathub.testing.judgement import NOTHING_BESIDE, account, is_settled, judge
from expathub.testing.script import NOBODY, EventKey, Fate, Outcome, Publication, Script
from expathub.testing.verdict import Finding, Kind, Sent, Verdict

IND, CENTRE = "urn:nld:oin:00000099000000001000:systeem:ind", "urn:nld:oin:00000099000000002000:systeem:centre"
ANNA, BRAM = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
BSN = "999990019"
FIELDS = frozenset({"/data/datum", "/data/taal"})
Records = list[InputRecord]


def record(
    topic: str, partition: int, offset: int, value: dict[str, Any] | None, key: str = "k", **headers: str
) -> InputRecord:
    named = tuple((name.replace("_", "-"), text.encode()) for name, text in headers.items())
    return InputRecord(
        Position(topic, partition, offset), key.encode(), None if value is None else orjson.dumps(value), named, 0
    )


def event(source: str, id: str, subject: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": "nl.expats.proef.v1",
        "subject": subject,
        "data": {"datum": "2026-01-01", "taal": "en"} if data is None else data,
    }


def journal(offset: int, origin: str, source: str, id: str, subject: str) -> InputRecord:
    partner = origin.split("/", maxsplit=1)[0].removeprefix("outbox.")
    return record("hub.journal", 0, offset, event(source, id, subject), subject, hub_origin=origin, hub_partner=partner)


def disclosure(id: str, partner: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{id} {partner}"))


def row(topic: str, offset: int, at: int, source: str, id: str, partner: str | None, **more: Any) -> InputRecord:
    value = {
        "disclosure": disclosure(id, partner or ""),
        "event": {"source": source, "id": id, "type": "nl.expats.proef.v1"},
        "journal": f"hub.journal/0/{at}",
        "partner": partner,
        "type": "nl.expats.proef.v1",
        **more,
    }
    return record(topic, 0, offset, value, hub_origin=f"hub.journal/0/{at}")


def inbox(
    partner: str, offset: int, at: int, source: str, id: str, reference: str, *, partition: int = 0, **headers: str
) -> InputRecord:
    return record(
        f"inbox.{partner}",
        partition,
        offset,
        event(source, id, reference),
        reference,
        hub_origin=f"hub.journal/0/{at}",
        hub_disclosure=disclosure(id, partner),
        **headers,
    )


def receipt(partner: str, offset: int, refused: str, code: str) -> InputRecord:
    value = {**event("urn:hub", "r", "s"), "data": {"position": refused, "source": None, "id": None, "code": code}}
    return record(f"inbox.{partner}", 1, offset, value, hub_origin=refused)


TOLD = sorted(FIELDS)
ABROAD = "99999999-9999-4999-8999-999999999999"


def good() -> Records:
    """Anna: a (told vaals), b (told vaals and aachen), e (told vaals); Bram: c (held); a again; one refused."""
    return [
        record("outbox.ind", 0, 0, event(IND, "a", ANNA)),
        record("outbox.ind", 0, 1, event(IND, "b", ANNA)),
        record("outbox.ind", 0, 2, event(IND, "a", ANNA)),
        record("outbox.ind", 0, 3, event(IND, "e", ANNA)),
        record("outbox.centre", 0, 0, event(CENTRE, "c", BRAM)),
        record("outbox.centre", 0, 1, {"no": "event"}),
        journal(0, "outbox.ind/0/0", IND, "a", ANNA),
        journal(1, "outbox.ind/0/1", IND, "b", ANNA),
        journal(2, "outbox.centre/0/0", CENTRE, "c", BRAM),
        journal(3, "outbox.ind/0/3", IND, "e", ANNA),
        record("hub.refusals", 0, 0, None, hub_origin="outbox.ind/0/2", hub_partner="ind", hub_code="duplicate"),
        record("hub.refusals", 0, 1, None, hub_origin="outbox.centre/0/1", hub_partner="centre", hub_code="schema"),
        receipt("centre", 0, "outbox.centre/0/1", "schema"),
        row("hub.disclosures", 0, 0, IND, "a", "vaals", fields=TOLD),
        row("hub.disclosures", 1, 0, IND, "a", "aachen", withheld="secrecy"),
        row("hub.disclosures", 2, 1, IND, "b", "vaals", fields=TOLD),
        row("hub.disclosures", 3, 1, IND, "b", "aachen", fields=TOLD),
        row("hub.disclosures", 4, 3, IND, "e", "vaals", fields=TOLD),
        row("hub.parked", 0, 2, CENTRE, "c", None, held="residence-unknown", waits="municipality-of-residence"),
        inbox("vaals", 0, 0, IND, "a", ANNA),
        inbox("vaals", 1, 1, IND, "b", ANNA),
        inbox("vaals", 2, 3, IND, "e", ANNA),
        inbox("aachen", 0, 1, IND, "b", ABROAD),
    ]


def publication(number: int, partner: str, source: str, id: str, subject: str, fate: Fate) -> Publication:
    return Publication(number, partner, subject, "does something", (source, id), b"", (), fate)


def script() -> tuple[Script, list[Sent]]:
    fates = [
        ("ind", 0, IND, "a", ANNA, Fate(Outcome.ACCEPTED, told={"vaals": FIELDS}, withheld={"aachen": "secrecy"})),
        ("ind", 1, IND, "b", ANNA, Fate(Outcome.ACCEPTED, told={"vaals": FIELDS, "aachen": FIELDS})),
        ("ind", 2, IND, "a", ANNA, Fate(Outcome.DUPLICATE, "duplicate")),
        ("ind", 3, IND, "e", ANNA, Fate(Outcome.ACCEPTED, told={"vaals": FIELDS})),
        (
            "centre",
            0,
            CENTRE,
            "c",
            BRAM,
            Fate(Outcome.ACCEPTED, held={"municipality-of-residence": "residence-unknown"}),
        ),
        ("centre", 1, CENTRE, "d", BRAM, Fate(Outcome.REFUSED, "schema")),
    ]
    sent = [
        Sent(publication(number, partner, source, id, subject, fate), Position(f"outbox.{partner}", 0, offset))
        for number, (partner, offset, source, id, subject, fate) in enumerate(fates)
    ]
    queues = {("vaals", ANNA): ((IND, "a"), (IND, "b"), (IND, "e")), ("aachen", ANNA): ((IND, "b"),)}
    return Script(tuple(one.publication for one in sent), queues, frozenset({BSN, ANNA}), frozenset({"aachen"})), sent


def found(records: Sequence[InputRecord], beside: Beside = NOTHING_BESIDE) -> set[tuple[Kind, str]]:
    the_script, sent = script()
    return marks(judge(History.of(records), sent, the_script, beside))


def marks(verdict: Verdict) -> set[tuple[Kind, str]]:
    return {(finding.kind, finding.partner) for finding in verdict.findings}


def without(topic: str, offset: int, partition: int = 0) -> Callable[[Records], Records]:
    position = Position(topic, partition, offset)

    def change(records: Records) -> Records:
        assert any(one.position == position for one in records), "the planted fault must hit a record"
        return [one for one in records if one.position != position]

    return change


def plus(*more: InputRecord) -> Callable[[Records], Records]:
    return lambda records: [*records, *more]


def moved(topic: str, source: int, target: int) -> Callable[[Records], Records]:
    """Give the record at offset `source` the offset `target`."""

    def change(records: Records) -> Records:
        (record,) = (one for one in records if one.position == Position(topic, 0, source))
        rest = [one for one in records if one is not record]
        return [*rest, msgspec.structs.replace(record, position=Position(topic, 0, target))]

    return change


def both(*changes: Callable[[Records], Records]) -> Callable[[Records], Records]:
    def change(records: Records) -> Records:
        for one in changes:
            records = one(records)
        return records

    return change


def again(topic: str, offset: int, **changes: Any) -> Callable[[Records], Records]:
    """Change one record in what a second reader sees."""
    return lambda records: [
        msgspec.structs.replace(one, **changes) if one.position == Position(topic, 0, offset) else one
        for one in records
    ]


MORE = {**event(IND, "b", ABROAD), "data": {"datum": "2026-01-01", "taal": "en", "nationaliteit": "0052"}}
HEADERS = {"hub_origin": "hub.journal/0/1", "hub_disclosure": disclosure("b", "aachen")}

FAULTS: dict[str, tuple[Callable[[Records], Records], set[tuple[Kind, str]]]] = {
    "an accepted event that is nowhere": (
        both(
            without("hub.journal", 2),
            without("hub.parked", 0),
        ),
        {(Kind.LOST, ""), (Kind.SKIPPED, "")},
    ),
    "a refusal that is nowhere": (
        both(without("hub.refusals", 1), without("inbox.centre", 0, 1)),
        {(Kind.LOST, "")},
    ),
    "a journal record that was never dispatched": (
        without("hub.parked", 0),
        {(Kind.LOST, ""), (Kind.SKIPPED, "")},
    ),
    "a partner that was left out altogether": (
        both(without("hub.disclosures", 3), without("inbox.aachen", 0)),
        {(Kind.LOST, "aachen"), (Kind.TORN, "aachen")},
    ),
    "a disclosure on paper only": (without("inbox.aachen", 0), {(Kind.LOST, "aachen"), (Kind.TORN, "aachen")}),
    "an inbox event without its disclosure": (without("hub.disclosures", 3), {(Kind.TORN, "aachen")}),
    "a refusal without its receipt": (without("inbox.centre", 0, 1), {(Kind.TORN, "centre")}),
    "two receipts": (plus(receipt("centre", 1, "outbox.centre/0/1", "schema")), {(Kind.DOUBLED, "centre")}),
    "a receipt for a duplicate": (plus(receipt("ind", 1, "outbox.ind/0/2", "duplicate")), {(Kind.DOUBLED, "ind")}),
    "an outbox record with two journal records": (
        both(
            plus(journal(13, "outbox.ind/0/1", IND, "b", ANNA)),
            plus(row("hub.disclosures", 14, 13, IND, "b", None, withheld="no-recipient")),
        ),
        {(Kind.DOUBLED, ""), (Kind.UNEXPECTED, ""), (Kind.REORDERED, "")},
    ),
    "an outbox record accepted and refused": (
        plus(
            record("hub.refusals", 0, 2, None, hub_origin="outbox.ind/0/0", hub_partner="ind", hub_code="duplicate"),
        ),
        {(Kind.DOUBLED, ""), (Kind.UNEXPECTED, "")},
    ),
    "an inbox event twice": (plus(inbox("vaals", 12, 3, IND, "e", ANNA)), {(Kind.DOUBLED, "vaals")}),
    "two final rows": (
        plus(row("hub.disclosures", 14, 0, IND, "a", "aachen", withheld="secrecy")),
        {(Kind.DOUBLED, "aachen")},
    ),
    "a dossier told in the wrong order": (moved("inbox.vaals", 0, 12), {(Kind.REORDERED, "vaals")}),
    "a dossier in two partitions": (
        both(without("inbox.vaals", 1), plus(inbox("vaals", 1, 1, IND, "b", ANNA, partition=1))),
        {(Kind.REORDERED, "vaals")},
    ),
    "a journal that turned a sender's order round": (
        both(
            without("hub.journal", 0),
            without("hub.journal", 1),
            plus(
                journal(0, "outbox.ind/0/1", IND, "b", ANNA),
                journal(1, "outbox.ind/0/0", IND, "a", ANNA),
            ),
            lambda records: [one for one in records if "disclosures" not in one.position.topic],
            lambda records: [one for one in records if one.position.topic not in ("inbox.vaals", "inbox.aachen")],
            plus(
                row("hub.disclosures", 0, 0, IND, "b", "vaals", fields=TOLD),
                row("hub.disclosures", 1, 0, IND, "b", "aachen", fields=TOLD),
                row("hub.disclosures", 2, 1, IND, "a", "vaals", fields=TOLD),
                row("hub.disclosures", 3, 1, IND, "a", "aachen", withheld="secrecy"),
                row("hub.disclosures", 4, 3, IND, "e", "vaals", fields=TOLD),
                inbox("vaals", 0, 0, IND, "b", ANNA),
                inbox("vaals", 1, 1, IND, "a", ANNA),
                inbox("vaals", 2, 3, IND, "e", ANNA),
                inbox("aachen", 0, 0, IND, "b", ABROAD),
            ),
        ),
        {(Kind.REORDERED, ""), (Kind.REORDERED, "vaals")},
    ),
    "somebody told who should not be": (
        plus(
            row("hub.disclosures", 14, 0, IND, "a", "stein", fields=TOLD),
            inbox("stein", 0, 0, IND, "a", ANNA),
        ),
        {(Kind.LEAKED, "stein")},
    ),
    "somebody told in spite of secrecy": (
        both(
            without("hub.disclosures", 1),
            plus(
                row("hub.disclosures", 14, 0, IND, "a", "aachen", fields=TOLD),
                inbox("aachen", 1, 0, IND, "a", ABROAD),
            ),
            moved("inbox.aachen", 0, 2),
        ),
        {(Kind.LEAKED, "aachen"), (Kind.UNEXPECTED, "aachen")},
    ),
    "a field that was not recorded": (
        both(without("inbox.aachen", 0), plus(record("inbox.aachen", 0, 0, MORE, ABROAD, **HEADERS))),
        {(Kind.LEAKED, "aachen")},
    ),
    "a field outside the grant, neatly recorded": (
        both(
            without("inbox.aachen", 0),
            without("hub.disclosures", 3),
            plus(
                record("inbox.aachen", 0, 0, MORE, ABROAD, **HEADERS),
                row("hub.disclosures", 3, 1, IND, "b", "aachen", fields=[*TOLD, "/data/nationaliteit"]),
            ),
        ),
        {(Kind.LEAKED, "aachen")},
    ),
    "an attribute outside the grant": (
        both(
            without("inbox.vaals", 1),
            plus(
                record(
                    "inbox.vaals",
                    0,
                    1,
                    {**event(IND, "b", ANNA), "dataref": "https://example.org/1"},
                    ANNA,
                    hub_origin="hub.journal/0/1",
                    hub_disclosure=disclosure("b", "vaals"),
                )
            ),
        ),
        {(Kind.LEAKED, "vaals")},
    ),
    "a national number in a header abroad": (
        both(without("inbox.aachen", 0), plus(inbox("aachen", 0, 1, IND, "b", ABROAD, note=BSN))),
        {(Kind.LEAKED, "aachen")},
    ),
    "a dossier id abroad": (
        both(without("inbox.aachen", 0), plus(inbox("aachen", 0, 1, IND, "b", ANNA))),
        {(Kind.LEAKED, "aachen")},
    ),
    "a journal record that nobody sent": (
        plus(
            journal(13, "outbox.ind/0/7", IND, "x", ANNA),
            row("hub.disclosures", 14, 13, IND, "x", None, withheld="no-recipient"),
        ),
        {(Kind.PHANTOM, "")},
    ),
    "an inbox event that is not in the journal": (
        both(without("inbox.vaals", 1), plus(inbox("vaals", 1, 9, IND, "b", ANNA))),
        {(Kind.PHANTOM, "vaals"), (Kind.TORN, "vaals"), (Kind.SKIPPED, "vaals")},
    ),
    "an inbox event under another's origin": (
        both(without("inbox.vaals", 1), plus(inbox("vaals", 1, 0, IND, "b", ANNA))),
        {(Kind.PHANTOM, "vaals"), (Kind.TORN, "vaals"), (Kind.SKIPPED, "vaals")},
    ),
    "a gap in an outbox": (
        both(without("hub.refusals", 0)),
        {(Kind.LOST, ""), (Kind.SKIPPED, "")},
    ),
    "a gap in the journal": (
        both(
            without("inbox.vaals", 1),
            without("inbox.aachen", 0),
            without("hub.disclosures", 2),
            without("hub.disclosures", 3),
        ),
        {(Kind.LOST, ""), (Kind.SKIPPED, ""), (Kind.SKIPPED, "vaals")},
    ),
    "a gap in an inbox": (
        without("inbox.vaals", 1),
        {(Kind.LOST, "vaals"), (Kind.SKIPPED, "vaals"), (Kind.TORN, "vaals")},
    ),
    "a journal without keys": (again("hub.journal", 3, key=None), {(Kind.REORDERED, "")}),
    "an inbox keyed by something else": (again("inbox.aachen", 0, key=b"aachen"), {(Kind.REORDERED, "aachen")}),
    "a replay that comes twice": (
        plus(
            inbox("vaals", 12, 1, IND, "b", ANNA, hub_replay="r1"),
            inbox("vaals", 13, 1, IND, "b", ANNA, hub_replay="r1"),
        ),
        {(Kind.DOUBLED, "vaals")},
    ),
    "two answers to one selector": (
        plus(
            row("hub.disclosures", 14, 2, CENTRE, "c", "stein", withheld="expired", waits="municipality-of-residence"),
            row("hub.disclosures", 15, 2, CENTRE, "c", "beek", withheld="expired", waits="municipality-of-residence"),
        ),
        {
            (Kind.DOUBLED, "municipality-of-residence"),
            *((Kind.UNEXPECTED, waiter) for waiter in ("beek", "stein", "municipality-of-residence")),
        },
    ),
    "another refusal code": (
        both(
            without("hub.refusals", 1),
            plus(
                record(
                    "hub.refusals", 0, 1, None, hub_origin="outbox.centre/0/1", hub_partner="centre", hub_code="poison"
                )
            ),
        ),
        {(Kind.UNEXPECTED, "")},
    ),
    "another reason to withhold": (
        both(
            without("hub.disclosures", 1),
            plus(row("hub.disclosures", 1, 0, IND, "a", "aachen", withheld="expired")),
        ),
        {(Kind.UNEXPECTED, "aachen")},
    ),
    "another reason to hold": (
        both(
            without("hub.parked", 0),
            plus(row("hub.parked", 0, 2, CENTRE, "c", None, held="poison", waits="municipality-of-residence")),
        ),
        {(Kind.UNEXPECTED, "municipality-of-residence")},
    ),
}


def aborted(*positions: str) -> Beside:
    return Beside(aborted=frozenset(map(Position.parse, positions)))


def stands_at(intake: int, dispatch: int) -> Beside:
    """The stages' offsets of what comes from the IND's and the centre's outbox, and of the journal."""
    return Beside(
        next_offsets={("outbox.ind", 0): 4, ("outbox.centre", 0): intake, ("hub.journal", 0): dispatch},
    )


def two_readings(change: Callable[[Records], Records]) -> Beside:
    return Beside(first=fingerprints(good()), second=fingerprints(change(good())))


def same(records: Records) -> Records:
    return records


NO_D = both(without("hub.refusals", 1), without("inbox.centre", 0, 1))
NO_E = both(without("inbox.vaals", 2), without("hub.disclosures", 4))

BESIDE: dict[str, tuple[Callable[[Records], Records], Beside, set[tuple[Kind, str]]]] = {
    "a record that Kafka has acknowledged and lost": (
        same,
        Beside(acknowledged=frozenset({Position("outbox.ind", 0, 9)})),
        {(Kind.LOST, "")},
    ),
    "a record that intake has passed": (NO_D, stands_at(2, 4), {(Kind.LOST, "")}),
    "a record that dispatch has passed": (NO_E, stands_at(2, 4), {(Kind.LOST, "")}),
    "the journal of an aborted record": (same, aborted("outbox.ind/0/0"), {(Kind.ABORTED_VISIBLE, "")}),
    "the refusal of an aborted record": (same, aborted("outbox.centre/0/1"), {(Kind.ABORTED_VISIBLE, "")}),
    "a row about an aborted record of the journal": (
        plus(row("hub.disclosures", 14, 13, IND, "x", None, withheld="no-recipient")),
        aborted("hub.journal/0/13"),
        {(Kind.ABORTED_VISIBLE, "")},
    ),
    "an inbox event from an aborted record of the journal": (
        plus(inbox("vaals", 12, 13, IND, "a", ANNA)),
        aborted("hub.journal/0/13"),
        {(Kind.ABORTED_VISIBLE, "vaals"), (Kind.DOUBLED, "vaals")},
    ),
    "an event that its sender took back": (
        same,
        Beside(taken_back=frozenset({(IND, "b")})),
        {(Kind.ABORTED_VISIBLE, "")},
    ),
    "another value for a second reader": (
        same,
        two_readings(again("hub.journal", 1, value=b"{}")),
        {(Kind.INCONSISTENT, "")},
    ),
    "another key for a second reader": (
        same,
        two_readings(again("inbox.vaals", 1, key=None)),
        {(Kind.INCONSISTENT, "")},
    ),
    "other headers for a second reader": (
        same,
        two_readings(again("inbox.vaals", 1, headers=())),
        {(Kind.INCONSISTENT, "")},
    ),
    "a record that a second reader does not find": (
        same,
        two_readings(without("inbox.vaals", 1)),
        {(Kind.INCONSISTENT, "")},
    ),
    "a record that only a second reader finds": (
        same,
        two_readings(plus(inbox("vaals", 12, 1, IND, "b", ANNA))),
        {(Kind.INCONSISTENT, "")},
    ),
    "a national number in a log": (
        same,
        Beside(texts={"intake.log": f'{{"detail": "1{BSN}"}}'}),
        {(Kind.LEAKED, "")},
    ),
    "a record that intake stands before": (NO_D, stands_at(1, 4), {(Kind.WEDGED, "")}),
    "a record that dispatch stands before": (NO_E, stands_at(2, 3), {(Kind.WEDGED, "")}),
    "a stage that has never committed": (NO_D, Beside(next_offsets={}), {(Kind.WEDGED, "")}),
    "a transaction that stays open": (same, Beside(unread=frozenset({("inbox.vaals", 2)})), {(Kind.WEDGED, "")}),
    "a hub that takes too long": (same, Beside(late={"dispatch": 61.5}), {(Kind.WEDGED, "")}),
    "a record in an outbox that nobody sent": (
        same,
        Beside(uncalled=frozenset({Position("outbox.ind", 0, 3)})),
        {(Kind.PHANTOM, "")},
    ),
}
"""What shows only beside the records: by name, a change of the good history, what was seen, and what must be found."""


def whole(change: Callable[[Records], Records], beside: Beside = NOTHING_BESIDE) -> set[tuple[Kind, str]]:
    """Judge a cluster that nobody else uses, with a script."""
    the_script, sent = script()
    return marks(judge(History.of(change(good())), sent, the_script, beside, alone=True))


ALONE: dict[str, tuple[Callable[[Records], Records], set[tuple[Kind, str]]]] = {
    "a row about a record that the journal does not have": (
        plus(row("hub.parked", 9, 99, IND, "x", "vaals", held="poison")),
        {(Kind.PHANTOM, "")},
    ),
    "a receipt for what was not refused": (plus(receipt("ind", 9, "outbox.ind/0/1", "schema")), {(Kind.PHANTOM, "")}),
    "a refusal of what nobody sent": (
        plus(
            record("hub.refusals", 1, 9, None, hub_origin="outbox.ind/0/99", hub_partner="ind", hub_code="duplicate"),
        ),
        {(Kind.PHANTOM, "")},
    ),
    "somebody else's record of which nothing became": (
        plus(record("outbox.stein", 0, 0, event("urn:other", "q", ABROAD))),
        {(Kind.LOST, "")},
    ),
}
"""What shows only where the cluster is known to be all ours."""


# --- histories in which all is well ---


def judged(
    change: Callable[[Records], Records],
    fates: Mapping[EventKey, Fate] = MappingProxyType({}),
    more: Sequence[tuple[str, int, EventKey, str, Fate]] = (),
    queues: Mapping[tuple[str, str], tuple[EventKey, ...]] = MappingProxyType({}),
    beside: Beside = NOTHING_BESIDE,
) -> Verdict:
    """Judge a changed history by a script with other fates, further records or other queues."""
    the_script, sent = script()
    sent = [
        Sent(replace(one.publication, fate=fates.get(one.publication.event, one.publication.fate)), one.position)
        if one.publication.fate.outcome is Outcome.ACCEPTED
        else one
        for one in sent
    ]
    for partner, offset, (source, id), subject, fate in more:
        one = publication(len(sent), partner, source, id, subject, fate)
        sent.append(Sent(one, Position(f"outbox.{partner}", 0, offset)))
    the_script = replace(
        the_script,
        publications=tuple(one.publication for one in sent),
        queues={**the_script.queues, **queues},
    )
    return judge(History.of(change(good())), sent, the_script, beside, alone=True)


A, B, C, E = (IND, "a"), (IND, "b"), (CENTRE, "c"), (IND, "e")
EVERYONE = ("aachen", "vaals")
PUBLIC, OPERATOR = "33333333-3333-4333-8333-333333333333", "urn:nld:oin:00000099000000003000:systeem:hub"

GOOD: dict[str, Callable[[], Verdict]] = {
    "accepted, refused with a receipt, a duplicate without one": lambda: judged(same),
    "two readers that agree": lambda: judged(same, beside=two_readings(same)),
    "two replays of what was told": lambda: judged(
        plus(*(inbox("vaals", 12 + n, 1, IND, "b", ANNA, hub_replay=f"r{n}") for n in range(2)))
    ),
    "held, and told once the residence is known": lambda: judged(
        plus(
            row("hub.disclosures", 14, 2, CENTRE, "c", "stein", fields=TOLD, waits="municipality-of-residence"),
            inbox("stein", 0, 2, CENTRE, "c", BRAM),
        ),
        {C: Fate(Outcome.ACCEPTED, told={"stein": FIELDS})},
    ),
    "held, and withheld after all": lambda: judged(
        plus(
            row("hub.disclosures", 14, 2, CENTRE, "c", "stein", withheld="expired", waits="municipality-of-residence")
        ),
        {C: Fate(Outcome.ACCEPTED, withheld={"stein": "expired"})},
    ),
    "held again for another reason": lambda: judged(
        plus(row("hub.parked", 1, 2, CENTRE, "c", None, held="poison", waits="municipality-of-residence")),
        {C: Fate(Outcome.ACCEPTED, held={"municipality-of-residence": "poison"})},
    ),
    "a withdrawal that overtakes what waited": lambda: judged(
        both(without("inbox.vaals", 1), plus(inbox("vaals", -1, 1, IND, "b", ANNA, hub_overtakes="hub.journal/0/0"))),
        queues={("vaals", ANNA): (B, A, E)},
    ),
    "an aborted transaction of which nothing came": lambda: judged(
        same, beside=Beside(aborted=aborted("outbox.ind/0/9").aborted, taken_back=frozenset({(IND, "z")}))
    ),
    "a partner that has ended": lambda: judged(
        both(
            without("hub.disclosures", 3),
            without("inbox.aachen", 0),
            plus(row("hub.disclosures", 3, 1, IND, "b", "aachen", withheld="partner-ended")),
        ),
        {B: Fate(Outcome.ACCEPTED, told={"vaals": FIELDS}, withheld={"aachen": "partner-ended"})},
        queues={("aachen", ANNA): ()},
    ),
    "a public event for everyone": lambda: judged(
        plus(
            record("outbox.stein", 0, 0, event("urn:stein", "p", PUBLIC)),
            journal(4, "outbox.stein/0/0", "urn:stein", "p", PUBLIC),
            *(row("hub.disclosures", 20 + n, 4, "urn:stein", "p", who, fields=TOLD) for n, who in enumerate(EVERYONE)),
            *(inbox(who, 20, 4, "urn:stein", "p", PUBLIC, partition=2) for who in EVERYONE),
        ),
        more=[("stein", 0, ("urn:stein", "p"), PUBLIC, Fate(Outcome.ACCEPTED, told=dict.fromkeys(EVERYONE, FIELDS)))],
        queues={(who, PUBLIC): (("urn:stein", "p"),) for who in EVERYONE},
    ),
    "a command": lambda: judged(
        plus(
            record("outbox.hub-operator", 0, 0, event(OPERATOR, "o", BRAM)),
            journal(4, "outbox.hub-operator/0/0", OPERATOR, "o", BRAM),
            row("hub.disclosures", 20, 4, OPERATOR, "o", None, withheld="command"),
        ),
        more=[("hub-operator", 0, (OPERATOR, "o"), BRAM, Fate(Outcome.ACCEPTED, withheld={NOBODY: "command"}))],
    ),
    "a hub that stands behind everything": lambda: judged(same, beside=stands_at(2, 4)),
    "logs that name dossiers, and nobody's number": lambda: judged(
        same, beside=Beside(texts={"intake.log": f'{{"position": "outbox.ind/0/1", "detail": "{ANNA}"}}'})
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_is_clean(name: str) -> None:
    assert [] == [*GOOD[name]().findings]


def test_a_good_history_is_counted() -> None:
    the_script, sent = script()
    verdict = judge(History.of(good()), sent, the_script)
    assert {"accepted": 4, "refused": 1, "duplicates": 1, "disclosures": 4, "parked": 1} == verdict.figures


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(name: str) -> None:
    plant, expected = FAULTS[name]
    assert expected == found(plant(good()))


@pytest.mark.parametrize("name", BESIDE)
def test_a_fault_beside_the_records_is_found_and_nothing_else(name: str) -> None:
    plant, beside, expected = BESIDE[name]
    assert expected == found(plant(good()), beside)


@pytest.mark.parametrize("name", ALONE)
def test_a_fault_is_found_where_nobody_else_is(name: str) -> None:
    plant, expected = ALONE[name]
    assert expected == whole(plant)


@pytest.mark.parametrize("kind", Kind)
def test_each_judgement_has_at_least_three_bad_histories(kind: Kind) -> None:
    bad = [expected for _, expected in (*FAULTS.values(), *ALONE.values())]
    bad += [expected for _, _, expected in BESIDE.values()]
    assert 40 <= len(bad)
    assert 3 <= sum(kind in {one for one, _ in expected} for expected in bad)


def test_records_of_others_do_not_concern_a_judge() -> None:
    others = [
        record("outbox.ind", 0, 13, event(IND, "z", BRAM)),
        journal(13, "outbox.stein/0/0", "urn:other", "q", ABROAD),
        inbox("stein", 0, 13, "urn:other", "q", ABROAD),
        record("hub.refusals", 1, 0, None, hub_origin="outbox.ind/0/9", hub_partner="ind", hub_code="schema"),
        record("hub.dossiers", 0, 0, {"not": "read"}),
    ]
    assert set() == found([*good(), *others])


def test_accounting_alone_takes_every_outbox_record_as_sent() -> None:
    assert account(History.of(good())).is_clean
    unanswered = [*good(), record("outbox.stein", 0, 0, event("urn:other", "q", ABROAD))]
    assert [finding.kind for finding in account(History.of(unanswered)).findings] == [Kind.LOST]


def test_accounting_alone_sees_what_nobody_sent() -> None:
    unsent = without("outbox.ind", 1)(good())
    assert [finding.kind for finding in account(History.of(unsent)).findings] == [Kind.PHANTOM]


def test_the_newest_parked_row_counts() -> None:
    again = row("hub.parked", 1, 2, CENTRE, "c", None, held="poison", waits="municipality-of-residence")
    assert {(Kind.UNEXPECTED, "municipality-of-residence")} == found([*good(), again])


def test_settled_means_decided_and_dispatched() -> None:
    history = History.of(good())
    origins = [one.position for one in history.outboxes]
    assert is_settled(history, origins)
    assert not is_settled(History.of(without("hub.parked", 0)(good())), origins)
    assert not is_settled(History.of(without("hub.refusals", 0)(good())), origins)


def test_pointers_are_the_leaves() -> None:
    value: dict[str, Any] = {"a/b": [{"x~": 1}, []], "c": {}, "d": None}
    assert {"/a~1b/0/x~0", "/a~1b/1", "/c", "/d"} == pointers(value)


def test_a_record_without_the_form_of_its_topic_is_named_by_its_position_only() -> None:
    broken = record("hub.journal", 3, 5, {"secret": BSN}, hub_origin="outbox.ind/0/0", hub_partner="ind")
    with pytest.raises(ValueError, match=r"^hub\.journal/3/5 has not the form of its topic \(KeyError\)$"):
        History.of([broken])


def test_an_inbox_record_without_origin_has_not_the_form_of_its_topic() -> None:
    broken = record("inbox.vaals", 0, 5, event(IND, "a", ANNA), hub_disclosure="d")
    with pytest.raises(ValueError, match=r"inbox\.vaals/0/5"):
        History.of([broken])


def test_values_do_not_show_content() -> None:
    (received, *_) = History.of(good()).inboxes
    assert repr(received) == "Received(inbox.aachen/0/0)"
    assert ANNA not in repr(script()[1][0].publication)


def test_a_verdict_reads_as_lines_and_as_json() -> None:
    the_script, sent = script()
    verdict = judge(History.of(without("inbox.vaals", 2)(good())), sent, the_script)
    lines = str(verdict).splitlines()
    assert lines[0] == "4 accepted, 1 refused, 1 duplicates, 4 disclosures, 1 parked; 2 findings"
    assert lines[1] == f"L1 lost: not told (vaals) at {IND} e"
    told = verdict.as_json()
    assert [*told["judgements"]] == [f"L{number}" for number in range(1, 12)]
    assert {"kind": "lost", "findings": 1} == told["judgements"]["L1"]
    assert not told["clean"]
    assert {
        "judgement": "L1",
        "kind": "lost",
        "what": "not told",
        "where": f"{IND} e",
        "partner": "vaals",
    } == told["findings"][0]
    assert orjson.dumps(told)


def test_a_finding_reads_as_one_line() -> None:
    assert str(Finding(Kind.LOST, "not told", "x", "vaals")) == "L1 lost: not told (vaals) at x"
    assert str(Finding(Kind.TORN, "half", "y", NOBODY)) == "L4 torn: half at y"
