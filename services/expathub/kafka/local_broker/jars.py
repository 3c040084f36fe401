"""The jars of Apache Kafka: pinned by a lock, fetched once, checked, kept in the user's cache; or those of KAFKA_HOME.

The only module that touches jgo. jgo only warns of a bad checksum and takes a half-written file as complete, so each
jar is fetched into a temporary folder, compared with the lock, and only then moved to its place.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from expathub.kafka.local_broker import folder, messages, pins
from expathub.kafka.local_broker.errors import NoJavaWayError
from expathub.kafka.local_broker.lock import Jar, parse
from expathub.kafka.local_broker.machine import plain_faults
from expathub.kafka.local_broker.means import Means
from expathub.shipped import shipped

Note = Callable[[str], None]

_TELL_EVERY = 12


@dataclass(frozen=True, slots=True)
class Jars:
    """Kafka, ready to run: its version and what Java takes as the class path."""

    version: str
    class_path: str


def ready_jars(means: Means, note: Note) -> Jars:
    """Return Kafka's jars, fetching what is missing; raises `NoJavaWayError` where they cannot be had."""
    if means.kafka_home:
        return _of_kafka_home(means.kafka_home, note)
    lock = read_lock()
    with plain_faults(means.lib):
        _ensure(lock, means.lib, means.maven_repository, note)
    return Jars(pins.KAFKA, ":".join(str(means.lib / jar.file) for jar in lock))


def read_lock() -> tuple[Jar, ...]:
    """Return the jars that the lock names."""
    return parse(shipped("deploy", "kafka", "jars.lock").read_text("utf-8"))


def _of_kafka_home(home: Path, note: Note) -> Jars:
    """Use a Kafka that somebody unpacked; its version is in the name of its own jar."""
    names = [path.name for path in (home / "libs").glob("kafka_2.13-*.jar")]
    versions = [found[1] for name in names if (found := re.fullmatch(r"kafka_2\.13-(\d[\d.]*)\.jar", name))]
    version = versions[0] if versions else None
    if version is None or version.partition(".")[0] != pins.KAFKA_MAJOR:
        raise NoJavaWayError(*messages.bad_kafka_home(home, version))
    note(f"jars: Kafka {version} of KAFKA_HOME={home}")
    return Jars(version, f"{home / 'libs'}/*")


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None where there is no such file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _missing(lock: Sequence[Jar], lib: Path) -> list[Jar]:
    """Return the jars that are not in the cache, or are not what the lock says."""
    return [jar for jar in lock if _digest(lib / jar.file) != jar.sha256]


def _ensure(lock: Sequence[Jar], lib: Path, repository: str | None, note: Note) -> None:
    """Fetch what is missing. Two processes may do so at once: the second waits, and finds it there."""
    if not _missing(lock, lib):
        return
    lib.mkdir(parents=True, exist_ok=True)
    with folder.one_at_a_time(lib.parent / "fetch.lock", lambda: note("jars: waiting for another process's fetch")):
        if wanted := _missing(lock, lib):
            _fetch(wanted, len(lock), lib, repository, note)


def _fetch(wanted: Sequence[Jar], of: int, lib: Path, repository: str | None, note: Note) -> None:
    """Fetch into a temporary folder beside the cache, check, move: what is in the cache is always whole."""
    began = time.monotonic()
    note(f"jars: fetching {len(wanted)} of {of} (all: {pins.JARS_MB} MB), needed once")
    with tempfile.TemporaryDirectory(dir=lib.parent, prefix="fetch-") as temporary:
        for count, jar in enumerate(wanted, start=1):
            path = _download(jar, Path(temporary), repository, (len(wanted), of))
            if (got := _digest(path)) != jar.sha256:
                raise NoJavaWayError(*messages.other_file(jar.file, jar.sha256, got or "nothing"))
            path.replace(lib / jar.file)
            if count % _TELL_EVERY == 0 or count == len(wanted):
                note(f"jars: {count} of {len(wanted)} after {time.monotonic() - began:.1f} s")


def _download(jar: Jar, temporary: Path, repository: str | None, counts: tuple[int, int]) -> Path:
    """Fetch one jar with jgo; whatever goes wrong becomes one of our own errors."""
    if find_spec("jgo") is None:
        raise NoJavaWayError(*messages.NO_RESOLVER)
    import requests  # noqa: PLC0415 (extras: they may be absent)
    from jgo.maven import MavenContext  # noqa: PLC0415

    remotes = {"mirror": repository.rstrip("/")} if repository else None
    context = MavenContext(repo_cache=temporary, local_repos=[], remote_repos=remotes)
    try:
        return context.create_dependency(jar.coordinate).artifact.resolve()
    except requests.exceptions.SSLError as error:
        raise NoJavaWayError(*messages.CERTIFICATE) from error
    except requests.exceptions.RequestException as error:
        raise NoJavaWayError(*messages.no_network(*counts)) from error
    except RuntimeError as error:  # jgo: no repository answered with 200
        raise NoJavaWayError(*messages.not_served(jar.coordinate, repository or "Maven Central")) from error
