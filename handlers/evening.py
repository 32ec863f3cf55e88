"""The evening prompt's buttons and the guided routine."""

from __future__ import annotations

from datetime import date

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.flows import evening, guide
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge, Context, area, asked_of, night_named


async def pressed(services: Services, asked: Asked) -> Reply:
    """Take one button of an evening's prompt."""
    night, verb, detail = (*asked.parts, "", "", "")[:3]
    return await evening.press(services, asked.chat_id, night_named(night), verb, detail)


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to the evening."""

    async def begin(asked: Asked, night: date | None) -> None:
        routine = await guide.routine(bridge.services, asked.chat_id, night)
        message_id = await bridge.carry(asked, routine.opening())
        if routine.steps and message_id is not None:
            bridge.guides.go_on(routine, asked.chat_id, message_id, 0)

    async def guided(update: Update, context: Context) -> None:
        await begin(asked_of(update, ""), None)

    async def from_prompt(update: Update, context: Context) -> None:
        await bridge.answered(update)
        asked = asked_of(update, "")
        await begin(asked, night_named(asked.parts[0]))

    async def moved(update: Update, context: Context) -> None:
        await bridge.answered(update)
        asked = asked_of(update, "")
        bridge.guides.stop(asked.chat_id)
        night, what, value = (*asked.parts, "", "", "")[:3]
        if what == "did":
            reply = await evening.record_routine(bridge.services, asked.chat_id, night_named(night), value)
            await bridge.carry(asked, reply)
            return
        routine = await guide.routine(bridge.services, asked.chat_id, night_named(night))
        at = int(value) if what == "go" and value.isdigit() else len(routine.steps)
        if at >= len(routine.steps):
            await bridge.carry(asked, Reply(edit=routine.stopped()))
            return
        await bridge.carry(asked, Reply(edit=routine.page(at)))
        if asked.message_id is not None:
            bridge.guides.go_on(routine, asked.chat_id, asked.message_id, at)

    application.add_handler(CommandHandler("stretch", guided))
    application.add_handler(CallbackQueryHandler(from_prompt, pattern=r"^ev:\d+:guide$"))
    application.add_handler(CallbackQueryHandler(bridge.button(pressed), pattern=area("ev")))
    application.add_handler(CallbackQueryHandler(moved, pattern=area("gd")))
