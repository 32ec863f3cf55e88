"""A red flag with a memory: repeated until somebody has read it, asked about until it is settled."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from bot.flows.escalation import raise_findings
from bot.flows.hearing import hear
from bot.model import Finding, Kind, ProfileAnswer, State
from bot.sandbox.faults import Fault
from content.loader import load
from content.schema import Level
from tests.conversation import LONDON, Conversation, Person, heard, local_moment
from tests.known import action, cards, follow_ups, matters, patient_of

CONTENT = load()
N = "ci:261120"


async def in_the_morning(talk: Conversation, name: str = "Ada") -> Person:
    """Return somebody who is asked the warning signs at 08:30 on the Saturday."""
    ada = await talk.patient(name)
    await talk.until(time(8, 30))
    await talk.press(ada, f"{N}:pain:+p0", None)
    return ada


async def tick(talk: Conversation, person: Person, option: str) -> None:
    await talk.press(person, f"{N}:signs:{option}", None)


# --- until somebody has read it --------------------------------------------------------------------------


async def test_an_emergency_is_repeated_exactly_on_its_schedule(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+chest")
    told_at = talk.now
    assert cards(ada, "E1") == 1
    for at, minutes in enumerate(CONTENT.lifecycles["emergency"].repeat_minutes, start=1):
        await talk.go_to(told_at + timedelta(minutes=minutes, seconds=-20))
        assert cards(ada, "E1") == at, f"before {minutes} minutes"
        await talk.go_to(told_at + timedelta(minutes=minutes, seconds=5))
        assert cards(ada, "E1") == at + 1, f"after {minutes} minutes"
    assert "Are you with help?" in ada.last.text
    assert "I am with help, or have been seen" in ada.last.buttons
    assert not ada.last.silent
    await talk.later(hours=8)
    assert cards(ada, "E1") == len(CONTENT.lifecycles["emergency"].repeat_minutes) + 1


async def test_an_urgent_card_comes_again_in_waking_hours_and_on_two_mornings(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.later(minutes=230)
    assert cards(ada, "U1") == 1
    await talk.later(minutes=15)
    assert cards(ada, "U1") == 2
    for total in (3, 4):
        await talk.until(time(8, 30))
        assert cards(ada, "U1") == total
    await talk.until(time(8, 30))
    assert cards(ada, "U1") == 4


@pytest.mark.parametrize("press", ["read", "going", "not_yet", "cannot"])
async def test_once_acknowledged_it_is_not_repeated(talk: Conversation, press: str) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+chest")
    row = (await matters(talk, ada))[0]
    card = next(one for one in reversed(ada.messages) if one.button(f"es:{row.id}:read"))
    await ada.press(card, f"es:{row.id}:{press}", stale=True)
    await talk.settled()
    await talk.later(hours=4)
    assert cards(ada, "E1") == 1
    assert (await matters(talk, ada))[0].acknowledged_at is not None


async def test_despair_is_asked_gently(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "I want to kill myself")
    assert said[0].text.startswith(action("E23"))
    assert "116 123" in said[0].text
    assert "I am safe and not alone" in said[0].buttons
    await talk.later(minutes=16)
    assert "Are you safe right now?" in ada.last.text
    await talk.press(ada, "I am safe and not alone", None)
    assert len(await matters(talk, ada)) == 1, "safe for now does not settle it"
    await talk.until(time(8, 31))
    assert "How are you now?" in heard(ada)
    await talk.press(ada, "I am safe and have talked to someone", None)
    assert await matters(talk, ada) == []


# --- what came of it -------------------------------------------------------------------------------------


async def test_the_next_mornings_ask_what_came_of_it_and_thin_out(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+chest")
    await talk.press(ada, "I have read this", None)
    asked = []
    for day in range(1, 15):
        before = follow_ups(ada)
        await talk.until(time(8, 30))
        if follow_ups(ada) > before:
            asked.append(day)
    assert asked == [*CONTENT.lifecycles["emergency"].follow_up_days]


async def test_the_evening_asks_what_came_of_it_and_nothing_else(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.press(ada, "I have read this", None)
    await talk.until(time(20, 30))
    assert "What came of it?" in ada.last.text
    assert not any(button.startswith("☐") for button in ada.last.buttons)


async def test_seen_settles_it_and_the_same_evidence_stays_quiet(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.press(ada, "I have read this", None)
    await talk.until(time(20, 30))
    await talk.press(ada, "I have been seen by someone", "glad that you were seen")
    assert await matters(talk, ada) == []
    await talk.press(ada, "A treatment or advice", "Do what they told you, also where")
    before = cards(ada, "U1")
    await talk.press(ada, f"{N}:done:signs", None)
    await talk.later(days=3)
    assert cards(ada, "U1") == before, "the same evidence"
    said = await talk.say(ada, "my leg is swollen again")
    assert said[0].text.startswith(action("U1")), "it is back"


async def test_a_fresh_report_of_what_was_read_gets_a_short_answer(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "can't breathe")
    await talk.press(ada, "I have read this", None)
    said = await talk.say(ada, "can't breathe")
    assert "I told you about this before" in said[0].text
    assert "999" in said[0].text
    said = await talk.say(ada, "now I am coughing up blood")
    assert said[0].text.startswith(action("E1")), "something new rings"


async def test_cannot_reach_anyone_shows_the_line_and_what_to_say(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.press(ada, "I have read this", None)
    await talk.until(time(20, 30))
    await talk.press(ada, "I cannot reach anyone", "I was told to be seen")
    assert "111" in ada.last.text
    assert len(await matters(talk, ada)) == 1


async def test_words_that_say_seen_propose_and_a_button_confirms(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    said = await talk.say(ada, "the doctor saw me about my leg")
    assert "What came of it?" in said[0].text
    assert len(await matters(talk, ada)) == 1
    await talk.press(ada, "I have been seen by someone", None)
    assert await matters(talk, ada) == []


async def test_why_says_which_answers_and_which_rule(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.press(ada, "Why do you say this?", "The rule: U1")
    said = await talk.say(ada, "/why")
    assert CONTENT.sign_words["leg_swollen"] in said[0].text


async def test_why_says_when_a_message_really_went_out(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.app.stop()
    talk.clock.offset += local_moment(date(2026, 11, 20), time(21, 40), LONDON) - talk.now
    await talk.wake_up()
    await talk.later(seconds=1)
    said = await talk.say(ada, "/why")
    assert "21:40: evening message: sent" in said[-1].text
    assert "20:30" not in said[-1].text


async def with_signs_unnamed(talk: Conversation, nights: tuple[str, ...]) -> Person:
    """Return somebody with an infection and a clot suspected, who names neither on some nights."""
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    night = date(2026, 11, 20)
    skin = Finding("U8", Level.URGENT, "infection", None, ("sign:skin_infected",))
    clot = Finding("U1", Level.URGENT, "leg_clot", None, ("sign:leg_swollen",))
    async with talk.app.database.transaction() as store:
        for finding in (skin, clot):
            await raise_findings(talk.app.services, store, patient, (finding,), night, f"test:{finding.rule}")
    await talk.until(time(8, 30))
    for named in nights:
        await talk.until(time(8, 30))
        await none_of_these(talk, ada, named)
    return ada


async def none_of_these(talk: Conversation, person: Person, named: str) -> None:
    await talk.press(person, f"ci:{named}:pain:+p0", None)
    await talk.press(person, f"ci:{named}:signs:+none", None)


async def levels(talk: Conversation, person: Person) -> dict[str, Level]:
    return {row.rule: row.level for row in await matters(talk, person)}


async def test_a_leg_sign_not_named_for_two_nights_is_lowered_once_it_is_said_to_be_gone(
    talk: Conversation,
) -> None:
    ada = await with_signs_unnamed(talk, ("261121", "261122"))
    assert await levels(talk, ada) == {"U8": Level.URGENT, "U1": Level.URGENT}
    assert sum("Has it gone?" in text for text in ada.heard) == 1, "a clot stays"
    await talk.press(ada, "Yes, it has gone", "have it seen within the next days")
    assert await levels(talk, ada) == {"U8": Level.SOON, "U1": Level.URGENT}


async def test_a_leg_sign_said_to_be_there_still_is_not_lowered(talk: Conversation) -> None:
    ada = await with_signs_unnamed(talk, ("261121", "261122"))
    await talk.press(ada, "No, it is still there", action("U8"))
    await talk.until(time(8, 30))
    await none_of_these(talk, ada, "261123")
    assert sum("Has it gone?" in text for text in ada.heard) == 1, "not every morning"
    assert await levels(talk, ada) == {"U8": Level.URGENT, "U1": Level.URGENT}


async def test_a_leg_sign_reported_again_in_words_is_not_gone(talk: Conversation) -> None:
    ada = await with_signs_unnamed(talk, ("261121",))
    row = next(one for one in await matters(talk, ada) if one.rule == "U8")
    await talk.press(ada, f"es:{row.id}:read", None)
    said = await talk.say(ada, "the patch is still hot and red")
    assert action("U8") in said[0].text
    await talk.until(time(8, 30))
    await none_of_these(talk, ada, "261122")
    assert not any("Has it gone?" in text for text in ada.heard)
    assert (await levels(talk, ada))["U8"] is Level.URGENT


# --- a mis-tap -------------------------------------------------------------------------------------------


async def test_a_mistap_is_believed_once_the_exact_question_is_answered_no(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.press(ada, "I pressed that by mistake", CONTENT.red_flag_words["U1"].question)
    assert len(await matters(talk, ada)) == 1
    await talk.press(ada, "No", "taken it back")
    assert await matters(talk, ada) == []
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        checkin = await store.checkin(patient.id, (await store.escalations(patient.id))[0].night)
    assert checkin is not None
    assert dict(checkin.signs) == {}
    before = cards(ada, "U1")
    await tick(talk, ada, "+leg_swollen")
    assert cards(ada, "U1") == before + 1, "a fresh report is never met with silence"


async def test_a_mistap_left_open_is_still_repeated(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+chest")
    await talk.press(ada, "I pressed that by mistake", None)
    await talk.later(minutes=6)
    assert cards(ada, "E1") == 2


async def test_yes_after_all_tells_the_card_again(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.press(ada, "I have read this", None)
    await talk.press(ada, "I pressed that by mistake", None)
    await talk.press(ada, "Not sure", None)
    assert cards(ada, "U1") == 2
    assert (await matters(talk, ada))[0].acknowledged_at is None


@pytest.mark.parametrize("rule", sorted(r for r, f in CONTENT.red_flags.items() if f.mistap_days > 1))
async def test_the_gravest_are_taken_back_on_two_days_only(talk: Conversation, rule: str) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/urgent")
    await talk.press(ada, f"ur:{CONTENT.red_flags[rule].area}", None)
    await talk.press(ada, f"ur:{CONTENT.red_flags[rule].area}:{rule}", None)
    await talk.press(ada, "Yes", None)
    await talk.press(ada, "I pressed that by mistake", None)
    await talk.press(ada, "No", "once more tomorrow")
    assert [row.rule for row in await matters(talk, ada)] == [rule]
    await talk.later(hours=4)
    assert cards(ada, rule) == 1, "read, so not repeated"
    await talk.until(time(8, 30))
    await talk.press(ada, "No", "taken it back")
    assert await matters(talk, ada) == []


async def test_taking_a_sign_back_goes_the_way_of_a_mistap(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await tick(talk, ada, "-leg_swollen")
    assert CONTENT.red_flag_words["U1"].question in ada.last.text
    assert "✓ One leg swollen, hot or red" in [label for one in ada.messages for label in one.buttons]
    assert len(await matters(talk, ada)) == 1
    await talk.press(ada, "No", "taken it back")
    assert await matters(talk, ada) == []


async def test_a_combination_taken_back_asks_what_remains(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    await tick(talk, ada, "+chest")
    await talk.press(ada, "I pressed that by mistake", None)
    await talk.press(ada, "No", None)
    labels = ada.last.buttons
    assert CONTENT.red_flag_words["U1"].label in labels
    await talk.press(ada, CONTENT.red_flag_words["U1"].label, None)
    assert [row.rule for row in await matters(talk, ada)] == ["U1"]


# --- a clot that is known and treated --------------------------------------------------------------------


async def with_a_treated_clot(talk: Conversation) -> Person:
    """Return somebody treated for a clot in the left leg who is asked the warning signs."""
    ada = await in_the_morning(talk)
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        await store.set_profile(patient.id, ProfileAnswer("clot_treated", True, side="left"), talk.now)
    return ada


async def test_a_treated_clot_is_quiet_for_its_own_leg(talk: Conversation) -> None:
    ada = await with_a_treated_clot(talk)
    await tick(talk, ada, "+leg_swollen")
    assert cards(ada, "U1") == 0
    assert CONTENT.red_flag_words["U27"].question in ada.last.text
    await talk.press(ada, "No", "noted: no")
    await talk.later(days=1)
    assert await matters(talk, ada) == []


@pytest.mark.parametrize("press", ["Yes", "Not sure"])
async def test_a_treated_clot_is_loud_for_a_bigger_leg_and_for_the_other(
    talk: Conversation, press: str
) -> None:
    ada = await with_a_treated_clot(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.press(ada, press, None)
    assert cards(ada, "U27") == 1


async def test_a_treated_clot_without_an_answer_is_loud_next_morning(talk: Conversation) -> None:
    ada = await with_a_treated_clot(talk)
    await tick(talk, ada, "+leg_swollen")
    await talk.until(time(8, 30))
    assert cards(ada, "U27") == 1


async def test_a_treated_clot_is_loud_for_the_chest(talk: Conversation) -> None:
    ada = await with_a_treated_clot(talk)
    await tick(talk, ada, "+chest")
    assert cards(ada, "E1") == 1


async def test_words_about_a_treated_leg_are_asked_about_and_a_bigger_one_is_loud(talk: Conversation) -> None:
    ada = await with_a_treated_clot(talk)
    said = await talk.say(ada, "my leg is swollen")
    assert CONTENT.red_flag_words["U27"].question in said[0].text
    await talk.press(ada, "No", None)
    said = await talk.say(ada, "my leg with the clot is more swollen than before")
    assert said[0].text.startswith(action("U27"))


# --- a question left open --------------------------------------------------------------------------------


async def test_a_card_that_comes_of_silence_says_so_and_so_does_why(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/cramp")
    await talk.press(ada, "It will not let go", None)
    await talk.later(seconds=6)
    assert CONTENT.red_flag_words["U13"].line in heard(ada)
    await talk.until(time(8, 30))
    card = next(one for one in ada.messages if action("U13") in one.text)
    assert "have had no answer" in card.text
    await talk.press(ada, "Why do you say this?", "which had no answer yet")
    await talk.press(ada, f"es:{(await matters(talk, ada))[0].id}:read", None)
    await talk.until(time(8, 30))
    await talk.later(days=1)
    asked = next(one for one in reversed(ada.messages) if "What came of it?" in one.text)
    assert "my question had no answer" in asked.text
    assert "you told me" not in asked.text


# --- closed chats and outages ----------------------------------------------------------------------------


async def test_a_closed_chat_warns_the_operator_and_gets_one_card_when_it_opens(
    talk: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await talk.patient()
    talk.telegram.faults.add(Fault("status", "sendMessage", times=None))
    await ada.send("my left leg is swollen and hot")
    await talk.settled()
    await ada.block()
    await talk.settled()
    talk.telegram.faults.clear()
    assert cards(ada, "U1") == 0
    await talk.later(minutes=1)
    for _ in range(5):
        await talk.later(days=1)
    assert any("safety message waits" in record.message for record in caplog.records)
    assert not any("swollen" in record.getMessage() for record in caplog.records)
    before = cards(ada, "U1"), follow_ups(ada)
    await ada.unblock()
    await talk.settled()
    await talk.later(seconds=1)
    await talk.later(minutes=1)
    assert (cards(ada, "U1"), follow_ups(ada)) == (before[0] + 1, before[1])


async def test_somebody_who_writes_is_answered_although_thought_to_have_blocked_the_bot(
    talk: Conversation,
) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        await store.change_patient(patient.id, blocked_at=talk.now)
    said = await talk.say(ada, "can't breathe")
    assert said[0].text.startswith(action("E1"))
    assert (await patient_of(talk, ada)).blocked_at is None


async def test_stopping_ends_repeats_and_questions(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+chest")
    await talk.say(ada, "/stop")
    before = len(ada.heard)
    for _ in range(4):
        await talk.later(hours=12)
    assert len(ada.heard) == before


async def test_after_days_offline_there_is_one_message_not_six(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+chest")
    await talk.app.stop()
    talk.clock.offset += timedelta(days=5)
    before = len(ada.heard)
    await talk.wake_up()
    await talk.later(seconds=1)
    await talk.later(minutes=5)
    told = [text for text in ada.heard[before:] if action("E1") in text]
    assert len(told) == 1


async def test_an_old_card_points_to_the_newer_one(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    first = (await matters(talk, ada))[0]
    await tick(talk, ada, "+chest")
    old = next(one for one in ada.messages if one.button(f"es:{first.id}:read"))
    await ada.press(old, f"es:{first.id}:read")
    await talk.settled()
    assert "newer message" in ada.toasts[-1].text
    assert (await matters(talk, ada))[0].acknowledged_at is None


async def test_an_update_dealt_with_again_after_a_crash_adds_no_i_told_you_before(talk: Conversation) -> None:
    ada = await talk.patient()
    words = "can't breathe"
    assert (await hear(talk.app.services, ada.id, words, "update:1", "en")).messages == ()
    assert (await hear(talk.app.services, ada.id, words, "update:1", "en")).messages == ()
    await talk.later(seconds=1)
    assert cards(ada, "E1") == 1
    again = await hear(talk.app.services, ada.id, words, "update:2", "en")
    assert len(again.messages) == 1


async def test_what_waits_for_a_morning_moves_with_it(talk: Conversation) -> None:
    ada = await talk.newcomer()
    await talk.press(ada, "en:yes:", "Which country")
    await talk.press(ada, "en:country:GB", None)
    await talk.say(ada, "my left leg is swollen and hot")
    await talk.press(ada, "I have read this", None)
    await talk.press(ada, "en:prompt:2030", "in the morning")
    await talk.press(ada, "en:checkin:0700", "One last thing")
    await talk.press(ada, "en:profile:later", "You are all set")
    await talk.until(time(7, 0))
    assert follow_ups(ada) == 1
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        waiting = [one for one in await store.waiting(patient.id) if one.kind is Kind.FOLLOW_UP]
    assert [one.due_at.astimezone(LONDON).hour for one in waiting] == [7]


# --- what can wait ---------------------------------------------------------------------------------------


async def test_what_can_wait_is_told_once_and_out_of_quiet_hours(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(23, 30))
    said = await talk.say(ada, "I snore loudly and stop breathing at night")
    rows = await matters(talk, ada)
    if not rows:
        pytest.skip("these words are read otherwise")
    assert rows[0].level <= Level.SOON
    assert "wait until morning" in said[0].text
    await talk.until(time(7, 1))
    assert cards(ada, rows[0].rule) == 1
    card = next(one for one in ada.messages if one.button(f"es:{rows[0].id}:known"))
    assert card.silent
    await talk.later(days=3)
    assert cards(ada, rows[0].rule) == 1
    await talk.press(ada, f"es:{rows[0].id}:known", None)
    assert await matters(talk, ada) == []


async def speaks(talk: Conversation, person: Person, night: date, *signs: str) -> bool:
    patient = await patient_of(talk, person)
    finding = Finding("S5", Level.SOON, "lower_spine", None, tuple(f"sign:{sign}" for sign in signs))
    async with talk.app.database.transaction() as store:
        raised = await raise_findings(talk.app.services, store, patient, (finding,), night, f"test:{night}")
    return bool(raised.speaking)


async def test_a_settled_matter_speaks_again_for_something_new_and_not_for_the_same(
    talk: Conversation,
) -> None:
    ada = await talk.patient()
    assert await speaks(talk, ada, date(2026, 11, 20), "leg_thinner")
    await talk.later(seconds=1)
    row = (await matters(talk, ada))[0]
    await talk.press(ada, f"es:{row.id}:seen", None)
    await talk.later(days=2)
    assert not await speaks(talk, ada, date(2026, 11, 22), "leg_thinner")
    await talk.later(days=1)
    assert await speaks(talk, ada, date(2026, 11, 23), "leg_thinner", "slow_weakness")


async def test_what_was_told_this_week_and_stands_is_not_told_again(talk: Conversation) -> None:
    ada = await talk.patient()
    assert await speaks(talk, ada, date(2026, 11, 20), "leg_thinner")
    await talk.later(days=3)
    assert not await speaks(talk, ada, date(2026, 11, 23), "leg_thinner", "slow_weakness")


async def test_known_to_my_doctor_is_not_offered_for_what_is_grave(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    assert not any("doctor knows" in label for one in ada.messages for label in one.buttons)
    row = (await matters(talk, ada))[0]
    card = next(one for one in ada.messages if one.button(f"es:{row.id}:read"))
    await ada.press(card, f"es:{row.id}:known", stale=True)
    await talk.settled()
    assert len(await matters(talk, ada)) == 1


async def test_a_settled_matter_owes_nothing(talk: Conversation) -> None:
    ada = await in_the_morning(talk)
    await tick(talk, ada, "+leg_swollen")
    row = (await matters(talk, ada))[0]
    card = next(one for one in ada.messages if one.button(f"es:{row.id}:read"))
    await ada.press(card, f"es:{row.id}:seen", stale=True)
    await talk.settled()
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        waiting = await store.waiting(patient.id)
    assert not [one for one in waiting if one.kind in (Kind.CARD, Kind.FOLLOW_UP)]
    assert State.READY in {one.state for one in waiting}, "prompts go on"


async def test_why_claims_no_more_nights_than_were_told(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "can't keep my legs still at night, crawling, have to get up and walk")
    said = await talk.say(ada, "/why")
    assert "restless legs at night" in said[0].text
    assert "a week" not in said[0].text
