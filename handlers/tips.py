"""Tips and causes on demand."""

from __future__ import annotations

from telegram.ext import CommandHandler

from bot.flows import tips
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge


async def menu(services: Services, asked: Asked) -> Reply:
    """Show the topics, or what a word finds."""
    return await tips.menu(services, asked.chat_id, asked.text)


async def pressed(services: Services, asked: Asked) -> Reply:
    """Open a topic, a tip, the menu or one that fits tonight."""
    what, name = asked.part(0), asked.part(1)
    if what == "topic":
        return await tips.topic(services, asked.chat_id, name)
    if what == "tip":
        return await tips.tip(services, asked.chat_id, name)
    if what == "fits":
        return await tips.one_that_fits(services, asked.chat_id)
    return await tips.back_to_menu(services, asked.chat_id)


async def causes(services: Services, asked: Asked) -> Reply:
    """Show the causes, or those a word finds."""
    return await tips.causes(services, asked.chat_id, asked.text)


async def cause_pressed(services: Services, asked: Asked) -> Reply:
    """Show one cause card."""
    return await tips.cause(services, asked.chat_id, asked.part(0))


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to tips."""
    application.add_handler(CommandHandler("tips", bridge.command(menu)))
    application.add_handler(CommandHandler("causes", bridge.command(causes)))
    bridge.on("tp", pressed)
    bridge.on("ca", cause_pressed)
