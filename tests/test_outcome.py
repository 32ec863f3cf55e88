"""What came of a warning: said by button or in words, of oneself or of somebody else."""

from __future__ import annotations

from datetime import time

from content.loader import load
from tests.conversation import Conversation, Person

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
