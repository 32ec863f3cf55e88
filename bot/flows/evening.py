"""The evening prompt: three parts that fit this person tonight, done, put off or declined with one tap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.flows import presence
from bot.flows.cards import follow_up, still_open
from bot.flows.escalation import FOLLOWED_UP, IN_THE_EVENING, Spoken
from bot.flows.facts import circumstances, signs_since
from bot.flows.precedence import gravity, is_just, last_told
from bot.flows.refusals import nobody, old_button
from bot.flows.schedule import current_night, is_silent, plan_prompts
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style
from bot.model import Escalation, Evening, Kind, Patient, Sending, State
from bot.rules.lifecycle import forbids_coaching, is_own_and_grave
from bot.rules.timing import prompt_useful_until
from bot.rules.tips import choose_pieces, withheld_techniques
from bot.storage.company import Company
from bot.storage.store import Store
from content.keeping import kept
from content.loader import Content
from content.schema import Timing
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
        return await _about_what_stands(store, patient, content, standing, now)
    evening = await _fit(store, patient, content, known or Evening(night))
    if not evening.pieces:
        return Spoken(None, "nothing fits")
    await store.save_evening(patient.id, evening, now)
    late = now - sending.was_due_at > timedelta(minutes=content.timing.late_after_minutes)
    return Spoken(
        page(content, evening, _greeting(sending.step > 0, late), silent=_is_silent(content, patient, now))
    )


async def _about_what_stands(
    store: Store, patient: Patient, content: Content, standing: list[Escalation], now: datetime
) -> Spoken:
    """Ask once in the evening what came of the gravest matter; later evenings have a short line about it."""
    own = [row for row in standing if is_own_and_grave(row)]
    grave = max(own, key=lambda row: gravity(content, row.rule, row.level))
    events = await store.events(grave.id)
    last = last_told(events)
    if last is None or is_just(content, last, now):
        return Spoken(None, "card instead")
    if any(event.what in (FOLLOWED_UP, IN_THE_EVENING) for event in events):
        return Spoken(still_open(content, patient, grave, now))
    await store.note_event(grave.id, IN_THE_EVENING, now)
    return Spoken(replace(follow_up(content, patient, grave, now), silent=False))


def _greeting(again: bool, late: bool) -> str:
    if again:
        return "prompt_greeting_again"
    return "prompt_greeting_late" if late else "prompt_greeting"


def _is_silent(content: Content, patient: Patient, now: datetime) -> bool:
    """Prompts before the wind-down sound, unless the person chose silence or has quiet hours."""
    local = now.astimezone(patient.tz).time()
    timing = content.timing
    return is_silent(patient, now) or not timing.quiet_until <= local < timing.sounds_before


async def foresee_prompts(
    services: Services,
    store: Company,
    going: Sequence[tuple[Patient, Sending]],
    now: datetime,  # as the other kinds have it
) -> None:
    """Read together what `render_prompt` asks of each."""
    alike: dict[tuple[date, date, date], list[int]] = {}
    for patient, sending in going:
        timing = services.content_for(patient).timing
        night = date.fromisoformat(sending.subject)
        spans = (night, _shown_since(timing, night), signs_since(timing, night))
        alike.setdefault(spans, []).append(patient.id)
    for spans, patient_ids in alike.items():
        await store.foresee_evenings(patient_ids, *spans)


def _shown_since(timing: Timing, night: date) -> date:
    return night - timedelta(days=timing.no_repeat_nights * 4)


async def _fit(store: Store, patient: Patient, content: Content, evening: Evening) -> Evening:
    """Keep what was offered and still suits, and choose a fitting piece for every other part."""
    night = evening.night
    shown = await store.shown_pieces(patient.id, _shown_since(content.timing, night))
    nights_ago = {piece: (night - last).days for piece, last in shown.items() if last < night}
    at = await circumstances(store, patient, content, night)
    fresh = choose_pieces(content, at, nights_ago, seed=f"{patient.id}:{night.isoformat()}")
    chosen: dict[str, str] = {str(part): piece for part, piece in fresh.items()}
    if evening.pieces:
        for piece in _suiting(content, evening, withheld_techniques(content, at)).pieces:
            chosen[content.pieces[piece].part] = piece
    return replace(evening, pieces=tuple(chosen[part] for part in PARTS if part in chosen))


def _suiting(content: Content, evening: Evening, withheld: frozenset[str]) -> Evening:
    """Return an evening without the pieces that have become wrong since, but for what is done."""

    def suits(name: str) -> bool:
        piece = content.pieces[name]
        return withheld.isdisjoint(piece.techniques + content.tips[piece.tip].techniques)

    known = [name for name in evening.pieces if name in content.pieces]
    return replace(
        evening,
        pieces=tuple(name for name in known if content.pieces[name].part in evening.done or suits(name)),
    )


async def _as_it_suits(
    services: Services, store: Store, patient: Patient, content: Content, evening: Evening
) -> Message:
    """Return the prompt as it reads now, without what must no longer be suggested."""
    at = await circumstances(store, patient, content, current_night(patient, services.clock()))
    return page(content, _suiting(content, evening, withheld_techniques(content, at)), "prompt_greeting")


def _offered(content: Content, evening: Evening) -> frozenset[str]:
    return frozenset(content.pieces[piece].part for piece in evening.pieces if piece in content.pieces)


async def prompts_told(
    services: Services, store: Store, told: Sequence[tuple[Patient, Sending]], now: datetime
) -> None:
    """Remember which messages hold the prompts, and plan tomorrow's."""
    ahead = []
    for patient, sending in told:
        if sending.message_id is not None:
            await store.place_evening(patient.id, date.fromisoformat(sending.subject), sending.message_id)
        ahead.append((patient, services.content_for(patient).timing, max(now, sending.due_at)))
    await plan_prompts(store, ahead)


# --- pages ---------------------------------------------------------------------------------------------


def page(content: Content, evening: Evening, greeting: str, silent: bool = False) -> Message:
    """Return the prompt as it reads now, done parts ticked."""
    words = content.words
    parts = [words.say(greeting)]
    parts += [_part(content, piece, content.pieces[piece].part in evening.done) for piece in evening.pieces]
    if _all_done(content, evening):
        parts.append(words.say("prompt_all_done"))
    return Message(Html("\n\n".join(parts)), _rows(content, evening), silent=silent)


@kept(1024)
def _part(content: Content, piece: str, done: bool) -> Html:
    words = content.words
    title = words.say(f"part_{content.pieces[piece].part}")
    return words.say("part_done" if done else "part_open", title=title, text=Html(content.piece_words[piece]))


@kept(1024)
def _label(content: Content, part: str, done: bool) -> str:
    words = content.words
    return words.plain("button_undo_part" if done else "button_did_part", part=words.plain(f"part_{part}"))


def _all_done(content: Content, evening: Evening) -> bool:
    offered = _offered(content, evening)
    return bool(offered) and offered <= evening.done


def _rows(content: Content, evening: Evening) -> Rows:
    shown = tuple(content.pieces[piece].part for piece in evening.pieces)
    return _rows_of(content, evening.night, shown, evening.done, _all_done(content, evening))


@kept(128)
def _rows_of(
    content: Content, night: date, shown: tuple[str, ...], ticked: frozenset[str], all_done: bool
) -> Rows:
    """Many have the same parts before them on one evening: their buttons are made once."""
    words = content.words
    rows: list[tuple[Button, ...]] = []
    for part in shown:
        done = part in ticked
        press = press_of(night, "undo" if done else "did", part)
        rows.append((Button(_label(content, part, done), press),))
    if all_done:
        return tuple(rows)
    if "stretch" in shown and "stretch" not in ticked:
        rows.append((Button(words.plain("button_guide"), press_of(night, "guide"), Style.MAIN),))
    later = Button(words.plain("button_later"), press_of(night, "later"))
    rows.append((later, Button(words.plain("button_not_tonight"), press_of(night, "not"))))
    return tuple(rows)


def _back_row(content: Content, evening: Evening) -> tuple[Button, ...]:
    return (Button(content.words.plain("button_back"), press_of(evening.night, "back")),)


def _snooze_rows(content: Content, evening: Evening) -> Rows:
    words = content.words
    choices = tuple(
        Button(words.plain("minutes", n=minutes), press_of(evening.night, "snooze", str(minutes)))
        for minutes in content.timing.snooze_minutes
    )
    return (choices, _back_row(content, evening))


# --- presses -------------------------------------------------------------------------------------------


async def press(services: Services, chat_id: int, night: date, verb: str, detail: str) -> Reply:
    """Record one press of an evening's prompt: did, undo, later, snooze, back, not."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return nobody(services.content(None))
        reply = await _pressed(services, store, patient, night, verb, detail)
        return replace(reply, here=await presence.minding(store, patient, services.clock()))


async def _pressed(
    services: Services, store: Store, patient: Patient, night: date, verb: str, detail: str
) -> Reply:
    content = services.content_for(patient)
    evening = await store.evening(patient.id, night)
    after = None if evening is None else _after(evening, verb, detail)
    over = verb in ("later", "snooze") and night != current_night(patient, services.clock())
    if evening is None or after is None or over:
        return old_button(content)
    if after != evening:
        await store.save_evening(patient.id, after, services.clock())
    if verb == "snooze":
        return await _snooze(services, store, patient, after, detail)
    if verb in ("not", "back"):
        reason = "declined" if verb == "not" else "opened again"
        await store.drop_ready(patient.id, (Kind.PROMPT,), reason, subject=night.isoformat())
    if verb == "not":
        return Reply(edit=Message(content.words.say("not_tonight"), (_back_row(content, after),)))
    message = await _as_it_suits(services, store, patient, content, after)
    if verb == "later":
        message = replace(message, rows=_snooze_rows(content, after))
    notice = content.words.plain("notice_done") if verb == "did" else ""
    return Reply(edit=message, notice=notice)


def _after(evening: Evening, verb: str, detail: str) -> Evening | None:
    """Return the evening after a press, or None for a press that means nothing."""
    if verb == "did" and detail in PARTS:
        return replace(evening, done=evening.done | {detail})
    if verb == "undo" and detail in PARTS:
        return replace(evening, done=evening.done - {detail})
    if verb == "not":
        return replace(evening, declined=True)
    return replace(evening, declined=False) if verb in ("back", "snooze", "later") else None


async def _snooze(services: Services, store: Store, patient: Patient, evening: Evening, detail: str) -> Reply:
    content = services.content_for(patient)
    minutes = next((one for one in content.timing.snooze_minutes if str(one) == detail), None)
    if minutes is None:
        return old_button(content)
    subject = evening.night.isoformat()
    told = await store.sending_for(patient.id, Kind.PROMPT, subject)
    waiting = [sending.step for sending in told if sending.step and sending.state == State.READY]
    step = waiting[0] if waiting else max((sending.step for sending in told), default=0) + 1
    due = services.clock() + timedelta(minutes=minutes)
    until = prompt_useful_until(due, content.timing)
    await store.plan(patient.id, Kind.PROMPT, subject, step, due, until)
    services.wake()
    at = content.words.time(due.astimezone(patient.tz).time())
    return Reply(edit=Message(content.words.say("snoozed", at=at), (_back_row(content, evening),)))


# --- the routine's end ---------------------------------------------------------------------------------

ROUTINE_MARKS = {"yes": frozenset({"stretch"}), "partly": frozenset({"stretch_partly"})}


async def record_routine(services: Services, chat_id: int, night: date, how: str) -> Message:
    """Record the stretch routine of one night as done ("yes", "partly") or not ("no")."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return Message(content.words.say("routine_unrecorded"))
        evening = await store.evening(patient.id, night) or Evening(night)
        done = evening.done - frozenset().union(*ROUTINE_MARKS.values()) | ROUTINE_MARKS.get(how, frozenset())
        await store.save_evening(patient.id, replace(evening, done=done), services.clock())
        return Message(content.words.say(f"routine_{how if how in ROUTINE_MARKS else 'no'}"))


async def standing_prompt(services: Services, chat_id: int, night: date) -> tuple[int, Message] | None:
    """Return the message that holds a night's prompt and how it reads now; None when it shows none."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        evening = await store.evening(patient.id, night) if patient else None
        if patient is None or evening is None or evening.declined or evening.message_id is None:
            return None
        told = await store.sending_for(patient.id, Kind.PROMPT, night.isoformat())
        if any(sending.step and sending.state == State.READY for sending in told):
            return None
        content = services.content_for(patient)
        return evening.message_id, await _as_it_suits(services, store, patient, content, evening)
