"""Fixtures for all tests: a real Kafka broker, started once for the session or anew for a module, never left behind.

`EXPATHUB_TEST_BROKER=docker` runs every test that asks for Kafka against brokers that testcontainers started.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import expathub
from expathub.kafka import local_broker

_PACKAGE = Path(expathub.__file__).parent


def pytest_report_header() -> str:
    """Say which copy of the package is tested."""
    return f"expathub: {_PACKAGE}"


def pytest_configure() -> None:
    """Refuse, under `make test`, any copy but the installed one: what is not in the wheel must not seem to work."""
    # A shell starts a background job with SIGINT ignored, and so would be everything that the tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.environ.get("EXPATHUB_TEST_INSTALLED") and "site-packages" not in _PACKAGE.parts:
        pytest.exit(f"these tests would run {_PACKAGE}, not the installed package: run `make install`", returncode=4)


@contextmanager
def _broker_of_processes(folder: Path) -> Iterator[str]:
    """Run a broker on a free port with its data in `folder`; it ends with us, even if we are killed."""
    with local_broker.temporary(folder) as cluster:
        yield cluster.bootstrap


@contextmanager
def _broker_in_a_container(_: Path) -> Iterator[str]:
    """Run a broker in a container on a mapped port; testcontainers removes it, by its reaper if we are killed."""
    from expathub.testing.containers import KafkaContainer  # noqa: PLC0415 (only where a Docker engine is asked for)

    with KafkaContainer() as kafka:
        yield kafka.bootstrap


_broker = _broker_in_a_container if os.environ.get("EXPATHUB_TEST_BROKER") == "docker" else _broker_of_processes


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of the session's broker; tests choose topics and groups of their own."""
    with _broker(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="module")
def fresh_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a broker that this module has to itself, for tests of the whole hub."""
    with _broker(tmp_path_factory.mktemp("fresh-kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture
def kafka_of_a_page(tmp_path: Path) -> Iterator[str]:
    """Give the address of a broker for one page of the documentation."""
    with _broker(tmp_path / "kafka") as bootstrap:
        yield bootstrap


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own EXPATHUB_* out of the tests; what says where jars and Java are may stay."""
    kept = ("EXPATHUB_TEST_", "EXPATHUB_CACHE", "EXPATHUB_JAVA_HOME", "EXPATHUB_MAVEN_REPOSITORY")
    for name in list(os.environ):
        if name.startswith("EXPATHUB_") and not name.startswith(kept):
            monkeypatch.delenv(name)
