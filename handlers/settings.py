"""/settings, /profile and /next."""

from __future__ import annotations

from telegram.ext import CommandHandler

from bot.flows import next as coming
from bot.flows import profile, settings
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge


async def show(services: Services, asked: Asked) -> Reply:
    """Show the settings."""
    return await settings.show(services, asked.chat_id, asked.language)


async def pressed(services: Services, asked: Asked) -> Reply:
    """Take one settings button."""
    what, value = asked.part(0), asked.part(1)
    return await settings.press(services, asked.chat_id, what, value, asked.language)


async def show_profile(services: Services, asked: Asked) -> Reply:
    """Show the safety profile."""
    return await profile.overview(services, asked.chat_id, asked.language)


async def profile_pressed(services: Services, asked: Asked) -> Reply:
    """Take one profile answer."""
    round_, flag, answer = asked.part(0), asked.part(1), asked.part(2)
    return await profile.press(services, asked.chat_id, round_, flag, answer, asked.language)


async def show_next(services: Services, asked: Asked) -> Reply:
    """Show what comes."""
    return await coming.show(services, asked.chat_id, asked.language)


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to the patient's own choices."""
    application.add_handler(CommandHandler("settings", bridge.command(show)))
    application.add_handler(CommandHandler("next", bridge.command(show_next)))
    application.add_handler(CommandHandler("profile", bridge.command(show_profile)))
    bridge.on("se", pressed)
    bridge.on("pr", profile_pressed)
