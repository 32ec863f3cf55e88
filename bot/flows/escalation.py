"""Red flags with a memory: a row before a message, told until acknowledged, asked about until settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.flows.cards import (
    UNANSWERED,
    card,
    card_text,
    cycle_of,
    follow_up,
    is_despair,
    is_it_gone,
    key_for,
    named_together,
    told_before,
)
from bot.flows.precedence import (
    UNDER_WAY,
    card_is_near,
    due_together,
    gravity,
    is_fresh,
    last_told,
    note_together,
    number_of,
    told_together,
    waits_for_graver,
)
from bot.flows.remembering import MET, remember_red_flags
from bot.flows.schedule import out_of_quiet, told_night
from bot.flows.services import Services
from bot.messages import Message
from bot.model import Escalation, Finding, Kind, Patient, Sending
from bot.rules import lifecycle
from bot.rules.lifecycle import Speaks
from bot.rules.memory import is_news
from bot.rules.triage import withheld
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level
from content.words import Html

ASKED_GONE = "asked_gone"  # the event of asking whether it has gone; its detail: the night
FOLLOWED_UP = "followed_up"  # the event of asking what came of it
IN_THE_EVENING = "asked_in_the_evening"  # the event of asking it by the evening message
IN_REPLY = "asked_in_reply"  # the event of asking it in answer to an update, which is its detail
LEG = "leg"  # the event of a leg named in the very words that led to it; its detail: left or right
AFTER_THE_ANSWER = timedelta(minutes=1)  # what waited behind a settled matter lets its "thank you" go first


@dataclass(frozen=True)
class Spoken:
    """A rendered sending: the message, or the reason why it is not said; `waits` puts it off for a moment."""

    message: Message | None
    reason: str = ""
    waits: bool = False


@dataclass(frozen=True)
class Raised:
    """What came of findings: new escalations, and rules that stand already and get a short answer."""

    speaking: tuple[Escalation, ...] = ()
    again: tuple[tuple[str, bool], ...] = ()  # each with whether it is somebody else's

    def messages(self, content: Content, patient: Patient, today: date) -> tuple[Message, ...]:
        """Return the short answer where no card speaks."""
        if self.speaking or not self.again:
            return ()
        rule, about_other = self.again[0]
        return (told_before(content, patient, rule, today, about_other),)


# --- raising -------------------------------------------------------------------------------------------


async def raise_findings(
    services: Services,
    store: Store,
    patient: Patient,
    findings: Iterable[Finding],
    night: date,
    origin: str,
    about_other: bool = False,
) -> Raised:
    """Write a row for each finding and owe its card at once; what stands already gets a short answer.

    One matter has one card: a higher finding takes the place of a lower one on the same evidence.
    The tick is not stirred: whoever carries the reply sends the card first.
    """
    content = services.content_for(patient)
    standing = await store.open_escalations(patient.id)
    speaking: list[Escalation] = []
    again: list[tuple[str, bool]] = []
    for found in lifecycle.together(findings):
        finding = replace(found, side=found.side if _is_sided(content, found) else None)
        if await _speaks(services, store, patient, finding, standing, night, about_other) is Speaks.CARD:
            row = await _raise(services, store, patient, finding, standing, night, origin, about_other)
            if row is not None:
                speaking.append(row)
                standing = await store.open_escalations(patient.id)
        elif finding.level >= Level.URGENT:
            old = _standing_for(standing, finding, about_other)
            if old is not None and old.rule in await store.raised_by(patient.id, origin):
                continue  # this very update, dealt with again after a crash: its card is the answer
            again.append((old.rule if old else finding.rule, about_other))
            if old is not None:
                await note_met(store, old, night, services.clock())
    return Raised(tuple(speaking), tuple(again))


def _is_sided(content: Content, finding: Finding | Escalation) -> bool:
    """Only what rests on a sign of one leg has a side."""
    signs = (code.removeprefix("sign:") for code in finding.evidence)
    return any(content.signs[sign].sided for sign in signs if sign in content.signs)


async def _speaks(
    services: Services,
    store: Store,
    patient: Patient,
    finding: Finding,
    standing: Sequence[Escalation],
    night: date,
    about_other: bool,
) -> Speaks:
    if finding.level >= Level.URGENT:
        return lifecycle.speaks(finding, standing, night, about_other)
    content = services.content_for(patient)
    if any(_waits_as_high(old, finding, about_other) for old in standing):
        return Speaks.NOTHING
    memory = await remember_red_flags(store, patient, content, night)
    return Speaks.CARD if is_news(content, memory, finding, night) else Speaks.NOTHING


def _waits_as_high(old: Escalation, finding: Finding, about_other: bool) -> bool:
    """Whether the same matter has a card already that waits behind something graver."""
    same = lifecycle.is_same_matter(old, finding, about_other)
    return same and old.told_at is None and old.level >= finding.level


def _standing_for(standing: Sequence[Escalation], finding: Finding, about_other: bool) -> Escalation | None:
    """The highest open matter that stands for a finding told before."""
    same = [
        old
        for old in standing
        if old.about_other == about_other
        and (old.topic == finding.topic or set(finding.evidence) <= set(old.evidence))
    ]
    return max(same, key=lambda old: old.level, default=None)


async def note_met(store: Store, row: Escalation, night: date, now: datetime) -> bool:
    """Remember that a standing matter was reported anew for a night; False if that was known."""
    if any(one.what == MET and one.detail == night.isoformat() for one in await store.events(row.id)):
        return False
    await store.note_event(row.id, MET, now, night.isoformat())
    return True


async def _raise(
    services: Services,
    store: Store,
    patient: Patient,
    finding: Finding,
    standing: Sequence[Escalation],
    night: date,
    origin: str,
    about_other: bool,
) -> Escalation | None:
    """Write one row and owe its card; None when this very update has raised it already."""
    now = services.clock()
    content = services.content_for(patient)
    leg = (finding.side or "") if finding.names_leg else ""
    words = card_text(content, patient, finding.rule, finding.level, now.date(), about_other, leg)
    row, created = await store.raise_escalation(
        patient.id, finding, night, about_other, origin, words, content.version, now
    )
    if not created:
        return None
    for old in standing:
        if lifecycle.replaces(finding, old, about_other):
            await close(services, store, patient, old, "superseded")
    await store.note_event(row.id, "raised", now)
    if leg:
        await store.note_event(row.id, LEG, now, leg)
    await _owe_card(store, patient, row, now)
    await _plan_follow_up(store, patient, content, row, 0, now)
    return row


async def raise_one(
    services: Services, store: Store, patient: Patient, finding: Finding, night: date, origin: str
) -> Escalation | None:
    """Raise what has been decided to speak, in place of what it covers; None when that was done before."""
    content = services.content_for(patient)
    sided = replace(finding, side=finding.side if _is_sided(content, finding) else None)
    standing = await store.open_escalations(patient.id)
    return await _raise(services, store, patient, sided, standing, night, origin, about_other=False)


async def reopen(services: Services, store: Store, patient: Patient, row: Escalation, because: str) -> None:
    """Open a settled matter again: what came of it is asked once more."""
    now = services.clock()
    await store.change_escalation(row.id, closed_at=None, outcome=because)
    await store.note_event(row.id, f"opened:{because}", now)
    asked = await store.sending_for(patient.id, Kind.FOLLOW_UP, row.subject)
    step = max((sent.step for sent in asked), default=-1) + 1
    await _plan_follow_up(store, patient, services.content_for(patient), row, step, now)


async def _owe_card(store: Store, patient: Patient, row: Escalation, now: datetime) -> None:
    """Plan the card: a grave one at once, a lower one out of quiet hours and once nothing grave is open."""
    due = now
    if row.level < Level.URGENT:
        if lifecycle.forbids_coaching(await store.open_escalations(patient.id)):
            return
        due = out_of_quiet(patient, now)
    await store.plan(patient.id, Kind.CARD, row.subject, await _next_card(store, row), due)


async def _next_card(store: Store, row: Escalation) -> int:
    """Return the step of one more card: behind the last, for the first may have been pruned."""
    cards = await store.sending_for(row.patient_id, Kind.CARD, row.subject)
    return max((card.step for card in cards), default=-1) + 1


async def close(services: Services, store: Store, patient: Patient, row: Escalation, outcome: str) -> None:
    """Settle one matter: its sendings rest, and what waited behind it may speak."""
    now = services.clock()
    await store.change_escalation(row.id, closed_at=now, outcome=outcome)
    await store.note_event(row.id, f"closed:{outcome}", now)
    await store.drop_ready(row.patient_id, (Kind.CARD, Kind.FOLLOW_UP), "settled", subject=row.subject)
    for waiting in await store.open_escalations(patient.id):
        if waiting.level < Level.URGENT and waiting.told_at is None:
            cards = await store.sending_for(patient.id, Kind.CARD, waiting.subject)
            if not any(sent.state in UNDER_WAY for sent in cards):
                await _owe_card(store, patient, waiting, now + AFTER_THE_ANSWER)


# --- sendings: rendered at the moment they go out ------------------------------------------------------


async def render_card(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render a card that is owed, first or repeated; nothing once the matter is settled or acknowledged.

    What is graver goes first. Cards that were not told in time, or come again together, are one message.
    """
    row = await _row_of(store, sending)
    if row is None or not row.is_open:
        return Spoken(None, "settled")
    if row.told_at is not None and row.acknowledged_at is not None:
        return Spoken(None, "acknowledged")
    if refusal := await _may_not(store, patient, row, now):
        return Spoken(None, refusal)
    last = last_told(await store.events(row.id))
    if last is not None and last >= sending.due_at:  # in the message of another one
        return Spoken(None, "told")
    content = services.content_for(patient)
    if is_fresh(content, row, now) and await waits_for_graver(
        store, patient, content, gravity(content, row.rule, row.level), now
    ):
        return Spoken(None, waits=True)
    together = await due_together(store, patient, content, row, Kind.CARD, now)
    standing = await store.open_escalations(patient.id)
    together.sort(key=lambda one: lifecycle.keeps_behind(one, standing))  # these lead nothing
    if lifecycle.keeps_behind(together[0], standing):
        await _plan_repeat(store, patient, content, row, sending.step + 1, now)
        return Spoken(None, "graver")
    return Spoken(await _card_of(store, patient, content, together, sending, now))


async def _card_of(
    store: Store,
    patient: Patient,
    content: Content,
    together: Sequence[Escalation],
    sending: Sending,
    now: datetime,
) -> Message:
    """The gravest matter's card, which names the others; what it says is kept with each."""
    first = together[0]
    step = sending.step if number_of(sending) == first.id else 0
    foot = content.words.say("sent_again") if sending.reason == "unknown" else Html("")
    leg = next((event.detail for event in await store.events(first.id) if event.what == LEG), "")
    message = card(content, patient, first, _lead(content, first, step), foot, now.date(), leg)
    message = named_together(content, patient, message, together[1:], now.date())
    for row in together:
        await store.change_escalation(row.id, words=str(message.text), content_version=content.version)
    await note_together(store, [row for row in together if row.id != number_of(sending)], sending, now)
    return message


async def _may_not(store: Store, patient: Patient, row: Escalation, now: datetime) -> str:
    """Why a card may not go out now: a lower one keeps behind grave ones, and out of stops and pauses."""
    if row.level >= Level.URGENT:
        stopped = patient.stopped_at is not None and row.raised_at < patient.stopped_at
        return "stopped" if stopped and row.told_at is not None else ""
    if patient.stopped_at is not None:
        return "stopped"
    if patient.paused_until is not None and patient.paused_until > patient.day_of(now):
        return "paused"
    return "graver" if lifecycle.forbids_coaching(await store.open_escalations(patient.id)) else ""


def _lead(content: Content, row: Escalation, step: int) -> Html:
    if row.told_at is None:
        return content.words.say("card_late") if UNANSWERED in row.evidence else Html("")
    last = step == len(cycle_of(content, row.rule).repeat_minutes)
    key = "card_repeat_last" if last else "card_repeat"
    if is_despair(content, row.rule):
        key = "card_repeat_despair"
    return content.words.say(key_for(content, key, row.about_other))


async def card_told(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    """Remember that a card reached the chat, and plan its repeat until somebody acknowledges it."""
    row = await _row_of(store, sending)
    if row is None:
        return
    content = services.content_for(patient)
    await _note_told(store, patient, content, row, sending.step, now)
    for other in await told_together(store, patient, sending):
        cards = await store.sending_for(patient.id, Kind.CARD, other.subject)
        await store.drop_ready(patient.id, (Kind.CARD,), "told", subject=other.subject)
        await _note_told(store, patient, content, other, max((one.step for one in cards), default=0), now)


async def _note_told(
    store: Store, patient: Patient, content: Content, row: Escalation, step: int, now: datetime
) -> None:
    await store.note_event(row.id, "told" if row.told_at is None else "told_again", now)
    if row.told_at is None:
        await store.change_escalation(row.id, told_at=now)
    if row.is_open and row.acknowledged_at is None:
        await _plan_repeat(store, patient, content, replace(row, told_at=row.told_at or now), step + 1, now)


async def _plan_repeat(
    store: Store, patient: Patient, content: Content, row: Escalation, step: int, now: datetime
) -> None:
    cycle = cycle_of(content, row.rule)
    first_told = row.told_at or now
    repeat = lifecycle.next_repeat(cycle, first_told, step, now, patient.times, patient.tz)
    if repeat is not None:
        await store.plan(patient.id, Kind.CARD, row.subject, *repeat)


async def tell_anew(services: Services, store: Store, patient: Patient, row: Escalation) -> None:
    """Owe the card once more, as if it had never been read."""
    await store.change_escalation(row.id, acknowledged_at=None)
    subject = row.subject
    await store.drop_ready(patient.id, (Kind.CARD,), "told anew", subject=subject)
    await store.plan(patient.id, Kind.CARD, subject, await _next_card(store, row), services.clock())


async def render_follow_up(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render the question of what came of it; nothing once it is settled, or just after the card."""
    row = await _row_of(store, sending)
    if row is None or not row.is_open:
        return Spoken(None, "settled")
    if patient.stopped_at is not None and row.raised_at < patient.stopped_at:
        return Spoken(None, "stopped")
    content = services.content_for(patient)
    standing = await store.open_escalations(patient.id)
    if await card_is_near(store, content, row, standing, now) or await _may_not(store, patient, row, now):
        await _plan_follow_up(store, patient, content, row, sending.step + 1, now)
        return Spoken(None, "card instead")
    if any(event.what == FOLLOWED_UP and event.at >= sending.due_at for event in await store.events(row.id)):
        return Spoken(None, "told")  # in the message of another one
    own = gravity(content, row.rule, row.level)
    if row.level >= Level.URGENT and await waits_for_graver(store, patient, content, own, now):
        return Spoken(None, waits=True)
    together = await due_together(store, patient, content, row, Kind.FOLLOW_UP, now)
    await note_together(store, [other for other in together if other.id != row.id], sending, now)
    asked = follow_up(content, patient, together[0], now)
    return Spoken(named_together(content, patient, asked, together[1:], now.date()))


async def follow_up_told(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    """Plan the next "what came of it?" after one was asked."""
    content = services.content_for(patient)
    row = await _row_of(store, sending)
    if row is not None and row.is_open:
        await _note_followed_up(store, patient, content, row, sending.step, now)
    for other in await told_together(store, patient, sending):
        asked = await store.sending_for(patient.id, Kind.FOLLOW_UP, other.subject)
        await store.drop_ready(patient.id, (Kind.FOLLOW_UP,), "told", subject=other.subject)
        await _note_followed_up(
            store, patient, content, other, max((one.step for one in asked), default=0), now
        )


async def _note_followed_up(
    store: Store, patient: Patient, content: Content, row: Escalation, step: int, now: datetime
) -> None:
    await store.note_event(row.id, FOLLOWED_UP, now)
    await _plan_follow_up(store, patient, content, row, step + 1, now)


async def _plan_follow_up(
    store: Store, patient: Patient, content: Content, row: Escalation, step: int, now: datetime
) -> None:
    cycle = cycle_of(content, row.rule)
    following = lifecycle.next_follow_up(cycle, row.raised_at, step, now, patient.times, patient.tz)
    if following is not None:
        await store.plan(patient.id, Kind.FOLLOW_UP, row.subject, *following)


async def replan(store: Store, patient: Patient, content: Content) -> None:
    """Move what waits for a morning to the patient's mornings as they are now: times or zone have changed."""
    rows = {row.id: row for row in await store.open_escalations(patient.id)}
    for sending in await store.waiting(patient.id):
        row = rows.get(number_of(sending)) if sending.kind in (Kind.CARD, Kind.FOLLOW_UP) else None
        if row is None or sending.attempts:
            continue
        cycle, times, zone = cycle_of(content, row.rule), patient.times, patient.tz
        due = None
        if sending.kind is Kind.FOLLOW_UP:
            due = lifecycle.follow_up_at(cycle, row.raised_at, sending.step, times, zone)
        elif sending.step and row.told_at is not None:
            due = lifecycle.repeat_at(cycle, row.told_at, sending.step, times, zone)
        if due is not None:
            await store.plan(patient.id, sending.kind, sending.subject, sending.step, due)


async def was_asked(store: Store, row: Escalation, but_for: str) -> bool:
    """Return whether the buttons that say what came of a matter were shown before the update *but_for*.

    Under a card that can wait they stand from the beginning.
    """
    asked = (FOLLOWED_UP, IN_THE_EVENING, IN_REPLY)
    events = await store.events(row.id)
    return row.level < Level.URGENT or any(one.what in asked and one.detail != but_for for one in events)


async def _row_of(store: Store, sending: Sending) -> Escalation | None:
    return await store.escalation(number_of(sending))


# --- what stands ---------------------------------------------------------------------------------------


async def ask_what_has_gone(
    services: Services, store: Store, patient: Patient, night: date
) -> tuple[Message, ...]:
    """Ask whether an urgent leg sign, seen by nobody and not named for enough logged nights, has gone.

    The warning signs ask for what is new or worse, so that only the answer to this question lowers it.
    """
    content = services.content_for(patient)
    asked = []
    for row in await store.open_escalations(patient.id):
        may_go = row.level is Level.URGENT and not content.rules[row.rule].stays
        if not may_go or not _is_sided(content, row):
            continue
        since = await _last_named(store, row)
        diary = await store.diary(patient.id, since + timedelta(days=1), night)
        logged = [
            signs_in(content, one.signs) for one in reversed(diary) if lifecycle.has_answered_signs(one)
        ]
        if lifecycle.is_gone(row, cycle_of(content, row.rule), logged):
            await store.note_event(row.id, ASKED_GONE, services.clock(), night.isoformat())
            asked.append(is_it_gone(content, patient, row))
    return tuple(asked)


async def _last_named(store: Store, row: Escalation) -> date:
    """The last night for which a matter was reported, or on which it was asked whether it has gone."""
    nights = [
        date.fromisoformat(event.detail)
        for event in await store.events(row.id)
        if event.what in (MET, ASKED_GONE)
    ]
    return max((row.night, *nights))


async def gone_or_not(
    services: Services, store: Store, patient: Patient, row: Escalation, gone: bool
) -> Message | None:
    """Take the answer: gone lowers an urgent matter to soon, still there stands; None if it was not asked."""
    if not any(event.what == ASKED_GONE for event in await store.events(row.id)):
        return None
    content, now = services.content_for(patient), services.clock()
    if not gone:
        await note_met(store, row, told_night(patient, now), now)
        return told_before(content, patient, row.rule, now.date())
    if row.level is Level.URGENT:
        await store.change_escalation(row.id, level=Level.SOON)
        await store.note_event(row.id, "lowered", now)
    return Message(content.words.say("gone_lowered"))


def signs_in(content: Content, options: Iterable[str]) -> dict[str, str]:
    """Return the signs that ticked options of the warning-sign question stand for."""
    shapes = {option.code: option for option in content.questions["signs"].options}
    return {sign: "yes" for code in options if code in shapes for sign in shapes[code].signs}


async def rules_out_tips(
    store: Store, patient: Patient, content: Content, now: datetime
) -> Escalation | None:
    """Return the gravest matter of the patient's own that leaves no room for any tip, or None.

    An emergency and despair do so while they are open; what is urgent, until the morning after it was raised.
    """
    own = [row for row in await store.open_escalations(patient.id) if lifecycle.is_own_and_grave(row)]
    for row in sorted(own, key=lambda one: gravity(content, one.rule, one.level), reverse=True):
        if row.level >= Level.EMERGENCY or is_despair(content, row.rule):
            return row
        cycle = cycle_of(content, row.rule)
        until = lifecycle.follow_up_at(cycle, row.raised_at, 0, patient.times, patient.tz)
        if until is not None and now < until:
            return row
    return None


def withheld_by(content: Content, escalations: Sequence[Escalation]) -> frozenset[str]:
    """Return the techniques that open matters of the patient's own withhold everywhere."""
    return withheld(content, [row.rule for row in escalations if row.is_open and not row.about_other])
