"""The jars of Apache Kafka: pinned by a lock, fetched once, checked, kept in the user's cache.

The only module that touches jgo. jgo only warns of a bad checksum and takes a half-written file as complete, so each
jar is fetched into a temporary folder, compared with the lock, and only then moved to its place.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from expathub.kafka.local_broker import messages, pins
from expathub.kafka.local_broker.errors import DiskFullError, NoJavaWayError


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of the lock: where Maven has it, and what it must be."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """Maven's name for it."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        """Its file name."""
        return f"{self.artifact}-{self.version}.jar"


def parse_lock(text: str) -> tuple[Jar, ...]:
    """Read a lock: `group:artifact:version sha256:…`, one a line."""
    jars = []
    for line in text.splitlines():
        coordinate, _, digest = line.partition(" sha256:")
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, digest))
    return tuple(jars)


def folder(environment: Mapping[str, str]) -> Path:
    """Return where the jars are kept: never in the work tree, so that clones share them."""
    if own := environment.get("EXPATHUB_CACHE"):
        cache = Path(own)
    else:
        cache = Path(environment.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "expathub"
    return cache / f"kafka-{pins.KAFKA}" / "lib"


def digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None where there is no such file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def missing(lock: Sequence[Jar], lib: Path) -> list[Jar]:
    """Return the jars that are not in the folder, or are not what the lock says."""
    return [jar for jar in lock if digest(lib / jar.file) != jar.sha256]


def ensure(lock: Sequence[Jar], lib: Path, repository: str | None, note: Callable[[str], None]) -> None:
    """Fetch what is missing. Two processes may do so at once: the second waits, and finds them there."""
    if not missing(lock, lib):
        return
    try:
        lib.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(lib.parent / "fetch.lock"):
            _fetch(lock, missing(lock, lib), lib, repository, note)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(messages.disk_full(lib)) from error
        raise


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # the system gives it back, however we end
        yield


def _fetch(
    lock: Sequence[Jar], wanted: Sequence[Jar], lib: Path, repository: str | None, note: Callable[[str], None]
) -> None:
    """Fetch into a temporary folder beside the jars, check, move."""
    if not wanted:
        return
    began = time.monotonic()
    note(f"fetching {len(wanted)} of {len(lock)} Kafka jars from {repository or 'Maven Central'}, once")
    with tempfile.TemporaryDirectory(dir=lib.parent, prefix="fetch-") as temporary:
        for count, jar in enumerate(wanted, start=1):
            path = _download(jar, Path(temporary), repository)
            if (got := digest(path)) != jar.sha256:
                raise NoJavaWayError(messages.other_file(jar.file, jar.sha256, got or "nothing"))
            os.replace(path, lib / jar.file)
            if count % 12 == 0:
                note(f"  {count} of {len(wanted)} jars, {time.monotonic() - began:.1f} s")


def _download(jar: Jar, temporary: Path, repository: str | None) -> Path:
    """Fetch one jar with jgo, whatever goes wrong as one of our own errors."""
    import requests
    from jgo.maven import MavenContext

    remotes = {"mirror": repository.rstrip("/")} if repository else None
    try:
        return MavenContext(repo_cache=temporary, remote_repos=remotes).create_dependency(jar.coordinate).artifact.resolve()
    except requests.exceptions.SSLError as error:
        raise NoJavaWayError(messages.CERTIFICATE) from error
    except requests.exceptions.RequestException as error:
        raise NoJavaWayError(messages.no_network(46, 44)) from error
    except RuntimeError as error:
        raise NoJavaWayError(messages.not_served(jar.coordinate, repository)) from error
