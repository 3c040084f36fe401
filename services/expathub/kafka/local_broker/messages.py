"""Pure: every sentence that a person reads when there is no broker. What is wrong, then how to mend it; one line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

CERTIFICATE: Final = (
    "The certificate of the Maven repository is not trusted; is there an inspecting proxy? "
    "Set REQUESTS_CA_BUNDLE to your company's bundle."
)
NO_JAVA: Final = (
    "No Java 17 or newer. Run: pip install 'expathub[broker]' (brings its own, 34 MB), or set EXPATHUB_JAVA_HOME. "
    "On musl systems (Alpine): install openjdk 17 or 21."
)


def disk_full(folder: Path) -> str:
    """No room for the jars or the data."""
    return f"The disk that holds {folder} is full. Make room, or name another folder."


def other_file(name: str, expected: str, got: str) -> str:
    """A jar that is not the pinned one."""
    return f"{name} is not the file pinned in jars.lock (expected {expected}, got {got}). Deleted. Nothing was started."


def no_network(count: int, megabytes: int) -> str:
    """No connection, and the jars are not in the cache."""
    return (
        f"Cannot fetch {count} Kafka jars ({megabytes} MB): no connection to the Maven repository. Needed once. "
        "Behind a mirror: EXPATHUB_MAVEN_REPOSITORY=URL. "
        "Without network: copy an unpacked Kafka here and set KAFKA_HOME."
    )


def not_served(coordinate: str, repository: str | None) -> str:
    """The repository answers, and does not have the jar."""
    return (
        f"{repository or 'Maven Central'} does not serve {coordinate}. "
        "Behind a mirror: set EXPATHUB_MAVEN_REPOSITORY to the URL that holds Maven Central's files."
    )


def port_taken(port: int, other: int) -> str:
    """Somebody else listens."""
    return f"Port {port} is in use by another program. Try --port {other}."


def died(node: int, tail: str, log: Path) -> str:
    """A node that ended while it was being started."""
    return f"Node {node} of the broker ended while starting. Its last lines:\n{tail}\nThe whole log: {log}"


def silent(seconds: float, tail: str, log: Path) -> str:
    """Nodes that run, and do not answer."""
    return f"The broker does not answer after {seconds:.0f} s. Its last lines:\n{tail}\nThe whole log: {log}"
