"""The rules over many nights, in the living bot: each morning the whole diary, told once, until settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from bot.flows.cards import evidence_words
from bot.flows.escalation import raise_findings, withheld_by
from bot.flows.facts import circumstances
from bot.model import CheckIn, Escalation, Evening, Finding, Kind, Origin, ProfileAnswer
from bot.rules.tips import withheld_techniques
from content.loader import load
from content.schema import Level
from tests.conversation import Conversation, Person, buttons, heard
from tests.known import open_rules, patient_of

CONTENT = load()
LAST = date(2026, 11, 20)  # the night that the first morning asks about
N = "ci:261120"


def action(rule: str) -> str:
    return CONTENT.rule_words[rule].action


async def rows(talk: Conversation, person: Person) -> dict[str, Escalation]:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return {row.rule: row for row in await store.escalations(patient.id)}


async def told(talk: Conversation, person: Person, night: date, **answers: Any) -> None:
    """Write one night straight into the diary."""
    patient = await patient_of(talk, person)
    async with talk.app.database.transaction() as store:
        fresh = await store.open_checkin(patient.id, night, Origin.PROMPTED, "", talk.now)
        values = {"pain": 3, "done": frozenset({"pain", "signs"}), "completed_at": talk.now, **answers}
        await store.save_checkin(patient.id, fresh, CheckIn(night, **values), talk.now, Origin.PROMPTED)


async def weeks(
    talk: Conversation, nights: int, *, every: int = 1, until: int = 1, name: str = "Ada", **answers: Any
) -> Person:
    """Return somebody with so many past nights, the last of them `until` nights before LAST."""
    ada = await talk.patient(name)
    for back in range(until, nights + until, every):
        await told(talk, ada, LAST - timedelta(days=back), **answers)
    return ada


async def in_the_morning(talk: Conversation, ada: Person) -> None:
    await talk.until(time(8, 30))
    await talk.app.tick()


def cards(person: Person, rule: str) -> int:
    texts = [one.text for one in person.messages if one.from_bot and action(rule) in one.text]
    return len([text for text in texts if "What came of it" not in text and "told you about" not in text])


async def finish(talk: Conversation, ada: Person, *presses: str) -> None:
    for press in presses:
        await talk.press(ada, f"{N}:{press}", None)


BAD: dict[str, Any] = {"pain": 5, "feeling": ("ache",), "side": "both", "awake": "to_60"}
SEVERE: dict[str, Any] = {"pain": 7, "feeling": ("ache",), "side": "both", "awake": "no"}


# --- told once, out of quiet hours, with its own buttons ---------------------------------------------------


async def test_a_routine_pattern_is_told_once_silently_in_the_morning(talk: Conversation) -> None:
    ada = await weeks(talk, 14, **BAD)
    await in_the_morning(talk, ada)
    assert cards(ada, "P3") == 1
    card = next(one for one in ada.messages if action("P3") in one.text)
    assert card.silent
    assert CONTENT.pattern_words["P3"].line in card.text
    assert {"I have booked an appointment", "My doctor knows about this", "I have been seen by someone"} <= {
        *card.buttons
    }
    assert {"I cannot reach anyone", "That is not right", "Why do you say this?"} <= {*card.buttons}
    assert "I pressed that by mistake" not in card.buttons
    await finish(talk, ada, "pain:+p5", "feeling:+ache", "done:feeling", "side:+both", "awake:+to_60")
    await finish(talk, ada, "helped:+nothing", "signs:+none", "tired:+bit")
    await talk.later(days=2)
    assert cards(ada, "P3") == 1
    assert (await rows(talk, ada))["P3"].level is Level.ROUTINE


async def test_what_to_say_on_the_telephone_is_in_the_words_of_the_patient(talk: Conversation) -> None:
    ada = await weeks(talk, 14, **BAD)
    await in_the_morning(talk, ada)
    await talk.press(ada, "I cannot reach anyone", f"told to be seen. {CONTENT.pattern_words['P3'].label}.")


async def test_nearly_asleep_at_the_wheel_brings_one_card(talk: Conversation) -> None:
    ada = await talk.patient()
    await told(talk, ada, LAST, tired="lot")
    patient = await patient_of(talk, ada)
    driving = Finding("S18", Level.SOON, "tired_days", None, ("sign:drowsy_driving",))
    async with talk.app.database.transaction() as store:
        await raise_findings(talk.app.services, store, patient, (driving,), LAST, "test:S18")
    await in_the_morning(talk, ada)
    assert await open_rules(talk, ada) == {"S18"}


async def test_a_cramp_of_over_ten_minutes_brings_one_card_and_not_two(talk: Conversation) -> None:
    ada = await talk.patient()
    await in_the_morning(talk, ada)
    await finish(talk, ada, "pain:+p6", "feeling:+cramp", "done:feeling", "side:+left", "awake:+under_30")
    await finish(talk, ada, "helped:+nothing", "longest:+over_10", "signs:+none", "tired:+not")
    await in_the_morning(talk, ada)
    assert CONTENT.red_flag_words["U13"].why in heard(ada)
    assert CONTENT.pattern_words["P2"].why not in heard(ada)
    assert await open_rules(talk, ada) == {"U13"}


async def test_a_pattern_is_judged_when_the_night_is_complete(talk: Conversation) -> None:
    ada = await weeks(talk, 2, pain=7, side="both", feeling=("ache",))
    await in_the_morning(talk, ada)
    await finish(talk, ada, "pain:+p7", "signs:+none", "feeling:+ache", "done:feeling", "side:+both")
    await finish(talk, ada, "awake:+no", "helped:+nothing")
    assert "P7" not in await rows(talk, ada), "the night is not complete yet"
    await finish(talk, ada, "tired:+bit")
    assert (await rows(talk, ada))["P7"].level is Level.SOON
    assert cards(ada, "P7") == 1


async def test_in_quiet_hours_a_pattern_waits(talk: Conversation) -> None:
    ada = await talk.patient(checkin="0630")
    for back in range(1, 15):
        await told(talk, ada, LAST - timedelta(days=back), **BAD)
    await talk.until(time(6, 30))
    await talk.app.tick()
    assert "P3" in await rows(talk, ada)
    assert cards(ada, "P3") == 0
    await talk.until(time(7, 0))
    assert cards(ada, "P3") == 1


async def test_behind_something_grave_a_pattern_waits_until_that_is_settled(talk: Conversation) -> None:
    ada = await weeks(talk, 14, **BAD)
    await talk.say(ada, "one leg is swollen and hot")
    await talk.press(ada, "I have read this", None)
    await in_the_morning(talk, ada)
    assert cards(ada, "P3") == 0
    assert "U1" in await open_rules(talk, ada), "no pattern lowers a red flag"
    await talk.press(ada, "I have been seen by someone", None)
    await talk.until(time(8, 30))
    await talk.app.tick()
    assert cards(ada, "P3") == 1


# --- what came of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("press", ["seen", "booked", "known"])
async def test_settled_it_stays_quiet_while_it_goes_on(talk: Conversation, press: str) -> None:
    ada = await weeks(talk, 14, **BAD)
    await in_the_morning(talk, ada)
    row = (await rows(talk, ada))["P3"]
    await talk.press(ada, f"es:{row.id}:{press}", None)
    assert await open_rules(talk, ada) == set()
    for day in range(3):
        await told(talk, ada, LAST + timedelta(days=day), **BAD)
        await talk.until(time(8, 30))
    assert cards(ada, "P3") == 1
    assert await open_rules(talk, ada) == set()


async def test_a_stronger_pattern_takes_the_place_of_the_weaker(talk: Conversation) -> None:
    ada = await weeks(talk, 14, until=14, **BAD)
    async with talk.store() as store:
        assert await store.escalations((await patient_of(talk, ada)).id) == []
    for back in range(1, 14):
        await told(talk, ada, LAST - timedelta(days=back), **BAD)
    await in_the_morning(talk, ada)
    assert cards(ada, "P4") == 1
    assert cards(ada, "P3") == 0
    assert await open_rules(talk, ada) == {"P4"}


async def test_what_is_no_longer_met_ends_after_its_days(talk: Conversation) -> None:
    ada = await weeks(talk, 14, **BAD)
    await in_the_morning(talk, ada)
    for day in range(25):
        await told(talk, ada, LAST + timedelta(days=day), pain=0)
        await talk.until(time(8, 30))
    row = (await rows(talk, ada))["P3"]
    assert (row.is_open, row.outcome) == (False, "gone")


async def test_that_is_not_right_opens_the_nights_and_a_correction_takes_it_back(talk: Conversation) -> None:
    ada = await weeks(talk, 2, pain=7, side="both", feeling=("ache",))
    every = frozenset(CONTENT.questions)
    await told(talk, ada, LAST, pain=7, side="both", feeling=("ache",), done=every)
    await in_the_morning(talk, ada)
    assert await open_rules(talk, ada) == {"P7"}
    await talk.press(ada, "That is not right", "Which night?")
    await talk.press(ada, "nt:261120", None)
    await finish(talk, ada, "change", "show:pain", "pain:+p4")
    row = (await rows(talk, ada))["P7"]
    assert (row.is_open, row.outcome) == (False, "mistap")


async def test_what_came_of_a_pattern_is_asked_in_its_own_words(talk: Conversation) -> None:
    ada = await weeks(talk, 3, **SEVERE)
    await in_the_morning(talk, ada)
    await talk.press(ada, "I have read this", None)
    for day in range(7):
        await told(talk, ada, LAST + timedelta(days=day), **SEVERE)
        await talk.until(time(8, 30))
    await talk.app.tick()
    asked = next(one for one in ada.messages if "What came of it?" in one.text)
    assert "I wrote to you" in asked.text
    assert "That is not right" in asked.buttons
    await ada.press(asked, "I cannot reach anyone")
    await talk.settled()
    assert "I have not been able to get an appointment" in ada.last.text


# --- urgent patterns ---------------------------------------------------------------------------------------


async def test_a_leg_hung_down_twice_is_urgent_and_told_in_short_when_met_again(talk: Conversation) -> None:
    ada = await weeks(talk, 2, pain=5, side="both", feeling=("ache",), helped=("hanging_down",))
    await in_the_morning(talk, ada)
    row = (await rows(talk, ada))["P13"]
    assert row.level is Level.URGENT
    card = next(one for one in ada.messages if action("P13") in one.text)
    assert not card.silent
    assert "That is not right" in card.buttons
    assert "I have called / I am going" in card.buttons
    await talk.press(ada, f"es:{row.id}:read", None)
    await finish(talk, ada, "pain:+p5", "feeling:+ache", "done:feeling", "side:+both", "awake:+no")
    await finish(talk, ada, "helped:+hanging_down")
    again = [one for one in ada.messages if "I told you about this before" in one.text]
    assert len(again) <= 1
    assert cards(ada, "P13") == 1
    assert "P13" in await open_rules(talk, ada)
    await talk.until(time(20, 30))
    assert "What came of it?" in ada.last.text
    async with talk.store() as store:
        standing = await store.open_escalations((await patient_of(talk, ada)).id)
        assert "elevation" in withheld_by(CONTENT, standing)


async def test_a_lowered_pattern_that_is_met_again_is_loud_again(talk: Conversation) -> None:
    ada = await weeks(talk, 2, pain=5, side="both", feeling=("ache",), helped=("hanging_down",))
    await in_the_morning(talk, ada)
    row = (await rows(talk, ada))["P13"]
    await talk.press(ada, f"es:{row.id}:read", None)
    async with talk.app.database.transaction() as store:
        await store.change_escalation(row.id, level=Level.SOON)
    await told(talk, ada, LAST, pain=5, side="both", feeling=("ache",), helped=("hanging_down",))
    await talk.until(time(8, 30))
    await talk.app.tick()
    again = (await rows(talk, ada))["P13"]
    assert again.id != row.id
    assert again.level is Level.URGENT
    assert cards(ada, "P13") == 2


async def test_a_red_flag_of_the_same_topic_speaks_alone(talk: Conversation) -> None:
    ada = await weeks(talk, 16, pain=5, side="both", feeling=("ache",))
    await in_the_morning(talk, ada)
    await finish(talk, ada, "pain:+p5", "feeling:+ache", "done:feeling", "side:+left", "awake:+no")
    await finish(talk, ada, "helped:+nothing", "signs:+leg_swollen", "done:signs", "tired:+not")
    assert "U1" in await open_rules(talk, ada)
    assert "P12" not in await rows(talk, ada)
    assert cards(ada, "U1") == 1


# --- exact questions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("presses", "asked"),
    [
        (("pain:+p9",), {"E13", "U20"}),
        (("pain:+p5", "feeling:+ache", "done:feeling", "side:+left"), {"U1", "U2"}),
    ],
)
async def test_a_question_of_a_pattern_is_put_at_once_and_once_a_week(
    talk: Conversation, presses: tuple[str, ...], asked: set[str]
) -> None:
    ada = await weeks(talk, 10, pain=3, feeling=("ache",), side="right")
    await in_the_morning(talk, ada)
    await finish(talk, ada, *presses)
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        found = [one for one in await store.open_askings(patient.id) if set(one.rules) == asked]
    assert len(found) == 1
    await talk.press(ada, f"ak:{found[0].id}:no", None)
    await talk.until(time(8, 30))
    for press in presses:
        await talk.press(ada, f"ci:261121:{press}", None)
    async with talk.store() as store:
        assert [one for one in await store.open_askings(patient.id) if set(one.rules) == asked] == []
    assert await open_rules(talk, ada) == set()


# --- self-care without a change ----------------------------------------------------------------------------


async def with_evenings(talk: Conversation, ada: Person, nights: int) -> None:
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        for back in range(1, nights + 1):
            evening = Evening(LAST - timedelta(days=back), done=frozenset({"stretch_partly"}))
            await store.save_evening(patient.id, evening, talk.now)


@pytest.mark.parametrize(("nights", "rule"), [(29, "P9"), (43, "P10")])
async def test_the_evenings_that_were_done_count(talk: Conversation, nights: int, rule: str) -> None:
    ada = await weeks(talk, nights, pain=5, side="both", feeling=("ache",), awake="no")
    await with_evenings(talk, ada, nights)
    await in_the_morning(talk, ada)
    assert await open_rules(talk, ada) == {rule}
    assert cards(ada, rule) == 1


async def test_without_evenings_nobody_is_told_that_care_did_not_help(talk: Conversation) -> None:
    ada = await weeks(talk, 43, pain=5, side="both", feeling=("ache",), awake="no")
    await in_the_morning(talk, ada)
    assert await open_rules(talk, ada) == set()


# --- kind words --------------------------------------------------------------------------------------------


async def better(talk: Conversation) -> Person:
    ada = await weeks(talk, 10, until=15, pain=6, side="both", feeling=("ache",), awake="no")
    for back in range(1, 15):
        await told(talk, ada, LAST - timedelta(days=back), pain=2, side="both", feeling=("ache",), awake="no")
    return ada


async def test_clearly_better_nights_are_praised_once_and_a_break_is_offered(talk: Conversation) -> None:
    ada = await better(talk)
    await in_the_morning(talk, ada)
    line = CONTENT.pattern_words["P22"].line
    assert heard(ada).count(line) == 1
    assert ada.last.silent or any(one.silent for one in ada.messages if line in one.text)
    assert any(press.startswith("se:pause:") for press in buttons(ada))
    assert "se:page:every" in buttons(ada)
    await talk.later(days=3)
    assert heard(ada).count(line) == 1
    said = await talk.say(ada, "/why")
    assert "good news about your nights" in "".join(one.text for one in said)
    assert await open_rules(talk, ada) == set()


async def test_no_praise_beside_something_grave(talk: Conversation) -> None:
    ada = await better(talk)
    await talk.say(ada, "one leg is swollen and hot")
    await in_the_morning(talk, ada)
    assert CONTENT.pattern_words["P22"].line not in heard(ada)


# --- what the patterns need and is asked -------------------------------------------------------------------


async def test_how_much_the_urge_bothers_is_asked_only_beside_it(talk: Conversation) -> None:
    ada = await weeks(
        talk, 14, pain=4, side="both", feeling=("urge",), helped=("moving",), distress="moderate", awake="no"
    )
    await in_the_morning(talk, ada)
    assert await open_rules(talk, ada) == {"P6b"}
    await finish(talk, ada, "pain:+p3", "feeling:+urge", "done:feeling", "distress:+severe", "side:+both")
    async with talk.store() as store:
        known = await store.checkin((await patient_of(talk, ada)).id, LAST)
    assert known is not None
    assert known.distress == "severe"


async def test_cramps_after_a_new_medicine(talk: Conversation) -> None:
    ada = await weeks(talk, 3, pain=4, side="both", feeling=("cramp",))
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        since = LAST - timedelta(days=20)
        await store.set_profile(patient.id, ProfileAnswer("new_medicine", yes=True, since=since), talk.now)
    await in_the_morning(talk, ada)
    assert await open_rules(talk, ada) == {"P16"}
    said = await talk.say(ada, "/why")
    assert CONTENT.profile_words["new_medicine"].label in said[0].text


# --- why ---------------------------------------------------------------------------------------------------


async def test_why_names_the_nights_in_plain_words(talk: Conversation) -> None:
    ada = await weeks(talk, 14, **BAD)
    await in_the_morning(talk, ada)
    said = await talk.say(ada, "/why")
    assert "13 nights from" in said[0].text or "14 nights from" in said[0].text
    assert "sleep disturbed by your legs" in said[0].text
    assert "night:" not in said[0].text
    assert "The rule: P3" in said[0].text


def test_every_code_that_a_pattern_rests_on_has_words() -> None:
    codes: set[str] = set()
    for pattern in CONTENT.patterns.values():
        codes |= set(_codes_in(pattern.when.model_dump()))
    for code in [*codes, "pain_up", "no_better", "more_nights", "side:left", "pattern:P9", "used_weeks:4"]:
        said = evidence_words(CONTENT, [code])[0]
        assert "_" not in said, code
        assert ":" not in said or code.startswith("pattern"), code


def _codes_in(shape: Any) -> list[str]:
    found: list[str] = []
    if isinstance(shape, Mapping):
        for key, value in shape.items():
            if key in ("feeling", "helped") and value:
                found += [f"{key}:{one}" for one in value]
            elif key == "signs" and value:
                found += [f"sign:{one}" for one in value]
            elif key == "that":
                found += [f"{name}:{one}".lower() for name, one in value.items() if _is_plain(one)]
            found += _codes_in(value)
    elif isinstance(shape, list | tuple):
        for one in shape:
            found += _codes_in(one)
    return found


def _is_plain(value: object) -> bool:
    return value is not None and not isinstance(value, list | tuple | Mapping)


async def test_judging_twice_changes_nothing(talk: Conversation) -> None:
    ada = await weeks(talk, 14, **BAD)
    await in_the_morning(talk, ada)
    patient = await patient_of(talk, ada)
    async with talk.store() as store:
        before = (await store.escalations(patient.id), await store.sendings_of(patient.id, 50))
    await talk.restart()
    await talk.app.tick()
    async with talk.store() as store:
        after = (await store.escalations(patient.id), await store.sendings_of(patient.id, 50))
    assert before == after
    assert not [one for one in after[1] if one.kind is Kind.WORD]


async def test_silence_on_the_question_of_a_severe_night_becomes_a_card(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(8, 30))
    await talk.press(ada, "ci:261120:pain:+p9", None)
    await talk.later(minutes=14)
    assert await open_rules(talk, ada) == set()
    await talk.later(minutes=2)
    assert await open_rules(talk, ada) == {"E13"}
    await talk.later(seconds=2)
    assert cards(ada, "E13") == 1


async def test_silence_on_what_sets_no_level_by_itself_raises_nothing(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(8, 30))
    for choice in ("pain:+p5", "feeling:+cramp", "done:feeling", "side:+left"):
        await talk.press(ada, f"ci:261120:{choice}", None)
    async with talk.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        assert [one.because for one in await store.open_askings(patient.id)] == ["pattern:P11"]
    await talk.later(hours=2)
    await talk.until(time(8, 31))
    await talk.until(time(8, 31))
    async with talk.store() as store:
        assert await store.escalations(patient.id) == []


async def test_a_leg_hung_down_once_rests_some_tips_until_the_profile_says_it_is_cleared(
    talk: Conversation,
) -> None:
    ada = await talk.patient()
    patient = await patient_of(talk, ada)
    async with talk.app.database.transaction() as store:
        for flag in (flag for flag, shape in CONTENT.profile.items() if shape.asked):
            await store.set_profile(patient.id, ProfileAnswer(flag, yes=False), talk.now)
        await store.clear_profile(patient.id, "leg_hung_down")
    await in_the_morning(talk, ada)
    await finish(talk, ada, "pain:+p5", "feeling:+ache", "done:feeling", "side:+left", "awake:+no")
    await finish(talk, ada, "helped:+hanging_down", "done:helped")
    async with talk.store() as store:
        far = LAST + timedelta(days=60)
        at = await circumstances(store, patient, CONTENT, far)
    rested = withheld_techniques(CONTENT, replace(at, withheld=frozenset()))
    assert {"elevation", "compression", "heat"} <= rested
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:o:leg_hung_down:show", None)
    await talk.press(ada, "pr:o:leg_hung_down:no", None)
    async with talk.store() as store:
        at = await circumstances(store, patient, CONTENT, far)
    assert not {"elevation", "heat"} & withheld_techniques(CONTENT, replace(at, withheld=frozenset()))
