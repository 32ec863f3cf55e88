"""A cursor that moves with every change, so that nobody has to sleep and look again."""

import asyncio
from collections import defaultdict


class Changes:
    """Counts changes and wakes who waits for one."""

    def __init__(self) -> None:
        self.cursor = 0
        self._latest: dict[int, int] = defaultdict(int)
        self._waiting: dict[int | None, set[asyncio.Future[None]]] = defaultdict(set)

    def bump(self, chat_id: int | None = None) -> int:
        """Count one change, in one chat or (None) in all of them."""
        self.cursor += 1
        if chat_id is None:
            woken = list(self._waiting)
            self._latest.clear()
            self._latest[0] = self.cursor
        else:
            woken = [chat_id, None]
            self._latest[chat_id] = self.cursor
        for key in woken:
            for future in self._waiting.pop(key, ()):
                if not future.done():
                    future.set_result(None)
        return self.cursor

    def latest(self, chat_id: int | None = None) -> int:
        """Return the cursor of the last change seen by *chat_id*."""
        if chat_id is None:
            return self.cursor
        return max(self._latest.get(chat_id, 0), self._latest.get(0, 0))

    async def wait(self, after: int, chat_id: int | None = None) -> int:
        """Return once something changed after the cursor *after*."""
        while self.latest(chat_id) <= after:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[chat_id].add(future)
            try:
                await future
            finally:
                self._waiting.get(chat_id, set()).discard(future)
        return self.cursor
