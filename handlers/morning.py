"""The check-in's buttons, other nights, the diary."""

from __future__ import annotations

from telegram.ext import CommandHandler

from bot.flows import diary, morning
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge, night_named


async def pressed(services: Services, asked: Asked) -> Reply:
    """Take one button of a night's check-in."""
    night, verb, code = asked.part(0), asked.part(1), asked.part(2)
    return await morning.press(services, asked.chat_id, night_named(night), verb, code, asked.origin)


async def nights(services: Services, asked: Asked) -> Reply:
    """Offer the last nights."""
    return await morning.nights(services, asked.chat_id)


async def night_pressed(services: Services, asked: Asked) -> Reply:
    """Open the night that was chosen, or the list."""
    if asked.part(0) in ("", "list"):
        return await morning.nights(services, asked.chat_id)
    return await morning.open_night(services, asked.chat_id, night_named(asked.part(0)))


async def show_diary(services: Services, asked: Asked) -> Reply:
    """Show the last nights."""
    return await diary.show(services, asked.chat_id)


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to the morning."""
    application.add_handler(CommandHandler("night", bridge.command(nights)))
    application.add_handler(CommandHandler("diary", bridge.command(show_diary)))
    bridge.on("ci", pressed)
    bridge.on("nt", night_pressed)
