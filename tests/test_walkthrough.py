"""Ways through the product that people took: what each of them must hear, at that moment."""

from __future__ import annotations

from datetime import time

import pytest

from bot.model import CheckIn
from tests.conversation import Conversation, Person
from tests.known import patient_of

FOOT = "my right foot has gone stone cold and white"


async def diary(talk: Conversation, person: Person) -> list[CheckIn]:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return await store.diary(patient.id, talk.now.date().replace(day=1), talk.now.date())


# --- woken by a cramp --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["HELP CRAMP IN MY LEG IT HURTS SO BAD", "ive got a terrible cramp in my calf", "cramp"]
)
async def test_a_cramp_typed_at_night_gets_help_not_a_questionnaire(talk: Conversation, typed: str) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 2))
    said = await talk.say(ada, typed)
    assert "slowly pull your foot up" in said[0].text
    assert "It let go. Note it down" in said[0].buttons
    assert not await diary(talk, ada), "nothing is filled in for the night before"


async def test_a_cramp_typed_while_a_leg_must_not_be_stretched(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my left calf is swollen and warm since yesterday")
    await talk.until(time(3, 2))
    said = await talk.say(ada, "cramp in my leg")
    assert any("Do not stretch or rub this leg" in one.text for one in said)


async def test_a_cramp_with_a_score_or_by_day_is_about_the_night(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(9, 0))
    said = await talk.say(ada, "had a bad cramp")
    assert "This is what I understood" in said[-1].text


async def test_a_bare_no_at_the_check_in_shows_where_to_tap(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(8, 31))
    await talk.press(ada, "4", None)
    said = await talk.say(ada, "no")
    assert "tap an answer below" in said[0].text
    assert "Hard cramp" in said[0].buttons
    await talk.press(ada, "Hard cramp", None)
    assert "✓ Hard cramp" in ada.last.buttons


# --- talking back at a warning -----------------------------------------------------------------------


async def test_whether_it_can_wait_is_answered_with_the_warning(talk: Conversation) -> None:
    bert = await talk.patient("Bert")
    await talk.say(bert, FOOT)
    said = await talk.say(bert, "are you sure? can i wait till morning")
    assert "it still stands" in said[0].text
    assert "999" in said[0].text


async def test_thanks_for_a_warning_lead_to_what_came_of_it(talk: Conversation) -> None:
    bert = await talk.patient("Bert")
    await talk.say(bert, FOOT)
    said = await talk.say(bert, "thank you love")
    assert "What came of it?" in said[0].text
    assert "I am with help, or have been seen" in said[0].buttons


async def test_a_despairing_person_who_goes_on_writing_keeps_the_crisis_line(talk: Conversation) -> None:
    sam = await talk.patient("Sam")
    await talk.say(sam, "i cant do this anymore")
    said = await talk.say(sam, "i just want it to be over, whats the point")
    assert "116 123" in said[-1].text
    said = await talk.say(sam, "better now, sorry")
    assert "How are you now?" in said[-1].text
    assert "how your night was" not in said[-1].text


async def test_what_waited_behind_a_warning_comes_after_the_thanks(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my left calf is swollen and warm since yesterday")
    await talk.press(ada, "I have read this", None)
    await talk.say(ada, "i take pramipexole and now I gamble every night online")
    await talk.until(time(8, 31))
    await talk.press(ada, "I have been seen by someone", "I am glad that you were seen")
    assert "I am glad that you were seen" in ada.last.text
    await talk.later(minutes=2)
    assert any("Tell the person who prescribes it" in text for text in ada.heard)


async def test_silence_is_not_taken_for_a_pregnancy(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "my calf is still sore")
    assert "Is it one of these" in said[0].text
    await talk.until(time(8, 31))
    await talk.later(seconds=1)
    cards = [text for text in ada.heard if "Be seen today" in text]
    assert cards
    assert not any("maternity" in text for text in cards)


async def test_an_unread_card_is_not_said_twice_in_one_morning(talk: Conversation) -> None:
    lucy = await talk.patient("Lucy")
    await talk.later(hours=1)
    await talk.say(lucy, "my left calf is swollen and warm since yesterday")
    for hour, minute in ((20, 31), (7, 59), (8, 1), (8, 31), (9, 30)):
        await talk.until(time(hour, minute))
    repeats = [one for one in lucy.heard if "I have not heard from you" in one]
    assert len(repeats) == 1
    await talk.until(time(8, 31))
    assert len([one for one in lucy.heard if "I have not heard from you" in one]) == 2


# --- a man in Brazil ---------------------------------------------------------------------------------


async def test_times_and_days_read_as_where_the_patient_lives(talk: Conversation) -> None:
    carlos = await talk.newcomer("Carlos", language="pt")
    await talk.press(carlos, "en:yes:", "Which country")
    for typed in ("Brasil", "São Paulo", "21h30", "7h"):
        await talk.say(carlos, typed)
    await talk.press(carlos, "en:profile:later", "You are all set")
    shown = (await talk.say(carlos, "/settings"))[0].text
    assert "Evening message: 21:30" in shown
    assert "PM" not in shown
    joe = await talk.patient("Joe", country="US", prompt="2130", zone="America/New_York")
    assert "Evening message: 9:30 PM" in (await talk.say(joe, "/settings"))[0].text


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("stop", "/stop: stop all messages"),
        ("Stop messaging me.", "/stop: stop all messages"),
        ("delete my data", "/erase: delete everything"),
        ("settings", "/settings: times"),
    ],
)
async def test_a_bare_command_word_is_pointed_to_its_command(
    talk: Conversation, typed: str, answer: str
) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, typed)
    assert len(said) == 1
    assert answer in said[0].text


async def test_no_courtesy_stands_before_what_came_of_a_warning(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my left leg is swollen and hot")
    for typed in ("thank you", "stop"):
        said = await talk.say(ada, typed)
        assert "What came of it?" in said[0].text
