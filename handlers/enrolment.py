"""/start, consent, country, zone, times, and a shared place."""

from __future__ import annotations

from telegram import Update
from telegram.ext import CommandHandler, MessageHandler, filters

from bot.flows import enrolment, hearing, location, privacy, settings
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge, Context, asked_of


async def start(services: Services, asked: Asked) -> Reply:
    """Begin, go on, or welcome back; an invite's code is one word, more are read for warning signs."""
    heard = Reply()
    if " " in asked.text:
        heard = await hearing.overhear(services, asked.chat_id, asked.text, asked.origin)
    return heard + await enrolment.start(services, asked.chat_id, asked.language, asked.text)


async def pressed(services: Services, asked: Asked) -> Reply:
    """Take one enrolment button."""
    what, value = asked.part(0), asked.part(1)
    if what == "yes":
        return await enrolment.agree(services, asked.chat_id, asked.language, value, asked.number(2))
    if what == "no":
        return await enrolment.decline(services, asked.language)
    if what == "privacy":
        return await privacy.notice(services, asked.chat_id, asked.language)
    return await enrolment.press(services, asked.chat_id, what, value, asked.language)


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to coming in."""

    async def located(update: Update, context: Context) -> None:
        place = update.effective_message.location if update.effective_message else None
        if place is not None:
            asked = asked_of(update, "")
            zones = location.zones_from_location(place.latitude, place.longitude)
            await bridge.carry(
                asked, await settings.located(bridge.services, asked.chat_id, zones, asked.language)
            )

    application.add_handler(CommandHandler("start", bridge.command(start, reads=False)))
    bridge.on("en", pressed)
    application.add_handler(MessageHandler(filters.LOCATION & filters.UpdateType.MESSAGE, located))
