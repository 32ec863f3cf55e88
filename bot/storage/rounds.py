"""Turns many small writes into few large ones: what comes while one round is under way joins the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")


class Rounds(Generic[ItemT, AnswerT]):
    """Does one thing for all that has come in so far, one round after the other; no item waits for others."""

    def __init__(self, do: Callable[[list[ItemT]], Awaitable[AnswerT]]) -> None:
        self._do = do
        self._under_way = asyncio.Lock()
        self._items: list[ItemT] = []
        self._next: asyncio.Task[AnswerT] | None = None

    async def join(self, item: ItemT) -> AnswerT:
        """Return what the round with this item brought, once it is over; raises what it raised."""
        self._items.append(item)
        if self._next is None:
            self._next = asyncio.create_task(self._go())
        return await asyncio.shield(self._next)  # who gives up takes nobody's round away

    async def _go(self) -> AnswerT:
        async with self._under_way:
            items, self._items, self._next = self._items, [], None
            return await self._do(items)
