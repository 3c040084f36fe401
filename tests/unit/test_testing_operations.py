"""The log of operations: what is on the disk whoever is killed, and what it says of records whose fate nobody knew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expathub.configuration import load
from expathub.core.configuration import Configuration
from expathub.core.records import InputRecord, Position
from expathub.core.references import ReferenceKeys
from expathub.shipped import shipped
from expathub.testing import mishaps
from expathub.testing.checker import check
from expathub.testing.evidence import Observation, fingerprints
from expathub.testing.in_memory import MemoryHub
from expathub.testing.operations import End, Operation, OperationLog, fingerprint_of, read, resolve
from expathub.testing.region import Region
from expathub.testing.script import Outcome, Publication, Script
from expathub.testing.verdict import Kind

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OK, FAILED, UNKNOWN = End.OK, End.FAILED, End.UNKNOWN


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(shipped("deploy", "partners.yaml"), shipped("schemas"))


@pytest.fixture
def script(configuration: Configuration) -> Script:
    """Somebody is registered, gets a number, and is corrected twice; somebody else is registered."""
    region = Region(configuration, seed=1, now=NOW)
    ilse, town = region.newcomer(), region.municipality("vaals")
    town.registers(ilse)
    town.assigns_bsn(ilse)
    town.corrects(ilse)
    town.corrects(ilse)
    region.municipality("stein").registers(region.newcomer())
    return region.script()


@pytest.fixture
def hub(configuration: Configuration) -> MemoryHub:
    return MemoryHub(configuration, ReferenceKeys({1: bytes(32)}), int(NOW.timestamp() * 1000))


def put(hub: MemoryHub, publication: Publication) -> Position:
    return hub.publish(publication.partner, publication.value, publication.headers, publication.key)


def seen(hub: MemoryHub) -> Observation:
    """Look at a hub as `observe` does, when it has come to rest."""
    records = tuple(hub.everything())
    return Observation(
        records=records,
        second=fingerprints(records),
        raw=frozenset(one.position for one in records),
        next_offsets=dict.fromkeys(((one.position.topic, one.position.partition) for one in records), 1_000),
        unread=frozenset(),
    )


def attempt(publication: Publication, end: End, position: Position | None = None, number: int = 0) -> Operation:
    return Operation(
        number, publication.number, publication.topic, publication.event, fingerprint_of(publication), end, position
    )


def outboxes(hub: MemoryHub) -> Sequence[InputRecord]:
    return [one for one in hub.everything() if one.position.topic.startswith("outbox.")]


# --- the file ---


def test_what_is_written_is_read_back(script: Script, tmp_path: Path) -> None:
    first, second, third, fourth, _ = script.publications
    at, there = Position("outbox.vaals", 0, 7), Position("outbox.vaals", 0, 8)
    with OperationLog(tmp_path / "log") as log:
        numbers = [log.invoke(one) for one in (first, second, third, fourth)]
        log.ended(numbers[1], FAILED, at)
        log.ended(numbers[0], OK, there)
        log.ended(numbers[2], UNKNOWN)
    assert [
        attempt(first, OK, there, 0),
        attempt(second, FAILED, at, 1),
        attempt(third, UNKNOWN, None, 2),
        attempt(fourth, UNKNOWN, None, 3),  # its generator was killed
    ] == read(tmp_path / "log")


def test_a_line_is_written_before_the_next_step(script: Script, tmp_path: Path) -> None:
    with OperationLog(tmp_path / "log") as log:
        log.invoke(script.publications[0])
        assert [attempt(script.publications[0], UNKNOWN)] == read(tmp_path / "log")


def test_half_a_line_is_none_and_does_not_spoil_the_next(script: Script, tmp_path: Path) -> None:
    file = tmp_path / "log"
    with OperationLog(file) as log:
        log.ended(log.invoke(script.publications[0]), OK, Position("outbox.vaals", 0, 0))
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    assert [attempt(script.publications[0], UNKNOWN)] == read(file)
    with OperationLog(file) as log:
        number = log.invoke(script.publications[1])
    assert [0, number] == [one.number for one in read(file)]
    assert number > 0


def test_the_log_holds_no_content(script: Script, tmp_path: Path) -> None:
    with OperationLog(tmp_path / "log") as log:
        for publication in script.publications:
            log.invoke(publication)
    text = (tmp_path / "log").read_text()
    assert not [secret for secret in script.secrets if secret.isdigit() and secret in text]
    assert "data" not in text


# --- what became of them ---


def test_an_unknown_outcome_that_did_happen_is_judged_like_any_other(script: Script, hub: MemoryHub) -> None:
    operations = [attempt(one, UNKNOWN if one.number == 1 else OK, put(hub, one)) for one in script.publications]
    operations[1] = replace(operations[1], position=None)
    verdict = check(seen(hub), operations, script, alone=True)
    assert verdict.is_clean, str(verdict)
    assert len(script.publications) == verdict.accepted


def test_an_unknown_outcome_that_did_not_happen_leaves_its_dossier_unfinished(script: Script, hub: MemoryHub) -> None:
    operations = [attempt(one, OK, put(hub, one)) for one in script.publications if one.number != 1]
    operations.append(attempt(script.publications[1], UNKNOWN))
    verdict = check(seen(hub), operations, script, alone=True)
    assert verdict.is_clean, str(verdict)
    resolved = resolve(operations, script, outboxes(hub))
    assert {script.publications[1].subject} == resolved.unfinished


def test_what_was_sent_again_because_nobody_knew_is_a_duplicate(script: Script, hub: MemoryHub) -> None:
    operations = []
    for one in script.publications:
        position = put(hub, one)
        if one.number == 1:
            operations.append(attempt(one, UNKNOWN))
            position = put(hub, one)
        operations.append(attempt(one, OK, position))
    verdict = check(seen(hub), operations, script, alone=True)
    assert verdict.is_clean, str(verdict)
    assert 1 == verdict.duplicates


def test_a_refused_record_that_was_sent_twice_is_refused_twice(configuration: Configuration, hub: MemoryHub) -> None:
    region = Region(configuration, seed=1, now=NOW)
    ilse = region.newcomer()
    ilse.arrives("vaals")
    mishaps.spoils(ilse, "schema")
    script = region.script()
    arrives, errs = script.publications
    operations = [attempt(one, OK, put(hub, one)) for one in (arrives, errs, errs)]
    verdict = check(seen(hub), operations, script, alone=True)
    assert verdict.is_clean, str(verdict)
    assert 2 == verdict.refused


def test_an_aborted_transaction_that_nobody_saw_is_no_finding(script: Script, hub: MemoryHub) -> None:
    taken_back = attempt(script.publications[0], FAILED, Position("outbox.vaals", 0, 90))
    operations = [taken_back, *(attempt(one, OK, put(hub, one)) for one in script.publications)]
    assert check(seen(hub), operations, script, alone=True).is_clean


def test_what_came_of_an_aborted_transaction_is_found(script: Script, hub: MemoryHub) -> None:
    at = put(hub, script.publications[0])  # a hub that reads uncommitted records
    operations = [attempt(script.publications[0], FAILED, at)]
    operations += [attempt(one, OK, put(hub, one)) for one in script.publications]
    found = seen(hub)
    visible = tuple(one for one in found.records if one.position != at)
    observation = replace(found, records=visible, second=fingerprints(visible))
    assert Kind.ABORTED_VISIBLE in check(observation, operations, script, alone=True).kinds
    assert Kind.ABORTED_VISIBLE in check(observation, (), alone=False).kinds, "the raw reading shows it without any log"


def test_an_event_that_was_only_taken_back_must_be_nowhere(script: Script, hub: MemoryHub) -> None:
    publication = script.publications[0]
    put(hub, publication)
    for alone in (False, True):
        verdict = check(seen(hub), [attempt(publication, FAILED)], script, alone=alone)
        assert Kind.ABORTED_VISIBLE in verdict.kinds


def test_an_acknowledged_record_that_is_gone_is_lost(script: Script, hub: MemoryHub) -> None:
    operations = [attempt(one, OK, put(hub, one)) for one in script.publications]
    gone = operations[-1].position
    found = seen(hub)
    records = tuple(one for one in found.records if one.position != gone)
    verdict = check(replace(found, records=records, second=fingerprints(records)), operations, script, alone=True)
    assert Kind.LOST in verdict.kinds


def test_what_no_operation_has_sent_is_a_phantom_where_nobody_else_sends(script: Script, hub: MemoryHub) -> None:
    operations = [attempt(one, OK, put(hub, one)) for one in script.publications]
    assert {Kind.PHANTOM} == check(seen(hub), operations[:-1], script, alone=True).kinds
    assert check(seen(hub), operations[:-1], script, alone=False).is_clean


def test_without_a_script_the_topics_are_judged_alone(script: Script, hub: MemoryHub) -> None:
    for publication in script.publications:
        put(hub, publication)
    verdict = check(seen(hub), (), alone=False)
    assert verdict.is_clean, str(verdict)
    assert script.count(Outcome.ACCEPTED) == verdict.accepted
    assert {Kind.WEDGED} == check(seen(hub), (), alone=False, late={"intake": 99.0}).kinds


def test_without_a_script_the_log_still_says_what_must_be_there_and_what_must_not(
    script: Script, hub: MemoryHub
) -> None:
    first, *rest = script.publications
    operations = [attempt(one, OK, put(hub, one)) for one in rest]
    gone = attempt(first, OK, Position("outbox.vaals", 0, 70))
    assert check(seen(hub), operations, alone=True).is_clean
    assert {Kind.LOST} == check(seen(hub), [*operations, gone], alone=True).kinds
    assert {Kind.PHANTOM} == check(seen(hub), operations[1:], alone=True).kinds
    assert Kind.ABORTED_VISIBLE in check(seen(hub), [replace(operations[0], end=FAILED)], alone=False).kinds
