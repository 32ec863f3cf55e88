"""Speaks with the whole bot: the real one, over HTTP, on a real database, with a clock that can be moved."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from bot.app import App, Clock, Rhythm
from bot.config import load_config
from bot.model import State
from bot.rules.timing import local_moment, next_local
from bot.sandbox import Person, Sandbox
from bot.sandbox.messages import Message
from bot.storage.store import Store

TOKEN = "1000000001:a-token-for-tests-that-opens-nothing"  # opens only the stand-in
LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 11, 20, 18, 0, tzinfo=LONDON)  # a Friday afternoon, long before the evening prompt


class Conversation:
    """One bot, one stand-in for Telegram, one clock; people are made with `newcomer` or `patient`."""

    def __init__(
        self,
        folder: Path,
        database_url: str | None = None,
        start: datetime = START,
        rhythm: Rhythm | None = None,
        **settings: str,
    ) -> None:
        self.rhythm = rhythm or Rhythm()
        self.clock = Clock()
        self.clock.offset = start - self.clock.real()
        self.telegram = Sandbox(clock=_StandInClock(self.clock))
        self.settings = {
            "BOT_TOKEN": TOKEN,
            "ACCESS": "open",
            "LISTEN": "127.0.0.1:0",
            "SEND_RATE": "1000",
            "DATABASE_URL": database_url or f"sqlite:///{folder / 'quietlegs.db'}",
            **settings,
        }
        self.app: App

    async def __aenter__(self) -> Self:
        self.settings["BOT_API_URL"] = await self.telegram.start()
        await self.wake_up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()
        await self.telegram.stop()

    # --- the bot's life ---

    async def wake_up(self) -> None:
        """Start the bot on the same database and the same Telegram."""
        self.app = App(load_config(self.settings, env_file=None), self.clock, per_chat=0, rhythm=self.rhythm)
        await self.app.start()

    async def restart(self) -> None:
        """Stop the bot and start a new one, which has only the database to remember by."""
        await self.app.stop()
        await self.wake_up()

    def store(self) -> AbstractAsyncContextManager[Store]:
        """Read the database."""
        return self.app.database.reading()

    # --- time ---

    @property
    def now(self) -> datetime:
        """Return the patients' moment (aware UTC)."""
        return self.clock.now()

    async def go_to(self, moment: datetime) -> None:
        """Move the clock forward to a moment and send what has come due by then."""
        self.clock.offset += moment - self.clock.now()
        await self.app.tick()
        await self._nothing_under_way()

    async def _nothing_under_way(self) -> None:
        """Return when the bot's own tick, which runs beside ours, has sent what it had claimed."""
        for _ in range(200):
            async with self.store() as store:
                counts = await store.counts_by_state()
            if not counts.get(State.CLAIMED) and not counts.get(State.SENDING):
                return
            await asyncio.sleep(0.01)

    async def later(self, **span: float) -> None:
        """Move the clock forward by a span (minutes=..., hours=..., days=...)."""
        await self.go_to(self.clock.now() + timedelta(**span))

    async def until(self, at: time, zone: ZoneInfo = LONDON) -> None:
        """Move the clock forward to the next time a clock on the wall shows `at`."""
        await self.go_to(next_local(self.clock.now(), at, zone) + timedelta(seconds=1))

    # --- people ---

    async def newcomer(self, name: str = "Ada", language: str = "en") -> Person:
        """Return somebody who has just pressed Start and been introduced."""
        person = self.telegram.person(name, language_code=language)
        await person.start()
        await person.wait("Before we start")
        return person

    async def patient(
        self,
        name: str = "Ada",
        country: str = "GB",
        prompt: str = "2030",
        checkin: str = "0830",
        zone: str = "",
    ) -> Person:
        """Return somebody who has enrolled by buttons, without the safety profile."""
        person = await self.newcomer(name)
        await self.press(person, "en:yes:", "Which country")
        await self.press(person, f"en:country:{country}", None)
        if zone:
            await self.press(person, f"en:zone:{zone}", None)
        await self.press(person, f"en:prompt:{prompt}", "in the morning")
        await self.press(person, f"en:checkin:{checkin}", "One last thing")
        await self.press(person, "en:profile:later", "You are all set")
        return person

    async def press(self, person: Person, data_or_label: str, heard: str | None = "") -> None:
        """Press the newest button with this data or label; once it is dealt with, *heard* has been said."""
        message = newest_with(person, data_or_label)
        await person.press(message, data_or_label)
        await self.settled()
        if heard:
            assert any(heard in one.text for one in person.messages if one.from_bot), person.last.text

    async def say(self, person: Person, text: str) -> list[Message]:
        """Type a message and return what the bot said to it."""
        before = {message.id for message in person.messages}
        await person.send(text)
        await self.settled()
        return [message for message in person.messages if message.from_bot and message.id not in before]

    async def settled(self) -> None:
        """Return when every update has been dealt with."""
        for _ in range(400):
            if not self.telegram.world.updates.pending and await self._inbox_is_empty():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the bot did not deal with an update within four seconds")

    async def _inbox_is_empty(self) -> bool:
        async with self.store() as store:
            return not await store.undone_updates()


class _StandInClock:
    """The same clock, as the stand-in wants it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def jump(self, target: str) -> datetime:
        raise ValueError(f"tests move the clock themselves, not to {target}")


def newest_with(person: Person, data_or_label: str) -> Message:
    """Return the newest message that has this button; an assertion lists the buttons there are."""
    for message in reversed(person.messages):
        if message.button(data_or_label) is not None:
            return message
    raise AssertionError(f"no button {data_or_label!r}; the last message has {person.last.buttons}")


def buttons(person: Person) -> dict[str, str]:
    """Return the labels of the newest keyboard by their data."""
    shown = next(message for message in reversed(person.messages) if message.keyboard)
    return {button["callback_data"]: button["text"] for row in shown.keyboard for button in row}


def heard(person: Person) -> str:
    """Return everything the bot has said, as it reads now."""
    return "\n\n".join(message.text for message in person.messages if message.from_bot)


__all__ = ["LONDON", "START", "Conversation", "Person", "buttons", "heard", "local_moment", "newest_with"]
