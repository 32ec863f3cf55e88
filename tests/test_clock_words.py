"""People type times and dates in their own way; what is not understood is asked again, never guessed."""

from __future__ import annotations

import tomllib
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import content
from bot.rules.clock_words import read_date, read_time
from content.schema import ClockVocabulary

FILE = Path(content.__file__).parent / "en" / "clock.toml"
ENGLISH = ClockVocabulary.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
EVENING, MORNING = time(20, 30), time(8, 30)
TODAY = date(2026, 11, 18)  # a Wednesday


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("9:30pm", time(21, 30)),
        ("9:30 PM", time(21, 30)),
        ("9.30 p.m.", time(21, 30)),
        ("21.30", time(21, 30)),
        ("21:30", time(21, 30)),
        ("2130", time(21, 30)),
        ("2130 hrs", time(21, 30)),
        ("21h30", time(21, 30)),
        ("22h15", time(22, 15)),
        ("22h", time(22)),
        ("21;30", time(21, 30)),
        ("21::30", time(21, 30)),
        ("21 30", time(21, 30)),
        ("21-30", time(21, 30)),
        ("21,30", time(21, 30)),
        ("9 pm", time(21)),
        ("9pm please", time(21)),
        ("half past nine", time(21, 30)),
        ("Half past 9.", time(21, 30)),
        ("quarter to ten", time(21, 45)),
        ("a quarter past nine", time(21, 15)),
        ("at 9", time(21)),
        ("around 9 o’clock", time(21)),
        ("nine thirty", time(21, 30)),
        ("nine oh five", time(21, 5)),
        ("twenty one thirty", time(21, 30)),
        ("twenty-five to ten", time(21, 35)),
        ("ten to eight in the morning", time(7, 50)),
        ("eight tonight", time(20)),
        ("11 at night", time(23)),
        ("2 at night", time(2)),
        ("noon", time(12)),
        ("12 noon", time(12)),
        ("midnight", time(0)),
        ("twelve at night", time(0)),
        ("half past midnight", time(0, 30)),
        ("quarter to midnight", time(23, 45)),
        ("quarter to noon", time(11, 45)),
        ("12 am", time(0)),
        ("12:30pm", time(12, 30)),
        ("09:30", time(9, 30)),
        ("09:30 pm", time(21, 30)),
        ("0030", time(0, 30)),
        ("24:00", time(0)),
        ("930", time(21, 30)),
        ("10ish", time(22)),
        ("about 9:30ish", time(21, 30)),
        ("tenish", time(22)),
        ("half nine or so", time(21, 30)),
        ("usually around ten, dear", time(22)),
        ("I go to bed at ten", time(22)),
    ],
)
def test_a_time_for_the_evening_is_read(typed: str, meant: time) -> None:
    assert read_time(typed, ENGLISH, near=EVENING) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "25:99",
        "24:30",
        "9:75",
        "",
        "soon",
        "my leg hurts at 9",
        "13 am",
        "00:30 pm",
        "9 am or 10 pm",
        "9-10",
        "9/10",
        "2 hours",
        "half an hour",
        "in 10 minutes",
        "ten noon",
        "45",
        "99999",
        "9.5",
        "half past",
        "quarter to",
        "seventy past nine",
        "x" * 500,
    ],
)
def test_nonsense_is_not_a_time(typed: str) -> None:
    assert read_time(typed, ENGLISH, near=EVENING) is None


def test_what_am_and_pm_leave_open_is_settled_by_the_question_asked() -> None:
    assert read_time("half past eight", ENGLISH, near=MORNING) == time(8, 30)
    assert read_time("half past eight", ENGLISH, near=EVENING) == time(20, 30)
    assert read_time("12:30", ENGLISH, near=time(23)) == time(0, 30)


def test_without_a_question_the_clock_has_24_hours() -> None:
    assert read_time("9", ENGLISH) == time(9)
    assert read_time("half past nine", ENGLISH) == time(9, 30)


def test_half_ten_is_half_past_nine_where_the_language_says_so() -> None:
    german = ClockVocabulary(locale="de", numbers={"zehn": 10, "eins": 1}, half_before=("halb",))
    assert read_time("halb zehn", german, near=EVENING) == time(21, 30)
    assert read_time("halb eins", german, near=time(23)) == time(0, 30)
    assert read_date("2. Dezember", TODAY, german) == date(2026, 12, 2)


@given(st.times(), st.sampled_from(["%H:%M", "%H.%M", "%H%M", "%Hh%M", "%I:%M %p", "%I.%M%p", "%I:%M:00"]))
def test_every_time_of_day_can_be_typed(at: time, style: str) -> None:
    at = at.replace(second=0, microsecond=0)
    read = read_time(at.strftime(style), ENGLISH)
    assert read == (None if style.endswith("00") else at)


@given(st.text(), st.sampled_from([None, EVENING]))
def test_no_text_breaks_the_reading(text: str, near: time | None) -> None:
    read_time(text, ENGLISH, near=near)
    read_date(text, TODAY, ENGLISH)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2 December", date(2026, 12, 2)),
        ("until Dec 2", date(2026, 12, 2)),
        ("the 2nd of December", date(2026, 12, 2)),
        ("December 2nd, 2027", date(2027, 12, 2)),
        ("2 Sept", date(2027, 9, 2)),
        ("2026-12-02", date(2026, 12, 2)),
        ("02/12", date(2026, 12, 2)),
        ("2.12.", date(2026, 12, 2)),
        ("2.12.26", date(2026, 12, 2)),
        ("12/25", date(2026, 12, 25)),
        ("29 February", date(2028, 2, 29)),
        ("in 10 days", date(2026, 11, 28)),
        ("2 weeks", date(2026, 12, 2)),
        ("for two weeks", date(2026, 12, 2)),
        ("a week", date(2026, 11, 25)),
        ("next week", date(2026, 11, 25)),
        ("a fortnight", date(2026, 12, 2)),
        ("next month", date(2026, 12, 18)),
        ("next monday", date(2026, 11, 23)),
        ("until Monday", date(2026, 11, 23)),
        ("wed", date(2026, 11, 25)),
        ("tomorrow", date(2026, 11, 19)),
        ("the day after tomorrow", date(2026, 11, 20)),
        ("today", TODAY),
    ],
)
def test_a_date_to_pause_until_is_read(typed: str, meant: date) -> None:
    assert read_date(typed, TODAY, ENGLISH) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "31 February",
        "2026-13-01",
        "32/12",
        "99999999 days",
        "december",
        "2",
        "when I am better",
        "2 3 dec",
    ],
)
def test_nonsense_is_not_a_date(typed: str) -> None:
    assert read_date(typed, TODAY, ENGLISH) is None


def test_americans_write_the_month_first() -> None:
    assert read_date("02/12", TODAY, ENGLISH, month_first=True) == date(2027, 2, 12)
    assert read_date("12/2/2026", TODAY, ENGLISH, month_first=True) == date(2026, 12, 2)


def test_a_month_from_the_last_of_january_is_the_last_of_february() -> None:
    assert read_date("in a month", date(2027, 1, 31), ENGLISH) == date(2027, 2, 28)
