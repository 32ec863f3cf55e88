"""Messages reach the chat as they were meant, and a failure says what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.delivery.rates import SendBudget
from bot.messages import Button, Contact, DeliveryError, Fate, Message, Style
from bot.sandbox import Fault, Person, Sandbox
from handlers.messenger import TelegramMessenger, fits_caption
from handlers.transport import make_bot

TOKEN = "7000000001:made-up"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><rect width="2" height="3" fill="teal"/></svg>'
)
ROWS = ((Button("I have read this", "esc:1:read", Style.GRAVE), Button("Plain", "esc:1:x")),)


@pytest_asyncio.fixture
async def messenger(telegram: Sandbox, tmp_path: Path) -> AsyncIterator[TelegramMessenger]:
    for code in ("calf", "thigh"):
        (tmp_path / f"{code}.svg").write_text(SVG, encoding="utf-8")
    async with make_bot(TOKEN, telegram.url) as bot:
        yield TelegramMessenger(bot, tmp_path)


@pytest_asyncio.fixture
async def person(telegram: Sandbox) -> Person:
    person = telegram.person()
    await person.start()
    return person


async def failure(messenger: TelegramMessenger, person: Person, message: Message) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await messenger.send(person.id, message)
    assert "calf" not in failed.value.reason
    return failed.value


async def test_words_buttons_and_silence_come_through(
    telegram: Sandbox, messenger: TelegramMessenger, person: Person
) -> None:
    number = await messenger.send(person.id, Message("<b>Good</b> &amp; well", ROWS, silent=True))
    assert (person.last.id, person.last.text) == (number, "Good & well")
    (sent,) = telegram.asked("sendMessage")
    assert sent.params["disable_notification"] in (True, "true")
    assert "danger" in str(sent.params["reply_markup"])
    assert not telegram.complaints


async def test_an_edit_that_changes_nothing_is_fine(messenger: TelegramMessenger, person: Person) -> None:
    number = await messenger.send(person.id, Message("one"))
    await messenger.edit(person.id, number, Message("one"))
    await messenger.edit(person.id, number, Message("two", ROWS))
    assert person.heard == ["two"]
    with pytest.raises(DeliveryError) as failed:
        await messenger.edit(person.id, 999_999, Message("calf"))
    assert failed.value.fate is Fate.REFUSED


async def test_a_figure_is_uploaded_once_and_changed_in_place(
    telegram: Sandbox, messenger: TelegramMessenger, person: Person
) -> None:
    number = await messenger.send(person.id, Message("step one", figure="calf"))
    await messenger.send(person.id, Message("again", figure="calf"))
    await messenger.edit(person.id, number, Message("step two", ROWS, figure="thigh"))
    assert not telegram.complaints
    uploads = [
        len(each.files) for each in telegram.requests if each.method in ("sendPhoto", "editMessageMedia")
    ]
    assert uploads == [1, 0, 1]
    await messenger.edit(person.id, number, Message("done"))
    assert [message.text for message in person.messages if message.from_bot] == [
        "done",
        "again",
    ]


async def test_long_words_go_below_their_picture(messenger: TelegramMessenger, person: Person) -> None:
    text = "<b>x</b>" * 1025
    assert not fits_caption(text)
    assert fits_caption("<b>x</b>" * 1024)
    number = await messenger.send(person.id, Message(text, ROWS, figure="calf"))
    assert (person.last.id, person.last.text) == (number, "x" * 1025)


async def test_words_do_not_wait_for_a_missing_picture(messenger: TelegramMessenger, person: Person) -> None:
    await messenger.send(person.id, Message("words", figure="no_such"))
    assert person.last.text == "words"


async def test_refused_markup_goes_out_bare(messenger: TelegramMessenger, person: Person) -> None:
    await messenger.send(person.id, Message("<b>call &amp; wait"))
    assert person.last.text == "call & wait"


async def test_a_number_and_a_place(telegram: Sandbox, messenger: TelegramMessenger, person: Person) -> None:
    await messenger.send(person.id, Contact("Emergency", "112"))
    await messenger.send(person.id, Message("Where?", keyboard="location", keyboard_text="Share my place"))
    await messenger.send(person.id, Message("Thanks", keyboard="remove"))
    assert telegram.asked("sendContact")
    assert not telegram.complaints


async def test_every_trouble_has_its_fate(
    telegram: Sandbox, messenger: TelegramMessenger, person: Person
) -> None:
    telegram.faults.add(Fault("retry_after", "sendMessage", seconds=7))
    waiting = await failure(messenger, person, Message("calf"))
    assert (waiting.fate, waiting.retry_after) == (Fate.WAIT, 7)
    for kind in ("close", "garbage", "status"):
        telegram.faults.add(Fault(kind, "sendMessage"))
        assert (await failure(messenger, person, Message("calf"))).fate is Fate.UNKNOWN
    await person.block()
    assert (await failure(messenger, person, Message("calf"))).fate is Fate.BLOCKED


async def test_an_old_press_is_past_helping(messenger: TelegramMessenger) -> None:
    await messenger.answer("12345", "Saved")


async def test_only_what_goes_in_bulk_asks_to_be_paid_for(
    telegram: Sandbox, person: Person, tmp_path: Path
) -> None:
    (tmp_path / "calf.svg").write_text(SVG, encoding="utf-8")
    async with make_bot(TOKEN, telegram.url) as bot:
        paid = TelegramMessenger(bot, tmp_path, paid=True)
        for messenger in (
            paid.in_bulk(),
            paid,
            paid.in_earnest(),
            TelegramMessenger(bot, tmp_path).in_bulk(),
        ):
            await messenger.send(person.id, Message("words"))
            await messenger.send(person.id, Message("words", figure="calf"))
    for method in ("sendMessage", "sendPhoto"):
        asked = ["allow_paid_broadcast" in request.params for request in telegram.asked(method)]
        assert asked == [True, False, False, False]


async def test_a_turn_serves_the_next_message_or_goes_back(
    telegram: Sandbox, person: Person, tmp_path: Path
) -> None:
    async with make_bot(TOKEN, telegram.url) as bot:
        messenger = TelegramMessenger(bot, tmp_path, SendBudget(1))
        async with messenger.turn(person.id):
            pass
        async with asyncio.timeout(0.9), messenger.turn(person.id):
            await messenger.send(person.id, Message("first"))
        began = time.monotonic()
        await messenger.send(person.id, Message("second"))
        assert time.monotonic() - began > 0.9
