"""The guided routine: one message that moves on by itself or by a tap, withheld when it would be wrong."""

from __future__ import annotations

import asyncio
from datetime import time

import pytest

from bot.sandbox.messages import Message
from tests.conversation import Conversation, Person, heard
from tests.known import CLOT, answer_profile, evening_of, pardon_captions, reads, tonight

STEPS = 5  # of the seated routine


class Waiting:
    """A sleep that lasts until the test lets it end; what was asked for is kept."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._turn = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self._turn.acquire()

    def end(self) -> None:
        """Let the time of one step pass."""
        self._turn.release()


@pytest.fixture
def sleep(talk: Conversation) -> Waiting:
    """The routine's sleep, in the hands of the test."""
    waiting = Waiting()
    talk.app._guides._sleep = waiting
    return waiting


async def begun(talk: Conversation, person: Person) -> Message:
    """Begin the routine and return its message."""
    said = await talk.say(person, "/stretch")
    assert said
    return said[-1]


async def moved_on(talk: Conversation, person: Person, message: Message, words: str) -> Message:
    """Wait until the message reads so."""
    for _ in range(200):
        if words in reads(person, message).text:
            return reads(person, message)
        await asyncio.sleep(0.01)
    raise AssertionError(reads(person, message).text)


async def test_it_goes_on_by_itself_picture_and_words(talk: Conversation, sleep: Waiting) -> None:
    ada = await talk.patient()
    page = await begun(talk, ada)
    assert page.photo
    pictures = {page.photo}
    for at in range(1, STEPS - 1):
        sleep.end()
        pictures.add((await moved_on(talk, ada, page, f"Step {at + 1} of {STEPS}")).photo or "")
    sleep.end()
    last = await moved_on(talk, ada, page, "Did you do it?")
    assert last.buttons == ["✅ I did it", "Partly", "No"]
    assert len(pictures) >= 2
    routine = talk.app.services.content("en").routine
    seated = [step.seconds for step in routine.values() if step.seated][:-1]
    assert sleep.asked == seated
    assert not [one for one in ada.messages if one.from_bot and one.id > page.id]


async def test_unknown_profile_sits_and_a_healthy_one_stands(talk: Conversation, sleep: Waiting) -> None:
    ada = await talk.patient()
    assert "sit well back" in (await begun(talk, ada)).text
    await answer_profile(talk, ada)
    assert "something firm to hold" in (await begun(talk, ada)).text
    await answer_profile(talk, ada, yes=["falls_or_balance"])
    assert "sit well back" in (await begun(talk, ada)).text


async def test_a_recent_operation_leaves_the_ankle_pumps(talk: Conversation, sleep: Waiting) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada, yes=["recent_leg_injury_or_surgery"])
    page = await begun(talk, ada)
    await talk.press(ada, "Next ▶️")
    assert "20 times with each foot" in reads(ada, page).text


async def test_next_and_stop(talk: Conversation, sleep: Waiting) -> None:
    ada = await talk.patient()
    page = await begun(talk, ada)
    await talk.press(ada, "Next ▶️")
    assert "Step 2 of 5" in reads(ada, page).text
    await talk.press(ada, "Stop")
    assert "Stopped." in reads(ada, page).text
    assert not reads(ada, page).buttons
    for _ in range(3):
        sleep.end()
    await asyncio.sleep(0.1)
    assert "Stopped." in reads(ada, page).text


async def test_an_old_next_still_goes_on_after_a_restart(talk: Conversation) -> None:
    ada = await talk.patient()
    page = await begun(talk, ada)
    await talk.restart()
    await talk.press(ada, "Next ▶️")
    assert "Step 2 of 5" in reads(ada, page).text
    await talk.restart()
    for _ in range(3):
        await talk.press(ada, "Next ▶️")
    await talk.press(ada, "Partly", "Partly counts too")
    assert (await evening_of(talk, ada)).done == {"stretch_partly"}


async def test_it_is_withheld_while_a_clot_is_suspected(talk: Conversation, sleep: Waiting) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    await talk.say(ada, CLOT)
    said = await begun(talk, ada)
    assert "No stretching for now" in said.text
    assert not said.photo


async def test_it_ends_when_a_clot_is_suspected_in_the_middle(talk: Conversation, sleep: Waiting) -> None:
    ada = await talk.patient()
    page = await begun(talk, ada)
    await talk.say(ada, CLOT)
    sleep.end()
    await moved_on(talk, ada, page, "No stretching for now")
    await ada.press(page, f"gd:{(await tonight(talk, ada)):%y%m%d}:go:2", stale=True)
    await talk.settled()
    assert "No stretching for now" in reads(ada, page).text
    pardon_captions(talk)


@pytest.mark.parametrize(("label", "marks"), [("✅ I did it", {"stretch"}), ("No", set())])
async def test_from_the_prompt_it_ticks_the_prompts_own_part(
    talk: Conversation, sleep: Waiting, label: str, marks: set[str]
) -> None:
    ada = await talk.patient()
    await talk.until(time(20, 30))
    prompt = ada.last
    await talk.press(ada, "▶️ Guide me")
    for _ in range(STEPS - 1):
        await talk.press(ada, "Next ▶️")
    await talk.press(ada, label, "Sleep well")
    assert (await evening_of(talk, ada)).done == marks
    assert ("✅ Stretch. Done." in reads(ada, prompt).text) == bool(marks)
    pardon_captions(talk)


async def test_a_night_that_never_was_is_taken_as_tonight(talk: Conversation, sleep: Waiting) -> None:
    ada = await talk.patient()
    page = await begun(talk, ada)
    for data in ("gd:999999:go:1", "gd:991399:did:yes", "gd", "gd:x:go:²"):
        await ada.press(page, data, stale=True)
        await talk.settled()
    assert "Something went wrong" not in heard(ada)
    assert (await evening_of(talk, ada)).done == {"stretch"}
    pardon_captions(talk)


async def test_somebody_who_has_not_started_may_stretch_and_nothing_is_kept(
    talk: Conversation, sleep: Waiting
) -> None:
    eve = talk.telegram.person("Eve")
    page = await begun(talk, eve)
    for _ in range(STEPS - 1):
        await talk.press(eve, "Next ▶️")
    await talk.press(eve, "✅ I did it", "Sleep well")
    assert "Sleep well" in reads(eve, page).text
    async with talk.store() as store:
        assert await store.patient_of_chat(eve.id) is None


async def test_every_page_fits_under_its_picture(talk: Conversation) -> None:
    content = talk.app.services.content("en")
    longest = max(len(text) for text in content.routine_words.values())
    assert longest + 100 < 1024
    assert all(len(text.split()) <= 42 for text in content.routine_words.values())
