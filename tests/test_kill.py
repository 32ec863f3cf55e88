"""One patient's whole day with a bot that is killed between any two steps; how the process ends and fails."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.rules.timing import next_local
from bot.sandbox import Fault, Person, Sandbox
from bot.sandbox.messages import Message
from bot.storage.database import Database
from tests.conversation import newest_with
from tests.fault.process import BotProcess, free_port

LONDON = ZoneInfo("Europe/London")
PATIENCE = 30.0  # a start takes a second or two, more on a busy machine


class Day:
    """One bot process, one stand-in, and a clock that moves while nobody runs."""

    def __init__(self, folder: Path) -> None:
        self.telegram = Sandbox()
        self.folder = folder
        self.offset = timedelta(0)
        self.bot: BotProcess

    async def open(self) -> None:
        self.bot = BotProcess(self.folder, await self.telegram.start())

    async def close(self) -> None:
        await self.bot.kill()
        await self.telegram.stop()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    async def begin(self) -> None:
        """Start the bot and wait until it polls."""
        polls = len(self.telegram.asked("getUpdates"))
        await self.bot.start()
        await self.until(lambda: len(self.telegram.asked("getUpdates")) > polls)

    async def again(self, moment: datetime | None = None) -> None:
        """Kill the bot with -9, move the patients' clock to a moment, and start it anew."""
        await self.bot.kill()
        if moment is not None:
            self.offset = moment - datetime.now(UTC)
            async with self.database() as database, database.transaction() as store:
                await store.set_meta("clock.offset", str(self.offset.total_seconds()))
        await self.begin()

    def database(self) -> OpenDatabase:
        return OpenDatabase(f"sqlite:///{self.bot.database}")

    async def until(self, found: Callable[[], bool], patience: float = PATIENCE) -> None:
        async with asyncio.timeout(patience):
            while not found():
                assert self.bot.process is not None
                assert self.bot.process.returncode is None, self.bot.log
                await self.telegram.changed(self.telegram.world.changes.cursor, 0.05)

    async def press(self, person: Person, button: str) -> None:
        """Press the newest such button, wait until its message offers something else, and kill the bot."""
        await self.until(lambda: any(message.button(button) for message in person.messages))
        message = newest_with(person, button)

        def offers_something_else() -> bool:
            now = next((each for each in person.messages if each.id == message.id), message)
            return presses(now) != presses(message)

        await person.press(message, button)
        await self.until(offers_something_else)
        await self.again()


class OpenDatabase:
    """The bot's database, opened while the bot does not run."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    async def __aenter__(self) -> Database:
        await self._database.open()
        return self._database

    async def __aexit__(self, *_: object) -> None:
        await self._database.close()


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    one = Day(tmp_path)
    await one.open()
    try:
        yield one
    finally:
        await one.close()


def said(person: Person, words: str) -> bool:
    return any(words in message.text for message in person.messages if message.from_bot)


def check_in(person: Person) -> Message:
    """Return the newest message with a check-in's buttons."""
    return next(
        message
        for message in reversed(person.messages)
        if any(data.startswith("ci:") for data in presses(message))
    )


def presses(message: Message) -> list[str]:
    return [str(button.get("callback_data", "")) for row in message.keyboard for button in row]


@pytest.mark.fault
async def test_a_whole_day_survives_kill_9_between_any_two_steps(day: Day) -> None:
    await day.begin()
    await day.again(next_local(datetime.now(UTC), time(18), LONDON))
    ada = day.telegram.person("Ada")
    await ada.start()
    await day.until(lambda: said(ada, "Before we start"))
    await day.again()
    await day.press(ada, next(data for data in presses(ada.last) if data.startswith("en:yes")))
    await day.press(ada, "en:country:GB")
    await ada.send("8:41pm")
    await day.until(lambda: said(ada, "20:41"))
    await day.again()
    await day.press(ada, "en:checkin:0830")
    await day.press(ada, "en:profile:later")
    # The evening prompt, at the chosen minute and not before.
    evening = next_local(day.now, time(20, 41), LONDON)
    await day.again(evening - timedelta(seconds=4))
    await day.until(lambda: any(data.startswith("ev:") for data in presses(ada.last)))
    assert evening <= day.now < evening + timedelta(seconds=30)
    # The morning check-in and a full bad night.
    await day.again(next_local(day.now, time(8, 30), LONDON))
    await day.until(lambda: any(":pain:" in data for data in presses(ada.last)))
    await answer_everything(day, ada)
    cards = [message for message in ada.messages if any(data.startswith("es:") for data in presses(message))]
    assert any("999" in card.text and "111" in card.text for card in cards)
    await day.bot.kill()
    async with day.database() as database, database.reading() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        nights = await store.diary(patient.id, date(2000, 1, 1), date(2100, 1, 1))
        assert [(night.pain, sorted(night.signs)) for night in nights] == [(8, ["leg_swollen"])]
        assert nights[0].completed_at is not None
        assert (patient.country, patient.zone) == ("GB", "Europe/London")
    # What was under way at a kill is done again: an old press answered twice, a text edited into itself.
    again = ("query is too old", "message is not modified")
    assert not [words for words in day.telegram.complaints if not any(known in words for known in again)]


async def answer_everything(day: Day, ada: Person) -> None:
    wanted = {"pain": "p8", "signs": "leg_swollen"}
    for _ in range(20):
        shown = presses(check_in(ada))
        if any(data.endswith(":change") for data in shown):
            return
        asked = {data.split(":")[2]: None for data in shown if ":+" in data}
        question = next(iter(asked), "")
        if done := next((data for data in shown if ":done:" in data), None):
            await day.press(ada, done)
            continue
        choices = [data for data in shown if f":{question}:+" in data]
        choice = next((data for data in choices if data.endswith(f"+{wanted.get(question)}")), choices[0])
        await day.press(ada, choice)
    raise AssertionError(f"the check-in never ends: {check_in(ada).text}")


async def test_sigterm_ends_at_once_with_a_long_poll_in_flight(day: Day) -> None:
    await day.begin()
    await asyncio.sleep(0.5)
    code, seconds = await day.bot.terminate()
    assert code == 0
    assert seconds < 5


async def test_sigterm_waits_for_the_reply_that_is_under_way(day: Day) -> None:
    await day.begin()
    ada = day.telegram.person("Ada")
    day.telegram.faults.add(Fault("delay", method="sendMessage", seconds=2.0))
    await ada.start()
    await day.until(lambda: bool(day.telegram.faults.struck))
    code, seconds = await day.bot.terminate()
    assert code == 0
    assert seconds < 10
    assert said(ada, "Before we start")


async def test_sigterm_ends_within_ten_seconds_when_telegram_hangs_and_nothing_is_lost(day: Day) -> None:
    await day.begin()
    ada = day.telegram.person("Ada")
    day.telegram.faults.add(Fault("hang", method="sendMessage"))
    await ada.start()
    await day.until(lambda: bool(day.telegram.faults.struck))
    code, seconds = await day.bot.terminate()
    assert code == 0
    assert seconds < 10
    await day.begin()
    await day.until(lambda: said(ada, "Before we start"))


async def test_a_refused_token_ends_the_process_with_one_line(day: Day) -> None:
    await day.telegram.stop()
    day.telegram = Sandbox(tokens=["another:token"])
    day.bot.settings["BOT_API_URL"] = await day.telegram.start()
    await day.bot.start()
    assert await day.bot.ended() == 2
    last = day.bot.log.strip().splitlines()[-1]
    assert last.startswith("quietlegs: the Bot API refuses the token")
    assert "Traceback" not in day.bot.log


async def test_a_start_while_telegram_is_out_of_reach_waits_for_it(day: Day) -> None:
    day.telegram.faults.add(Fault("status", method="getMe", status=502, times=1))
    await day.begin()
    assert "Telegram not reached" in day.bot.log
    address = day.bot.settings["BOT_API_URL"]
    await day.bot.kill()
    day.bot.settings["BOT_API_URL"] = f"http://127.0.0.1:{free_port()}"
    await day.bot.start()
    await day.until(lambda: day.bot.log.count("Telegram not reached") > 1)
    code, seconds = await day.bot.terminate()
    assert (code, seconds < 5) == (0, True)
    day.bot.settings["BOT_API_URL"] = address


async def test_two_copies_on_one_token_are_named_in_the_log(day: Day, tmp_path: Path) -> None:
    await day.begin()
    (tmp_path / "second").mkdir()
    second = BotProcess(tmp_path / "second", day.bot.settings["BOT_API_URL"])
    await second.start()
    try:
        await day.until(lambda: "another copy of the bot is polling" in day.bot.log + second.log)
    finally:
        await second.kill()


async def test_the_health_command_asks_the_process(day: Day) -> None:
    assert await day.bot.command("health") == 1
    await day.begin()
    assert await day.bot.command("health") == 0
    with await asyncio.to_thread(urllib.request.urlopen, f"http://{day.bot.listen}/healthz") as answer:
        assert set(json.load(answer)) == {"tick_age", "poll_age"}
