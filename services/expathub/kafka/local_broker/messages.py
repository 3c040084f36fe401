"""Pure: what a person reads when there is no broker. Each is a pair: what is wrong, how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from expathub.kafka.local_broker import pins

Message = tuple[str, str]

CERTIFICATE: Final[Message] = (
    "The certificate of the Maven repository is not trusted; is there an inspecting proxy?",
    "Set REQUESTS_CA_BUNDLE to your company's bundle.",
)
NO_JAVA: Final[Message] = (
    f"No Java {pins.JAVA_MIN} or newer.",
    (
        "Run: pip install 'expathub[broker]' (brings its own, 34 MB), or set EXPATHUB_JAVA_HOME. "
        "On musl systems (Alpine): install openjdk 17 or 21."
    ),
)
NO_RESOLVER: Final[Message] = (
    "Cannot fetch the Kafka jars: jgo is not installed.",
    "Run: pip install 'expathub[broker]', or set KAFKA_HOME to an unpacked Kafka.",
)


def given_broker_is_ours(folder: Path, port: int) -> str:
    """Say that the address that a person gave is that of the local broker, and how that is started."""
    return f"That address is the local broker of {folder}. Start it by its port: expathub broker start --port {port}"


def given_broker_silent(address: str, seconds: float) -> Message:
    """Say that the address that a person gave is silent."""
    return (
        f"Kafka at {address} (EXPATHUB_BOOTSTRAP) does not answer after {seconds:.0f} s.",
        "Start it, or unset EXPATHUB_BOOTSTRAP to let expathub start one.",
    )


def old_java(major: int, origin: str) -> str:
    """Say that a Java is passed over; what is used instead follows."""
    return f"Java {major} at {origin} is too old for Kafka {pins.KAFKA_MAJOR} (needs {pins.JAVA_MIN})."


def not_java(origin: str) -> str:
    """Say that there is no Java where one was named; what is used instead follows."""
    return f"{origin} holds no Java that runs (looked for bin/java)."


def no_network(missing: int, of: int) -> Message:
    """Say that there is no connection, and the cache lacks jars."""
    which = f"{of} Kafka jars ({pins.JARS_MB} MB)" if missing == of else f"{missing} of {of} Kafka jars"
    return (
        f"Cannot fetch {which}: no connection to the Maven repository.",
        (
            "Needed once. Behind a mirror: EXPATHUB_MAVEN_REPOSITORY=URL. "
            f"Without network: copy an unpacked Kafka {pins.KAFKA} here and set KAFKA_HOME."
        ),
    )


def not_served(name: str, repository: str) -> Message:
    """Say that the repository answers, and does not have a jar."""
    return (
        f"{repository} does not serve {name}.",
        "Behind a mirror: set EXPATHUB_MAVEN_REPOSITORY to the URL under which it holds Maven Central's files.",
    )


def other_file(name: str, expected: str, got: str) -> Message:
    """Say that a jar is not the pinned one."""
    return (
        f"{name} is not the file pinned in jars.lock (expected {expected}, got {got}).",
        "Deleted. Nothing was started.",
    )


def bad_kafka_home(folder: Path, found: str | None) -> Message:
    """Say that KAFKA_HOME holds no Kafka, or one that was never tried."""
    what = f"holds Kafka {found}" if found else "holds no libs/kafka_2.13-*.jar"
    return (
        f"KAFKA_HOME={folder} {what}; expathub needs Kafka {pins.KAFKA_MAJOR}.",
        f"Name an unpacked Kafka {pins.KAFKA}, or unset it.",
    )


def disk_full(folder: Path, free_mb: int) -> Message:
    """Say that there is no room for the jars or the data."""
    return (
        f"The disk that holds {folder} is full ({free_mb} MB free).",
        "Make room, or choose another: --data DIR for Kafka's data, EXPATHUB_CACHE for its jars.",
    )


def unusable(path: object, reason: str) -> Message:
    """Say that a file or folder cannot be read or written."""
    return (
        f"{path} cannot be used ({reason}).",
        "Choose another: --data DIR for Kafka's data, EXPATHUB_CACHE for its jars.",
    )


def port_taken(port: int, role: str, other: int) -> Message:
    """Say that somebody else listens."""
    return f"Port {port}{role} is in use by another program.", f"Try --port {other}."


def folder_of_others(folder: Path, file: str) -> Message:
    """Say that the data folder cannot be read back."""
    return f"{folder / file} does not read as ours.", "Name another --data DIR, or delete the folder."


def bad_folder(folder: Path) -> Message:
    """Say that a comma cannot be part of a folder: Kafka takes a list of them."""
    return f"Kafka cannot keep data in {folder}: its name holds a comma.", "Name another --data DIR."


def other_size(folder: Path, held: int, asked: int) -> Message:
    """Say that the number of nodes was settled when the cluster was made."""
    return (
        f"{folder} holds a cluster of {held} node{'s' if held > 1 else ''}, not of {asked}.",
        "Name another --data DIR, or delete the folder.",
    )


def other_port(folder: Path, held: int, asked: int) -> Message:
    """Say that a running cluster does not move."""
    return (
        f"The broker of {folder} runs on port {held}, not on {asked}.",
        "Stop it first (expathub broker stop), or name another --data DIR.",
    )


def other_way(folder: Path, held: str, asked: str) -> Message:
    """Say that processes and containers keep their data in different places."""
    return (
        f"The broker of {folder} was made with --via {held}, not {asked}.",
        "Name another --data DIR, or delete the folder.",
    )


def died(node: int, log: str, tail: str) -> Message:
    """Say that a node ended while it was being started."""
    return f"Node {node} ended while starting. The log: {log}. Its last lines:", tail


def silent(seconds: float, log: str, tail: str) -> Message:
    """Say that the nodes run and do not answer."""
    return f"The broker does not answer after {seconds:.0f} s. The log: {log}. Its last lines:", tail


def no_memory(log: str) -> Message:
    """Say that Java could not get its memory."""
    return f"There is not enough memory for the broker (needs about 400 MB a node). The log: {log}.", "Free some."


def no_engine(host: str, reason: str) -> Message:
    """Say that Docker was asked for, and there is none."""
    return (
        f"--via docker: no engine answers at {host} ({reason}).",
        "Without --via docker expathub uses Java and needs no Docker.",
    )


def docker_refuses(node: int, reason: str) -> Message:
    """Say that the engine answers and does not start a container."""
    return f"Docker does not start node {node}: {reason}.", "Mend that, or leave out --via docker."


def no_image(reason: str) -> Message:
    """Say that the image is not here and cannot be had."""
    return (
        f"Image {pins.IMAGE} is not here and cannot be pulled: {reason}.",
        "Without --via docker expathub uses Java and needs no image.",
    )
