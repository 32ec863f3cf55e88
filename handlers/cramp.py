"""/cramp: what to do right now, and filing it."""

from __future__ import annotations

from telegram.ext import CommandHandler

from bot.flows import cramp
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge


async def now(services: Services, asked: Asked) -> Reply:
    """Say what to do."""
    return await cramp.now(services, asked.chat_id)


async def pressed(services: Services, asked: Asked) -> Reply:
    """File the episode, add to it, or take "it will not let go"."""
    what, episode, value = asked.part(0), asked.part(1), asked.part(2)
    if what == "file":
        at = int(episode) if episode.isdecimal() else 0
        return await cramp.file(services, asked.chat_id, at, f"m:{asked.chat_id}:{asked.message_id}")
    if what == "on":
        return await cramp.still_on(services, asked.chat_id, asked.origin)
    return await cramp.detail(
        services, asked.chat_id, int(episode) if episode.isdecimal() else 0, what, value
    )


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to a cramp."""
    application.add_handler(CommandHandler("cramp", bridge.command(now)))
    bridge.on("cr", pressed)
