# ruff: noqa: INP001 (a script beside its data, not a package)
"""Make `jars.lock` anew, after a pin in `expathub/kafka/local_broker/pins.py` was changed. Takes half a minute.

    .venv/bin/python deploy/kafka/lock_jars.py

It resolves what Apache Kafka's broker and its logger need, as Maven does, fetches every jar and writes its SHA-256.
Read the difference before it is committed: a lock proves that a file is the one that was seen, not that it is good.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from expathub.kafka.local_broker.lock import Jar
from expathub.kafka.local_broker.pins import ROOTS

LOCK = Path(__file__).with_name("jars.lock")


def resolve(cache: Path) -> list[Jar]:
    """Return every jar that the roots need at run time, fetched into `cache`."""
    mirror = os.environ.get("EXPATHUB_MAVEN_REPOSITORY")
    context = MavenContext(repo_cache=cache, remote_repos={"mirror": mirror} if mirror else None)
    asked, needed = context.resolver.resolve([context.create_dependency(root) for root in ROOTS])
    return sorted(
        Jar(one.groupId, one.artifactId, one.version, hashlib.sha256(one.artifact.resolve().read_bytes()).hexdigest())
        for one in [*asked, *needed]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        jars = resolve(Path(folder))
    LOCK.write_text("".join(f"{jar}\n" for jar in jars), "ascii")
    sys.stdout.write(f"{LOCK}: {len(jars)} jars\n")
