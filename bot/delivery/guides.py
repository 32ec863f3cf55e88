"""Moves a guided routine on by itself while its message is open; a tap does the same at any time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.flows.guide import Routine
from bot.messages import DeliveryError, Fate, Message, Messenger

Again = Callable[[], Awaitable[Routine]]  # the routine as it is right for the person by then
log = logging.getLogger(__name__)


class Guides:
    """At most one running routine a chat; after a restart the buttons still go on."""

    def __init__(
        self, messenger: Messenger, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._messenger = messenger
        self._sleep = sleep
        self._running: dict[int, asyncio.Task[None]] = {}

    def go_on(self, again: Again, chat_id: int, message_id: int, at: int) -> None:
        """Let the routine run on from a step that has just been shown; *again* says what is right by then."""
        self.stop(chat_id)
        self._running[chat_id] = asyncio.create_task(self._run(again, chat_id, message_id, at))

    def stop(self, chat_id: int) -> None:
        """Stop a chat's routine, if one is running."""
        task = self._running.pop(chat_id, None)
        if task is not None:
            task.cancel()

    def stop_all(self) -> None:
        """Stop every routine, at shutdown."""
        for chat_id in [*self._running]:
            self.stop(chat_id)

    async def change(self, chat_id: int, message_id: int, message: Message) -> bool:
        """Change a message that stands further up; one that cannot be changed is left, and False returned."""
        try:
            await self._messenger.edit(chat_id, message_id, message)
        except DeliveryError as error:
            log.info("message left as it was", extra={"fate": error.fate})
            return error.fate not in (Fate.BLOCKED, Fate.REFUSED)
        return True

    async def _run(self, again: Again, chat_id: int, message_id: int, at: int) -> None:
        routine = await again()
        steps = routine.steps
        try:
            while at < len(steps) - 1:
                await self._sleep(routine.seconds(at))
                at += 1
                routine = await again()
                if routine.steps != steps:
                    await self.change(chat_id, message_id, routine.stopped())
                    return
                if not await self.change(chat_id, message_id, routine.page(at)):
                    return
        finally:
            if self._running.get(chat_id) is asyncio.current_task():
                del self._running[chat_id]
