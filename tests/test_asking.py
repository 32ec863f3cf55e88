"""Exact questions: what one answer settles, and what it leaves to be asked or said."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.flows.asking import codes_behind, put_question
from bot.model import Asking
from content.loader import load
from tests.conversation import Conversation, Person
from tests.known import open_rules, patient_of

CONTENT = load()
NUMB = "My right foot is numb"
THINNER = "My legs have been getting thinner and weaker slowly over months"


async def waiting(talk: Conversation, person: Person) -> list[Asking]:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return await store.open_askings(patient.id)


async def silence(talk: Conversation) -> None:
    """Let the time of an emergency question pass, and its card go out."""
    await talk.later(minutes=16)
    await talk.later(seconds=1)


async def taken_back(talk: Conversation, person: Person) -> None:
    """Press "by mistake" under the newest card and answer its exact question no."""
    await talk.press(person, "I pressed that by mistake", None)
    await talk.press(person, "No", "taken it back")


# --- a mis-tap leaves the others -------------------------------------------------------------------------


@pytest.mark.parametrize("unsure", [True, False])
async def test_a_card_taken_back_leaves_the_rows_nobody_answered(talk: Conversation, unsure: bool) -> None:
    ada = await talk.patient()
    await talk.say(ada, NUMB)
    asked = (await waiting(talk, ada))[0].rules
    if unsure:
        await talk.press(ada, "Not sure", None)
    else:
        await silence(talk)
    assert await open_rules(talk, ada) == {asked[0]}
    await taken_back(talk, ada)
    assert [one.rules for one in await waiting(talk, ada)] == [asked[1:]]
    assert CONTENT.red_flag_words[asked[1]].line in ada.last.text
    await silence(talk)
    assert await open_rules(talk, ada) == {"E4"}, "E7 hangs on a health question that nobody answered"


async def test_each_card_taken_back_asks_fewer_until_none_is_left(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, NUMB)
    for _ in range(len((await waiting(talk, ada))[0].rules)):
        await talk.press(ada, "Not sure", None)
        await taken_back(talk, ada)
    assert await waiting(talk, ada) == []
    assert await open_rules(talk, ada) == set()


# --- what a no leaves ------------------------------------------------------------------------------------


async def test_no_to_the_graver_row_leaves_the_lower_one(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, THINNER)
    await talk.press(ada, "No", "noted: no")
    assert await open_rules(talk, ada) == {"S5"}


async def test_a_graver_row_taken_back_leaves_the_lower_one(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, THINNER)
    await talk.press(ada, "Not sure", None)
    assert await open_rules(talk, ada) == {"E6"}
    await taken_back(talk, ada)
    assert await open_rules(talk, ada) == {"S5"}


async def test_all_that_was_said_is_kept_beside_its_question(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, THINNER)
    codes = codes_behind(CONTENT, (await waiting(talk, ada))[0])
    assert {"sign:both_legs_weak", "sign:leg_thinner", "sign:slow_weakness"} <= set(codes)


async def test_another_report_does_not_take_the_place_of_rows_it_does_not_ask(talk: Conversation) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    night = talk.now.date() - timedelta(days=1)
    async with talk.app.database.transaction() as store:
        for origin, rules in (("one", ("E3", "U7")), ("two", ("E7",)), ("three", ("E7", "E4"))):
            await put_question(talk.app.services, store, patient, night, "words:", rules, False, origin)
    assert [one.rules for one in await waiting(talk, ada)] == [("E3", "U7"), ("E7", "E4")]


async def test_what_a_question_is_about_is_not_stretched_while_it_waits(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/urgent")
    await talk.press(ada, f"ur:{CONTENT.red_flags['U1'].area}", None)
    await talk.press(ada, f"ur:{CONTENT.red_flags['U1'].area}:U1", None)
    await talk.until(time(20, 30))
    prompt = next(one for one in reversed(ada.messages) if "Good evening" in one.text)
    assert "Stretch." not in prompt.text
    said = (await talk.say(ada, "/cramp"))[-1]
    assert "Do not stretch or rub this leg" in said.text


async def test_words_that_led_to_a_card_are_not_said_to_be_unclear(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(8, 30))
    said = await talk.say(ada, "my leg is getting thinner")
    assert said[0].text.startswith(CONTENT.red_flag_words["S5"].action)
    assert not [one.text for one in said if "not sure what you mean" in one.text]


async def test_what_one_has_oneself_does_not_answer_for_somebody_else(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my legs are both numb between the legs and weak")
    await talk.say(ada, "My mums right foot is numb")
    asked = [one for one in await waiting(talk, ada) if one.about_other]
    assert asked
    await talk.press(ada, f"ak:{asked[-1].id}:unsure", None)
    await taken_back(talk, ada)
    left = [rule for one in await waiting(talk, ada) if one.about_other for rule in one.rules]
    assert "E4" in await open_rules(talk, ada)
    assert "E4" in left
