"""The whole diary judged: patterns of many nights become cards, exact questions and kind words.

Each morning at check-in time, and with each answer: grave patterns and questions at once, what can wait
when the night is complete. Judging twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.flows.asking import GRAVER, PATTERN, has_emergency, put_question
from bot.flows.cards import cycle_of, told_before
from bot.flows.escalation import Spoken, close, note_met, raise_one
from bot.flows.facts import facts_of, flags_of, known_facts, signs_of
from bot.flows.pauses import fewer_messages
from bot.flows.remembering import CORRECTED, GONE, LOOKS_BACK, SUPERSEDED, remembered
from bot.flows.schedule import ended_night, out_of_quiet
from bot.flows.services import Services
from bot.messages import Message
from bot.model import CheckIn, Escalation, Evening, Finding, Kind, Patient, ProfileAnswer, Sending, State
from bot.rules import questionnaire
from bot.rules.hearing import sign_codes
from bot.rules.lifecycle import forbids_coaching
from bot.rules.memory import Happened, Matter, Memory, Told, advance, in_force
from bot.rules.patterns import Medicine, Person, judge_diary, proof_of
from bot.rules.triage import YES, closed_over, holds, judge
from bot.rules.windows import Night, night_of
from bot.storage.store import Store
from content.keeping import kept
from content.loader import Content
from content.schema import Level
from content.words import Html

NIGHTS = timedelta(days=91)  # how far back the diary is read: no pattern looks further
MOOD = "mood"  # the score of the two questions about it
NEW_MEDICINE = "new_medicine"  # the profile answer whose day may have begun a medicine
LONG_AGO = timedelta(days=7)  # nights that can still be corrected
WORD_LASTS = timedelta(days=1)


@dataclass(frozen=True)
class Known:
    """All that is judged for one night: the diary, the person, and what was raised before."""

    nights: tuple[Night, ...]
    checkins: Mapping[date, CheckIn]
    person: Person
    rows: tuple[Escalation, ...]  # the patient's own, oldest first
    on: date

    @property
    def standing(self) -> tuple[Escalation, ...]:
        """Return the matters that are not settled."""
        return tuple(row for row in self.rows if row.is_open)


async def judge_diary_of(
    services: Services, store: Store, patient: Patient, night: date, complete: bool
) -> tuple[Message, ...]:
    """Judge the diary up to one night; return short answers where a grave pattern that stands is met anew.

    With *complete* the night is told, or nothing more is awaited: then also what can wait is told.
    """
    content = services.content_for(patient)
    known = await _known(store, patient, content, night)
    if not known.nights:
        return ()
    rules = content if complete else _told_at_once(content)
    findings = judge_diary(rules, known.nights, night, known.person)
    await _keep_flags(services, store, patient, content, known, findings)
    if complete:
        if await _settle_what_is_over(services, store, patient, content, known):
            known = await _known(store, patient, content, night)
    elif not findings:
        return ()
    facts = await known_facts(store, patient, content, night, known.checkins.get(night))
    memory = await _memory(store, patient, content, known)
    happened = Happened(night, (*judge(content, facts), *findings), logged=night in known.checkins)
    told = advance(content, memory, happened)
    spoken = [finding for finding in findings if finding.rule in told.rules]
    again = []
    for finding in spoken:
        if content.patterns[finding.rule].effect == "raise":
            again += await _raise(services, store, patient, content, finding, memory, night)
        elif content.patterns[finding.rule].effect == "ask":
            await _ask(services, store, patient, content, finding, night)
        else:
            await _say(services, store, patient, content, finding, told)
    return tuple(again[:1])


async def _keep_flags(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    known: Known,
    findings: Iterable[Finding],
) -> None:
    """Keep in the profile what one night has shown and what gates tips until a clinician has cleared it."""
    for finding in findings:
        flag = content.patterns[finding.rule].keeps_flag
        if flag is not None and not known.person.flags.get(flag):
            await store.set_profile(patient.id, ProfileAnswer(flag, True, since=known.on), services.clock())


@kept()
def _told_at_once(content: Content) -> Content:
    """The same content with only the patterns that wait for nothing: the grave ones and the questions."""
    hasty = {
        rule: pattern
        for rule, pattern in content.patterns.items()
        if pattern.level >= Level.URGENT or pattern.effect == "ask"
    }
    return replace(content, patterns=hasty)


# --- what is known -------------------------------------------------------------------------------------


async def look_ahead(store: Store, patient: Patient, night: date, now: datetime) -> None:
    """Learn together, where each question is a trip, what an answer about one night will be judged by."""
    on = max(night, ended_night(patient, now))
    await store.look_ahead(patient.id, night, on - NIGHTS, on)


async def _known(store: Store, patient: Patient, content: Content, on: date) -> Known:
    since = on - NIGHTS
    checkins = {one.night: one for one in await store.diary(patient.id, since, on) if _is_told(one)}
    evenings = {one.night: one for one in await store.bare_evenings(patient.id, since, on)}
    rows = tuple(row for row in await store.escalations(patient.id) if not row.about_other)
    cramps: dict[date, int] = {}
    for episode in await store.episodes(patient.id, since, on):
        cramps[episode.night] = cramps.get(episode.night, 0) + 1
    nights = tuple(
        _night(content, one, _said(content, one.night, rows), evenings.get(one.night), cramps.get(one.night))
        for one in checkins.values()
    )
    return Known(nights, checkins, await _person(store, patient), rows, on)


def _is_told(checkin: CheckIn) -> bool:
    """Return whether a night was told at all: one that was only skipped through is unknown."""
    told = (checkin.pain is not None, checkin.signs, checkin.feeling, checkin.helped, checkin.longest)
    return any(told) or checkin.interest is not None


def _said(content: Content, night: date, rows: Iterable[Escalation]) -> tuple[str, ...]:
    """The signs that were said in words about one night."""
    return tuple(
        sign
        for row in rows
        if row.night == night and row.rule in content.red_flags and row.outcome != CORRECTED
        for sign in sign_codes(row.evidence)
        if sign in content.signs
    )


@kept(most=4096)
def _night(
    content: Content, checkin: CheckIn, said: tuple[str, ...], evening: Evening | None, cramps: int | None
) -> Night:
    """One night as it is judged, with the signs that were ticked or *said*."""
    signs = {**dict.fromkeys(said, YES), **signs_of(content, checkin)}
    return night_of(checkin, signs, evening, cramps, questionnaire.score(content.checkin, checkin, MOOD))


async def _person(store: Store, patient: Patient) -> Person:
    medicine = (await store.profile(patient.id)).get(NEW_MEDICINE)
    begun = (Medicine(NEW_MEDICINE, medicine.since),) if medicine is not None and medicine.yes else ()
    return Person(await flags_of(store, patient), begun)


# --- what is remembered --------------------------------------------------------------------------------


async def _memory(store: Store, patient: Patient, content: Content, known: Known) -> Memory:
    """What was raised, as it stood before this night, and when each question or kind word was last said."""
    latest = {(row.rule, row.side): row for row in known.rows if row.rule in content.rules}
    before = known.on - timedelta(days=1)
    matters = [_matter(patient, content, known, row, before) for row in latest.values()]
    said_on: dict[str, date] = {}
    for asking in await store.askings(patient.id, known.on - NIGHTS):
        kind, _, rule = asking.because.partition(":")
        if kind == PATTERN and asking.answer != GRAVER:
            said_on[rule] = asking.night
    for subject in word_subjects(content):
        sent = await store.sending_for(patient.id, Kind.WORD, subject)
        waiting = [one.due_at for one in sent if one.state is not State.DROPPED]
        rule = subject.removeprefix(f"{PATTERN}:")
        said_on |= {rule: ended_night(patient, waiting[-1])} if waiting else {}
    return Memory(tuple(matters), said_on)


@kept()
def word_subjects(content: Content) -> tuple[str, ...]:
    """Return the subjects of all kind words there are."""
    return tuple(f"{PATTERN}:{rule}" for rule, one in content.patterns.items() if one.effect == "say")


def _matter(patient: Patient, content: Content, known: Known, row: Escalation, until: date) -> Matter:
    """A stored matter with what only the diary tells: when it was last met, and whether it goes on."""
    met_on = _last_met(content, known, row, until) or row.night
    absent = sum(night.on > met_on for night in known.nights if night.on <= until)
    if row.is_open and row.level >= Level.URGENT:
        absent = 0  # only the answer "it has gone" lowers it
    matter = remembered(patient, row, met_on, absent)
    if matter.goes_on and matter.settled_on is not None and row.rule in content.patterns:
        return replace(matter, goes_on=_goes_on(content, known, row.rule, matter.settled_on, until))
    return matter


def _last_met(content: Content, known: Known, row: Escalation, until: date) -> date | None:
    """The last night up to one on which a rule was met, as far back as it matters."""
    for ago in range(LOOKS_BACK.days):
        night = until - timedelta(days=ago)
        if night < row.night:
            return None
        if _is_met(content, known, row.rule, night):
            return night
    return None


def _goes_on(content: Content, known: Known, rule: str, since: date, until: date) -> bool:
    days = min(LOOKS_BACK.days, (until - since).days)
    return all(_is_met(content, known, rule, until - timedelta(days=ago)) for ago in range(days))


def _is_met(content: Content, known: Known, rule: str, night: date) -> bool:
    pattern = content.patterns.get(rule)
    if pattern is not None:
        return proof_of(content, pattern.when, known.nights, night, known.person) is not None
    checkin = known.checkins.get(night)
    if checkin is None:
        return False
    facts = facts_of(content, checkin, known.person.flags)
    facts = replace(facts, signs=closed_over(content.signs, facts.signs))
    return holds(content.red_flags[rule].when, facts, unsure=True)


# --- what is over --------------------------------------------------------------------------------------


async def _settle_what_is_over(
    services: Services, store: Store, patient: Patient, content: Content, known: Known
) -> bool:
    """Close what can wait and is no longer met, and what rested on nights corrected since; say if any was."""
    closed = False
    for row in known.standing:
        if row.rule not in content.rules:
            continue
        how = _how_it_ended(patient, content, known, row)
        if how:
            await close(services, store, patient, row, how)
            closed = True
    return closed


def _how_it_ended(patient: Patient, content: Content, known: Known, row: Escalation) -> str:
    grave = max(row.level, content.rules[row.rule].level) >= Level.URGENT
    unmet = not any(_is_met(content, known, row.rule, night) for night in (row.night, known.on))
    if row.rule in content.patterns and unmet:
        later = any(night.on > row.night for night in known.nights)
        if row.night > known.on - LONG_AGO and (later or not grave):  # a grave one: the next night told
            return CORRECTED
    if grave or row.told_at is None or GONE not in cycle_of(content, row.rule).ends_on:
        return ""
    matter = _matter(patient, content, known, row, known.on)
    return GONE if in_force(content, matter, known.on) is Level.NONE else ""


# --- what follows --------------------------------------------------------------------------------------


async def _raise(
    services: Services,
    store: Store,
    patient: Patient,
    content: Content,
    finding: Finding,
    memory: Memory,
    night: date,
) -> list[Message]:
    """Raise what the memory says is new, worse or back; what stands and is grave gets a short answer."""
    rows = [row for row in await store.open_escalations(patient.id) if not row.about_other]
    same = [row for row in rows if row.rule == finding.rule and row.level >= finding.level]
    if same:
        return await _again(services, store, patient, content, same[-1], night)
    if any(_stands_above(row, finding) for row in rows):
        return []
    if finding.level < Level.URGENT and _is_followed_up(content, memory, finding, night):
        return []
    row = await raise_one(services, store, patient, finding, night, f"diary:{night}")
    if row is not None:
        for old in rows:
            if old.rule in content.patterns[finding.rule].instead_of:
                await close(services, store, patient, old, SUPERSEDED)
    return []


def _stands_above(row: Escalation, finding: Finding) -> bool:
    """Whether the same topic stands higher already, or as high and grave: of one topic the highest speaks."""
    least = finding.level if finding.level >= Level.URGENT else finding.level + 1
    return row.topic == finding.topic and row.level >= least


def _is_followed_up(content: Content, memory: Memory, finding: Finding, night: date) -> bool:
    """Whether it was told and goes on: what came of it is asked by its own sending."""
    return any(
        one.rule == finding.rule
        and one.told_on is not None
        and one.settled_on is None
        and in_force(content, one, night) > Level.NONE
        for one in memory.matters
    )


async def _again(
    services: Services, store: Store, patient: Patient, content: Content, row: Escalation, night: date
) -> list[Message]:
    """A grave pattern that stands and is met anew gets a short answer, once a night."""
    if row.level < Level.URGENT or row.told_at is None or row.night >= night:
        return []
    if not await note_met(store, row, night, services.clock()):
        return []
    return [told_before(content, patient, row.rule, services.clock().date())]


async def _ask(
    services: Services, store: Store, patient: Patient, content: Content, finding: Finding, night: date
) -> None:
    """Put the exact question of a pattern, but for rows that stand or were asked about this night.

    While an emergency is open none is put: the pattern asks once that is settled, if it is still met.
    """
    if await has_emergency(store, patient):
        return
    asked = {rule for one in await store.askings(patient.id, night) for rule in one.rules}
    open_rows = [row for row in await store.open_escalations(patient.id) if not row.about_other]
    as_high = {
        rule
        for rule in content.patterns[finding.rule].asks
        for row in open_rows
        if row.topic == content.red_flags[rule].topic and row.level >= content.red_flags[rule].level
    }
    rules = tuple(rule for rule in content.patterns[finding.rule].asks if rule not in asked | as_high)
    rules = tuple(sorted(rules, key=lambda rule: -content.red_flags[rule].level))
    if rules:
        because = f"{PATTERN}:{finding.rule}"
        await put_question(services, store, patient, night, because, rules, False, f"diary:{night}")


async def _say(
    services: Services, store: Store, patient: Patient, content: Content, finding: Finding, told: Told
) -> None:
    """Owe a kind word, out of quiet hours; none beside something that must be seen soon or at once."""
    if told.level >= Level.SOON or forbids_coaching(await store.open_escalations(patient.id)):
        return
    subject = f"{PATTERN}:{finding.rule}"
    due = out_of_quiet(patient, services.clock())
    steps = await store.sending_for(patient.id, Kind.WORD, subject)
    await store.plan(patient.id, Kind.WORD, subject, len(steps), due, due + WORD_LASTS)
    services.wake()


async def render_word(
    services: Services, store: Store, patient: Patient, sending: Sending, now: datetime
) -> Spoken:
    """Render a kind word, with the offer of a break; none while something grave is open."""
    content = services.content_for(patient)
    rule = sending.subject.removeprefix(f"{PATTERN}:")
    if forbids_coaching(await store.open_escalations(patient.id)):
        return Spoken(None, "graver")
    if rule not in content.pattern_words:
        return Spoken(None, "no such pattern")
    words = content.pattern_words[rule]
    text = content.words.say(
        "good_news", line=Html(words.line), why=Html(words.why), action=Html(words.action)
    )
    return Spoken(Message(text, fewer_messages(content, patient, now), silent=True))
