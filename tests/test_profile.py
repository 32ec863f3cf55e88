"""The safety profile: plain questions, skipped without harm, changed at any time."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot.model import ProfileAnswer
from content.loader import load
from tests.conversation import Conversation, Person, buttons, heard
from tests.known import kept, patient_of

CONTENT = load()
QUESTION = CONTENT.profile_words["pregnant_or_postnatal"].question


async def answers(talk: Conversation, person: Person) -> dict[str, ProfileAnswer]:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return await store.profile(patient.id)


def pressed(person: Person, answer: str) -> str:
    """Return the button of the open question that gives an answer."""
    return next(data for data in buttons(person) if data.startswith("pr:") and data.endswith(f":{answer}"))


async def test_the_questions_follow_enrolment_and_can_all_be_answered(talk: Conversation) -> None:
    ada = await talk.newcomer()
    for button in ("en:yes:", "en:country:GB", "en:prompt:2030", "en:checkin:0830", "en:profile:now"):
        await talk.press(ada, button)
    assert "Question 1 of" in ada.last.text
    count = 0
    while "Thank you." not in ada.last.text and count < 60:
        await talk.press(ada, pressed(ada, "no"))
        count += 1
    assert count > 5
    given = await answers(talk, ada)
    assert len(given) == count
    assert not any(answer.yes for answer in given.values())


async def test_skipping_leaves_a_question_unknown(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:a:start:go", "Question 1 of")
    for _ in range(3):
        await talk.press(ada, pressed(ada, "skip"))
    assert await answers(talk, ada) == {}
    await talk.press(ada, pressed(ada, "end"), "changes any of these answers")


async def test_one_answer_is_changed_later_and_taken_back(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:o:diabetes:show", "Do you have diabetes?")
    await talk.press(ada, "pr:o:diabetes:yes", "About your health")
    assert buttons(ada)["pr:o:diabetes:show"] == "Diabetes: yes"
    await talk.press(ada, "pr:o:diabetes:show", "You answered: yes.")
    await talk.press(ada, "pr:o:diabetes:no")
    assert buttons(ada)["pr:o:diabetes:show"] == "Diabetes: no"
    await talk.press(ada, "pr:o:diabetes:show")
    await talk.press(ada, "Rather not say")
    assert buttons(ada)["pr:o:diabetes:show"] == "Diabetes: not answered"
    assert await answers(talk, ada) == {}


async def test_looking_at_a_question_and_going_back_changes_nothing(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:o:statin:show")
    await talk.press(ada, "pr:o:list:show", "About your health")
    assert await answers(talk, ada) == {}


async def test_a_clot_under_treatment_asks_which_leg(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:o:clot_treated:show")
    await talk.press(ada, "pr:o:clot_treated:yes")
    await talk.press(ada, "pr:o:clot_treated:left")
    answer = (await answers(talk, ada))["clot_treated"]
    assert (answer.yes, answer.side) == (True, "left")
    await ada.press(ada.last, "pr:o:clot_treated:no", stale=True)
    await ada.press(ada.last, "pr:o:clot_treated:right", stale=True)
    await talk.settled()
    answer = (await answers(talk, ada))["clot_treated"]
    assert (answer.yes, answer.side) == (False, None), "an old side does not come back"


async def test_a_restart_between_two_questions(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:a:start:go")
    await talk.press(ada, pressed(ada, "no"))
    await talk.restart()
    await talk.press(ada, pressed(ada, "no"), "Question 3 of")
    assert len(await answers(talk, ada)) == 2


async def test_a_double_press_answers_once(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:a:start:go")
    message, data = ada.last, pressed(ada, "no")
    await ada.press(message, data)
    await ada.press(message, data, stale=True)
    await talk.settled()
    assert "Question 2 of" in ada.last.text
    assert len(await answers(talk, ada)) == 1


@pytest.mark.parametrize(
    "data",
    ["pr", "pr:a", "pr:a:nothing:yes", "pr:z:diabetes:yes", "pr:a:diabetes:perhaps", "pr:o:diabetes:left"],
)
async def test_nonsense_in_a_button_is_answered_and_changes_nothing(talk: Conversation, data: str) -> None:
    ada = await talk.patient()
    await ada.press(ada.last, data, stale=True)
    await talk.settled()
    assert all(query.answered for query in talk.telegram.world.queries.values())
    assert await answers(talk, ada) == {}
    assert "Something went wrong" not in heard(ada)


async def test_who_has_not_agreed_has_no_profile(talk: Conversation) -> None:
    ada = await talk.newcomer()
    said = await talk.say(ada, "/profile")
    assert "/start" in said[0].text
    await ada.press(ada.last, "pr:o:diabetes:yes", stale=True)
    await talk.settled()
    assert ada.toasts[-1].alert
    assert "patient" not in kept(talk)


# --- asked again when its time has come --------------------------------------------------------------------


async def quiet_night(talk: Conversation, ada: Person) -> None:
    """Answer the newest check-in with two taps."""
    night = next(code for code in buttons(ada) if code.startswith("ci:")).split(":")[1]
    for press in ("pain:+p0", "signs:+none"):
        await talk.press(ada, f"ci:{night}:{press}", None)


async def pregnant(talk: Conversation) -> Person:
    """Return somebody who said yes, with the morning on which the answer may have passed just told."""
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:o:pregnant_or_postnatal:show")
    await talk.press(ada, "pr:o:pregnant_or_postnatal:yes")
    async with talk.app.database.transaction() as store:
        patient = await patient_of(talk, ada)
        answer = (await store.profile(patient.id))["pregnant_or_postnatal"]
        assert answer.ask_again_on is not None
        assert answer.ask_again_on > talk.now.date()
        await store.set_profile(patient.id, replace(answer, ask_again_on=talk.now.date()), talk.now)
    await talk.until(time(8, 30))
    await quiet_night(talk, ada)
    assert QUESTION in ada.last.text
    return ada


async def test_an_answer_that_may_have_passed_is_asked_again(talk: Conversation) -> None:
    ada = await pregnant(talk)
    assert (await answers(talk, ada))["pregnant_or_postnatal"].yes, "until answered it stays on the safe side"
    await talk.press(ada, "pr:g:pregnant_or_postnatal:no", "Thank you")
    assert (await answers(talk, ada))["pregnant_or_postnatal"].yes is False
    ada.mark()
    await talk.until(time(8, 30))
    await quiet_night(talk, ada)
    assert all(QUESTION not in message.text for message in ada.since())


async def test_still_so_is_asked_again_another_time(talk: Conversation) -> None:
    ada = await pregnant(talk)
    await talk.press(ada, "pr:g:pregnant_or_postnatal:yes", "Thank you")
    answer = (await answers(talk, ada))["pregnant_or_postnatal"]
    assert answer.yes
    assert answer.ask_again_on == talk.now.date() + timedelta(
        days=CONTENT.profile["pregnant_or_postnatal"].ask_again_days or 0
    )


async def test_left_unanswered_it_does_not_come_every_morning(talk: Conversation) -> None:
    ada = await pregnant(talk)
    ada.mark()
    await talk.until(time(8, 30))
    await quiet_night(talk, ada)
    assert all(QUESTION not in message.text for message in ada.since())


async def test_an_answer_whose_time_has_not_come_is_not_asked_again(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:o:pregnant_or_postnatal:show")
    await talk.press(ada, "pr:o:pregnant_or_postnatal:yes")
    ada.mark()
    await talk.until(time(8, 30))
    await quiet_night(talk, ada)
    assert all(QUESTION not in message.text for message in ada.since())
