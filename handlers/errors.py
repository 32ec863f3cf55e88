"""Anything that went wrong: logged without a word of what was said, and said gently."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from telegram import Update

from bot.flows import numbers
from bot.messages import Message
from handlers.bridge import Application, Bridge, Context, asked_of
from handlers.updates import Failures

log = logging.getLogger(__name__)


def register(application: Application, bridge: Bridge, failures: Failures) -> None:
    """Register the handler of failures."""

    async def failed(update: object, context: Context) -> None:
        failures.note(update, context.error)
        update_id = update.update_id if isinstance(update, Update) else None
        log.error("update failed", extra={"update": update_id}, exc_info=context.error)

    application.add_error_handler(failed)


def apology(bridge: Bridge) -> Callable[[Update], Awaitable[None]]:
    """Return what is said when an update could not be handled after several tries."""

    async def say(update: Update) -> None:
        asked = asked_of(update, "")
        if not asked.chat_id:
            return
        content = bridge.services.content(asked.language)
        emergency = numbers.emergency_block(content, None, bridge.services.clock().date())
        await bridge.send(asked.chat_id, Message(content.words.say("something_failed", emergency=emergency)))

    return say
