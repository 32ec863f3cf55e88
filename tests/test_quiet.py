"""Nobody answers: one gentle question, then nothing until they write; what is grave goes on."""

from __future__ import annotations

from datetime import time

from tests.conversation import Conversation, Person

ASKED = "I have not heard from you for some days"


def kinds(person: Person) -> list[str]:
    return ["check" if ASKED in text else "other" for text in person.heard]


async def days(talk: Conversation, count: int) -> None:
    for _ in range(count):
        await talk.until(time(8, 30))
        await talk.until(time(20, 30))


async def test_after_two_silent_mornings_one_question_and_then_nothing(talk: Conversation) -> None:
    ada = await talk.patient()
    await days(talk, 2)
    assert "check" not in kinds(ada)
    await talk.until(time(8, 30))
    assert ASKED in ada.last.text
    before = len(ada.heard)
    await days(talk, 5)
    assert len(ada.heard) == before


async def test_a_tap_goes_on_with_last_night_and_the_evening(talk: Conversation) -> None:
    ada = await talk.patient()
    await days(talk, 2)
    await talk.until(time(8, 30))
    await talk.press(ada, "Go on: about last night", "How were your legs")
    await talk.until(time(20, 30))
    assert "Good evening" in ada.last.text
    await talk.until(time(8, 30))
    assert "Good morning" in ada.last.text


async def test_a_word_long_after_goes_on_too(talk: Conversation) -> None:
    ada = await talk.patient()
    await days(talk, 10)
    await talk.say(ada, "/next")
    await talk.until(time(20, 30))
    assert "Good evening" in ada.last.text


async def test_a_pressed_evening_is_an_answer(talk: Conversation) -> None:
    ada = await talk.patient()
    for _ in range(5):
        await talk.until(time(20, 30))
        await talk.press(ada, "Not tonight", None)
        await talk.until(time(8, 30))
    assert "check" not in kinds(ada)


async def test_silence_changes_nothing_while_something_grave_is_open(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my left leg is swollen and hot")
    await days(talk, 6)
    assert "check" not in kinds(ada)
