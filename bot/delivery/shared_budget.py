"""One token has one send budget: replicas take turns from a row, so that together they keep the limit."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.delivery.rates import SendBudget
from bot.storage.database import Database

NAME = "send"
BATCH_SECONDS = 0.05  # turns are fetched for so long ahead: one row change serves many at a high rate
SLACK = timedelta(seconds=0.1)  # unused time that may be caught up
STALE = timedelta(seconds=0.25)  # a turn not used by then is given up, so that none pile up
BULK_PATIENCE = timedelta(seconds=0.1)  # bulk stands back while replies have taken more than this ahead
STAND_BACK = 10  # looks, of a tenth of a second each, for which bulk lets replies of its replica go first
BELIEVED = timedelta(seconds=30)  # nobody takes turns further ahead, unless on a clock that was wrong


def shared_rate(rate: float) -> float:
    """Return the turns a second that replicas share: with what may be caught up, no more than *rate*."""
    return rate / (1 + SLACK.total_seconds())


class SharedBudget:
    """A SendBudget of this replica, within the turns that all replicas share; `real_clock` is aware UTC."""

    def __init__(
        self,
        local: SendBudget,
        database: Database,
        rate: float,
        real_clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._local = local
        self._database = database
        self._rate = shared_rate(rate)
        self._real_clock = real_clock
        self._sleep = sleep
        self._turns: deque[datetime] = deque()
        self._fetching = asyncio.Lock()
        self._replies = 0  # waiting for a turn

    async def wait(self, chat_id: int | None, bulk: bool = False, safety: bool = False) -> None:
        """Return when one message may go to the chat, by this replica's pace and by everybody's."""
        await self._local.wait(chat_id, bulk, safety)
        try:
            turn = await self._turn(bulk)
            ahead = (turn - self._real_clock()).total_seconds()
            if ahead > 0:
                await self._sleep(ahead)
        except BaseException:
            self._local.give_back(bulk, chat_id)
            raise

    def answered(self, bulk: bool = False, chat_id: int | None = None, arrived: bool = False) -> None:
        """Note that a call has ended, its message *arrived* or not."""
        self._local.answered(bulk, chat_id, arrived)

    def give_back(self, bulk: bool = False, chat_id: int | None = None) -> None:
        """Give back a turn that no message came of; to other replicas it is lost."""
        self._local.give_back(bulk, chat_id)

    def refused(self, seconds: float, chat_id: int) -> None:
        """Note that Telegram asked to wait."""
        self._local.refused(seconds, chat_id)

    async def _turn(self, bulk: bool) -> datetime:
        if bulk:
            return await self._take(True, STAND_BACK)
        self._replies += 1
        try:
            return await self._take(False, 0)
        finally:
            self._replies -= 1

    async def _take(self, bulk: bool, stand_back: int) -> datetime:
        """Take the next turn; bulk lets replies go first, so many looks long."""
        looks = itertools.count()
        while True:
            look = next(looks)
            async with self._fetching:
                self._forget_stale()
                stands_back = self._replies and look < stand_back
                if not stands_back and (self._turns or await self._fetch(bulk)):
                    return self._turns.popleft()
            await self._sleep(random.uniform(0.05, 0.15))  # noqa: S311  # no secret

    async def _fetch(self, bulk: bool) -> bool:
        count = max(1, int(self._rate * BATCH_SECONDS))
        patience = BULK_PATIENCE if bulk else BELIEVED
        async with self._database.transaction(alone=True) as store:
            now = self._real_clock()
            first = await store.take_turns(NAME, count, self._rate, SLACK, patience, BELIEVED, now)
        if first is None:
            return False
        self._turns.extend(first + timedelta(seconds=at / self._rate) for at in range(count))
        return True

    def _forget_stale(self) -> None:
        now = self._real_clock()
        while self._turns and not now - STALE <= self._turns[0] <= now + BELIEVED:
            self._turns.popleft()
