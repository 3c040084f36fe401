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
_version = _text(r"\d[A-Za-z0-9.+-]{0,40}")

KEYS: Final[Mapping[str, Fits]] = {
    "at": _text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),  # when the line was written
    "level": _name,  # debug, info, warning, error, critical
    "event": _name,  # what happened, in one lower-case word with underscores
    "service": _name,  # which service
    "version": _version,  # of expathub, of Kafka
    "partner": _name,  # a partner's id
    "lane": _position,  # topic/partition that is worked on
    "topic": _name,
    "group": _name,
    "position": _position,  # topic/partition/offset, or topic/partition
    "next_offset": _number,  # the first offset not yet worked on
    "records": _number,  # input records of a batch
    "outputs": _number,  # output records of a batch
    "entries": _number,  # state entries read or written
    "bytes": _number,
    "tally": _counts,  # outcomes of a batch by code, e.g. {"accepted": 97, "refused:schema": 3}
    "reason": _name,  # a reason code
    "attempt": _number,
    "milliseconds": _number,
    "seconds": _number,
    "revision": _number,  # of partners.yaml
    "config": _hex,  # digest of catalogue and partners
    "bootstrap": _address,  # Kafka's address
    "address": _address,  # where a service answers HTTP
    "pid": _number,
    "logger": _text(r"[A-Za-z_][A-Za-z0-9_.-]{0,120}"),  # which library spoke
    "message": lambda value: isinstance(value, Literal),  # a library's own literal words, without arguments
    "error": _type_name,  # the type of an exception, never its text
    "place": _place,  # file:line (function)
    "dropped": _number,  # how many keys or values of this line did not fit
}
"""Every key that a log line can have, with the form of its values. A test compares it with the documentation."""


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
    kept: dict[str, Any] = {key: fields[key] for key in KEYS if key in fields and KEYS[key](fields[key])}
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
