"""A cluster that ends when its user does, however that ends: for the demo and for tests.

A guard process waits for the end of a pipe whose other end only we hold. Also after SIGKILL the system closes it, and
the guard stops the cluster.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from expathub.kafka.local_broker.cluster import quiet, start, stop
from expathub.kafka.local_broker.node import Cluster, Note

_GUARD: Final = """
import sys
if not sys.stdin.read():
    from pathlib import Path
    from expathub.kafka.local_broker import stop
    stop(Path(sys.argv[1]))
"""

_SOURCES: Final = str(Path(__file__).parents[3])


@contextmanager
def temporary(data: Path, nodes: int = 1, *, fast: bool = True, progress: Note = quiet) -> Iterator[Cluster]:
    """Run a cluster on free ports as long as the block runs; its data stay in `data`. Raises as `start` does."""
    with subprocess.Popen(  # noqa: S603 (this very Python, and a path)
        [sys.executable, "-c", _GUARD, str(data.absolute())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # the Ctrl-C that ends us must not end the guard
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (_SOURCES, os.environ.get("PYTHONPATH"))))},
    ) as guard:
        try:
            yield start(data, nodes=nodes, fast=fast, progress=progress)
        finally:
            stop(data, progress=progress)
            guard.communicate(b"stopped")  # nothing is left for it to do
