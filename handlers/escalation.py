"""The buttons under cards and exact questions, the list of all warning signs, numbers to call."""

from __future__ import annotations

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.flows import appointment, asking, numbers, outcome, urgent, why
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge, area


async def card_pressed(services: Services, asked: Asked) -> Reply:
    """Take a button under a card."""
    row, what = (*asked.parts, "", "")[:2]
    return await outcome.press(services, asked.chat_id, _number(row), what, asked.origin)


async def question_pressed(services: Services, asked: Asked) -> Reply:
    """Take the answer to an exact question."""
    row, answer = (*asked.parts, "", "")[:2]
    return await asking.answer(services, asked.chat_id, _number(row), answer, asked.origin)


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
    row, what, detail = (*asked.parts, "", "", "")[:3]
    return await appointment.press(services, asked.chat_id, _number(row), what, detail)


async def list_pressed(services: Services, asked: Asked) -> Reply:
    """Open an area of the list, or put one row's exact question."""
    name, rule = (*asked.parts, "", "")[:2]
    if rule:
        return await urgent.row(services, asked.chat_id, rule, asked.origin)
    return await urgent.area(services, asked.chat_id, name)


async def number_pressed(services: Services, asked: Asked) -> Reply:
    """Send a number as a contact."""
    return numbers.contact(services.content(asked.language), asked.parts[0])


def _number(part: str) -> int:
    return int(part) if part.isdigit() else 0


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to red flags."""
    application.add_handler(CommandHandler("urgent", bridge.command(overview)))
    application.add_handler(CommandHandler("why", bridge.command(explain)))
    application.add_handler(CommandHandler("appointment", bridge.command(appointments)))
    application.add_handler(CallbackQueryHandler(bridge.button(appointment_pressed), pattern=area("ap")))
    application.add_handler(CallbackQueryHandler(bridge.button(card_pressed), pattern=area("es")))
    application.add_handler(CallbackQueryHandler(bridge.button(question_pressed), pattern=area("ak")))
    application.add_handler(CallbackQueryHandler(bridge.button(list_pressed), pattern=area("ur")))
    application.add_handler(CallbackQueryHandler(bridge.button(number_pressed), pattern=r"^no:[0-9*#+]+$"))
