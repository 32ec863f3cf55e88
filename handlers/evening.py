"""The evening prompt's buttons and the guided routine."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

from telegram import Update
from telegram.ext import CommandHandler

from bot.flows import evening, guide
from bot.flows.services import Services
from bot.messages import Reply
from handlers.bridge import Application, Asked, Bridge, Context, asked_of, night_named


async def pressed(services: Services, asked: Asked) -> Reply:
    """Take one button of an evening's prompt."""
    night, verb, detail = asked.part(0), asked.part(1), asked.part(2)
    return await evening.press(services, asked.chat_id, night_named(night), verb, detail)


def _night(asked: Asked) -> date | None:
    """Return the night a button carries; None, for tonight, when it is none."""
    night = night_named(asked.part(0))
    return None if night == date.min else night


class Guidance:
    """Opens the guided routine, moves it on, and takes what came of it."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def command(self, update: Update, _: Context) -> None:
        """Begin the routine of tonight."""
        await self._begin(asked_of(update, ""), None)

    async def from_prompt(self, update: Update, _: Context) -> None:
        """Begin the routine of the prompt's own night."""
        await self._bridge.answered(update)
        asked = asked_of(update, "")
        await self._begin(asked, _night(asked))

    async def moved(self, update: Update, _: Context) -> None:
        """Take Next, Stop, or the answer to "did you do it?"."""
        await self._bridge.answered(update)
        asked = asked_of(update, "")
        self._bridge.guides.stop(asked.chat_id)
        night, what, value = _night(asked), asked.part(1), asked.part(2)
        routine = await guide.routine(self._bridge.services, asked.chat_id, night)
        if what == "did":
            await self._done(asked, routine, value)
            return
        at = int(value) if what == "go" and value.isdecimal() else len(routine.steps)
        if at >= len(routine.steps):
            await self._bridge.carry(asked, Reply(edit=routine.stopped()))
            return
        message_id = await self._bridge.carry(asked, Reply(edit=routine.page(at)))
        self._go_on(asked, night, message_id, at)

    async def _begin(self, asked: Asked, night: date | None) -> None:
        self._bridge.guides.stop(asked.chat_id)
        routine = await guide.routine(self._bridge.services, asked.chat_id, night)
        message_id = await self._bridge.carry(asked, routine.opening())
        if routine.steps:
            self._go_on(asked, night, message_id, 0)

    def _go_on(self, asked: Asked, night: date | None, message_id: int | None, at: int) -> None:
        if message_id is not None:
            again = partial(guide.routine, self._bridge.services, asked.chat_id, night)
            self._bridge.guides.go_on(again, asked.chat_id, message_id, at)

    async def _done(self, asked: Asked, routine: guide.Routine, how: str) -> None:
        services, night = self._bridge.services, routine.night
        said = await evening.record_routine(services, asked.chat_id, night, how)
        await self._bridge.carry(asked, Reply(edit=replace(said, figure=routine.first_figure())))
        prompt = await evening.standing_prompt(services, asked.chat_id, night)
        if prompt is not None:
            await self._bridge.guides.change(asked.chat_id, *prompt)


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to the evening."""
    guidance = Guidance(bridge)
    application.add_handler(CommandHandler("stretch", guidance.command))
    take = bridge.button(pressed)

    async def prompt_pressed(update: Update, context: Context) -> None:
        guided = asked_of(update, "").part(1) == "guide"
        await (guidance.from_prompt if guided else take)(update, context)

    bridge.buttons.add("ev", prompt_pressed)
    bridge.buttons.add("gd", guidance.moved)
