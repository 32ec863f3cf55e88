"""Words that say what came of a warning: taken as the button they mean, once that was asked, else asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.flows import appointment, outcome
from bot.flows.cards import (
    ASK,
    TAKEN_BACK,
    choices_of,
    cycle_of,
    follow_up,
    is_despair,
    matter_label,
    question_message,
    who_to_call,
    words_of,
)
from bot.flows.escalation import was_asked
from bot.flows.services import Services
from bot.messages import Button, Message, Outgoing, Reply
from bot.model import Escalation, Outcome, Patient
from bot.rules.hearing import Heard
from bot.rules.reading_replies import LATER, Replied, meant
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level
from content.words import Html

OF_THE_SEEN = frozenset({Outcome.SEEN, Outcome.KNOWN})  # said of oneself it does not answer for another


async def replied(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    heard: Heard,
    text: str,
    origin: str,
    is_taken: bool,
) -> Reply | None:
    """Take words as the button that they mean; None where they mean none, or nothing was asked yet.

    Words that led to a card besides (*is_taken*), or that may be danger, settle nothing: a button does.
    """
    said = heard.reading.replied
    if said is None or (heard.reading.is_question and not said.codes):
        return None
    until = text if LATER in said.codes else ""
    again = await _taken_before(store, patient, origin)
    if again is not None:
        return await _answer(services, store, patient, *again, text, until)
    told = [row for row in await store.open_escalations(patient.id) if row.told_at is not None]
    asked = [row.id for row in told if await was_asked(store, row, origin)]
    if not asked:
        return None
    rows = _those_meant(told, said)
    if is_taken or not heard.is_calm or text.rstrip().endswith("?") or not rows:
        return await outcome.ask(services, store, patient, content, rows or told, origin)
    offered = {str(what) for row in rows for _, what in choices_of(content, row)}
    code = meant(said, offered)
    if not code or (len(rows) == 1 and rows[0].id not in asked):
        return await outcome.ask(services, store, patient, content, rows, origin)
    if len(rows) > 1:
        return Reply(messages=(_which(content, rows, Outcome(code)),))
    return await _take(services, store, patient, content, rows[0], Outcome(code), text, until, origin)


def _those_meant(told: Sequence[Escalation], said: Replied) -> list[Escalation]:
    """The open matters that words may be about; who rang may have rung about somebody else."""
    others = [row for row in told if row.about_other]
    if said.about_other:
        return others
    own = [row for row in told if not row.about_other]
    return own if said.codes & OF_THE_SEEN else own + others


async def _taken_before(store: Store, patient: Patient, origin: str) -> tuple[Escalation, Outcome] | None:
    """What this very update was taken as, when it is dealt with again after a crash."""
    for row in await store.escalations(patient.id):
        for event in await store.events(row.id):
            what, _, by = event.detail.partition(":")
            if event.what == outcome.IN_WORDS and by == origin:
                return row, Outcome(what)
    return None


async def _take(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    row: Escalation,
    what: Outcome,
    text: str,
    until: str,
    origin: str,
) -> Reply:
    """Record what the button would record; only the button itself settles an emergency."""
    if what in cycle_of(content, row.rule).ends_on and row.level >= Level.EMERGENCY:
        return Reply(messages=(_to_confirm(services, content, patient, row),))
    await outcome.record(services, store, patient, row, what)
    await store.note_event(row.id, outcome.IN_WORDS, services.clock(), f"{what}:{origin}")
    return await _answer(services, store, patient, row, what, text, until)


async def _answer(
    services: Services,
    store: Store,
    patient: Patient,
    row: Escalation,
    what: Outcome,
    text: str,
    until: str,
) -> Reply:
    """Say what the words were taken as, then what the button says; what was settled can be taken back.

    A day before which nobody sees them (*until*) settles nothing urgent, and is noted all the same.
    """
    content = services.content_for(patient)
    first, *rest = (await outcome.answer_to(services, store, patient, row, what)).messages
    day = await appointment.told_day(services, store, patient, row, text) if what is Outcome.BOOKED else None
    if day is not None:
        first = Message(Html(f"{content.words.say('settled_booked')}\n\n{day.text}"), day.rows)
    elif until and isinstance(first, Message) and _may_be_noted(content, row, what):
        noted = await appointment.told_day(services, store, patient, row, until)
        first = replace(first, text=Html(f"{first.text}\n\n{noted.text}")) if noted else first
    said = content.words.plain(key_of(content, row, what))
    lead = content.words.say("reply_taken", said=said, label=matter_label(content, row))
    messages: list[Outgoing] = [first, *rest]
    if isinstance(first, Message):
        rows = first.rows
        if what in cycle_of(content, row.rule).ends_on:
            back = Button(content.words.plain("button_not_right"), f"es:{row.id}:{TAKEN_BACK}")
            rows = (*rows, (back,))
        messages[0] = replace(first, text=Html(f"{lead}\n\n{first.text}"), rows=rows)
    waiting = await store.open_askings(patient.id)
    if waiting:  # words answer no exact question: it stays in sight
        messages.append(question_message(content, patient, waiting[-1], services.clock().date()))
    return Reply(messages=tuple(messages))


def _may_be_noted(content: Content, row: Escalation, what: Outcome) -> bool:
    """Return whether a later day is worth noting: not of an emergency, of despair, or of somebody else."""
    is_urgent = row.level is Level.URGENT and not is_despair(content, row.rule)
    return what is Outcome.CANNOT and is_urgent and not row.about_other


def key_of(content: Content, row: Escalation, what: Outcome) -> str:
    """Return the key of the button that stands for an outcome of a matter."""
    return next(key for key, code in choices_of(content, row) if code is what)


def _which(content: Content, rows: Sequence[Escalation], what: Outcome) -> Message:
    """Ask which open matter words are about; where one has no such button, it is asked about."""
    said = content.words.plain(f"button_{what}")
    buttons = []
    for row in rows:
        offers = any(code is what for _, code in choices_of(content, row))
        then = what if offers else ASK
        buttons.append((Button(matter_label(content, row), f"es:{row.id}:{then}"),))
    return Message(content.words.say("reply_which", said=said), tuple(buttons))


def _to_confirm(services: Services, content: Content, patient: Patient, row: Escalation) -> Message:
    """Ask to confirm by button that an emergency is settled."""
    now = services.clock()
    line = Html(words_of(content, row.rule, row.about_other).line)
    call = who_to_call(content, patient, "emergency", row.level, now.date(), row.about_other)
    text = Html(f"{content.words.say('reply_confirm', line=line)}\n\n{call}")
    return replace(follow_up(content, patient, row, now), text=text)
