"""/appointment: the day of an appointment, a reminder the evening before, and what was said the day after."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot.flows.cards import cycle_of, told_before, why_row
from bot.flows.enrolment import QUOTED
from bot.flows.escalation import Spoken, close, reopen
from bot.flows.precedence import number_of
from bot.flows.refusals import not_enrolled, old_button
from bot.flows.schedule import is_silent, out_of_quiet
from bot.flows.services import Services
from bot.flows.settings import month_first
from bot.messages import Button, Message, Reply, Rows, in_rows
from bot.model import Escalation, Kind, Outcome, Patient, Sending
from bot.rules.clock_words import is_like_date, read_date
from bot.rules.lifecycle import is_own_and_grave
from bot.rules.timing import iso_date, local_moment
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level
from content.words import Html

KEPT = "appointment"  # the event that holds the day (ISO date), or nothing once that is taken back
CHOICES = 8  # days offered as buttons, today first
FURTHEST = timedelta(days=366)
ASKED_FOR = timedelta(days=3)  # so long after the day what was said is still asked
NOON = time(12)
LONGEST_DAY = 5  # words of a day in a sentence: "the 2nd of december 2026"
NOT_BOOKED = "not booked"
SAID = ("fine", "treatment", "tests", "other")
MISSED = "missed"


def subject_of(row: Escalation) -> str:
    """Return the sendings' subject for the appointment of one escalation."""
    return f"{KEPT}:{row.id}"


# --- the list ------------------------------------------------------------------------------------------


async def show(services: Services, chat_id: int) -> Reply:
    """Answer /appointment: what stands or is booked, each with its day."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return not_enrolled(content, patient)
        rows = [row for row in await store.escalations(patient.id) if _may_have_one(content, row)]
        now_ones = [row for row in await store.open_escalations(patient.id) if _cannot_wait(row)]
        days = {row.id: await _day_of(store, row) for row in rows}
    buttons = tuple((Button(_label(content, row, days[row.id]), f"ap:{row.id}:ask"),) for row in rows)
    today = services.clock().date()
    shown = [told_before(content, patient, row.rule, today) for row in now_ones[-1:]]
    if rows or not shown:
        key = "appointment_list" if rows else "appointment_none"
        shown.append(Message(content.words.say(key), buttons))
    return Reply(messages=tuple(shown))


def _cannot_wait(row: Escalation) -> bool:
    return is_own_and_grave(row) and row.level is Level.EMERGENCY and row.told_at is not None


def _may_have_one(content: Content, row: Escalation) -> bool:
    is_ahead = row.is_open or row.outcome == Outcome.BOOKED
    return (
        is_ahead
        and not _cannot_wait(row)
        and not row.about_other
        and row.told_at is not None
        and row.rule in content.rules
    )


def _label(content: Content, row: Escalation, day: date | None) -> str:
    words = content.words
    shown = words.day(day) if day else words.plain("appointment_no_day")
    return words.plain("appointment_line", label=content.rule_words[row.rule].label, day=shown)


async def _day_of(store: Store, row: Escalation) -> date | None:
    """The day that was noted last."""
    noted = [event.detail for event in await store.events(row.id) if event.what == KEPT]
    return date.fromisoformat(noted[-1]) if noted and noted[-1] else None


# --- the day -------------------------------------------------------------------------------------------


async def ask_day(services: Services, store: Store, patient: Patient, row: Escalation) -> Message:
    """Return the question when it is; a day typed from now on is its answer."""
    content = services.content_for(patient)
    await store.change_patient(patient.id, expecting=f"{KEPT}:{row.id}")
    text = content.words.say("appointment_ask", line=Html(content.rule_words[row.rule].line))
    return Message(text, _day_rows(content, row, patient.day_of(services.clock())))


def _day_rows(content: Content, row: Escalation, today: date) -> Rows:
    words = content.words
    days = [today + timedelta(days=ahead) for ahead in range(CHOICES)]
    choices = [Button(words.day(day), f"ap:{row.id}:on:{day.isoformat()}") for day in days]
    other = Button(words.plain("appointment_other_day"), f"ap:{row.id}:type")
    unknown = Button(words.plain("appointment_unknown_day"), f"ap:{row.id}:later")
    return (*in_rows(choices, 2), (other,), (unknown,))


async def press(services: Services, chat_id: int, escalation_id: int, what: str, detail: str) -> Reply:
    """Take one button: a day, "another day", or what came of the appointment."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        row = await store.escalation(escalation_id)
        content = services.content_of(patient)
        old = old_button(content)
        if patient is None or row is None or row.patient_id != patient.id or row.rule not in content.rules:
            return old
        if what == "ask":
            return Reply(edit=await ask_day(services, store, patient, row))
        if what == "on":
            kept = await _keep(services, store, patient, row, iso_date(detail))
            return old if kept is None else Reply(edit=kept)
        if what in ("type", "later"):
            return await _no_day_yet(store, patient, content, row, what)
        return await _came_of_it(services, store, patient, row, what, detail) or old


async def _no_day_yet(store: Store, patient: Patient, content: Content, row: Escalation, what: str) -> Reply:
    is_typed = what == "type"
    await store.change_patient(patient.id, expecting=f"{KEPT}:{row.id}" if is_typed else "")
    return Reply(edit=Message(content.words.say("appointment_type_day" if is_typed else "appointment_later")))


async def typed(
    services: Services, store: Store, patient: Patient, escalation_id: str, text: str
) -> Reply | None:
    """Take a typed day; None when the words are no day at all and may mean something else."""
    row = await store.escalation(int(escalation_id)) if escalation_id.isdecimal() else None
    content = services.content_for(patient)
    if row is None or row.patient_id != patient.id or row.rule not in content.rules:
        return None
    today = patient.day_of(services.clock())
    day = read_date(text, today, content.clock, month_first=month_first(content, patient))
    if day is None and not is_like_date(text, content.clock):
        return None
    kept = await _keep(services, store, patient, row, day)
    if kept is None:
        return Reply(messages=(Message(content.words.say("appointment_not_understood", text=text[:QUOTED])),))
    return Reply(messages=(kept,))


async def told_day(
    services: Services, store: Store, patient: Patient, row: Escalation, text: str
) -> Message | None:
    """Note the day that a sentence says something is booked for; None when it names none, or no exact one."""
    content = services.content_for(patient)
    today = patient.day_of(services.clock())
    words = text.casefold().replace(",", " ").split()
    units = {*content.clock.day_units, *content.clock.month_units}
    begins = [at for at, word in enumerate(words) if word in content.phrases.replies.day_after]
    if len(begins) != 1 or not units.isdisjoint(words):  # "for next week" is no day
        return None
    first = begins[0] + 1
    for end in range(min(first + LONGEST_DAY, len(words)), first, -1):
        part = " ".join(words[first:end]).rstrip(".!")
        day = read_date(part, today, content.clock, month_first=month_first(content, patient))
        if day is not None:
            return await _keep(services, store, patient, row, day)
    return None


async def forget(services: Services, store: Store, patient: Patient, row: Escalation) -> None:
    """Forget the day of an appointment that was never booked, and wait for none."""
    if await _day_of(store, row) is not None:
        await store.note_event(row.id, KEPT, services.clock())
    await store.drop_ready(patient.id, (Kind.APPOINTMENT,), NOT_BOOKED, subject=subject_of(row))
    if patient.expecting == f"{KEPT}:{row.id}":
        await store.change_patient(patient.id, expecting="")


async def _keep(
    services: Services, store: Store, patient: Patient, row: Escalation, day: date | None
) -> Message | None:
    """Note the day and plan both messages; None for a day that is past or too far."""
    content, now = services.content_for(patient), services.clock()
    today = patient.day_of(now)
    if day is None or not today <= day <= today + FURTHEST:
        return None
    await store.change_patient(patient.id, expecting="")
    if await _day_of(store, row) != day:
        await store.note_event(row.id, KEPT, now, day.isoformat())
    await _plan(services, store, patient, row, day)
    kept = content.words.say("appointment_kept", day=content.words.date(day))
    if _evening_before(patient, day) > now:
        return Message(kept)
    return Message(Html(f"{kept}\n\n{_before(content, row, day)}"))


def _evening_before(patient: Patient, day: date) -> datetime:
    return local_moment(day - timedelta(days=1), patient.times.prompt_at, patient.tz)


async def _plan(services: Services, store: Store, patient: Patient, row: Escalation, day: date) -> None:
    """Plan the evening before (an even step) and the day after (an odd one), in place of other days'."""
    now, subject = services.clock(), subject_of(row)
    await store.drop_ready(patient.id, (Kind.APPOINTMENT,), "another day", subject=subject)
    steps = [sent.step for sent in await store.sending_for(patient.id, Kind.APPOINTMENT, subject)]
    first = (max(steps, default=-1) // 2 + 1) * 2
    before = _evening_before(patient, day)
    if before > now:
        noon = local_moment(day, NOON, patient.tz)
        await store.plan(patient.id, Kind.APPOINTMENT, subject, first, before, noon)
    morning_after = local_moment(day + timedelta(days=1), patient.times.checkin_at, patient.tz)
    after = out_of_quiet(patient, morning_after)
    await store.plan(patient.id, Kind.APPOINTMENT, subject, first + 1, after, after + ASKED_FOR)
    services.wake()


# --- the evening before, the day after -----------------------------------------------------------------


async def render(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render what to take along and to ask, or the question what came of it."""
    row = await store.escalation(number_of(sending))
    content = services.content_for(patient)
    day = await _day_of(store, row) if row is not None else None
    if row is None or day is None or row.rule not in content.rules:
        return Spoken(None, "no appointment")
    if not row.is_open and row.outcome != Outcome.BOOKED:
        return Spoken(None, "settled")
    silent = is_silent(patient, now)
    if sending.step % 2 == 0:
        return Spoken(Message(_before(content, row, day), (why_row(content, row),), silent=silent))
    await store.change_patient(patient.id, expecting="")
    return Spoken(Message(_after(content, row, day), _after_rows(content, row), silent=silent))


def _before(content: Content, row: Escalation, day: date) -> Html:
    words = content.rule_words[row.rule]
    text = content.words.say("appointment_before", day=content.words.date(day), line=Html(words.line))
    return Html(f"{text}\n\n{words.action}") if row.level >= Level.URGENT else text


def _after(content: Content, row: Escalation, day: date) -> Html:
    line = Html(content.rule_words[row.rule].line)
    return content.words.say("appointment_after", day=content.words.date(day), line=line)


def _after_rows(content: Content, row: Escalation) -> Rows:
    choices = (
        ("button_seen", "seen"),
        ("button_appointment_moved", "moved"),
        ("button_appointment_missed", MISSED),
    )
    return tuple((Button(content.words.plain(key), f"ap:{row.id}:{what}"),) for key, what in choices)


async def _came_of_it(
    services: Services, store: Store, patient: Patient, row: Escalation, what: str, detail: str
) -> Reply | None:
    """Record what came of the appointment; seen settles the matter, missed opens it again."""
    content, now = services.content_for(patient), services.clock()
    if what == "seen":
        await _seen(services, store, patient, row)
        return Reply(edit=Message(content.words.say("appointment_said_ask"), said_rows(content, row)))
    if what == "said" and detail in SAID:
        await store.note_event(row.id, "said", now, detail)
        return Reply(edit=Message(content.words.say("appointment_said")))
    if what == "moved":
        return Reply(edit=await ask_day(services, store, patient, row))
    if what == MISSED:
        if row.outcome == Outcome.BOOKED and not row.is_open:
            await reopen(services, store, patient, row, MISSED)
        asked = await ask_day(services, store, patient, row)
        return Reply(
            edit=Message(Html(f"{content.words.say('appointment_missed')}\n\n{asked.text}"), asked.rows)
        )
    return None


async def _seen(services: Services, store: Store, patient: Patient, row: Escalation) -> None:
    await store.note_event(row.id, Outcome.SEEN, services.clock())
    await store.drop_ready(patient.id, (Kind.APPOINTMENT,), "seen", subject=subject_of(row))
    if row.is_open and Outcome.SEEN in cycle_of(services.content_for(patient), row.rule).ends_on:
        await close(services, store, patient, row, Outcome.SEEN)
    elif not row.is_open:
        await store.change_escalation(row.id, outcome=Outcome.SEEN)


def said_rows(content: Content, row: Escalation) -> Rows:
    """Return the choices for what was said to somebody who has been seen."""
    return tuple(
        (Button(content.words.plain(f"appointment_said_{code}"), f"ap:{row.id}:said:{code}"),)
        for code in SAID
    )
