"""Updates are kept before they are confirmed, handled in order, and handled again until answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from telegram import Update
from telegram.ext import Application, ApplicationBuilder, TypeHandler

from bot.app import Clock, StoredInbox
from bot.messages import DeliveryError, Fate
from bot.sandbox import Fault, Sandbox
from bot.storage.database import Database
from bot.tally import Tally
from handlers import updates
from handlers.transport import make_bot
from handlers.updates import ChatOrder, Failures, InboxPolling, Intake, Row, TokenRefused, chat_of

TOKEN = "7000000001:made-up"


class Memory:
    """An inbox that lives as long as the test."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.tries: dict[int, int] = {}
        self.finished: list[int] = []
        self.broken = self.forgetful = 0

    async def keep(self, rows: Sequence[Row]) -> list[int]:
        if self.broken:
            self.broken -= 1
            raise OSError(28, "No space left on device")
        new = [row for row in rows if row[0] not in self.rows]
        self.rows |= {row[0]: row for row in new}
        return [row[0] for row in new]

    async def undone(self, _: Collection[int]) -> list[Row]:
        return [row for number, row in sorted(self.rows.items()) if number not in self.finished]

    async def done(self, update_id: int) -> None:
        if self.forgetful:
            self.forgetful -= 1
            raise OSError(28, "No space left on device")
        self.finished.append(update_id)

    async def failed(self, update_id: int) -> int:
        self.tries[update_id] = self.tries.get(update_id, 0) + 1
        return self.tries[update_id]


class Bot:
    """The machinery around one handler."""

    def __init__(self, url: str, inbox: Any) -> None:
        self.inbox = inbox
        self.heard: list[str] = []
        self.given_up: list[int] = []
        self.handle: Callable[[Update], Awaitable[None]] = self.listen
        self.bot = make_bot(TOKEN, url)
        self.order = ChatOrder(at_once=4)
        self.failures = Failures()
        builder = (
            ApplicationBuilder().bot(self.bot).concurrent_updates(self.order).updater(None).job_queue(None)
        )
        self.application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
        self.application.add_handler(TypeHandler(Update, self._handle))
        self.application.add_error_handler(self._note)
        self.tally = Tally()
        self.intake = Intake(self.application, self.order, inbox, self.failures, self._give_up, self.tally)
        self.polled: list[int] = []  # how often the inbox was still to fail
        self.polling = InboxPolling(self.bot, self.intake, self._note_poll, long_poll=1)
        self.task: asyncio.Task[None] | None = None

    def _note_poll(self) -> None:
        self.polled.append(getattr(self.inbox, "broken", 0))

    async def listen(self, update: Update) -> None:
        self.heard.append(text_of(update))

    async def start(self) -> None:
        await self.application.initialize()
        await self.application.start()
        self.task = asyncio.create_task(self.polling.run())

    async def stop(self) -> None:
        if self.task is None:
            return
        self.intake.stop()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, TokenRefused):
            await self.task
        self.task = None
        await self.application.stop()
        await self.application.shutdown()

    async def until(self, *heard: str) -> None:
        await eventually(
            lambda: self.heard == list(heard) and len(self.inbox.finished) == len(self.inbox.rows)
        )

    async def _handle(self, update: Update, _: object) -> None:
        await self.handle(update)

    async def _note(self, update: object, context: Any) -> None:
        self.failures.note(update, context.error)

    async def _give_up(self, update: Update) -> None:
        self.given_up.append(update.update_id)


@pytest.fixture
def inbox() -> Memory:
    return Memory()


@pytest_asyncio.fixture
async def bot(telegram: Sandbox, inbox: Memory) -> AsyncIterator[Bot]:
    bot = Bot(telegram.url, inbox)
    yield bot
    await bot.stop()


@pytest.fixture(autouse=True)
def brief_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(updates, "LONGEST_PAUSE", 0.05)


def text_of(update: Update) -> str:
    message = update.effective_message
    return (message.text or "") if message else ""


async def test_an_update_is_kept_handled_and_done(telegram: Sandbox, bot: Bot) -> None:
    person = telegram.person()
    await person.send("one")
    await bot.start()
    await bot.until("one")
    await person.send("two")
    await bot.until("one", "two")
    assert {row[1] for row in bot.inbox.rows.values()} == {person.id}
    assert bot.polling.last_poll_at is not None


async def test_what_a_crash_left_undone_is_taken_up_once(telegram: Sandbox, inbox: Memory, bot: Bot) -> None:
    await telegram.person().send("one")
    (raw,) = [each.to_dict() for each in await _peek(telegram)]
    await bot.intake._inbox.keep([updates._row(raw)])
    await bot.start()
    await bot.until("one")
    await asyncio.sleep(0.1)
    assert bot.heard == ["one"]


async def test_a_full_disk_confirms_nothing_and_is_no_sign_of_being_ready(
    telegram: Sandbox, inbox: Memory, bot: Bot
) -> None:
    inbox.broken = 2
    await telegram.person().send("one")
    await bot.start()
    await bot.until("one")
    assert set(bot.polled) == {0}


async def test_half_a_character_can_be_kept(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'quietlegs.db'}")
    await database.open()
    row = updates._row({"update_id": 1, "message": {"chat": {"id": 5}, "text": "ha\ud83d"}})
    async with database.transaction() as store:
        assert await store.keep_updates([row], datetime.now(UTC)) == [1]
    await database.close()


async def test_one_chat_in_order_and_a_slow_one_does_not_hold_up_the_others(
    telegram: Sandbox, bot: Bot
) -> None:
    slow, quick = telegram.person(), telegram.person("Bo")

    async def handle(update: Update) -> None:
        await asyncio.sleep(0.1 if chat_of(update) == slow.id else 0)
        bot.heard.append(text_of(update))

    bot.handle = handle
    for number in range(8):
        await slow.send(f"slow {number}")
    await quick.send("quick")
    await bot.start()
    await eventually(lambda: len(bot.heard) == 9)
    assert bot.heard.index("quick") < 2
    assert [text for text in bot.heard if text != "quick"] == [f"slow {number}" for number in range(8)]


async def test_a_failing_handler_is_tried_again_before_the_next_update(telegram: Sandbox, bot: Bot) -> None:
    failures = [ValueError("x"), ValueError("x")]

    async def handle(update: Update) -> None:
        if failures:
            raise failures.pop()
        bot.heard.append(text_of(update))

    bot.handle = handle
    person = telegram.person()
    await person.send("one")
    await person.send("two")
    await bot.start()
    await bot.until("one", "two")
    assert not bot.given_up


async def test_after_three_tries_it_says_sorry(telegram: Sandbox, inbox: Memory, bot: Bot) -> None:
    async def handle(_: Update) -> None:
        raise ValueError("x")

    bot.handle = handle
    await telegram.person().send("one")
    await bot.start()
    await eventually(lambda: bool(inbox.finished))
    assert bot.given_up == inbox.finished
    assert list(inbox.tries.values()) == [3]
    assert bot.tally == Tally(updates_kept=1, updates_done=1, updates_given_up=1)


async def hear_after(bot: Bot, telegram: Sandbox, failure: DeliveryError) -> None:
    """Have one update heard whose reply fails so, six times over."""
    failures = [failure] * 6

    async def handle(update: Update) -> None:
        if failures:
            raise failures.pop()
        bot.heard.append(text_of(update))

    bot.handle = handle
    await telegram.person().send("one")
    await bot.start()
    await bot.until("one")


async def test_an_outage_is_no_failure_of_the_update(telegram: Sandbox, inbox: Memory, bot: Bot) -> None:
    await hear_after(bot, telegram, DeliveryError(Fate.NOT_SENT, "down"))
    assert inbox.tries == {}


async def test_a_reply_of_unknown_fate_is_given_until_a_failing_server_is_well_again(
    telegram: Sandbox, bot: Bot
) -> None:
    await hear_after(bot, telegram, DeliveryError(Fate.UNKNOWN, "502"))
    assert bot.given_up == []


async def test_a_reply_whose_end_cannot_be_noted_is_not_given_again(
    telegram: Sandbox, inbox: Memory, bot: Bot
) -> None:
    inbox.forgetful = 3
    person = telegram.person()
    await person.send("one")
    await bot.start()
    await eventually(lambda: bot.heard == ["one"])
    await person.send("two")
    await bot.until("one", "two")


async def test_a_chat_that_sends_very_much_takes_no_place_from_the_others(
    telegram: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "MOST_OPEN", 8)
    monkeypatch.setattr(updates, "MOST_OF_A_CHAT", 4)
    much, quick = telegram.person(), telegram.person("Bo")
    may_go_on = asyncio.Event()

    async def handle(update: Update) -> None:
        if chat_of(update) == much.id:
            await may_go_on.wait()
        bot.heard.append(text_of(update))

    bot.handle = handle
    for number in range(12):
        await much.send(f"much {number}")
    await quick.send("quick")
    await bot.start()
    try:
        await eventually(lambda: bot.heard == ["quick"])
    finally:
        may_go_on.set()
    await bot.until("quick", *(f"much {number}" for number in range(12)))


class Ahead(Clock):
    """A clock that can be put on, for leases too."""

    ahead = timedelta(0)

    def real(self) -> datetime:
        return super().real() + self.ahead


@pytest.mark.postgres
async def test_what_a_flooding_chat_leaves_stays_in_order_and_with_its_replica(
    telegram: Sandbox, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "MOST_OF_A_CHAT", 4)
    database, clock, much = Database(postgres_database), Ahead(), telegram.person()
    await database.open()
    inboxes = [StoredInbox(database, clock, name, 60) for name in ("one", "other")]
    one, other = (Bot(telegram.url, inbox) for inbox in inboxes)
    may_go_on = asyncio.Event()

    async def handle(update: Update) -> None:
        await may_go_on.wait()
        one.heard.append(text_of(update))

    one.handle = handle
    for number in range(9):
        await much.send(f"{number}")
    raws = [raw for _, raw in sorted(telegram.world.updates.pending.items())]
    for bot in (one, other):
        await bot.application.initialize()
        await bot.application.start()
    try:
        await one.intake.take_in(raws[:8])
        clock.ahead += timedelta(seconds=50)
        await inboxes[0].renew(one.intake.open, one.intake.left)
        clock.ahead += timedelta(seconds=50)
        await other.intake.take_up()  # its own lease is not what ends
        await one.intake.take_up()  # what is left stays left, and what comes stays behind it
        await one.intake.take_in(raws[8:])
        may_go_on.set()
        await eventually(lambda: len(one.heard) + len(other.heard) == 9)
    finally:
        may_go_on.set()
        for bot in (one, other):
            bot.intake.stop()
            await bot.application.stop()
            await bot.application.shutdown()
        await database.close()
    assert (one.heard, other.heard) == ([str(number) for number in range(9)], [])


async def test_what_is_kept_and_waits_for_room_is_ours(
    telegram: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "MOST_OPEN", 2)
    may_go_on = asyncio.Event()

    async def handle(update: Update) -> None:
        await may_go_on.wait()
        bot.heard.append(text_of(update))

    bot.handle = handle
    for number in range(4):
        await telegram.person(f"P{number}").send(f"{number}")
    await bot.start()
    try:
        await eventually(lambda: len(bot.inbox.rows) == 4)
        assert bot.intake.open == bot.inbox.rows.keys()
    finally:
        may_go_on.set()
    await eventually(lambda: len(bot.heard) == 4)


async def test_polling_survives_a_bad_network(telegram: Sandbox, bot: Bot) -> None:
    for kind in ("close", "garbage", "status"):
        telegram.faults.add(Fault(kind, "getUpdates"))
    await telegram.person().send("one")
    await bot.start()
    await bot.until("one")


async def test_another_poller_is_named_in_plain_words_once(
    telegram: Sandbox, bot: Bot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 0.01)
    telegram.faults.add(Fault("status", "getUpdates", times=3, status=409))
    await telegram.person().send("one")
    with caplog.at_level(logging.ERROR):
        await bot.start()
        await bot.until("one")
    assert caplog.text.count("another copy of the bot is polling with the same token: stop one") == 1


async def test_a_refused_token_ends_the_polling(telegram: Sandbox, bot: Bot) -> None:
    await bot.start()
    telegram.faults.add(Fault("status", "getUpdates", status=401))
    assert bot.task is not None
    with pytest.raises(TokenRefused, match="check BOT_TOKEN"):
        await asyncio.wait_for(bot.task, 5)


async def test_it_stops_within_a_second_and_keeps_what_is_undone(
    telegram: Sandbox, inbox: Memory, bot: Bot
) -> None:
    async def handle(_: Update) -> None:
        raise DeliveryError(Fate.WAIT, "slow down", retry_after=60)

    bot.handle = handle
    await telegram.person().send("one")
    await bot.start()
    await eventually(lambda: bool(inbox.rows))
    began = time.monotonic()
    await bot.stop()
    assert time.monotonic() - began < 1
    assert len(await inbox.undone(())) == 1


async def eventually(comes_true: Callable[[], bool]) -> None:
    for _ in range(800):
        if comes_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")


async def _peek(telegram: Sandbox) -> tuple[Update, ...]:
    bot = make_bot(TOKEN, telegram.url)
    async with bot:
        return await bot.get_updates(timeout=0)
