"""The buttons under cards and exact questions, the list of all warning signs, numbers to call."""

from __future__ import annotations

import re

from telegram.ext import CommandHandler

from bot.flows import appointment, asking, numbers, outcome, urgent, why
from bot.flows.refusals import old_button
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge


async def card_pressed(services: Services, asked: Asked) -> Reply:
    """Take a button under a card."""
    return await outcome.press(services, asked.chat_id, asked.number(0), asked.part(1), asked.origin)


async def question_pressed(services: Services, asked: Asked) -> Reply:
    """Take the answer to an exact question."""
    return await asking.answer(services, asked.chat_id, asked.number(0), asked.part(1), asked.origin)


async def overview(services: Services, asked: Asked) -> Reply:
    """Show every warning sign and the numbers."""
    return await urgent.overview(services, asked.chat_id)


async def explain(services: Services, asked: Asked) -> Reply:
    """Say why the patient was warned."""
    return await why.show(services, asked.chat_id)


async def appointments(services: Services, asked: Asked) -> Reply:
    """Show the appointments."""
    return await appointment.show(services, asked.chat_id)


async def appointment_pressed(services: Services, asked: Asked) -> Reply:
    """Take the day of an appointment, or what came of it."""
    what, detail = asked.part(1), asked.part(2)
    return await appointment.press(services, asked.chat_id, asked.number(0), what, detail)


async def list_pressed(services: Services, asked: Asked) -> Reply:
    """Open an area of the list, or put one row's exact question."""
    name, rule = asked.part(0), asked.part(1)
    if rule:
        return await urgent.row(services, asked.chat_id, rule, asked.origin)
    return await urgent.area(services, asked.chat_id, name)


async def number_pressed(services: Services, asked: Asked) -> Reply:
    """Send a number as a contact."""
    content = services.content(asked.language)
    number = asked.part(0)
    return numbers.contact(content, number) if re.fullmatch(r"[0-9*#+]+", number) else old_button(content)


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to red flags."""
    application.add_handler(CommandHandler("urgent", bridge.command(overview)))
    application.add_handler(CommandHandler("why", bridge.command(explain)))
    application.add_handler(CommandHandler("appointment", bridge.command(appointments)))
    bridge.on("ap", appointment_pressed)
    bridge.on("es", card_pressed)
    bridge.on("ak", question_pressed)
    bridge.on("ur", list_pressed)
    bridge.on("no", number_pressed)
