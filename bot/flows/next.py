"""/next: what comes in the next fortnight in the patient's own clock, clock changes included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import groupby
from types import MappingProxyType

from bot.flows.refusals import not_enrolled
from bot.flows.schedule import ROUTINE_KINDS, coming
from bot.flows.services import Services
from bot.messages import Message, Reply
from bot.model import Kind, Patient, Sending
from bot.rules.lifecycle import forbids_coaching
from bot.rules.timing import local_moment
from content.loader import Content
from content.words import Html

DAYS = 14
KEPT = (Kind.APPOINTMENT, Kind.FOLLOW_UP, Kind.RESUME)  # planned for their own day, not every day


async def show(services: Services, chat_id: int, language: str | None) -> Reply:
    """Answer /next."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        standing = await store.open_escalations(patient.id) if patient else []
        waiting = await store.waiting(patient.id) if patient else []
    content = services.content_of(patient, language)
    words = content.words
    if patient is None or not patient.is_enrolled:
        return not_enrolled(content, patient)
    if patient.stopped_at is not None:
        return Reply(messages=(Message(words.say("next_stopped")),))
    now = services.clock()
    parts = []
    if patient.is_unheard:  # this very word has ended it
        patient = replace(patient, paused_until=None)
    if patient.paused_until and patient.paused_until > patient.day_of(now):
        parts.append(words.say("next_paused", day=words.day(patient.paused_until)))
    kept = [(one.due_at, one.kind) for one in waiting if one.kind in KEPT or _is_put_off(one)]
    planned = [one for one in waiting if one.kind in ROUTINE_KINDS and not _is_put_off(one)]
    first = {one.kind: one.due_at for one in reversed(planned)}
    parts.append(fortnight(content, patient, now, kept, first))
    parts += clock_changes(content, patient, now)
    if forbids_coaching(standing):
        parts.append(words.say("next_grave"))
    return Reply(messages=(Message(Html("\n\n".join(parts))),))


def _is_put_off(sending: Sending) -> bool:
    """Return whether this is tonight's prompt once more, because "later" was pressed."""
    return sending.kind is Kind.PROMPT and sending.step > 0


def fortnight(
    content: Content,
    patient: Patient,
    now: datetime,
    kept: Sequence[tuple[datetime, Kind]] = (),
    first: Mapping[Kind, datetime] = MappingProxyType({}),
) -> Html:
    """Return what comes, a day a line: what is computed, and what is kept as a row.

    Before the *first* of its kind that is planned nothing comes: that night was served.
    """
    words = content.words
    end = _end(patient, now)
    computed = [(due, kind) for due, kind in coming(patient, now, end) if due >= first.get(kind, due)]
    due_by = sorted((*computed, *(one for one in kept if now < one[0] <= end)))
    local = [(due.astimezone(patient.tz), kind) for due, kind in due_by]
    lines = []
    for day, due in groupby(local, key=lambda each: each[0].date()):
        items = [
            words.say("next_item", time=words.time(at.time()), what=words.say(f"kind_{kind}"))
            for at, kind in due
        ]
        lines.append(words.say("next_line", day=words.day(day), items=Html(", ".join(items))))
    return words.say("next", lines=Html("\n".join(lines)))


def clock_changes(content: Content, patient: Patient, now: datetime) -> list[Html]:
    """Return a line for each change of the clocks in the fortnight."""
    found = []
    today = patient.day_of(now)
    for ahead in range(DAYS + 1):
        day = today + timedelta(days=ahead)
        before, after = (local_moment(each, time(0), patient.tz) for each in (day, day + timedelta(days=1)))
        length = after - before
        if length != timedelta(days=1) and after > now:
            key = "next_forward" if length < timedelta(days=1) else "next_back"
            found.append(content.words.say(key, day=content.words.day(day)))
    return found


def _end(patient: Patient, now: datetime) -> datetime:
    """A fortnight from today, or from the end of a pause."""
    first = patient.day_of(now)
    if patient.paused_until is not None:
        first = max(first, patient.paused_until)
    return local_moment(first + timedelta(days=DAYS), time(0), patient.tz)
