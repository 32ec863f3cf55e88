"""The last nights in text, readable on a phone; a night without answers is unknown, never good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.flows.refusals import not_enrolled
from bot.flows.schedule import current_night, ended_night
from bot.flows.services import Services
from bot.messages import Button, Message, Reply
from bot.model import CheckIn, Episode, Evening, Patient
from bot.storage.store import Store
from content.loader import Content
from content.words import Html

NIGHTS = 14
PARTS = ("drink", "stretch", "stretch_partly", "wind_down")


@dataclass(frozen=True)
class _Known:
    """What is known of one night."""

    night: date
    checkin: CheckIn | None
    evening: Evening | None
    episodes: tuple[Episode, ...]

    @property
    def is_empty(self) -> bool:
        return self.checkin is None and self.evening is None and not self.episodes


async def show(services: Services, chat_id: int) -> Reply:
    """Answer /diary: one line a night, newest first, with what was done and filed."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return not_enrolled(content, patient)
        known = await _nights(store, patient, services.clock())
    button = Button(content.words.plain("button_fill_in"), "nt:list")
    return Reply(messages=(Message(_text(content, known), ((button,),)),))


async def _nights(store: Store, patient: Patient, now: datetime) -> list[_Known]:
    """Return the last nights, newest first; tonight once a cramp was noted, none before the person came."""
    ended, tonight = ended_night(patient, now), current_night(patient, now)
    first = ended - timedelta(days=NIGHTS - 1)
    came = current_night(patient, patient.created_at)
    checkins = {one.night: one for one in await store.diary(patient.id, first, ended)}
    evenings = {one.night: one for one in await store.evenings(patient.id, first, ended)}
    episodes = await store.episodes(patient.id, first, tonight)
    found = []
    for back in range((tonight - first).days + 1):
        day = tonight - timedelta(days=back)
        mine = tuple(one for one in episodes if one.night == day)
        known = _Known(day, checkins.get(day), evenings.get(day), mine)
        if mine if day > ended else (day >= came or not known.is_empty):
            found.append(known)
    return found


def _text(content: Content, nights: list[_Known]) -> Html:
    words = content.words
    logged = [known.checkin for known in nights if known.checkin is not None and known.checkin.is_logged]
    if not logged and all(known.is_empty for known in nights):
        return words.say("diary_empty")
    head = words.say("diary_head", nights=NIGHTS)
    trouble = sum(1 for checkin in logged if checkin.pain)
    foot = words.say("diary_foot", n=trouble, logged=len(logged))
    return Html("\n".join([head, "", *(_line(content, known) for known in nights), "", foot]))


def _line(content: Content, known: _Known) -> Html:
    words = content.words
    what = _score(content, known.checkin)
    if known.checkin is not None and known.checkin.signs:
        what = f"{what} {words.plain('diary_signs')}"
    line = words.say("diary_line", day=words.day(known.night), what=what)
    details = [*_answers(content, known.checkin), *_filed(content, known)]
    return Html(f"{line}\n{words.say('diary_details', what=' · '.join(details))}") if details else line


def _answers(content: Content, checkin: CheckIn | None) -> list[str]:
    if checkin is None:
        return []
    found: list[str] = []
    for code in ("feeling", "side", "awake"):
        value = getattr(checkin, code)
        codes = value if isinstance(value, tuple) else (value,) if value else ()
        words = content.question_words[code]
        labels = [words.options[one] for one in codes]
        found += [f"{words.short}: {label}" for label in labels] if code == "awake" else labels
    return found


def _filed(content: Content, known: _Known) -> list[str]:
    words = content.words
    found = [words.plain("diary_episodes", n=len(known.episodes))] if known.episodes else []
    done = known.evening.done if known.evening is not None else frozenset()
    parts = [words.plain(f"part_{part}") for part in PARTS if part in done]
    return found + ([words.plain("diary_done", parts=words.list(parts, style="unit"))] if parts else [])


def _score(content: Content, checkin: CheckIn | None) -> str:
    words = content.words
    if checkin is None or checkin.pain is None:
        return words.plain("diary_unknown")
    return words.plain("diary_score", pain=checkin.pain) if checkin.pain else words.plain("diary_good")
