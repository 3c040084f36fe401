"""A partner's events are held against the whole profile, by the very rules of intake."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expathub.cli import schemas_lint
from expathub.cli.main import main
from expathub.configuration import load
from expathub.core import profile
from expathub.core.admission import Submission, admit
from expathub.core.decode import decode
from expathub.core.event import Event, Refusal
from expathub.core.linting import Weight, lint
from expathub.core.profile_page import page
from expathub.core.profile_statements import STATEMENTS, Level, numbers_of
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Position
from expathub.shipped import shipped

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "5f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0001",
    "source": "urn:nld:oin:00000099000000935000:systeem:burgerzaken",
    "type": "nl.brp.verhuisd.intergemeentelijk.v2",
    "subject": "3f0c5a1e-3b0e-4c1d-9a55-3a3a5b6b0002",
    "time": "2026-01-31T09:30:00Z",
    "datacontenttype": "application/json",
    "dataschema": "https://schemas.example/verhuisd/2.json",
    "data": {},
}


def text(**changes: Any) -> bytes:
    """Write the good event with changes; None leaves an attribute out."""
    return orjson.dumps({name: value for name, value in (GOOD | changes).items() if value is not None})


def found(event: bytes) -> list[tuple[str, str, str]]:
    return [(one.weight.value, one.reason.value, one.pointer) for one in lint(event)]


def test_a_good_event_has_nothing_wrong() -> None:
    assert () == lint(text())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"time": "yesterday"}, [("must", "profile-time", "/time")]),
        ({"time": "2026-01-31T09:30:00+01:00"}, [("should", "profile-time-utc", "/time")]),
        (
            {"subject": "999990342", "id": ""},
            [
                ("must", "bsn-in-attribute", "/subject"),
                ("must", "profile-id", "/id"),
                ("must", "profile-subject", "/subject"),
            ],
        ),
        ({"dataref": "https://brp.example/999990342"}, [("must", "bsn-in-attribute", "/dataref")]),
        ({"sequence": "x", "sequencetype": "Integer"}, [("must", "profile-sequence", "/sequence")]),
        ({"sequence": "", "sequencetype": "Integer"}, [("must", "profile-sequence", "/sequence")]),
        ({"specversion": None}, [("must", "profile-specversion", "/specversion")]),
        ({"Naam": "x"}, [("must", "attribute-name", "")]),
        ({"traceparent": "x"}, [("should", "profile-traceparent-form", "/traceparent")]),
    ],
)
def test_everything_that_is_wrong_is_said_at_once(
    changes: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert expected == found(text(**changes))


def test_what_is_no_event_is_said_to_be_none() -> None:
    assert [("must", "malformed-json", "")] == found(b"{")
    assert [("must", "not-an-object", "")] == found(b"1")


@settings(deadline=None)
@given(st.uuids(), st.binary(), st.from_regex(r"0000000[0-9]{13}", fullmatch=True))
def test_no_uuid_oin_or_digest_is_ever_taken_for_a_number_of_persons(uuid: object, content: bytes, oin: str) -> None:
    digest = sha256(content).hexdigest()
    event = text(
        id=digest[:64],
        source=f"urn:nld:oin:{oin}:systeem:brp",
        correlationid=str(uuid),
        dataref=f"https://brp.example/{uuid}/{digest}?oin={oin}",
        partitionkey=f"{oin}:{uuid}:sha256-{digest}",
    )

    assert Reason.BSN_IN_ATTRIBUTE not in {one.reason for one in lint(event)}


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.sampled_from(sorted(GOOD)), st.sampled_from(["", "x", "999990342", "1.0", None, 1]), max_size=3)
)
def test_intake_refuses_what_is_a_must_and_nothing_else(changes: dict[str, Any]) -> None:
    event = text(**changes)
    headers = (("content-type", b"application/cloudevents+json"),)
    decoded = decode(InputRecord(Position("outbox.x", 0, 0), None, event, headers, 0))

    musts = [one.reason for one in lint(event) if one.weight is Weight.MUST]
    assert isinstance(decoded, Refusal) is bool(musts)
    if isinstance(decoded, Refusal):
        assert decoded.reason in musts


# --- the table of statements -------------------------------------------------------------------------------------


def test_every_statement_is_seen_to_and_every_code_of_the_profile_is_one() -> None:
    assert all(one.reasons or one.otherwise for one in STATEMENTS)
    assert len({(one.section, one.text) for one in STATEMENTS}) == len(STATEMENTS)
    own = {Reason.PROFILE_EXPIRYTIME, Reason.PROFILE_DATACLASSIFICATION}  # documented extensions
    own |= {Reason.PROFILE_TRACEPARENT_FORM, Reason.PROFILE_PARTITIONKEY_SUBJECT}
    rules = {rule.reason for rule in (*profile.MUST, *profile.SHOULD)}
    assert rules - own == {reason for one in STATEMENTS for reason in one.reasons} & rules
    assert (8, 1) == (numbers_of(Reason.PROFILE_ID)[1], numbers_of(Reason.PROFILE_ID)[0])
    assert {Level.MUST, Level.MUST_NOT, Level.SHOULD, Level.SHOULD_NOT} == {one.level for one in STATEMENTS}


def test_the_page_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "profile-rules.md"

    assert page() == written.read_text("utf-8"), "run the command that the page ends with"
    assert all(re.fullmatch(r"\| \d+ \|( [^|]+ \|){4}", line) for line in page().splitlines() if line.startswith("| 1"))


# --- being held to a SHOULD --------------------------------------------------------------------------------------


def submitted(tmp_path: Path, strict: str, **changes: Any) -> Reason | None:
    """Say why intake refuses an event of Heerlen, which is held to some advice."""
    partners = tmp_path / "partners.yaml"
    shipped_text = shipped("deploy", "partners.yaml").read_text("utf-8")
    partners.write_text(shipped_text.replace("- id: heerlen\n", f"- id: heerlen\n    strict: {strict}\n"), "utf-8")
    configuration = load(partners, shipped("schemas"))
    sender = configuration.partners.by_id["heerlen"]
    example = next((shipped("schemas") / "nl.brp.ingeschreven.immigratie" / "examples" / "v1").glob("eerste*.json"))
    event: dict[str, Any] = json.loads(example.read_text("utf-8"))
    event.update(source=sender.source, **changes)
    event["data"]["gemeentecode"] = sender.municipality
    headers = (("content-type", b"application/cloudevents+json"),)
    decoded = decode(InputRecord(Position("outbox.heerlen", 0, 0), None, orjson.dumps(event), headers, 0))
    assert isinstance(decoded, Event)
    refusal = admit(Submission.of(decoded, sender, configuration.catalogue, NOW))
    return refusal.reason if refusal else None


NOW = date(2026, 11, 1)


def test_a_partner_is_refused_for_the_advice_that_it_is_held_to_and_for_no_other(tmp_path: Path) -> None:
    assert submitted(tmp_path, "[]", id="no-uuid") is None
    assert submitted(tmp_path, "[traceparent-form]", id="no-uuid") is None
    assert submitted(tmp_path, "[traceparent-form, id-uuid]", id="no-uuid") is Reason.PROFILE_ID_UUID


# --- the command -------------------------------------------------------------------------------------------------

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def run_it(content: bytes, *arguments: str) -> tuple[int, list[str]]:
        (tmp_path / "events").write_bytes(content)
        with pytest.raises(SystemExit) as end:
            main(["schemas", "lint", str(tmp_path / "events"), *arguments])
        return int(end.value.code or 0), capsys.readouterr().out.splitlines()

    return run_it


BAD = text(time="yesterday")
PRETTY = json.dumps(GOOD, indent=2).encode()


@pytest.mark.parametrize(
    ("content", "code", "places"),
    [
        (text() + b"\n" + BAD + b"\n\n" + BAD, 1, [2, 4]),
        (b"[" + text() + b",\n" + BAD + b"]\n", 1, [2]),
        (b"\n" + PRETTY + b"\n", 0, []),
        (b"\n" + PRETTY.replace(b"09:30", b"99:30") + b"\n", 1, [2]),
        (b"[]", 0, []),
        (b"[" + text(), 1, [1]),
        (b"[" + text() + b"] x", 1, [1]),
        (b"\xff", 1, [1]),
        (b"", 0, []),
    ],
)
def test_events_are_found_however_they_are_laid_out(run: Run, content: bytes, code: int, places: list[int]) -> None:
    ended, out = run(content, "--json")

    assert code == ended
    assert places == [one["line"] for one in json.loads(out[0])]


def test_a_should_counts_only_where_that_is_asked(run: Run) -> None:
    advised, late = text(time=None), Reason.PROFILE_TIME_UTC

    assert (
        0,
        [
            f"1: should  /time  profile-time-utc: {late.meaning} {late.remedy}",
            "1 event, 0 must, 1 should.",
        ],
    ) == run(advised)
    assert 1 == run(advised, "--strict")[0]
    rows = json.loads(run(advised, "--json")[1][0])
    assert rows[0].keys() == {"line", "level", "code", "pointer", "rules", "text"}
    assert [STATEMENTS[number - 1].section for number in rows[0]["rules"]] == ["time"]


def test_no_value_of_an_event_is_shown(run: Run) -> None:
    out = run(text(subject="999990342", time="geheim", id="geheim." * 9, zaak="999990342"))[1]

    assert not any("geheim" in line or "999990342" in line for line in out)


def test_what_is_too_large_to_be_read_at_once_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas_lint, "TEXT_BYTES_MAX", 100)

    assert 2 == run(b"x" * 101)[0]
