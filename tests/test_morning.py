"""The morning check-in as patients live through it: taps, typed words, going back, other nights, restarts."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from bot.model import CheckIn, Origin
from bot.sandbox import Fault
from bot.sandbox.messages import Message
from tests.conversation import Conversation, Person, buttons, heard
from tests.known import patient_of

NIGHT = date(2026, 11, 20)  # the first night of everybody who enrols on the Friday
N = "ci:261120"
GOOD_NIGHT = ("pain:+p0", "signs:+none")
BAD_NIGHT = (
    "pain:+p7",
    "signs:+none",
    "feeling:+cramp",
    "done:feeling",
    "side:+both",
    "awake:+under_30",
    "helped:+stretching",
    "done:helped",
    "longest:+to_5",
    "tired:+bit",
)


async def morning(talk: Conversation, **how: str) -> Person:
    """Return somebody whose first check-in has just arrived."""
    ada = await talk.patient(**how)
    await talk.until(time(8, 30))
    return ada


async def tap(talk: Conversation, person: Person, *presses: str) -> None:
    for press in presses:
        await talk.press(person, f"{N}:{press}", None)


async def kept(talk: Conversation, person: Person, night: date = NIGHT) -> CheckIn:
    async with talk.store() as store:
        patient = await store.patient_of_chat(person.id)
        assert patient is not None
        checkin = await store.checkin(patient.id, night)
    assert checkin is not None
    return checkin


def forgive_unchanged(talk: Conversation) -> None:
    """An edit that changes nothing is refused by Telegram, which does no harm."""
    complaints = talk.telegram.complaints
    assert all("message is not modified" in one for one in complaints), list(complaints)
    complaints.clear()


def question(person: Person) -> str:
    return newest_with_night(person).text


def newest_with_night(person: Person) -> Message:
    """Return the newest message that carries a button of the check-in."""
    for message in reversed(person.messages):
        if any(data.startswith("ci:") for row in message.keyboard for data in [row[0]["callback_data"]]):
            return message
    raise AssertionError(person.heard[-3:])


async def test_a_good_night_is_two_taps(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, *GOOD_NIGHT)
    checkin = await kept(talk, ada)
    assert (checkin.pain, dict(checkin.signs), checkin.origin) == (0, {}, Origin.PROMPTED)
    assert checkin.completed_at is not None
    assert checkin.version
    assert "A quiet night" in heard(ada)


async def test_a_bad_night_is_at_most_ten_taps_in_one_message(talk: Conversation) -> None:
    ada = await morning(talk)
    before = len(ada.messages)
    assert len(BAD_NIGHT) <= 10
    await tap(talk, ada, *BAD_NIGHT)
    checkin = await kept(talk, ada)
    assert (checkin.pain, checkin.feeling, checkin.side) == (7, ("cramp",), "both")
    assert (checkin.awake, checkin.helped, checkin.longest, checkin.tired) == (
        "under_30",
        ("stretching",),
        "to_5",
        "bit",
    )
    assert checkin.completed_at is not None
    assert len(ada.messages) == before + 1, "the closing word is the only new message"


@pytest.mark.parametrize(
    ("score", "first"), [("p6", "mostly like"), ("p7", "Right now"), ("p10", "Right now")]
)
async def test_warning_signs_come_right_after_a_score_of_seven(
    talk: Conversation, score: str, first: str
) -> None:
    ada = await morning(talk)
    await tap(talk, ada, f"pain:+{score}")
    assert first in question(ada)


async def test_many_may_be_chosen_and_taken_back(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, "pain:+p4", "feeling:+cramp", "feeling:+ache", "feeling:+urge")
    assert (await kept(talk, ada)).feeling == ("ache", "urge"), "at most two: the oldest gives way"
    await tap(talk, ada, "feeling:-ache")
    assert (await kept(talk, ada)).feeling == ("urge",)
    await tap(
        talk,
        ada,
        "done:feeling",
        "distress:+mild",
        "side:+both",
        "awake:+no",
        "helped:+moving",
        "helped:+raising",
    )
    assert (await kept(talk, ada)).helped == ("moving", "raising")
    await tap(talk, ada, "helped:+nothing")
    assert (await kept(talk, ada)).helped == ("nothing",), "it stands alone"


async def test_every_question_can_be_skipped(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, "skip:pain")
    await tap(talk, ada, "skip:signs")
    checkin = await kept(talk, ada)
    assert checkin.pain is None
    assert checkin.skipped == {"pain", "signs"}
    assert "fill in the rest" in heard(ada)
    await tap(talk, ada, "change", "show:pain", "pain:+p5")
    for code in ("feeling", "side", "awake", "helped", "tired"):
        await tap(talk, ada, f"skip:{code}")
    assert (await kept(talk, ada)).skipped >= {"feeling", "side", "awake", "helped", "tired"}


async def test_skipping_the_signs_twice_says_it_in_general(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, "pain:+p0", "skip:signs")
    assert "skipped the warning signs twice" not in heard(ada)
    await talk.until(time(8, 30))
    await talk.press(ada, "ci:261121:pain:+p0", None)
    await talk.press(ada, "ci:261121:skip:signs", None)
    assert "skipped the warning signs twice" in heard(ada)
    assert "999" in heard(ada)


async def test_one_question_back(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, "pain:+p3", "feeling:+ache", "done:feeling")
    assert "Which leg" in question(ada)
    await talk.press(ada, "‹ Back", None)
    assert "mostly like" in question(ada)
    assert "✓ Ache or throb" in buttons(ada).values()
    await tap(talk, ada, "done:feeling")
    assert "Which leg" in question(ada)


async def test_a_correction_keeps_the_old_value(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, *BAD_NIGHT)
    await talk.later(hours=3)
    await tap(talk, ada, "change", "show:pain", "pain:+p4")
    assert (await kept(talk, ada)).pain == 4
    async with talk.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        corrections = await store.corrections(patient.id, NIGHT)
    assert [(one.question, one.old, one.new) for one in corrections] == [("pain", "7", "4")]
    assert "Change an answer" in buttons(ada).values()


async def test_a_typed_reply_is_understood_and_the_rest_is_asked(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await talk.say(ada, "7/10, left calf, woke twice, stretching helped")
    checkin = await kept(talk, ada)
    assert (checkin.pain, checkin.side, checkin.helped) == (7, "left", ("stretching",))
    assert "New leg pain that stays, and clot risk" in said[0].buttons, "a leg that was not named before"
    assert "This is what I understood" in said[1].text
    assert "Right now or since yesterday" in said[1].text
    await tap(talk, ada, "signs:+none")
    assert "mostly like" in question(ada)


async def test_a_half_typed_reply_fills_in_what_it_says(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, "pain:+p4")
    await talk.say(ada, "stretching helped")
    checkin = await kept(talk, ada)
    assert (checkin.pain, checkin.helped) == (4, ("stretching",))


async def test_the_choice_of_a_question_can_be_typed(talk: Conversation) -> None:
    ada = await morning(talk)
    await tap(talk, ada, "pain:+p4", "feeling:+ache", "done:feeling")
    said = await talk.say(ada, "both.")
    assert "Leg: Both" in said[0].text
    await tap(talk, ada, "awake:+no")
    said = await talk.say(ada, "Nothing helped")
    assert "is anything here new, or worse than your usual?" in said[0].text
    await talk.say(ada, "none of these")
    checkin = await kept(talk, ada)
    assert (checkin.side, checkin.helped) == ("both", ("nothing",))
    assert "signs" not in checkin.done, "warning signs are ruled out by a button alone"


@pytest.mark.parametrize("after", [False, True])
async def test_a_typed_choice_whose_reply_was_lost_is_understood_still(
    talk: Conversation, after: bool
) -> None:
    ada = await morning(talk)
    await tap(talk, ada, "pain:+p4", "feeling:+ache", "done:feeling")
    talk.telegram.faults.add(Fault("close", method="sendMessage", after=after))
    await ada.send("both")
    await ada.wait("Leg: Both")
    await talk.settled()
    assert "not sure what you mean" not in ada.last.text
    checkin = await kept(talk, ada)
    assert (checkin.side, checkin.awake) == ("both", None)


async def test_what_was_understood_is_shown_before_the_pain_is_known(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await talk.say(ada, "burning feet")
    shown = next(one for one in said if "This is what I understood" in one.text)
    assert "Felt like: Burning, tingling" in shown.text


async def test_a_good_night_can_be_typed(talk: Conversation) -> None:
    ada = await morning(talk)
    said = await talk.say(ada, "no trouble")
    assert (await kept(talk, ada)).pain == 0
    assert "Right now or since yesterday" in said[0].text


async def test_a_missed_night_is_filled_in_and_marked(talk: Conversation) -> None:
    ada = await morning(talk)
    await talk.until(time(8, 30))
    await talk.until(time(8, 30))
    await talk.say(ada, "/night")
    assert len([data for data in buttons(ada) if data.startswith("nt:")]) == 3, "the nights since joining"
    await talk.press(ada, "nt:261120", None)
    assert "filled in later" in ada.last.text
    await talk.press(ada, "ci:261120:pain:+p6", None)
    checkin = await kept(talk, ada, date(2026, 11, 20))
    assert (checkin.pain, checkin.origin) == (6, Origin.BACKFILLED)
    await talk.say(ada, "stretching helped")
    assert (await kept(talk, ada, date(2026, 11, 20))).helped == ("stretching",)


async def test_an_old_button_means_its_own_night(talk: Conversation) -> None:
    ada = await morning(talk)
    await talk.until(time(8, 30))
    await tap(talk, ada, "pain:+p2")
    assert (await kept(talk, ada)).pain == 2
    assert (await kept(talk, ada, date(2026, 11, 21))).pain is None


async def test_a_night_long_ago_or_to_come_is_declined(talk: Conversation) -> None:
    ada = await morning(talk)
    message = ada.last
    for night in ("261101", "261130", "999999", "", "x"):
        await ada.press(message, f"ci:{night}:pain:+p2", stale=True)
        await talk.settled()
    assert ada.toasts[-1].text.startswith("This button is too old")
    assert len(ada.chat.answers) >= 5


@pytest.mark.parametrize("path", [GOOD_NIGHT, BAD_NIGHT])
async def test_a_restart_after_every_tap_loses_nothing(talk: Conversation, path: tuple[str, ...]) -> None:
    ada = await morning(talk)
    for press in path:
        await talk.restart()
        await tap(talk, ada, press)
    await talk.restart()
    checkin = await kept(talk, ada)
    assert checkin.completed_at is not None
    assert checkin.pain == int(path[0].partition("+p")[2])


async def test_a_double_press_does_nothing_bad_and_every_press_is_answered(talk: Conversation) -> None:
    ada = await morning(talk)
    message = ada.last
    queries = [await ada.press(message, f"{N}:pain:+p7") for _ in range(3)]
    await talk.settled()
    assert (await kept(talk, ada)).pain == 7
    async with talk.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        assert await store.corrections(patient.id, NIGHT) == []
    answered = {answer.query_id for answer in ada.chat.answers}
    assert set(queries) <= answered
    forgive_unchanged(talk)


async def test_nonsense_on_a_button_is_harmless(talk: Conversation) -> None:
    ada = await morning(talk)
    message = ada.last
    for data in (
        "ci",
        "ci:",
        f"{N}",
        f"{N}:pain",
        f"{N}:pain:p7",
        f"{N}:pain:+p77",
        f"{N}:signs:+nonsense",
        f"{N}:done:pain",
        f"{N}:skip:nothing",
        f"{N}:show:nothing",
        f"{N}:drop table:x",
        "nt:abc",
        "es:999:read",
        "es:x:y:z",
        "ak:1:E1",
        "ak:",
        "ur:nowhere:E99",
        "ur:chest:S1x",
        "no:",
        "zz:1",
        "",
    ):
        await ada.press(message, data or "-", stale=True)
        await talk.settled()
    checkin = await kept(talk, ada)
    assert checkin.pain is None
    assert len(ada.chat.answers) >= 21
    async with talk.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        assert await store.open_escalations(patient.id) == []
    forgive_unchanged(talk)


async def test_pressing_after_erasing_creates_nobody(talk: Conversation) -> None:
    ada = await morning(talk)
    message = ada.last
    await talk.say(ada, "/erase")
    await talk.press(ada, "er:yes", None)
    await ada.wait("Everything is deleted")
    for data in (f"{N}:signs:+chest", f"{N}:pain:+p9", "es:1:read", "ak:1:E1", "nt:261120"):
        await ada.press(message, data, stale=True)
        await talk.settled()
    async with talk.store() as store:
        assert await store.count_patients() == 0


async def test_a_score_typed_in_the_night_belongs_to_that_night(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(5, 30))
    await talk.say(ada, "8/10 left calf")
    checkin = await kept(talk, ada, date(2026, 11, 20))
    assert (checkin.pain, checkin.side) == (8, "left")
    before = len(ada.messages)
    await talk.until(time(8, 30))
    await talk.later(seconds=3)
    asked = [message.text for message in ada.messages[before:]]
    assert any("Night of Friday 20 Nov" in text for text in asked), "the warning signs are still to be asked"


async def test_late_in_quiet_hours_it_waits_for_their_end_and_outside_it_sounds(talk: Conversation) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        await store.change_patient(patient.id, quiet_from=time(13), quiet_until=time(15))
    await talk.until(time(8, 20))
    await talk.go_to(talk.now + timedelta(hours=5, minutes=30))  # the bot was away
    assert not any(":pain:" in str(message.keyboard) for message in ada.messages)
    await talk.until(time(15, 0))
    assert ":pain:" in str(ada.last.keyboard)
    assert "sorry" in ada.last.text.lower()
    assert not ada.last.silent
    await talk.until(time(8, 30))
    assert ":pain:" in str(ada.last.keyboard)
    assert not ada.last.silent  # before the end of quiet hours, and not in them
