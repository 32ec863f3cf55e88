"""What came of a warning, typed: taken as the button it means once that was asked, and as no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

import pytest

from bot.flows.escalation import raise_findings
from bot.flows.hearing import hear
from bot.model import Escalation, EscalationEvent, Finding, Kind
from content.loader import load
from content.schema import Level
from tests.conversation import Conversation, Person, newest_with
from tests.known import open_rules, patient_of

CONTENT = load()
NIGHT = date(2026, 11, 20)
TAKEN = "I take that as"
ASKED = "What came of it?"
RULES = {  # rows of each lifetime, with a sign that they rest on
    "U1": "leg_swollen",
    "U8": "skin_infected",
    "E18": "sore_infected",
    "E23": "suicidal",
    "S1": "night_bone_pain",
    "R1": "frequent_cramps",
}


def found(rule: str) -> Finding:
    red_flag = CONTENT.red_flags[rule]
    return Finding(rule, red_flag.level, red_flag.topic, None, (f"sign:{RULES[rule]}",))


async def warned(
    talk: Conversation, *rules: str, asked: bool = True, about_other: Sequence[str] = ()
) -> Person:
    """Return somebody who was told of these rows, and has been asked what came of them."""
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    for rule in rules:
        async with talk.app.database.transaction() as store:
            services, other = talk.app.services, rule in about_other
            await raise_findings(services, store, patient, (found(rule),), NIGHT, f"test:{rule}", other)
        await talk.later(seconds=1)
        await talk.later(seconds=5)
    for row in await rows_of(talk, ada):
        assert row.told_at is not None, row.rule
        await talk.press(ada, f"es:{row.id}:read", None)
    if asked and any(CONTENT.red_flags[rule].level >= Level.URGENT for rule in rules):
        await talk.until(time(8, 30))
        assert [text for text in ada.heard if ASKED in text or "How are you now?" in text]
    return ada


async def rows_of(talk: Conversation, person: Person) -> list[Escalation]:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return await store.escalations(patient.id)


async def row_of(talk: Conversation, person: Person, rule: str) -> Escalation:
    return next(row for row in await rows_of(talk, person) if row.rule == rule)


async def events_of(talk: Conversation, row: Escalation) -> list[EscalationEvent]:
    async with talk.store() as store:
        return await store.events(row.id)


async def outcomes_of(talk: Conversation, row: Escalation) -> list[str]:
    left_out = ("in_words", "asked_in_reply", "read")
    return [event.what for event in await events_of(talk, row) if event.what not in left_out]


# --- as the press would be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "words", "what", "answer"),
    [
        ("S1", "booked", "booked", "When is your appointment?"),
        ("R1", "I've booked an appointment", "booked", "When is your appointment?"),
        ("S1", "my doctor knows about this", "known", "Good, that is noted."),
        ("R1", "I have seen the doctor about it", "seen", "I am glad that you were seen"),
        ("U1", "I have seen the doctor about it", "seen", "tap what was said"),
        ("U1", "saw the GP this morning", "seen", "I am glad that you were seen"),
        ("U1", "rang 111, they said to go to a walk in centre", "going", "I will ask you again"),
        ("E18", "I called 999", "going", "I will ask you again"),
        ("U1", "not yet", "not_yet", "Please do not leave it."),
        ("E18", "I haven't seen anyone", "not_yet", "Please do not leave it."),
        ("S1", "haven't booked yet", "not_yet", "Please do not leave it."),
        ("U1", "couldn't get through", "cannot", "I was told to be seen today"),
        ("E18", "couldn't get through", "cannot", "I need help now"),
        ("E23", "couldn't get through", "cannot", "116 123"),
        ("E18", "they can't see me until Friday", "cannot", "I need help now"),
        ("E23", "they can't see me until Friday", "cannot", "116 123"),
        ("U1", "in A&E now", "going", "I will ask you again"),
        ("E18", "at the hospital now", "going", "I will ask you again"),
        ("E18", "ambulance is here", "going", "I will ask you again"),
    ],
)
async def test_words_are_taken_as_the_button_they_mean(
    talk: Conversation, rule: str, words: str, what: str, answer: str
) -> None:
    ada = await warned(talk, rule)
    heard = await talk.say(ada, words)
    assert heard[0].text.startswith(TAKEN)
    assert answer in heard[0].text
    assert not [one for one in heard if "What worries you?" in one.text]
    told = await row_of(talk, ada, rule)
    assert (await outcomes_of(talk, told))[-1] in (what, f"closed:{what}")


async def test_a_day_too_late_is_noted_and_settles_nothing_urgent(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    heard = await talk.say(ada, "they can't see me until Friday")
    assert "I was told to be seen today" in heard[0].text
    assert "27 November" in heard[0].text
    row = await row_of(talk, ada, "U1")
    assert row.is_open
    assert "cannot" in await outcomes_of(talk, row)
    assert [event.detail for event in await events_of(talk, row) if event.what == "appointment"]


async def test_a_day_soon_enough_is_the_appointment(talk: Conversation) -> None:
    ada = await warned(talk, "S1")
    heard = await talk.say(ada, "they can't see me until Friday")
    assert "Good, that is noted." in heard[0].text
    assert (await row_of(talk, ada, "S1")).outcome == "booked"


async def test_a_day_too_late_is_not_noted_of_an_emergency(talk: Conversation) -> None:
    ada = await warned(talk, "E18")
    await talk.say(ada, "they can't see me until Friday")
    row = await row_of(talk, ada, "E18")
    assert row.is_open
    assert not [event for event in await events_of(talk, row) if event.what == "appointment"]


@pytest.mark.parametrize("rule", ["U1", "E18"])
async def test_what_somebody_made_of_it_is_asked_by_button(talk: Conversation, rule: str) -> None:
    ada = await warned(talk, rule)
    heard = await talk.say(ada, "they said it's nothing")
    assert ASKED in heard[0].text
    assert (await row_of(talk, ada, rule)).is_open


@pytest.mark.parametrize(
    ("rule", "words", "what"),
    [
        ("S1", "booked", "booked"),
        ("U1", "saw the GP this morning", "seen"),
        ("U1", "rang 111", "going"),
        ("E18", "not yet", "not_yet"),
        ("U1", "cant get hold of anyone", "cannot"),
    ],
)
async def test_what_is_stored_is_what_the_press_stores(
    talk: Conversation, rule: str, words: str, what: str
) -> None:
    ada = await warned(talk, rule)
    typed = await row_of(talk, ada, rule)
    before = len(await outcomes_of(talk, typed))
    await talk.say(ada, words)
    typed = await row_of(talk, ada, rule)
    by_words = (await outcomes_of(talk, typed))[before:]

    bob = await talk.patient("Bob")
    patient = await patient_of(talk, bob)
    async with talk.app.database.transaction() as store:
        await raise_findings(talk.app.services, store, patient, (found(rule),), NIGHT, "test:bob")
    await talk.later(seconds=1)
    await talk.later(seconds=5)
    pressed = await row_of(talk, bob, rule)
    await talk.press(bob, f"es:{pressed.id}:read", None)
    if CONTENT.red_flags[rule].level >= Level.URGENT:
        await talk.until(time(8, 30))
    before = len(await outcomes_of(talk, pressed))
    await bob.press(newest_with(bob, f"es:{pressed.id}:read"), f"es:{pressed.id}:{what}", stale=True)
    await talk.settled()
    pressed = await row_of(talk, bob, rule)
    assert by_words == (await outcomes_of(talk, pressed))[before:]
    assert (typed.is_open, typed.outcome) == (pressed.is_open, pressed.outcome)
    async with talk.store() as store:
        waiting = {
            person.id: {one.kind for one in await store.waiting((await patient_of(talk, person)).id)}
            & {Kind.CARD, Kind.FOLLOW_UP, Kind.APPOINTMENT}
            for person in (ada, bob)
        }
    assert waiting[ada.id] == waiting[bob.id]


async def test_the_day_in_the_same_words_is_noted_with_the_booking(talk: Conversation) -> None:
    ada = await warned(talk, "S1")
    heard = await talk.say(ada, "I've booked an appointment for Tuesday")
    assert heard[0].text.startswith(TAKEN)
    assert "Noted: 24 November 2026." in heard[0].text
    await talk.until(time(20, 31))
    heard = await talk.say(ada, "/appointment")
    assert any("24 Nov" in button for button in heard[0].buttons)


@pytest.mark.parametrize(
    "words", ["booked an appointment today", "booked in for next week", "I booked it on Monday"]
)
async def test_a_day_that_is_not_surely_that_of_the_appointment_is_asked(
    talk: Conversation, words: str
) -> None:
    ada = await warned(talk, "S1")
    heard = await talk.say(ada, words)
    assert heard[0].text.startswith(TAKEN)
    assert "When is your appointment?" in heard[0].text
    assert "Noted:" not in heard[0].text


async def test_answers_of_the_night_beside_it_are_kept_too(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    heard = await talk.say(ada, "saw the GP this morning, pain 3/10, walking helped")
    assert heard[0].text.startswith(TAKEN)
    assert await open_rules(talk, ada) == set()
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        night = await store.checkin(patient.id, NIGHT)
    assert night is not None
    assert (night.pain, night.helped) == (3, ("moving",))


async def test_what_words_settled_is_taken_back_by_a_button_and_asked_again(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    await talk.say(ada, "saw the GP this morning")
    assert await open_rules(talk, ada) == set()
    await talk.press(ada, "That is not right", "I have taken that back")
    assert await open_rules(talk, ada) == {"U1"}
    assert ASKED in ada.last.text
    before = len(ada.heard)
    await talk.until(time(20, 30))
    assert [text for text in ada.heard[before:] if "Still open" in text], "and in the evening too"
    await talk.press(ada, "Tell me what came of it", ASKED)
    await talk.press(ada, "I have been seen by someone", None)
    row = await row_of(talk, ada, "U1")
    await ada.press(newest_with(ada, "I have been seen by someone"), f"es:{row.id}:taken_back", stale=True)
    await talk.settled()
    assert await open_rules(talk, ada) == set(), "what a button settled stays settled"


async def test_a_booking_taken_back_waits_for_no_day(talk: Conversation) -> None:
    ada = await warned(talk, "S1")
    await talk.say(ada, "I've booked an appointment for Tuesday")
    await talk.press(ada, "That is not right", "I have taken that back")
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        assert not [one for one in await store.waiting(patient.id) if one.kind is Kind.APPOINTMENT]
    assert patient.expecting == ""
    heard = await talk.say(ada, "/appointment")
    assert any("no day yet" in button for button in heard[0].buttons)


async def test_the_same_update_dealt_with_again_gives_the_same_answer_once(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    for _ in range(2):
        reply = await hear(talk.app.services, ada.id, "saw the GP this morning", "u:77", "en")
        assert TAKEN in str(reply.messages[0].text)  # type: ignore[union-attr]
    row = await row_of(talk, ada, "U1")
    assert [event.what for event in await events_of(talk, row)].count("seen") == 1


async def test_a_question_that_was_cut_off_is_asked_again_and_not_taken_as_answered(
    talk: Conversation,
) -> None:
    ada = await warned(talk, "U1", asked=False)
    for _ in range(2):
        reply = await hear(talk.app.services, ada.id, "saw the GP this morning", "u:77", "en")
        assert ASKED in str(reply.messages[0].text)  # type: ignore[union-attr]
    assert await open_rules(talk, ada) == {"U1"}


# --- what is asked by button -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "will book tomorrow",
        "I would have rung 111",
        "saw the doctor last year about it",
        "I was seen years ago for this",
        "my husband saw the doctor",
        "once I have seen the doctor I will tell you",
        "I nearly rang 111",
        "rang 111 but couldn't get through",
        "I saw the doctor about my eyes",
        "booked",  # there is no such button where somebody is to be seen today
        "saw the GP?",
    ],
)
async def test_in_doubt_nothing_is_taken_and_a_button_is_asked_for(talk: Conversation, words: str) -> None:
    ada = await warned(talk, "U1")
    row = await row_of(talk, ada, "U1")
    before = await outcomes_of(talk, row)
    heard = await talk.say(ada, words)
    assert any(ASKED in one.text for one in heard), [one.text for one in heard]
    assert not [one for one in heard if TAKEN in one.text]
    assert await outcomes_of(talk, row) == before
    assert await open_rules(talk, ada) == {"U1"}


async def test_a_question_about_it_says_again_what_stands(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    heard = await talk.say(ada, "should I see the doctor?")
    assert "it still stands" in heard[0].text
    assert await open_rules(talk, ada) == {"U1"}


async def test_before_it_was_asked_words_lead_to_the_question_and_then_answer_it(talk: Conversation) -> None:
    ada = await warned(talk, "U1", asked=False)
    heard = await talk.say(ada, "I have seen the doctor about it")
    assert [ASKED in one.text for one in heard] == [True]
    heard = await talk.say(ada, "I have seen the doctor about it")
    assert heard[0].text.startswith(TAKEN)
    assert await open_rules(talk, ada) == set()


async def test_words_alone_never_settle_an_emergency(talk: Conversation) -> None:
    ada = await warned(talk, "E18")
    heard = await talk.say(ada, "I was seen by a doctor this morning")
    assert "please confirm it with a tap" in heard[0].text
    assert "999" in heard[0].text
    assert await open_rules(talk, ada) == {"E18"}
    await talk.press(ada, "I am with help, or have been seen", "I am glad that you were seen")
    assert await open_rules(talk, ada) == set()


@pytest.mark.parametrize("words", ["I have seen the doctor about it", "booked", "my doctor knows about this"])
async def test_words_alone_never_settle_despair(talk: Conversation, words: str) -> None:
    ada = await warned(talk, "E23")
    heard = await talk.say(ada, words)
    assert "How are you now?" in heard[0].text
    assert await open_rules(talk, ada) == {"E23"}


async def test_where_nothing_is_open_words_stay_words(talk: Conversation) -> None:
    ada = await talk.patient()
    for words in ("booked", "not yet", "saw the GP this morning", "couldn't get through"):
        assert not [one for one in await talk.say(ada, words) if TAKEN in one.text or ASKED in one.text]


# --- several, and somebody else's ------------------------------------------------------------------------


async def test_with_several_open_it_is_asked_which_one(talk: Conversation) -> None:
    ada = await warned(talk, "U1", "U8")
    heard = await talk.say(ada, "saw the GP this morning")
    assert "Which of these is it about?" in heard[0].text
    labels = [CONTENT.red_flag_words[rule].label for rule in ("U1", "U8")]
    assert heard[0].buttons == labels
    assert await open_rules(talk, ada) == {"U1", "U8"}
    await talk.press(ada, labels[1], "I am glad that you were seen")
    assert await open_rules(talk, ada) == {"U1"}


async def test_of_several_one_without_that_button_is_asked_about(talk: Conversation) -> None:
    ada = await warned(talk, "S1", "U1")
    heard = await talk.say(ada, "booked")
    assert "Which of these is it about?" in heard[0].text
    await talk.press(ada, CONTENT.red_flag_words["U1"].label, ASKED)
    assert await open_rules(talk, ada) == {"U1", "S1"}


async def test_who_has_seen_a_doctor_has_not_said_so_of_somebody_else(talk: Conversation) -> None:
    ada = await warned(talk, "U1", about_other=("U1",))
    heard = await talk.say(ada, "saw the GP this morning")
    assert "about somebody else" in heard[0].text
    assert await open_rules(talk, ada) == {"U1"}
    heard = await talk.say(ada, "she has seen the doctor")
    assert heard[0].text.startswith(TAKEN)
    assert await open_rules(talk, ada) == set()


# --- a sign goes first -----------------------------------------------------------------------------------


async def test_a_new_sign_beside_it_goes_first_and_nothing_is_settled(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    heard = await talk.say(ada, "saw the GP this morning, but now I can't breathe and my chest hurts")
    assert heard[0].text.startswith(CONTENT.red_flag_words["E1"].action) or "E2" in await open_rules(
        talk, ada
    )
    assert not [one for one in heard if TAKEN in one.text]
    assert "seen" not in await outcomes_of(talk, await row_of(talk, ada, "U1"))


async def test_the_sign_that_stands_named_again_settles_nothing_and_asks(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    heard = await talk.say(ada, "I have seen the doctor about my swollen leg")
    assert CONTENT.red_flag_words["U1"].question in heard[0].text
    assert ASKED in heard[-1].text
    assert await open_rules(talk, ada) == {"U1"}


async def test_a_cry_beside_it_is_no_answer(talk: Conversation) -> None:
    ada = await warned(talk, "U1")
    heard = await talk.say(ada, "rang 111, please help me")
    assert not [one for one in heard if TAKEN in one.text]
    assert any("What worries you?" in one.text for one in heard)
