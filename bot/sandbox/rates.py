"""Telegram's rate limits: always counted, refused with a 429 only when asked to."""

import time
from dataclasses import dataclass

from bot.sandbox.refusals import Refused

OVERALL_PER_SECOND = 30.0
CHAT_PER_SECOND, CHAT_BURST = 1.0, 5.0
GROUP_PER_SECOND, GROUP_BURST = 20 / 60, 20.0
_REMEMBERED_CHATS = 50_000


@dataclass(slots=True)
class _Bucket:
    per_second: float
    burst: float
    left: float
    seen_at: float

    def lacks(self, now: float) -> float:
        """Return how many seconds are missing until one more message is allowed."""
        self.left = min(self.burst, self.left + (now - self.seen_at) * self.per_second)
        self.seen_at = now
        return max(0.0, (1 - self.left) / self.per_second)


class Rates:
    """Counts messages overall and per chat."""

    def __init__(self, *, enforce: bool) -> None:
        self.enforce = enforce
        self.violations = 0
        self._chats: dict[int, _Bucket] = {}
        self._overall = _bucket(OVERALL_PER_SECOND, OVERALL_PER_SECOND)

    def spend(self, chat_id: int) -> None:
        """Count one message to a chat, and refuse it when limits are enforced and none is left."""
        now = time.monotonic()
        chat = self._chats.get(chat_id)
        if chat is None:
            if len(self._chats) >= _REMEMBERED_CHATS:
                self._chats.clear()
            group = (GROUP_PER_SECOND, GROUP_BURST)
            chat = _bucket(*(group if chat_id < 0 else (CHAT_PER_SECOND, CHAT_BURST)))
            self._chats[chat_id] = chat
        missing = max(chat.lacks(now), self._overall.lacks(now))
        if missing > 0:
            self.violations += 1
            if self.enforce:
                seconds = max(1, round(missing + 0.5))
                raise Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        # An unenforced violation does not go into debt, so each one is counted once.
        chat.left = max(0.0, chat.left - 1)
        self._overall.left = max(0.0, self._overall.left - 1)


def _bucket(per_second: float, burst: float) -> _Bucket:
    return _Bucket(per_second, burst, burst, time.monotonic())
