"""The morning check-in: one message, edited in place; every answer is saved and judged as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.flows import numbers, presence, profile, quiet
from bot.flows.asking import put_question
from bot.flows.cards import MISTAP
from bot.flows.escalation import Raised, Spoken, ask_what_has_gone, raise_findings
from bot.flows.facts import facts_of, rows_of, told_elsewhere
from bot.flows.judging import NIGHTS, judge_diary_of, look_ahead, word_subjects
from bot.flows.pages import ask, change_menu, page
from bot.flows.plain_words import folded
from bot.flows.precedence import NO_GRAVITY, waits_for_graver
from bot.flows.refusals import nobody, not_enrolled, old_button
from bot.flows.schedule import ended_night, is_silent, plan_checkins, told_night
from bot.flows.services import Services
from bot.flows.urgent import areas
from bot.messages import Button, Message, Reply
from bot.model import CheckIn, Origin, Patient, Sending
from bot.rules import questionnaire
from bot.rules.hearing import changed, sign_codes
from bot.rules.lifecycle import is_own_and_grave
from bot.rules.reading import Reading
from bot.rules.timing import night_of
from bot.shapes import altered
from bot.storage.company import Company, DiarySpans
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level, Option, Question

# --- the sending ---------------------------------------------------------------------------------------


async def render_checkin(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Judge the diary and render the morning's first question; nothing when the night was told already."""
    content = services.content_for(patient)
    night = date.fromisoformat(sending.subject)
    await judge_diary_of(services, store, patient, night, complete=True)
    if await store.owes_safety(patient.id, now):
        services.wake()
        if await waits_for_graver(store, patient, content, NO_GRAVITY, now):
            return Spoken(None, waits=True)  # what can wait goes out right behind
    known = await store.checkin(patient.id, night)
    if known is not None and known.completed_at is not None:
        return Spoken(None, "already answered")
    if known is None and await quiet.is_due(store, patient, content, night):
        return Spoken(quiet.check(content, night))
    asked = await store.asked_at_times(patient.id, _asked_since(content, night))
    checkin = await store.open_checkin(patient.id, night, Origin.PROMPTED, content.checkin.version, now)
    checkin = await _with_more(store, patient, content, checkin, asked, now)
    late = now - sending.was_due_at > timedelta(minutes=content.timing.late_after_minutes)
    greeting = content.words.say("checkin_greeting_late" if late else "checkin_greeting")
    message = page(content, patient, checkin, greeting)
    return Spoken(replace(message, silent=is_silent(patient, now)))


async def foresee_checkins(
    services: Services, store: Company, going: Sequence[tuple[Patient, Sending]], now: datetime
) -> None:
    """Read together what `render_checkin` asks of each."""
    alike: dict[tuple[date, DiarySpans, tuple[str, ...]], list[int]] = {}
    for patient, sending in going:
        content = services.content_for(patient)
        night = date.fromisoformat(sending.subject)
        spans = DiarySpans(night - NIGHTS, _asked_since(content, night))
        alike.setdefault((night, spans, word_subjects(content)), []).append(patient.id)
    for (night, spans, words), patient_ids in alike.items():
        await store.foresee_checkins(patient_ids, night, spans, words)


def _asked_since(content: Content, night: date) -> date:
    """The first night on which a question that is not asked every morning may have been asked last."""
    longest = max((one.every_nights or 0 for one in content.checkin.questions), default=0)
    return night - timedelta(days=longest)


async def _with_more(
    store: Store,
    patient: Patient,
    content: Content,
    checkin: CheckIn,
    asked: Mapping[str, date],
    now: datetime,
) -> CheckIn:
    """Add the questions that are not asked every morning, when it is their turn and nothing grave is open."""
    joined = night_of(patient.created_at, patient.tz)
    more = questionnaire.due(content.checkin, asked, joined, checkin.night)
    if not more or any(is_own_and_grave(row) for row in await store.open_escalations(patient.id)):
        return checkin
    after = replace(checkin, more=more)
    await store.save_checkin(patient.id, checkin, after, now, checkin.origin)
    return after


async def checkins_told(
    services: Services, store: Store, told: Sequence[tuple[Patient, Sending]], now: datetime
) -> None:
    """Remember which messages hold the check-ins, and plan the next morning's."""
    ahead = []
    for patient, sending in told:
        night = date.fromisoformat(sending.subject)
        if await store.checkin(patient.id, night) is None:  # what was told is the question whether to go on
            await quiet.fall_silent(store, patient)
            continue
        if sending.message_id is not None:
            await store.place_checkin(patient.id, night, sending.message_id)
        # What is typed from now on is about this morning's night.
        if _waits_for_words(patient):
            await store.change_patient(patient.id, expecting="")
        ahead.append((patient, services.content_for(patient).timing, max(now, sending.due_at)))
    await plan_checkins(store, ahead)


def _waits_for_words(patient: Patient) -> bool:
    """Return whether typed words would be taken as another night, an appointment's day or a setting."""
    topic, _, detail = patient.expecting.partition(":")
    # What names the message that answered it waits for nothing, and knows that message again.
    return topic in ("night", "appointment") or (topic == "set" and ":" not in detail)


# --- presses -------------------------------------------------------------------------------------------


async def press(services: Services, chat_id: int, night: date, verb: str, code: str, origin: str) -> Reply:
    """Record one press of the check-in's message and return what it should read next.

    `verb` is a question code (then `code` is "+option" or "-option") or done, skip, show, change, sum.
    """
    async with services.database.transaction(alone=_is_grave(verb)) as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return nobody(services.content(None))
        await look_ahead(store, patient, night, services.clock())
        reply = await _pressed(services, store, patient, night, verb, code, origin)
        # Looked at here, what it must mind costs no transaction of its own.
        return altered(reply, here=await presence.minding(store, patient, services.clock()))


async def _pressed(
    services: Services, store: Store, patient: Patient, night: date, verb: str, code: str, origin: str
) -> Reply:
    content = services.content_for(patient)
    checkin = await opened(store, patient, content, night, services.clock())
    if checkin is None:
        return old_button(content)
    if verb in ("show", "change", "sum"):
        return _shown(content, patient, checkin, verb, code)
    question = content.questions.get(code if verb in ("done", "skip") else verb)
    after = _after(checkin, question, verb, code) if question else None
    if question is None or after is None:
        return old_button(content)
    return await _record(services, store, patient, checkin, after, question, origin)


def _is_grave(verb: str) -> bool:
    """A warning sign never waits for other people's commits."""
    return verb == questionnaire.SIGNS


def _shown(content: Content, patient: Patient, checkin: CheckIn, verb: str, code: str) -> Reply:
    if verb == "show" and code in content.questions:
        return Reply(edit=ask(content, checkin, content.questions[code]))
    return Reply(edit=change_menu(content, checkin) if verb == "change" else page(content, patient, checkin))


def _after(checkin: CheckIn, question: Question, verb: str, code: str) -> CheckIn | None:
    if verb == "skip":
        return questionnaire.skip(checkin, question)
    if verb == "done":
        return questionnaire.finish(checkin, question)
    option = next((option for option in question.options if option.code == code[1:]), None)
    return None if option is None else questionnaire.choose(checkin, question, option, on=code[0] == "+")


async def opened(
    store: Store, patient: Patient, content: Content, night: date, now: datetime
) -> CheckIn | None:
    """Return the night's check-in, opening it if it may still be filled in."""
    known = await store.checkin(patient.id, night)
    last = told_night(patient, now)
    if known is not None and not known.is_logged and night != last:
        later = replace(known, origin=Origin.BACKFILLED)
        await store.save_checkin(patient.id, known, later, now, later.origin)
        return later
    if known is not None:
        return known
    if not last - timedelta(days=content.checkin.backfill_days) <= night <= last:
        return None
    origin = Origin.VOLUNTEERED if night == last else Origin.BACKFILLED
    return await store.open_checkin(patient.id, night, origin, content.checkin.version, now)


async def _record(
    services: Services,
    store: Store,
    patient: Patient,
    before: CheckIn,
    after: CheckIn,
    question: Question,
    origin: str,
) -> Reply:
    """Save what changed, judge it at once, and return the next page."""
    content = services.content_for(patient)
    now = services.clock()
    after, notice = await _keep_until_settled(services, store, patient, before, after, origin)
    completed_at = before.completed_at or _completed(content, after, now)
    if completed_at != after.completed_at:
        after = altered(after, completed_at=completed_at)
    await store.save_checkin(patient.id, before, after, now, after.origin)
    raised = await judge_night(services, store, patient, before, after, origin)
    again = await _judge_nights(services, store, patient, after)
    shown = page(content, patient, after)
    if question.many and question.code not in after.done:
        shown = ask(content, after, question)
    more = raised.messages(content, patient, now.date()) or again
    if question.code == questionnaire.SIGNS:
        more += await _after_signs(store, content, patient, before, after, now)
    closing = await _closing(services, store, content, patient, before, after)
    return Reply(edit=shown, notice=notice, messages=(*more, *closing))


def _completed(content: Content, checkin: CheckIn, now: datetime) -> datetime | None:
    return now if questionnaire.next_question(content.checkin, checkin) is None else None


async def _keep_until_settled(
    services: Services, store: Store, patient: Patient, before: CheckIn, after: CheckIn, origin: str
) -> tuple[CheckIn, str]:
    """A sign that was taken back stays until its exact question is answered no; return a notice too."""
    content = services.content_for(patient)
    taken = set(before.signs) - set(after.signs)
    options = [option for option in content.questions[questionnaire.SIGNS].options if option.code in taken]
    kept = dict(after.signs)
    for row in await store.open_escalations(patient.id) if options else ():
        rests = [
            option
            for option in options
            if set(option.signs) & set(sign_codes(row.evidence)) or row.rule in option.rows
        ]
        if row.night == before.night and not row.about_other and rests and row.rule in content.red_flags:
            because = f"{MISTAP}:{row.id}"
            await put_question(
                services, store, patient, row.night, because, (row.rule,), row.about_other, origin
            )
            kept.update({option.code: before.signs[option.code] for option in rests})
    if kept == dict(after.signs):
        return after, ""
    return replace(after, signs=kept), content.words.plain("notice_taking_back")


async def judge_night(
    services: Services, store: Store, patient: Patient, before: CheckIn, after: CheckIn, origin: str
) -> Raised:
    """Judge what a night's answers add: cards for what is sure, exact questions for the rest."""
    content = services.content_for(patient)
    night = after.night
    signs, flags = await told_elsewhere(store, patient, content, night)
    earlier, now = (facts_of(content, checkin, flags, signs) for checkin in (before, after))
    judged = changed(content, earlier, now)
    raised = await raise_findings(
        services, store, patient, (*judged.raised, *judged.lower), night, f"{origin}:night"
    )
    asked_before = {option for option, _ in rows_of(content, before)}
    asked: set[str] = set()
    for option, rules in rows_of(content, after):
        if option not in asked_before:
            asked.update(rules)
            await put_question(
                services, store, patient, night, f"option:{option}", rules, False, f"{origin}:night"
            )
    rest = tuple(rule for rule in judged.asks if rule not in asked)
    if rest:
        await put_question(services, store, patient, night, f"night:{night}", rest, False, f"{origin}:night")
    return raised


async def _judge_nights(
    services: Services, store: Store, patient: Patient, checkin: CheckIn
) -> tuple[Message, ...]:
    """Judge the whole diary with what was just told, also of an earlier night."""
    last = max(checkin.night, ended_night(patient, services.clock()))
    complete = checkin.completed_at is not None
    return await judge_diary_of(services, store, patient, last, complete)


async def _after_signs(
    store: Store, content: Content, patient: Patient, before: CheckIn, after: CheckIn, now: datetime
) -> tuple[Message, ...]:
    """Return what the warning signs' own options lead to: the whole list, or a word after two skips."""
    fresh = set(after.signs) - set(before.signs)
    if fresh & {"other", "unsure"}:
        return (areas(content, patient, now.date()),)
    if questionnaire.SIGNS in after.skipped and questionnaire.SIGNS not in before.skipped:
        previous = await store.checkin(patient.id, after.night - timedelta(days=1))
        if previous is not None and questionnaire.SIGNS in previous.skipped:
            emergency = numbers.emergency_block(content, patient, now.date())
            return (Message(content.words.say("signs_skipped_twice", emergency=emergency)),)
    return ()


async def _closing(
    services: Services, store: Store, content: Content, patient: Patient, before: CheckIn, after: CheckIn
) -> tuple[Message, ...]:
    """Return a short word for a check-in just completed, and a health question whose time has come."""
    if before.completed_at is not None or after.completed_at is None:
        return ()
    asked = await ask_what_has_gone(services, store, patient, after.night)
    if any(row.level >= Level.URGENT for row in await store.open_escalations(patient.id)):
        return asked
    key = "closing_good" if after.pain == questionnaire.NO_TROUBLE else "closing_bad"
    if after.pain is None:
        key = "closing_unknown"
    passed = await profile.due_again(store, patient, content, services.clock())
    closing = Message(content.words.say(key), silent=True)
    return (closing, passed) if passed else (closing,)


# --- typed replies and other nights --------------------------------------------------------------------


async def typed(
    services: Services, store: Store, patient: Patient, reading: Reading, night: date | None, origin: str
) -> Reply:
    """Fill in what a typed reply was understood to say, show it, and ask the rest."""
    content, now = services.content_for(patient), services.clock()
    checkin = await opened(store, patient, content, night or told_night(patient, now), now)
    if checkin is None:
        return Reply(messages=(Message(content.words.say("night_too_old")),))
    return await _taken(services, store, patient, checkin, fill_in(content, checkin, reading), origin)


async def typed_choice(
    services: Services, store: Store, patient: Patient, reading: Reading, text: str, night: date, origin: str
) -> Reply | None:
    """Take words that name a choice of the question at hand ("left") as that choice; None for all others.

    The warning signs are left to their buttons. Words handled again after a lost reply answer nothing else.
    """
    content = services.content_for(patient)
    checkin = await store.checkin(patient.id, night)
    if checkin is None or checkin.opened_at is None:
        return None
    shape = content.checkin
    question = questionnaire.next_question(shape, checkin)
    asked = questionnaire.path(shape, checkin)
    last = questionnaire.question_before(shape, checkin, question.code) if question else asked[-1]
    again = _named(content, last, reading, text) if last else None
    option = _named(content, question, reading, text) if question else None
    if last and again and again.code in questionnaire.chosen(checkin, last):
        if option is not None:  # it may be the answer to either: a button says which
            return None
        return Reply(messages=(page(content, patient, checkin, content.words.say("understood")),))
    if question is None or option is None:
        return None
    after = questionnaire.choose(checkin, question, option)
    after = questionnaire.finish(after, question) if question.many else after
    return await _taken(services, store, patient, checkin, after, origin)


def _named(content: Content, question: Question, reading: Reading, text: str) -> Option | None:
    """Return the choice of a question that words name by its label, or by the leg they speak of."""
    if question.code == questionnaire.SIGNS:
        return None
    labels, said = content.question_words[question.code].options, folded(text)
    sides = (reading.side,) if question.code == "side" else ()
    found = (one for one in question.options if folded(labels[one.code]) == said or one.code in sides)
    return next(found, None)


async def _taken(
    services: Services, store: Store, patient: Patient, checkin: CheckIn, after: CheckIn, origin: str
) -> Reply:
    """Save what a typed reply was taken for, judge it, show it, and ask the rest."""
    content = services.content_for(patient)
    now = services.clock()
    after = replace(after, completed_at=checkin.completed_at or _completed(content, after, now))
    await store.save_checkin(patient.id, checkin, after, now, checkin.origin)
    raised = await judge_night(services, store, patient, checkin, after, origin)
    again = await _judge_nights(services, store, patient, after)
    message = page(content, patient, after, content.words.say("understood"))
    closing = await _closing(services, store, content, patient, checkin, after)
    first = raised.messages(content, patient, now.date()) or again
    return Reply(messages=(*first, message, *closing))


def fill_in(content: Content, checkin: CheckIn, reading: Reading) -> CheckIn:
    """Return the check-in with every answer that was read filled in; nothing is emptied."""
    after = checkin
    answers: dict[str, tuple[str, ...]] = {
        "pain": (f"p{reading.pain}",) if reading.pain is not None else ("p0",) if reading.no_trouble else (),
        "feeling": reading.feeling,
        "side": (reading.side,) if reading.side else (),
        "awake": (reading.awake,) if reading.awake else (),
        "helped": reading.helped,
        "longest": (reading.longest,) if reading.longest else (),
        "tired": (reading.tired,) if reading.tired else (),
    }
    for code, options in answers.items():
        question = content.questions[code]
        for option in question.options:
            if option.code in options:
                after = questionnaire.choose(after, question, option)
        if question.many and options:
            after = questionnaire.finish(after, question)
    return after


async def open_night(services: Services, chat_id: int, night: date) -> Reply:
    """Open one night's check-in as a new message (chosen from /night)."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return nobody(services.content(None))
        content = services.content_for(patient)
        checkin = await opened(store, patient, content, night, services.clock())
        if checkin is None:
            return Reply(notice=content.words.plain("night_too_old"), alert=True)
        await store.change_patient(patient.id, expecting=f"night:{night.isoformat()}")
        return Reply(edit=page(content, patient, checkin))


async def nights(services: Services, chat_id: int) -> Reply:
    """Offer the last nights to fill in or correct."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or not patient.is_enrolled:
            return not_enrolled(services.content_of(patient), patient)
        content = services.content_for(patient)
        last = ended_night(patient, services.clock())
        joined = night_of(patient.created_at, patient.tz)
        first = max(last - timedelta(days=content.checkin.backfill_days - 1), min(joined, last))
        known = {checkin.night: checkin for checkin in await store.diary(patient.id, first, last)}
        days = [last - timedelta(days=back) for back in range((last - first).days + 1)]
        rows = tuple(
            (Button(_night_label(content, day, known.get(day), day == last), press_night(day)),)
            for day in days
        )
        return Reply(messages=(Message(content.words.say("nights_which"), rows),))


def press_night(night: date) -> str:
    """Return what the button that opens one night carries."""
    return f"nt:{night.strftime('%y%m%d')}"


def _night_label(content: Content, night: date, checkin: CheckIn | None, is_last: bool) -> str:
    words = content.words
    day = words.plain("night_last", night=words.day(night)) if is_last else words.day(night)
    if checkin is None or not checkin.is_logged:
        return words.plain("night_open", night=day)
    return words.plain("night_known", night=day, pain=checkin.pain)
