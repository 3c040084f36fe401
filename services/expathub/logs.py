"""Logs: one line per event, of words from a closed list, so that nothing personal can slip in.

What guards: the *last* step before a line is written lets only known keys through, each with values of its own
form; an event's name is a word of lower case; of an exception only its type and the place remain. What other
libraries log through `logging`, `warnings`, asyncio or an uncaught exception goes the same way, with its text only
where that text is a literal in the library's own source: a literal cannot hold data.

A key or value that does not fit is dropped and counted (`dropped` on the line, `dropped_total()` for the process).
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import orjson
import structlog

from expathub.settings import LogFormat, LogLevel

Fits = Callable[[Any], bool]
Renderer = Callable[[Any, str, MutableMapping[str, Any]], str]


def _number(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _text(pattern: str) -> Fits:
    """Make a check for texts of one form; eight digits in a row are never let through: they may be a BSN."""
    form = re.compile(pattern)

    def fits(value: Any) -> bool:
        return isinstance(value, str) and bool(form.fullmatch(value)) and not _LONG_NUMBER.search(value)

    return fits


def _hex(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f]{12,64}", value))


def _position(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z][a-z0-9.-]{0,80}/\d{1,6}(/\d{1,19})?", value))


def _counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_name(key) and _number(count) for key, count in value.items())


_LONG_NUMBER = re.compile(r"\d{8}")
_name = _text(r"[a-z][a-z0-9_.:-]{0,80}")
_type_name = _text(r"[A-Za-z_][A-Za-z0-9_.]{0,120}")
_place = _text(r"[A-Za-z0-9_.<>-]{1,80}:\d{1,6}( \([A-Za-z0-9_<>]{1,80}\))?")
_address = _text(r"[A-Za-z0-9.,:\[\]/_-]{1,300}")


@dataclass(frozen=True, slots=True)
class Key:
    """What may stand under a key, and what it means."""

    fits: Fits
    meaning: str


KEYS: Final[Mapping[str, Key]] = {
    "at": Key(_text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "When the line was written (UTC)."),
    "level": Key(_name, "`debug`, `info`, `warning`, `error` or `critical`."),
    "event": Key(_name, "What happened, in one lower-case word with underscores."),
    "service": Key(_name, "Which service."),
    "version": Key(_text(r"\d[A-Za-z0-9.+-]{0,40}"), "Version of expathub or of Kafka."),
    "address": Key(_address, "Where a service answers HTTP."),
    "bootstrap": Key(_address, "Kafka's address."),
    "pid": Key(_number, "A process id."),
    "partner": Key(_name, "A partner's id."),
    "topic": Key(_name, "A topic."),
    "group": Key(_name, "A consumer group."),
    "lane": Key(_position, "The input partition that is worked on: topic/partition."),
    "lanes": Key(_number, "How many lanes."),
    "position": Key(_position, "A record: topic/partition/offset."),
    "next_offset": Key(_number, "The first offset not yet worked on."),
    "next": Key(_number, "As `next_offset`."),
    "until": Key(_number, "The first offset after a range."),
    "records": Key(_number, "Records read."),
    "outputs": Key(_number, "Records written."),
    "entries": Key(_number, "State entries."),
    "kept": Key(_number, "State entries kept from an earlier load."),
    "bytes": Key(_number, "A size."),
    "tally": Key(_counts, "Outcomes of a batch by code, such as `accepted` or `refused:schema`."),
    "reason": Key(lambda value: _name(value) or _type_name(value), "A code, or the name of an error."),
    "cause": Key(_name, "Why a lane is stopped."),
    "detail": Key(_text(r"[a-z0-9/._:, -]{0,200}([A-Z][A-Za-z]{0,60})?"), "The engine's own words: names and numbers."),
    "attempt": Key(_number, "How many times it was tried."),
    "deaths": Key(_number, "How many processes ended over a record."),
    "takeovers": Key(_number, "How many times a lane has changed hands."),
    "milliseconds": Key(_number, "How long it took."),
    "transaction_milliseconds": Key(_number, "From the begin of a transaction to its commit."),
    "seconds": Key(_number, "How long it took, or until the next attempt."),
    "revision": Key(_number, "Revision of partners.yaml."),
    "config": Key(_hex, "Digest of catalogue and partners."),
    "logger": Key(_text(r"[A-Za-z_][A-Za-z0-9_.-]{0,120}"), "Which library spoke."),
    "message": Key(lambda value: isinstance(value, Literal), "A library's literal words, without what it filled in."),
    "error": Key(_type_name, "The type of an exception; never its text."),
    "place": Key(_place, "File, line and function."),
    "kept_back": Key(_number, "How often a library said the same since its last line."),
    "dropped": Key(_number, "How many keys or values of this line did not fit; more than 0 is a fault of the hub."),
}
"""Every key that a log line can have; `docs/logs.md` is made of it."""


class Literal(str):
    """A text that was proven to be a literal in source code."""

    __slots__ = ()


_dropped: Final = {"total": 0}


def dropped_total() -> int:
    """Return how many keys and values this process has dropped from its log lines."""
    return _dropped["total"]


def guard(_logger: Any, _method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Let through what is known and fits; the last step before a line is written. Never raises."""
    try:
        return _guard(fields)
    except Exception:  # noqa: BLE001 (a value that cannot even be looked at: say so, and say nothing of it)
        _dropped["total"] += len(fields)
        return {"level": "error", "event": "log_line_unreadable", "dropped": len(fields)}


def _guard(given: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(given)
    error = fields.pop("exc_info", None)
    if error:
        fields |= _of_exception(error)
    kept: dict[str, Any] = {key: fields[key] for key in KEYS if key in fields and KEYS[key].fits(fields[key])}
    lost = len(fields) - len(kept)
    if lost:
        _dropped["total"] += lost
        kept["dropped"] = lost
    kept.setdefault("event", "unnamed")
    return kept


def _of_exception(error: Any) -> dict[str, str]:
    """Say of an exception (in any form that logging takes) its type and the innermost place."""
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    kind, _, trace = error
    if kind is None:
        return {}
    return {"error": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")} | _of_trace(trace)


def _of_trace(trace: TracebackType | None) -> dict[str, str]:
    frames = traceback.extract_tb(trace)
    if not frames:
        return {}
    last = frames[-1]
    return {"place": f"{Path(last.filename).name}:{last.lineno} ({last.name})"}


def _stamp(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    fields["at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return fields


def _as_json(_logger: Any, _method: str, fields: Mapping[str, Any]) -> str:
    return orjson.dumps(fields).decode()


def _for_people(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> str:
    at, level, event = fields.pop("at", ""), fields.pop("level", ""), fields.pop("event", "")
    rest = " ".join(f"{key}={_plain(value)}" for key, value in fields.items())
    return f"{at[11:23]} {level:<8} {event:<24} {rest}".rstrip()


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={count}" for key, count in value.items())
    return str(value)


class _Foreign(logging.Handler):
    """Bring what libraries log to the same lines."""

    def __init__(self, stream: TextIO, render: Renderer) -> None:
        super().__init__()
        self._stream = stream
        self._render = render

    def emit(self, record: logging.LogRecord) -> None:
        fields = {"level": record.levelname.lower(), "event": "library_message", **record.__dict__.get(_ATTRIBUTE, {})}
        line = self._render(None, "", guard(None, "", _stamp(None, "", fields)))
        self._stream.write(str(line) + "\n")
        self._stream.flush()


_ATTRIBUTE = "expathub_fields"


def _record(
    name: str, level: int, file: str, line: int, msg: object, _args: object, exc_info: Any, *_: Any, **__: Any
) -> logging.LogRecord:
    """Make a record that has lost its message, arguments and exception before any handler can see them.

    Libraries add handlers of their own; what is gone at birth cannot be shown by any of them.
    """
    fields: dict[str, Any] = {"logger": name, "place": f"{Path(file).name}:{line}"}
    if isinstance(msg, str) and _is_literal(msg):
        fields["message"] = Literal(msg)
    if exc_info:
        fields["exc_info"] = exc_info
    record = logging.LogRecord(name, level, file, line, fields.get("message", ""), None, None)
    record.__dict__[_ATTRIBUTE] = fields
    return record


def _is_literal(text: str) -> bool:
    """Tell whether the code that logs has this text as a constant: then it was written, not put together."""
    frame = sys._getframe(1)  # noqa: SLF001 (the documented way to look at the callers)
    while frame.f_code.co_filename in _LOGGING_FILES and frame.f_back:
        frame = frame.f_back
    return text in frame.f_code.co_consts


_LOGGING_FILES = frozenset({logging.__file__, __file__})


def configure_logging(
    level: LogLevel = LogLevel.INFO, form: LogFormat = LogFormat.AUTO, stream: TextIO | None = None
) -> None:
    """Send all logs of this process through the guard to `stream` (standard error); call once, at start."""
    stream = stream or sys.stderr
    people = form is LogFormat.CONSOLE or (form is LogFormat.AUTO and stream.isatty())
    render = _for_people if people else _as_json
    number = logging.getLevelNamesMapping()[level.value.upper()]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, _stamp, guard, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _take_over(_Foreign(stream, render), number)


def _take_over(handler: logging.Handler, level: int) -> None:
    """Make our handler the only one, for loggers that exist and for what would be printed without logging."""
    logging.setLogRecordFactory(_record)
    logging.raiseExceptions = False  # a handler's own fault would be printed with message and arguments
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for logger in map(logging.getLogger, list(logging.root.manager.loggerDict)):
        logger.handlers.clear()
        logger.propagate = True
    sys.excepthook = _uncaught
    threading.excepthook = lambda caught: _uncaught(caught.exc_type, caught.exc_value, caught.exc_traceback)
    sys.unraisablehook = lambda caught: _uncaught(caught.exc_type, caught.exc_value, caught.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Log what nobody caught; Python itself would print the message."""
    structlog.get_logger().critical("uncaught_exception", exc_info=(kind, error, trace))


def page() -> str:
    """Return the documentation page of the log's keys, in Markdown."""
    return _PAGE.format(rows="\n".join(f"| `{name}` | {key.meaning} |" for name, key in KEYS.items()))


_PAGE = """\
# Logs

Every process writes its log to standard error, one line an event: JSON, or text on a terminal (`EXPATHUB_LOG_FORMAT`);
`EXPATHUB_LOG_LEVEL` says how much. A line has keys of this list only, and under each key only values of its own form,
so that nothing personal can slip in: no event, no name, no number of a person. What libraries log goes the same way;
their words are kept where they are a literal in the library's source.

| key | meaning |
|---|---|
{rows}

This page is made of `services/expathub/logs.py`: `python -m expathub.logs > docs/logs.md`.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
