"""Coming in: consent, country, zone, times, and coming back; at every step, by buttons and by words."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.model import Kind
from bot.operations.logs import OURS, set_up_logging
from bot.sandbox.faults import Fault
from tests.conversation import LONDON, Conversation, Person, buttons, heard, newest_with
from tests.known import assert_only_update_ids, kept, patient_of, planned


async def agreed(talk: Conversation, name: str = "Ada", **settings: str) -> Person:
    person = await talk.newcomer(name, **settings)
    await talk.press(person, "en:yes:", "Which country")
    return person


async def at_step(talk: Conversation, step: str) -> Person:
    """Return somebody who has come as far as a step."""
    person = await agreed(talk)
    way = {"zone": ["US"], "prompt": ["GB"], "checkin": ["GB", "en:prompt:2100"]}
    way["done"] = [*way["checkin"], "en:checkin:0800"]
    for button in way.get(step, []):
        await talk.press(person, button if ":" in button else f"en:country:{button}")
    assert (await patient_of(talk, person)).step == step
    return person


async def test_a_few_taps_and_the_first_evening_is_planned(talk: Conversation) -> None:
    ada = await talk.patient()
    assert "Evening message: Friday 20 Nov, 20:30" in heard(ada)
    assert "Morning question: Saturday 21 Nov, 08:30" in heard(ada)
    due = await planned(talk, ada)
    assert due[Kind.PROMPT] == datetime(2026, 11, 20, 20, 30, tzinfo=LONDON)
    assert due[Kind.CHECKIN] == datetime(2026, 11, 21, 8, 30, tzinfo=LONDON)
    assert len([message for message in ada.messages if message.from_bot]) == 2


async def test_what_the_bot_is_and_is_not_comes_before_consent(talk: Conversation) -> None:
    ada = await talk.newcomer()
    for words in (
        "Not an emergency service",
        "Nobody reads your messages",
        "general information",
        "Only for adults",
        "/erase",
    ):
        assert words in ada.last.text
    assert len(ada.last.text) < 1200


async def test_consent_is_kept_with_its_time_and_its_text(talk: Conversation) -> None:
    ada = await agreed(talk)
    patient = await patient_of(talk, ada)
    assert patient.consent_at is not None
    assert abs((talk.now - patient.consent_at).total_seconds()) < 30
    assert patient.consent_version
    (row,) = kept(talk)["consent"]
    assert (row["version"], row["withdrawn_at"]) == (patient.consent_version, None)


async def test_before_consent_nothing_is_kept_but_update_ids(talk: Conversation) -> None:
    ada = await talk.newcomer()
    await talk.say(ada, "7/10, left calf, my name is Ada")
    await talk.say(ada, "/settings")
    await talk.say(ada, "/profile")
    await talk.say(ada, "/diary")
    await ada.share_location(51.5, -0.1)
    await ada.send_photo(caption="my leg")
    await talk.settled()
    await talk.press(ada, "en:privacy")
    assert "What I keep" in ada.last.text
    assert_only_update_ids(talk)
    await talk.press(ada, "en:no", "I have stored nothing")
    assert_only_update_ids(talk)


async def test_who_has_not_agreed_is_still_told_the_number(talk: Conversation) -> None:
    ada = await talk.newcomer()
    said = await talk.say(ada, "I can't breathe")
    assert any("112" in message.text for message in said)
    assert_only_update_ids(talk)
    await ada.share_location(51.5, -0.1)
    await talk.settled()
    assert "112" in ada.last.text


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("9:30pm", "21:30"),
        ("21.30", "21:30"),
        ("half past nine", "21:30"),
        ("at ten to nine please", "20:50"),
        ("2145", "21:45"),
        ("9", "21:00"),
        ("midnight", "00:00"),
    ],
)
async def test_a_time_in_words_is_understood(talk: Conversation, typed: str, understood: str) -> None:
    ada = await at_step(talk, "prompt")
    said = await talk.say(ada, typed)
    assert f"Evening: {understood}." in said[0].text
    assert "in the morning" in said[0].text


async def test_a_time_that_is_none_is_shown_what_would_be(talk: Conversation) -> None:
    ada = await at_step(talk, "checkin")
    said = await talk.say(ada, "when I wake <b>up</b>")
    assert "could not read “when I wake <b>up</b>” as a time" in said[0].text
    assert "7:30" in said[0].text
    said = await talk.say(ada, "half past seven")
    assert "Morning: 07:30." in said[0].text


@pytest.mark.parametrize(
    ("typed", "country", "understood"),
    [
        ("Germny", "DE", "Country: Germany. Your time zone: Berlin"),
        ("untied kingdom", "GB", "Country: United Kingdom. Your time zone: London"),
        ("Deutschland", "DE", "Country: Germany"),
        ("ireland", "IE", "Country: Ireland"),
        ("fr", "FR", "Country: France"),
        ("USA", "US", "Country: United States"),
    ],
)
async def test_a_country_is_typed_with_errors(
    talk: Conversation, typed: str, country: str, understood: str
) -> None:
    ada = await agreed(talk)
    said = await talk.say(ada, typed)
    assert understood in said[0].text
    assert (await patient_of(talk, ada)).country == country


async def test_a_country_nobody_knows_is_asked_again(talk: Conversation) -> None:
    ada = await agreed(talk)
    said = await talk.say(ada, "Narnia")
    assert "I do not know a country called “Narnia”" in said[0].text
    assert "en:country:GB" in buttons(ada)


async def test_the_country_is_never_guessed_from_the_language(talk: Conversation) -> None:
    ada = await agreed(talk, language="de")
    patient = await patient_of(talk, ada)
    assert (patient.country, patient.zone) == (None, None)
    assert patient.language == "en", "there is no German yet: English"


@pytest.mark.parametrize("language", ["xx", "pt-br", ""])
async def test_another_language_falls_back_to_english(talk: Conversation, language: str) -> None:
    person = talk.telegram.person("Bela", language_code=language)
    await person.start()
    await person.wait("Before we start")


async def test_a_skipped_country_means_112(talk: Conversation) -> None:
    ada = await agreed(talk)
    await talk.press(ada, "en:country:skip", "No country, so I show 112")
    assert "Where are you?" in ada.last.text
    await talk.say(ada, "Berlin")
    await talk.press(ada, "en:prompt:2030")
    await talk.press(ada, "en:checkin:0830")
    await talk.press(ada, "en:profile:later", "You are all set")
    patient = await patient_of(talk, ada)
    assert (patient.country, patient.zone) == (None, "Europe/Berlin")
    said = await talk.say(ada, "/settings")
    assert "Country: not chosen, so I show 112" in said[0].text
    said = await talk.say(ada, "/help")
    assert "112" in said[0].text


@pytest.mark.parametrize(
    ("country", "typed", "zone"),
    [
        ("US", "Chcago", "America/Chicago"),
        ("US", "los angelos", "America/Los_Angeles"),
        ("US", "Houston TX", "America/Chicago"),
        ("AU", "Melborne", "Australia/Melbourne"),
        ("RU", "Novosibrsk", "Asia/Novosibirsk"),
        ("ES", "tenerife", "Atlantic/Canary"),
        ("ES", "Madird", "Europe/Madrid"),
    ],
)
async def test_a_city_is_typed_with_errors(talk: Conversation, country: str, typed: str, zone: str) -> None:
    ada = await agreed(talk)
    await talk.say(ada, country)
    assert "Where are you?" in ada.last.text
    said = await talk.say(ada, typed)
    assert "Your time zone:" in said[0].text
    assert "there now" in said[0].text
    assert (await patient_of(talk, ada)).zone == zone


async def test_a_bedtime_typed_for_the_zone_moves_nobody_abroad(talk: Conversation) -> None:
    ada = await agreed(talk)
    await talk.press(ada, "en:country:US", "Where are you?")
    said = await talk.say(ada, "22:00")
    assert "No clock in this country shows that time now: United States." in said[0].text
    patient = await patient_of(talk, ada)
    assert (patient.step, patient.zone) == ("zone", None)
    await talk.press(ada, "en:zone:Asia/Dubai", "your country is United States")
    assert (await patient_of(talk, ada)).zone == "Asia/Dubai"


@pytest.mark.parametrize("country", ["US", "AU", "RU", "ES"])
async def test_a_country_of_several_clocks_offers_its_places(talk: Conversation, country: str) -> None:
    ada = await agreed(talk)
    await talk.say(ada, country)
    offered = [data for data in buttons(ada) if data.startswith("en:zone:")]
    assert 3 <= len(offered) <= 12
    await talk.press(ada, offered[-1], "Your time zone:")
    assert (await patient_of(talk, ada)).zone == offered[-1].removeprefix("en:zone:")


async def test_a_city_that_may_be_two_becomes_a_choice(talk: Conversation) -> None:
    ada = await at_step(talk, "zone")
    said = await talk.say(ada, "Portland")
    assert "Which one do you mean?" in said[0].text
    await talk.press(ada, "en:zone:America/Los_Angeles", "Los Angeles")
    assert (await patient_of(talk, ada)).zone == "America/Los_Angeles"


async def test_a_country_in_a_sentence_is_asked_about_and_can_be_none(talk: Conversation) -> None:
    ada = await agreed(talk)
    said = await talk.say(ada, "i live in england dear")
    assert said[0].buttons == ["United Kingdom", "None of these"]
    await talk.press(ada, "None of these", "Which country are you in?")
    assert (await patient_of(talk, ada)).country is None
    await talk.say(ada, "London")
    await talk.press(ada, "United Kingdom", "When shall I write in the evening?")
    assert (await patient_of(talk, ada)).country == "GB"


@pytest.mark.parametrize(
    "typed", ["it says 13:05", "it says 13:05 for me", "my clock says 1:05 pm", "1.05", "five past one"]
)
async def test_what_the_clock_says_settles_the_zone(talk: Conversation, typed: str) -> None:
    ada = await at_step(talk, "zone")  # 18:00 in London is 13:00 in New York
    said = await talk.say(ada, typed)
    assert "Which one do you mean?" in said[0].text, "many clocks of the United States show that"
    offered = [data for data in buttons(ada) if data.startswith("en:zone:America/")]
    assert "en:zone:America/New_York" in offered
    assert "en:zone:America/Los_Angeles" not in offered


async def test_a_clock_that_one_place_of_the_country_shows_is_taken(talk: Conversation) -> None:
    ada = await agreed(talk)
    await talk.say(ada, "Portugal")
    said = await talk.say(ada, "it says 17:00")
    assert "Your time zone: Azores (it is 17:0" in said[0].text


async def test_a_place_that_nobody_knows_is_asked_again(talk: Conversation) -> None:
    ada = await at_step(talk, "zone")
    said = await talk.say(ada, "qwertyuiop")
    assert "I could not find “qwertyuiop”" in said[0].text
    assert "en:where" in buttons(ada)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything the operator's log would hold at its most talkative."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root, stream = logging.getLogger(), io.StringIO()
    before = list(root.handlers)
    set_up_logging("DEBUG", stream=stream)
    yield stream
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


async def test_a_shared_place_is_looked_up_and_not_kept(talk: Conversation, logged: io.StringIO) -> None:
    ada = await at_step(talk, "zone")
    await talk.press(ada, "en:where", "do not keep the place")
    key = ada.chat.reply_keyboard
    assert key is not None
    await ada.tap(key["keyboard"][0][0]["text"], lat=41.878113, lon=-87.629799)
    await talk.settled()
    assert "I have kept the time zone, not the place." in heard(ada)
    assert "Your time zone: Chicago" in ada.last.text
    assert ada.chat.reply_keyboard is None
    assert (await patient_of(talk, ada)).zone == "America/Chicago"
    everything = json.dumps(kept(talk), default=str) + logged.getvalue()
    assert "updates kept" in everything
    for trace in ("41.87", "87.62", "latitude"):
        assert trace not in everything


async def test_a_place_at_sea_is_no_zone(talk: Conversation) -> None:
    ada = await at_step(talk, "zone")
    await ada.share_location(0.0, -30.0)
    await talk.settled()
    assert "cannot tell the time zone there" in ada.last.text
    said = await talk.say(ada, "New York")
    assert "Your time zone: New York" in said[0].text


async def test_who_types_after_all_loses_the_location_key(talk: Conversation) -> None:
    ada = await at_step(talk, "zone")
    await talk.press(ada, "en:where")
    await talk.say(ada, "Denver")
    assert ada.chat.reply_keyboard is None
    assert "in the evening" in ada.last.text


async def test_a_zone_abroad_asks_the_country_again_and_shows_both_numbers(talk: Conversation) -> None:
    ada = await at_step(talk, "zone")
    await talk.say(ada, "Madrid")
    question = newest_with(ada, "se:abroad:ES")
    assert "Which country are you in now?" in question.text
    assert "911" in question.text
    assert "112" in question.text
    await talk.press(ada, "se:abroad:ES", "Country: Spain")
    patient = await patient_of(talk, ada)
    assert (patient.country, patient.zone, patient.zone_country_asked) == ("ES", "Europe/Madrid", False)
    await talk.press(ada, "en:prompt:2030")
    assert (await patient_of(talk, ada)).step == "checkin"


async def test_another_country_takes_the_old_zone_away(talk: Conversation) -> None:
    ada = await at_step(talk, "checkin")
    await talk.press(ada, "en:back:prompt")
    await talk.press(ada, "en:back:country", "Which country")
    await talk.press(ada, "en:country:US", "Where are you?")
    patient = await patient_of(talk, ada)
    assert (patient.step, patient.zone) == ("zone", None)
    await talk.press(ada, "en:zone:America/New_York")
    await talk.press(ada, "en:prompt:2030")
    await talk.press(ada, "en:checkin:0830")
    assert (await patient_of(talk, ada)).step == "done"


@pytest.mark.parametrize("step", ["country", "zone", "prompt", "checkin"])
async def test_start_again_at_every_step_loses_nothing(talk: Conversation, step: str) -> None:
    ada = await at_step(talk, step)
    before = await patient_of(talk, ada)
    question = next(m for m in reversed(ada.messages) if m.from_bot).text.split("\n\n")[-1]
    said = await talk.say(ada, "/start")
    assert "Everything you told me is still here" in said[0].text
    assert question in said[-1].text
    assert await patient_of(talk, ada) == before
    assert len(kept(talk)["consent"]) == 1


async def test_start_again_after_all_is_set_says_what_comes_next(talk: Conversation) -> None:
    ada = await talk.patient()
    before = await patient_of(talk, ada)
    said = await talk.say(ada, "/start")
    assert "Evening message: Friday 20 Nov, 20:30" in said[0].text
    assert await patient_of(talk, ada) == before


async def test_a_restart_between_any_two_steps_loses_nothing(talk: Conversation) -> None:
    ada = await talk.newcomer()
    for button in ("en:yes:", "en:country:US", "en:zone:America/Denver", "en:prompt:2100"):
        await talk.restart()
        await talk.press(ada, button)
    await talk.restart()
    await talk.say(ada, "seven")
    await talk.restart()
    await talk.press(ada, "en:profile:now", "You are all set")
    await talk.restart()
    assert "Question 1 of" in ada.last.text
    patient = await patient_of(talk, ada)
    assert (patient.zone, patient.times.prompt_at, patient.times.checkin_at) == (
        "America/Denver",
        time(21),
        time(7),
    )
    ada.mark()
    await talk.until(time(21), ZoneInfo("America/Denver"))
    await ada.wait("evening")


async def test_old_buttons_of_enrolment_change_nothing_later(talk: Conversation) -> None:
    ada = await talk.patient()
    before = await patient_of(talk, ada)
    for data in (
        "en:country:FR",
        "en:zone:Asia/Tokyo",
        "en:prompt:2200",
        "en:checkin:0900",
        "en:back:country",
    ):
        await ada.press(ada.last, data, stale=True)
        await talk.settled()
        assert ada.toasts[-1].alert
        assert "set up already" in ada.toasts[-1].text
    assert await patient_of(talk, ada) == before
    await ada.press(ada.last, "en:yes:", stale=True)
    await talk.settled()
    assert await patient_of(talk, ada) == before
    assert len(kept(talk)["consent"]) == 1


async def test_the_last_button_pressed_twice_says_the_same(talk: Conversation) -> None:
    ada = await at_step(talk, "done")
    message = newest_with(ada, "en:profile:later")
    await ada.press(message, "en:profile:later")
    await ada.press(message, "en:profile:later", stale=True)
    await talk.settled()
    assert heard(ada).count("You are all set") == 1


@pytest.mark.parametrize("taps", [True, False])
async def test_who_leaves_the_health_questions_open_is_written_to_all_the_same(
    talk: Conversation, taps: bool
) -> None:
    ada = await at_step(talk, "checkin")
    await (talk.press(ada, "en:checkin:0800") if taps else talk.say(ada, "eight"))
    assert "Evening message: Friday 20 Nov, 21:00" in heard(ada)
    assert "en:profile:now" in buttons(ada)
    ada.mark()
    await talk.until(time(21))
    await ada.wait("Good evening")
    await talk.until(time(8))
    await ada.wait("How were your legs last night?")
    newest_with(ada, "en:profile:now")
    await talk.press(ada, "en:profile:now", "Question 1 of")


async def test_buttons_pressed_twice_do_nothing_bad(talk: Conversation) -> None:
    ada = await talk.newcomer()
    for data in ("en:yes:", "en:country:AU", "en:zone:Australia/Perth", "en:prompt:2030", "en:checkin:0830"):
        message = newest_with(ada, data)
        await ada.press(message, data)
        await ada.press(message, data, stale=True)
        await talk.settled()
    patient = await patient_of(talk, ada)
    assert (patient.step, patient.zone) == ("done", "Australia/Perth")
    assert len([message for message in ada.messages if message.from_bot]) == 3, "a question again, no more"
    assert all(query.answered for query in talk.telegram.world.queries.values())


@pytest.mark.parametrize(
    "data",
    [
        "en:country:XX", "en:country:", "en:zone:Mars/Base", "en:prompt:9999", "en:prompt:٢١٣٠",
        "en:checkin:later", "en:profile:perhaps", "en:nonsense:1", "en:back:done", "en", "en:",
        "en:profile:now", "en:checkin:0800",
    ],
)  # fmt: skip
async def test_nonsense_in_a_button_is_answered_and_changes_nothing(talk: Conversation, data: str) -> None:
    ada = await at_step(talk, "zone")
    before = await patient_of(talk, ada)
    await ada.press(ada.last, data, stale=True)
    await talk.settled()
    assert all(query.answered for query in talk.telegram.world.queries.values())
    after = await patient_of(talk, ada)
    assert (after.step, after.country, after.zone) == (before.step, before.country, before.zone)
    assert "Something went wrong" not in heard(ada)


async def test_danger_is_answered_in_the_middle_of_enrolment(talk: Conversation) -> None:
    ada = await at_step(talk, "prompt")
    await talk.say(ada, "I have chest pain and can't breathe")
    await ada.wait("999")
    assert (await patient_of(talk, ada)).step == "prompt"
    said = await talk.say(ada, "21:15")
    assert "Evening: 21:15." in said[-1].text


async def test_stop_in_the_middle_and_start_again_goes_on(talk: Conversation) -> None:
    ada = await at_step(talk, "prompt")
    await talk.say(ada, "/stop")
    said = await talk.say(ada, "/start")
    assert "in the evening" in said[-1].text
    said = await talk.say(ada, "half past nine")
    assert "Evening: 21:30." in said[0].text


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Conversation]:
    async with Conversation(tmp_path, DEFAULT_COUNTRY="AT", DEFAULT_TIMEZONE="Europe/Vienna") as conversation:
        yield conversation


async def test_the_operators_country_is_offered_first_and_not_taken(elsewhere: Conversation) -> None:
    ada = await agreed(elsewhere)
    assert next(iter(buttons(ada))) == "en:country:AT"
    assert (await patient_of(elsewhere, ada)).country is None
    await elsewhere.press(ada, "en:country:skip")
    assert next(iter(buttons(ada))) == "en:zone:Europe/Vienna"


async def test_the_menu_and_the_description_are_registered(talk: Conversation) -> None:
    for _ in range(100):
        if talk.telegram.asked("setMyShortDescription"):
            break
        await asyncio.sleep(0.02)
    (request,) = talk.telegram.asked("setMyCommands")
    commands = request.params["commands"]
    listed = json.loads(commands) if isinstance(commands, str) else commands
    names = [command["command"] for command in listed]
    wanted = (
        "cramp",
        "urgent",
        "tips",
        "night",
        "diary",
        "settings",
        "profile",
        "privacy",
        "stop",
        "erase",
        "help",
    )
    assert set(wanted) <= set(names)
    assert all(3 <= len(command["description"]) <= 60 for command in listed)
    (request,) = talk.telegram.asked("setMyDescription")
    assert "not an emergency service" in str(request.params["description"])
    assert len(str(request.params["description"])) <= 512


@pytest.mark.parametrize("after", [False, True])
async def test_a_typed_time_whose_reply_was_lost_answers_one_question_only(
    talk: Conversation, after: bool
) -> None:
    ada = await at_step(talk, "prompt")
    talk.telegram.faults.add(Fault("close", method="sendMessage", after=after))
    await ada.send("21:10")
    await ada.wait("in the morning")
    await talk.settled()
    patient = await patient_of(talk, ada)
    assert (patient.step, patient.times.prompt_at) == ("checkin", time(21, 10))
    assert "Evening: 21:10." in ada.last.text
    talk.telegram.faults.add(Fault("close", method="sendMessage", after=after))
    await ada.send("8")
    await ada.wait("You are all set")
    await talk.settled()
    patient = await patient_of(talk, ada)
    assert (patient.step, patient.times.checkin_at) == ("done", time(8))
    assert "You are all set" in ada.last.text
    async with talk.store() as store:
        assert await store.checkin(patient.id, date(2026, 11, 19)) is None
        assert await store.checkin(patient.id, date(2026, 11, 20)) is None


async def test_the_key_that_sends_a_place_goes_once_also_after_a_lost_reply(talk: Conversation) -> None:
    ada = await at_step(talk, "zone")
    await talk.press(ada, "en:where")
    talk.telegram.faults.add(Fault("close", method="sendMessage"))
    await ada.send("Chicago")
    await ada.wait("When shall I write in the evening?")
    await talk.settled()
    assert ada.chat.reply_keyboard is None
    said = await talk.say(ada, "9pm")
    assert len(said) == 1, "nothing is left to take away"
