"""The two questions about mood: once a month, in the check-in, never beside something grave."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from bot.model import CheckIn
from bot.rules import questionnaire
from content.loader import load
from tests.conversation import Conversation, Person, buttons, heard
from tests.known import CLOT, patient_of

CONTENT = load()
SHAPE = CONTENT.checkin
FIRST = CONTENT.questions["interest"].first_after_nights
EVERY = CONTENT.questions["interest"].every_nights or 0
JOINED = date(2026, 11, 1)
INTEREST = CONTENT.question_words["interest"].ask
LOW = CONTENT.question_words["low"].ask
OPTIONS = CONTENT.questions["interest"].options


# --- the rules -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "night", "is_due"),
    [
        (None, JOINED + timedelta(days=FIRST - 1), False),
        (None, JOINED + timedelta(days=FIRST), True),
        (JOINED, JOINED + timedelta(days=27), False),
        (JOINED, JOINED + timedelta(days=28), True),
    ],
)
def test_the_questions_about_mood_have_their_turn(last: date | None, night: date, is_due: bool) -> None:
    asked = {} if last is None else {"interest": last}
    assert ("interest" in questionnaire.due(SHAPE, asked, JOINED, night)) is is_due


def test_the_score_is_the_sum_and_unknown_until_both_are_answered() -> None:
    night = CheckIn(JOINED, interest="most_days")
    assert questionnaire.score(SHAPE, night, "mood") is None
    assert questionnaire.score(SHAPE, CheckIn(JOINED, interest="most_days", low="every_day"), "mood") == 5
    assert questionnaire.score(SHAPE, CheckIn(JOINED, interest="not_at_all", low="not_at_all"), "mood") == 0


# --- the conversation ----------------------------------------------------------------------------------


async def good_mornings(talk: Conversation, ada: Person, days: int) -> None:
    """Let so many mornings pass, each answered with two taps."""
    for _ in range(days):
        await talk.until(time(8, 30))
        await quiet_night(talk, ada)


async def quiet_night(talk: Conversation, ada: Person) -> None:
    for press in ("pain:+p0", "signs:+none"):
        await talk.press(ada, f"{tonight(ada)}:{press}", None)


def tonight(ada: Person) -> str:
    """What the buttons of the newest check-in begin with."""
    return ":".join(next(code for code in buttons(ada) if code.startswith("ci:")).split(":")[:2])


async def until_asked(talk: Conversation) -> Person:
    """Return somebody whose newest check-in has come to the questions about mood."""
    ada = await talk.patient()
    await talk.later(days=FIRST)
    await talk.until(time(8, 30))
    await quiet_night(talk, ada)
    assert INTEREST in ada.last.text
    return ada


async def answer(talk: Conversation, ada: Person, *options: str) -> None:
    for question, option in zip(("interest", "low"), options, strict=True):
        await talk.press(ada, f"{tonight(ada)}:{question}:+{option}", None)


async def test_mood_is_not_asked_in_the_first_days(talk: Conversation) -> None:
    ada = await talk.patient()
    await good_mornings(talk, ada, 2)
    assert INTEREST not in heard(ada)


async def test_low_answers_bring_one_card_with_the_crisis_line(talk: Conversation) -> None:
    ada = await until_asked(talk)
    await answer(talk, ada, "most_days", "some_days")
    await talk.later(minutes=1)
    card = next(one for one in ada.messages if CONTENT.pattern_words["P20"].action in one.text)
    assert "116 123" in card.text, "the crisis line of the country"
    assert "My doctor knows about this" in card.buttons


async def test_answers_just_below_bring_no_card(talk: Conversation) -> None:
    ada = await until_asked(talk)
    await answer(talk, ada, "some_days", "some_days")
    await talk.later(minutes=1)
    assert CONTENT.pattern_words["P20"].action not in heard(ada)
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        saved = (await store.diary(patient.id, date(2026, 11, 1), date(2027, 1, 1)))[-1]
    assert (saved.interest, saved.low) == ("some_days", "some_days")


async def test_the_same_words_typed_twice_are_no_answer_to_the_second_question(talk: Conversation) -> None:
    ada = await until_asked(talk)
    said = await talk.say(ada, "On some days")
    assert LOW in said[-1].text
    said = await talk.say(ada, "on some days")
    assert "Please tap an answer below" in said[0].text, "handled again after a lost reply it looks the same"
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        saved = (await store.diary(patient.id, date(2026, 11, 1), date(2027, 1, 1)))[-1]
    assert (saved.interest, saved.low) == ("some_days", None)


async def test_a_skip_skips_both_and_asks_no_more_this_month(talk: Conversation) -> None:
    ada = await until_asked(talk)
    await talk.press(ada, f"{tonight(ada)}:skip:interest", None)
    assert LOW not in heard(ada)
    assert "Saved" in heard(ada)
    ada.mark()
    await good_mornings(talk, ada, 2)
    assert all(INTEREST not in message.text for message in ada.since())


async def test_a_month_later_it_is_asked_again(talk: Conversation) -> None:
    ada = await until_asked(talk)
    await answer(talk, ada, "not_at_all", "not_at_all")
    ada.mark()
    await talk.later(days=EVERY - 1)
    await talk.until(time(8, 30))
    await quiet_night(talk, ada)
    assert INTEREST in ada.last.text


async def test_mood_is_not_asked_while_something_grave_is_open(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.later(days=FIRST)
    await talk.say(ada, CLOT)
    await talk.until(time(8, 30))
    await quiet_night(talk, ada)
    assert INTEREST not in heard(ada)
