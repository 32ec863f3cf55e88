"""Evening and morning come once a day at the patient's own time, whatever the clocks do."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import content
from bot.rules.timing import (
    checkin_night,
    checkin_useful_until,
    end_of_quiet,
    in_quiet_hours,
    local_moment,
    next_local,
    night_at,
    night_of,
    prompt_night,
    prompt_useful_until,
)
from content.schema import Timing

FILE = Path(content.__file__).parent / "rules" / "timing.toml"
TIMING = Timing.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
BERLIN, CAIRO, SAMOA = ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Cairo"), ZoneInfo("Pacific/Apia")
ODD_ZONES = [
    "Europe/Berlin", "Europe/London", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe",
    "Atlantic/Azores", "Pacific/Apia", "Asia/Beirut", "Antarctica/Troll", "America/Nuuk", "America/St_Johns",
    "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Kiritimati",
]  # fmt: skip
FIRST = datetime(2009, 1, 1, tzinfo=UTC)
zones = st.sampled_from(ODD_ZONES).map(ZoneInfo)
moments = st.integers(0, 21 * 366 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def wall(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M %z")


@pytest.mark.parametrize(
    ("zone", "day", "at", "shown"),
    [
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29 03:00 +0200"),
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25 02:30 +0200"),
        ("Europe/London", date(2026, 3, 29), time(1, 0), "2026-03-29 02:00 +0100"),
        ("Europe/London", date(2026, 10, 25), time(1, 30), "2026-10-25 01:30 +0100"),
        ("America/New_York", date(2026, 3, 8), time(2, 15), "2026-03-08 03:00 -0400"),
        ("America/New_York", date(2026, 11, 1), time(1, 15), "2026-11-01 01:15 -0400"),
        ("Africa/Cairo", date(2026, 4, 24), time(0, 0), "2026-04-24 01:00 +0300"),
        ("Africa/Cairo", date(2026, 4, 24), time(0, 30), "2026-04-24 01:00 +0300"),
        ("Africa/Cairo", date(2026, 10, 29), time(23, 30), "2026-10-29 23:30 +0300"),
        ("Asia/Beirut", date(2026, 3, 29), time(0, 0), "2026-03-29 01:00 +0300"),
        ("Asia/Beirut", date(2026, 10, 24), time(23, 30), "2026-10-24 23:30 +0300"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-04 02:30 +1100"),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), "2026-04-05 01:45 +1100"),
        ("Atlantic/Azores", date(2026, 3, 29), time(0, 30), "2026-03-29 01:00 +0000"),
        ("Atlantic/Azores", date(2026, 10, 25), time(0, 30), "2026-10-25 00:30 +0000"),
        ("Antarctica/Troll", date(2026, 3, 29), time(2, 0), "2026-03-29 03:00 +0200"),
        ("Antarctica/Troll", date(2026, 10, 25), time(1, 30), "2026-10-25 01:30 +0200"),
        ("Pacific/Apia", date(2011, 12, 30), time(20, 30), "2011-12-31 00:00 +1400"),
        ("America/Nuuk", date(2026, 3, 28), time(23, 30), "2026-03-29 00:00 -0100"),
        ("America/Nuuk", date(2023, 10, 28), time(23, 30), "2023-10-28 23:30 -0200"),
        ("Europe/Berlin", date(2026, 7, 1), time(20, 30), "2026-07-01 20:30 +0200"),
    ],
)
def test_a_time_that_is_missing_or_doubled_has_one_moment(zone: str, day: date, at: time, shown: str) -> None:
    assert wall(local_moment(day, at, ZoneInfo(zone)), ZoneInfo(zone)) == shown


@pytest.mark.parametrize("zone", [ZoneInfo(name) for name in ODD_ZONES], ids=ODD_ZONES)
@pytest.mark.parametrize(
    "at", [time(0), time(0, 30), time(1, 30), time(2, 15), time(8, 30), time(20, 30), time(23, 30)]
)
def test_every_local_date_of_a_year_has_its_evening_once(zone: ZoneInfo, at: time) -> None:
    moment, seen = datetime(2025, 12, 31, 11, tzinfo=UTC), []
    for _ in range(366):
        moment = next_local(moment, at, zone)
        seen.append(moment)
    days = {prompt_night(one, at, time(12, 0), zone) for one in seen}
    assert len(days) == 366
    assert all(timedelta(hours=21) <= later - one <= timedelta(hours=27) for one, later in pairwise(seen))


def test_a_day_that_samoa_leaped_over_has_no_evening() -> None:
    after = local_moment(date(2011, 12, 29), time(20, 30), SAMOA)
    assert wall(next_local(after, time(20, 30), SAMOA), SAMOA) == "2011-12-31 20:30 +1400"
    assert night_of(local_moment(date(2011, 12, 31), time(8), SAMOA), SAMOA) == date(2011, 12, 29)


def test_the_second_half_past_two_is_not_a_second_evening() -> None:
    first = local_moment(date(2026, 10, 25), time(2, 30), BERLIN)
    assert wall(next_local(first, time(2, 30), BERLIN), BERLIN) == "2026-10-26 02:30 +0100"
    between = first + timedelta(minutes=45)
    assert wall(next_local(between, time(2, 30), BERLIN), BERLIN) == "2026-10-26 02:30 +0100"


@given(moments, times, zones)
def test_the_next_evening_is_later_and_within_a_day_or_a_leap(
    now: datetime, at: time, zone: ZoneInfo
) -> None:
    found = next_local(now, at, zone)
    assert now < found <= now + timedelta(hours=50)
    shown = found.astimezone(zone)
    assert shown.time() == at or local_moment(shown.date(), shown.time(), zone) == found


@given(moments, times, zones)
def test_nothing_lies_between_now_and_the_next_evening(now: datetime, at: time, zone: ZoneInfo) -> None:
    found = next_local(now, at, zone)
    minute = found - timedelta(minutes=1)
    assert minute < now or next_local(minute, at, zone) == found


def test_a_night_runs_from_noon_to_noon() -> None:
    assert night_of(local_moment(date(2026, 5, 1), time(12), BERLIN), BERLIN) == date(2026, 5, 1)
    assert night_of(local_moment(date(2026, 5, 1), time(11, 59), BERLIN), BERLIN) == date(2026, 4, 30)
    assert night_of(local_moment(date(2026, 5, 2), time(3), BERLIN), BERLIN) == date(2026, 5, 1)


@pytest.mark.parametrize(
    ("prompt_at", "checkin_at", "days_back"),
    [
        (time(20, 30), time(8, 30), 0),
        (time(20, 30), time(14, 0), 0),
        (time(0, 30), time(8, 30), 1),
        (time(3, 0), time(11, 0), 1),
        (time(10, 0), time(18, 0), 0),  # sleeps by day, across noon
        (time(13, 0), time(21, 0), 0),
        (time(11, 0), time(7, 0), 0),  # wants the evening message at lunch
    ],
)
def test_a_prompt_belongs_to_the_sleep_that_follows(
    prompt_at: time, checkin_at: time, days_back: int
) -> None:
    due = local_moment(date(2026, 5, 20), prompt_at, BERLIN)
    assert prompt_night(due, prompt_at, checkin_at, BERLIN) == date(2026, 5, 20) - timedelta(days=days_back)


def test_a_prompt_snoozed_past_midnight_keeps_its_night() -> None:
    due = local_moment(date(2026, 5, 20), time(23, 45), BERLIN) + timedelta(minutes=30)
    assert prompt_night(due, time(23, 45), time(8, 30), BERLIN) == date(2026, 5, 20)


@given(moments, times, times, zones)
def test_prompt_and_the_next_checkin_name_the_same_night(
    now: datetime, prompt_at: time, checkin_at: time, zone: ZoneInfo
) -> None:
    apart = abs((prompt_at.hour - checkin_at.hour) * 60 + prompt_at.minute - checkin_at.minute)
    assume(min(apart, 24 * 60 - apart) >= 180)  # more than any clock change takes away
    prompt = next_local(now, prompt_at, zone)
    checkin = next_local(prompt, checkin_at, zone)
    night = prompt_night(prompt, prompt_at, checkin_at, zone)
    assert checkin_night(checkin, prompt_at, checkin_at, zone) == night
    assert night_at(prompt, prompt_at, checkin_at, zone) == night
    assert night_at(checkin - timedelta(seconds=1), prompt_at, checkin_at, zone) == night


@given(moments, times, times, zones)
def test_each_prompt_and_each_checkin_has_a_night_of_its_own(
    now: datetime, prompt_at: time, checkin_at: time, zone: ZoneInfo
) -> None:
    for at, name in ((prompt_at, prompt_night), (checkin_at, checkin_night)):
        first = next_local(now, at, zone)
        second = next_local(first, at, zone)
        assert name(first, prompt_at, checkin_at, zone) < name(second, prompt_at, checkin_at, zone)


@given(moments, zones)
def test_with_the_usual_times_a_night_is_noon_to_noon_for_everything(now: datetime, zone: ZoneInfo) -> None:
    assert night_at(now, TIMING.prompt_at, TIMING.checkin_at, zone) == night_of(now, zone)


def test_a_cramp_before_noon_belongs_to_the_sleep_of_who_sleeps_by_day() -> None:
    now = local_moment(date(2026, 5, 20), time(11), BERLIN)
    assert night_at(now, time(10), time(18), BERLIN) == date(2026, 5, 20)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [(time(21, 59), False), (time(22), True), (time(3), True), (time(6, 59), True), (time(7), False)],
)
def test_quiet_hours_wrap_midnight(at: time, quiet: bool) -> None:
    now = local_moment(date(2026, 5, 20), at, BERLIN)
    assert in_quiet_hours(now, TIMING.quiet_from, TIMING.quiet_until, BERLIN) is quiet


def test_quiet_hours_may_lie_within_a_day_or_not_be_at_all() -> None:
    now = local_moment(date(2026, 5, 20), time(13), BERLIN)
    assert in_quiet_hours(now, time(10), time(18), BERLIN)
    assert not in_quiet_hours(now, time(7), time(7), BERLIN)
    assert end_of_quiet(now, time(7), time(7), BERLIN) == now


@given(moments, times, times, zones)
def test_quiet_hours_end_where_they_say(now: datetime, begin: time, end: time, zone: ZoneInfo) -> None:
    ends = end_of_quiet(now, begin, end, zone)
    assert (ends > now) is in_quiet_hours(now, begin, end, zone)
    assert not in_quiet_hours(ends, begin, end, zone)
    assert ends <= now + timedelta(hours=26)


def test_quiet_hours_on_the_night_the_clocks_change() -> None:
    now = local_moment(date(2026, 4, 23), time(23, 30), CAIRO)
    assert wall(end_of_quiet(now, time(22), time(0, 30), CAIRO), CAIRO) == "2026-04-24 01:00 +0300"


def test_a_prompt_is_useful_for_three_hours() -> None:
    due = local_moment(date(2026, 5, 20), time(20, 30), BERLIN)
    assert prompt_useful_until(due, TIMING) == due + timedelta(hours=3)


def test_a_checkin_is_useful_until_two_hours_before_the_next_prompt() -> None:
    due = local_moment(date(2026, 5, 20), time(8, 30), BERLIN)
    until = checkin_useful_until(due, time(20, 30), BERLIN, TIMING)
    assert wall(until, BERLIN) == "2026-05-20 18:30 +0200"


def test_a_checkin_shortly_before_the_prompt_is_still_useful_for_an_hour() -> None:
    due = local_moment(date(2026, 5, 20), time(19, 30), BERLIN)
    assert wall(checkin_useful_until(due, time(20, 30), BERLIN, TIMING), BERLIN) == "2026-05-20 20:30 +0200"
