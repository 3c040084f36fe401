"""Two thousand deeds through the real rules, without Kafka: they and the simulator's simple model agree on each fate.

And where a rule is broken on purpose, the judge says so: else its silence would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from expathub.configuration import load
from expathub.core import holding, intake, judging, routing
from expathub.core.catalogue import Catalogue, EventType, SelectorKind
from expathub.core.configuration import Configuration
from expathub.core.reasons import Withheld
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


def play(script: Script, configuration: Configuration) -> tuple[MemoryHub, list[Sent]]:
    hub = MemoryHub(configuration, KEYS, int(NOW.timestamp() * 1000))
    sent = []
    for publication in script.publications:
        hub.now_ms += 50
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


# --- rules broken on purpose ---


def kinds(found: Verdict) -> set[Kind]:
    return {finding.kind for finding in found.findings}


def test_a_hub_that_forgets_secrecy_is_found_out(
    monkeypatch: pytest.MonkeyPatch, script: Script, configuration: Configuration
) -> None:
    rules = tuple((reason, rule) for reason, rule in judging.RULES if reason is not Withheld.SECRECY)
    monkeypatch.setattr(judging, "RULES", rules)
    assert kinds(verdict(script, configuration)) == {Kind.OVER_DISCLOSED, Kind.UNEXPECTED}


def test_a_hub_that_forgets_what_it_has_accepted_is_found_out(
    monkeypatch: pytest.MonkeyPatch, script: Script, configuration: Configuration
) -> None:
    monkeypatch.setattr(intake, "is_within_window", lambda *_: False)
    assert kinds(verdict(script, configuration)) >= {Kind.DOUBLED, Kind.UNEXPECTED}


def test_a_hub_that_lets_events_overtake_is_found_out(
    monkeypatch: pytest.MonkeyPatch, script: Script, configuration: Configuration
) -> None:
    monkeypatch.setattr(holding, "_behind", lambda *_: None)
    assert Kind.OVER_DISCLOSED in kinds(verdict(script, configuration))


def test_a_hub_that_leaves_out_the_former_municipality_is_found_out(
    monkeypatch: pytest.MonkeyPatch, script: Script, configuration: Configuration
) -> None:
    select = {**routing.SELECT, SelectorKind.FORMER_MUNICIPALITY: lambda *_: ()}
    monkeypatch.setattr(routing, "SELECT", select)
    assert kinds(verdict(script, configuration)) >= {Kind.LOST}


def test_a_hub_that_tells_more_than_was_granted_is_found_out(script: Script, configuration: Configuration) -> None:
    generous = replace(
        configuration,
        catalogue=Catalogue(
            {
                name: replace(kind, grants=tuple(replace(grant, fields=_all_fields(kind)) for grant in kind.grants))
                for name, kind in configuration.catalogue.types.items()
            }
        ),
    )
    hub, sent = play(script, generous)
    found = judge(History.of(hub.everything()), sent, script)
    assert Kind.OVER_DISCLOSED in kinds(found)


def _all_fields(kind: EventType) -> dict[int, tuple[str, ...]]:
    every: dict[int, set[str]] = {}
    for grant in kind.grants:
        for major, fields in grant.fields.items():
            every.setdefault(major, set()).update(fields)
    return {major: tuple(sorted(fields)) for major, fields in every.items()}


def test_a_broker_that_turns_an_inbox_round_is_found_out(script: Script, configuration: Configuration) -> None:
    def turn(records: Iterable[InputRecord]) -> list[InputRecord]:
        return [
            replace(one, position=Position(one.position.topic, 0, -one.position.offset))
            if one.position.topic == "inbox.ind"
            else one
            for one in records
        ]

    assert kinds(verdict(script, configuration, turn)) == {Kind.REORDERED}


def test_a_broker_that_loses_a_record_of_an_inbox_is_found_out(script: Script, configuration: Configuration) -> None:
    def lose(records: Iterable[InputRecord]) -> list[InputRecord]:
        return [one for one in records if one.position != Position("inbox.ind", 0, 7)]

    assert kinds(verdict(script, configuration, lose)) == {Kind.LOST, Kind.TORN}
