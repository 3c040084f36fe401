"""The topic table as data, and the order of times."""

from __future__ import annotations

from datetime import timedelta

from expathub.core.catalogue import Catalogue
from expathub.core.configuration import Configuration
from expathub.core.partners import HUB_OPERATOR, Partner, Partners, Role
from expathub.kafka import topics
from expathub.kafka.topics import Span, Topic

DAY_MS = 86_400_000


def configuration(*ids: str) -> Configuration:
    partners = {
        id: Partner(id, id, frozenset({Role.IND}), f"urn:nld:oin:0000009900000000000{n}") for n, id in enumerate(ids)
    }
    return Configuration(Catalogue({}), Partners(1, "urn:nld:oin:00000099000000000099", partners), "0" * 64)


def planned(name: str) -> Topic:
    return next(topic for topic in topics.plan(configuration("ind", HUB_OPERATOR)) if topic.name == name)


def test_every_partner_has_an_outbox_an_inbox_and_a_memory_and_the_hub_its_own_topics() -> None:
    names = [topic.name for topic in topics.plan(configuration("ind", HUB_OPERATOR))]

    assert names == [
        "hub.disclosures",
        "hub.dossiers",
        "hub.journal",
        "hub.parked",
        "hub.refusals",
        "hub.seen.hub-operator",
        "hub.seen.ind",
        "inbox.hub-operator",
        "inbox.ind",
        "outbox.hub-operator",
        "outbox.ind",
    ]


def test_an_outbox_has_one_partition_so_that_a_partner_has_one_order() -> None:
    assert planned("outbox.ind").partitions == 1


def test_each_topic_keeps_what_the_contract_says() -> None:
    kept = {
        name: planned(name).settings["retention.ms"]
        for name in ("outbox.ind", "inbox.ind", "hub.refusals", "hub.seen.ind")
    }

    assert kept == {
        "outbox.ind": str(7 * DAY_MS),
        "inbox.ind": str(21 * DAY_MS),
        "hub.refusals": str(30 * DAY_MS),
        "hub.seen.ind": str(90 * DAY_MS),
    }


def test_the_journal_is_kept_until_an_archive_runs() -> None:
    for name in ("hub.journal", "hub.disclosures", "hub.parked"):
        assert planned(name).settings["retention.ms"] == "-1"
        assert planned(name).settings["cleanup.policy"] == "delete"


def test_the_dossiers_are_compacted_in_short_segments() -> None:
    settings = planned("hub.dossiers").settings

    assert settings["cleanup.policy"] == "compact"
    assert settings["segment.ms"] == "3600000"
    assert settings["segment.bytes"] == str(16 * 1024 * 1024)


def test_sizes_let_a_refusal_carry_more_than_an_outbox_takes() -> None:
    assert planned("outbox.ind").settings["max.message.bytes"] == str(512 * 1024)
    assert planned("hub.refusals").settings["max.message.bytes"] == str(2 * 1024 * 1024)
    assert planned("hub.dossiers").settings["max.message.bytes"] == str(2 * 1024 * 1024)


def test_what_partners_send_is_stored_unpacked_and_measured_so() -> None:
    assert planned("outbox.ind").settings["compression.type"] == "uncompressed"
    assert planned("hub.journal").settings["compression.type"] == "producer"


def test_every_topic_has_the_brokers_time() -> None:
    times = {topic.settings["message.timestamp.type"] for topic in topics.plan(configuration("ind"))}

    assert times == {"LogAppendTime"}


def test_the_planned_times_are_in_order() -> None:
    assert topics.out_of_order(topics.PLANNED_TIMES) == ()


def test_times_that_do_not_rise_are_named() -> None:
    spans = (Span("a", timedelta(days=7)), Span("b", timedelta(days=14)), Span("c", timedelta(days=14)))

    assert topics.out_of_order(spans) == ("b (14 d) must be shorter than c (14 d)",)
