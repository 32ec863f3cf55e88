"""A check-in less often than every morning: on its day, planned once; what is grave goes on."""

from __future__ import annotations

from datetime import date, time, timedelta

from bot.model import Kind
from tests.conversation import Conversation, Person, buttons, heard
from tests.known import planned
from tests.test_quiet import ASKED

GREETING = "Good morning"


async def less_often(talk: Conversation, days: int) -> Person:
    """Return somebody who joined on Friday 20 November and is asked every so many days."""
    ada = await talk.patient()
    await talk.say(ada, "/settings")
    await talk.press(ada, "se:page:every")
    await talk.press(ada, f"se:every:{days}", f"every {days} days")
    return ada


async def mornings(talk: Conversation, person: Person, count: int) -> list[date]:
    """Let so many days go by and return on which of them the check-in came."""
    came = []
    for _ in range(count):
        before = len(person.heard)
        await talk.until(time(8, 30))
        if any(GREETING in text for text in person.heard[before:]):
            came.append(talk.now.date())
        await talk.until(time(20, 30))
    return came


async def test_once_a_week_it_comes_on_one_day_and_the_evening_every_day(talk: Conversation) -> None:
    ada = await less_often(talk, 7)
    before = heard(ada).count("Good evening")
    assert await mornings(talk, ada, 8) == [date(2026, 11, 27)]
    assert heard(ada).count("Good evening") - before == 8


async def test_next_shows_the_days_on_which_it_comes(talk: Conversation) -> None:
    ada = await less_often(talk, 7)
    said = await talk.say(ada, "/next")
    asked = [line for line in said[0].text.splitlines() if "08:30" in line]
    assert [line.partition(":")[0] for line in asked] == ["Friday 27 Nov"]


async def test_what_is_planned_a_month_ahead_is_not_planned_again(talk: Conversation) -> None:
    ada = await less_often(talk, 28)
    due = (await planned(talk, ada))[Kind.CHECKIN]
    assert due.date() == date(2026, 12, 18)
    assert await talk.app._upkeep.walk() == 0
    assert (await planned(talk, ada))[Kind.CHECKIN] == due


async def test_the_answer_names_the_day_of_the_next_one(talk: Conversation) -> None:
    ada = await less_often(talk, 28)
    assert "every 28 days, next on Friday 18 Dec" in ada.last.text


async def test_every_morning_again_begins_with_the_next_one(talk: Conversation) -> None:
    ada = await less_often(talk, 28)
    await talk.press(ada, "se:page:every")
    await talk.press(ada, "se:every:1", "every morning")
    assert (await planned(talk, ada))[Kind.CHECKIN].date() == date(2026, 11, 21)


async def test_an_interval_that_is_not_offered_changes_nothing(talk: Conversation) -> None:
    ada = await less_often(talk, 7)
    for data in ("se:every:5", "se:every:0", "se:every:", "se:every:x"):
        await ada.press(ada.last, data, stale=True)
    await talk.settled()
    assert (await planned(talk, ada))[Kind.CHECKIN].date() == date(2026, 11, 27)
    assert "Something went wrong" not in heard(ada)


async def test_two_unanswered_ones_bring_the_question_whether_to_go_on(talk: Conversation) -> None:
    ada = await less_often(talk, 3)
    assert await mornings(talk, ada, 7) == [date(2026, 11, 23), date(2026, 11, 26)]
    assert ASKED not in heard(ada)
    await mornings(talk, ada, 2)
    assert ASKED in heard(ada)


async def test_a_warning_is_followed_up_all_the_same(talk: Conversation) -> None:
    ada = await less_often(talk, 28)
    await talk.say(ada, "my left leg is swollen and hot")
    await talk.press(ada, "I have read this", None)
    before = len(ada.heard)
    for _ in range(2):
        await talk.until(time(8, 30))
        await talk.until(time(20, 30))
    assert any("What came of it?" in text for text in ada.heard[before:])


async def test_another_night_can_be_told_in_between(talk: Conversation) -> None:
    ada = await less_often(talk, 28)
    await talk.until(time(9, 0))
    said = await talk.say(ada, "6/10, both calves")
    assert any("Worst moment: 6" in message.text for message in said)
    assert (await planned(talk, ada))[Kind.CHECKIN] - talk.now > timedelta(days=20)


async def test_the_way_there_has_a_way_back(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/settings")
    await talk.press(ada, "se:page:every", "How often shall I ask")
    assert [press for press in buttons(ada) if press.startswith("se:every:")] == [
        "se:every:1", "se:every:3", "se:every:7", "se:every:28",
    ]  # fmt: skip
    await talk.press(ada, "se:page:overview", "Your settings")
