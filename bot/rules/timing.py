"""Turns a patient's wall times into moments, and moments into nights.

A wall time that a clock change leaves out becomes the first moment that exists; one that comes twice means
the first; a date that a zone leaped over (Samoa, 30 December 2011) has no moments and no night.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from content.schema import Timing

NOON = time(12)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def iso_date(text: str) -> date | None:
    """Return the date that a button or a row carries ("2026-12-02"); None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(4096)  # everybody's clock is looked at for the same days, several times for each press
def local_moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the moment (UTC) at which the clocks of `zone` show `at` on `day`."""
    wall = datetime.combine(day, at.replace(tzinfo=None, fold=0))
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    if _wall(first, zone) == wall:
        return first
    # zoneinfo errs in fold 0 where its table ends (Nuuk, October 2023): ask fold 1 before believing in a gap.
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if _wall(second, zone) == wall:
        return second
    return _clock_change(min(first, second), max(first, second), zone)


def next_local(after: datetime, at: time, zone: ZoneInfo) -> datetime:
    """Return the first moment (UTC) strictly after `after` at wall time `at`, one for each local date."""
    day = after.astimezone(zone).date()
    while not _exists(day, zone) or local_moment(day, at, zone) <= after:
        day += DAY
    return local_moment(day, at, zone)


def night_of(now: datetime, zone: ZoneInfo) -> date:
    """Return the night that `now` belongs to: nights run from noon to noon and bear the date they began."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= NOON else _day_before(local.date(), zone)


def night_at(now: datetime, prompt_at: time, checkin_at: time, zone: ZoneInfo) -> date:
    """Return the night of something that happens at `now`, also when the patient sleeps across noon."""
    prompted = _slot(now, prompt_at, zone)
    if now < next_local(local_moment(prompted, prompt_at, zone), checkin_at, zone):
        return _night_after_prompt(prompted, prompt_at, checkin_at, zone)
    return night_of(now, zone)


def prompt_night(due: datetime, prompt_at: time, checkin_at: time, zone: ZoneInfo) -> date:
    """Return the night of the sleep that follows a prompt due at `due` (or snoozed until then)."""
    return _night_after_prompt(_slot(due, prompt_at, zone), prompt_at, checkin_at, zone)


def checkin_night(due: datetime, prompt_at: time, checkin_at: time, zone: ZoneInfo) -> date:
    """Return the night of the sleep that ended before a check-in due at `due`."""
    day = _slot(due, checkin_at, zone)
    prompted = day if prompt_at < checkin_at else _day_before(day, zone)
    return _night_after_prompt(prompted, prompt_at, checkin_at, zone)


def prompt_useful_until(due: datetime, timing: Timing) -> datetime:
    """Return the moment after which a prompt is dropped (`prompt_useful_minutes` after it was due)."""
    return due + timedelta(minutes=timing.prompt_useful_minutes)


def checkin_useful_until(due: datetime, prompt_at: time, zone: ZoneInfo, timing: Timing) -> datetime:
    """Return the moment after which a check-in is no longer asked: some minutes before the next prompt.

    It stays useful for an hour at least, however soon after it the prompt comes.
    """
    margin = timedelta(minutes=timing.checkin_closes_before_prompt_minutes)
    return max(next_local(due, prompt_at, zone) - margin, due + HOUR)


def in_quiet_hours(now: datetime, quiet_from: time, quiet_until: time, zone: ZoneInfo) -> bool:
    """Return whether `now` is in quiet hours, which may wrap midnight; equal times mean there are none."""
    return _quiet_end(now, quiet_from, quiet_until, zone) is not None


def end_of_quiet(now: datetime, quiet_from: time, quiet_until: time, zone: ZoneInfo) -> datetime:
    """Return when the quiet hours around `now` end (UTC), or `now` itself outside them."""
    return _quiet_end(now, quiet_from, quiet_until, zone) or now


def _quiet_end(now: datetime, quiet_from: time, quiet_until: time, zone: ZoneInfo) -> datetime | None:
    if quiet_from == quiet_until:
        return None
    today = now.astimezone(zone).date()
    for began in (today, today - DAY):
        ends = local_moment(began if quiet_from < quiet_until else began + DAY, quiet_until, zone)
        if local_moment(began, quiet_from, zone) <= now < ends:
            return ends
    return None


def _night_after_prompt(prompted: date, prompt_at: time, checkin_at: time, zone: ZoneInfo) -> date:
    """Name the sleep after the prompt of one local date by the noon before its middle.

    A prompt at 20:30, or 10:00 for a day sleeper, is for the night of its date, one at 00:30 for the last.
    """
    prompt, checkin = _minutes(prompt_at), _minutes(checkin_at)
    awake_again = checkin if checkin > prompt else checkin + 24 * 60
    middle = (prompt + awake_again) / 2
    return prompted if middle >= _minutes(NOON) else _day_before(prompted, zone)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _minutes(at: time) -> float:
    return at.hour * 60 + at.minute + at.second / 60


def _slot(moment: datetime, at: time, zone: ZoneInfo) -> date:
    """Return the last local date whose `at` has come by `moment`; a moved time keeps its date."""
    day = moment.astimezone(zone).date()
    while not _exists(day, zone) or local_moment(day, at, zone) > moment:
        day -= DAY
    return day


@lru_cache(1024)
def _exists(day: date, zone: ZoneInfo) -> bool:
    return local_moment(day, time.min, zone).astimezone(zone).date() == day


def _day_before(day: date, zone: ZoneInfo) -> date:
    day -= DAY
    while not _exists(day, zone):
        day -= DAY
    return day


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second (UTC) of the new offset, which begins after `before` and not after `after`."""
    before, after = before.replace(microsecond=0), after.replace(microsecond=0)
    old = before.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // (2 * SECOND) * SECOND
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
