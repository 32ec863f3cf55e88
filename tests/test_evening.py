"""The evening prompt: three parts that fit, done, put off or declined with one tap, and never twice."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.model import State
from bot.sandbox import Fault
from bot.sandbox.messages import Message
from tests.conversation import LONDON, Conversation, Person, buttons
from tests.known import (
    CLOT,
    answer_profile,
    evening_of,
    patient_of,
    prompts_of,
    reads,
    tonight,
)

EVENING = time(20, 30)
PARTS = ("Drink", "Stretch", "Wind down")


def prompts(person: Person) -> list[Message]:
    """Every evening prompt in the chat."""
    return [one for one in person.messages if one.from_bot and "for your legs tonight" in one.text]


async def evening(talk: Conversation, person: Person) -> Message:
    """Wait for the next prompt and return it."""
    before = len(prompts(person))
    await talk.until(EVENING)
    assert len(prompts(person)) == before + 1, person.last.text
    return prompts(person)[-1]


async def test_three_parts_each_with_a_button(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    assert all(f"{part}. " in reads(ada, prompt).text for part in PARTS)
    assert [*buttons(ada).values()] == [
        *(f"☐ {part}" for part in PARTS), "▶️ Guide me", "⏰ Later", "Not tonight",
    ]  # fmt: skip
    assert not prompt.silent


async def test_a_part_is_done_and_undone_and_the_night_keeps_it(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    await talk.press(ada, "☐ Drink")
    assert "✅ Drink. Done." in reads(ada, prompt).text
    assert (await evening_of(talk, ada)).done == {"drink"}
    await talk.press(ada, "✅ Drink")
    assert "Done." not in reads(ada, prompt).text
    assert (await evening_of(talk, ada)).done == frozenset()


async def test_all_done_says_so_and_asks_for_no_more(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    for part in PARTS:
        await talk.press(ada, f"☐ {part}")
    assert "All done. Sleep well." in reads(ada, prompt).text
    assert reads(ada, prompt).buttons == [f"✅ {part}" for part in PARTS]
    assert (await evening_of(talk, ada)).done == {"drink", "stretch", "wind_down"}


async def test_a_double_press_counts_once_and_every_press_is_answered(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    data = next(data for data, label in buttons(ada).items() if label == "☐ Stretch")
    await ada.press(prompt, data)
    await ada.press(prompt, data, stale=True)
    await talk.settled()
    assert (await evening_of(talk, ada)).done == {"stretch"}
    assert len(ada.chat.answers) >= 2


async def test_later_comes_back_once_and_is_recorded_for_the_same_night(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    night = await tonight(talk, ada)
    await talk.press(ada, "⏰ Later")
    assert {"15 minutes", "30 minutes", "60 minutes"} <= set(reads(ada, prompt).buttons)
    await talk.press(ada, "30 minutes", "I will come back at 21:00")
    await talk.later(minutes=29)
    assert len(prompts(ada)) == 0, "it has become the note that says when"
    await talk.later(minutes=2)
    again = prompts(ada)[-1]
    assert "Here I am again" in again.text
    await talk.press(ada, "☐ Drink")
    assert (await evening_of(talk, ada, night)).done == {"drink"}
    await talk.later(hours=3)
    assert [row.state for row in await prompts_of(talk, ada, night)] == [State.TOLD, State.TOLD]


async def test_later_can_be_taken_back(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    await talk.press(ada, "⏰ Later")
    await talk.press(ada, "60 minutes")
    await talk.press(ada, "‹ Back")
    assert "Good evening" in reads(ada, prompt).text
    await talk.later(minutes=61)
    assert len(prompts(ada)) == 1


async def test_two_waits_in_a_row_move_the_one_reminder(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    key = (await tonight(talk, ada)).strftime("%y%m%d")
    await ada.press(prompt, f"ev:{key}:snooze:15", stale=True)
    await ada.press(prompt, f"ev:{key}:snooze:60", stale=True)
    await talk.settled()
    await talk.later(minutes=20)
    assert not prompts(ada)
    await talk.later(minutes=41)
    assert len(prompts(ada)) == 1


async def test_a_wait_that_is_not_offered_is_refused(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    key = (await tonight(talk, ada)).strftime("%y%m%d")
    for data in (
        f"ev:{key}:snooze:7",
        f"ev:{key}:nonsense",
        f"ev:{key}",
        "ev:999999:did:drink",
        "ev:261399:guide",
    ):
        await ada.press(prompt, data, stale=True)
        await talk.settled()
    assert len(await prompts_of(talk, ada)) == 1


async def test_not_tonight_is_kept_without_blame_and_can_be_taken_back(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    await talk.press(ada, "Not tonight", "That is fine")
    assert (await evening_of(talk, ada)).declined
    await talk.press(ada, "‹ Back")
    assert "Good evening" in reads(ada, prompt).text
    assert not (await evening_of(talk, ada)).declined


async def test_yesterdays_prompt_means_yesterday_and_cannot_be_put_off(talk: Conversation) -> None:
    ada = await talk.patient()
    old = await evening(talk, ada)
    night = await tonight(talk, ada)
    await evening(talk, ada)
    key = night.strftime("%y%m%d")
    await ada.press(old, "☐ Wind down")
    await ada.press(old, f"ev:{key}:snooze:15", stale=True)
    await talk.settled()
    assert (await evening_of(talk, ada, night)).done == {"wind_down"}
    assert (await evening_of(talk, ada)).done == frozenset()
    assert len(await prompts_of(talk, ada, night)) == 1
    assert ada.toasts[-1].alert


async def test_no_text_comes_twice_within_a_week_over_twenty_evenings(talk: Conversation) -> None:
    ada = await talk.patient()
    last: dict[str, int] = {}
    for at in range(20):
        await evening(talk, ada)
        pieces = (await evening_of(talk, ada)).pieces
        assert len(pieces) == 3
        for piece in pieces:
            assert at - last.get(piece, -99) > 7, piece
            last[piece] = at


async def test_a_fluid_limit_is_never_told_to_drink(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada, yes=["fluid_limit"])
    content = talk.app.services.content("en")
    for _ in range(8):
        await evening(talk, ada)
        for piece in (await evening_of(talk, ada)).pieces:
            assert "drink_more" not in content.pieces[piece].techniques


async def test_what_becomes_wrong_leaves_the_prompt_with_the_next_press(talk: Conversation) -> None:
    ada = await talk.patient()
    prompt = await evening(talk, ada)
    assert "Stretch. " in reads(ada, prompt).text
    await talk.say(ada, CLOT)
    await talk.press(ada, "☐ Drink")
    assert "Stretch" not in reads(ada, prompt).text
    assert "▶️ Guide me" not in reads(ada, prompt).buttons


async def test_a_limit_told_while_it_waits_changes_the_words(talk: Conversation) -> None:
    ada = await talk.patient()
    content = talk.app.services.content("en")
    for _ in range(12):
        await evening(talk, ada)
        drink = (await evening_of(talk, ada)).pieces[0]
        if "drink_more" in content.pieces[drink].techniques:
            break
    await talk.press(ada, "⏰ Later")
    await talk.press(ada, "15 minutes")
    await answer_profile(talk, ada, yes=["fluid_limit"])
    await talk.later(minutes=16)
    fresh = (await evening_of(talk, ada)).pieces[0]
    assert "drink_more" not in content.pieces[fresh].techniques


async def test_what_was_done_before_the_prompt_is_ticked_in_it(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/stretch")
    for _ in range(4):
        await talk.press(ada, "Next ▶️")
    await talk.press(ada, "✅ I did it", "I have noted it")
    prompt = await evening(talk, ada)
    assert "✅ Stretch. Done." in reads(ada, prompt).text


async def test_while_something_grave_is_open_the_evening_is_its_follow_up(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, CLOT)
    await talk.until(EVENING)
    assert not prompts(ada)
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        assert await store.open_escalations(patient.id)


async def test_late_says_so_and_too_late_is_dropped_with_its_reason(talk: Conversation) -> None:
    ada = await talk.patient()
    night = await tonight(talk, ada)
    await talk.go_to(talk.now + timedelta(hours=3, minutes=50))
    assert "sorry for being late" in prompts(ada)[-1].text
    assert (await prompts_of(talk, ada, night))[0].state == State.TOLD
    await talk.go_to(talk.now + timedelta(hours=26))
    assert len(prompts(ada)) == 1
    dropped = (await prompts_of(talk, ada, night + timedelta(days=1)))[0]
    assert (dropped.state, dropped.reason) == (State.DROPPED, "too late")
    await evening(talk, ada)


async def test_one_that_was_tried_in_vain_says_that_it_is_late(talk: Conversation) -> None:
    ada = await talk.patient()
    refused = talk.telegram.faults.add(Fault("retry_after", method="sendMessage", seconds=1, times=None))
    await talk.until(EVENING)
    await talk.later(minutes=15)
    assert not prompts(ada)
    talk.telegram.faults.waiting.remove(refused)
    await talk.later(minutes=15)
    assert "sorry for being late" in prompts(ada)[-1].text


@pytest.mark.parametrize(("chosen", "comes"), [("2030", False), ("2200", True)])
async def test_one_that_is_late_comes_into_quiet_hours_only_when_chosen_for_them(
    talk: Conversation, chosen: str, comes: bool
) -> None:
    ada = await talk.patient(prompt=chosen)
    night = await tonight(talk, ada)
    await talk.go_to(talk.now + timedelta(hours=5))
    assert bool(prompts(ada)) is comes
    (sent,) = await prompts_of(talk, ada, night)
    assert (sent.state, sent.reason) == ((State.TOLD, "") if comes else (State.DROPPED, "quiet hours"))
    if not comes:
        (said, *_) = [one.text for one in await talk.say(ada, "/why") if "evening message" in one.text]
        assert "it would have come in your quiet hours" in said


async def test_a_late_evening_is_silent_and_so_is_who_chose_it(talk: Conversation) -> None:
    ada = await talk.patient(prompt="2200")
    bob = await talk.patient("Bob")
    patient = await patient_of(talk, bob)
    async with talk.app.database.transaction() as store:
        await store.change_patient(patient.id, silent=True)
    await talk.until(EVENING)
    assert prompts(bob)[-1].silent
    await talk.until(time(22, 0))
    assert prompts(ada)[-1].silent


async def test_a_restart_before_and_after_sends_it_once(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.restart()
    prompt = await evening(talk, ada)
    await talk.restart()
    await talk.later(minutes=10)
    assert len(prompts(ada)) == 1
    await talk.press(ada, "☐ Stretch")
    assert "✅ Stretch" in reads(ada, prompt).text
    await talk.press(ada, "⏰ Later")
    await talk.press(ada, "15 minutes")
    await talk.restart()
    await talk.later(minutes=16)
    assert "Here I am again" in prompts(ada)[-1].text
    assert "✅ Stretch. Done." in prompts(ada)[-1].text


async def test_a_prompt_of_unknown_fate_is_not_sent_again_and_the_next_is_planned(talk: Conversation) -> None:
    ada = await talk.patient()
    night = await tonight(talk, ada)
    talk.telegram.faults.add(Fault("close", method="sendMessage", after=True))
    await talk.until(EVENING)
    await talk.later(minutes=30)
    assert len(prompts(ada)) <= 1
    assert (await prompts_of(talk, ada, night))[0].state == State.UNKNOWN
    await evening(talk, ada)


async def test_every_evening_one_prompt_and_the_next_is_planned(talk: Conversation) -> None:
    ada = await talk.patient()
    for count in range(1, 6):
        await talk.until(EVENING)
        assert len(prompts(ada)) == count
        ahead = await prompts_of(talk, ada, await tonight(talk, ada) + timedelta(days=1))
        assert [row.due_at.astimezone(LONDON).time() for row in ahead] == [EVENING]


async def test_a_button_is_never_too_long(talk: Conversation) -> None:
    ada = await talk.patient()
    await evening(talk, ada)
    await talk.press(ada, "⏰ Later")
    for message in ada.messages:
        for row in message.keyboard:
            assert all(
                len(button["callback_data"].encode()) <= 64 for button in row if "callback_data" in button
            )


async def test_what_came_of_it_is_not_asked_every_evening_in_the_same_words(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my left leg is swollen and hot")
    await talk.press(ada, "I have read this", None)
    evenings = []
    for _ in range(9):
        await talk.until(time(20, 30))
        evenings.append(ada.last)
    assert ["What came of it?" in one.text for one in evenings] == [True] + [False] * 8
    assert all("Still open" in one.text and "📞 Call 999" in one.buttons for one in evenings[1:])
    await talk.press(ada, "Tell me what came of it", "What came of it?")


async def test_a_card_just_told_needs_no_question_on_top(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(20, 10))
    await talk.say(ada, "my left leg is swollen and hot")
    before = len(ada.heard)
    await talk.until(time(20, 30))
    assert len(ada.heard) == before
