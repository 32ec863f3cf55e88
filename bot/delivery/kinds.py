"""The kinds of sendings: how each is rendered, what follows it, and what forbids it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.flows import appointment, asking, escalation, evening, judging, morning, settings
from bot.flows.escalation import Spoken
from bot.flows.precedence import number_of
from bot.flows.schedule import plan_checkin, plan_prompt
from bot.flows.services import Services
from bot.model import Kind, Patient, Sending
from bot.rules.timing import end_of_quiet
from bot.storage.company import Company
from bot.storage.store import Store
from content.schema import Level

Render = Callable[[Services, Store, Patient, Sending, datetime], Awaitable[Spoken]]
ToldOne = Callable[[Services, Store, Patient, Sending, datetime], Awaitable[None]]
Going = tuple[Patient, Sending]
Told = Callable[[Services, Store, Sequence[Going], datetime], Awaitable[None]]
Foresee = Callable[[Services, Company, Sequence[Going], datetime], Awaitable[None]]

LATE = "too late"  # the reason of a sending that is of no use any more
AWAITED = (Kind.RESUME, Kind.APPOINTMENT)  # asked for by the patient: a pause does not hold them back


@dataclass(frozen=True)
class KindOf:
    """What one kind of sending does; one that can *foresee* is dealt with for *together* people at once."""

    render: Render
    told: Told
    foresee: Foresee | None = None
    together: int = 1


async def _render_resume(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    message = settings.render_resume(services, patient, now)
    return Spoken(message, "" if message else "no pause")


async def _resume_told(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    await settings.end_pause(store, patient, now)


def _one_by_one(told: ToldOne) -> Told:
    async def told_each(services: Services, store: Store, going: Sequence[Going], now: datetime) -> None:
        for patient, sending in going:
            await told(services, store, patient, sending, now)

    return told_each


async def _nothing_more(services: Services, store: Store, going: Sequence[Going], now: datetime) -> None:
    return None


# Nobody else has a turn meanwhile: so many as take some hundredths of a second.
KINDS: dict[Kind, KindOf] = {
    Kind.PROMPT: KindOf(evening.render_prompt, evening.prompts_told, evening.foresee_prompts, together=64),
    Kind.CHECKIN: KindOf(morning.render_checkin, morning.checkins_told, morning.foresee_checkins, together=8),
    Kind.CARD: KindOf(escalation.render_card, _one_by_one(escalation.card_told)),
    Kind.QUESTION: KindOf(asking.render_question, _one_by_one(asking.question_told)),
    Kind.FOLLOW_UP: KindOf(escalation.render_follow_up, _one_by_one(escalation.follow_up_told)),
    Kind.APPOINTMENT: KindOf(appointment.render, _nothing_more),
    Kind.WORD: KindOf(judging.render_word, _nothing_more),
    Kind.RESUME: KindOf(_render_resume, _one_by_one(_resume_told)),
}


def may_repeat(kind: Kind) -> bool:
    """Return whether a sending of unknown fate goes out again: safety must, a check-in may come twice."""
    return kind.is_safety or kind is Kind.CHECKIN


def refusal(patient: Patient, sending: Sending, now: datetime) -> str:
    """Return why a sending may not go out now; empty when it may. Safety words always may."""
    if sending.kind.is_safety:
        return ""
    if patient.stopped_at is not None:
        return "stopped"
    if patient.blocked_at is not None:
        return "blocked"
    paused = patient.paused_until is not None and patient.paused_until > patient.day_of(now)
    if paused and sending.kind not in AWAITED:
        return "paused"
    if sending.useful_until is not None and now > sending.useful_until:
        return LATE
    return ""


async def quiet_until(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> datetime | None:
    """Return the end of the quiet hours into which a late sending has come; None when it may go out.

    What the patient chose to have in them goes out, and so does what is urgent.
    """
    times, late_after = patient.times, services.content_for(patient).timing.late_after_minutes
    ends = end_of_quiet(now, times.quiet_from, times.quiet_until, patient.tz)
    if ends == now or now - sending.was_due_at <= timedelta(minutes=late_after):
        return None
    # The same quiet hours end at the same moment; outside them the moment itself is returned.
    chosen = end_of_quiet(sending.was_due_at, times.quiet_from, times.quiet_until, patient.tz) == ends
    return None if chosen or await _is_urgent(store, sending) else ends


async def _is_urgent(store: Store, sending: Sending) -> bool:
    if sending.kind not in (Kind.CARD, Kind.FOLLOW_UP):
        return sending.kind.is_safety
    row = await store.escalation(number_of(sending))
    return row is None or row.level >= Level.URGENT


async def keep_waiting(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    """Plan the next prompt or check-in after one that was let go."""
    timing = services.content_for(patient).timing
    after = max(now, sending.due_at)
    if not patient.is_active:
        return
    if sending.kind is Kind.PROMPT:
        await plan_prompt(store, patient, timing, after)
    elif sending.kind is Kind.CHECKIN:
        await plan_checkin(store, patient, timing, after)
