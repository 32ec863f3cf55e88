"""Red flags with a memory: a row before it is a message, told until acknowledged, asked about until settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.flows import numbers
from bot.flows.schedule import next_morning
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, Style
from bot.model import Asking, Escalation, Facts, Finding, Kind, Outcome, Patient, Sending
from bot.rules import lifecycle
from bot.rules.triage import finding_for, withheld
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level, Lifecycle
from content.words import Html


@dataclass(frozen=True)
class Spoken:
    """A rendered sending: the message, or the reason why it is not said."""

    message: Message | None
    reason: str = ""


def subject_of(escalation: Escalation) -> str:
    """Return the sendings' subject for one escalation."""
    return f"escalation:{escalation.id}"


async def raise_findings(
    services: Services,
    store: Store,
    patient: Patient,
    findings: Iterable[Finding],
    night: date,
    origin: str,
    about_other: bool = False,
) -> list[Escalation]:
    """Write a row for each finding and owe its card at once; return the escalations that now speak.

    One topic and side has one card: a higher level replaces a lower one; the same again is told again
    unless it was told for this very night.
    """
    now = services.clock()
    content = services.content_for(patient)
    speaking: list[Escalation] = []
    standing = await store.open_escalations(patient.id)
    for finding in findings:
        same = [old for old in standing if _same_matter(old, finding, about_other)]
        if lifecycle.already_told(same, finding, night):
            continue
        words = card_text(content, patient, finding.rule, finding.level, now.date())
        row, created = await store.raise_escalation(
            patient.id, finding, night, about_other, origin, words, content.version, now
        )
        if not created:
            continue
        for old in same:
            await _close(store, old, "superseded", now)
        await store.note_event(row.id, "raised", now)
        await store.plan(patient.id, Kind.CARD, subject_of(row), 0, now)
        await _plan_follow_up(store, patient, content, row, 0, now)
        speaking.append(row)
    if speaking:
        services.wake()
    return speaking


def _same_matter(old: Escalation, finding: Finding, about_other: bool) -> bool:
    sides = {old.side, finding.side}
    same_side = len(sides) == 1 or None in sides
    return old.topic == finding.topic and same_side and old.about_other == about_other


# --- words ---------------------------------------------------------------------------------------------


def card_text(content: Content, patient: Patient | None, rule: str, level: Level, today: date) -> Html:
    """Return the fixed card: action, reason, number, what not to do."""
    words = content.red_flag_words[rule]
    lifetime = content.red_flags[rule].lifetime
    parts = [
        Html(f"<b>{words.action}</b>"),
        Html(words.why),
        _who_to_call(content, patient, lifetime, level, today),
    ]
    if words.do_not:
        parts.append(Html(words.do_not))
    if level >= Level.URGENT:
        parts.append(content.words.say("card_foot"))
    return Html("\n\n".join(parts))


def _who_to_call(content: Content, patient: Patient | None, lifetime: str, level: Level, today: date) -> Html:
    emergency = numbers.emergency_block(content, patient, today)
    if lifetime == "despair":
        crisis = numbers.crisis_block(content, patient, today)
        return content.words.say("card_numbers_despair", crisis=crisis, emergency=emergency)
    if level is Level.EMERGENCY:
        return content.words.say("card_numbers_emergency", emergency=emergency)
    health = numbers.health_block(content, patient, today)
    if level is Level.URGENT:
        return content.words.say("card_numbers_urgent", health=health, emergency=emergency)
    return content.words.say("card_numbers_later", health=health)


def _is_despair(content: Content, rule: str) -> bool:
    return content.red_flags[rule].lifetime == "despair"


def _card_rows(content: Content, patient: Patient, row: Escalation, today: date) -> Rows:
    def button(key: str, what: Outcome, style: Style = Style.PLAIN) -> tuple[Button, ...]:
        return (Button(content.words.plain(key), f"es:{row.id}:{what}", style),)

    going = (
        button("button_safe", Outcome.SAFE, Style.GOOD)
        if _is_despair(content, row.rule)
        else button("button_going", Outcome.GOING, Style.GOOD)
    )
    rows = [button("button_read", Outcome.READ), going, button("button_mistap", Outcome.MISTAP)]
    if row.level >= Level.URGENT:
        rows.insert(0, (numbers.call_button(content, patient, today),))
    return (*rows, why_row(content, row))


def why_row(content: Content, row: Escalation) -> tuple[Button, ...]:
    """Return the button that shows which answers and which rule led to a card."""
    return (Button(content.words.plain("button_why"), f"es:{row.id}:why"),)


# --- sendings: rendered at the moment they go out ------------------------------------------------------


async def render_card(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render a card that is owed, first or repeated; nothing once the matter is settled or acknowledged."""
    row = await _row_of(store, sending)
    if row is None or not row.is_open:
        return Spoken(None, "settled")
    if sending.step and row.acknowledged_at:
        return Spoken(None, "acknowledged")
    content = services.content_for(patient)
    text = card_text(content, patient, row.rule, row.level, now.date())
    if sending.attempts and not sending.step:
        text = Html(f"{text}\n\n{content.words.say('sent_again')}")
    if sending.step:
        cycle = _cycle(content, row)
        last = sending.step == len(cycle.repeat_minutes)
        lead = _repeat_lead(content, row, last)
        text = Html(f"{lead}\n\n{text}")
    await store.change_escalation(row.id, words=str(text), content_version=content.version)
    silent = row.level < Level.URGENT
    return Spoken(Message(text, _card_rows(content, patient, row, now.date()), silent=silent))


def _repeat_lead(content: Content, row: Escalation, last: bool) -> Html:
    if _is_despair(content, row.rule):
        return content.words.say("card_repeat_despair")
    return content.words.say("card_repeat_last" if last else "card_repeat")


async def card_told(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    """Remember that a card reached the chat, and plan its repeat until somebody acknowledges it."""
    row = await _row_of(store, sending)
    if row is None:
        return
    await store.note_event(row.id, "told" if sending.step == 0 else "told_again", now)
    first_told = row.told_at or now
    if row.told_at is None:
        await store.change_escalation(row.id, told_at=now)
    if row.is_open and row.acknowledged_at is None:
        cycle = _cycle(services.content_for(patient), row)
        at = lifecycle.repeat_at(cycle, first_told, sending.step + 1, patient.times, patient.tz)
        if at is not None:
            await store.plan(patient.id, Kind.CARD, sending.subject, sending.step + 1, max(at, now))


async def render_follow_up(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render the question of what came of an escalation; nothing once it is settled."""
    row = await _row_of(store, sending)
    if row is None or not row.is_open:
        return Spoken(None, "settled")
    return Spoken(follow_up(services.content_for(patient), patient, row, now))


def follow_up(content: Content, patient: Patient, row: Escalation, now: datetime) -> Message:
    """Return the message that asks what came of an escalation, with the card's action and number."""
    words = content.words
    red_flag = content.red_flag_words[row.rule]
    despair = _is_despair(content, row.rule)
    text = Html(
        words.say(
            "follow_up_despair" if despair else "follow_up",
            day=words.day(row.raised_at.astimezone(patient.tz).date()),
            line=Html(red_flag.line),
            action=Html(red_flag.action),
        )
    )
    numbers_text = _who_to_call(content, patient, content.red_flags[row.rule].lifetime, row.level, now.date())
    return Message(
        Html(f"{text}\n\n{numbers_text}"), _follow_up_rows(content, patient, row, now.date(), despair)
    )


def _follow_up_rows(content: Content, patient: Patient, row: Escalation, today: date, despair: bool) -> Rows:
    choices: list[tuple[str, Outcome]] = (
        [("button_safe_talked", Outcome.SAFE), ("button_not_yet", Outcome.NOT_YET)]
        if despair
        else [
            ("button_seen", Outcome.SEEN),
            ("button_going", Outcome.GOING),
            ("button_not_yet", Outcome.NOT_YET),
        ]
    )
    choices += [("button_cannot", Outcome.CANNOT), ("button_mistap", Outcome.MISTAP)]
    rows = tuple((Button(content.words.plain(key), f"es:{row.id}:{what}"),) for key, what in choices)
    return ((numbers.call_button(content, patient, today),), *rows)


async def follow_up_told(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> None:
    """Plan the next "what came of it?" after one was asked."""
    row = await _row_of(store, sending)
    if row is not None and row.is_open:
        await store.note_event(row.id, "followed_up", now)
        await _plan_follow_up(store, patient, services.content_for(patient), row, sending.step + 1, now)


async def _plan_follow_up(
    store: Store, patient: Patient, content: Content, row: Escalation, step: int, now: datetime
) -> None:
    cycle = _cycle(content, row)
    at = lifecycle.follow_up_at(cycle, row.raised_at, step, patient.times, patient.tz)
    if at is not None:
        await store.plan(patient.id, Kind.FOLLOW_UP, subject_of(row), step, max(at, now))


def _cycle(content: Content, row: Escalation) -> Lifecycle:
    return content.lifecycles[content.red_flags[row.rule].lifetime]


async def _row_of(store: Store, sending: Sending) -> Escalation | None:
    return await store.escalation(int(sending.subject.split(":")[1]))


# --- what came of it -----------------------------------------------------------------------------------


async def press(services: Services, chat_id: int, escalation_id: int, what: str, origin: str) -> Reply:
    """Record what came of an escalation and answer; an unknown or foreign one is declined politely."""
    now = services.clock()
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        row = await store.escalation(escalation_id)
        if patient is None or row is None or row.patient_id != patient.id:
            words = services.content_of(patient).words
            return Reply(notice=words.plain("notice_old_button"), alert=True)
        content = services.content_for(patient)
        if what == "why":
            return Reply(messages=(Message(why_text(content, row)),))
        if not row.is_open:
            return Reply(notice=content.words.plain("notice_settled"))
        return await _settle(services, store, patient, row, Outcome(what), origin, now)


async def _settle(
    services: Services,
    store: Store,
    patient: Patient,
    row: Escalation,
    outcome: Outcome,
    origin: str,
    now: datetime,
) -> Reply:
    words = services.content_for(patient).words
    await store.note_event(row.id, outcome, now)
    if row.acknowledged_at is None:
        await store.change_escalation(row.id, acknowledged_at=now, outcome=str(outcome))
        await store.drop_ready(patient.id, (Kind.CARD,), "acknowledged", subject=subject_of(row))
    if outcome is Outcome.MISTAP:
        await put_question(
            services, store, patient, row.night, f"mistap:{row.id}", (row.rule,), row.about_other, origin
        )
        return Reply(notice=words.plain("notice_mistap"))
    if outcome in lifecycle.SETTLING:
        await _close(store, row, str(outcome), now)
        return Reply(notice=words.plain("notice_noted"), messages=(Message(words.say(f"settled_{outcome}")),))
    content = services.content_for(patient)
    if outcome is Outcome.CANNOT:
        health = numbers.health_block(content, patient, now.date())
        emergency = numbers.emergency_block(content, patient, now.date())
        line = Html(content.red_flag_words[row.rule].line)
        text = words.say("cannot_reach", health=health, emergency=emergency, line=line)
        return Reply(messages=(Message(text, ((numbers.call_button(content, patient, now.date()),),)),))
    if outcome is Outcome.READ:
        return Reply(notice=words.plain("notice_read"))
    return Reply(notice=words.plain("notice_noted"), messages=(Message(words.say(f"after_{outcome}")),))


async def _close(store: Store, row: Escalation, outcome: str, now: datetime) -> None:
    await store.change_escalation(row.id, closed_at=now, outcome=outcome)
    await store.note_event(row.id, f"closed:{outcome}", now)
    await store.drop_ready(row.patient_id, (Kind.CARD, Kind.FOLLOW_UP), "settled", subject=subject_of(row))


def why_text(content: Content, row: Escalation) -> Html:
    """Return which answers, which rule and which sources led to a card, and who has reviewed it."""
    words = content.words
    red_flag = content.red_flags[row.rule]
    sources = Html(
        "\n".join(words.say("source_line", title=content.sources[key].title) for key in red_flag.sources)
    )
    review = (
        words.say("reviewed_by", name=red_flag.review.reviewer, date=words.date(red_flag.review.reviewed_on))
        if red_flag.review.reviewed_on
        else words.say("not_reviewed")
    )
    because = words.list([_evidence_words(content, code) for code in row.evidence]) or "-"
    return words.say(
        "why",
        because=because,
        rule=row.rule,
        level=words.say(f"level_{row.level.code}"),
        sources=sources,
        review=review,
    )


def _evidence_words(content: Content, code: str) -> str:
    kind, _, name = code.partition(":")
    if kind == "sign":
        return content.sign_words.get(name, name)
    if kind == "flag":
        return content.profile_words[name].label if name in content.profile_words else name
    return name


# --- exact questions -----------------------------------------------------------------------------------


async def put_question(
    services: Services,
    store: Store,
    patient: Patient,
    night: date,
    because: str,
    rules: Sequence[str],
    about_other: bool,
    origin: str,
) -> Asking | None:
    """Owe the exact question of one or several rows at once; unanswered, it becomes the card later."""
    now = services.clock()
    content = services.content_for(patient)
    asking, created = await store.ask(patient.id, night, because, tuple(rules), about_other, origin, now)
    if not created:
        return None
    subject = f"asking:{asking.id}"
    await store.plan(patient.id, Kind.QUESTION, subject, 0, now)
    minutes = content.lifecycles[content.red_flags[asking.rules[0]].lifetime].question_timeout_minutes
    late = now + timedelta(minutes=minutes) if minutes else next_morning(patient, now)
    if not because.startswith("mistap:"):
        await store.plan(patient.id, Kind.QUESTION, subject, 1, late)
    services.wake()
    return asking


async def render_question(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render an exact question; one left unanswered until its second step becomes the card of its highest row."""
    asking = await store.asking(int(sending.subject.split(":")[1]))
    if asking is None or asking.answered_at is not None:
        return Spoken(None, "answered")
    if sending.step:
        await _take_as(services, store, patient, asking, asking.rules[0], "raised")
        return Spoken(None, "became a card")
    return Spoken(question_message(services.content_for(patient), patient, asking, now.date()))


def question_message(content: Content, patient: Patient | None, asking: Asking, today: date) -> Message:
    """Return the exact question: one line and the number first, then what is to be answered."""
    words = content.words
    level = content.red_flags[asking.rules[0]].level
    if asking.because.startswith("mistap:"):
        lead = words.say("question_lead_mistap")
    else:
        lead = words.say(
            "question_lead_emergency" if level is Level.EMERGENCY else "question_lead_urgent",
            emergency=numbers.emergency_block(content, patient, today),
        )
    if len(asking.rules) == 1:
        body = Html(f"<b>{content.red_flag_words[asking.rules[0]].question}</b>")
    else:
        lines = "\n".join(f"• {content.red_flag_words[rule].line}" for rule in asking.rules)
        body = Html(f"<b>{words.say('question_which')}</b>\n{lines}")
    return Message(Html(f"{lead}\n\n{body}"), _question_rows(content, asking))


def _question_rows(content: Content, asking: Asking) -> Rows:
    words = content.words

    def button(text: str, answer: str, style: Style = Style.PLAIN) -> tuple[Button, ...]:
        return (Button(text, f"ak:{asking.id}:{answer}", style),)

    if len(asking.rules) == 1:
        yes = button(words.plain("button_yes"), asking.rules[0], Style.GRAVE)
        return (yes, button(words.plain("button_no"), "no"), button(words.plain("button_unsure"), "unsure"))
    named = tuple(button(content.red_flag_words[rule].label, rule) for rule in asking.rules)
    return (
        *named,
        button(words.plain("button_none_of_these"), "no"),
        button(words.plain("button_unsure"), "unsure"),
    )


async def answer_question(
    services: Services, chat_id: int, asking_id: int, answer: str, origin: str
) -> Reply:
    """Record the answer to an exact question: yes and "not sure" raise the row, no rules it out."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        asking = await store.asking(asking_id)
        if patient is None or asking is None or asking.patient_id != patient.id:
            words = services.content_of(patient).words
            return Reply(notice=words.plain("notice_old_button"), alert=True)
        content = services.content_for(patient)
        words = content.words
        if answer == "no":
            first = await store.answer_asking(asking.id, "no", services.clock())
            if not first:
                return Reply(notice=words.plain("notice_answered"))
            return await _ruled_out(services, store, patient, asking)
        rule = asking.rules[0] if answer == "unsure" else answer
        if rule not in asking.rules:
            return Reply(notice=words.plain("notice_old_button"), alert=True)
        await _take_as(services, store, patient, asking, rule, answer)
        done = Html(f"{words.say('question_taken')}\n\n{content.red_flag_words[rule].line}")
        return Reply(edit=Message(done))


async def _take_as(
    services: Services, store: Store, patient: Patient, asking: Asking, rule: str, answer: str
) -> None:
    content = services.content_for(patient)
    await store.answer_asking(asking.id, answer, services.clock())
    kind, _, number = asking.because.partition(":")
    if kind == "mistap":
        old = await store.escalation(int(number))
        if old is not None and old.is_open:  # it stands: told again as if it had never been read
            await store.change_escalation(old.id, acknowledged_at=None)
            step = len(await store.sending_for(patient.id, Kind.CARD, subject_of(old)))
            await store.plan(patient.id, Kind.CARD, subject_of(old), step, services.clock())
            services.wake()
            return
    facts = Facts(signs={asking.because: "unsure" if answer in ("unsure", "raised") else "yes"})
    finding = finding_for(content, rule, facts)
    await raise_findings(
        services, store, patient, (finding,), asking.night, f"asking:{asking.id}", asking.about_other
    )


async def _ruled_out(services: Services, store: Store, patient: Patient, asking: Asking) -> Reply:
    content = services.content_for(patient)
    words = content.words
    kind, _, number = asking.because.partition(":")
    if kind == "mistap":
        old = await store.escalation(int(number))
        if old is not None and old.is_open:
            await _close(store, old, "mistap", services.clock())
            await _take_back_sign(store, patient, old, services)
        return Reply(edit=Message(words.say("mistap_settled")))
    return Reply(edit=Message(words.say("question_ruled_out")))


async def _take_back_sign(store: Store, patient: Patient, row: Escalation, services: Services) -> None:
    """A sign that was a mis-tap leaves the night's check-in, so that it does not ring again."""
    checkin = await store.checkin(patient.id, row.night)
    if checkin is None:
        return
    signs = {code for code in row.evidence if code.startswith("sign:")}
    options = {option.code: option for option in services.content_for(patient).questions["signs"].options}
    kept = {
        code: value
        for code, value in checkin.signs.items()
        if not (signs & {f"sign:{sign}" for sign in options[code].signs} or row.rule in options[code].rows)
    }
    if kept != dict(checkin.signs):
        now = services.clock()
        await store.save_checkin(patient.id, checkin, replace(checkin, signs=kept), now, checkin.origin)


def withheld_by(content: Content, escalations: Sequence[Escalation]) -> frozenset[str]:
    """Return the techniques that open matters of the patient's own withhold everywhere."""
    return withheld(content, [row.rule for row in escalations if row.is_open and not row.about_other])
