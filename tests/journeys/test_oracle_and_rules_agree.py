"""Two thousand deeds through the real rules, without Kafka: they and the simulator's simple model agree on each fate.

And where a hub works by other rules, the judge says so: else its silence would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from expathub.configuration import load
from expathub.core.catalogue import Catalogue, EventType, SelectorKind
from expathub.core.configuration import Configuration
from expathub.core.records import InputRecord, Position
from expathub.core.references import ReferenceKeys
from expathub.shipped import shipped
from expathub.testing import journeys
from expathub.testing.history import History
from expathub.testing.in_memory import MemoryHub
from expathub.testing.judgement import account, judge
from expathub.testing.script import Outcome, Script
from expathub.testing.verdict import Kind, Sent, Verdict

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEYS = ReferenceKeys({1: bytes(range(32))})

Change = Callable[[Iterable[InputRecord]], list[InputRecord]]


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(shipped("deploy", "partners.yaml"), shipped("schemas"))


def play(script: Script, configuration: Configuration, pause_ms: int = 50) -> tuple[MemoryHub, list[Sent]]:
    hub = MemoryHub(configuration, KEYS, int(NOW.timestamp() * 1000))
    sent = []
    for publication in script.publications:
        hub.now_ms += pause_ms
        position = hub.publish(publication.partner, publication.value, publication.headers, publication.key)
        sent.append(Sent(publication, position))
    return hub, sent


def verdict(script: Script, configuration: Configuration, change: Change = list) -> Verdict:
    hub, sent = play(script, configuration)
    return judge(History.of(change(hub.everything())), sent, script)


@pytest.mark.parametrize("seed", range(5))
def test_the_rules_do_what_the_simulator_expects(configuration: Configuration, seed: int) -> None:
    script = journeys.write(configuration, events=400, seed=seed, now=NOW)
    found = verdict(script, configuration)
    assert not found.findings
    assert found.accepted == script.count(Outcome.ACCEPTED)
    assert found.refused == script.count(Outcome.REFUSED)
    assert found.duplicates == script.count(Outcome.DUPLICATE)
    assert found.disclosures == sum(len(one.fate.told) for one in script.publications)
    assert found.parked == sum(len(one.fate.held) for one in script.publications)


def test_the_accounting_of_the_topics_holds_by_itself(configuration: Configuration) -> None:
    hub, _ = play(journeys.write(configuration, events=400, seed=9, now=NOW), configuration)
    assert account(History.of(hub.everything())).is_clean


@pytest.fixture(scope="module")
def script(configuration: Configuration) -> Script:
    return journeys.write(configuration, events=400, seed=1, now=NOW)


# --- hubs that work by other rules ---


def kinds(found: Verdict) -> set[Kind]:
    return {finding.kind for finding in found.findings}


def with_types(configuration: Configuration, change: Callable[[EventType], EventType]) -> Configuration:
    types = {name: change(kind) for name, kind in configuration.catalogue.types.items()}
    return replace(configuration, catalogue=Catalogue(types))


def test_a_hub_that_forgets_secrecy_is_found_out(script: Script, configuration: Configuration) -> None:
    forgetful = with_types(configuration, lambda kind: replace(kind, effects=replace(kind.effects, secrecy=None)))
    assert kinds(verdict(script, forgetful)) == {Kind.LEAKED, Kind.UNEXPECTED}


def test_a_hub_that_forgets_what_it_has_accepted_is_found_out(script: Script, configuration: Configuration) -> None:
    hub, sent = play(script, configuration, pause_ms=15 * 24 * 3600 * 1000)  # longer than it has to remember
    assert kinds(judge(History.of(hub.everything()), sent, script)) >= {Kind.DOUBLED, Kind.UNEXPECTED}


def test_a_hub_that_tells_what_cannot_be_carried_is_found_out(script: Script, configuration: Configuration) -> None:
    by_id = {name: replace(partner, reads={}) for name, partner in configuration.partners.by_id.items()}
    loose = replace(configuration, partners=replace(configuration.partners, by_id=by_id))
    assert kinds(verdict(script, loose)) == {Kind.LEAKED, Kind.UNEXPECTED}


def test_a_hub_that_leaves_out_the_former_municipality_is_found_out(
    script: Script, configuration: Configuration
) -> None:
    def leave_out(kind: EventType) -> EventType:
        rest = (one for one in kind.grants if one.selector.kind is not SelectorKind.FORMER_MUNICIPALITY)
        return replace(kind, grants=tuple(rest))

    assert Kind.LOST in kinds(verdict(script, with_types(configuration, leave_out)))


def test_a_hub_that_tells_more_than_was_granted_is_found_out(script: Script, configuration: Configuration) -> None:
    def grant_all(kind: EventType) -> EventType:
        return replace(kind, grants=tuple(replace(grant, fields=_all_fields(kind)) for grant in kind.grants))

    assert Kind.LEAKED in kinds(verdict(script, with_types(configuration, grant_all)))


def _all_fields(kind: EventType) -> dict[int, tuple[str, ...]]:
    every: dict[int, set[str]] = {}
    for grant in kind.grants:
        for major, fields in grant.fields.items():
            every.setdefault(major, set()).update(fields)
    return {major: tuple(sorted(fields)) for major, fields in every.items()}


def test_a_broker_that_turns_an_inbox_round_is_found_out(script: Script, configuration: Configuration) -> None:
    def turn(records: Iterable[InputRecord]) -> list[InputRecord]:
        return [
            structs.replace(one, position=Position(one.position.topic, 0, -one.position.offset))
            if one.position.topic == "inbox.ind"
            else one
            for one in records
        ]

    assert kinds(verdict(script, configuration, turn)) == {Kind.REORDERED}


def test_a_broker_that_loses_a_record_of_an_inbox_is_found_out(script: Script, configuration: Configuration) -> None:
    def lose(records: Iterable[InputRecord]) -> list[InputRecord]:
        return [one for one in records if one.position != Position("inbox.ind", 0, 7)]

    assert kinds(verdict(script, configuration, lose)) == {Kind.LOST, Kind.TORN, Kind.SKIPPED}
