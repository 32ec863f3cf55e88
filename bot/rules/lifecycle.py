"""When a red flag is said again, asked about, lowered or settled: pure functions over what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model import Escalation, Finding, Outcome, Times
from bot.rules.timing import end_of_quiet, in_quiet_hours, local_moment
from content.schema import Lifecycle

SETTLING = frozenset({Outcome.SEEN, Outcome.SAFE})


def already_told(standing: Iterable[Escalation], finding: Finding, night: date) -> bool:
    """Say whether a finding adds nothing: the same matter, as high or higher, raised for the same night."""
    return any(
        old.level >= finding.level and (old.night == night or old.level > finding.level) for old in standing
    )


def repeat_at(
    cycle: Lifecycle, first_told_at: datetime, step: int, times: Times, zone: ZoneInfo
) -> datetime | None:
    """Return when an unacknowledged card is told for the `step`-th time after the first (UTC); None: no more."""
    minutes, waking = cycle.repeat_minutes, cycle.repeat_waking_minutes
    if step <= len(minutes):
        return first_told_at + timedelta(minutes=minutes[step - 1])
    step -= len(minutes)
    if step <= len(waking):
        return after_waking(first_told_at, timedelta(minutes=waking[step - 1]), times, zone)
    step -= len(waking)
    return morning(first_told_at, step, times, zone) if step <= cycle.repeat_mornings else None


def follow_up_at(
    cycle: Lifecycle, raised_at: datetime, step: int, times: Times, zone: ZoneInfo
) -> datetime | None:
    """Return when the `step`-th "what came of it?" (0 is the first) is asked (UTC); None: no more."""
    days = cycle.follow_up_days
    if not days or step >= len(days) + cycle.weekly_times:
        return None
    day = days[step] if step < len(days) else days[-1] + 7 * (step - len(days) + 1)
    return morning(raised_at, day, times, zone)


def morning(start: datetime, days: int, times: Times, zone: ZoneInfo) -> datetime:
    """Return the check-in time of the `days`-th morning after a moment (UTC); the first is the next to come."""
    local = start.astimezone(zone)
    first = local_moment(local.date(), times.checkin_at, zone)
    day = local.date() if first > start else local.date() + timedelta(days=1)
    return local_moment(day + timedelta(days=days - 1), times.checkin_at, zone)


def after_waking(start: datetime, span: timedelta, times: Times, zone: ZoneInfo) -> datetime:
    """Return the moment after `span` of waking time (UTC): quiet hours do not count."""
    at, left = start, span
    if in_quiet_hours(at, times.quiet_from, times.quiet_until, zone):
        at = end_of_quiet(at, times.quiet_from, times.quiet_until, zone)
    quiet = local_moment(at.astimezone(zone).date(), times.quiet_from, zone)
    if quiet <= at:
        quiet = local_moment(at.astimezone(zone).date() + timedelta(days=1), times.quiet_from, zone)
    if times.quiet_from == times.quiet_until or at + left <= quiet:
        return at + left
    left -= quiet - at
    return end_of_quiet(quiet + timedelta(seconds=1), times.quiet_from, times.quiet_until, zone) + left


def forbids_coaching(escalations: Sequence[Escalation]) -> bool:
    """Say whether an open matter of the patient's own is so high that only its follow-up may be said."""
    return any(
        one.is_open and one.level.code in ("emergency", "urgent") and not one.about_other
        for one in escalations
    )
