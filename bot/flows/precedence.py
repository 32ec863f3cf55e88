"""What goes before what when several grave matters are owed to one person, and what goes in one message."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.flows.cards import is_despair
from bot.model import Escalation, EscalationEvent, Kind, Patient, Sending, State
from bot.rules.lifecycle import keeps_behind
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level

UNDER_WAY = (State.READY, State.CLAIMED, State.SENDING, State.UNKNOWN)
TOLD = ("told", "told_again")
TOGETHER = "together"  # the event of a matter that is named in another one's message; its detail: the sending

Gravity = tuple[Level, bool]
NO_GRAVITY: Gravity = (Level.NONE, False)


def gravity(content: Content, rule: str, level: Level) -> Gravity:
    """Return how grave a matter is, to compare: its level, then whether it is despair."""
    return level, is_despair(content, rule)


async def waits_for_graver(
    store: Store, patient: Patient, content: Content, own: Gravity, now: datetime
) -> bool:
    """Return whether a graver card or exact question is due to the same person, and so goes first."""
    owed = [one for one in await store.owed_safety(patient.id, now) if one.kind is not Kind.FOLLOW_UP]
    if not owed:
        return False
    rows = {row.id: row for row in await store.open_escalations(patient.id)}
    askings = {asking.id: asking for asking in await store.open_askings(patient.id)}
    for sending in owed:
        number = number_of(sending)
        if sending.kind is Kind.QUESTION and number in askings:
            rule = askings[number].rules[0]
            if gravity(content, rule, content.red_flags[rule].level) > own:
                return True
        row = rows.get(number) if sending.kind is Kind.CARD else None
        if row is None or _is_read(row) or row.level < Level.URGENT:
            continue
        if gravity(content, row.rule, row.level) > own:
            return True
    return False


def number_of(sending: Sending) -> int:
    """Return the id in a sending's subject, which is that of an escalation or of an exact question."""
    return int(sending.subject.split(":")[1])


def _is_read(row: Escalation) -> bool:
    return row.told_at is not None and row.acknowledged_at is not None


def is_just(content: Content, at: datetime, now: datetime) -> bool:
    """Return whether something was so short a time ago that what was told then needs nothing on top."""
    return now - at < timedelta(minutes=content.timing.just_told_minutes)


def is_fresh(content: Content, row: Escalation, now: datetime) -> bool:
    """Return whether a card is told for the first time, right after it was raised; such a card goes alone."""
    return row.told_at is None and is_just(content, row.raised_at, now)


async def due_together(
    store: Store, patient: Patient, content: Content, row: Escalation, kind: Kind, now: datetime
) -> list[Escalation]:
    """Return the grave matters whose card, or "what came of it?", is due with this one, the gravest first."""
    if is_fresh(content, row, now) or row.level < Level.URGENT:
        return [row]
    due = {number_of(one) for one in await store.owed_safety(patient.id, now) if one.kind is kind}
    standing = await store.open_escalations(patient.id)
    together = [row]
    for other in standing:
        alike = other.about_other == row.about_other and other.level >= Level.URGENT
        if other.id == row.id or other.id not in due or not alike or is_fresh(content, other, now):
            continue
        if _is_read(other) if kind is Kind.CARD else await card_is_near(store, content, other, standing, now):
            continue
        together.append(other)
    together.sort(key=lambda one: one.raised_at)
    return sorted(together, key=lambda one: gravity(content, one.rule, one.level), reverse=True)


async def card_is_near(
    store: Store, content: Content, row: Escalation, standing: list[Escalation], now: datetime
) -> bool:
    """Return whether the card itself is still owed, or was told a moment ago."""
    if row.acknowledged_at is None and not keeps_behind(row, standing):
        cards = await store.sending_for(row.patient_id, Kind.CARD, row.subject)
        if any(sent.state in UNDER_WAY for sent in cards):
            return True
    last = last_told(await store.events(row.id))
    return last is not None and is_just(content, last, now)


def last_told(events: list[EscalationEvent]) -> datetime | None:
    """Return when a card was last told, alone or in another one's message."""
    return max((event.at for event in events if event.what in TOLD), default=None)


async def note_together(store: Store, rows: list[Escalation], sending: Sending, now: datetime) -> None:
    """Remember that matters are named in the message of a sending that goes out now."""
    for row in rows:
        await store.note_event(row.id, TOGETHER, now, str(sending.id))


async def told_together(store: Store, patient: Patient, sending: Sending) -> list[Escalation]:
    """Return the open matters that the message of a sending named besides its own."""
    found = []
    for row in await store.open_escalations(patient.id):
        if row.level < Level.URGENT or row.id == number_of(sending):
            continue
        named = (
            event.what == TOGETHER and event.detail == str(sending.id) for event in await store.events(row.id)
        )
        if any(named):
            found.append(row)
    return found
