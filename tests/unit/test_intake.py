"""The first stage, sentence by sentence of the contract: one record out, why it was refused, and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec
import orjson
import pytest

from expathub.core.accounting import violations
from expathub.core.flags import AHEAD_MS
from expathub.core.intake import IntakeStage
from expathub.core.records import ForeignHeaders, InputRecord, Output, Position
from expathub.core.remembered import WINDOW_MS, Remembered
from expathub.core.stage import Step
from expathub.core.times import rfc3339
from expathub.testing.in_memory import STRUCTURED, MemoryHub
from expathub.testing.small_world import (
    CODES,
    HUB_SOURCE,
    KEYS,
    START_MS,
    configuration,
    ended,
    event,
    source_of,
    subject,
    types,
)

DAY_MS = 86_400_000


def record(
    partner: str, value: Any, *, at_ms: int = START_MS, headers: ForeignHeaders = STRUCTURED, key: bytes | None = None
) -> InputRecord:
    body = value if isinstance(value, bytes) or value is None else orjson.dumps(value)
    return InputRecord(Position(f"outbox.{partner}", 0, 42), key, body, headers, at_ms)


def take(
    it: InputRecord, *, stage: IntakeStage | None = None, state: Remembered | None = None, keep: bool = True
) -> Step[bytes]:
    memory = Remembered() if state is None else state
    step = (stage or IntakeStage(configuration())).step(it, memory.get, START_MS)
    if keep:
        memory.apply(step.entries)
    return step


def headers(output: Output) -> dict[str, str]:
    return {name: value.decode() for name, value in output.headers}


def code(step: Step[bytes]) -> str:
    return headers(step.outputs[0])["hub-code"]


ARRIVAL = event("aankomst", "expat-centre", 1, "a-1", {"gemeente": "0935"})


def test_an_accepted_event_is_one_journal_record_with_who_sent_it_and_when() -> None:
    step = take(record("expat-centre", ARRIVAL, key=b"what the sender liked"))

    assert step.tally == ("accepted",)
    (output,) = step.outputs
    assert output.topic == "hub.journal"
    assert output.key == subject(1).encode()
    assert output.value == orjson.dumps(ARRIVAL, option=orjson.OPT_SORT_KEYS)
    assert headers(output) == {
        "content-type": "application/cloudevents+json",
        "hub-origin": "outbox.expat-centre/0/42",
        "hub-partner": "expat-centre",
        "hub-received-at": "2026-09-21T14:13:20.000Z",
    }


def test_what_goes_on_is_the_event_as_understood_and_not_the_bytes_as_sent() -> None:
    loose = orjson.dumps(ARRIVAL, option=orjson.OPT_INDENT_2)

    (output,) = take(record("expat-centre", loose)).outputs

    assert output.value == orjson.dumps(ARRIVAL, option=orjson.OPT_SORT_KEYS)


def test_both_kafka_modes_of_an_event_are_one_event() -> None:
    state = Remembered()
    attributes = {name: value for name, value in ARRIVAL.items() if name not in ("data", "datacontenttype")}
    binary = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
    in_headers = record("expat-centre", ARRIVAL["data"], headers=(("content-type", b"application/json"), *binary))

    first, second = take(in_headers, state=state), take(record("expat-centre", ARRIVAL), state=state)

    assert (first.tally, second.tally) == (("accepted",), ("duplicate",))


def test_a_refusal_keeps_bytes_and_headers_and_renames_what_pretends_to_be_the_hubs() -> None:
    sent = b'{"not json'
    its_own = (*STRUCTURED, ("hub-origin", b"a lie"), ("Hub-Code", b"another"), ("trace", None), ("raw", b"\xff\xfe"))

    output, _ = take(record("ind", sent, headers=its_own)).outputs

    assert output.topic == "hub.refusals"
    assert output.key is None
    assert output.value == sent
    assert output.headers == (
        ("content-type", b"application/cloudevents+json"),
        ("orig-hub-origin", b"a lie"),
        ("orig-Hub-Code", b"another"),
        ("trace", b""),
        ("raw", b"\xff\xfe"),
        ("hub-origin", b"outbox.ind/0/42"),
        ("hub-partner", b"ind"),
        ("hub-code", b"header-not-text"),
        ("hub-pointer", b""),
        ("hub-received-at", b"2026-09-21T14:13:20.000Z"),
    )


def test_a_receipt_tells_the_sender_and_carries_nothing_out_of_the_event_but_source_and_id() -> None:
    _, output = take(record("ind", event("vergunning", "ind", 3, "p-1", {"fout": "999990342"}))).outputs

    assert output.topic == "inbox.ind"
    assert output.key is None
    assert headers(output) == {
        "content-type": "application/cloudevents+json",
        "hub-origin": "outbox.ind/0/42",
    }
    receipt = orjson.loads(output.value or b"")
    assert receipt.pop("id")
    assert receipt == {
        "specversion": "1.0",
        "source": HUB_SOURCE,
        "type": "nl.expathub.gebeurtenis-geweigerd.v1",
        "time": "2026-09-21T14:13:20.000Z",
        "datacontenttype": "application/json",
        "data": {
            "position": "outbox.ind/0/42",
            "source": source_of("ind"),
            "id": "p-1",
            "code": "schema",
            "pointer": "/data",
            "detail": "The value does not keep `additionalProperties` of the schema. Mend the field the pointer names.",
        },
    }


def test_source_and_id_of_a_receipt_are_null_where_nothing_can_be_read() -> None:
    _, output = take(record("ind", b"\xff")).outputs

    data = orjson.loads(output.value or b"")["data"]
    assert (data["source"], data["id"], data["code"]) == (None, None, "not-utf-8")


def test_the_receipt_of_a_record_is_always_the_same_and_of_another_one_another() -> None:
    refused = record("ind", b"{")
    other = msgspec.structs.replace(refused, position=Position("outbox.ind", 0, 43))

    first, again, next_one = (take(one).outputs[1].value for one in (refused, refused, other))

    assert first == again
    assert first != next_one


def test_a_refusal_is_keyed_by_its_dossier_only_if_it_names_one() -> None:
    known, unknown = event("vergunning", "ind", 3, "p", {"fout": 1}), event("vergunning", "ind", 3, "p")

    assert take(record("ind", known)).outputs[0].key == subject(3).encode()
    assert take(record("ind", {**unknown, "subject": "no dossier"})).outputs[0].key is None


def test_of_a_refused_record_over_one_mebibyte_the_first_64_kibibytes_are_kept() -> None:
    sent = b"x" * (1024 * 1024 + 1)
    many = (*STRUCTURED, *((f"h{number}", b"y" * 1000) for number in range(80)))

    output, _ = take(record("ind", sent, headers=many)).outputs

    assert output.value == sent[: 64 * 1024]
    kept = headers(output)
    assert kept["hub-size"] == str(len(sent))
    assert kept["hub-sha256"] == sha256(sent).hexdigest()
    assert kept["hub-truncated"] == "true"
    assert sum(name.startswith("h") and name[1:].isdigit() for name in kept) == 65
    assert kept["hub-code"] == "too-large"


def test_of_a_large_value_with_few_headers_all_headers_are_kept() -> None:
    output, _ = take(record("ind", b"x" * (1024 * 1024))).outputs

    assert output.headers[0] == STRUCTURED[0]
    assert len(output.value or b"") == 64 * 1024


def test_a_null_value_is_refused_and_stays_null_whatever_hangs_on_it() -> None:
    heavy = tuple((f"h{number}", b"y" * 200_000) for number in range(6))

    plain, _ = take(record("ind", None)).outputs
    with_headers, _ = take(record("ind", None, headers=heavy)).outputs

    assert (plain.value, headers(plain)["hub-code"]) == (None, "no-value")
    assert (with_headers.value, headers(with_headers)["hub-size"]) == (None, "0")


def test_a_refused_record_of_exactly_one_mebibyte_is_kept_whole() -> None:
    sent = b"x" * (1024 * 1024 - sum(len(name) + len(value or b"") for name, value in STRUCTURED))

    output, _ = take(record("ind", sent)).outputs

    assert output.value == sent
    assert "hub-truncated" not in headers(output)


WRONG = {
    "another's source": ("not-your-source", "/source", event("vergunning", "heerlen", 1, "x")),
    "a type that nobody knows": ("unknown-type", "/type", event("vergunning", "ind", 1, "x", type="nl.proef.geen.v1")),
    "a version to come": ("unknown-version", "/type", event("document", "ind", 1, "x", type="nl.proef.document.v2")),
    "a type of others": ("not-your-type", "/type", event("aankomst", "ind", 1, "x")),
    "data outside the schema": ("schema", "/data", event("vergunning", "ind", 1, "x", {"fout": 1})),
    "a command of a partner": ("not-your-type", "/type", event("vrijgegeven", "ind", 1, "x")),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_sender_may_not_say_is_refused_with_its_code(what: str) -> None:
    expected, pointer, sent = WRONG[what]

    step = take(record("ind", sent))

    assert step.tally == (f"refused:{expected}",)
    assert headers(step.outputs[0])["hub-pointer"] == pointer
    assert step.entries == ()


def test_a_municipality_speaks_only_for_itself() -> None:
    of_another = event("inschrijving", "heerlen", 1, "x", {"gemeente": CODES["maastricht"]})
    of_itself = event("inschrijving", "heerlen", 1, "y", {"gemeente": CODES["heerlen"]})
    of_nobody = event("inschrijving", "heerlen", 1, "z")
    wrong_and_of_another = event("inschrijving", "heerlen", 1, "x", {"gemeente": CODES["vaals"], "fout": 1})
    wrong_and_of_nobody = event("inschrijving", "heerlen", 1, "z", {"fout": 1})

    refused = take(record("heerlen", of_another))
    assert (code(refused), headers(refused.outputs[0])["hub-pointer"]) == ("not-your-municipality", "/data/gemeente")
    assert take(record("heerlen", of_itself)).tally == ("accepted",)
    assert code(take(record("heerlen", of_nobody))) == "not-your-municipality"
    assert code(take(record("heerlen", wrong_and_of_another))) == "not-your-municipality"
    assert code(take(record("heerlen", wrong_and_of_nobody))) == "schema"


def test_who_owns_nothing_may_speak_of_any_municipality() -> None:
    kinds = types()
    kinds["aankomst"] = replace(kinds["aankomst"], publisher_owns={1: "/data/gemeente"})

    assert take(record("expat-centre", ARRIVAL), stage=IntakeStage(configuration(kinds))).tally == ("accepted",)


def test_the_hubs_operator_gives_commands_through_intake() -> None:
    order = event("vrijgegeven", "hub-operator", 1, "c-1", {"partner": None, "positions": None})

    assert take(record("hub-operator", order)).tally == ("accepted",)


def test_a_partner_takes_part_until_the_day_it_ends() -> None:
    stage = IntakeStage(configuration(people=ended("expat-centre", date(2026, 9, 22))))
    midnight = START_MS - START_MS % DAY_MS + DAY_MS

    assert take(record("expat-centre", ARRIVAL, at_ms=midnight - 1), stage=stage).tally == ("accepted",)
    assert code(take(record("expat-centre", ARRIVAL, at_ms=midnight), stage=stage)) == "partner-ended"


def test_a_version_is_live_until_the_day_it_ends() -> None:
    kinds = types()
    dying = replace(kinds["aankomst"].versions[1], ended=date(2026, 9, 22))
    stage = IntakeStage(configuration(kinds | {"aankomst": replace(kinds["aankomst"], versions={1: dying})}))
    midnight = START_MS - START_MS % DAY_MS + DAY_MS

    assert take(record("expat-centre", ARRIVAL, at_ms=midnight - 1), stage=stage).tally == ("accepted",)
    assert code(take(record("expat-centre", ARRIVAL, at_ms=midnight), stage=stage)) == "retired-version"


def test_the_same_event_again_is_a_duplicate_without_content_or_receipt() -> None:
    state = Remembered()
    take(record("expat-centre", ARRIVAL), state=state)

    step = take(record("expat-centre", orjson.dumps(ARRIVAL, option=orjson.OPT_INDENT_2)), state=state)

    assert step.tally == ("duplicate",)
    (output,) = step.outputs
    assert (output.topic, output.key, output.value) == ("hub.refusals", subject(1).encode(), None)
    assert headers(output) == {
        "hub-origin": "outbox.expat-centre/0/42",
        "hub-partner": "expat-centre",
        "hub-code": "duplicate",
        "hub-pointer": "",
        "hub-received-at": "2026-09-21T14:13:20.000Z",
    }


def test_a_known_id_with_other_content_is_refused_and_the_first_stays_known() -> None:
    state = Remembered()
    take(record("expat-centre", ARRIVAL), state=state)

    other = take(record("expat-centre", {**ARRIVAL, "data": {"gemeente": "0917"}}), state=state)
    again = take(record("expat-centre", ARRIVAL), state=state)

    assert (code(other), headers(other.outputs[0])["hub-pointer"]) == ("same-id-other-bytes", "/id")
    assert len(other.outputs) == 2
    assert again.tally == ("duplicate",)


def test_the_id_of_a_refused_event_may_be_used_again() -> None:
    state = Remembered()

    assert code(take(record("ind", event("vergunning", "ind", 1, "p", {"fout": 1})), state=state)) == "schema"
    assert take(record("ind", event("vergunning", "ind", 1, "p")), state=state).tally == ("accepted",)


def test_an_id_is_remembered_for_fourteen_days_of_the_brokers_time() -> None:
    within, after = START_MS + WINDOW_MS - 1, START_MS + WINDOW_MS
    state = Remembered()
    take(record("expat-centre", ARRIVAL), state=state)

    assert take(record("expat-centre", ARRIVAL, at_ms=within), state=state).tally == ("duplicate",)
    assert take(record("expat-centre", ARRIVAL, at_ms=after), state=state).tally[0] == "accepted"
    assert take(record("expat-centre", ARRIVAL, at_ms=after + 1), state=state).tally == ("duplicate",)


def test_two_senders_may_use_the_same_id() -> None:
    state = Remembered()

    assert take(record("ind", event("aantekening", "ind", 1, "same")), state=state).tally == ("accepted",)
    its_own = event("aantekening", "expat-centre", 1, "same")
    assert take(record("expat-centre", its_own), state=state).tally == ("accepted",)


def test_poison_is_refused_without_a_look_at_it() -> None:
    stage, it = IntakeStage(configuration()), record("ind", event("vergunning", "ind", 1, "p"))

    step = stage.poison(it, Remembered().get, START_MS)

    assert step.tally == ("refused:poison",)
    assert (code(step), step.outputs[0].value, step.outputs[0].key) == ("poison", it.value, None)
    assert orjson.loads(step.outputs[1].value or b"")["data"]["source"] is None
    assert step.entries == ()


def test_the_clock_of_the_attempt_changes_nothing() -> None:
    stage, it = IntakeStage(configuration()), record("expat-centre", ARRIVAL)

    assert stage.step(it, Remembered().get, 0) == stage.step(it, Remembered().get, START_MS * 2)


def test_every_offset_has_one_outcome() -> None:
    hub = MemoryHub(configuration(), KEYS, START_MS)
    for sent in (ARRIVAL, ARRIVAL, b"", None, {**ARRIVAL, "time": "2026-09-21T14:00:01Z"}):
        hub.publish("expat-centre", sent)

    assert violations(hub.books()) == []
    assert [one["code"] for one in hub.receipts("expat-centre")] == [
        "malformed-json",
        "no-value",
        "same-id-other-bytes",
    ]


# --- what is odd and accepted


def flags(step: Step[bytes]) -> tuple[str, ...]:
    """Return what was odd about an event that was accepted."""
    outcome, *odd = step.tally
    assert outcome == "accepted"
    return tuple(word.removeprefix("flagged:") for word in odd)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-09-20T14:13:20Z", ()),
        ("2026-09-21T14:13:20.5+00:00", ()),
        ("2026-09-21T14:14:20Z", ()),
        ("2026-09-21T14:14:20.001Z", ("time-ahead",)),
        ("2026-09-21T16:14:20+02:00", ()),
        ("2026-09-21T14:14:20-02:00", ("time-ahead",)),
        ("2026-09-07T14:13:20Z", ()),
        ("2026-09-07T14:13:19.999Z", ("time-old",)),
        ("0001-01-01T00:00:00+23:59", ("time-old",)),
    ],
)
def test_a_time_ahead_or_long_past_is_flagged_and_never_refused(time: str, expected: tuple[str, ...]) -> None:
    assert expected == flags(take(record("expat-centre", {**ARRIVAL, "time": time})))


@pytest.mark.parametrize("end_ms", [-WINDOW_MS, AHEAD_MS])
@pytest.mark.parametrize("off_ms", [-3_600_000, -1_001, -1_000, -999, -1, 0, 1, 999, 1_000, 1_001, 3_600_000])
@pytest.mark.parametrize("received_ms", [START_MS, START_MS + 1, START_MS + 999])
@pytest.mark.parametrize("zone", ["Z", "+00:00"])
def test_a_time_is_judged_to_the_millisecond_however_it_is_written(
    end_ms: int, off_ms: int, received_ms: int, zone: str
) -> None:
    time_ms = received_ms + end_ms + off_ms
    time = rfc3339(time_ms).replace("Z", zone)

    odd = flags(take(record("expat-centre", {**ARRIVAL, "time": time}, at_ms=received_ms)))

    old = ("time-old",) if time_ms < received_ms - WINDOW_MS else ()
    assert odd == old + (("time-ahead",) if time_ms > received_ms + AHEAD_MS else ())


def test_an_event_without_a_time_is_not_flagged() -> None:
    untimed = {name: value for name, value in ARRIVAL.items() if name != "time"}

    assert flags(take(record("expat-centre", untimed))) == ()


def sent_in_order(*sequences: str, **more: str) -> list[tuple[str, ...]]:
    """Send events of one source with these sequences, and return the flags of each."""
    state = Remembered()
    events = [{**ARRIVAL, "id": str(number), "sequence": text, **more} for number, text in enumerate(sequences)]
    return [flags(take(record("expat-centre", one), state=state)) for one in events]


def test_the_order_of_sequence_is_flagged_and_never_refused() -> None:
    assert sent_in_order("7", "8", "8", "10", "9", "10", "11") == [
        *((), (), ("sequence-repeated",), ("sequence-gap",)),
        *(("sequence-back",), (), ()),
    ]


def test_padded_and_plain_numbers_are_one_order() -> None:
    assert sent_in_order("1".zfill(20), "2", "3".zfill(20)) == [(), (), ()]


def test_an_integer_of_32_bits_begins_anew_after_its_last_number() -> None:
    assert sent_in_order("2147483647", "-2147483648", sequencetype="Integer") == [(), ()]
    assert sent_in_order("2147483647", "-2147483648") == [(), ("sequence-back",)]


def test_a_sequence_that_is_no_number_has_no_gaps() -> None:
    assert sent_in_order("1", "a", "x" * 21, "-", "\u0663", "2") == [()] * 6


def test_each_source_has_an_order_of_its_own_and_a_refused_event_is_none_of_it() -> None:
    state = Remembered()
    note = event("aantekening", "ind", 1, "n")
    take(record("expat-centre", {**ARRIVAL, "sequence": "5"}), state=state)
    take(record("expat-centre", {**ARRIVAL, "id": "b", "sequence": "9", "data": {"fout": 1}}), state=state)

    assert flags(take(record("ind", {**note, "sequence": "1"}), state=state)) == ()
    assert flags(take(record("expat-centre", {**ARRIVAL, "id": "c", "sequence": "6"}), state=state)) == ()


# --- dataschema


@pytest.mark.parametrize(
    ("schema", "accepted"),
    [
        ("https://schemas.example/nl.proef.aankomst/1.json", True),
        ("https://schemas.example/nl.proef.aankomst/v1.2.json", True),
        ("https://schemas.example/nl.proef.aankomst.v1", True),
        ("urn:example:nl.proef.aankomst:1", True),
        ("https://schemas.example/nl.proef.aankomst/2.json", False),
        ("https://schemas.example/nl.proef.aankomst/v10.json", False),
        ("https://schemas.example/nl.proef.aankomst.v2", False),
        ("urn:example:nl.proef.aankomst:2", False),
        ("https://schemas.example/arrival/2.json", True),
    ],
)
def test_a_dataschema_that_names_the_type_names_its_version_too(schema: str, accepted: bool) -> None:  # noqa: FBT001
    step = take(record("expat-centre", {**ARRIVAL, "dataschema": schema}))

    if accepted:
        assert step.tally == ("accepted",)
    else:
        assert (code(step), headers(step.outputs[0])["hub-pointer"]) == ("profile-dataschema", "/dataschema")
