"""What came of a warning: said by button or in words, of oneself or of somebody else."""

from __future__ import annotations

from datetime import time

import pytest

from content.loader import load
from content.schema import Level
from tests.conversation import Conversation, Person
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


# --- the list of warning signs ---------------------------------------------------------------------------


async def test_the_list_begins_with_what_is_common_and_has_every_row(talk: Conversation) -> None:
    ada = await said(talk)
    lists = [one.text for one in await talk.say(ada, "/urgent")]
    for rule, text in (("E1", lists[0]), ("U1", lists[1])):
        assert text.splitlines()[2] == f"• {CONTENT.red_flag_words[rule].line}"
    grave = [rule for rule, red_flag in CONTENT.red_flags.items() if red_flag.level >= Level.URGENT]
    assert all(CONTENT.red_flag_words[rule].line in lists[0] + lists[1] for rule in grave)
