"""The lock of Kafka's jars."""

from __future__ import annotations

import pytest

from expathub.kafka.local_broker import jars, pins
from expathub.kafka.local_broker.lock import Jar, parse
from expathub.shipped import shipped

LINE = f"org.apache.kafka:kafka-clients:4.3.1 sha256:{'0a' * 32}"


def test_a_line_names_a_jar_and_what_it_must_be() -> None:
    (jar,) = parse(LINE + "\n")

    assert jar == Jar("org.apache.kafka", "kafka-clients", "4.3.1", "0a" * 32)
    assert jar.coordinate == "org.apache.kafka:kafka-clients:4.3.1"
    assert jar.file == "kafka-clients-4.3.1.jar"
    assert str(jar) == LINE


@pytest.mark.parametrize(
    "line", ["", "a:b:c", LINE[:-1], LINE + " ", LINE.replace("kafka-clients", "../x"), "https:" + LINE]
)
def test_a_line_that_is_none_is_named_by_its_number(line: str) -> None:
    with pytest.raises(ValueError, match=r"^jars\.lock:2 "):
        parse(f"{LINE}\n{line}\n{LINE}")


def test_the_shipped_lock_is_sorted_has_each_artifact_once_and_holds_what_it_was_made_from() -> None:
    lock = jars.read_lock()

    assert list(lock) == sorted(lock)
    assert len({(jar.group, jar.artifact) for jar in lock}) == len(lock) == 46
    assert set(pins.ROOTS) <= {jar.coordinate for jar in lock}


def test_the_shipped_lock_holds_no_address() -> None:
    assert "//" not in shipped("deploy", "kafka", "jars.lock").read_text()
