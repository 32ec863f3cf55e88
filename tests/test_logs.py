"""Logs name events and rows; a token, or what a patient wrote, is nowhere in them."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Literal

import pytest

from bot.operations.logs import HELD, OURS, Redact, set_up_logging

TOKEN = "123456789:AAexample-example-example-example-1"
WORDS = "my left calf is burning"
log = logging.getLogger("bot.example")


@pytest.fixture(autouse=True)
def leave_no_trace() -> Iterator[None]:
    names = (None, *HELD, *OURS)
    levels = {name: logging.getLogger(name).level for name in names}
    hooks = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = hooks
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each.formatter, Redact)]:
        root.removeHandler(handler)


def written(shape: Literal["text", "json"] = "text", level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    set_up_logging(level, shape, secrets=["hush-hush", ""], stream=stream)
    return stream


def fail(error: Exception) -> None:
    try:
        raise error  # noqa: TRY301
    except Exception:
        log.exception("update failed", extra={"update": 12})


def test_an_event_is_followed_by_its_rows() -> None:
    stream = written()
    log.info("update kept", extra={"update": 12, "why": "two words"})
    assert stream.getvalue().endswith('INFO    bot.example: update kept update=12 why="two words"\n')


def test_a_machine_reads_the_same() -> None:
    stream = written("json")
    fail(KeyError(WORDS))
    line = json.loads(stream.getvalue())
    assert (line["event"], line["update"], line["level"]) == ("update failed", 12, "ERROR")
    assert line["error"][0] == "builtins.KeyError"
    assert "test_logs.py" in line["error"][1]


@pytest.mark.parametrize("shape", ["text", "json"])
@pytest.mark.parametrize(
    "error", [ValueError(WORDS), OSError(WORDS), ExceptionGroup("x", [ValueError(WORDS)])]
)
def test_what_an_error_says_stays_out(shape: Literal["text", "json"], error: Exception) -> None:
    stream = written(shape)
    error.__cause__ = RuntimeError(WORDS)
    fail(error)
    assert type(error).__name__ in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()
    assert WORDS not in stream.getvalue()


def test_a_system_error_says_what_is_wrong() -> None:
    stream = written()
    fail(OSError(28, "No space left on device"))
    assert "No space left on device" in stream.getvalue()


def test_secrets_are_taken_out_of_the_finished_line() -> None:
    stream = written()
    log.warning("odd %s", f"https://example.org/bot{TOKEN}/getMe", extra={"url": "hush-hush"})
    fail(OSError(2, f"bot{TOKEN.replace(':', '%3A')}", "hush-hush"))
    assert TOKEN[10:] not in stream.getvalue()
    assert "hush" not in stream.getvalue()
    assert "[token]" in stream.getvalue()


def test_others_are_heard_from_warnings_on() -> None:
    stream = written(level="DEBUG")
    for name in ("httpx", "telegram.Bot", "aiohttp.access", "sqlalchemy.engine", "some.package"):
        logging.getLogger(name).info("POST %s", WORDS)
    logging.getLogger("bot.example").debug("looked")
    assert WORDS not in stream.getvalue()
    assert "looked" in stream.getvalue()


def test_a_reprs_second_line_stays_out() -> None:
    stream = written()
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: %s", ValueError(WORDS))
    assert "never retrieved" in stream.getvalue()
    assert WORDS not in stream.getvalue()


def test_an_error_nobody_caught_is_as_quiet() -> None:
    stream = written()
    try:
        raise ValueError(WORDS)  # noqa: TRY301
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert "ValueError" in stream.getvalue()
    assert WORDS not in stream.getvalue()
