"""`python -m expathub.testing.check`: read a whole cluster and judge it; exit code 1 when anything is wrong.

    python -m expathub.testing.check --bootstrap 127.0.0.1:9092 --operations load.operations

Needs only the right to read. Without a script of what should have become of each event, as here, it judges what the
topics themselves must show; `expathub.testing.checker.check` takes a script too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from expathub.core.topic_names import outbox
from expathub.errors import ExpathubError
from expathub.kafka import waiting
from expathub.testing import operations
from expathub.testing.checker import check
from expathub.testing.evidence import Observation
from expathub.testing.observing import READ_SECONDS, observe


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m expathub.testing.check", description=(__doc__ or "").split("\n")[0]
    )
    here = os.environ.get("EXPATHUB_BOOTSTRAP", "127.0.0.1:9092")
    parser.add_argument("--bootstrap", help="where Kafka is (default: %(default)s)", default=here, metavar="HOST:PORT")
    parser.add_argument(
        "--operations", help="the log of who published; may be given again", type=Path, action="append", default=[]
    )
    parser.add_argument("--alone", help="nobody has published but who wrote these logs", action="store_true")
    parser.add_argument(
        "--seconds",
        help="how long an open transaction may hold up a topic (default: %(default)s)",
        type=float,
        default=READ_SECONDS,
    )
    parser.add_argument("--json", help="print one JSON document", action="store_true")
    return parser.parse_args(words)


async def _observed(bootstrap: str, seconds: float) -> Observation:
    """Observe all partners for whom there is an outbox."""
    async with waiting.admin_client(bootstrap) as admin:
        topics = await admin.list_topics()
    prefix = outbox("")
    return await observe(bootstrap, [one.removeprefix(prefix) for one in topics if one.startswith(prefix)], seconds)


def main(words: Sequence[str]) -> int:
    """Check as told on the command line; returns the exit code."""
    asked = _arguments(words)
    waiting.silence_client()
    done = [one for file in asked.operations for one in operations.read(file)]
    try:
        verdict = check(asyncio.run(_observed(asked.bootstrap, asked.seconds)), done, alone=asked.alone)
    except ExpathubError as error:
        sys.stderr.write("".join(f"{line}\n" for line in error.lines()))
        return error.exit_code
    text = orjson.dumps(verdict.as_json(), option=orjson.OPT_INDENT_2).decode() if asked.json else str(verdict)
    sys.stdout.write(f"{text}\n")
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
