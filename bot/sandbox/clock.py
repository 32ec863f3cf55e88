"""The bot's date and time: real by default, movable forward when somebody supplies a clock."""

import time
from datetime import UTC, datetime
from typing import Protocol

TARGETS = ("evening", "morning", "hour", "day", "week")


class Clock(Protocol):
    """A clock the chat page can move; a jump it refuses raises ValueError with words for the page."""

    def now(self) -> datetime:
        """Return the bot's moment, aware, in UTC."""
        ...

    async def jump(self, target: str) -> datetime:
        """Move forward to one of TARGETS and return the new moment."""
        ...


def real_now() -> datetime:
    """Return this machine's moment, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)
