"""What `provision` makes of the difference between configuration and cluster: pure comparisons."""

from __future__ import annotations

from dataclasses import replace

from expathub.kafka import provision, topics
from expathub.kafka.provision import Broker, Change, Cluster, Create, Found
from expathub.kafka.topics import BROKER_SETTINGS, Topic

INBOX = Topic("inbox.ind", 3, {"retention.ms": "10"})
GOOD_BROKER = Broker(1, dict(BROKER_SETTINGS))


def found(topic: Topic = INBOX, nodes: tuple[int, ...] = (1,), own: dict[str, str] | None = None) -> Found:
    in_sync = "2" if len(nodes) == 3 else "1"
    own_settings = {**topic.settings, "min.insync.replicas": in_sync, **(own or {})}
    return Found(topic.name, topic.partitions, len(nodes), frozenset(nodes), own_settings, own_settings)


def cluster(*there: Found, brokers: tuple[int, ...] = (1,)) -> Cluster:
    return Cluster(
        tuple(Broker(node, dict(BROKER_SETTINGS)) for node in brokers), {topic.name: topic for topic in there}
    )


def test_a_missing_topic_is_made() -> None:
    plan = provision.compare([INBOX], cluster())

    (action,) = plan.actions
    assert isinstance(action, Create)
    assert str(action) == "create inbox.ind (3 partitions, 1 copies)"
    assert action.topic.settings["min.insync.replicas"] == "1"


def test_nothing_is_done_when_all_is_as_configured() -> None:
    plan = provision.compare([INBOX], cluster(found()))

    assert plan.is_clean


def test_three_brokers_hold_three_copies_of_which_two_must_have_a_record() -> None:
    (action,) = provision.compare([INBOX], cluster(brokers=(1, 2, 3))).actions

    assert isinstance(action, Create)
    assert action.replication == 3
    assert action.topic.settings["min.insync.replicas"] == "2"


def test_a_broker_that_is_down_lowers_nothing() -> None:
    plan = provision.compare([INBOX], cluster(found(nodes=(1, 2, 3)), brokers=(1, 3)))

    assert plan.is_clean


def test_a_setting_that_differs_is_changed_and_what_the_topic_has_besides_is_kept() -> None:
    (action,) = provision.compare([INBOX], cluster(found(own={"retention.ms": "11", "flush.ms": "5"}))).actions

    assert isinstance(action, Change)
    assert action.changed == (("retention.ms", "11", "10"),)
    assert action.settings == {"retention.ms": "10", "flush.ms": "5", "min.insync.replicas": "1"}


def test_another_partition_count_is_never_changed_but_said() -> None:
    plan = provision.compare([INBOX], cluster(replace(found(), partitions=2)))

    assert plan.actions == ()
    assert [str(difference) for difference in plan.unmended] == [
        "inbox.ind: has 2 partitions, the hub counts on 3; keys would move: drain the topic and make it anew"
    ]
    assert not plan.is_clean


def test_too_few_copies_are_said() -> None:
    plan = provision.compare([INBOX], cluster(found(own={"min.insync.replicas": "2"}), brokers=(1, 2, 3)))

    assert [str(difference) for difference in plan.unmended] == [
        "inbox.ind: has 1 copies and should have 3: reassign its partitions"
    ]


def test_a_topic_of_somebody_who_left_is_left_alone() -> None:
    plan = provision.compare([], cluster(found()))

    assert plan.left_alone == ("inbox.ind",)
    assert plan.is_clean


def outbox(retention_days: int) -> tuple[Topic, Found]:
    day = 86_400_000
    topic = Topic("outbox.ind", 1, {"retention.ms": str(retention_days * day), "segment.ms": str(day)})
    return topic, found(topic)


def seen(retention_days: int) -> tuple[Topic, Found]:
    topic = Topic("hub.seen.ind", 1, {"retention.ms": str(retention_days * 86_400_000)})
    return topic, found(topic)


def test_a_cluster_as_it_should_be_is_verified() -> None:
    (outbox_topic, outbox_found), (seen_topic, seen_found) = outbox(7), seen(90)

    assert provision.verify([outbox_topic, seen_topic], cluster(outbox_found, seen_found)) == ()


def test_an_outbox_that_outlives_the_memory_of_duplicates_is_found() -> None:
    (outbox_topic, outbox_found), (seen_topic, seen_found) = outbox(13), seen(90)

    assert provision.verify([outbox_topic, seen_topic], cluster(outbox_found, seen_found)) == (
        "the longest life of a record in an outbox (14 d) must be shorter than the window of deduplication (14 d)",
    )


def test_a_memory_shorter_than_the_group_offsets_is_found() -> None:
    (outbox_topic, outbox_found), (seen_topic, seen_found) = outbox(7), seen(60)

    assert provision.verify([outbox_topic, seen_topic], cluster(outbox_found, seen_found)) == (
        "the retention of group offsets (60 d) must be shorter than the retention of hub.seen.* (60 d)",
    )


def test_a_broker_that_makes_topics_by_itself_is_found() -> None:
    broker = Broker(1, {**topics.BROKER_SETTINGS, "auto.create.topics.enable": "true"})

    assert provision.verify([], Cluster((broker,), {})) == (
        "broker 1: auto.create.topics.enable is true, the hub needs false (server.properties)",
    )


def test_a_broker_that_does_not_answer_is_found() -> None:
    assert provision.verify([INBOX], cluster(found(nodes=(1, 2, 3)), brokers=(1, 3))) == (
        "broker 2 holds topics and does not answer",
    )
