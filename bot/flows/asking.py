"""Exact questions: owed like a card, put at once, and taken as a yes when nobody answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.flows.cards import MISTAP, UNANSWERED, cycle_of, question_message, words_of
from bot.flows.escalation import Raised, Spoken, close, raise_findings, tell_anew
from bot.flows.pages import page
from bot.flows.precedence import gravity, number_of, waits_for_graver
from bot.flows.refusals import old_button
from bot.flows.schedule import is_quiet, next_morning
from bot.flows.services import Services
from bot.messages import Message, Reply
from bot.model import Asking, Escalation, Facts, Finding, Kind, Patient, Sending, State
from bot.rules.hearing import flag_codes, hangs_on_one_answer, sign_codes
from bot.rules.lifecycle import is_own_and_grave
from bot.rules.triage import YES, finding_for, judge
from bot.storage.store import Store
from content.loader import Content
from content.pattern_shapes import Pattern
from content.schema import Level
from content.words import Html

WORDS = "words"
PATTERN = "pattern"  # begins the reason of a question that a pattern led to
LONGEST_BECAUSE = 64  # characters of the short name of what led to a question
KEPT_CODES = ("sign", "flag", "feeling", "helped")
LEG = "leg:"  # begins the code of a leg that was named in the words that led to a question
UNSURE = "unsure"
LATE = "raised"  # nobody answered in time
GRAVER = "graver"  # not put: an emergency came in between


def because_of(said: Iterable[str]) -> str:
    """Return what led to a question as one short name for it, e.g. `words:sign:fever,flag:diabetes`."""
    text = f"{WORDS}:"
    for code in said:
        if code.startswith(("sign:", "flag:")) and len(text) + len(code) < LONGEST_BECAUSE:
            text += code if text.endswith(f"{WORDS}:") else f",{code}"
    return text


def told_codes(said: Iterable[str], leg: str = "") -> tuple[str, ...]:
    """Return what is kept of it beside its question: signs, flags, answers of a night, and a leg named."""
    kept = dict.fromkeys(code for code in said if code.partition(":")[0] in KEPT_CODES)
    return (*kept, f"{LEG}{leg}") if leg else tuple(kept)


def codes_behind(content: Content, asking: Asking) -> tuple[str, ...]:
    """Return the evidence codes that led to a question."""
    if asking.codes:
        return asking.codes
    kind, _, rest = asking.because.partition(":")
    if kind == WORDS:
        return tuple(code for code in rest.split(",") if code)
    options = content.questions["signs"].options
    return tuple(f"sign:{sign}" for option in options if option.code == rest for sign in option.signs)


async def put_question(
    services: Services,
    store: Store,
    patient: Patient,
    night: date,
    because: str,
    rules: Sequence[str],
    about_other: bool,
    origin: str,
    codes: Iterable[str] = (),
    wait: timedelta = timedelta(),
) -> Asking | None:
    """Owe the exact question of one or several rows at once, in place of an open one that it covers.

    *codes* are the evidence that led to it; with a *wait* something else is said first.
    """
    now = services.clock()
    standing = await store.open_askings(patient.id)
    asking, created = await store.ask(
        patient.id, night, because, tuple(rules), about_other, origin, now, tuple(codes)
    )
    if not created:
        return None
    for old in standing:
        if _covers(asking, old):
            await store.answer_asking(old.id, "again", now)
    await store.plan(patient.id, Kind.QUESTION, asking.subject, 0, now + wait)
    return asking


async def was_put(store: Store, asking: Asking) -> bool:
    """Return whether a question may have reached the chat."""
    sent = await store.sending_for(asking.patient_id, Kind.QUESTION, asking.subject)
    return any(one.state not in (State.READY, State.DROPPED) for one in sent)


async def drop_row(services: Services, store: Store, patient: Patient, asking: Asking, rule: str) -> None:
    """Answer one row of an open question with no; the others are still owed an answer."""
    await store.answer_asking(asking.id, "no", services.clock())
    rest = [one for one in asking.rules if one != rule]
    if rest:
        codes = codes_behind(services.content_for(patient), asking)
        origin = f"rest:{asking.id}"
        await put_question(
            services, store, patient, asking.night, asking.because, rest, asking.about_other, origin, codes
        )


def _covers(asking: Asking, old: Asking) -> bool:
    """Return whether a question replaces an older one for the same reason: it asks all that was left open.

    A pattern's question always replaces the one before.
    """
    same = (asking.because, asking.about_other) == (old.because, old.about_other)
    return same and (_is_of_pattern(asking) or set(old.rules) <= set(asking.rules))


def _is_of_pattern(asking: Asking) -> bool:
    return asking.because.startswith(f"{PATTERN}:")


def _pattern_behind(content: Content, asking: Asking) -> Pattern | None:
    """The pattern that led to a question, if one did."""
    kind, _, rule = asking.because.partition(":")
    return content.patterns.get(rule) if kind == PATTERN else None


async def render_question(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render an exact question; unanswered until its second step it becomes the card of its highest row.

    A pattern that sets no level by itself has its question asked once more, and no card comes of silence.
    """
    asking = await store.asking(number_of(sending))
    if asking is None or asking.answered_at is not None:
        return Spoken(None, "answered")
    content = services.content_for(patient)
    pattern = _pattern_behind(content, asking)
    light = pattern is not None and pattern.sets_no_level
    if sending.step and not light:
        rule = await _in_doubt(store, patient, content, asking)
        await _take_as(services, store, patient, asking, rule, LATE, f"late:{asking.id}")
        services.wake()
        return Spoken(None, "became a card")
    level = content.red_flags[asking.rules[0]].level
    if pattern is not None and level < Level.EMERGENCY and await has_emergency(store, patient):
        if not sending.step:  # one that was put keeps its buttons
            await store.answer_asking(asking.id, GRAVER, now)
        return Spoken(None, "graver")
    if await waits_for_graver(store, patient, content, gravity(content, asking.rules[0], level), now):
        return Spoken(None, waits=True)
    message = question_message(content, patient, asking, now.date())
    return Spoken(replace(message, silent=light and is_quiet(patient, now)))


async def has_emergency(store: Store, patient: Patient) -> bool:
    """Return whether an emergency of the patient's own is open: no further question of a lower level then."""
    rows = await store.open_escalations(patient.id)
    return any(is_own_and_grave(row) and row.level >= Level.EMERGENCY for row in rows)


async def question_told(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    """Plan the moment at which silence is taken as a yes; a card that stands anyway waits for an answer."""
    asking = await store.asking(number_of(sending))
    if asking is None or asking.answered_at is not None or asking.because.startswith(f"{MISTAP}:"):
        return
    content = services.content_for(patient)
    pattern = _pattern_behind(content, asking)
    if pattern is not None and pattern.sets_no_level:
        if not sending.step:
            await store.plan(patient.id, Kind.QUESTION, sending.subject, 1, next_morning(patient, now))
        return
    minutes = cycle_of(content, asking.rules[0]).question_timeout_minutes
    late = now + timedelta(minutes=minutes) if minutes else next_morning(patient, now)
    await store.plan(patient.id, Kind.QUESTION, sending.subject, 1, late)


# --- answers -------------------------------------------------------------------------------------------


async def answer(services: Services, chat_id: int, asking_id: int, answer: str, origin: str) -> Reply:
    """Record the answer to an exact question: yes and "not sure" raise the row, no rules it out."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        asking = await store.asking(asking_id)
        if patient is None or asking is None or asking.patient_id != patient.id:
            return old_button(services.content_of(patient))
        content = services.content_for(patient)
        if answer == "no":
            if not await store.answer_asking(asking.id, "no", services.clock()):
                return Reply(notice=content.words.plain("notice_answered"))
            return await _ruled_out(services, store, patient, asking, origin)
        rule = await _in_doubt(store, patient, content, asking) if answer == UNSURE else answer
        if rule not in asking.rules:
            return old_button(content)
        raised = await _take_as(services, store, patient, asking, rule, answer, f"{origin}:{asking.id}")
        line = Html(words_of(content, rule, asking.about_other).line)
        done = Html(f"{content.words.say('question_taken')}\n\n{line}")
        return Reply(edit=Message(done), messages=raised.messages(content, patient, services.clock().date()))


async def _in_doubt(store: Store, patient: Patient, content: Content, asking: Asking) -> str:
    """Return the row that speaks when nobody knows which: of the highest one's equals in its topic the first.

    One that hangs on a profile question nobody answered ("pregnant, and a swollen calf") stands back.
    """
    first = content.red_flags[asking.rules[0]]
    flags = {flag: answer.yes for flag, answer in (await store.profile(patient.id)).items()}
    flags |= dict.fromkeys(flag_codes(codes_behind(content, asking)), True)
    for rule in asking.rules:
        equal = content.red_flags[rule]
        alike = (equal.level, equal.topic) == (first.level, first.topic)
        if alike and not hangs_on_one_answer(content, rule, flags):
            return rule
    return asking.rules[0]


async def _take_as(
    services: Services, store: Store, patient: Patient, asking: Asking, rule: str, answer: str, origin: str
) -> Raised:
    content = services.content_for(patient)
    await store.answer_asking(asking.id, answer, services.clock())
    old = await _mistaken(store, asking)
    if old is not None and old.is_open:
        await tell_anew(services, store, patient, old)
        return Raised()
    finding = _answered(content, asking, rule, answer)
    return await raise_findings(
        services, store, patient, (finding,), asking.night, origin, asking.about_other
    )


def _answered(content: Content, asking: Asking, rule: str, answer: str) -> Finding:
    """The finding of a row whose exact question was answered; the answer itself is evidence."""
    found = codes_behind(content, asking)
    leg = next((code.removeprefix(LEG) for code in found if code.startswith(LEG)), None)
    codes = [code for code in found if not code.startswith(LEG)]
    signs = dict.fromkeys(sign_codes(codes) or (asking.because,), UNSURE if answer in (UNSURE, LATE) else YES)
    finding = finding_for(content, rule, Facts(signs=signs, side=leg))
    late = (UNANSWERED,) if answer == LATE else ()
    evidence = tuple(dict.fromkeys((*codes, f"asked:{rule}", *late)))
    return replace(finding, evidence=evidence, names_leg=leg is not None)


async def _mistaken(store: Store, asking: Asking) -> Escalation | None:
    """The escalation that a question about a mis-tap is about."""
    kind, _, number = asking.because.partition(":")
    return await store.escalation(int(number)) if kind == MISTAP and number.isdigit() else None


async def _ruled_out(
    services: Services, store: Store, patient: Patient, asking: Asking, origin: str
) -> Reply:
    content = services.content_for(patient)
    old = await _mistaken(store, asking)
    if old is not None:
        return await _believe(services, store, patient, asking, old, origin)
    codes = codes_behind(content, asking)
    left = await _left_by(store, patient, content, asking.night, codes, asking.about_other)
    rest = await _unanswered(store, content, asking, left)
    if rest:
        because = asking.because
        await put_question(
            services, store, patient, asking.night, because, rest, asking.about_other, f"{origin}:rest", codes
        )
    elif not asking.about_other:
        await _raise_lower(services, store, patient, asking.night, left, f"{origin}:{asking.id}")
    return Reply(edit=Message(content.words.say("question_ruled_out")))


async def _left_by(
    store: Store,
    patient: Patient,
    content: Content,
    night: date,
    codes: Sequence[str],
    about_other: bool,
) -> tuple[Finding, ...]:
    """Return what evidence shows without the rows that were answered no this night, highest first."""
    asked = [one for one in await store.askings(patient.id, night) if one.night == night]
    denied = {
        rule for one in asked if one.answer == "no" and one.about_other == about_other for rule in one.rules
    }
    flags = dict.fromkeys(flag_codes(codes), True)
    if not about_other:
        flags = {flag: answer.yes for flag, answer in (await store.profile(patient.id)).items()} | flags
    facts = Facts(
        signs=dict.fromkeys(sign_codes(codes), YES),
        flags=flags,
        feeling=_named(codes, "feeling"),
        helped=_named(codes, "helped"),
    )
    possible = {
        rule: red_flag
        for rule, red_flag in content.red_flags.items()
        if rule not in denied
        and not any(flags.get(flag) and row in denied for flag, row in red_flag.asks_first.items())
    }
    found = judge(replace(content, red_flags=possible), facts)
    return tuple(finding for finding in found if not set(finding.evidence).isdisjoint(codes))


def _named(codes: Iterable[str], kind: str) -> frozenset[str]:
    return frozenset(code.partition(":")[2] for code in codes if code.startswith(f"{kind}:"))


async def _unanswered(
    store: Store,
    content: Content,
    about: Asking | Escalation,
    left: Iterable[Finding],
    asked: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return the grave rows to ask the same person about next: neither standing nor asked about already."""
    standing = [
        row for row in await store.open_escalations(about.patient_id) if row.about_other == about.about_other
    ]
    waiting = {
        rule
        for one in await store.open_askings(about.patient_id)
        if one.about_other == about.about_other
        for rule in one.rules
    }
    rules = dict.fromkeys((*asked, *(one.rule for one in left if one.level >= Level.URGENT)))
    rest = [
        rule
        for rule in rules
        if rule not in waiting
        and not any(
            row.topic == content.red_flags[rule].topic and row.level >= content.red_flags[rule].level
            for row in standing
        )
    ]
    return tuple(sorted(rest, key=lambda rule: -content.red_flags[rule].level))


async def _raise_lower(
    services: Services, store: Store, patient: Patient, night: date, left: Iterable[Finding], origin: str
) -> None:
    lower = [finding for finding in left if finding.level < Level.URGENT]
    await raise_findings(services, store, patient, lower, night, origin)


# --- a mis-tap -----------------------------------------------------------------------------------------


async def _believe(
    services: Services, store: Store, patient: Patient, asking: Asking, old: Escalation, origin: str
) -> Reply:
    """The exact question was answered no: settle the matter, as far as its row allows."""
    content = services.content_for(patient)
    if not old.is_open:
        return Reply(edit=Message(content.words.say("mistap_settled")))
    await store.note_event(old.id, "ruled_out", services.clock())
    if MISTAP not in cycle_of(content, old.rule).ends_on:
        await _acknowledge(services, store, old)
        return Reply(edit=Message(content.words.say("mistap_despair")))
    if await _days_ruled_out(store, patient, old) < mistap_days(content, old.rule):
        await _acknowledge(services, store, old)
        await _ask_again_tomorrow(services, store, patient, old, origin)
        return Reply(edit=Message(content.words.say("mistap_again")))
    await close(services, store, patient, old, MISTAP)
    await _ask_the_rest(services, store, patient, old, origin)
    settled = Message(content.words.say("mistap_settled"))
    return Reply(edit=settled, refresh=await _night_as_it_reads(store, patient, content, old))


def mistap_days(content: Content, rule: str) -> int:
    """Return on how many days the exact question of a row is answered no before a mis-tap is believed."""
    return content.red_flags[rule].mistap_days if rule in content.red_flags else 1


async def _night_as_it_reads(
    store: Store, patient: Patient, content: Content, old: Escalation
) -> tuple[int, Message] | None:
    """The check-in's message of that night, which may still show the sign that was taken back."""
    checkin = await store.checkin(patient.id, old.night)
    if checkin is None or checkin.message_id is None:
        return None
    return checkin.message_id, page(content, patient, checkin)


async def _acknowledge(services: Services, store: Store, row: Escalation) -> None:
    now = services.clock()
    await store.change_escalation(row.id, acknowledged_at=row.acknowledged_at or now)
    await store.drop_ready(row.patient_id, (Kind.CARD,), "acknowledged", subject=row.subject)


async def _days_ruled_out(store: Store, patient: Patient, row: Escalation) -> int:
    events = await store.events(row.id)
    return len({patient.day_of(one.at) for one in events if one.what == "ruled_out"})


async def _ask_again_tomorrow(
    services: Services, store: Store, patient: Patient, row: Escalation, origin: str
) -> None:
    now = services.clock()
    again, _ = await store.ask(
        patient.id, row.night, f"{MISTAP}:{row.id}", (row.rule,), row.about_other, f"{origin}:tomorrow", now
    )
    tomorrow = next_morning(patient, now)
    if patient.day_of(tomorrow) == patient.day_of(now):
        tomorrow = next_morning(patient, now, days=2)
    await store.plan(patient.id, Kind.QUESTION, again.subject, 0, tomorrow)


async def _ask_the_rest(
    services: Services, store: Store, patient: Patient, old: Escalation, origin: str
) -> None:
    """Ask what nobody has answered besides a row that is taken back; else say what can wait."""
    content = services.content_for(patient)
    left = await _left_by(store, patient, content, old.night, old.evidence, old.about_other)
    source = await _source_of(store, old)
    others = [rule for rule in source.rules if rule != old.rule] if source is not None else []
    rest = await _unanswered(store, content, old, left, others)
    if rest:
        because = source.because if source is not None else because_of(old.evidence)
        codes = codes_behind(content, source) if source is not None else told_codes(old.evidence)
        await put_question(
            services, store, patient, old.night, because, rest, old.about_other, f"{origin}:rest", codes
        )
    elif not await _take_back_sign(services, store, patient, old) and not old.about_other:
        await _raise_lower(services, store, patient, old.night, left, f"{origin}:{old.id}")


async def _source_of(store: Store, row: Escalation) -> Asking | None:
    """The question whose answer, or silence, raised a row."""
    if f"asked:{row.rule}" not in row.evidence:
        return None
    asked = [
        one
        for one in await store.askings(row.patient_id, row.night)
        if (one.night, one.about_other) == (row.night, row.about_other)
        and row.rule in one.rules
        and one.answer in (row.rule, UNSURE, LATE)
        and one.answered_at is not None
        and one.answered_at <= row.raised_at
        and not one.because.startswith(f"{MISTAP}:")
    ]
    return asked[-1] if asked else None


async def _take_back_sign(services: Services, store: Store, patient: Patient, row: Escalation) -> bool:
    """A sign that was a mis-tap leaves the night's check-in and does not ring again; say if one did."""
    checkin = await store.checkin(patient.id, row.night)
    if checkin is None or row.about_other:
        return False
    signs = set(sign_codes(row.evidence))
    options = {option.code: option for option in services.content_for(patient).questions["signs"].options}
    kept = {
        code: value
        for code, value in checkin.signs.items()
        if code not in options or not (signs & set(options[code].signs) or row.rule in options[code].rows)
    }
    if kept != dict(checkin.signs):
        await store.save_checkin(
            patient.id, checkin, replace(checkin, signs=kept), services.clock(), checkin.origin
        )
        return True
    return False
