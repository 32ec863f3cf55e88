"""A cramp right now: what to do in forty words, filed with one tap; too long a cramp raises the card."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.model import Episode
from content.loader import load
from tests.conversation import LONDON, Conversation, Person, heard
from tests.known import CLOT, answer_profile, open_rules, pardon_captions, patient_of, reads, tonight

CONTENT = load()
GONE, STILL_ON = "It let go. Note it down", "It will not let go"


async def episodes(talk: Conversation, person: Person) -> list[Episode]:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return await store.episodes(patient.id, talk.now.date() - timedelta(days=7))


@pytest.mark.parametrize("healthy", [True, False])
async def test_what_to_do_now_in_forty_words_with_a_picture(talk: Conversation, healthy: bool) -> None:
    ada = await talk.patient()
    if healthy:
        await answer_profile(talk, ada)
    said = (await talk.say(ada, "/cramp"))[-1]
    assert len(said.text.split()) <= 40
    assert said.photo
    assert ("Rub the muscle" in said.text) == healthy, "rubbing only when nothing speaks against it"
    assert said.buttons == [GONE, STILL_ON]


async def test_one_tap_files_it_for_the_night_it_was_asked_in(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 10))
    night = await tonight(talk, ada)
    await talk.say(ada, "/cramp")
    await talk.until(time(13, 0))
    await talk.press(ada, GONE, "Noted at 03:10")
    found = await episodes(talk, ada)
    assert [(one.night, one.at.astimezone(LONDON).hour) for one in found] == [(night, 3)]
    pardon_captions(talk)


async def test_a_double_tap_files_once(talk: Conversation) -> None:
    ada = await talk.patient()
    page = (await talk.say(ada, "/cramp"))[-1]
    data = page.keyboard[0][0]["callback_data"]
    await ada.press(page, data)
    await ada.press(page, data, stale=True)
    await talk.settled()
    await talk.restart()
    await ada.press(page, data, stale=True)
    await talk.settled()
    assert len(await episodes(talk, ada)) == 1
    pardon_captions(talk)


@pytest.mark.parametrize("side_first", [True, False])
async def test_side_and_length_in_either_order(talk: Conversation, side_first: bool) -> None:
    ada = await talk.patient()
    page = (await talk.say(ada, "/cramp"))[-1]
    await talk.press(ada, GONE)
    presses = ["Left", "1 to 5 min"] if side_first else ["1 to 5 min", "Left"]
    await talk.press(ada, presses[0])
    assert f"✓ {presses[0]}" in reads(ada, page).buttons
    await talk.press(ada, presses[1], "Thank you, noted")
    found = (await episodes(talk, ada))[0]
    assert (found.side, found.longest) == ("left", "to_5")
    pardon_captions(talk)


async def test_neither_need_be_told(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/cramp")
    await talk.press(ada, GONE)
    await talk.press(ada, "Done", "Thank you, noted")
    assert len(await episodes(talk, ada)) == 1
    pardon_captions(talk)


async def test_over_ten_minutes_raises_the_card_once(talk: Conversation) -> None:
    ada = await talk.patient()
    page = (await talk.say(ada, "/cramp"))[-1]
    await talk.press(ada, GONE)
    await talk.press(ada, "Left")
    data = next(
        button["callback_data"]
        for row in reads(ada, page).keyboard
        for button in row
        if button["text"] == "Over 10 min"
    )
    await talk.press(ada, "Over 10 min")
    await ada.press(page, data, stale=True)
    await talk.settled()
    assert await open_rules(talk, ada) == {"U13"}
    action = talk.app.services.content("en").red_flag_words["U13"].action
    assert heard(ada).count(action) == 1
    pardon_captions(talk)


async def test_it_will_not_let_go_asks_the_exact_question(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/cramp")
    before = len(ada.heard)
    await talk.press(ada, STILL_ON)
    await talk.later(seconds=6)
    said = ada.heard[before:]
    assert "Keep the knee straight" in said[0], "what helps goes first"
    assert "999" in said[0]
    assert ["new or worse than your usual" in one for one in said] == [False, True]


async def test_a_suspected_clot_is_neither_stretched_nor_rubbed(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    await talk.say(ada, CLOT)
    before = {one.id for one in ada.messages}
    said = (await talk.say(ada, "/cramp"))[-1]
    assert "Do not stretch or rub this leg" in said.text
    assert "999" in said.text
    assert not said.photo
    await talk.press(ada, STILL_ON)
    fresh = "\n".join(one.text for one in ada.messages if one.from_bot and one.id not in before)
    assert "Keep the knee straight" not in fresh
    assert "Keep it still" in fresh


async def test_somebody_elses_or_nonsense_buttons_do_nothing(talk: Conversation) -> None:
    ada, bob = await talk.patient(), await talk.patient("Bob")
    await talk.say(ada, "/cramp")
    await talk.press(ada, GONE)
    episode = (await episodes(talk, ada))[0].id
    page = (await talk.say(bob, "/cramp"))[-1]
    for data in (f"cr:side:{episode}:right", "cr:side:999999999:left", "cr:what", "cr:side:x:²"):
        await bob.press(page, data, stale=True)
        await talk.settled()
    assert (await episodes(talk, ada))[0].side is None
    assert "Something went wrong" not in heard(bob)
    pardon_captions(talk)


async def test_a_stranger_gets_the_release_and_the_number(talk: Conversation) -> None:
    eve = talk.telegram.person("Eve")
    said = (await talk.say(eve, "/cramp"))[-1]
    assert "Straighten the knee" in said.text
    assert "Rub" not in said.text
    assert not said.buttons


async def test_buttons_stay_short_after_a_million_episodes(talk: Conversation) -> None:
    words = talk.app.services.content("en").question_words["longest"].options
    assert all(len(f"cr:long:{10**12}:{code}".encode()) <= 64 for code in words)


async def test_a_cramp_that_let_go_after_all_leaves_no_card_for_the_morning(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    await talk.say(ada, "/cramp")
    await talk.press(ada, STILL_ON)
    await talk.press(ada, GONE)
    await talk.press(ada, "1 to 5 min")
    await talk.until(time(8, 30))
    assert await open_rules(talk, ada) == set()
    pardon_captions(talk)


async def test_letting_go_in_time_answers_the_cramp_and_leaves_the_leg(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    await talk.say(ada, "/cramp")
    await talk.press(ada, STILL_ON)
    await talk.later(seconds=6)
    await talk.press(ada, GONE)
    assert CONTENT.red_flag_words["U1"].question in heard(ada)
    await talk.until(time(8, 30))
    await talk.later(seconds=1)
    assert await open_rules(talk, ada) == {"U1"}, "a skip is not a no"
    pardon_captions(talk)


async def test_letting_go_late_does_not_answer_how_long_it_lasted(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    await talk.say(ada, "/cramp")
    await talk.press(ada, STILL_ON)
    await talk.later(minutes=CONTENT.timing.cramp_lasts_minutes, seconds=5)
    await talk.press(ada, GONE)
    await talk.until(time(8, 30))
    await talk.later(seconds=1)
    assert await open_rules(talk, ada) == {"U13"}
    pardon_captions(talk)


async def test_a_cramp_told_at_night_gets_what_helps_before_the_question(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 30))
    before = len(ada.heard)
    await talk.say(ada, "my calf cramp will not let go")
    await talk.later(seconds=6)
    said = ada.heard[before:]
    assert "Straighten the knee" in said[0]
    assert CONTENT.red_flag_words["U13"].line in said[1]
    await talk.press(ada, GONE)
    assert CONTENT.red_flag_words["U13"].line not in ada.last.text, "that is answered"
    pardon_captions(talk)
