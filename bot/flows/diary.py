"""The last nights in text, readable on a phone; a night without answers is unknown, never good."""

from __future__ import annotations

from datetime import date, timedelta

from bot.flows.schedule import ended_night
from bot.flows.services import Services
from bot.messages import Button, Message, Reply
from bot.model import CheckIn, Episode, Evening, Patient
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

NIGHTS = 14


async def show(services: Services, chat_id: int) -> Reply:
    """Answer /diary: one line a night, newest first, with what was done and filed."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return Reply(messages=(Message(content.words.say("not_enrolled")),))
        last = ended_night(patient, services.clock())
        text = await _text(store, patient, content, last)
    button = Button(content.words.plain("button_fill_in"), "nt:list")
    return Reply(messages=(Message(text, ((button,),)),))


async def _text(store: Store, patient: Patient, content: Content, last: date) -> Html:
    first = last - timedelta(days=NIGHTS - 1)
    nights = {checkin.night: checkin for checkin in await store.diary(patient.id, first, last)}
    evenings = {evening.night: evening for evening in await store.evenings(patient.id, first, last)}
    episodes = [one for one in await store.episodes(patient.id, first) if one.night <= last]
    days = [last - timedelta(days=back) for back in range(NIGHTS)]
    lines = [
        _line(content, day, nights.get(day), evenings.get(day), [one for one in episodes if one.night == day])
        for day in days
    ]
    logged = [checkin for checkin in nights.values() if checkin.is_logged]
    head = content.words.say("diary_head", n=len(logged), nights=NIGHTS)
    trouble = sum(1 for checkin in logged if checkin.pain)
    foot = (
        content.words.say("diary_foot", n=trouble, logged=len(logged))
        if logged
        else content.words.say("diary_empty")
    )
    return Html("\n".join([head, "", *lines, "", foot]))


def _line(
    content: Content, day: date, checkin: CheckIn | None, evening: Evening | None, episodes: list[Episode]
) -> Html:
    words = content.words
    parts = [_score(content, checkin)]
    if checkin is not None:
        for code in ("feeling", "side", "awake"):
            value = getattr(checkin, code)
            codes = value if isinstance(value, tuple) else (value,) if value else ()
            parts += [content.question_words[code].options[one] for one in codes]
        if checkin.signs:
            parts.append(words.plain("diary_signs"))
    if episodes:
        parts.append(words.plain("diary_episodes", n=len(episodes)))
    if evening is not None and evening.done:
        parts.append(words.plain("diary_done"))
    return words.say("diary_line", day=words.day(day), what=" · ".join(part for part in parts if part))


def _score(content: Content, checkin: CheckIn | None) -> str:
    if checkin is None or checkin.pain is None:
        return content.words.plain("diary_unknown")
    return (
        content.words.plain("diary_score", pain=checkin.pain)
        if checkin.pain
        else content.words.plain("diary_good")
    )
