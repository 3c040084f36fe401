"""The stand on which everything is measured: one broker of its own, the hub's configuration with a little added to it.

Added are three event types (`nl.bench.een`, `.vier`, `.zestien`: told to one, four and sixteen partners) and three
partners, so that the number of recipients and the size can be chosen. All else is what is shipped.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil
import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from expathub.configuration import load
from expathub.core import topic_names
from expathub.core.configuration import Configuration
from expathub.kafka import local_broker, topics
from expathub.kafka.reading import Reader
from expathub.settings import load_settings

PUBLISHER = "expat-centre"
RECIPIENTS = {1: "nl.bench.een", 4: "nl.bench.vier", 16: "nl.bench.zestien"}
"""How many are told of an event of which type: the IND; the expat centre's four namesakes; the municipalities."""

_CHOSEN = {1: "role:ind", 4: "role:expat-centre", 16: "role:municipality"}
_NAMESAKES = range(1, 5)
_PATTERN = "nl.expats.aankomst-aangemeld"


@dataclass(frozen=True, slots=True)
class Stand:
    """A running broker and the configuration that everything on it uses."""

    folder: Path
    bootstrap: str
    known: Configuration
    broker: psutil.Process | None
    """None where it runs in a container, or is not ours: then nothing is known of its CPU time."""
    kafka: str
    """Its version."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process of the hub must be told."""
        return os.environ | _environment(self.folder) | {"EXPATHUB_BOOTSTRAP": self.bootstrap}

    def broker_seconds(self) -> float:
        """Return the CPU time that the broker has used so far, 0 where nobody knows."""
        if self.broker is None:
            return 0.0
        times = self.broker.cpu_times()
        return times.user + times.system

    def partitions(self) -> Mapping[str, int]:
        """Return how many partitions each of the hub's topics has."""
        return {topic.name: topic.partitions for topic in topics.plan(self.known)}

    def ends(self, *names: str) -> dict[tuple[str, int], int]:
        """Return the next offset of each partition."""

        async def ask() -> dict[tuple[str, int], int]:
            async with Reader.of(self.bootstrap, *names) as reader:
                return {(at.topic, at.partition): offset for at, offset in (await reader.ends()).items()}

        return asyncio.run(ask())

    def make_topics(self, prefix: str) -> None:
        """Make topics like the hub's for somebody else who does the same work."""
        stages = ("outbox.", "hub.seen.")
        planned = [
            NewTopic(prefix + topic.name, topic.partitions, 1, topic_configs=dict(topic.settings))
            for topic in topics.plan(self.known)
            if not topic.name.startswith(stages) or topic.name == topics.seen(PUBLISHER)
        ]

        async def make() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                await admin.create_topics(planned)
            finally:
                await admin.close()

        asyncio.run(make())


@contextmanager
def standing(bootstrap: str | None = None) -> Iterator[Stand]:
    """Make all topics of the hub on a broker of our own, its JIT at full strength as in operation, or on one given."""
    with tempfile.TemporaryDirectory(prefix="expathub-bench-") as name, _environment_kept():
        folder = Path(name)
        write_configuration(folder)
        known = load(folder / "partners.yaml", folder / "schemas")
        if bootstrap is not None:
            yield _prepared(Stand(folder, bootstrap, known, None, "?"))
            return
        with local_broker.temporary(folder, fast=False) as cluster:
            pid = cluster.nodes[0].pid
            broker = psutil.Process(pid) if pid else None
            yield _prepared(Stand(folder, cluster.bootstrap, known, broker, cluster.version))


@contextmanager
def _environment_kept() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def _prepared(stand: Stand) -> Stand:
    os.environ |= stand.environment
    expathub("provision", "apply")
    return stand


def expathub(*arguments: str) -> None:
    """Run a command of the hub to its end."""
    subprocess.run([sys.executable, "-m", "expathub", *arguments], check=True, stdout=subprocess.DEVNULL)


def _environment(folder: Path) -> Mapping[str, str]:
    return {
        "EXPATHUB_PARTNERS": str(folder / "partners.yaml"),
        "EXPATHUB_SCHEMAS": str(folder / "schemas"),
        "EXPATHUB_DATA": str(folder),
        "EXPATHUB_LOG_LEVEL": "error",
    }


# --- the configuration


def write_configuration(folder: Path) -> None:
    """Write the shipped configuration and what the bench adds."""
    settings = load_settings()
    shutil.copytree(settings.schemas, folder / "schemas")
    for count, name in RECIPIENTS.items():
        _write_type(folder / "schemas" / name, _CHOSEN[count])
    partners = yaml.safe_load(settings.partners.read_text("utf-8"))
    partners["partners"] += [_namesake(number) for number in _NAMESAKES]
    (folder / "partners.yaml").write_text(yaml.safe_dump(partners), "utf-8")


def _namesake(number: int) -> dict[str, Any]:
    return {
        "id": f"bench-{number}",
        "name": f"Bench {number}",
        "roles": ["expat-centre"],
        "source": f"urn:nld:oin:0000009900010000{number}900:systeem:bench",
        "languages": ["nl"],
    }


def _write_type(folder: Path, chosen: str) -> None:
    """Write an event type: all that a type must say and that matters here for nothing is said as a shipped one does."""
    about = yaml.safe_load((folder.parent / _PATTERN / "about.yaml").read_text("utf-8"))
    del about["dossier"]
    grant = {
        "to": chosen,
        "ground": "AVG art. 6 lid 1 onder e",
        "purpose": "Meten.",
        "fields": {1: ["/data/wijziging", "/data/kenmerk", "/data/regels/*/code", "/data/regels/*/omschrijving"]},
    }
    about |= {"publishers": ["expat-centre"], "recipients": [grant]}
    folder.mkdir()
    (folder / "about.yaml").write_text(yaml.safe_dump(about, sort_keys=False), "utf-8")
    (folder / "v1.json").write_bytes(orjson.dumps(_schema(folder.name), option=orjson.OPT_INDENT_2))


def _schema(name: str) -> dict[str, Any]:
    line = {
        "type": "object",
        "additionalProperties": False,
        "required": ["code", "omschrijving", "aantal"],
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z][0-9]{3}$", "examples": ["A100"]},
            "omschrijving": {"type": "string", "maxLength": 200, "examples": ["iets"]},
            "aantal": {"type": "integer", "minimum": 0, "maximum": 100},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{name} v1",
        "type": "object",
        "additionalProperties": False,
        "required": ["wijziging", "kenmerk", "intern", "regels"],
        "properties": {
            "wijziging": {"enum": ["nieuw", "gecorrigeerd", "ingetrokken"]},
            "kenmerk": {"type": "string", "pattern": "^[0-9a-f]{16}$", "examples": ["0123456789abcdef"]},
            "intern": {"type": "string", "maxLength": 40, "examples": ["blijft hier"]},
            "regels": {"type": "array", "maxItems": 200, "items": {"$ref": "#/$defs/regel"}},
        },
        "$defs": {"regel": line},
    }


def outbox() -> str:
    """Name the outbox that the bench publishes in."""
    return topic_names.outbox(PUBLISHER)
