"""/stop, /erase, /privacy, /help."""

from __future__ import annotations

from telegram.ext import CommandHandler

from bot.flows import help as help_
from bot.flows import privacy
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge


async def stop(services: Services, asked: Asked) -> Reply:
    """Stop at once."""
    return await privacy.stop(services, asked.chat_id, asked.language)


async def ask_erase(services: Services, asked: Asked) -> Reply:
    """Ask once before erasing."""
    return await privacy.ask_erase(services, asked.chat_id, asked.language)


async def erase_pressed(services: Services, asked: Asked) -> Reply:
    """Erase, or keep."""
    sure = asked.parts[:1] == ("yes",)
    return await privacy.erase(services, asked.chat_id, asked.language, sure)


async def notice(services: Services, asked: Asked) -> Reply:
    """Say what is kept."""
    return await privacy.notice(services, asked.chat_id, asked.language)


async def help_text(services: Services, asked: Asked) -> Reply:
    """Say what can be done."""
    return await help_.show(services, asked.chat_id, asked.language)


def register(application: Application, bridge: Bridge) -> None:
    """Register the ways out and the explanations."""
    application.add_handler(CommandHandler("stop", bridge.command(stop)))
    application.add_handler(CommandHandler("erase", bridge.command(ask_erase)))
    application.add_handler(CommandHandler("privacy", bridge.command(notice)))
    application.add_handler(CommandHandler("help", bridge.command(help_text)))
    bridge.on("er", erase_pressed)
