"""What came of a warning: said by button or in words, of oneself or of somebody else."""

from __future__ import annotations

import re
from datetime import time

import pytest

from content.loader import load
from content.schema import Level
from tests.conversation import Conversation, Person, newest_with
from tests.known import open_rules

CONTENT = load()


async def ticked(talk: Conversation, option: str) -> Person:
    """Return somebody who ticked a warning sign in the Saturday's check-in and has read the card."""
    ada = await talk.patient()
    await talk.until(time(8, 30))
    await talk.press(ada, "ci:261120:pain:+p0", None)
    await talk.press(ada, f"ci:261120:signs:+{option}", None)
    await talk.press(ada, "I have read this", None)
    return ada


async def said(talk: Conversation, *texts: str) -> Person:
    """Return somebody who typed these messages."""
    ada = await talk.patient()
    for text in texts:
        await talk.say(ada, text)
    return ada


# --- nobody to be reached --------------------------------------------------------------------------------


async def test_who_cannot_reach_anyone_in_an_emergency_gets_the_emergency_number_alone(
    talk: Conversation,
) -> None:
    ada = await ticked(talk, "chest")
    await talk.until(time(20, 30))
    await talk.press(ada, "I cannot reach anyone", "I need help now")
    assert "999" in ada.last.text
    assert "111" not in ada.last.text


async def test_who_cannot_reach_anyone_in_despair_gets_the_crisis_line_first(talk: Conversation) -> None:
    ada = await said(talk, "I want to kill myself")
    await talk.press(ada, "I have read this", None)
    await talk.until(time(8, 31))
    await talk.press(ada, "I cannot reach anyone", "116 123")
    assert ada.last.text.index("116 123") < ada.last.text.index("999")
    assert "111\n" not in ada.last.text
    assert CONTENT.red_flag_words["E23"].line not in ada.last.text, "nobody has to say that to a stranger"


async def test_who_cannot_reach_anyone_about_today_gets_the_health_line_first(talk: Conversation) -> None:
    ada = await ticked(talk, "leg_swollen")
    await talk.until(time(20, 30))
    await talk.press(ada, "I cannot reach anyone", "I was told to be seen today")
    assert ada.last.text.index("111") < ada.last.text.index("999")


# --- said in words ---------------------------------------------------------------------------------------

WORRIES = "What worries you?"


@pytest.mark.parametrize(
    "words", ["I called 999", "ambulance is here", "been to A&E, all clear", "ambulance"]
)
async def test_who_has_acted_is_asked_what_came_of_it_and_not_what_worries_them(
    talk: Conversation, words: str
) -> None:
    ada = await ticked(talk, "chest")
    heard = await talk.say(ada, words)
    assert "What came of it?" in heard[0].text
    assert "I have called / I am going" in heard[0].buttons
    assert not [one for one in heard if WORRIES in one.text]
    await talk.press(ada, "Something else worries me", WORRIES)
    assert "What came of it?" in heard[0].text, "and the question is still there"
    await talk.press(ada, "I am with help, or have been seen", None)
    assert await open_rules(talk, ada) == set()


async def test_who_has_been_seen_is_not_asked_what_worries_them(talk: Conversation) -> None:
    ada = await ticked(talk, "leg_swollen")
    heard = await talk.say(ada, "I have seen the doctor about it")
    assert ["What came of it?" in one.text for one in heard] == [True], [one.text for one in heard]


async def test_a_cry_beside_something_less_than_an_emergency_gets_both(talk: Conversation) -> None:
    ada = await ticked(talk, "leg_swollen")
    heard = await talk.say(ada, "help")
    assert "What came of it?" in heard[0].text
    assert WORRIES in heard[1].text


# --- somebody else's matter ------------------------------------------------------------------------------

MUM = "My mums left leg has gone pale and icy cold"


@pytest.mark.parametrize("words", ["cant sleep legs wont stay still", "ok"])
async def test_a_carers_own_words_are_not_answered_with_somebody_elses_matter(
    talk: Conversation, words: str
) -> None:
    ada = await said(talk, MUM)
    assert await open_rules(talk, ada) == {"E3"}
    heard = await talk.say(ada, words)
    assert not [one for one in heard if "What came of it?" in one.text]


async def test_what_came_of_somebody_elses_matter_says_whose_it_is(talk: Conversation) -> None:
    ada = await said(talk, MUM)
    heard = await talk.say(ada, "the ambulance is here")
    assert "you told me about somebody else" in heard[0].text
    await talk.press(ada, "I cannot reach anyone", "I am calling for somebody else")
    heard = await talk.say(ada, "can it wait until morning?")
    assert "about the other person" in heard[0].text


# --- somebody else's despair -----------------------------------------------------------------------------

YOURS = re.compile(
    r"\b(you could use|ending your life|hurting yourself|yourself safe|you are in danger|you need a person"
    r"|you are hurt|are you safe|i am safe|stay alone|good that you)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("my husband says he wants to die", "E23"),
        ("my daughter wants to kill herself", "E23"),
        ("my wife says life is not worth living because of the pain", "U22"),
    ],
)
async def test_despair_of_somebody_else_never_speaks_to_the_reader_as_their_own(
    talk: Conversation, words: str, rule: str
) -> None:
    ada = await talk.patient()
    before = len(ada.messages)
    await talk.say(ada, words)
    if not await open_rules(talk, ada):
        await talk.press(ada, "Yes", None)
    assert await open_rules(talk, ada) == {rule}
    theirs = CONTENT.red_flag_words[rule].about_other
    assert ada.last.text.startswith(theirs.action)
    assert ada.last.text.index("116 123") < ada.last.text.index("999")
    assert "They are safe and not alone" in ada.last.buttons
    await talk.say(ada, words)
    assert theirs.action in ada.last.text, "told before, and still somebody else's"
    await talk.later(minutes=16)
    assert ada.last.text.startswith("Are they safe right now?")
    await talk.press(ada, "Why do you say this?", "Why I said this")
    await talk.press(ada, "They are safe and not alone", "Good that they are not alone")
    await talk.until(time(8, 31))
    asked = newest_with(ada, "They are safe and have talked to someone")
    assert "you told me about somebody else" in asked.text
    assert theirs.line in asked.text
    told = [one for one in ada.messages[before:] if one.from_bot]
    assert not [one.text for one in told if YOURS.search(one.text) or YOURS.search(" ".join(one.buttons))]


async def test_who_speaks_for_somebody_else_is_spoken_to_as_such(talk: Conversation) -> None:
    ada = await said(talk, "my husband has chest pain and is short of breath")
    assert "It is about the other person." in ada.last.text
    for minutes in (6, 11, 46, 121):
        await talk.later(minutes=minutes)
    assert newest_with(ada, "They are with help, or have been seen").text.startswith("Are they with help?")
    await talk.press(ada, "I have called / I am going", "Stay with them until help is there")
    assert "Take your phone" not in ada.last.text
    await talk.until(time(8, 31))
    asked = newest_with(ada, "They are with help, or have been seen")
    assert "I am with help, or have been seen" not in asked.buttons
    await talk.press(ada, "They are with help, or have been seen", "I am glad that they were seen")
    assert await open_rules(talk, ada) == set()


async def test_ones_own_despair_beside_somebody_elses_keeps_its_own_words(talk: Conversation) -> None:
    ada = await said(talk, "my husband says he wants to die", "I want to die too")
    told = "\n".join(ada.heard)
    assert CONTENT.red_flag_words["E23"].about_other.action in told
    assert CONTENT.red_flag_words["E23"].action in told


async def test_a_stranger_who_fears_for_somebody_else_is_not_taken_for_them(talk: Conversation) -> None:
    eve = talk.telegram.person("Eve")
    heard = await talk.say(eve, "my husband says he wants to die")
    assert any(one.text.startswith(CONTENT.red_flag_words["E23"].about_other.action) for one in heard)


# --- which leg -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("left calf swollen", "It is about your left leg."),
        ("my right leg is swollen and hot", "It is about your right leg."),
        ("left calf swollen, right one fine", "It is about your left leg."),
        ("my calf is swollen", ""),
        ("I lie on my left side and my calf is swollen", ""),
        ("my left knee was replaced in 2019, my calf is swollen", ""),
        ("my mums left leg is swollen and hot", ""),
    ],
)
async def test_a_card_names_the_leg_where_it_was_named_with_the_sign(
    talk: Conversation, words: str, named: str
) -> None:
    ada = await said(talk, words)
    assert await open_rules(talk, ada) == {"U1"}
    card = next(text for text in ada.heard if text.startswith(CONTENT.red_flag_words["U1"].action))
    assert card.count("It is about your") == (1 if named else 0)
    assert named in card


async def test_the_leg_of_a_night_is_not_taken_for_that_of_a_sign(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(8, 30))
    await talk.say(ada, "7/10, left calf cramped")
    await talk.press(ada, "ci:261120:signs:+leg_swollen", None)
    assert await open_rules(talk, ada) == {"U1"}
    assert not [text for text in ada.heard if "It is about your" in text]


async def test_a_leg_named_before_the_exact_question_is_named_after_it_and_in_each_repeat(
    talk: Conversation,
) -> None:
    ada = await said(talk, "my right leg feels numb")
    await talk.press(ada, "ak:1:E3", None)
    assert "It is about your right leg." in ada.last.text
    await talk.later(minutes=6)
    assert "I have not heard from you" in ada.last.text
    assert "It is about your right leg." in ada.last.text


# --- the list of warning signs ---------------------------------------------------------------------------


async def test_the_list_begins_with_what_is_common_and_has_every_row(talk: Conversation) -> None:
    ada = await said(talk)
    lists = [one.text for one in await talk.say(ada, "/urgent")]
    for rule, text in (("E1", lists[1]), ("U1", lists[2])):
        assert text.splitlines()[2] == f"• {CONTENT.red_flag_words[rule].line}"
    grave = [rule for rule, red_flag in CONTENT.red_flags.items() if red_flag.level >= Level.URGENT]
    assert all(CONTENT.red_flag_words[rule].line in lists[1] + lists[2] for rule in grave)
