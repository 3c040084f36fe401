"""Where this machine's Java and Kafka's jars may come from: the settings and the environment, read once per start."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from expathub.kafka.local_broker import pins
from expathub.settings import load_settings


@dataclass(frozen=True, slots=True)
class Means:
    """What a start may use. None: not named by anybody. Paths are absolute: a broker outlives the working folder."""

    own_java_home: Path | None
    java_home: Path | None
    path: str
    kafka_home: Path | None
    maven_repository: str | None
    cache: Path

    @property
    def lib(self) -> Path:
        """The folder of the jars in the cache: outside the work tree, so that clones share it."""
        return self.cache / f"kafka-{pins.KAFKA}" / "lib"


def read_means() -> Means:
    """Read them; raises `MisconfiguredError` if a setting is wrong."""
    settings = load_settings()
    return Means(
        own_java_home=settings.java_home,
        java_home=_folder("JAVA_HOME"),
        path=os.environ.get("PATH", ""),
        kafka_home=_folder("KAFKA_HOME"),
        maven_repository=settings.maven_repository,
        cache=(settings.cache or (_folder("XDG_CACHE_HOME") or Path.home() / ".cache") / "expathub").absolute(),
    )


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).absolute() if value else None
