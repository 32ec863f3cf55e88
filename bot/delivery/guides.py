"""Moves a guided routine on by itself while its message is open; a tap does the same at any time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.flows.guide import Routine
from bot.messages import DeliveryError, Messenger

log = logging.getLogger(__name__)


class Guides:
    """At most one running routine a chat; after a restart the buttons still go on."""

    def __init__(
        self, messenger: Messenger, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._messenger = messenger
        self._sleep = sleep
        self._running: dict[int, asyncio.Task[None]] = {}

    def go_on(self, routine: Routine, chat_id: int, message_id: int, at: int) -> None:
        """Let the routine run on from a step that has just been shown."""
        self.stop(chat_id)
        self._running[chat_id] = asyncio.create_task(self._run(routine, chat_id, message_id, at))

    def stop(self, chat_id: int) -> None:
        """Stop a chat's routine, if one is running."""
        task = self._running.pop(chat_id, None)
        if task is not None:
            task.cancel()

    def stop_all(self) -> None:
        """Stop every routine, at shutdown."""
        for chat_id in [*self._running]:
            self.stop(chat_id)

    async def _run(self, routine: Routine, chat_id: int, message_id: int, at: int) -> None:
        try:
            while at < len(routine.steps) - 1:
                await self._sleep(routine.seconds(at))
                at += 1
                await self._messenger.edit(chat_id, message_id, routine.page(at))
        except DeliveryError as error:
            log.info("routine stopped", extra={"fate": error.fate})
        finally:
            if self._running.get(chat_id) is asyncio.current_task():
                del self._running[chat_id]
