"""Does in one go what is asked for at about the same time, so that many share what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")
MOST = 64  # in one go: others wait for it


class Together(Generic[ItemT, AnswerT]):
    """Gathers items for some *seconds* or until there are *most*, and gives each what *work* answers.

    *work* does all or nothing. When it fails each is tried alone, so that an error is the item's own.
    """

    def __init__(
        self,
        work: Callable[[list[ItemT]], Awaitable[list[AnswerT]]],
        seconds: float = 0.0,
        most: int = MOST,
    ) -> None:
        self._work = work
        self._most = most
        self._seconds = seconds
        self._waiting: list[tuple[ItemT, asyncio.Future[AnswerT]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def do(self, item: ItemT) -> AnswerT:
        """Return the answer to an item; raises what its work raised."""
        answer: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._serve(), name="together")
        return await answer

    async def _serve(self) -> None:
        try:
            while self._waiting:
                # At least once round the loop, so that who comes in the same moment is in it.
                await asyncio.sleep(0 if len(self._waiting) >= self._most else self._seconds)
                some, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._do(some)
        finally:
            self._worker = None
            for _, answer in self._waiting:
                answer.cancel()

    async def _do(self, some: list[tuple[ItemT, asyncio.Future[AnswerT]]]) -> None:
        try:
            answers = await self._work([item for item, _ in some])
        except Exception as error:  # noqa: BLE001  # it is the item's to deal with
            if len(some) > 1:
                for one in some:
                    await self._do([one])
            elif not some[0][1].done():
                some[0][1].set_exception(error)
            return
        for (_, answer), got in zip(some, answers, strict=True):
            if not answer.done():
                answer.set_result(got)
