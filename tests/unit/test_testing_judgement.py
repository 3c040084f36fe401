"""Hand-made histories: the judge passes the good one and finds each fault that is planted in it, and only that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import orjson
import pytest

from expathub.core.records import InputRecord, Position
from expathub.testing.history import History, pointers
from expathub.testing.judgement import account, is_settled, judge
from expathub.testing.script import NOBODY, Fate, Outcome, Publication, Script
from expathub.testing.verdict import Finding, Kind, Sent

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
    """Anna: a (told vaals), b (told vaals and aachen); Bram: c (held); a again; one refused."""
    return [
        record("outbox.ind", 0, 0, event(IND, "a", ANNA)),
        record("outbox.ind", 0, 1, event(IND, "b", ANNA)),
        record("outbox.ind", 0, 2, event(IND, "a", ANNA)),
        record("outbox.centre", 0, 0, event(CENTRE, "c", BRAM)),
        record("outbox.centre", 0, 1, {"no": "event"}),
        journal(0, "outbox.ind/0/0", IND, "a", ANNA),
        journal(1, "outbox.ind/0/1", IND, "b", ANNA),
        journal(2, "outbox.centre/0/0", CENTRE, "c", BRAM),
        record("hub.refusals", 0, 0, None, hub_origin="outbox.ind/0/2", hub_partner="ind", hub_code="duplicate"),
        record("hub.refusals", 0, 1, None, hub_origin="outbox.centre/0/1", hub_partner="centre", hub_code="schema"),
        receipt("centre", 0, "outbox.centre/0/1", "schema"),
        row("hub.disclosures", 0, 0, IND, "a", "vaals", fields=TOLD),
        row("hub.disclosures", 1, 0, IND, "a", "aachen", withheld="secrecy"),
        row("hub.disclosures", 2, 1, IND, "b", "vaals", fields=TOLD),
        row("hub.disclosures", 3, 1, IND, "b", "aachen", fields=TOLD),
        row("hub.parked", 0, 2, CENTRE, "c", None, held="residence-unknown", waits="municipality-of-residence"),
        inbox("vaals", 0, 0, IND, "a", ANNA),
        inbox("vaals", 1, 1, IND, "b", ANNA),
        inbox("aachen", 0, 1, IND, "b", ABROAD),
    ]


def publication(number: int, partner: str, source: str, id: str, subject: str, fate: Fate) -> Publication:
    return Publication(number, partner, subject, "does something", (source, id), b"", (), fate)


def script() -> tuple[Script, list[Sent]]:
    fates = [
        ("ind", 0, IND, "a", ANNA, Fate(Outcome.ACCEPTED, told={"vaals": FIELDS}, withheld={"aachen": "secrecy"})),
        ("ind", 1, IND, "b", ANNA, Fate(Outcome.ACCEPTED, told={"vaals": FIELDS, "aachen": FIELDS})),
        ("ind", 2, IND, "a", ANNA, Fate(Outcome.DUPLICATE, "duplicate")),
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
    queues = {("vaals", ANNA): ((IND, "a"), (IND, "b")), ("aachen", ANNA): ((IND, "b"),)}
    return Script(tuple(one.publication for one in sent), queues, frozenset({BSN, ANNA}), frozenset({"aachen"})), sent


def found(records: Sequence[InputRecord]) -> set[tuple[Kind, str]]:
    the_script, sent = script()
    return {(finding.kind, finding.partner) for finding in judge(History.of(records), sent, the_script).findings}


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
        {(Kind.LOST, "")},
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
            plus(journal(3, "outbox.ind/0/1", IND, "b", ANNA)),
            plus(row("hub.disclosures", 4, 3, IND, "b", None, withheld="no-recipient")),
        ),
        {(Kind.DOUBLED, ""), (Kind.UNEXPECTED, "")},
    ),
    "an outbox record accepted and refused": (
        plus(
            record("hub.refusals", 0, 2, None, hub_origin="outbox.ind/0/0", hub_partner="ind", hub_code="duplicate"),
        ),
        {(Kind.DOUBLED, ""), (Kind.UNEXPECTED, "")},
    ),
    "an inbox event twice": (plus(inbox("vaals", 2, 1, IND, "b", ANNA)), {(Kind.DOUBLED, "vaals")}),
    "two final rows": (
        plus(row("hub.disclosures", 4, 0, IND, "a", "aachen", withheld="secrecy")),
        {(Kind.DOUBLED, "aachen")},
    ),
    "a dossier told in the wrong order": (moved("inbox.vaals", 0, 2), {(Kind.REORDERED, "vaals")}),
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
                inbox("vaals", 0, 0, IND, "b", ANNA),
                inbox("vaals", 1, 1, IND, "a", ANNA),
                inbox("aachen", 0, 0, IND, "b", ABROAD),
            ),
        ),
        {(Kind.REORDERED, ""), (Kind.REORDERED, "vaals")},
    ),
    "somebody told who should not be": (
        plus(
            row("hub.disclosures", 4, 0, IND, "a", "stein", fields=TOLD),
            inbox("stein", 0, 0, IND, "a", ANNA),
        ),
        {(Kind.LEAKED, "stein")},
    ),
    "somebody told in spite of secrecy": (
        both(
            without("hub.disclosures", 1),
            plus(
                row("hub.disclosures", 4, 0, IND, "a", "aachen", fields=TOLD),
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
            journal(3, "outbox.ind/0/7", IND, "x", ANNA),
            row("hub.disclosures", 4, 3, IND, "x", None, withheld="no-recipient"),
        ),
        {(Kind.PHANTOM, "")},
    ),
    "an inbox event that is not in the journal": (
        both(without("inbox.vaals", 1), plus(inbox("vaals", 1, 9, IND, "b", ANNA))),
        {(Kind.PHANTOM, "vaals"), (Kind.TORN, "vaals")},
    ),
    "an inbox event under another's origin": (
        both(without("inbox.vaals", 1), plus(inbox("vaals", 1, 0, IND, "b", ANNA))),
        {(Kind.PHANTOM, "vaals"), (Kind.TORN, "vaals")},
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


def test_a_good_history_is_clean_and_counted() -> None:
    the_script, sent = script()
    verdict = judge(History.of(good()), sent, the_script)
    assert verdict.is_clean
    assert (
        verdict.accepted,
        verdict.refused,
        verdict.duplicates,
        verdict.disclosures,
        verdict.parked,
    ) == (3, 1, 1, 3, 1)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(name: str) -> None:
    plant, expected = FAULTS[name]
    assert expected == found(plant(good()))


def test_records_of_others_do_not_concern_a_judge() -> None:
    others = [
        record("outbox.ind", 0, 3, event(IND, "z", BRAM)),
        journal(3, "outbox.stein/0/0", "urn:other", "q", ABROAD),
        inbox("stein", 0, 3, "urn:other", "q", ABROAD),
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


def test_a_withdrawal_that_says_so_may_overtake() -> None:
    records = moved("inbox.vaals", 0, 2)(good())
    overtaking = [
        inbox("vaals", 1, 1, IND, "b", ANNA, hub_overtakes="1")
        if one.position == Position("inbox.vaals", 0, 1)
        else one
        for one in records
    ]
    assert not [one for one in account(History.of(overtaking)).findings if one.kind is Kind.REORDERED]


def test_a_replay_is_no_double() -> None:
    assert set() == found([*good(), inbox("vaals", 2, 1, IND, "b", ANNA, hub_replay="r1")])


def test_what_was_held_and_then_told_is_not_parked_any_more() -> None:
    the_script, sent = script()
    released = [
        *good(),
        row("hub.disclosures", 4, 2, CENTRE, "c", "stein", fields=TOLD, waits="municipality-of-residence"),
        inbox("stein", 0, 2, CENTRE, "c", BRAM),
    ]
    assert judge(History.of(released), sent, the_script).parked == 0


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


def test_a_finding_reads_as_one_line() -> None:
    assert str(Finding(Kind.LOST, "not told", "x", "vaals")) == "L1 lost: not told (vaals) at x"
    assert str(Finding(Kind.TORN, "half", "y", NOBODY)) == "L4 torn: half at y"
