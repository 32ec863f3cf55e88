"""Coming in: consent, country, zone, times, and coming back."""

from __future__ import annotations

from tests.conversation import Conversation, heard


async def test_a_few_taps_and_the_first_evening_is_planned(talk: Conversation) -> None:
    ada = await talk.patient()
    assert "Evening message: Friday 20 Nov, 20:30" in heard(ada)


async def test_a_time_in_words_is_understood(talk: Conversation) -> None:
    ada = await talk.newcomer()
    await talk.press(ada, "en:yes:")
    await talk.press(ada, "en:country:GB")
    said = await talk.say(ada, "half past nine")
    assert "Evening: 21:30." in said[0].text
