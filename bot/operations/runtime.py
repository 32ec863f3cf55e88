"""Sets up the process that serves: the event loop, and how often Python looks for garbage."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

AnswerT = TypeVar("AnswerT")
# New objects before the young ones are looked over, young rounds before an older one. A press makes thousands
# that are gone a moment later, and Python's own numbers look for them several times in each.
YOUNG, ROUNDS = 10_000, 20


def run_to_end(work: Coroutine[Any, Any, AnswerT]) -> AnswerT:
    """Run a coroutine on the fastest loop there is and return what it returns; raises what it raises."""
    gc.set_threshold(YOUNG, ROUNDS, ROUNDS)
    with asyncio.Runner(loop_factory=_fastest()) as runner:
        return runner.run(work)


def settle() -> None:
    """Keep what has been loaded out of every later search for garbage, which everybody would wait for."""
    gc.freeze()


def _fastest() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # there is none for Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
