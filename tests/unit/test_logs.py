"""Nothing personal passes into a log, whoever logs and however; each case runs in a process of its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

import expathub
from expathub.logs import KEYS, guard

BSN = "999990019"
NAME = "Wilhelmina van Voorbeeld"

_PREAMBLE = f"""
import asyncio, logging, sys, threading, warnings
import structlog
from expathub.logs import configure_logging
from expathub.settings import LogFormat, LogLevel
configure_logging(LogLevel.DEBUG, LogFormat(sys.argv[1]))
BSN, NAME = "{BSN}", "{NAME}"
event = {{"data": {{"bsn": BSN, "naam": NAME}}}}
log = structlog.get_logger()
"""


def lines_of(code: str, tmp_path: Path, form: str = "json") -> list[str]:
    """Run `code` after logging is configured; return all that it wrote on either stream."""
    script = tmp_path / "logs_something.py"
    script.write_text(_PREAMBLE + code)
    done = subprocess.run([sys.executable, str(script), form], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


LEAKS = {
    "an exception with the event in its message": """
try:
    raise ValueError(f"cannot place {event}")
except ValueError:
    log.exception("placing_failed")
""",
    "an f-string as the event's name": 'log.info(f"received {event}")',
    "arguments for the event's name": 'log.info("received %s", event)',
    "an unknown key": 'log.info("received", person=NAME, bsn=BSN)',
    "a known key with a value of another form": 'log.info("received", partner=NAME, topic=BSN, position=f"{NAME}/0/1")',
    "a bound context": 'log.bind(person=NAME).info("received")',
    "a context variable": 'structlog.contextvars.bind_contextvars(person=NAME); log.info("received")',
    "a name inside a tally": 'log.info("batch", tally={NAME: 1, BSN: 1})',
    "an object that shows the event": """
class Shows(str):
    def __repr__(self): return NAME
log.info(Shows("received"), lane=Shows(NAME), stack_info=True)
""",
    "a library's f-string": 'logging.getLogger("aiokafka.conn").warning(f"bad record {event}")',
    "a library's arguments": 'logging.getLogger("aiokafka.conn").warning("bad record %s", event)',
    "a library's extra": 'logging.getLogger("aiokafka.conn").warning("bad record", extra={"record": event})',
    "a library's exception": """
try:
    raise RuntimeError(NAME)
except RuntimeError:
    logging.getLogger("faststream").exception("handler failed for %s", BSN)
""",
    "a library's own handler": """
own = logging.getLogger("uvicorn.access")
own.propagate = False
own.addHandler(logging.StreamHandler())
own.warning("GET /inbox?bsn=%s", BSN)
own.warning(f"GET /inbox?bsn={BSN}", extra={"bsn": BSN})
""",
    "a warning": 'warnings.warn(f"odd value {event}")',
    "an exception that nobody caught": "raise ValueError(NAME, BSN)",
    "an exception in a thread": """
def work(): raise ValueError(BSN)
thread = threading.Thread(target=work, name=NAME); thread.start(); thread.join()
""",
    "an exception in a finalizer": """
class Ends:
    def __del__(self): raise ValueError(BSN)
Ends()
""",
    "a task that failed unseen": """
async def fails(): raise ValueError(event)
async def main():
    task = asyncio.create_task(fails(), name=NAME)
    await asyncio.sleep(0)
    del task
asyncio.run(main(), debug=True)
""",
    "a handler that breaks": """
class Breaks(logging.Handler):
    def emit(self, record):
        try: raise ValueError(NAME)
        except ValueError: self.handleError(record)
logging.getLogger("odd").addHandler(Breaks())
logging.getLogger("odd").warning("bad %s", BSN)
""",
    "aiokafka at DEBUG": """
from aiokafka import AIOKafkaProducer
async def main():
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:9", client_id=NAME, transactional_id=BSN)
    try: await producer.start()
    except Exception: logging.getLogger("aiokafka").exception("no start")
    finally: await producer.stop()
asyncio.run(main(), debug=True)
""",
}


ON_A_TERMINAL = ("an exception with the event in its message", "a known key with a value of another form", "a warning")
"""Lines for people pass the same guard, so a few cases show it."""


@pytest.mark.parametrize("case", LEAKS)
def test_nothing_personal_is_written(case: str, tmp_path: Path) -> None:
    lines = lines_of(LEAKS[case], tmp_path)

    assert lines, "the line itself must not get lost"
    assert [] == [line for line in lines if BSN in line or NAME in line or "Voorbeeld" in line]
    if case != "a library's own handler":  # what that one writes is empty, and no JSON
        assert set() == {key for line in map(orjson.loads, lines) for key in line} - set(KEYS)


@pytest.mark.parametrize("case", ON_A_TERMINAL)
def test_nothing_personal_is_written_on_a_terminal_either(case: str, tmp_path: Path) -> None:
    lines = lines_of(LEAKS[case], tmp_path, "console")

    assert [line for line in lines if not line.startswith("{")]
    assert [] == [line for line in lines if BSN in line or NAME in line or "Voorbeeld" in line]


def test_what_is_known_and_fits_comes_through(tmp_path: Path) -> None:
    [line] = lines_of(
        'log.info("batch_committed", lane="outbox.ind/0", position="outbox.ind/0/123456789", records=3,'
        ' tally={"accepted": 2, "refused:schema": 1}, config="0123456789ab", bootstrap="127.0.0.1:9092")',
        tmp_path,
    )

    found = orjson.loads(line)
    assert found.pop("at").endswith("Z")
    assert {
        "level": "info",
        "event": "batch_committed",
        "lane": "outbox.ind/0",
        "position": "outbox.ind/0/123456789",
        "records": 3,
        "tally": {"accepted": 2, "refused:schema": 1},
        "config": "0123456789ab",
        "bootstrap": "127.0.0.1:9092",
    } == found


def test_an_exception_leaves_its_type_and_place(tmp_path: Path) -> None:
    [line] = lines_of('try:\n    [][1]\nexcept IndexError:\n    log.exception("failed")', tmp_path)

    found = orjson.loads(line)
    assert "IndexError" == found["error"]
    assert found["place"].startswith("logs_something.py:")


def test_a_librarys_literal_words_stay(tmp_path: Path) -> None:
    [line] = lines_of('logging.getLogger("aiokafka.conn").error("node %s is away: %r", BSN, event)', tmp_path)

    assert "node %s is away: %r" == orjson.loads(line)["message"]


def test_dropped_keys_are_counted_on_the_line_and_for_the_process(tmp_path: Path) -> None:
    code = 'log.info("one", person=NAME, bsn=BSN); log.info("two", person=NAME)\n'
    code += "from expathub.logs import dropped_total\nlog.info('three', records=dropped_total())"
    one, two, three = map(orjson.loads, lines_of(code, tmp_path))

    assert 2 == one["dropped"]
    assert 1 == two["dropped"]
    assert 3 == three["records"]


def test_a_line_that_cannot_be_looked_at_is_replaced() -> None:
    class Broken(dict[str, int]):
        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError(NAME)

    assert "log_line_unreadable" == guard(None, "info", {"event": "batch", "tally": Broken(a=1)})["event"]


def test_what_is_below_the_level_is_not_written(tmp_path: Path) -> None:
    code = 'configure_logging(LogLevel.WARNING, LogFormat.JSON)\nlog.info("small"); log.warning("large")\n'
    code += 'logging.getLogger("aiokafka").info("small"); logging.getLogger("aiokafka").error("large")'

    assert ["warning", "error"] == [orjson.loads(line)["level"] for line in lines_of(code, tmp_path)]


def _keys_logged() -> Iterator[tuple[str, str]]:
    """Yield every key that our own code gives to a log line or to the engine's observer, with its place."""
    package = Path(expathub.__file__).parent
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                place = f"{file.relative_to(package)}:{node.lineno}"
                logs = "log" in ast.unparse(node.func.value) and node.func.attr in _LOG_METHODS
                names = [keyword.arg for keyword in node.keywords] if logs else []
                if node.func.attr == "tell":
                    names += [
                        getattr(key, "value", None)
                        for arg in node.args
                        if isinstance(arg, ast.Dict)
                        for key in arg.keys
                    ]
                yield from ((name, place) for name in names if name and name != "exc_info")


_LOG_METHODS = {"debug", "info", "warning", "error", "critical", "exception", "log", "bind"}


def test_every_key_that_our_code_logs_is_in_the_list() -> None:
    logged = list(_keys_logged())

    assert logged
    assert [] == [(name, place) for name, place in logged if name not in KEYS]
