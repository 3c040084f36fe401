"""A node as a container, on paper."""

from __future__ import annotations

from pathlib import Path

from expathub.kafka.local_broker import container, layout, pins
from expathub.kafka.local_broker.layout import Layout

THREE = Layout(Path("/data"), 19092, 3, "Cluster_id")


def environment(arguments: list[str]) -> dict[str, str]:
    pairs = (one.removeprefix("--env=").partition("=") for one in arguments if one.startswith("--env="))
    return {key: value for key, _, value in pairs}


def test_a_container_is_reachable_from_this_machine_alone() -> None:
    arguments = container.run_arguments(THREE, 2, fast=True)

    assert [one for one in arguments if one.startswith("--publish")] == ["--publish=127.0.0.1:19093:9092"]
    assert not [one for one in arguments if "host" in one.partition("=")[0]]


def test_clients_are_told_the_port_outside_and_brokers_the_name_inside() -> None:
    told = environment(container.run_arguments(THREE, 2, fast=True))[container.ADVERTISED]

    assert told == "PLAINTEXT://127.0.0.1:19093,BROKER://node-2:9192"


def test_a_container_gets_every_setting_that_a_process_gets_but_for_its_addresses() -> None:
    of_process = layout.server_settings(THREE, 2, fast=True)
    of_container = environment(container.run_arguments(THREE, 2, fast=True))

    named = container.variables(of_process)
    same = {key for key in named if named[key] == of_container.get(key)}

    assert set(named) <= set(of_container)
    assert (
        set(named) - same
        == container.variables(
            dict.fromkeys(
                (
                    "controller.quorum.voters",
                    "listeners",
                    "advertised.listeners",
                    "listener.security.protocol.map",
                    "inter.broker.listener.name",
                    "log.dirs",
                ),
                "",
            )
        ).keys()
    )


def test_a_container_keeps_its_data_in_a_volume_of_its_own_and_restarts_nothing() -> None:
    arguments = container.run_arguments(THREE, 3, fast=False)

    assert "--volume=expathub-Cluster_id-3:/var/lib/kafka/data" in arguments
    assert "--label=nl.expathub.data=/data" in arguments
    assert not [one for one in arguments if one.startswith("--restart")]
    assert arguments[-1] == pins.IMAGE
