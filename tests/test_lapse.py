"""A scripted patient lives many nights through the bot, and leaves a diary and an open warning behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.lapse import Lapse
from tests.conversation import Conversation, heard, newest_with

# A picture that turns into words is first tried as words: Telegram says no, and its caption is changed.
# A button that says what stands already changes nothing.
HARMLESS = ("there is no text in the message to edit", "message is not modified")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A running bot, without anybody yet."""
    async with Conversation(tmp_path) as conversation:
        yield conversation
        complaints = conversation.telegram.complaints
        assert not [said for said in complaints if not any(words in said for words in HARMLESS)]


async def test_ten_nights_are_lived_and_end_with_a_red_flag_left_open(running: Conversation) -> None:
    lapse = Lapse(running.telegram, running.app.jump, running.app.tick)
    await lapse.play(10)
    ada = lapse.person
    card = newest_with(ada, "I have read this")
    assert card.text.startswith("Be seen today")
    assert "📞 Call 999" in card.buttons
    async with running.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        (standing,) = await store.open_escalations(patient.id)
        last = await store.checkin(patient.id, standing.night)
    assert standing.acknowledged_at is None
    assert last is not None
    assert set(last.signs) == {"leg_swollen"}

    said = heard(ada)
    assert "A quiet night: noted." in said
    assert "Worst moment: 7" in said
    assert "If the calf is swollen" in said, "an episode was filed"
    assert "Well done, I have noted it." in said, "the routine was followed to its end"
    assert "Worst moment: 2" in said, "a missed night was filled in"
    typed = {message.text for message in ada.messages if not message.from_bot}
    assert {
        "half past nine",
        "4/10, both calves, stretching helped",
        "/cramp",
        "/tips pillow",
        "/diary",
    } <= typed


async def test_a_second_lapse_is_lived_by_somebody_else(running: Conversation) -> None:
    first = Lapse(running.telegram, running.app.jump, running.app.tick)
    await first.play(1)
    second = Lapse(running.telegram, running.app.jump, running.app.tick)
    await second.play(1)
    assert (first.name, second.name) == ("Ada", "Bela")
    for person in (first.person, second.person):
        assert "Be seen today" in newest_with(person, "I have read this").text
