"""The evening prompt: three parts that fit this person tonight, done, put off or declined with one tap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.flows.escalation import Spoken, follow_up
from bot.flows.facts import circumstances
from bot.flows.schedule import plan_prompt
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style
from bot.model import Evening, Kind, Patient, Sending
from bot.rules.lifecycle import forbids_coaching
from bot.rules.tips import choose_pieces
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

PARTS = ("drink", "stretch", "wind_down")


def press_of(night: date, *parts: str) -> str:
    """Return what a button of one evening carries, e.g. `ev:261121:did:drink`."""
    return ":".join(["ev", night.strftime("%y%m%d"), *parts])


async def render_prompt(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render tonight's prompt; while something grave is open, its follow-up and nothing else."""
    content = services.content_for(patient)
    night = date.fromisoformat(sending.subject)
    known = await store.evening(patient.id, night)
    if known is not None and (known.declined or (sending.step and known.done >= _offered(content, known))):
        return Spoken(None, "answered")
    standing = await store.open_escalations(patient.id)
    if forbids_coaching(standing):
        grave = max(standing, key=lambda row: row.level)
        return Spoken(replace(follow_up(content, patient, grave, now), silent=False))
    evening = known if known is not None and known.pieces else await _choose(store, patient, content, night)
    if not evening.pieces:
        return Spoken(None, "nothing fits")
    await store.save_evening(patient.id, evening, now)
    late = now - sending.due_at > timedelta(minutes=content.timing.late_after_minutes)
    return Spoken(
        page(content, evening, _greeting(sending.step > 0, late), silent=_is_silent(content, patient, now))
    )


def _greeting(again: bool, late: bool) -> str:
    if again:
        return "prompt_greeting_again"
    return "prompt_greeting_late" if late else "prompt_greeting"


def _is_silent(content: Content, patient: Patient, now: datetime) -> bool:
    """Prompts before the wind-down sound, unless the person chose silence."""
    local = now.astimezone(patient.tz).time()
    return patient.silent or not patient.times.quiet_until <= local < content.timing.sounds_before


async def _choose(store: Store, patient: Patient, content: Content, night: date) -> Evening:
    since = night - timedelta(days=content.timing.no_repeat_nights * 4)
    shown = await store.shown_pieces(patient.id, since)
    nights_ago = {piece: (night - last).days for piece, last in shown.items() if last < night}
    at = await circumstances(store, patient, content, night)
    chosen = choose_pieces(content, at, nights_ago, seed=f"{patient.id}:{night.isoformat()}")
    return Evening(night, tuple(chosen[part] for part in PARTS if part in chosen))


def _offered(content: Content, evening: Evening) -> frozenset[str]:
    return frozenset(content.pieces[piece].part for piece in evening.pieces if piece in content.pieces)


async def prompt_told(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    """Remember which message holds the prompt, and plan tomorrow's."""
    night = date.fromisoformat(sending.subject)
    evening = await store.evening(patient.id, night)
    if evening is not None and sending.message_id is not None:
        await store.save_evening(patient.id, replace(evening, message_id=sending.message_id), now)
    await plan_prompt(store, patient, services.content_for(patient).timing, max(now, sending.due_at))


# --- pages ---------------------------------------------------------------------------------------------


def page(content: Content, evening: Evening, greeting: str, silent: bool = False) -> Message:
    """Return the prompt as it reads now, done parts ticked."""
    words = content.words
    parts = [words.say(greeting)]
    for piece in evening.pieces:
        part = content.pieces[piece].part
        mark = "part_done" if part in evening.done else "part_open"
        parts.append(words.say(mark, title=words.say(f"part_{part}"), text=Html(content.piece_words[piece])))
    return Message(Html("\n\n".join(parts)), _rows(content, evening), silent=silent)


def _rows(content: Content, evening: Evening) -> Rows:
    words = content.words
    rows: list[tuple[Button, ...]] = []
    for piece in evening.pieces:
        part = content.pieces[piece].part
        done = part in evening.done
        label = words.plain(
            "button_undo_part" if done else "button_did_part", part=words.plain(f"part_{part}")
        )
        rows.append((Button(label, press_of(evening.night, "undo" if done else "did", part)),))
    if any(content.pieces[piece].part == "stretch" for piece in evening.pieces):
        rows.append((Button(words.plain("button_guide"), press_of(evening.night, "guide"), Style.MAIN),))
    later = Button(words.plain("button_later"), press_of(evening.night, "later"))
    rows.append((later, Button(words.plain("button_not_tonight"), press_of(evening.night, "not"))))
    return tuple(rows)


def _snooze_page(content: Content, evening: Evening) -> Message:
    words = content.words
    choices = tuple(
        Button(words.plain("minutes", n=minutes), press_of(evening.night, "snooze", str(minutes)))
        for minutes in content.timing.snooze_minutes
    )
    back = Button(words.plain("button_back"), press_of(evening.night, "back"))
    return Message(page(content, evening, "prompt_greeting").text, (choices, (back,)))


# --- presses -------------------------------------------------------------------------------------------


async def press(services: Services, chat_id: int, night: date, verb: str, detail: str) -> Reply:
    """Record one press of an evening's prompt: did, undo, later, snooze, back, not."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return Reply(notice=services.content(None).words.plain("notice_nobody"), alert=True)
        content = services.content_for(patient)
        evening = await store.evening(patient.id, night)
        if evening is None:
            return Reply(notice=content.words.plain("notice_old_button"), alert=True)
        if verb == "snooze" and detail.isdigit():
            return await _snooze(services, store, patient, evening, int(detail))
        if verb == "later":
            return Reply(edit=_snooze_page(content, evening))
        after = _after(evening, verb, detail)
        if after is None:
            return Reply(notice=content.words.plain("notice_old_button"), alert=True)
        if after != evening:
            await store.save_evening(patient.id, after, services.clock())
        if verb == "not":
            await store.drop_ready(patient.id, (Kind.PROMPT,), "declined", subject=night.isoformat())
            return Reply(edit=Message(content.words.say("not_tonight")))
        notice = content.words.plain("notice_done") if verb == "did" else ""
        return Reply(edit=page(content, after, "prompt_greeting"), notice=notice)


def _after(evening: Evening, verb: str, detail: str) -> Evening | None:
    if verb == "did" and detail in PARTS:
        return replace(evening, done=evening.done | {detail})
    if verb == "undo" and detail in PARTS:
        return replace(evening, done=evening.done - {detail})
    if verb == "not":
        return replace(evening, declined=True)
    return evening if verb == "back" else None


async def _snooze(
    services: Services, store: Store, patient: Patient, evening: Evening, minutes: int
) -> Reply:
    content = services.content_for(patient)
    if minutes not in content.timing.snooze_minutes:
        return Reply(notice=content.words.plain("notice_old_button"), alert=True)
    now = services.clock()
    subject = evening.night.isoformat()
    told = await store.sending_for(patient.id, Kind.PROMPT, subject)
    waiting = [sending.step for sending in told if sending.step and sending.state == "ready"]
    step = waiting[0] if waiting else max((sending.step for sending in told), default=0) + 1
    due = now + timedelta(minutes=minutes)
    useful = timedelta(minutes=content.timing.prompt_useful_minutes)
    await store.plan(patient.id, Kind.PROMPT, subject, step, due, due + useful)
    services.wake()
    at = content.words.time(due.astimezone(patient.tz).time())
    return Reply(edit=Message(content.words.say("snoozed", at=at)))


async def record_routine(services: Services, chat_id: int, night: date, how: str) -> Reply:
    """Record the stretch routine of one night as done ("yes", "partly") or not ("no")."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return Reply(notice=services.content(None).words.plain("notice_nobody"), alert=True)
        content = services.content_for(patient)
        now = services.clock()
        evening = await store.evening(patient.id, night) or Evening(night)
        marks = {"yes": frozenset({"stretch"}), "partly": frozenset({"stretch_partly"})}.get(how, frozenset())
        await store.save_evening(
            patient.id, replace(evening, done=(evening.done - {"stretch", "stretch_partly"}) | marks), now
        )
        return Reply(
            edit=Message(content.words.say(f"routine_{how}" if how in ("yes", "partly") else "routine_no"))
        )
