"""The optional safety profile: plain yes, no or skip; what is skipped means the safest wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.flows.refusals import nobody, not_enrolled, old_button
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows
from bot.model import Patient, ProfileAnswer
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

ASKED_AT_START = 100  # flags ordered below this are the short first round
SIDES = ("left", "right", "both")
AGAIN = "g"
ROUNDS = ("r", "a", "o", AGAIN)  # the short first round, all, this one only, this one once more
ANSWERS = ("yes", "no", "skip", "end", "noside", *SIDES)


def asked(content: Content, first_round: bool = False) -> list[str]:
    """Return the profile questions in the order they are asked."""
    flags = [flag for flag, shape in content.profile.items() if shape.asked]
    flags.sort(key=lambda flag: content.profile[flag].order)
    return [flag for flag in flags if not first_round or content.profile[flag].order < ASKED_AT_START]


def question(content: Content, flag: str, round_: str, known: Mapping[str, ProfileAnswer]) -> Message:
    """Return one question; `round_` is r (the short first round), a (all), o (this one only) or g (again)."""
    words = content.words
    flags = asked(content, first_round=round_ == "r")
    place = words.say("profile_place", at=flags.index(flag) + 1, of=len(flags)) if flag in flags else Html("")
    text = Html(f"{place}\n<b>{content.profile_words[flag].question}</b>")
    standing = known.get(flag)
    if standing is not None:
        answer = words.say("profile_yes" if standing.yes else "profile_no")
        text = Html(f"{text}\n{words.say('profile_standing', answer=answer)}")
    yes = Button(words.plain("button_yes"), f"pr:{round_}:{flag}:yes")
    no = Button(words.plain("button_no"), f"pr:{round_}:{flag}:no")
    skip = Button(words.plain("button_skip"), f"pr:{round_}:{flag}:skip")
    end = Button(words.plain("button_enough"), f"pr:{round_}:{flag}:end")
    if round_ == AGAIN:
        return Message(Html(f"<b>{content.profile_words[flag].question}</b>"), ((yes, no), (skip,)))
    if round_ == "o":
        skip = Button(words.plain("button_rather_not"), f"pr:o:{flag}:skip")
        end = Button(words.plain("button_back"), "pr:o:list:show")
    return Message(text, ((yes, no), (skip, end)))


def first_question(content: Content, known: Mapping[str, ProfileAnswer], round_: str) -> Message | None:
    """Return the first question of a round; None when there is none."""
    flags = asked(content, first_round=round_ == "r")
    return question(content, flags[0], round_, known) if flags else None


async def due_again(store: Store, patient: Patient, content: Content, now: datetime) -> Message | None:
    """Return one question whose answer may have passed; unanswered, it comes again after a while."""
    today = patient.day_of(now)
    known = await store.profile(patient.id)
    flags = [flag for flag in asked(content) if flag in known and _is_due(known[flag], today)]
    if not flags:
        return None
    answer = known[flags[0]]
    later = today + timedelta(days=content.timing.profile_asked_again_days)
    await store.set_profile(patient.id, replace(answer, ask_again_on=later), now)
    lead = content.words.say("profile_again")
    put = question(content, answer.flag, AGAIN, known)
    return replace(put, text=Html(f"{lead}\n{put.text}"), silent=True)


def _is_due(answer: ProfileAnswer, today: date) -> bool:
    return answer.ask_again_on is not None and answer.ask_again_on <= today


async def overview(services: Services, chat_id: int, language: str | None) -> Reply:
    """Answer /profile: what is known, each line a button that changes it."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return not_enrolled(services.content_of(patient, language), patient)
        content = services.content_for(patient)
        known = await store.profile(patient.id)
    return Reply(messages=(_overview(content, known),))


def _overview(content: Content, known: Mapping[str, ProfileAnswer]) -> Message:
    words = content.words
    rows: list[tuple[Button, ...]] = [(Button(words.plain("button_profile_all"), "pr:a:start:go"),)]
    for flag in asked(content):
        answer = known.get(flag)
        mark = "profile_unknown" if answer is None else "profile_yes" if answer.yes else "profile_no"
        label = words.plain("profile_line", label=content.profile_words[flag].label, answer=words.plain(mark))
        rows.append((Button(label, f"pr:o:{flag}:show"),))
    return Message(words.say("profile_overview"), tuple(rows))


async def press(
    services: Services, chat_id: int, round_: str, flag: str, answer: str, language: str | None
) -> Reply:
    """Record one profile answer and show what comes next in its round."""
    async with services.database.transaction() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None or patient.consent_at is None:
            return nobody(services.content(language))
        content = services.content_for(patient)
        known = await store.profile(patient.id)
        opened = _opened(content, round_, flag, answer, known)
        if opened is not None:
            return Reply(edit=opened)
        if round_ not in ROUNDS or flag not in asked(content) or answer not in ANSWERS:
            return old_button(content)
        asks_side = await _record(services, store, patient, flag, round_, answer)
        if asks_side:
            return Reply(edit=_which_side(content, flag, round_))
        known = await store.profile(patient.id)
    return Reply(edit=_after(content, flag, round_, answer, known))


def _opened(
    content: Content, round_: str, flag: str, answer: str, known: Mapping[str, ProfileAnswer]
) -> Message | None:
    """Return the question that a button only opens."""
    if flag == "start" and round_ in ROUNDS:
        return first_question(content, known, round_)
    if flag == "list":
        return _overview(content, known)
    if answer == "show" and flag in asked(content):
        return question(content, flag, round_, known)
    return None


async def _record(
    services: Services, store: Store, patient: Patient, flag: str, round_: str, answer: str
) -> bool:
    """Write one answer, or take back the one question that is skipped; say whether to ask the side."""
    content, now = services.content_for(patient), services.clock()
    if answer in ("yes", "no"):
        given = _answer(content, flag, answer == "yes", patient.day_of(now))
        await store.set_profile(patient.id, given, now)
        return given.yes and content.profile[flag].sided
    if answer in SIDES:
        known = (await store.profile(patient.id)).get(flag)
        if known is not None and known.yes:
            await store.set_profile(patient.id, replace(known, side=answer), now)
    elif answer == "skip" and round_ == "o":
        await store.clear_profile(patient.id, flag)
    return False


def _answer(content: Content, flag: str, yes: bool, today: date) -> ProfileAnswer:
    days = content.profile[flag].ask_again_days
    again = today + timedelta(days=days) if yes and days else None
    return ProfileAnswer(flag, yes, since=today if yes else None, ask_again_on=again)


def _which_side(content: Content, flag: str, round_: str) -> Message:
    names = content.question_words["side"].options
    row = tuple(Button(names[side], f"pr:{round_}:{flag}:{side}") for side in SIDES)
    rows: Rows = (row, (Button(content.words.plain("button_skip"), f"pr:{round_}:{flag}:noside"),))
    return Message(content.question_words["side"].ask, rows)


def _after(
    content: Content, flag: str, round_: str, answer: str, known: Mapping[str, ProfileAnswer]
) -> Message:
    flags = asked(content, first_round=round_ == "r")
    at = flags.index(flag) + 1 if flag in flags else len(flags)
    if round_ == "o":
        return _overview(content, known)
    if round_ == AGAIN:
        return Message(content.words.say("profile_thanks"))
    if answer == "end" or at >= len(flags):
        return Message(content.words.say("profile_thanks"))
    return question(content, flags[at], round_, known)
