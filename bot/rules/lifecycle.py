"""When a red flag is said again, asked about, lowered or settled: pure functions over what happened."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model import CheckIn, Escalation, Finding, Times
from bot.rules.timing import end_of_quiet, in_quiet_hours, local_moment
from content.schema import Level, Lifecycle


class Speaks(enum.Enum):
    """What a finding leads to, given what stands."""

    CARD = enum.auto()  # a card of its own, in place of the lower ones it covers
    SHORT = enum.auto()  # told before and unchanged: a short answer
    NOTHING = enum.auto()  # not grave, and told not long ago


def together(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that speak when several are raised: a higher one covers those it rests on."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda one: -one.level):
        if not any(_covers(one.level, one.evidence, finding) for one in kept):
            kept.append(finding)
    return kept


def speaks(finding: Finding, standing: Sequence[Escalation], night: date, about_other: bool) -> Speaks:
    """Return what a finding leads to: a fresh grave report is never met with silence."""
    for old in standing:
        if about_other is not old.about_other:
            continue
        if _covers(old.level, old.evidence, finding):
            return Speaks.SHORT
        if is_same_matter(old, finding, about_other) and _is_unchanged(old, finding, night):
            return Speaks.SHORT
    return Speaks.CARD


def replaces(finding: Finding, old: Escalation, about_other: bool) -> bool:
    """Return whether a raised finding speaks in place of an older open one."""
    if is_same_matter(old, finding, about_other):
        return True
    new = set(finding.evidence)
    rests = bool(old.evidence) and set(old.evidence) <= new
    return old.about_other == about_other and old.level < finding.level and rests


def is_same_matter(old: Escalation, finding: Finding, about_other: bool) -> bool:
    """Return whether an escalation and a finding share topic, side and person; an unknown side fits any."""
    same_side = finding.side == old.side or None in (finding.side, old.side)
    return old.topic == finding.topic and same_side and old.about_other == about_other


def next_repeat(
    cycle: Lifecycle, first_told_at: datetime, step: int, now: datetime, times: Times, zone: ZoneInfo
) -> tuple[int, datetime] | None:
    """Return the next repeat (step, UTC) after one was told; those an outage swallowed are left out.

    A morning that follows closely on what was just told is left out too: it would say the same thing twice.
    """
    by_the_minute = len(cycle.repeat_minutes) + len(cycle.repeat_waking_minutes)
    close = now + timedelta(minutes=cycle.follow_up_after_minutes)
    while (at := repeat_at(cycle, first_told_at, step, times, zone)) is not None:
        if at > (close if step > by_the_minute else now):
            return step, at
        step += 1
    return None


def repeat_at(
    cycle: Lifecycle, first_told_at: datetime, step: int, times: Times, zone: ZoneInfo
) -> datetime | None:
    """Return when an unacknowledged card is told for the `step`-th time after the first; None: no more."""
    minutes, waking = cycle.repeat_minutes, cycle.repeat_waking_minutes
    if step <= len(minutes):
        return first_told_at + timedelta(minutes=minutes[step - 1])
    step -= len(minutes)
    if step <= len(waking):
        return after_waking(first_told_at, timedelta(minutes=waking[step - 1]), times, zone)
    step -= len(waking)
    if step > cycle.repeat_mornings:
        return None
    return morning(_counted_from(cycle, first_told_at), step, times, zone)


def next_follow_up(
    cycle: Lifecycle, raised_at: datetime, step: int, now: datetime, times: Times, zone: ZoneInfo
) -> tuple[int, datetime] | None:
    """Return the next "what came of it?" (step, UTC) from one on; those an outage swallowed are left out."""
    while (at := follow_up_at(cycle, raised_at, step, times, zone)) is not None and at <= now:
        step += 1
    return None if at is None else (step, at)


def follow_up_at(
    cycle: Lifecycle, raised_at: datetime, step: int, times: Times, zone: ZoneInfo
) -> datetime | None:
    """Return when the `step`-th "what came of it?" (0 is the first) is asked (UTC); None: no more."""
    days = cycle.follow_up_days
    if not days or step >= len(days) + cycle.weekly_times:
        return None
    day = days[step] if step < len(days) else days[-1] + 7 * (step - len(days) + 1)
    return morning(_counted_from(cycle, raised_at), day, times, zone)


def morning(start: datetime, days: int, times: Times, zone: ZoneInfo) -> datetime:
    """Return the check-in time of the `days`-th morning after a moment; the first is the next to come."""
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


def is_gone(old: Escalation, cycle: Lifecycle, nights: Iterable[Mapping[str, str]]) -> bool:
    """Return whether a matter's signs were absent on enough logged *nights* (signs of each, latest first)."""
    signs = {code.removeprefix("sign:") for code in old.evidence if code.startswith("sign:")}
    counted = 0
    for reported in nights:
        if signs & reported.keys():
            break
        counted += 1
    return bool(cycle.gone_nights) and bool(signs) and counted >= cycle.gone_nights


def has_answered_signs(checkin: CheckIn) -> bool:
    """Return whether a night's warning signs were really answered, not skipped."""
    return "signs" in checkin.done and "signs" not in checkin.skipped


def is_own_and_grave(one: Escalation) -> bool:
    """Return whether an escalation is open, urgent or higher, and about the patient."""
    return one.is_open and one.level >= Level.URGENT and not one.about_other


def forbids_coaching(escalations: Sequence[Escalation]) -> bool:
    """Return whether an open matter of the patient's own is so high that only its follow-up may be said."""
    return any(is_own_and_grave(one) for one in escalations)


def keeps_behind(row: Escalation, standing: Iterable[Escalation]) -> bool:
    """Return whether an urgent card, told once, is held back by an emergency of the patient's own."""
    if row.level >= Level.EMERGENCY or row.told_at is None:
        return False
    return any(is_own_and_grave(one) and one.level >= Level.EMERGENCY for one in standing)


def _counted_from(cycle: Lifecycle, start: datetime) -> datetime:
    return start + timedelta(minutes=cycle.follow_up_after_minutes)


def _covers(level: Level, evidence: Sequence[str], finding: Finding) -> bool:
    """Return whether something higher rests on all that a finding rests on."""
    return level > finding.level and bool(finding.evidence) and set(finding.evidence) <= set(evidence)


def _is_unchanged(old: Escalation, finding: Finding, night: date) -> bool:
    """Return whether a matter as high stands, with nothing new, and was read or told for this night."""
    if old.level > finding.level:
        return True
    if old.level < finding.level or (finding.side is not None and old.side != finding.side):
        return False
    new = {code for code in finding.evidence if not code.startswith("asked:")} - set(old.evidence)
    if new or (old.rule != finding.rule and not set(finding.evidence) <= set(old.evidence)):
        return False
    return old.acknowledged_at is not None or old.night == night
