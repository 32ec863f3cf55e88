"""Everything typed, edited or shared that is not a command: read for warning signs first."""

from __future__ import annotations

from telegram.ext import MessageHandler, filters

from bot.flows import hearing
from bot.flows.refusals import old_button
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge

PRIVATE = filters.ChatType.PRIVATE
# A shared place that moves, or a picture that is exchanged, arrives as an edit: only new words are read then.
NEW = filters.UpdateType.MESSAGE | filters.CAPTION


async def heard(services: Services, asked: Asked) -> Reply:
    """Take a typed or edited message."""
    return await hearing.hear(services, asked.chat_id, asked.text, asked.origin, asked.language)


async def shared(services: Services, asked: Asked) -> Reply:
    """Take a photo, voice, sticker, document or anything else that is not opened."""
    return await hearing.media(services, asked.chat_id, asked.text, asked.origin, asked.language)


async def no_such_button(services: Services, asked: Asked) -> Reply:
    """Answer a button that means nothing any more."""
    return old_button(services.content(asked.language))


def register(application: Application, bridge: Bridge) -> None:
    """Register what catches all the rest; last, so that commands go first."""
    application.add_handler(MessageHandler(PRIVATE & filters.TEXT, bridge.words(heard)))
    application.add_handler(MessageHandler(PRIVATE & NEW & ~filters.StatusUpdate.ALL, bridge.words(shared)))
    bridge.buttons.otherwise = bridge.button(no_such_button)
