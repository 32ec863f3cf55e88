"""What came of a red flag: read, going, seen, booked, cannot reach anyone, pressed by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.flows import appointment, numbers
from bot.flows.asking import put_question
from bot.flows.cards import (
    ASK,
    GONE,
    MISTAP,
    STILL,
    TAKEN_BACK,
    cycle_of,
    follow_up,
    is_despair,
    key_for,
    why_text,
)
from bot.flows.escalation import IN_REPLY, close, gone_or_not, reopen
from bot.flows.refusals import old_button
from bot.flows.services import Services
from bot.messages import Message, Reply
from bot.model import Escalation, Kind, Outcome, Patient
from bot.rules.lifecycle import is_own_and_grave
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level
from content.words import Html

MOST_ASKED_ABOUT = 3  # open matters that are asked about at once
ANSWERED_BY_NOTICE = (Outcome.READ,)  # no message follows
IN_WORDS = "in_words"  # the event of words taken as a button; its detail: the outcome and the update
NOT_RIGHT = "not_right"  # the outcome of a matter whose words were taken back
OPENED = f"opened:{NOT_RIGHT}"  # the event of opening it again


async def press(services: Services, chat_id: int, escalation_id: int, what: str, origin: str) -> Reply:
    """Record what came of an escalation and answer; an unknown or foreign one is declined politely."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        row = await store.escalation(escalation_id)
        content = services.content_of(patient)
        known = what in ("why", ASK, GONE, STILL, TAKEN_BACK) or what in {str(one) for one in Outcome}
        if patient is None or row is None or row.patient_id != patient.id or not known:
            return old_button(content)
        if what == "why":
            return Reply(messages=(Message(why_text(content, row)),))
        if what == TAKEN_BACK:
            return await _take_back(services, store, patient, content, row, origin)
        if not row.is_open:
            key = "notice_superseded" if row.outcome == "superseded" else "notice_settled"
            return Reply(notice=content.words.plain(key))
        if what in (GONE, STILL):
            answered = await gone_or_not(services, store, patient, row, what == GONE)
            return Reply(messages=(answered,)) if answered else old_button(content)
        if what == ASK:
            return await ask(services, store, patient, content, (row,), origin)
        return await _settle(services, store, patient, row, Outcome(what), origin)


async def _settle(
    services: Services, store: Store, patient: Patient, row: Escalation, outcome: Outcome, origin: str
) -> Reply:
    content = services.content_for(patient)
    words = content.words
    if outcome is Outcome.MISTAP and row.rule not in content.red_flags:
        return old_button(content)
    if outcome is Outcome.MISTAP:
        await store.note_event(row.id, outcome, services.clock())
        await put_question(
            services, store, patient, row.night, f"{MISTAP}:{row.id}", (row.rule,), row.about_other, origin
        )
        return Reply(notice=words.plain("notice_mistap"))
    await record(services, store, patient, row, outcome)
    return await answer_to(services, store, patient, row, outcome)


async def record(
    services: Services, store: Store, patient: Patient, row: Escalation, outcome: Outcome
) -> None:
    """Write down what came of a matter: it is read, and settled where that settles it."""
    await store.note_event(row.id, outcome, services.clock())
    await _acknowledge(services, store, row, outcome)
    if outcome in cycle_of(services.content_for(patient), row.rule).ends_on:
        await close(services, store, patient, row, str(outcome))


async def answer_to(
    services: Services, store: Store, patient: Patient, row: Escalation, outcome: Outcome
) -> Reply:
    """Return what is said to somebody whose outcome has been written down."""
    content = services.content_for(patient)
    words = content.words
    if outcome in cycle_of(content, row.rule).ends_on:
        settled = Message(words.say(key_for(content, f"settled_{outcome}", row.about_other)))
        if outcome is Outcome.BOOKED:
            asked = await appointment.ask_day(services, store, patient, row)
            settled = replace(asked, text=Html(f"{settled.text}\n\n{asked.text}"))
        if outcome is Outcome.SEEN and row.level < Level.EMERGENCY and not row.about_other:
            text = Html(f"{settled.text}\n\n{words.say('seen_said_ask')}")
            settled = Message(text, appointment.said_rows(content, row))
        return Reply(notice=words.plain("notice_noted"), messages=(settled,))
    if outcome is Outcome.CANNOT:
        return Reply(messages=(_cannot_reach(services, content, patient, row),))
    after = f"after_{outcome}"
    if outcome in ANSWERED_BY_NOTICE or after not in words.messages:
        return Reply(notice=words.plain("notice_read" if row.level >= Level.URGENT else "notice_noted"))
    said = words.say(key_for(content, after, row.about_other))
    return Reply(notice=words.plain("notice_noted"), messages=(Message(said),))


async def _acknowledge(services: Services, store: Store, row: Escalation, outcome: Outcome) -> None:
    """Somebody has read it: it is not repeated any more, and asked about from the next morning."""
    if row.acknowledged_at is None:
        await store.change_escalation(row.id, acknowledged_at=services.clock(), outcome=str(outcome))
        await store.drop_ready(row.patient_id, (Kind.CARD,), "acknowledged", subject=row.subject)


def _cannot_reach(services: Services, content: Content, patient: Patient, row: Escalation) -> Message:
    """Who is left to call, the right one first, and what to say to them."""
    today = services.clock().date()
    words = content.rule_words[row.rule]  # a pattern's line speaks to the patient, who is to say it
    said = Html(f"{words.label}." if row.rule in content.patterns else words.line)
    text = content.words.say(
        f"cannot_reach_{_script(content, row)}",
        health=numbers.health_block(content, patient, today),
        crisis=numbers.crisis_block(content, patient, today),
        emergency=numbers.emergency_block(content, patient, today),
        line=content.words.say("script_other", line=said) if row.about_other else said,
    )
    return Message(text, ((numbers.call_button(content, patient, today),),))


def _script(content: Content, row: Escalation) -> str:
    """The name of the words for a level; despair has its own, of oneself or of somebody else."""
    if is_despair(content, row.rule):
        return "despair_other" if row.about_other else "despair"
    return row.level.code if row.level >= Level.URGENT else "later"


async def ask(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    rows: Sequence[Escalation],
    origin: str,
) -> Reply:
    """Ask by button what came of open matters, one's own and gravest first."""
    now = services.clock()
    standing = sorted(rows, key=lambda row: (not is_own_and_grave(row), -row.level))[:MOST_ASKED_ABOUT]
    for row in standing:
        await store.note_event(row.id, IN_REPLY, now, origin)
    return Reply(messages=tuple(follow_up(content, patient, row, now) for row in standing))


async def said_seen(
    services: Services, store: Store, patient: Patient, content: Content, origin: str
) -> Reply:
    """Words that only hint at "I have been seen" settle nothing: open matters are asked about by button."""
    standing = [row for row in await store.open_escalations(patient.id) if row.told_at is not None]
    if not standing:
        return Reply(messages=(Message(content.words.say("why_nothing")),))
    return await ask(services, store, patient, content, standing, origin)


async def _take_back(
    services: Services, store: Store, patient: Patient, content: Content, row: Escalation, origin: str
) -> Reply:
    """Open a matter again that words had settled, and ask by button."""
    told = [event.what for event in await store.events(row.id)]
    last = max((at for at, what in enumerate(told) if what == IN_WORDS), default=None)
    since = [] if last is None else told[last:]  # settled by button since then, it stays settled
    if last is None or row.outcome == "superseded" or (OPENED in since and not row.is_open):
        return old_button(content)
    if not row.is_open:
        await reopen(services, store, patient, row, NOT_RIGHT)
        await appointment.forget(services, store, patient, row)
    asked = await ask(services, store, patient, content, (row,), origin)
    return replace(asked, messages=(Message(content.words.say("reply_taken_back")), *asked.messages))
