"""Every case of a take-over, without Kafka: who may go on, from where, and with how much care."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from expathub.kafka.marker import Marker
from expathub.kafka.observer import Cause
from expathub.kafka.takeover import Claimant, Decision, Findings, Stop, Take, decide, given_up_at

US = Claimant(owner="us", format=2, revision=5, digest="d", keys={"1": "f1", "2": "f2"})
FOUND = Findings(marker=None, committed=None, input_start=100, input_end=900, changelog_start=0, windowed=False)


def marker(**changes: Any) -> Marker:
    fields: dict[str, Any] = {
        "next": 500,
        "format": 2,
        "revision": 5,
        "digest": "d",
        "keys": {"1": "f1"},
        "owner": "them",
        "at_ms": 0,
        "takeovers": 7,
        "released": True,
    }
    return Marker(**fields | changes)


def decision(marked: Marker | None = None, committed: int | None = None, **changes: Any) -> Decision:
    return decide(replace(FOUND, marker=marked, committed=committed, **changes), US, batch_records_max=50, deaths_max=3)


def cause_of(decided: Decision) -> Cause:
    assert isinstance(decided, Stop)
    return decided.cause


def test_a_lane_that_nobody_has_had_begins_at_the_oldest_record() -> None:
    assert decision() == Take(100, takeovers=1)


def test_marker_and_offset_that_agree_say_where_to_go_on() -> None:
    assert decision(marker(), 500) == Take(500, takeovers=8)


def test_an_offset_that_has_expired_is_not_missed() -> None:
    assert decision(marker(), None) == Take(500, takeovers=8)


@pytest.mark.parametrize("committed", [499, 501, 0])
def test_marker_and_offset_that_disagree_stop_the_lane(committed: int) -> None:
    assert decision(marker(), committed) == Stop(Cause.DISAGREE, f"marker 500, offset {committed}")


def test_an_offset_without_a_marker_is_a_lost_state() -> None:
    assert cause_of(decision(None, 500)) is Cause.DISAGREE
    assert cause_of(decision(None, 500, windowed=True)) is Cause.DISAGREE
    assert cause_of(decision(None, 500, changelog_start=10)) is Cause.DISAGREE


def test_unless_retention_has_emptied_a_changelog_that_only_has_to_reach_back_a_window() -> None:
    assert decision(None, 500, windowed=True, changelog_start=10) == Take(500, takeovers=1)


@pytest.mark.parametrize("offset", [99, 901])
def test_an_offset_that_the_input_does_not_have_stops_the_lane(offset: int) -> None:
    assert cause_of(decision(marker(next=offset), offset)) is Cause.OUT_OF_RANGE


@pytest.mark.parametrize("offset", [100, 900])
def test_the_edges_of_the_input_are_within_it(offset: int) -> None:
    assert decision(marker(next=offset), offset) == Take(offset, takeovers=8)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"format": 3}, Cause.FORMAT_NEWER),
        ({"revision": 6}, Cause.CONFIGURATION_OLDER),
        ({"digest": "other"}, Cause.CONFIGURATION_OLDER),
        ({"keys": {"3": "f3"}}, Cause.KEY_MISSING),
        ({"keys": {"2": "f1"}}, Cause.KEY_DIFFERS),
    ],
)
def test_a_process_that_is_behind_the_last_owner_does_not_go_on(changes: dict[str, Any], cause: Cause) -> None:
    assert cause_of(decision(marker(**changes), 500)) is cause


@pytest.mark.parametrize("changes", [{"format": 1}, {"revision": 4, "digest": "other"}, {"keys": {}}])
def test_a_process_that_is_ahead_of_the_last_owner_goes_on(changes: dict[str, Any]) -> None:
    assert decision(marker(**changes), 500) == Take(500, takeovers=8)


def test_what_hinders_us_is_said_before_what_would_hinder_anybody() -> None:
    assert cause_of(decision(marker(revision=6), 1)) is Cause.CONFIGURATION_OLDER


def test_an_unclean_end_asks_for_care_as_far_as_one_batch_may_have_reached() -> None:
    assert decision(marker(released=False), 500) == Take(500, 8, careful_until=550)
    assert decision(marker(released=False), 500, input_end=510) == Take(500, 8, careful_until=510)
    assert decision(marker(released=False, careful_until=700), 500) == Take(500, 8, careful_until=700)


def test_we_know_that_we_ourselves_have_not_died() -> None:
    assert decision(marker(released=False, owner="us"), 500) == Take(500, 8)
    ours = marker(released=False, owner="us", trying=505, trying_until=506, alone=True, deaths=1, singly_until=506)
    assert decision(ours, 500) == Take(500, 8, deaths=1, singly_until=506)


def test_an_open_mark_of_one_record_is_a_death_of_that_record() -> None:
    one = {"released": False, "trying": 505, "trying_until": 506, "alone": True}
    assert decision(marker(**one), 500) == Take(500, 8, deaths=1, singly_until=506)
    known = marker(**one, deaths=2, careful_until=600, singly_until=540)
    assert decision(known, 500) == Take(500, 8, deaths=3, careful_until=600, singly_until=540)


def test_an_open_mark_of_several_records_is_nobodys_death_but_they_go_one_by_one() -> None:
    several = marker(released=False, trying=500, trying_until=516, careful_until=550)
    assert decision(several, 500) == Take(500, 8, deaths=0, careful_until=550, singly_until=516)


def test_deaths_and_care_are_remembered_over_a_take_over_that_did_nothing() -> None:
    remembered = marker(deaths=2, careful_until=550, singly_until=506)
    assert decision(remembered, 500) == Take(500, 8, deaths=2, careful_until=550, singly_until=506)


def test_a_record_on_which_poison_has_died_as_often_is_nobodys_any_more() -> None:
    assert given_up_at(3) == 6
    assert isinstance(decision(marker(deaths=5, singly_until=501), 500), Take)
    assert cause_of(decision(marker(deaths=5, trying=500, trying_until=501, alone=True), 500)) is Cause.POISON_FAILED
    assert cause_of(decision(marker(deaths=6), 500)) is Cause.POISON_FAILED
