"""Carries an update to a flow and its reply back: safety words first, then what was asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from telegram import Update
from telegram.ext import Application as AnyApplication
from telegram.ext import BaseHandler, ContextTypes

from bot.delivery.delivery import Delivery
from bot.delivery.guides import Guides
from bot.flows import hearing, presence
from bot.flows.services import Services
from bot.messages import DeliveryError, Fate, Message, Messenger, Reply

Application = AnyApplication[Any, Any, Any, Any, Any, Any]
Context = ContextTypes.DEFAULT_TYPE
Callback = Callable[[Update, Context], Coroutine[Any, Any, None]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """One update as flows see it: whose chat, which words or button, and a name for its effects."""

    chat_id: int
    origin: str  # "u:<update id>"
    language: str | None
    text: str = ""
    parts: tuple[str, ...] = ()  # of a pressed button, without its area
    message_id: int | None = None  # the message whose button was pressed

    def part(self, place: int) -> str:
        """Return one part of what a button carries; "" where there is none."""
        return self.parts[place] if place < len(self.parts) else ""

    def number(self, place: int) -> int:
        """Return one part that is a number; 0 for nonsense."""
        part = self.part(place)
        return int(part) if part.isdecimal() else 0


Flow = Callable[[Services, Asked], Awaitable[Reply]]


class Buttons(BaseHandler[Update, Context, None]):
    """Takes every press to its area's flow: the area is the word before the first colon of what it carries.

    One look into a table, where the library would try a pattern for each area. What is of no area `otherwise`
    takes.
    """

    def __init__(self) -> None:
        super().__init__(self._take)
        self._callbacks: dict[str, Callback] = {}
        self.otherwise: Callback | None = None

    def add(self, area: str, callback: Callback) -> None:
        """Let a callback take the presses of one area; ValueError when another has it."""
        if area in self._callbacks:
            raise ValueError(f"the buttons of {area!r} have two handlers")
        self._callbacks[area] = callback

    def check_update(self, update: object) -> bool:
        """Return whether an update is a press that somebody takes."""
        return isinstance(update, Update) and self._callback(update) is not None

    async def _take(self, update: Update, context: Context) -> None:
        callback = self._callback(update)
        if callback is not None:
            await callback(update, context)

    def _callback(self, update: Update) -> Callback | None:
        query = update.callback_query
        return self._callbacks.get((query.data or "").partition(":")[0], self.otherwise) if query else None


class Bridge:
    """Joins Telegram's side and ours: services, delivery and the messenger that answers people."""

    def __init__(self, services: Services, delivery: Delivery, messenger: Messenger, guides: Guides) -> None:
        self.services = services
        self.guides = guides
        self.buttons = Buttons()
        self._delivery = delivery
        self._messenger = messenger

    def command(self, flow: Flow, reads: bool = True) -> Callback:
        """Return a handler of a command; what is typed behind it is read for warning signs like any text."""

        async def handle(update: Update, context: Context) -> None:
            asked = asked_of(update, " ".join(context.args or ()))
            heard = Reply()
            if reads and asked.text:
                heard = await hearing.overhear(self.services, asked.chat_id, asked.text, asked.origin)
            await self.carry(asked, heard + await flow(self.services, asked))

        return handle

    def words(self, flow: Flow) -> Callback:
        """Return a handler of typed, edited or shared things."""

        async def handle(update: Update, context: Context) -> None:
            message = update.effective_message
            asked = asked_of(update, (message.text or message.caption or "") if message else "")
            await self.carry(asked, await flow(self.services, asked))

        return handle

    def on(self, area: str, flow: Flow) -> None:
        """Let a flow take the buttons of one area."""
        self.buttons.add(area, self.button(flow))

    def button(self, flow: Flow) -> Callback:
        """Return a handler of a pressed button; every press is answered."""

        async def handle(update: Update, context: Context) -> None:
            query = update.callback_query
            if query is None:
                return
            asked = asked_of(update, "")
            reply = await flow(self.services, asked)
            # Side by side: what the press leads to waits for no notice, safety words least of all.
            answering = asyncio.create_task(self._answer(query.id, reply))
            try:
                await self.carry(asked, reply)
            finally:
                await answering

        return handle

    async def _answer(self, press_id: str, reply: Reply) -> None:
        """Answer a press, once more if that fails; the reply itself says what counts."""
        for last in (False, True):
            try:
                await self._messenger.answer(press_id, reply.notice, reply.alert)
            except DeliveryError as error:
                if last:
                    log.warning("press not answered", extra={"reason": error.reason})
                else:
                    await asyncio.sleep(min(5.0, max(0.2, error.retry_after)))
            else:
                return

    async def answered(self, update: Update) -> None:
        """End the waiting mark of a pressed button that needs no notice."""
        if update.callback_query is not None:
            await self._messenger.answer(update.callback_query.id)

    async def send(self, chat_id: int, message: Message) -> None:
        """Send one message outside a reply; raises DeliveryError."""
        await self._messenger.send(chat_id, message)

    async def carry(self, asked: Asked, reply: Reply) -> int | None:
        """Send untold safety words, change the pressed message, send the new ones; return the last id."""
        here = reply.here or await presence.here(self.services, asked.chat_id)
        if here.owes_safety:
            await self._delivery.safety(asked.chat_id)
        try:
            return await self._say(asked, reply.quiet() if here.is_quiet else reply)
        except DeliveryError as error:
            if error.fate is not Fate.BLOCKED:
                raise
            await presence.blocked(self.services, asked.chat_id)
            return None

    async def _say(self, asked: Asked, reply: Reply) -> int | None:
        last = None
        if reply.edit is not None:
            last = await self._edit(asked, reply.edit)
        for message in reply.messages:
            last = await self._messenger.send(asked.chat_id, message)
        if reply.refresh is not None:
            await self._refresh(asked, *reply.refresh)
        return last

    async def _refresh(self, asked: Asked, message_id: int, message: Message) -> None:
        """Change another message that no longer reads true; one that is gone needs nothing."""
        try:
            await self._messenger.edit(asked.chat_id, message_id, message)
        except DeliveryError as error:
            if error.fate is not Fate.REFUSED:
                raise

    async def _edit(self, asked: Asked, message: Message) -> int | None:
        if asked.message_id is None:
            return await self._messenger.send(asked.chat_id, message)
        try:
            await self._messenger.edit(asked.chat_id, asked.message_id, message)
        except DeliveryError as error:
            if error.fate is not Fate.REFUSED:
                raise
            return await self._messenger.send(asked.chat_id, message)  # too old to change, or deleted
        return asked.message_id


def asked_of(update: Update, text: str) -> Asked:
    """Take an update apart."""
    query = update.callback_query
    chat = update.effective_chat
    user = update.effective_user
    return Asked(
        chat_id=chat.id if chat else 0,
        origin=f"u:{update.update_id}",
        language=user.language_code if user else None,
        text=text,
        parts=tuple((query.data or "").split(":")[1:]) if query else (),
        message_id=query.message.message_id if query and query.message else None,
    )


@lru_cache(64)
def night_named(digits: str) -> date:
    """Return the night a button carries as YYMMDD; for nonsense a day that never was."""
    try:
        return datetime.strptime(digits, "%y%m%d").date()  # noqa: DTZ007  # a night has no zone
    except ValueError:
        return date.min
