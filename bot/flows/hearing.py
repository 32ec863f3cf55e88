"""Every typed message is read for warning signs first, in any state; only then is it an answer to something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bot.flows import enrolment, morning, numbers, settings
from bot.flows.escalation import card_text, put_question, question_message, raise_findings
from bot.flows.facts import facts_of, flags_of
from bot.flows.schedule import ended_night
from bot.flows.services import Services
from bot.flows.urgent import areas
from bot.messages import Message, Reply
from bot.model import Asking, Facts, Finding, Patient
from bot.rules.reading import Reading, read
from bot.rules.triage import judge
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level
from content.words import Html


@dataclass(frozen=True)
class Heard:
    """What one message was found to say: findings of the patient's own and of someone else, and what is in doubt."""

    reading: Reading
    own: tuple[Finding, ...]
    others: tuple[Finding, ...]
    doubtful: tuple[str, ...]  # rules whose exact question is put, highest first

    @property
    def is_grave(self) -> bool:
        """Say whether it leads to a card or an exact question."""
        return bool(self.own or self.others or self.doubtful)


def listen(content: Content, text: str, facts: Facts) -> Heard:
    """Read one message and judge it together with what is known already."""
    reading = read(text, content.phrases)
    own = _judged(content, facts, reading.signs()) if reading.signs() else ()
    others = _grave(judge(content, Facts(signs=reading.others_signs()))) if reading.others_signs() else ()
    sure = {finding.topic for finding in (*own, *others)}
    doubtful = _doubtful(content, facts, reading, sure)
    return Heard(reading, own, others, doubtful)


def _judged(content: Content, facts: Facts, signs: dict[str, str]) -> tuple[Finding, ...]:
    """What the new signs add: a row that stood without them is not raised by this message."""
    merged = Facts({**facts.signs, **signs}, facts.flags, facts.feeling, facts.helped, facts.pain, facts.side)
    fresh = {f"sign:{sign}" for sign in signs}
    return tuple(one for one in _grave(judge(content, merged)) if fresh & set(one.evidence))


def _grave(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.level >= Level.URGENT)


def _doubtful(content: Content, facts: Facts, reading: Reading, sure: set[str]) -> tuple[str, ...]:
    """The rows that signs in doubt would raise, if they were sure; each topic once, the gravest first."""
    if not reading.doubtful():
        return ()
    findings = _judged(content, facts, dict.fromkeys(reading.doubtful(), "yes"))
    return tuple(finding.rule for finding in findings if finding.topic not in sure)[:4]


async def hear(
    services: Services, chat_id: int, text: str, origin: str, language: str | None, edited: bool = False
) -> Reply:
    """Take one typed (or edited) message of a private chat."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return _stranger(services, services.content_of(patient, language), text)
        content = services.content_for(patient)
        night = ended_night(patient, services.clock())
        known = await store.checkin(patient.id, night)
        heard = listen(content, text, facts_of(content, known, await flags_of(store, patient)))
        graver = await _raise(services, store, patient, heard, night, origin)
        if heard.is_grave:
            if known is not None or heard.reading.pain is not None:
                await _keep_answers(services, store, patient, heard.reading, night)
            return graver
        return await _answer(services, store, patient, content, heard.reading, text, night, origin)


async def overhear(services: Services, chat_id: int, text: str, origin: str) -> Reply:
    """Read words that are meant as something else (behind a command) for warning signs only."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return Reply()
        content = services.content_for(patient)
        night = ended_night(patient, services.clock())
        known = await store.checkin(patient.id, night)
        heard = listen(content, text, facts_of(content, known, await flags_of(store, patient)))
        return await _raise(services, store, patient, heard, night, origin)


def _stranger(services: Services, content: Content, text: str) -> Reply:
    """Somebody without consent: danger gets the card and the number, nothing is kept."""
    today = services.clock().date()
    heard = listen(content, text, Facts())
    cards = [
        Message(card_text(content, None, one.rule, one.level, today)) for one in (*heard.own, *heard.others)
    ]
    if not cards and heard.doubtful:
        asking = Asking(0, 0, today, "words", heard.doubtful, False, services.clock(), None, None)
        cards = [Message(question_message(content, None, asking, today).text)]
    if not cards and (heard.reading.cry or not heard.reading.meaningful):
        cards = [areas(content, None, today)]
    emergency = numbers.emergency_block(content, None, today)
    return Reply(messages=(*cards, Message(content.words.say("stranger", emergency=emergency))))


async def _raise(
    services: Services, store: Store, patient: Patient, heard: Heard, night: date, origin: str
) -> Reply:
    """Write what was heard: escalations for what is sure, an exact question for what is not."""
    content = services.content_for(patient)
    if not heard.is_grave:
        return Reply()
    raised = await raise_findings(services, store, patient, heard.own, night, origin)
    raised += await raise_findings(
        services, store, patient, heard.others, night, f"{origin}:other", about_other=True
    )
    asked = None
    if heard.doubtful:
        asked = await put_question(services, store, patient, night, "words", heard.doubtful, False, origin)
    if raised or asked or not (heard.own or heard.others):
        return Reply()
    return Reply(messages=(await _again(services, store, patient, content, (*heard.own, *heard.others)),))


async def _again(
    services: Services, store: Store, patient: Patient, content: Content, findings: tuple[Finding, ...]
) -> Message:
    """The same matter told again: a short answer with the action and the number, never silence."""
    finding = findings[0]
    text = content.words.say(
        "told_before",
        action=Html(content.red_flag_words[finding.rule].action),
        emergency=numbers.emergency_block(content, patient, services.clock().date()),
    )
    return Message(text, ((numbers.call_button(content, patient, services.clock().date()),),))


async def _keep_answers(
    services: Services, store: Store, patient: Patient, reading: Reading, night: date
) -> None:
    """A grave message may hold answers too: they are saved, and asked about no further now."""
    content = services.content_for(patient)
    before = await store.checkin(patient.id, night)
    if before is None:
        return
    after = morning.fill_in(content, before, reading)
    if after != before:
        await store.save_checkin(patient.id, before, after, services.clock(), before.origin)


async def _answer(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    reading: Reading,
    text: str,
    night: date,
    origin: str,
) -> Reply:
    """Take the words as the answer that is awaited, else as a check-in, else say what is possible."""
    topic, _, detail = patient.expecting.partition(":")
    if topic == "enrol" and patient.step != "done":
        return await enrolment.typed(services, store, patient, text)
    if topic == "set" and detail in settings.PAGES:
        return await settings.typed(services, store, patient, detail, text)
    if reading.is_question and not _has_answers(reading):
        return Reply(messages=(Message(content.words.say("question_answer")),))
    if _has_answers(reading):
        wanted = date.fromisoformat(detail) if topic == "night" else None
        return await morning.typed(
            services, store, patient, reading, wanted or await _asked_night(store, patient, night), origin
        )
    if reading.cry or not reading.meaningful:
        return Reply(messages=(areas(content, patient, services.clock().date()),))
    return Reply(messages=(Message(content.words.say("unknown")),))


def _has_answers(reading: Reading) -> bool:
    return bool(
        reading.pain is not None
        or reading.no_trouble
        or reading.feeling
        or reading.awake
        or reading.helped
        or reading.longest
    )


async def _asked_night(store: Store, patient: Patient, night: date) -> date:
    """The night that a check-in has most recently been opened for, while it is not complete."""
    for checkin in reversed(await store.diary(patient.id, night - timedelta(days=1), night)):
        if checkin.completed_at is None and checkin.opened_at is not None:
            return checkin.night
    return night


async def media(services: Services, chat_id: int, caption: str, origin: str, language: str | None) -> Reply:
    """Answer a photo, voice, sticker or document: not opened; its caption is read, the next step offered."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
    content = services.content_of(patient, language)
    heard = await hear(services, chat_id, caption, origin, language) if caption.strip() else Reply()
    today = services.clock().date()
    text = content.words.say("media", emergency=numbers.emergency_block(content, patient, today))
    return heard + Reply(messages=(Message(text, areas(content, patient, today).rows[:1]),))
