"""A cluster on paper: ports, settings, Java's arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

from expathub.kafka.local_broker import layout
from expathub.kafka.local_broker.layout import Layout

ONE = Layout(Path("/data"), 9092, 1, "-starts-with-a-dash")
THREE = Layout(Path("/data"), 19092, 3, "cluster")


def test_ports_count_up_from_that_of_node_1_and_controllers_listen_ten_above() -> None:
    assert [19092, 19093, 19094] == [THREE.port_of(node) for node in THREE.ids]
    assert [19102, 19103, 19104] == [THREE.controller_port_of(node) for node in THREE.ids]
    assert THREE.bootstrap == "127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094"
    assert THREE.voters == "1@127.0.0.1:19102,2@127.0.0.1:19103,3@127.0.0.1:19104"


def test_no_two_nodes_of_the_largest_cluster_share_a_port() -> None:
    largest = Layout(Path("/data"), 9092, layout.NODES_MAX, "cluster")

    ports = [port for node in largest.ids for port in largest.ports_of(node)]

    assert len(set(ports)) == 2 * layout.NODES_MAX


def test_a_node_listens_on_the_loopback_address_alone() -> None:
    for planned in (ONE, THREE):
        for node in planned.ids:
            listeners = layout.server_settings(planned, node, fast=True)["listeners"].split(",")
            assert ["//127.0.0.1", "//127.0.0.1"] == [listener.split(":")[1] for listener in listeners]


@pytest.mark.parametrize("nodes", [1, 3])
def test_the_hub_gets_the_broker_settings_that_it_relies_on(nodes: int) -> None:
    settings = layout.hub_settings(nodes)

    assert settings["auto.create.topics.enable"] == "false"
    assert settings["offsets.retention.minutes"] == "86400"
    assert settings["transaction.abort.timed.out.transaction.cleanup.interval.ms"] == "1000"
    assert settings["broker.session.timeout.ms"] == "2000"
    assert settings["broker.heartbeat.interval.ms"] == "300"


@pytest.mark.parametrize(("nodes", "replicas", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2"), (5, "3", "2")])
def test_topics_are_copied_as_often_as_the_nodes_allow(nodes: int, replicas: str, in_sync: str) -> None:
    settings = layout.hub_settings(nodes)

    factors = {value for key, value in settings.items() if key.endswith("replication.factor")}
    minima = {value for key, value in settings.items() if key.endswith(("min.isr", "min.insync.replicas"))}

    assert factors == {replicas}
    assert minima == {in_sync}


def test_what_trades_throughput_for_a_quick_start_is_left_out_for_measuring() -> None:
    quick, measured = (layout.java_flags(ONE, 1, fast=fast) for fast in (True, False))

    assert set(layout.FAST_FLAGS) <= set(quick)
    assert not set(layout.FAST_FLAGS) & set(measured)
    assert not set(layout.FAST_SETTINGS) & set(layout.server_settings(ONE, 1, fast=False))


def test_a_cluster_id_that_begins_with_a_dash_is_no_word_of_its_own() -> None:
    assert "--cluster-id=-starts-with-a-dash" in layout.format_arguments(ONE, 1)


def test_properties_are_read_by_java_as_they_were_meant() -> None:
    written = layout.properties({"log.dirs": "/gegevens één/\\x/🧳"})

    assert written == "log.dirs=/gegevens \\u00e9\\u00e9n/\\\\x/\\ud83e\\uddf3\n"
