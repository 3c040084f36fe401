"""Pure: the lock of Kafka's jars (`deploy/kafka/jars.lock`): which files, and what each must be. No address in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(
    r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+) sha256:(?P<sha256>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, order=True)
class Jar:
    """One file: Maven's name for it, and its SHA-256 in hexadecimal digits."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """Maven's name: `org.apache.kafka:kafka-clients:4.3.1`."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        """The file's name, the same as Maven gives it."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        """Return its line in the lock."""
        return f"{self.coordinate} sha256:{self.sha256}"


def parse(text: str) -> tuple[Jar, ...]:
    """Read a lock, one jar a line; raises `ValueError` with the number of a line that is none."""
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not (found := _LINE.fullmatch(line)):
            raise ValueError(f"jars.lock:{number} is not `group:artifact:version sha256:…`")
        jars.append(Jar(**found.groupdict()))
    return tuple(jars)
