"""Each patient's own nights, mornings and quiet hours; plans one prompt and one check-in ahead of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, tzinfo
from zlib import crc32

from bot.model import Kind, Patient
from bot.rules.timing import (
    checkin_night,
    checkin_useful_until,
    end_of_quiet,
    in_quiet_hours,
    local_moment,
    next_local,
    night_at,
    prompt_night,
    prompt_useful_until,
)
from bot.storage.sendings import Planned
from bot.storage.store import Store
from content.schema import Timing

Ahead = tuple[Patient, Timing, datetime]  # somebody, how the days run, and after which moment
ROUTINE_KINDS = (Kind.PROMPT, Kind.CHECKIN)
MINUTES_OF_DAY = 24 * 60
LOTS = 600  # microseconds a minute: a day of them stays below a second
LOOK_AHEAD_DAYS = 4  # a night already served moves on to the next; never further than this


async def plan_all(
    store: Store, patient: Patient, timing: Timing, now: datetime, zone_before: tzinfo | None = None
) -> None:
    """Plan the next prompt and check-in afresh, after times, zone, pause or stop have changed.

    What was put off for a while, or is owed since before and still useful, comes as well; after a move from
    *zone_before* it is useful for as long as the clock on the wall has it.
    """
    waiting = [one for one in await store.waiting(patient.id) if one.kind in ROUTINE_KINDS]
    await store.drop_ready(patient.id, ROUTINE_KINDS, "replanned")
    if not patient.is_active:
        return
    if patient.paused_until is None:
        ahead = _clock_put_on(now, zone_before, patient)
        for one in waiting:
            until = one.useful_until and one.useful_until - ahead
            is_owed = one.was_due_at <= now and (until is None or now <= until)
            if is_owed or (one.kind is Kind.PROMPT and one.step):
                at = one.was_due_at if is_owed else one.due_at
                await store.plan(patient.id, one.kind, one.subject, one.step, at, until)
    await plan_prompt(store, patient, timing, now)  # moves one of the same night to its new time
    await plan_checkin(store, patient, timing, now)


def _clock_put_on(now: datetime, before: tzinfo | None, patient: Patient) -> timedelta:
    """Return by how much the clock on the wall has been put on by a move to another zone."""
    if before is None:
        return timedelta(0)
    moved = (now.astimezone(patient.tz).utcoffset(), now.astimezone(before).utcoffset())
    return max(timedelta(0), (moved[0] or timedelta(0)) - (moved[1] or timedelta(0)))


async def plan_prompt(store: Store, patient: Patient, timing: Timing, after: datetime) -> None:
    """Plan the first evening prompt after a moment whose night has not been served."""
    await plan_prompts(store, [(patient, timing, after)])


async def plan_checkin(store: Store, patient: Patient, timing: Timing, after: datetime) -> None:
    """Plan the first morning check-in after a moment whose night has not been served."""
    await plan_checkins(store, [(patient, timing, after)])


async def plan_prompts(store: Store, people: Iterable[Ahead]) -> None:
    """Plan the next evening prompt of each of several people, as `plan_prompt` does."""
    await _plan_first_free(store, people, _prompt_after)


async def plan_checkins(store: Store, people: Iterable[Ahead]) -> None:
    """Plan the next morning check-in of each of several people, as `plan_checkin` does."""
    await _plan_first_free(store, people, _checkin_after)


async def _plan_first_free(
    store: Store, people: Iterable[Ahead], next_of: Callable[[Patient, Timing, datetime], Planned]
) -> None:
    ahead = [one for one in people if not one[0].is_unheard]
    for _ in range(LOOK_AHEAD_DAYS):
        rows = [next_of(*one) for one in ahead]
        planned = await store.plan_each(rows) if rows else []
        ahead = [
            (patient, timing, row.due_at)
            for (patient, timing, _), row, is_planned in zip(ahead, rows, planned, strict=True)
            if not is_planned
        ]


def _prompt_after(patient: Patient, timing: Timing, after: datetime) -> Planned:
    times = patient.times
    due = next_local(_not_while_paused(after, patient), times.prompt_at, patient.tz)
    night = prompt_night(due, times.prompt_at, times.checkin_at, patient.tz)
    until = prompt_useful_until(due, timing) + _place_in_line(patient, night, due)
    return Planned(patient.id, Kind.PROMPT, night.isoformat(), 0, due, until)


def _place_in_line(patient: Patient, night: date, due: datetime) -> timedelta:
    """Return less than a second, by which those due at one moment are ordered.

    Whose quiet hours begin sooner goes first, the rest by a lot that each night draws anew: where there are
    more than can be told in time, nobody is left out evening after evening.
    """
    quiet, local = patient.times.quiet_from, due.astimezone(patient.tz)
    has_quiet = quiet != patient.times.quiet_until
    minutes = (quiet.hour - local.hour) * 60 + quiet.minute - local.minute
    before_quiet = minutes % MINUTES_OF_DAY if has_quiet else MINUTES_OF_DAY
    lot = crc32(f"{patient.id} {night.isoformat()}".encode()) % LOTS
    return timedelta(microseconds=before_quiet * LOTS + lot)


def _checkin_after(patient: Patient, timing: Timing, after: datetime) -> Planned:
    times = patient.times
    due = first_checkin(patient, after)
    night = checkin_night(due, times.prompt_at, times.checkin_at, patient.tz)
    until = checkin_useful_until(due, times.prompt_at, patient.tz, timing)
    return Planned(patient.id, Kind.CHECKIN, night.isoformat(), 0, due, until)


def first_checkin(patient: Patient, after: datetime) -> datetime:
    """Return when the first check-in after a moment is due (UTC), a pause and the days between two minded."""
    return _next_checkin(patient, _not_of_the_pause(after, patient))


def _next_checkin(patient: Patient, after: datetime) -> datetime:
    """Return the first check-in time after a moment; days between two are counted from the day of joining."""
    due = next_local(after, patient.times.checkin_at, patient.tz)
    day = patient.day_of(due)
    off = (patient.day_of(patient.created_at) - day).days % patient.checkin_every
    return local_moment(day + timedelta(days=off), patient.times.checkin_at, patient.tz) if off else due


def coming(patient: Patient, now: datetime, until: datetime) -> list[tuple[datetime, Kind]]:
    """Return every prompt and check-in after now, in order, as times, zone and pause have it, rows aside."""

    def next_prompt(after: datetime) -> datetime:
        return next_local(after, patient.times.prompt_at, patient.tz)

    def next_checkin(after: datetime) -> datetime:
        return _next_checkin(patient, after)

    found = []
    for kind, after, next_after in (
        (Kind.PROMPT, _not_while_paused(now, patient), next_prompt),
        (Kind.CHECKIN, _not_of_the_pause(now, patient), next_checkin),
    ):
        due = next_after(after)
        while due <= until:
            found.append((due, kind))
            due = next_after(due)
    return sorted(found)


def ended_night(patient: Patient, now: datetime) -> date:
    """Return the night whose sleep has most recently ended, which a check-in now would be about."""
    return checkin_night(now, patient.times.prompt_at, patient.times.checkin_at, patient.tz)


def current_night(patient: Patient, now: datetime) -> date:
    """Return the night that something happening now belongs to, by the patient's own times."""
    return night_at(now, patient.times.prompt_at, patient.times.checkin_at, patient.tz)


def is_night(patient: Patient, now: datetime) -> bool:
    """Return whether the patient's night is running: the evening prompt has come, the morning not yet."""
    morning = next_local(now, patient.times.checkin_at, patient.tz)
    return morning < next_local(now, patient.times.prompt_at, patient.tz)


def told_night(patient: Patient, now: datetime) -> date:
    """Return the night that words said now are about: the running one, else the one that ended."""
    if not is_night(patient, now):
        return ended_night(patient, now)
    return current_night(patient, now)


def next_morning(patient: Patient, now: datetime, days: int = 1) -> datetime:
    """Return the check-in time on the morning `days` days on (UTC): the next one for 1."""
    first = next_local(now, patient.times.checkin_at, patient.tz)
    return local_moment(
        patient.day_of(first) + timedelta(days=days - 1), patient.times.checkin_at, patient.tz
    )


def is_quiet(patient: Patient, now: datetime) -> bool:
    """Return whether the patient's quiet hours are running."""
    return in_quiet_hours(now, patient.times.quiet_from, patient.times.quiet_until, patient.tz)


def is_silent(patient: Patient, now: datetime) -> bool:
    """Return whether nothing but warnings makes a sound now: by choice, or in quiet hours."""
    return patient.silent or is_quiet(patient, now)


def out_of_quiet(patient: Patient, moment: datetime) -> datetime:
    """Return when the quiet hours around a moment end (UTC), or the moment itself outside them."""
    return end_of_quiet(moment, patient.times.quiet_from, patient.times.quiet_until, patient.tz)


def _not_while_paused(after: datetime, patient: Patient) -> datetime:
    """A pause ends at the start of the day it names."""
    if patient.paused_until is None:
        return after
    back = datetime.combine(patient.paused_until, datetime.min.time(), patient.tz)
    return max(after, back.astimezone(after.tzinfo) - timedelta(microseconds=1))


def _not_of_the_pause(after: datetime, patient: Patient) -> datetime:
    """The first night asked about is the one that begins with the first evening after a pause."""
    back = _not_while_paused(after, patient)
    return next_local(back, patient.times.prompt_at, patient.tz) if back > after else after
