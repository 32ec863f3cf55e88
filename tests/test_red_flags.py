"""Red flags from a button or from plain words, in any state: the right card and number, never silence."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.flows.asking import put_question
from bot.model import Asking, Escalation
from bot.sandbox.faults import Fault
from bot.sandbox.messages import Message
from content.loader import load
from content.schema import Level
from tests.conversation import Conversation, Person, heard
from tests.known import patient_of

CONTENT = load()
GRAVE = [rule for rule, red_flag in CONTENT.red_flags.items() if red_flag.level >= Level.URGENT]
N = "ci:261120"


async def morning(talk: Conversation, **how: str) -> Person:
    ada = await talk.patient(**how)
    await talk.until(time(8, 30))
    await talk.press(ada, f"{N}:pain:+p7", None)
    return ada


async def tick(talk: Conversation, person: Person, *options: str) -> list[Message]:
    """Tick warning signs and return what the bot said anew."""
    before = {message.id for message in person.messages}
    for option in options:
        await talk.press(person, f"{N}:signs:{option}", None)
    return [message for message in person.messages if message.from_bot and message.id not in before]


async def matters(talk: Conversation, person: Person, only_open: bool = True) -> list[Escalation]:
    async with talk.store() as store:
        patient = await store.patient_of_chat(person.id)
        assert patient is not None
        found = await store.escalations(patient.id)
    return [row for row in found if row.is_open or not only_open]


async def questions(talk: Conversation, person: Person) -> list[Asking]:
    async with talk.store() as store:
        patient = await store.patient_of_chat(person.id)
        assert patient is not None
        return await store.open_askings(patient.id)


def card_of(rule: str, person: Person) -> Message | None:
    action = CONTENT.red_flag_words[rule].action
    return next((one for one in reversed(person.messages) if one.from_bot and action in one.text), None)


def action(rule: str) -> str:
    return CONTENT.red_flag_words[rule].action


# --- every row by button ---------------------------------------------------------------------------------


@pytest.mark.parametrize("area", sorted({CONTENT.red_flags[rule].area for rule in GRAVE}))
async def test_every_grave_row_is_reached_by_button(talk: Conversation, area: str) -> None:
    for at, rule in enumerate(rule for rule in GRAVE if CONTENT.red_flags[rule].area == area):
        ada = await talk.patient(f"Ada{at}")
        await talk.say(ada, "/urgent")
        await talk.press(ada, f"ur:{area}", CONTENT.red_flag_words[rule].line)
        await talk.press(ada, f"ur:{area}:{rule}", CONTENT.red_flag_words[rule].question)
        await talk.press(ada, "Yes", None)
        card = card_of(rule, ada)
        words = CONTENT.red_flag_words[rule]
        assert card is not None, rule
        assert card.text.startswith(words.action)
        assert "999" in card.text
        assert words.do_not in card.text
        assert not card.silent
        assert not card.edited
        labels = card.buttons
        assert "I have read this" in labels
        assert "I pressed that by mistake" in labels
        assert [row.rule for row in await matters(talk, ada)] == [rule]


async def test_urgent_begins_and_ends_with_the_number_to_call(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "/urgent")
    first, last = said[0], said[-1]
    assert "999" in first.text.splitlines()[1], "the number stands at the top, before the long lists"
    assert "999" in last.text.splitlines()[1], "and above the last list, which a phone shows"
    assert all(page.buttons[0] == "📞 Call 999" for page in (first, last))
    assert "116 123" in first.text, "somebody to talk to"
    lines = "\n".join(one.text for one in said[1:-1])
    assert all(CONTENT.red_flag_words[rule].line in lines for rule in GRAVE)


async def test_where_no_number_is_known_a_person_near_by_is_named(talk: Conversation) -> None:
    ada = await talk.newcomer()
    await talk.press(ada, "en:yes:", None)
    await talk.say(ada, "Chad")
    card = (await talk.say(ada, "I have chest pain and can't breathe"))[0]
    lines = card.text.splitlines()
    assert lines[4].startswith("112")
    assert lines[5].startswith("911")
    assert lines[6] == "Or your local emergency number, if you know it."
    assert "ask anybody near you to call an ambulance" in lines[7]


async def test_very_low_mood_is_asked_about_kindly_with_a_person_to_talk_to_first(talk: Conversation) -> None:
    ada = await morning(talk)
    said = (await tick(talk, ada, "+low_mood"))[0].text
    assert said.startswith("I am glad that you say so.")
    assert said.index("116 123") < said.index("999"), "a person first"
    assert "Is it one of these?" in said
    assert "worse than your usual" not in said


async def test_despair_of_somebody_else_is_asked_about_in_words_about_them(talk: Conversation) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    night = talk.now.date() - timedelta(days=1)
    async with talk.app.database.transaction() as store:
        await put_question(talk.app.services, store, patient, night, "words:", ("E23",), True, "one")
    await talk.later(minutes=1)
    assert "with them or for them" in ada.last.text
    assert ada.last.text.index("116 123") < ada.last.text.index("999")


async def test_something_else_worries_me_opens_the_list(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await tick(talk, ada, "+other")
    areas = [button["callback_data"] for row in said[0].keyboard for button in row]
    assert {f"ur:{CONTENT.red_flags[rule].area}" for rule in GRAVE} <= set(areas)
    assert "999" in said[0].text


async def test_a_new_thing_beside_an_answer_shows_the_warning_signs_and_the_answer_counts(
    talk: Conversation,
) -> None:
    ada = await morning(talk)
    before = {message.id for message in ada.messages}
    await talk.say(ada, "left leg. there is something new about my nose")
    said = [message for message in ada.messages if message.from_bot and message.id not in before]
    shown = {button["callback_data"] for one in said for row in one.keyboard for button in row}
    assert {f"ur:{CONTENT.red_flags[rule].area}" for rule in GRAVE} <= shown
    assert any("999" in one.text for one in said)
    assert await matters(talk, ada) == []


# --- the card --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "zone", "number"),
    [
        ("United Kingdom", "", "999"),
        ("USA", "Chicago", "911"),
        ("Germany", "", "112"),
        ("Norway", "", "113"),
        ("Japan", "", "119"),
        ("skip", "", "112"),
        ("skip", "Paris", "112"),
    ],
)
async def test_the_card_has_the_number_of_the_country(
    talk: Conversation, country: str, zone: str, number: str
) -> None:
    ada = await talk.newcomer()
    await talk.press(ada, "en:yes:", None)
    await (talk.say(ada, country) if country != "skip" else talk.press(ada, "en:country:skip", None))
    if zone:
        await talk.say(ada, zone)
    said = await talk.say(ada, "I have chest pain and can't breathe")
    assert said[0].text.startswith(action("E1"))
    assert number in said[0].text.splitlines()[4], "action, reason, then the number on a line of its own"
    await talk.press(ada, next(label for label in said[0].buttons if number in label), None)
    assert ada.last.body["contact"]["phone_number"] == number


async def test_a_swollen_leg_is_told_at_once_and_sounds(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await tick(talk, ada, "+leg_swollen")
    assert said[0].text.startswith(action("U1"))
    assert not said[0].silent
    assert "111" in said[0].text
    assert "999" in said[0].text


async def test_the_card_comes_before_the_reply(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await talk.say(ada, "8/10 and my chest hurts, can't breathe")
    assert said[0].text.startswith(action("E1"))


async def test_chest_and_leg_meet_and_replace_the_leg_alone(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await tick(talk, ada, "+leg_swollen", "+chest")
    assert [one.text.startswith(action(rule)) for one, rule in zip(said, ("U1", "E2"), strict=True)] == [
        True
    ] * 2
    assert [row.rule for row in await matters(talk, ada)] == ["E2"]


async def test_chest_and_leg_meet_in_words_too(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my left calf is swollen and hot")
    said = await talk.say(ada, "now my chest hurts")
    assert said[0].text.startswith(action("E2"))
    assert [row.rule for row in await matters(talk, ada)] == ["E2"]


async def test_two_signs_of_one_night_are_two_matters(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await tick(talk, ada, "+leg_swollen", "+saddle")
    assert [row.rule for row in await matters(talk, ada)] == ["U1", "E4"]
    assert len(said) == 2


async def test_a_double_press_tells_once(talk: Conversation) -> None:
    ada = await morning(talk)
    message = next(one for one in reversed(ada.messages) if one.button(f"{N}:signs:+chest"))
    for _ in range(3):
        await ada.press(message, f"{N}:signs:+chest", stale=True)
    await talk.settled()
    assert [row.rule for row in await matters(talk, ada)] == ["E1"]
    assert heard(ada).count(action("E1")) == 1
    talk.telegram.complaints.clear()


# --- exact questions -------------------------------------------------------------------------------------


async def test_an_option_that_may_be_several_asks_which(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await tick(talk, ada, "+leg_weak")
    assert "999" in said[0].text
    assert "Is it one of these" in said[0].text
    await talk.press(ada, CONTENT.red_flag_words["U6"].label, None)
    assert [row.rule for row in await matters(talk, ada)] == ["U6"]
    assert card_of("U6", ada) is not None


async def test_not_sure_stays_at_the_highest_level(talk: Conversation) -> None:
    ada = await morning(talk)
    await tick(talk, ada, "+fever")
    await talk.press(ada, "Not sure", None)
    assert [row.rule for row in await matters(talk, ada)] == ["E8"]


async def test_none_of_these_raises_nothing_and_stays_possible(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await tick(talk, ada, "+fever")
    await talk.press(ada, "None of these", None)
    assert await matters(talk, ada) == []
    await ada.press(said[0], "ak:1:E8", stale=True)
    await talk.settled()
    assert [row.rule for row in await matters(talk, ada)] == ["E8"], "an old yes still counts"


async def test_an_emergency_question_nobody_answers_becomes_the_card(talk: Conversation) -> None:
    ada = await morning(talk)
    await tick(talk, ada, "+low_mood")
    await talk.later(minutes=14)
    assert await matters(talk, ada) == []
    await talk.later(minutes=2)
    await ada.wait(action("E23"))
    assert [row.rule for row in await matters(talk, ada)] == ["E23"]
    assert card_of("E23", ada) is not None


async def test_an_urgent_question_nobody_answers_becomes_the_card_in_the_morning(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "I hang my leg out of bed")
    assert [one.rules for one in await questions(talk, ada)] == [("U3",)]
    await talk.later(hours=4)
    assert await matters(talk, ada) == []
    await talk.until(time(8, 30))
    assert [row.rule for row in await matters(talk, ada)] == ["U3"]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("I have a fever", {"E8", "E9", "U8", "U10"}),
        ("my pee is brown", {"E14"}),
        ("my jaw is stiff", {"E22"}),
        ("I hang my leg out of bed", {"U3"}),
    ],
)
async def test_a_lone_sign_asks_the_exact_question(talk: Conversation, text: str, rules: set[str]) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, text)
    assert rules <= set((await questions(talk, ada))[0].rules)
    assert len(said) == 1
    assert "999" in said[0].text


async def test_a_sore_without_a_known_profile_asks_about_diabetes(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "there is a new sore on my foot")
    assert "U5" in (await questions(talk, ada))[0].rules


async def test_diabetes_said_in_the_message_counts(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "I am diabetic and have a sore on my foot")
    assert said[0].text.startswith(action("U5"))
    evidence = (await matters(talk, ada))[0].evidence
    assert "flag:diabetes" in evidence


async def test_signs_of_two_messages_meet(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "I have a fever")
    said = await talk.say(ada, "I can't stop shivering")
    assert said[0].text.startswith(action("E8"))


async def test_nearly_sure_asks_and_does_not_alarm(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "is my calf swollen because of a clot?")
    assert await matters(talk, ada) == []
    assert "U1" in (await questions(talk, ada))[0].rules
    await talk.press(ada, "Yes", None)
    assert [row.rule for row in await matters(talk, ada)] == ["U1"]
    assert "One question" in said[0].text


async def test_a_doubt_in_words_counts_as_yes(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "not sure, but my calf might be swollen")
    assert [row.rule for row in await matters(talk, ada)] == ["U1"]


async def test_a_typed_answer_brings_the_buttons_of_the_question_again(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my pee is brown")
    said = await talk.say(ada, "no")
    assert CONTENT.red_flag_words["E14"].question in said[0].text
    assert said[0].buttons == ["Yes", "No", "Not sure"]


# --- in any state ----------------------------------------------------------------------------------------


async def test_a_stranger_gets_the_card_and_nothing_is_kept(talk: Conversation) -> None:
    eve = talk.telegram.person("Eve")
    said = await talk.say(eve, "can't breathe")
    assert said[0].text.startswith(action("E1"))
    assert "112" in said[0].text
    async with talk.store() as store:
        assert await store.count_patients() == 0


async def test_a_stranger_in_doubt_is_asked_and_led_to_the_card(talk: Conversation) -> None:
    eve = talk.telegram.person("Eve")
    said = await talk.say(eve, "I have a fever")
    await talk.press(eve, CONTENT.red_flag_words["E8"].label, None)
    assert eve.last.text.startswith(action("E8"))
    assert "112" in said[0].text


async def test_a_stranger_is_heard_behind_a_command(talk: Conversation) -> None:
    eve = talk.telegram.person("Eve")
    said = await talk.say(eve, "/cramp but I can't breathe")
    assert any(one.text.startswith(action("E1")) for one in said)


async def test_during_enrolment_before_the_zone_is_known(talk: Conversation) -> None:
    ada = await talk.newcomer()
    said = await talk.say(ada, "can't breathe")
    assert said[0].text.startswith(action("E1"))
    await talk.press(ada, "en:yes:", None)
    said = await talk.say(ada, "can't breathe")
    assert said[0].text.startswith(action("E1"))
    await talk.press(ada, "en:country:US", None)
    said = await talk.say(ada, "I want to kill myself")
    assert said[0].text.startswith(action("E23"))
    assert "911" in said[0].text
    assert [row.rule for row in await matters(talk, ada)] == ["E1", "E23"]


async def test_paused_and_stopped_people_are_answered(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/stop")
    said = await talk.say(ada, "my foot is cold and white")
    assert said[0].text.startswith(action("E3"))
    bob = await talk.patient("Bob")
    await talk.say(bob, "/settings")
    await talk.press(bob, "Pause", None)
    await talk.say(bob, "in 10 days")
    said = await talk.say(bob, "my foot is cold and white")
    assert said[0].text.startswith(action("E3"))


async def test_erased_people_are_answered(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/erase")
    await talk.press(ada, "er:yes", None)
    await ada.wait("Everything is deleted")
    said = await talk.say(ada, "can't breathe")
    assert said[0].text.startswith(action("E1"))
    async with talk.store() as store:
        assert await store.count_patients() == 0


async def test_an_edited_message_and_a_command_are_read(talk: Conversation) -> None:
    ada = await talk.patient()
    sent = await ada.send("good evening")
    await talk.settled()
    await ada.edit(sent.id, "good evening, I can't breathe")
    await talk.settled()
    assert card_of("E1", ada) is not None
    bob = await talk.patient("Bob")
    said = await talk.say(bob, "/tips my foot is cold and white")
    assert said[0].text.startswith(action("E3"))


async def test_someone_else_is_helped_and_kept_out_of_the_diary(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "my mum's leg has gone cold and white")
    assert said[0].text.startswith(action("E3"))
    assert [row.about_other for row in await matters(talk, ada)] == [True]
    await talk.until(time(20, 30))
    assert "What came of it?" not in heard(ada), "the evening is the patient's own"
    await talk.settled()
    # The card's repeats fall due in the same moment and may come after the evening message.
    shown = [button for message in ada.messages for row in message.keyboard for button in row]
    assert any(str(button["callback_data"]).startswith("ev:") for button in shown)


async def test_words_that_mean_nothing_get_the_list_and_the_number(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "zzz qqq xxx yyy")
    assert "999" in said[0].text
    assert await matters(talk, ada) == []


async def test_a_question_is_no_alarm(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "is swelling a sign of a clot?")
    assert await matters(talk, ada) == []
    assert await questions(talk, ada) == []


# --- trouble at the moment of the card -------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("close", "sendMessage"),
        Fault("close", "sendMessage", after=True),
        Fault("status", "sendMessage", status=500),
        Fault("retry_after", "sendMessage", seconds=1),
    ],
    ids=["closed before", "closed after", "500", "429"],
)
async def test_the_card_is_told_at_least_once(talk: Conversation, fault: Fault) -> None:
    ada = await talk.patient()
    talk.telegram.faults.add(Fault(fault.kind, fault.method, seconds=fault.seconds, after=fault.after))
    await talk.say(ada, "can't breathe")
    await talk.later(minutes=1)
    assert card_of("E1", ada) is not None
    rows = await matters(talk, ada)
    assert rows[0].told_at is not None
    if fault.after:
        assert "sent this twice" in heard(ada)


async def test_a_card_survives_a_restart_before_it_is_told(talk: Conversation) -> None:
    ada = await talk.patient()
    for _ in range(20):
        talk.telegram.faults.add(Fault("close", "sendMessage"))
    await ada.send("can't breathe")
    await talk.settled()
    talk.telegram.faults.clear()
    await talk.restart()
    await talk.later(minutes=6)
    assert card_of("E1", ada) is not None
