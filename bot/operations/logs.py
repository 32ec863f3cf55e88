"""Logs that name events and rows, and never show a token, a word or an answer of a patient.

The convention: `log.info("update kept", extra={"update": 12})` prints `update kept update=12`. The
message is a fixed event in plain words; what varies goes into `extra`, as ids, counts and short codes.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

from bot.config import ConfigError
from bot.messages import DeliveryError
from bot.storage.errors import StorageError
from content.loader import ContentError

OURS = ("bot", "handlers", "content")
# They print addresses with the token, texts, or the values of a statement.
HELD = (
    "aiohttp.access", "asyncio", "httpcore", "httpx", "sqlalchemy", "telegram", "apscheduler",
)  # fmt: skip
SAFE: tuple[type[BaseException], ...] = (OSError, ConfigError, ContentError, StorageError, DeliveryError)
TOKEN = re.compile(r"\d{6,12}(?::|%3[Aa])[A-Za-z0-9_-]{30,}")
USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
LONGEST = 80  # characters of a value: an id or a code is shorter
DEEPEST = 8  # causes of causes

ExceptionTriple = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Redact(logging.Formatter):
    """Wraps a formatter and takes tokens and given secrets out of its finished lines."""

    def __init__(self, inner: logging.Formatter, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._inner = inner
        longest_first = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished line without a secret in it."""
        line = TOKEN.sub("[token]", self._inner.format(record))
        return self._secrets.sub("[secret]", line) if self._secrets else line


class Lines(logging.Formatter):
    """Writes one record as readable text."""

    def __init__(self, safe: tuple[type[BaseException], ...] = SAFE) -> None:
        super().__init__()
        self._safe = safe

    def format(self, record: logging.LogRecord) -> str:
        """Return moment, level, logger, event and what varies; below it where an error came from."""
        extra = "".join(f" {name}={_shown(value)}" for name, value in _extra(record))
        line = f"{_moment(record)} {record.levelname:<7} {record.name}: {_event(record)}{extra}"
        return "\n  ".join([line, *describe(record.exc_info, self._safe)])


class JsonLines(logging.Formatter):
    """Writes one record as one JSON object."""

    def __init__(self, safe: tuple[type[BaseException], ...] = SAFE) -> None:
        super().__init__()
        self._safe = safe

    def format(self, record: logging.LogRecord) -> str:
        """Return the same as the text, for machines."""
        line: dict[str, object] = {
            "at": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "event": _event(record),
        }
        line |= {name: _plain(value) for name, value in _extra(record) if name not in line}
        if error := describe(record.exc_info, self._safe):
            line["error"] = error
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(
    level: str = "INFO",
    format: Literal["text", "json"] = "text",  # noqa: A002  # the setting is called so
    secrets: Sequence[str] = (),
    safe: Sequence[type[BaseException]] = (),
    stream: TextIO | None = None,
) -> None:
    """Write our own events from *level* on, everybody else's from WARNING on, to *stream* (stderr).

    The messages of exceptions are left out but for *safe* ones and those of SAFE.
    """
    classes = (*SAFE, *safe)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Redact(JsonLines(classes) if format == "json" else Lines(classes), secrets))
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each.formatter, Redact)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in HELD:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def describe(error: ExceptionTriple | None, safe: tuple[type[BaseException], ...] = SAFE) -> list[str]:
    """Return an error's kind and places, and of its causes; the message only where the kind is safe."""
    if not error or error[1] is None:
        return []
    lines = []
    for exception in _chain(error[1]):
        words = f": {exception}" if isinstance(exception, safe) and not _holds_more(exception) else ""
        lines.append(f"{type(exception).__module__}.{type(exception).__qualname__}{words}".replace("\n", " "))
        lines += [f"  at {place}" for place in _places(exception.__traceback__)]
    return lines


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < DEEPEST:
        exception = waiting.pop(0)
        if id(exception) in seen:
            continue
        seen.add(id(exception))
        yield exception
        if isinstance(exception, BaseExceptionGroup):
            waiting += exception.exceptions
        cause = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)
        if cause is not None:
            waiting.append(cause)


def _holds_more(exception: BaseException) -> bool:
    # A system error that somebody filled with a text of their own is as unknown as any other.
    return isinstance(exception, OSError) and exception.errno is None


def _places(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield f"{'/'.join(Path(code.co_filename).parts[-3:])}:{traceback.tb_lineno} {code.co_name}"
        traceback = traceback.tb_next


def _event(record: logging.LogRecord) -> str:
    # Other people's second line is a repr, and a repr may hold what a patient wrote.
    ours = record.name.partition(".")[0] in (*OURS, "__main__")
    words = record.getMessage() if ours or record.name not in HELD else str(record.msg)
    return words if ours else words.partition("\n")[0]


def _extra(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(record).items() if name not in USUAL)


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)[:LONGEST]


def _shown(value: object) -> str:
    words = str(_plain(value))
    return words if re.fullmatch(r"[\w.:/+@-]+", words) else json.dumps(words, ensure_ascii=False)


def _moment(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    logging.getLogger("bot").critical("stopped by an error", exc_info=(kind, error, traceback))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        logging.getLogger("bot").error(
            "thread ended by an error", exc_info=(args.exc_type, args.exc_value, args.exc_traceback)
        )
