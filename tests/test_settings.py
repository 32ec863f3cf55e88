"""The patient's own choices: shown, changed by buttons and by words, and what is planned follows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from bot.app import Rhythm
from bot.model import Kind
from bot.sandbox import Fault
from tests.conversation import LONDON, Conversation, Person, buttons, heard, newest_with
from tests.known import patient_of, planned

TOKYO = ZoneInfo("Asia/Tokyo")


async def opened(talk: Conversation, person: Person, page: str = "") -> None:
    await talk.say(person, "/settings")
    if page:
        await talk.press(person, f"se:page:{page}")


async def test_the_settings_show_what_stands(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "/settings")
    for line in (
        "Evening message: 20:30",
        "Morning question: 08:30",
        "Quiet hours: 22:00 to 07:00",
        "Time zone: London (it is 18:0",
        "Country: United Kingdom",
        "Sound: on in the evening",
        "Morning question: 08:30, every morning",
        "I write every evening, and in the morning as set above.",
    ):
        assert line in said[0].text


async def test_who_is_not_enrolled_is_sent_to_the_start(talk: Conversation) -> None:
    ada = await talk.newcomer()
    said = await talk.say(ada, "/settings")
    assert "/start" in said[0].text
    await talk.press(ada, "en:yes:")
    await ada.press(ada.last, "se:page:zone", stale=True)
    await talk.settled()
    assert "/start" in ada.toasts[-1].text


@pytest.mark.parametrize(
    ("page", "typed", "line"),
    [
        ("prompt", "quarter to ten", "Evening message: 21:45"),
        ("prompt", "9:30pm", "Evening message: 21:30"),
        ("checkin", "half past seven", "Morning question: 07:30"),
        ("checkin", "6.45", "Morning question: 06:45"),
        ("every", "once a week", "Morning question: 08:30, every 7 days"),
        ("every", "Monthly.", "Morning question: 08:30, every 28 days"),
        ("every", "every 3 days", "Morning question: 08:30, every 3 days"),
        ("quiet", "10 pm to 7 am", "Quiet hours: 22:00 to 07:00"),
        ("quiet", "from 11 pm until 6:30", "Quiet hours: 23:00 to 06:30"),
        ("quiet", "21-8", "Quiet hours: 21:00 to 08:00"),
        ("zone", "new yrok", "Time zone: New York"),
        ("country", "irelnd", "Country: Ireland"),
    ],
)
async def test_a_setting_is_typed_and_shown(talk: Conversation, page: str, typed: str, line: str) -> None:
    ada = await talk.patient()
    await opened(talk, ada, page)
    said = await talk.say(ada, typed)
    assert any(line in message.text for message in said), [message.text for message in said]


@pytest.mark.parametrize("page", ["prompt", "checkin", "every", "quiet", "zone", "country", "pause"])
async def test_what_is_not_understood_is_asked_again(talk: Conversation, page: str) -> None:
    ada = await talk.patient()
    before = await patient_of(talk, ada)
    await opened(talk, ada, page)
    said = await talk.say(ada, "purple elephants")
    assert "purple elephants" in said[0].text
    assert "se:page:overview" in buttons(ada)
    after = await patient_of(talk, ada)
    assert (after.times, after.zone, after.country) == (before.times, before.zone, before.country)
    await talk.press(ada, "se:page:overview", "Your settings")
    assert (await patient_of(talk, ada)).expecting == ""


@pytest.mark.parametrize(
    ("page", "button", "line"),
    [
        ("prompt", "se:prompt:2100", "Evening message: 21:00"),
        ("checkin", "se:checkin:0700", "Morning question: 07:00"),
        ("quiet", "se:quiet:0000-0000", "Quiet hours: none"),
        ("country", "se:country:skip", "Country: not chosen, so I show 112"),
        ("country", "se:country:DE", "Time zone: Berlin"),
        ("", "se:sound:off", "Sound: always silent"),
    ],
)
async def test_a_setting_is_tapped_and_shown(talk: Conversation, page: str, button: str, line: str) -> None:
    ada = await talk.patient()
    await opened(talk, ada, page)
    await talk.press(ada, button, line)
    assert ada.toasts[-1].text == "Saved."


async def test_sound_is_turned_off_and_on_again(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada)
    await talk.press(ada, "Turn sound off")
    assert (await patient_of(talk, ada)).silent
    await talk.press(ada, "Turn sound on")
    assert not (await patient_of(talk, ada)).silent


async def test_another_evening_time_moves_tonights_message(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "prompt")
    await talk.press(ada, "se:prompt:2130")
    assert (await planned(talk, ada))[Kind.PROMPT] == datetime(2026, 11, 20, 21, 30, tzinfo=LONDON)


async def test_a_time_that_is_over_today_begins_tomorrow(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "prompt")
    await talk.say(ada, "5 pm")
    assert (await planned(talk, ada))[Kind.PROMPT] == datetime(2026, 11, 21, 17, 0, tzinfo=LONDON)


async def test_an_evening_that_was_served_is_not_served_again(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(20, 30))
    await ada.wait(lambda who: len(who.messages) > 2)
    await opened(talk, ada, "prompt")
    await talk.press(ada, "se:prompt:2130")
    due = await planned(talk, ada)
    assert due[Kind.PROMPT] == datetime(2026, 11, 21, 21, 30, tzinfo=LONDON)
    assert due[Kind.CHECKIN] == datetime(2026, 11, 21, 8, 30, tzinfo=LONDON)


async def test_a_morning_that_was_served_is_not_served_again(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(8, 30))
    await opened(talk, ada, "checkin")
    await talk.press(ada, "se:checkin:0930")
    assert (await planned(talk, ada))[Kind.CHECKIN] == datetime(2026, 11, 22, 9, 30, tzinfo=LONDON)


async def test_a_flight_moves_what_is_planned_and_asks_the_country(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(20, 30))
    await opened(talk, ada, "zone")
    await talk.say(ada, "Tokyo")
    due = await planned(talk, ada)
    assert due[Kind.PROMPT] == datetime(2026, 11, 21, 20, 30, tzinfo=TOKYO)
    assert due[Kind.CHECKIN] == datetime(2026, 11, 21, 8, 30, tzinfo=TOKYO)
    question = newest_with(ada, "se:abroad:JP")
    assert "Which country are you in now?" in question.text
    for number in ("999", "119"):
        assert number in question.text
    said = await talk.say(ada, "/help")
    assert "999" in said[0].text
    assert "119" in said[0].text
    await talk.press(ada, "se:abroad:GB", "Country: United Kingdom")
    patient = await patient_of(talk, ada)
    assert (patient.country, patient.zone, patient.zone_country_asked) == ("GB", "Asia/Tokyo", False)
    said = await talk.say(ada, "/help")
    assert "999" in said[0].text
    assert "119" not in said[0].text


async def test_abroad_in_a_third_country_it_is_typed(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "zone")
    await talk.say(ada, "Paris")
    await talk.press(ada, "se:abroad:other", "Which country are you in?")
    await talk.say(ada, "Belgum")
    patient = await patient_of(talk, ada)
    assert (patient.country, patient.zone) == ("BE", "Europe/Brussels")
    assert not patient.zone_country_asked


async def test_a_country_of_several_clocks_asks_which(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "country")
    await talk.press(ada, "se:country:US")
    assert "Where are you?" in ada.last.text
    assert (await patient_of(talk, ada)).zone == "Europe/London", "until it is answered"
    await talk.press(ada, "se:zone:America/Denver", "Time zone: Denver")
    patient = await patient_of(talk, ada)
    assert (patient.country, patient.zone, patient.zone_country_asked) == ("US", "America/Denver", False)


async def test_a_city_typed_below_the_second_question_is_understood(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "country")
    await talk.say(ada, "Australia")
    await talk.say(ada, "Perth")
    assert (await patient_of(talk, ada)).zone == "Australia/Perth"


async def test_a_shared_place_sets_the_zone_when_it_is_asked_for(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "zone")
    await talk.press(ada, "se:where", "do not keep the place")
    await ada.share_location(48.85, 2.35)
    await talk.settled()
    assert (await patient_of(talk, ada)).zone == "Europe/Paris"
    assert ada.chat.reply_keyboard is None
    assert "Which country are you in now?" in newest_with(ada, "se:abroad:FR").text


async def test_a_shared_place_nobody_asked_for_changes_nothing(talk: Conversation) -> None:
    ada = await talk.patient()
    await ada.share_location(48.85, 2.35)
    await talk.settled()
    assert (await patient_of(talk, ada)).zone == "Europe/London"
    assert "999" in ada.last.text
    assert "cannot send help" in ada.last.text
    await talk.press(ada, "Set my clock to Paris", "Time zone: Paris")


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("next Monday", "2026-11-23"),
        ("2 December", "2026-12-02"),
        ("in 10 days", "2026-11-30"),
        ("tomorrow", "2026-11-21"),
        ("3/12", "2026-12-03"),
    ],
)
async def test_a_pause_is_typed(talk: Conversation, typed: str, day: str) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "pause")
    said = await talk.say(ada, typed)
    assert "Paused" in said[0].text
    assert (await patient_of(talk, ada)).paused_until == date.fromisoformat(day)


async def test_an_american_date_is_month_first(talk: Conversation) -> None:
    ada = await talk.patient(country="US", zone="America/New_York")
    await opened(talk, ada, "pause")
    await talk.say(ada, "12/3")
    assert (await patient_of(talk, ada)).paused_until == date(2026, 12, 3)


@pytest.mark.parametrize("typed", ["yesterday", "1 November 2026", "today", "in 3 years"])
async def test_a_pause_that_ends_before_it_begins_or_never_is_asked_again(
    talk: Conversation, typed: str
) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "pause")
    said = await talk.say(ada, typed)
    assert "as a day ahead" in said[0].text
    assert (await patient_of(talk, ada)).paused_until is None


async def test_a_pause_is_silent_and_ends_by_itself(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "pause")
    await talk.press(ada, "se:pause:2026-11-23", "Paused until Monday 23 Nov")
    count = len(ada.messages)
    await talk.go_to(datetime(2026, 11, 22, 23, 0, tzinfo=LONDON))
    assert len(ada.messages) == count
    await talk.say(ada, "I have chest pain and can't breathe")
    await ada.wait("999")


async def test_on_the_day_of_return_it_begins_again_in_the_evening(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "pause")
    await talk.press(ada, "se:pause:2026-11-23")
    due = await planned(talk, ada)
    assert due[Kind.PROMPT] == datetime(2026, 11, 23, 20, 30, tzinfo=LONDON)
    assert due[Kind.CHECKIN] == datetime(2026, 11, 24, 8, 30, tzinfo=LONDON)
    assert due[Kind.RESUME] == datetime(2026, 11, 23, 8, 30, tzinfo=LONDON)
    ada.mark()
    await talk.go_to(datetime(2026, 11, 23, 8, 31, tzinfo=LONDON))
    await ada.wait("Your pause is over")
    assert (await patient_of(talk, ada)).paused_until is None
    ada.mark()
    await talk.until(time(20, 30))
    await ada.wait(lambda who: who.since())


async def test_the_word_of_return_comes_though_telegram_refused_it_first(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "pause")
    await talk.press(ada, "se:pause:2026-11-23")
    talk.telegram.faults.add(Fault("retry_after", method="sendMessage", seconds=1))
    await talk.go_to(datetime(2026, 11, 23, 8, 31, tzinfo=LONDON))
    await talk.later(minutes=1)
    await ada.wait("Your pause is over")
    assert (await patient_of(talk, ada)).paused_until is None


async def test_a_pause_can_be_ended_early(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "pause")
    await talk.press(ada, "se:pause:2026-11-27")
    await talk.press(ada, "Go on now", "I have started again")
    assert (await planned(talk, ada))[Kind.PROMPT] == datetime(2026, 11, 20, 20, 30, tzinfo=LONDON)
    count = len(ada.messages)
    await talk.go_to(datetime(2026, 11, 20, 20, 29, tzinfo=LONDON))
    assert len(ada.messages) == count


async def test_a_restart_between_opening_a_page_and_typing(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "prompt")
    await talk.restart()
    said = await talk.say(ada, "21.15")
    assert "Evening message: 21:15" in said[0].text


@pytest.mark.parametrize(
    "data",
    [
        "se:page:nonsense", "se:page:where", "se", "se:", "se:prompt:", "se:prompt:2561", "se:quiet:1",
        "se:sound:loud", "se:zone:Nowhere", "se:country:ZZ", "se:pause:soon", "se:pause:2020-01-01",
        "se:abroad:Q", "se:resume:x", "se:nonsense:1",
    ],
)  # fmt: skip
async def test_nonsense_in_a_button_is_answered_and_changes_nothing(talk: Conversation, data: str) -> None:
    ada = await talk.patient()
    before = await patient_of(talk, ada)
    await opened(talk, ada)
    await ada.press(ada.last, data, stale=True)
    await talk.settled()
    assert all(query.answered for query in talk.telegram.world.queries.values())
    after = await patient_of(talk, ada)
    assert (after.times, after.zone, after.country, after.silent) == (
        before.times,
        before.zone,
        before.country,
        before.silent,
    )
    assert (after.paused_until, after.stopped_at) == (None, None)
    assert "Something went wrong" not in heard(ada)


async def test_every_page_has_short_buttons_and_a_way_back(talk: Conversation) -> None:
    ada = await talk.patient(country="US", zone="America/Chicago")
    for page in ("prompt", "checkin", "every", "zone", "country", "quiet", "pause"):
        await opened(talk, ada, page)
        shown = buttons(ada)
        assert "se:page:overview" in shown
        assert all(len(data.encode()) <= 64 for data in shown)
        assert all(len(label) <= 40 for label in shown.values())


@pytest.mark.parametrize("after", [False, True])
async def test_a_typed_setting_whose_reply_was_lost_is_no_answer_about_the_night(
    talk: Conversation, after: bool
) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/settings")
    await talk.press(ada, "se:page:checkin")
    talk.telegram.faults.add(Fault("close", method="sendMessage", after=after))
    await ada.send("8")
    await ada.wait("Morning: 08:00.")
    await talk.settled()
    assert "Morning: 08:00." in ada.last.text
    async with talk.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        assert patient.times.checkin_at == time(8)
        assert await store.diary(patient.id, date(2026, 11, 1), date(2026, 11, 30)) == []


@pytest_asyncio.fixture
async def idle(tmp_path: Path, learned: None) -> AsyncIterator[Conversation]:
    """A bot that does not look for what is due until it is woken, as after an outage."""
    async with Conversation(tmp_path, rhythm=Rhythm(tick=3600)) as talk:
        yield talk


@pytest.mark.parametrize(
    ("button", "comes"),
    [
        ("se:sound:off", True),
        ("se:prompt:2000", True),
        ("se:prompt:2130", False),  # at its new time
        ("se:zone:Europe/Paris", True),
        ("se:zone:Asia/Tokyo", False),  # where it is morning
        ("se:pause:2026-11-23", False),
    ],
)
async def test_a_setting_changed_while_a_prompt_is_owed_loses_only_what_it_moves(
    idle: Conversation, button: str, comes: bool
) -> None:
    ada = await idle.patient()
    await idle.say(ada, "/settings")
    menu = ada.last
    idle.clock.offset += datetime(2026, 11, 20, 20, 55, tzinfo=LONDON) - idle.now
    await ada.press(menu, button, stale=True)
    await idle.settled()
    await idle.later(seconds=1)
    assert ("sorry for being late" in heard(ada)) == comes
    if button == "se:prompt:2130":
        await idle.until(time(21, 30))
        assert "ev:261120" in str(ada.last.keyboard)


async def test_a_setting_changed_while_a_checkin_is_owed_does_not_lose_it(idle: Conversation) -> None:
    ada = await idle.patient()
    await idle.until(time(20, 30))
    await idle.say(ada, "/settings")
    menu = ada.last
    idle.clock.offset += datetime(2026, 11, 21, 10, 0, tzinfo=LONDON) - idle.now
    await ada.press(menu, "se:checkin:0700", stale=True)
    await idle.settled()
    await idle.later(seconds=1)
    assert "ci:261120" in str([message.keyboard for message in ada.messages])
    assert (await planned(idle, ada))[Kind.CHECKIN] - idle.now < timedelta(days=1)


@pytest.mark.parametrize("page", ["prompt", "country"])
async def test_a_page_left_open_in_the_evening_takes_no_answer_of_the_morning(
    talk: Conversation, page: str
) -> None:
    ada = await talk.patient()
    await opened(talk, ada, page)
    await talk.until(time(8, 30))
    said = await talk.say(ada, "6")
    assert "Worst moment: 6" in said[0].text
    async with talk.store() as store:
        patient = await store.patient_of_chat(ada.id)
        assert patient is not None
        assert (patient.times.prompt_at, patient.country) == (time(20, 30), "GB")
        [checkin] = await store.diary(patient.id, date(2026, 11, 1), date(2026, 11, 30))
        assert checkin.pain == 6


async def test_a_choice_offered_for_a_typed_setting_has_a_way_back(talk: Conversation) -> None:
    ada = await talk.patient()
    await opened(talk, ada, "country")
    said = await talk.say(ada, "we moved to france")
    assert said[0].buttons == ["France", "None of these"]
    await talk.press(ada, "None of these", "Which country are you in?")
    await talk.say(ada, "we moved to france")
    await talk.press(ada, "France", "Country: France")


async def test_words_about_a_night_are_no_value_of_an_open_page(talk: Conversation) -> None:
    ada = await talk.patient()
    for page, words in (("country", "cramps in both calves, 6/10"), ("pause", "5/10, woke three times")):
        await opened(talk, ada, page)
        said = await talk.say(ada, words)
        assert any("This is what I understood" in one.text for one in said), page
    await opened(talk, ada, "pause")
    said = await talk.say(ada, "7")
    assert "I could not read “7” as a day ahead." in said[0].text
