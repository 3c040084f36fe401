"""What a partner's record decodes to: one event in either mode, or the reason why it is none."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.core.cloudevents import KINDS, encode_binary, encode_structured
from expathub.core.decode import decode, read_accepted
from expathub.core.event import Event, Refusal
from expathub.core.reasons import Reason
from expathub.core.records import ForeignHeaders, InputRecord, Position

SUBJECT = "3f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0002"
SOURCE = "urn:nld:oin:00000099000000935000:systeem:burgerzaken"
BSN = "999990342"

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "5f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0001",
    "source": SOURCE,
    "type": "nl.brp.verhuisd.intergemeentelijk.v2",
    "subject": SUBJECT,
    "time": "2026-01-31T09:30:00Z",
    "datacontenttype": "application/json",
    "data": {
        "wijziging": "nieuw",
        "van": "0935",
        "naar": "0917",
        "bsn": BSN,
        "tekst": 'a\n"b"\t{é}: ',
        "n": [1, 2.5, None],
    },
}
WRITTEN = orjson.dumps(EVENT)
STRUCTURED: ForeignHeaders = (("content-type", b"application/cloudevents+json"),)


def record(
    value: bytes | None, headers: ForeignHeaders = STRUCTURED, key: bytes | None = SUBJECT.encode()
) -> InputRecord:
    return InputRecord(Position("outbox.maastricht", 0, 7), key, value, headers, 0)


def structured(**changes: Any) -> InputRecord:
    """Make a record of the event with some members changed; `...` leaves one out. `key` is the record's."""
    key = changes.pop("key", SUBJECT.encode())
    members = {name: value for name, value in (EVENT | changes).items() if value is not ...}
    return record(orjson.dumps(members), key=key)


def binary(
    value: bytes = b"{}", *more: tuple[str, bytes | None], without: tuple[str, ...] = (), **changes: bytes
) -> InputRecord:
    """Make a record of the event in binary mode, with headers changed, left out or added."""
    headers = {name: held or b"" for name, held in encode_binary(EVENT)[1]}
    headers |= {name.replace("content_type", "content-type"): held for name, held in changes.items()}
    kept = tuple((name, held) for name, held in headers.items() if name not in without)
    return record(value, (*kept, *more))


def accepted(given: InputRecord) -> Event:
    outcome = decode(given)
    assert isinstance(outcome, Event), outcome
    return outcome


def refused(given: InputRecord) -> Refusal:
    outcome = decode(given)
    assert isinstance(outcome, Refusal), "this is no event"
    return outcome


def code(given: InputRecord) -> tuple[str, str]:
    """Return code and pointer of a refusal."""
    refusal = refused(given)
    assert refusal.detail == f"{refusal.reason.meaning} {refusal.reason.remedy}"
    return refusal.reason.value, refusal.pointer


# --- one event, however it is written ----------------------------------------------------------------------------


def test_an_event_has_its_attributes_its_data_and_its_canonical_form() -> None:
    event = accepted(structured())

    assert {name: value for name, value in EVENT.items() if name != "data"} == event.attributes
    assert EVENT["data"] == event.data
    assert orjson.dumps(EVENT, option=orjson.OPT_SORT_KEYS) == event.canonical
    assert (EVENT["id"], SOURCE, EVENT["type"], SUBJECT) == (event.id, event.source, event.type, event.subject)


@pytest.mark.parametrize(
    "given",
    [
        *(json.dumps(EVENT).encode(), json.dumps(EVENT, indent=4, ensure_ascii=False).encode()),
        *(orjson.dumps(dict(reversed(EVENT.items()))), orjson.dumps(EVENT, option=orjson.OPT_SORT_KEYS)),
        orjson.dumps({name: value for name, value in EVENT.items() if name != "datacontenttype"}),
        orjson.dumps(EVENT | {"dataref": None, "whatever": None}),
        orjson.dumps(EVENT).replace(b'"nl.brp', rb'"\u006el.brp'),
    ],
    ids=["spaces", "indented", "another order", "sorted", "default media type", "unset attributes", "escaped"],
)
def test_structured_mode_has_one_canonical_form(given: bytes) -> None:
    assert accepted(structured()).canonical == accepted(record(given)).canonical


@pytest.mark.parametrize(
    "media",
    [
        *(b"application/cloudevents+json; charset=UTF-8", b"Application/CloudEvents+JSON"),
        *(b'application/cloudevents+json;charset="utf-8"', b"application/cloudevents+json ;  charset=utf-8 "),
    ],
)
def test_the_media_type_of_structured_mode_may_have_its_charset_and_any_case(media: bytes) -> None:
    assert (
        accepted(structured()).canonical == accepted(record(orjson.dumps(EVENT), (("content-type", media),))).canonical
    )


def test_headers_of_others_do_not_matter() -> None:
    headers = (*STRUCTURED, ("traceparent", b"00-x"), ("traceparent", b""), ("hub-origin", b"x"), ("ce-id", b"x"))

    assert accepted(structured()).canonical == accepted(record(orjson.dumps(EVENT), headers)).canonical


def test_binary_mode_is_the_same_event() -> None:
    assert accepted(structured()) == accepted(record(*encode_binary(EVENT)))


def test_structured_mode_may_repeat_the_attributes_as_headers() -> None:
    repeated = (*STRUCTURED, ("ce_id", EVENT["id"].encode()), ("ce_datacontenttype", b"application/json"))

    assert accepted(structured()) == accepted(record(orjson.dumps(EVENT), repeated))


def test_attributes_that_the_hub_does_not_know_are_text_and_those_it_knows_keep_their_kind() -> None:
    extensions = {
        "mine": True,
        "yours": 42,
        "ours": "x",
        "deprecated": False,
        "sampledrate": -7,
        "deprecationfrom": "x",
    }
    event = accepted(structured(**extensions))

    assert extensions | {"mine": "true", "yours": "42"} == {name: event.attributes[name] for name in extensions}
    assert event == accepted(record(*encode_binary(EVENT | extensions)))
    assert event == accepted(structured(**extensions | {"mine": "true", "yours": "42"}))


def test_an_event_may_have_no_data_in_structured_mode() -> None:
    event = accepted(structured(data=...))

    assert event.data is None
    assert b'"data"' not in event.canonical
    assert accepted(structured(data=None)).data is None
    with pytest.raises(KeyError):
        encode_binary({name: value for name, value in EVENT.items() if name != "data"})


def test_what_was_accepted_is_read_back_without_looking_again() -> None:
    event = accepted(structured())

    assert event == read_accepted(event.canonical)
    assert accepted(structured(data=...)) == read_accepted(accepted(structured(data=...)).canonical)


def test_an_event_and_a_refusal_show_nothing_of_what_they_hold() -> None:
    assert repr(accepted(structured())) == "Event(…)"
    assert repr(refused(structured(subject=BSN))) == "Refusal(bsn-in-attribute, '/subject')"
    assert BSN not in repr(structured())


# --- records that are no event -----------------------------------------------------------------------------------

BIG = b"x" * (256 * 1024)


@pytest.mark.parametrize(
    ("given", "reason", "pointer"),
    [
        (record(None), Reason.NO_VALUE, ""),
        (record(BIG + b"x"), Reason.TOO_LARGE, ""),
        (record(b"{}", key=BIG), Reason.TOO_LARGE, ""),
        (record(b""), Reason.MALFORMED_JSON, ""),
        (record(b"[]"), Reason.NOT_AN_OBJECT, ""),
        (record(b'"x"'), Reason.NOT_AN_OBJECT, ""),
        (record(b"null"), Reason.NOT_AN_OBJECT, ""),
        (record(b"{}", ()), Reason.CONTENT_TYPE, ""),
        (record(b"{}", (("content-type", b"application/json"),)), Reason.CONTENT_TYPE, ""),
        (record(b"{}", (("content-type", b"application/cloudevents"),)), Reason.CONTENT_TYPE, ""),
        (record(b"{}", (("content-type", b"application/cloudevents+avro"),)), Reason.CONTENT_TYPE, ""),
        (record(b"{}", (("content-type", b"application/cloudevents+json; charset=utf-7"),)), Reason.CONTENT_TYPE, ""),
        (record(b"{}", (("content-type", b"x" * 300),)), Reason.CONTENT_TYPE, ""),
        (record(b"[]", (("content-type", b"application/cloudevents-batch+json"),)), Reason.BATCH, ""),
        (record(b"{}", (*STRUCTURED, ("x", None))), Reason.HEADER_NOT_TEXT, ""),
        (record(b"{}", (*STRUCTURED, ("ce_id", b"\xff"))), Reason.HEADER_NOT_TEXT, "/id"),
        (record(b"{}", (*STRUCTURED, *STRUCTURED)), Reason.HEADER_TWICE, ""),
        (record(b"{}", (*STRUCTURED, ("ce_id", b"1"), ("ce_id", b"1"))), Reason.HEADER_TWICE, "/id"),
        (record(b"{}", (*STRUCTURED, ("ce_mine", b"1"), ("ce_mine", b"1"))), Reason.HEADER_TWICE, ""),
        (record(b"{}", (*STRUCTURED, *((str(n), b"") for n in range(64)))), Reason.HEADERS_TOO_LARGE, ""),
        (record(b"{}", (*STRUCTURED, ("x", b"x" * 16_384))), Reason.HEADERS_TOO_LARGE, ""),
        (record(orjson.dumps(EVENT), (*STRUCTURED, ("ce_id", b"2"))), Reason.HEADER_DIFFERS, "/id"),
        (record(orjson.dumps(EVENT), (*STRUCTURED, ("ce_mine", b"2"))), Reason.HEADER_DIFFERS, ""),
        (record(orjson.dumps(EVENT), (*STRUCTURED, ("ce_data", b"{}"))), Reason.HEADER_DIFFERS, "/data"),
        (structured(data_base64="e30="), Reason.DATA_TWICE, "/data"),
        (structured(data=..., data_base64="e30="), Reason.DATA_BASE64, "/data"),
        (structured(data=..., data_base64=None), Reason.DATA_BASE64, "/data"),
        (structured(Mine="x"), Reason.ATTRIBUTE_NAME, ""),
        (structured(my_own="x"), Reason.ATTRIBUTE_NAME, ""),
        (structured(**{"": "x"}), Reason.ATTRIBUTE_NAME, ""),
        (structured(é="x"), Reason.ATTRIBUTE_NAME, ""),
        (structured(**{"a" * 21: "x"}), Reason.ATTRIBUTE_NAME, ""),
        (structured(hubconfig="x"), Reason.RESERVED_ATTRIBUTE, ""),
        (structured(mine={}), Reason.ATTRIBUTE_VALUE, ""),
        (structured(mine=[]), Reason.ATTRIBUTE_VALUE, ""),
        (structured(mine=1.5), Reason.ATTRIBUTE_VALUE, ""),
        (structured(mine=2**31), Reason.ATTRIBUTE_VALUE, ""),
        (structured(id=5), Reason.ATTRIBUTE_VALUE, "/id"),
        (structured(sequence=5), Reason.ATTRIBUTE_VALUE, "/sequence"),
        (structured(specversion=1.0), Reason.ATTRIBUTE_VALUE, "/specversion"),
        (structured(deprecated="true"), Reason.ATTRIBUTE_VALUE, "/deprecated"),
        (structured(sampledrate=True), Reason.ATTRIBUTE_VALUE, "/sampledrate"),
        (structured(id="a\nb"), Reason.FORBIDDEN_CHARACTER, "/id"),
        (structured(mine="a\tb"), Reason.FORBIDDEN_CHARACTER, ""),
        (structured(mine="é\r"), Reason.FORBIDDEN_CHARACTER, ""),
        (structured(data={"a": "\x1b[31m"}), Reason.FORBIDDEN_CHARACTER, "/data"),
        (record(b'{"id":"1","id":"2"}'), Reason.DUPLICATE_KEY, "/id"),
        (record(b'{"x":"1","x":"2"}'), Reason.DUPLICATE_KEY, ""),
        (record(b'{"data":{"999990342":1,"999990342":2}}'), Reason.DUPLICATE_KEY, "/data"),
        (record(b'{"mine":{"x":NaN}}'), Reason.NOT_A_NUMBER, ""),
        (record(b'{"data":' + b"[" * 32 + b"]" * 32 + b"}"), Reason.TOO_DEEP, "/data"),
    ],
)  # fmt: skip
def test_a_record_that_is_no_event_says_why_and_where(given: InputRecord, reason: Reason, pointer: str) -> None:
    assert (reason.value, pointer) == code(given)


@pytest.mark.parametrize(
    ("given", "reason", "pointer"),
    [
        (binary(b"{"), Reason.MALFORMED_JSON, "/data"),
        (binary(b""), Reason.MALFORMED_JSON, "/data"),
        (binary(b"\xff"), Reason.NOT_UTF_8, "/data"),
        (binary(b"[" * 32 + b"]" * 32), Reason.TOO_DEEP, "/data"),
        (binary(content_type=b"text/plain"), Reason.CONTENT_TYPE, ""),
        (binary(content_type=b"application/json; charset=utf-16"), Reason.CONTENT_TYPE, ""),
        (binary(without=("content-type",)), Reason.CONTENT_TYPE, ""),
        (binary(b"{}", ("ce_data", b"{}")), Reason.RESERVED_ATTRIBUTE, "/data"),
        (binary(b"{}", ("ce_data_base64", b"e30=")), Reason.RESERVED_ATTRIBUTE, ""),
        (binary(b"{}", ("ce_datacontenttype", b"application/json")), Reason.RESERVED_ATTRIBUTE, "/datacontenttype"),
        (binary(b"{}", ("ce_hubx", b"1")), Reason.RESERVED_ATTRIBUTE, ""),
        (binary(b"{}", ("ce_", b"1")), Reason.ATTRIBUTE_NAME, ""),
        (binary(b"{}", ("ce_Id", b"1")), Reason.ATTRIBUTE_NAME, ""),
        (binary(b"{}", ("ce_deprecated", b"yes")), Reason.ATTRIBUTE_VALUE, "/deprecated"),
        (binary(b"{}", ("ce_sampledrate", b"007")), Reason.ATTRIBUTE_VALUE, "/sampledrate"),
        (binary(b"{}", ("ce_sampledrate", b"2147483648")), Reason.ATTRIBUTE_VALUE, "/sampledrate"),
        (binary(ce_id=b"a\x00b"), Reason.FORBIDDEN_CHARACTER, "/id"),
        (binary(b"{}", ("ce_mine", "\ufffe".encode())), Reason.FORBIDDEN_CHARACTER, ""),
        (binary(b"{}", ("ce_id", b"1")), Reason.HEADER_TWICE, "/id"),
        (binary(b"{}", ("ce_mine", None)), Reason.HEADER_NOT_TEXT, ""),
        (binary(without=("ce_id",)), Reason.PROFILE_ID, "/id"),
        (binary(without=("ce_specversion",)), Reason.PROFILE_SPECVERSION, "/specversion"),
        (binary(ce_specversion=b"0.3"), Reason.PROFILE_SPECVERSION, "/specversion"),
    ],
)  # fmt: skip
def test_binary_mode_is_as_strict(given: InputRecord, reason: Reason, pointer: str) -> None:
    assert (reason.value, pointer) == code(given)


def test_the_limits_are_kept_exactly() -> None:
    assert accepted(structured(a="x" * 16_384)).attributes["a"] == "x" * 16_384
    accepted(structured(**{"a" * 20: "x"}))
    accepted(structured(data=json.loads("[" * 31 + "]" * 31)))
    accepted(binary(b"[" * 31 + b"]" * 31))
    accepted(record(orjson.dumps(EVENT).ljust(256 * 1024 - len(SUBJECT))))
    headers = (*STRUCTURED, *((str(number), b"") for number in range(63)))
    accepted(record(orjson.dumps(EVENT), headers))
    padding = 16_384 - len("content-typeapplication/cloudevents+json") - len("x")
    accepted(record(orjson.dumps(EVENT), (*STRUCTURED, ("x", b"x" * padding))))


def test_an_event_that_outgrows_the_limit_as_the_hub_writes_it_is_too_large() -> None:
    numbers = b"[" + b",".join([b"1e15"] * 9_000) + b"]"
    texts = b"[" + b",".join([b'"%s"' % (b"y" * 16_000)] * 7) + b"]"
    given = record(orjson.dumps(EVENT).replace(b'"0935"', numbers).replace(b'"0917"', texts))

    assert code(given) == ("too-large", "")
    assert refused(given).id == EVENT["id"]


# --- whose event it was ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        *(structured(time="x"), structured(mine=1.5), structured(data_base64=""), structured(mine="\x1b")),
        *(binary(b"{"), binary(ce_type=b"x")),
        *(record(WRITTEN.replace(b"2.5", bad)) for bad in (b"-0", b"9007199254740992", b'{"x":1,"x":1}')),
    ],
)
def test_a_refusal_names_the_event_by_source_and_id_where_they_can_be_read(given: InputRecord) -> None:
    assert (SOURCE, EVENT["id"]) == (refused(given).source, refused(given).id)


@pytest.mark.parametrize(
    ("given", "source", "identity"),
    [
        (record(b"{"), None, None),
        (record(orjson.dumps(EVENT).replace(b"2.5", b"NaN")), None, None),
        (record(b'[{"id":"1"}]'), None, None),
        (record(b'["\x7f"]'), None, None),
        (record(orjson.dumps(EVENT).replace(b"{", b'{"id":"1",', 1)), None, None),
        (structured(id=7), SOURCE, None),
        (structured(id=""), SOURCE, None),
        (structured(id="x" * 300), SOURCE, None),
        (structured(id="x\x1b"), SOURCE, None),
        (structured(id=BSN), SOURCE, None),
        (structured(source="not a source"), None, EVENT["id"]),
        (structured(source=f"https://a.example/{BSN}"), None, EVENT["id"]),
    ],
)  # fmt: skip
def test_a_refusal_repeats_nothing_that_is_not_fit_to_be_repeated(
    given: InputRecord, source: str | None, identity: str | None
) -> None:
    assert (source, identity) == (refused(given).source, refused(given).id)


# --- numbers of persons ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (structured(subject=BSN), "/subject"),
        (structured(id=BSN), "/id"),
        (structured(id=f"x/{BSN}"), "/id"),
        (structured(source=f"urn:nld:oin:00000099000000935000:systeem:x.{BSN}"), "/source"),
        (structured(source=f"https://a.example/{BSN}"), "/source"),
        (structured(type=f"nl.brp.{BSN}.v1"), "/type"),
        (structured(dataref=f"https://brp.example/personen/{BSN}"), "/dataref"),
        (structured(dataref="https://brp.example/personen/%39%39%39%39%39%30%33%34%32"), "/dataref"),
        (structured(dataschema=f"https://brp.example/{BSN}"), "/dataschema"),
        (structured(datacontenttype=f"application/x.{BSN}+json"), "/datacontenttype"),
        (structured(partitionkey=BSN), "/partitionkey"),
        (structured(sequence=BSN), "/sequence"),
        (structured(time=f"2026-01-31T09:30:00Z {BSN}"), "/time"),
        (structured(mine=f"bsn {BSN}"), ""),
        (structured(mine=int(BSN)), ""),
        (structured(**{BSN: "x"}), ""),
        (structured(sampledrate=int(BSN)), "/sampledrate"),
        (structured(key=BSN.encode()), ""),
        (structured(key=f"person:{BSN}".encode()), ""),
        (structured(key=b"\xff " + BSN.encode()), ""),
        (structured(subject=BSN, time="x", id=""), "/subject"),
        (binary(ce_subject=BSN.encode()), "/subject"),
    ],
)  # fmt: skip
def test_a_bsn_outside_of_data_is_refused_before_anything_else(given: InputRecord, pointer: str) -> None:
    assert code(given) == ("bsn-in-attribute", pointer)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"bsn": BSN}},
        {"time": f"2026-01-31T09:30:00.{BSN}+01:00"},
        {"expirytime": f"2026-01-31T09:30:00.{BSN}+01:00"},
        {"recordedtime": f"2026-01-31T09:30:00.{BSN}+01:00"},
        {"sequence": BSN.zfill(20)},
        {"mine": "999999999"},
        {"mine": SUBJECT},
        {"id": f"a{BSN}"},
    ],
)  # fmt: skip
def test_what_only_looks_like_a_bsn_is_not_taken_for_one(changes: dict[str, Any]) -> None:
    accepted(structured(**changes))


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe", b"what the sender liked", SUBJECT.upper().encode()])
def test_the_key_is_the_senders_own_affair(key: bytes | None) -> None:
    accepted(structured(key=key))


def test_a_time_with_nanoseconds_is_not_suspected_when_something_else_is_wrong() -> None:
    assert code(structured(time=f"2026-01-31T09:30:00.{BSN}+01:00", id="")) == ("profile-id", "/id")


@settings(deadline=None)
@given(
    st.uuids(allow_nil=False).map(str),
    st.from_regex(r"000000990000[0-9]{8}", fullmatch=True),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
)
def test_no_uuid_organisation_number_or_digest_is_refused(uuid: str, oin: str, digest: str) -> None:
    source = f"urn:nld:oin:{oin}:systeem:brp"
    own = {"id": digest, "subject": uuid, "source": source, "partitionkey": uuid, "correlationid": digest, "mine": uuid}

    accepted(structured(key=uuid.encode(), **own))


# --- properties --------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs"]), max_size=8)
DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdef", max_size=3), inner, max_size=3),
    max_leaves=10,
)
EXTENSIONS = st.dictionaries(
    st.from_regex(r"x[a-z0-9]{0,18}", fullmatch=True),
    TEXTS | st.booleans() | st.integers(-(2**31), 2**31 - 1),
    max_size=3,
)
EVENTS = st.builds(lambda data, extensions: EVENT | extensions | {"data": data}, DATA, EXTENSIONS)


@settings(deadline=None)
@given(EVENTS, st.sampled_from([None, 1]), st.randoms(use_true_random=False))
def test_one_event_is_the_same_in_either_mode_and_however_it_is_written(
    event: dict[str, Any], indent: int | None, chance: Any
) -> None:
    shuffled = dict(chance.sample(list(event.items()), len(event)))
    ways = [
        encode_structured(event),
        encode_binary(shuffled),
        (json.dumps(shuffled, indent=indent).encode(), STRUCTURED),
    ]
    outcomes = [decode(record(value, tuple(headers))) for value, headers in ways]

    if isinstance(outcomes[0], Event):  # else an extension happens to hold a BSN
        assert outcomes[0].canonical == orjson.dumps(orjson.loads(outcomes[0].canonical), option=orjson.OPT_SORT_KEYS)
        assert read_accepted(outcomes[0].canonical) == outcomes[0]
        assert decode(record(outcomes[0].canonical)) == outcomes[0]
    assert outcomes[0] == outcomes[1] == outcomes[2]


ODD = st.sampled_from(
    ["", "x", BSN, f"a/{BSN}", "1.2", "2026-01-31T09:30:00Z", f"2026-01-31T09:30:00.{BSN}+01:00", SUBJECT]
)
CHANGES = st.dictionaries(st.sampled_from([*sorted(KINDS), "mine", BSN]), ODD | st.just(...) | st.just(7), max_size=3)


@settings(deadline=None, max_examples=200)
@given(CHANGES, st.none() | st.sampled_from([SUBJECT.encode(), BSN.encode(), b"x"]))
def test_the_quick_check_agrees_with_the_rules(changes: dict[str, Any], key: bytes | None) -> None:
    given = structured(**changes, key=key)

    with patch("expathub.core.decode._is_certainly_good", return_value=False):
        by_the_rules = decode(given)
    assert by_the_rules == decode(given)


def test_what_is_known_to_be_good_does_not_grow_and_lets_nothing_else_through() -> None:
    for number in range(200):
        accepted(structured(authid=f"clerk-{number}"))
    accepted(structured(authid="a clerk " * 200))

    assert code(structured(authid=f"clerk {BSN}")) == ("bsn-in-attribute", "/authid")
    accepted(structured(authid="clerk-0"))


def test_more_attributes_than_are_known_are_looked_at_one_by_one() -> None:
    many = {f"own{number}": "mine" for number in range(40)}

    accepted(structured(**many))
    assert code(structured(**many, mine=BSN)) == ("bsn-in-attribute", "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": f"{SUBJECT} {SUBJECT}"}, None),
        ({"id": f"{SUBJECT}0", "subject": SUBJECT[1:], "key": None}, ("profile-subject", "/subject")),
        ({"id": SUBJECT[1:], "subject": f"{SUBJECT}0", "key": None}, ("profile-subject", "/subject")),
        ({"time": "2026-01-31T09:30:0aZ"}, ("profile-time", "/time")),
        ({"time": "2026-01-31T09:30:00.00000000fZ"}, ("profile-time", "/time")),
        ({"time": "2026-02-30T09:30:00Z"}, ("profile-time", "/time")),
        ({"time": "9999-01-31T09:30:00Z"}, ("profile-time", "/time")),
        ({"subject": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "key": None}, ("profile-subject", "/subject")),
        ({"id": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, None),
        ({"time": ...}, None),
    ],
)  # fmt: skip
def test_no_text_stands_in_for_a_part_of_its_neighbour(
    changes: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    given = structured(**changes)

    assert expected == (None if isinstance(decode(given), Event) else code(given))


HEADER_NAMES = st.sampled_from(["content-type", "ce_id", "ce_source", "ce_mine", "ce_", "hub-x"]) | st.text(max_size=5)
MEDIA = st.sampled_from([b"application/cloudevents+json", b"application/json", b"application/cloudevents-batch+json"])
HEADERS = st.lists(st.tuples(HEADER_NAMES, st.none() | MEDIA | st.binary(max_size=8)), max_size=6).map(tuple)
MEMBERS = st.dictionaries(
    st.sampled_from([*EVENT, "mine", "data_base64", "hub"]) | st.text(max_size=3), DATA, max_size=6
)
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.builds(lambda members: orjson.dumps(EVENT | members), MEMBERS),
    st.builds(
        lambda head, at: orjson.dumps(EVENT)[:at] + head + orjson.dumps(EVENT)[at:],
        st.binary(max_size=3),
        st.integers(0, 400),
    ),
)


@settings(deadline=None, max_examples=200)
@given(BODIES, HEADERS | st.just(STRUCTURED) | st.just(encode_binary(EVENT)[1]), st.none() | st.binary(max_size=40))
def test_any_record_is_an_event_or_a_refusal(value: bytes | None, headers: ForeignHeaders, key: bytes | None) -> None:
    outcome = decode(record(value, headers, key))

    if isinstance(outcome, Event):
        assert decode(record(outcome.canonical, key=key)) == outcome
    else:
        assert isinstance(outcome, Refusal)
        assert outcome.pointer.lstrip("/") in {"", *EVENT, "data", "sequence"}
