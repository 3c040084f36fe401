"""Every command that needs Kafka says within its patience that there is none, and what to do; exit 69."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from expathub.shell import reference_keys
from expathub.testing.processes import Bench, Ended

NOW = "2026-11-24T09:00:00Z"
COMMANDS = (
    ("lag",),
    ("lag", "--json"),
    ("lane", "list"),
    ("lane", "show", "outbox.ind/0"),
    ("deadletters", "list"),
    ("deadletters", "release", "--by", "beheer-1", "--why", "proef", "--yes"),
    ("audit", "history", "--subject", "7f1c2f0e-5a44-4c8e-9c55-0d6a7a1f0b11"),
    ("audit", "show", "hub.journal/0/0"),
    ("audit", "accounts"),
    ("replay", "--from", "2026-01-01T00:00:00Z", "--to", NOW, "--dry-run"),
)


def test_a_command_without_kafka_gives_up_and_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers, and nobody else can
        bench = Bench(f"127.0.0.1:{taken.getsockname()[1]}", tmp_path)
        reference_keys.make(tmp_path / "reference.key")
        with ThreadPoolExecutor(len(COMMANDS)) as pool:
            ended = list(pool.map(lambda arguments: bench.command(*arguments, seconds=120), COMMANDS))

    for arguments, one in zip(COMMANDS, ended, strict=True):
        assert says_so(one), f"{arguments}: {one}"


def says_so(ended: Ended) -> bool:
    (line,) = ended.err.splitlines()
    return (ended.code, ended.out) == (69, "") and "does not answer after 10 s" in line and "broker start" in line
