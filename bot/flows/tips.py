"""Tips and causes on demand: by topic, by a typed word, one that fits tonight; gated like everything."""

from __future__ import annotations

from datetime import date

from rapidfuzz import fuzz, process, utils

from bot.flows.facts import circumstances
from bot.flows.services import Services
from bot.messages import Button, Message, Reply
from bot.rules.timing import night_at
from bot.rules.tips import Circumstances, fitting, fitting_tips
from content.loader import Content
from content.words import Html

NEAR_ENOUGH = 78.0  # of 100: a typed word with one or two wrong letters still finds its tip
BUTTON_TEXT = 60


async def _gated(services: Services, chat_id: int) -> tuple[Content, Circumstances, str]:
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return content, Circumstances({}, frozenset(), frozenset(), frozenset()), "0"
        night = night_at(services.clock(), patient.times.prompt_at, patient.times.checkin_at, patient.tz)
        return content, await circumstances(store, patient, content, night), f"{patient.id}:{night}"


async def menu(services: Services, chat_id: int, search: str = "") -> Reply:
    """Answer /tips: the topics, or what a typed word finds."""
    content, at, _ = await _gated(services, chat_id)
    if search.strip():
        return _found(content, at, search)
    return Reply(messages=(_topics(content, at),))


def _topics(content: Content, at: Circumstances) -> Message:
    words = content.words
    found = list(
        dict.fromkeys(topic for tip in fitting_tips(content, at) for topic in content.tips[tip].topics)
    )
    fits = (Button(words.plain("button_fits_tonight"), "tp:fits"),)
    buttons = [Button(words.plain(f"topic_{topic}"), f"tp:topic:{topic}") for topic in found]
    rows = [tuple(buttons[at_ : at_ + 2]) for at_ in range(0, len(buttons), 2)]
    return Message(words.say("tips_menu"), (fits, *rows))


def _found(content: Content, at: Circumstances, search: str) -> Reply:
    titles = {
        tip: f"{words.title} {' '.join(content.tips[tip].topics)}" for tip, words in content.tip_words.items()
    }
    tips = [tip for tip in _nearest(search, titles) if fitting(content, tip, at)]
    causes = _nearest(
        search,
        {cause: f"{words.title} {' '.join(words.search)}" for cause, words in content.cause_words.items()},
    )
    words = content.words
    if not tips and not causes:
        return Reply(
            messages=(Message(words.say("nothing_found", search=search[:60]), _topics(content, at).rows),)
        )
    rows = [(Button(content.tip_words[tip].title[:BUTTON_TEXT], f"tp:tip:{tip}"),) for tip in tips]
    rows += [(Button(content.cause_words[cause].title[:BUTTON_TEXT], f"ca:{cause}"),) for cause in causes]
    return Reply(messages=(Message(words.say("found", search=search[:60]), tuple(rows)),))


def _nearest(search: str, titles: dict[str, str]) -> list[str]:
    hits = process.extract(
        search, titles, scorer=fuzz.partial_token_set_ratio, processor=utils.default_process, limit=6
    )
    return [name for _, score, name in hits if score >= NEAR_ENOUGH]


async def topic(services: Services, chat_id: int, name: str) -> Reply:
    """Show the tips of one topic that fit this person."""
    content, at, _ = await _gated(services, chat_id)
    tips = [tip for tip in fitting_tips(content, at) if name in content.tips[tip].topics]
    if not tips:
        return Reply(edit=_topics(content, at))
    rows = [(Button(content.tip_words[tip].title[:BUTTON_TEXT], f"tp:tip:{tip}"),) for tip in tips]
    back = (Button(content.words.plain("button_back"), "tp:menu"),)
    text = content.words.say("topic_head", topic=content.words.say(f"topic_{name}"))
    return Reply(edit=Message(text, (*rows, back)))


async def back_to_menu(services: Services, chat_id: int) -> Reply:
    """Show the topics in place."""
    content, at, _ = await _gated(services, chat_id)
    return Reply(edit=_topics(content, at))


async def tip(services: Services, chat_id: int, name: str) -> Reply:
    """Show one tip, or what stands in for it when it would be wrong for this person."""
    content, at, _ = await _gated(services, chat_id)
    shown = fitting(content, name, at) if name in content.tips else None
    if shown is None:
        return Reply(messages=(Message(content.words.say("tip_withheld")),))
    return Reply(messages=(Message(card(content, shown)),))


async def one_that_fits(services: Services, chat_id: int) -> Reply:
    """Show one tip that fits tonight, another each night."""
    content, at, seed = await _gated(services, chat_id)
    tips = fitting_tips(content, at)
    if not tips:
        return Reply(messages=(Message(content.words.say("tip_withheld")),))
    return Reply(messages=(Message(card(content, tips[sum(seed.encode()) % len(tips)])),))


def card(content: Content, name: str) -> Html:
    """Return one tip in full: how, why, caution, evidence, sources, review."""
    words, shape, tip_words = content.words, content.tips[name], content.tip_words[name]
    parts = [Html(f"<b>{tip_words.title}</b>"), Html(tip_words.how)]
    parts += [Html(text) for text in (tip_words.why, tip_words.caution) if text]
    parts.append(
        _footing(content, words.say(f"evidence_{shape.evidence}"), shape.sources, shape.review.reviewed_on)
    )
    return Html("\n\n".join(parts))


def _footing(content: Content, evidence: Html, sources: tuple[str, ...], reviewed_on: date | None) -> Html:
    words = content.words
    titles = words.list([content.sources[key].title for key in sources], style="unit")
    review = (
        words.say("reviewed_on", date=words.date(reviewed_on)) if reviewed_on else words.say("not_reviewed")
    )
    return words.say("footing", evidence=evidence, sources=titles, review=review)


async def causes(services: Services, chat_id: int, search: str = "") -> Reply:
    """Answer /causes: every cause as a card, or those a typed word finds."""
    content, _, _ = await _gated(services, chat_id)
    names = sorted(content.causes, key=lambda cause: content.causes[cause].order)
    if search.strip():
        titles = {
            cause: f"{words.title} {' '.join(words.search)}" for cause, words in content.cause_words.items()
        }
        names = _nearest(search, titles) or names
    rows = tuple((Button(content.cause_words[cause].title[:BUTTON_TEXT], f"ca:{cause}"),) for cause in names)
    return Reply(messages=(Message(content.words.say("causes_menu"), rows),))


async def cause(services: Services, chat_id: int, name: str) -> Reply:
    """Show one cause card; it never says that the reader has it."""
    content, _, _ = await _gated(services, chat_id)
    if name not in content.causes:
        return Reply(notice=content.words.plain("notice_old_button"), alert=True)
    words, card_words, shape = content.words, content.cause_words[name], content.causes[name]
    text = words.say(
        "cause_card",
        title=Html(card_words.title),
        feels=Html(card_words.feels),
        clues=Html(card_words.clues),
        helps=Html(card_words.helps),
        harms=Html(card_words.harms),
        see_someone=Html(card_words.see_someone),
        footing=_footing(content, Html(""), shape.sources, shape.review.reviewed_on),
    )
    return Reply(messages=(Message(text),))
