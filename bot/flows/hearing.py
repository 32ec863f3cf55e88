"""Every typed message is read for warning signs first, in any state; only then is it an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.flows import appointment, cramp, enrolment, morning, numbers, outcome, replies, settings
from bot.flows.asking import because_of, put_question, told_codes
from bot.flows.cards import follow_up, is_despair, question_message, told_before
from bot.flows.escalation import IN_REPLY, Raised, raise_findings
from bot.flows.facts import known_facts
from bot.flows.help import command_meant
from bot.flows.pages import page
from bot.flows.schedule import is_night, is_quiet, told_night
from bot.flows.services import Services
from bot.flows.urgent import NEW_LIST, areas, stateless_card
from bot.messages import Button, Message, Reply
from bot.model import Asking, Escalation, Facts, Patient
from bot.rules.hearing import Heard, Judged, listen
from bot.rules.reading import Reading
from bot.rules.timing import iso_date
from bot.storage.store import Store
from content.loader import Content
from content.schema import Level

SEARCH_WORDS = 3  # so few words behind a command are looked up; only what is certain in them is raised


async def hear(services: Services, chat_id: int, text: str, origin: str, language: str | None) -> Reply:
    """Take one typed (or edited) message of a private chat."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return _stranger(services, services.content_of(patient, language), text)
        content = services.content_for(patient)
        night = told_night(patient, services.clock())
        heard = await _read(store, patient, content, night, text)
        helps = _helps_first(content, patient, heard, services.clock())
        wait = cramp.HELP_FIRST if helps else timedelta()
        reply, raised = await _raise(services, store, patient, heard, night, origin, wait)
        if heard.is_grave:
            await _keep_answers(services, store, patient, heard.reading, night)
            if helps:
                services.wake()
                first = await cramp.what_to_do(store, patient, content, services.clock())
                return replace(reply, messages=(first, *reply.messages))
            return reply + await _beside_a_sign(services, store, patient, content, heard, raised, origin)
        is_taken = bool(raised.speaking)
        answered = await _answer(services, store, patient, content, heard, text, night, origin, is_taken)
        if heard.alarming:
            standing = await _standing(store, patient, others=_may_be_of_other(heard.reading))
            answered = _with_signs(services, content, patient, heard, standing, answered)
        return _with_lower(services, content, patient, raised, answered)


async def overhear(services: Services, chat_id: int, text: str, origin: str) -> Reply:
    """Read words that are meant as something else (behind a command) for warning signs only."""
    async with services.database.transaction(alone=True) as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            content = services.content_of(patient)
            return Reply(messages=_stateless(content, listen(content, text, Facts()), services.clock()))
        content = services.content_for(patient)
        night = told_night(patient, services.clock())
        heard = await _read(store, patient, content, night, text)
        if len(text.split()) <= SEARCH_WORDS and not (heard.own.raised or heard.other.raised):
            return Reply()  # a word to search for is no report
        reply, _ = await _raise(services, store, patient, heard, night, origin)
        return reply


async def _read(store: Store, patient: Patient, content: Content, night: date, text: str) -> Heard:
    known = await store.checkin(patient.id, night)
    return listen(content, text, await known_facts(store, patient, content, night, known))


# --- somebody of whom nothing is kept --------------------------------------------------------------------


def _stranger(services: Services, content: Content, text: str) -> Reply:
    """Somebody without consent: danger gets the card and the number, nothing is kept."""
    today = services.clock().date()
    heard = listen(content, text, Facts())
    cards = _stateless(content, heard, services.clock())
    if not cards and heard.is_open:
        cards = (areas(content, None, today),)
    emergency = numbers.emergency_block(content, None, today)
    return Reply(messages=(*cards, Message(content.words.say("stranger", emergency=emergency))))


def _stateless(content: Content, heard: Heard, now: datetime) -> tuple[Message, ...]:
    """The cards of what is certain, else the question whose buttons lead to the cards."""
    today = now.date()
    if heard.own.raised or heard.other.raised:
        legs = ((finding, finding.side or "" if finding.names_leg else "") for finding in heard.own.raised)
        own = (stateless_card(content, finding.rule, today, leg=leg) for finding, leg in legs)
        theirs = (stateless_card(content, one.rule, today, about_other=True) for one in heard.other.raised)
        return (*own, *theirs)
    asks = tuple(dict.fromkeys((*heard.own.asks, *heard.other.asks)))
    if not asks:
        return ()
    nobody = Asking(0, 0, today, "words", asks, not heard.own.asks, now, None, None)
    return (question_message(content, None, nobody, today),)


# --- what was heard becomes rows -------------------------------------------------------------------------


async def _raise(
    services: Services,
    store: Store,
    patient: Patient,
    heard: Heard,
    night: date,
    origin: str,
    wait: timedelta = timedelta(),
) -> tuple[Reply, Raised]:
    """Write what was heard: escalations for what is certain, a question (after a wait) for what is not."""
    content = services.content_for(patient)
    own = await _raise_one(services, store, patient, heard.own, night, origin, about_other=False, wait=wait)
    other = await _raise_one(
        services, store, patient, heard.other, night, f"{origin}:other", about_other=True
    )
    raised = Raised(own.speaking + other.speaking, own.again + other.again)
    return Reply(messages=raised.messages(content, patient, services.clock().date())), raised


async def _raise_one(
    services: Services,
    store: Store,
    patient: Patient,
    judged: Judged,
    night: date,
    origin: str,
    about_other: bool,
    wait: timedelta = timedelta(),
) -> Raised:
    findings = judged.raised if about_other else (*judged.raised, *judged.lower)
    raised = await raise_findings(services, store, patient, findings, night, origin, about_other)
    if judged.asks:
        because, codes = because_of(judged.said), told_codes(judged.said, judged.leg)
        await put_question(
            services, store, patient, night, because, judged.asks, about_other, origin, codes, wait
        )
    return raised


def _with_signs(
    services: Services,
    content: Content,
    patient: Patient,
    heard: Heard,
    standing: Escalation | None,
    answered: Reply,
) -> Reply:
    """Danger that became no card leads to the warning signs, whatever the words answered besides.

    Beside an emergency that stands, or seen by somebody, it is most likely about that; a button there leads
    to the signs as well.
    """
    if standing is not None and heard.reading.replied is not None and heard.is_calm:
        return answered  # "rang 111": no cry, and what came of what stands is asked or taken
    waits = max((finding.level for finding in heard.own.lower), default=Level.NONE) >= Level.SOON
    signs = areas(content, patient, services.clock().date())
    if waits or signs in answered.messages:
        return answered
    if standing is not None and heard.reading.seen:
        return answered
    leads_there = any(_leads_to_signs(message) for message in answered.messages)
    if leads_there and standing is None and heard.reading.tells_only_a_cramp:
        return answered  # "cramp now help": what helps, and one button for anything else
    is_enough = not heard.reading.is_open or (standing is not None and standing.level >= Level.EMERGENCY)
    if leads_there and is_enough:
        return answered
    if standing is not None or not heard.reading.cry:  # what stands, and what helps with a cramp, goes first
        return replace(answered, messages=(*answered.messages, signs))
    return replace(answered, messages=(signs, *answered.messages))


def _with_way_to_signs(content: Content, message: Message) -> Message:
    other = Button(content.words.plain("button_other_worry"), NEW_LIST)
    return replace(message, rows=(*message.rows, (other,)))


def _leads_to_signs(message: object) -> bool:
    return isinstance(message, Message) and any(one.press == NEW_LIST for row in message.rows for one in row)


def _with_lower(
    services: Services, content: Content, patient: Patient, raised: Raised, answered: Reply
) -> Reply:
    """What can wait has its card; where that waits for the morning, one line says so."""
    if not raised.speaking:
        return answered
    if not is_quiet(patient, services.clock()):
        return answered
    noted = Message(content.words.say("noted_lower"), silent=True)
    return replace(answered, messages=(noted, *answered.messages))


async def _keep_answers(
    services: Services, store: Store, patient: Patient, reading: Reading, night: date
) -> None:
    """A grave message may hold answers too: they are saved, and asked about no further now."""
    content = services.content_for(patient)
    if not _has_answers(reading):
        return
    before = await store.checkin(patient.id, night)
    if before is None:
        before = await morning.opened(store, patient, content, night, services.clock())
    if before is None:
        return
    after = morning.fill_in(content, before, reading)
    if after != before:
        await store.save_checkin(patient.id, before, after, services.clock(), before.origin)


# --- everything else -------------------------------------------------------------------------------------


async def _answer(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    heard: Heard,
    text: str,
    night: date,
    origin: str,
    is_taken: bool,
) -> Reply:
    """Take the words as the answer that is awaited, else as a check-in, else say what is possible.

    Words that led to a card (*is_taken*) were understood, whatever else they are.
    """
    reading = heard.reading
    awaited = await _awaited(services, store, patient, reading, text, origin)
    if awaited is not None:
        return awaited
    came = await replies.replied(services, store, patient, content, heard, text, origin, is_taken)
    if came is not None:
        more = _has_answers(reading)
        return came + await _take_answers(services, store, patient, reading, night, origin) if more else came
    if reading.courtesy and not (is_taken or heard.alarming or await _owes_an_answer(store, patient)):
        return Reply(messages=(Message(content.words.say(f"courtesy_{reading.courtesy}")),))
    if reading.is_question and not _has_answers(reading):
        return await _answer_question(services, store, patient, content)
    if reading.seen and await store.open_escalations(patient.id):
        return await outcome.said_seen(services, store, patient, content, origin)
    topic = patient.expecting.partition(":")[0]
    if topic != "night" and _is_cramp_now(patient, reading, services.clock()):
        helping = await cramp.what_to_do(store, patient, content, services.clock())
        return Reply(messages=(_with_way_to_signs(content, helping) if heard.alarming else helping,))
    if _has_answers(reading):
        return await _take_answers(services, store, patient, reading, night, origin)
    return await _otherwise(services, store, patient, content, reading, text, night, is_taken, origin)


async def _awaited(
    services: Services, store: Store, patient: Patient, reading: Reading, text: str, origin: str
) -> Reply | None:
    """Take the words as what enrolment, settings or an appointment wait for; None if nothing does."""
    topic, _, detail = patient.expecting.partition(":")
    taken = enrolment.taken_from(patient, origin)
    if topic == "enrol" and (patient.step != "done" or taken):
        return await enrolment.typed(services, store, patient, text, origin)
    if topic == "set" and (
        taken or (detail in settings.PAGES and not _is_of_night(services, patient, reading, text))
    ):
        return await settings.typed(services, store, patient, detail, text, origin)
    if topic == "appointment" and not _has_answers(reading) and not reading.courtesy:
        return await appointment.typed(services, store, patient, detail, text)
    return None


def _is_of_night(services: Services, patient: Patient, reading: Reading, text: str) -> bool:
    """Return whether words tell of a night, and cannot be what the settings page left open waits for."""
    if not _has_answers(reading) or text.strip().isdecimal():
        return False
    page, content = patient.expecting.partition(":")[2], services.content_for(patient)
    return not settings.understands(content, patient, page, text, services.clock())


async def _take_answers(
    services: Services, store: Store, patient: Patient, reading: Reading, night: date, origin: str
) -> Reply:
    """Fill in the night that typed words are about."""
    meant = await _night_meant(services, store, patient, night)
    return await morning.typed(services, store, patient, reading, meant, origin)


async def _night_meant(services: Services, store: Store, patient: Patient, night: date) -> date:
    """Return the night that is asked about, else the one that runs, else the one asked about last."""
    topic, _, detail = patient.expecting.partition(":")
    wanted = iso_date(detail) if topic == "night" else None
    chosen = await store.checkin(patient.id, wanted) if wanted else None
    if wanted is None or (chosen is not None and chosen.completed_at is not None):
        is_running = is_night(patient, services.clock())
        wanted = night if is_running else await _asked_night(store, patient, night)
    return wanted


async def _beside_a_sign(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    heard: Heard,
    raised: Raised,
    origin: str,
) -> Reply:
    """Ask by button what came of a warning, where words that say so only named again what stands already."""
    said = heard.reading.replied
    if said is None or not said.codes or raised.speaking:
        return Reply()
    named = {*heard.own.asks, *heard.other.asks, *(rule for rule, _ in raised.again)}
    rows = [row for row in await store.open_escalations(patient.id) if row.rule in named and row.told_at]
    if not named <= {row.rule for row in rows}:  # something new is asked: that comes first
        return Reply()
    return await outcome.ask(services, store, patient, content, rows, origin)


async def _otherwise(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    reading: Reading,
    text: str,
    night: date,
    is_taken: bool,
    origin: str,
) -> Reply:
    """Answer what is no answer: danger comes first, then what is owed an answer, then what is possible."""
    standing = await _standing(store, patient, others=_may_be_of_other(reading))
    waiting = await store.open_askings(patient.id)
    if standing is None and not waiting and not (reading.cry or reading.worrying):
        plainly = await _answer_plain_words(services, store, patient, content, reading, text, night, origin)
        if plainly is not None:
            return plainly
    if reading.is_open:
        if standing is not None:  # "I called 999", "they are here": a button says so
            return await _what_came(services, store, content, patient, standing, origin)
        return Reply(messages=(areas(content, patient, services.clock().date()),))
    if waiting:  # "yes" and "no" are for its buttons: words alone settle nothing
        return Reply(messages=(question_message(content, patient, waiting[-1], services.clock().date()),))
    if standing is not None:  # whatever it was, what came of the warning is asked before anything else
        return await _what_came(services, store, content, patient, standing, origin)
    if is_taken:
        return Reply()
    checkin = await store.checkin(patient.id, night)
    if checkin is not None and checkin.opened_at is not None and checkin.completed_at is None:
        return Reply(messages=(page(content, patient, checkin, content.words.say("tap_an_answer")),))
    return Reply(messages=(Message(content.words.say("unknown")),))


async def _answer_plain_words(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    reading: Reading,
    text: str,
    night: date,
    origin: str,
) -> Reply | None:
    """Take words as a choice that is offered, or as a command without its slash; None for others."""
    asked = await _night_meant(services, store, patient, night)
    choice = await morning.typed_choice(services, store, patient, reading, text, asked, origin)
    if choice is not None:
        return choice
    command = command_meant(content, text)
    return None if command is None else Reply(messages=(command,))


async def _owes_an_answer(store: Store, patient: Patient) -> bool:
    """Return whether an exact question or a warning waits: that comes before thanks and greetings."""
    if await store.open_askings(patient.id):
        return True
    return await _standing(store, patient, others=False) is not None


async def _answer_question(services: Services, store: Store, patient: Patient, content: Content) -> Reply:
    """Say what can be said in general; a warning that stands is said again first ("can it wait?")."""
    general = Message(content.words.say("question_answer"))
    standing = await _standing(store, patient, others=True)
    if standing is None:
        return Reply(messages=(general,))
    again = told_before(
        content, patient, standing.rule, services.clock().date(), about_other=standing.about_other
    )
    return Reply(messages=(again,) if is_despair(content, standing.rule) else (again, general))


async def _what_came(
    services: Services, store: Store, content: Content, patient: Patient, row: Escalation, origin: str
) -> Reply:
    """The question what came of a warning, with a way to the others."""
    await store.note_event(row.id, IN_REPLY, services.clock(), origin)
    asked = follow_up(content, patient, row, services.clock())
    return Reply(messages=(_with_way_to_signs(content, asked),))


async def _standing(store: Store, patient: Patient, others: bool) -> Escalation | None:
    """The gravest open matter that was told, emergency or urgent: one's own, or else somebody else's."""
    rows = await store.open_escalations(patient.id)
    told = [
        row
        for row in rows
        if row.level >= Level.URGENT and row.told_at is not None and (others or not row.about_other)
    ]
    return max(told, key=lambda row: (not row.about_other, row.level), default=None)


def _may_be_of_other(reading: Reading) -> bool:
    """Return whether words may be about somebody else's warning: a cry, danger, or that they were seen."""
    return reading.is_open or reading.seen


def _is_cramp_now(patient: Patient, reading: Reading, now: datetime) -> bool:
    """Return whether a cramp is told in the running night or cried out, and nothing of how the night was."""
    told = reading.pain is not None or reading.awake or reading.helped or reading.longest
    is_on = reading.cry or is_night(patient, now)
    return "cramp" in reading.feeling and not told and patient.is_enrolled and is_on


def _helps_first(content: Content, patient: Patient, heard: Heard, now: datetime) -> bool:
    """Return whether a cramp is on and no emergency is asked about: then what helps with it comes first."""
    if heard.own.raised or heard.other.is_grave or not heard.own.asks:
        return False
    gravest = max(content.red_flags[rule].level for rule in heard.own.asks)
    return gravest < Level.EMERGENCY and _is_cramp_now(patient, heard.reading, now)


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
