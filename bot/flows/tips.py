"""Tips and causes on demand: by topic, by a typed word, one that fits tonight; gated like everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from math import log

from rapidfuzz import fuzz, process, utils

from bot.flows.cards import is_despair, told_before
from bot.flows.escalation import rules_out_tips
from bot.flows.facts import circumstances
from bot.flows.refusals import old_button
from bot.flows.schedule import current_night
from bot.flows.services import Services
from bot.messages import Button, Message, Reply, Rows, in_rows
from bot.rules.lifecycle import forbids_coaching
from bot.rules.tips import NOTHING_KNOWN, STAND_INS_FROM, Circumstances, fitting, fitting_tips
from content.loader import Content
from content.schema import Level, Review
from content.words import Html

NEAR_ENOUGH = 78.0  # of 100: a typed word with one or two wrong letters still finds its tip
NEAR_MENTION = 88.0  # the same for a word inside the text, where chance likenesses are many
MENTION_COUNTS = 0.6  # of a word in the title
WORTH_SHOWING = 0.6  # of the best hit
MOST_FOUND = 6
SHORTEST_WORD = 3
STEM, ENDING = 5, 4  # letters that two forms of a word share at least, and differ in at most
BUTTON_TEXT = 60
SEARCH_SHOWN = 60

Searched = tuple[str, str]  # a title with what else it is called, and a text


async def _in_place(services: Services, chat_id: int, urgent_too: bool = True) -> Reply | None:
    """Return what is said instead of any tip while something of the patient's own rules all of them out.

    Cards that inform give way to an emergency and to despair only: not `urgent_too`.
    """
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        if patient is None:
            return None
        content = services.content_for(patient)
        row = await rules_out_tips(store, patient, content, services.clock())
    if row is None or row.told_at is None:
        return None
    if not urgent_too and row.level < Level.EMERGENCY and not is_despair(content, row.rule):
        return None
    return Reply(messages=(told_before(content, patient, row.rule, services.clock().date()),))


async def _helps_now(services: Services, chat_id: int) -> bool:
    """Return whether what helps may be told: nothing grave of the patient's own is open."""
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        return patient is None or not forbids_coaching(await store.open_escalations(patient.id))


async def _gated(services: Services, chat_id: int) -> tuple[Content, Circumstances, str]:
    async with services.database.reading() as store:
        patient = await store.patient_of_chat(chat_id)
        content = services.content_of(patient)
        if patient is None or not patient.is_enrolled:
            return content, NOTHING_KNOWN, "0"
        night = current_night(patient, services.clock())
        return content, await circumstances(store, patient, content, night), f"{patient.id}:{night}"


async def menu(services: Services, chat_id: int, search: str = "") -> Reply:
    """Answer /tips: the topics, or what a typed word finds."""
    if instead := await _in_place(services, chat_id):
        return instead
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
    return Message(words.say("tips_menu"), (fits, *in_rows(buttons, 2)))


def _found(content: Content, at: Circumstances, search: str) -> Reply:
    tips, causes = _nearest(search, _tip_texts(content, at)), _nearest(search, _cause_texts(content))
    words = content.words
    shown = search.strip()[:SEARCH_SHOWN]
    if not tips and not causes:
        rows = _topics(content, at).rows
        return Reply(messages=(Message(words.say("nothing_found", search=shown), rows),))
    rows = (*_tip_rows(content, tips), *_cause_rows(content, causes))
    return Reply(messages=(Message(words.say("found", search=shown), rows),))


def _tip_rows(content: Content, tips: Iterable[str]) -> Rows:
    return tuple((Button(content.tip_words[tip].title[:BUTTON_TEXT], f"tp:tip:{tip}"),) for tip in tips)


def _cause_rows(content: Content, causes: Iterable[str]) -> Rows:
    return tuple((Button(content.cause_words[cause].title[:BUTTON_TEXT], f"ca:{cause}"),) for cause in causes)


def _tip_texts(content: Content, at: Circumstances) -> dict[str, Searched]:
    """Return what each tip that may be shown is found by: its words, and those of what it stands in for."""
    found: dict[str, Searched] = {}
    for name, shape in content.tips.items():
        shown = fitting(content, name, at) if shape.number < STAND_INS_FROM else None
        if shown is None:
            continue
        head, body = found.get(shown, (content.tip_words[shown].title, content.tip_words[shown].how))
        topics = (content.words.plain(f"topic_{topic}") for topic in shape.topics)
        words = content.tip_words[name]
        found[shown] = (" ".join((head, words.title, *topics)), f"{body} {words.how}")
    return found


def _cause_texts(content: Content) -> dict[str, Searched]:
    return {
        cause: (f"{words.title} {' '.join(words.search)}", f"{words.feels} {words.clues}")
        for cause, words in content.cause_words.items()
    }


def _nearest(search: str, texts: Mapping[str, Searched]) -> list[str]:
    """Return the names whose words come near the typed ones, best first; rare words count for more."""
    scores: dict[str, float] = dict.fromkeys(texts, 0.0)
    split = {name: (_words(head), _words(body)) for name, (head, body) in texts.items()}
    for word in set(_words(search)):
        hits = {name: _nearness(word, head, body) for name, (head, body) in split.items()}
        weight = log(1 + len(texts) / max(1, sum(1 for hit in hits.values() if hit)))
        for name, hit in hits.items():
            scores[name] += hit * weight
    best = max(scores.values(), default=0.0)
    ranked = sorted((name for name in scores if scores[name] > 0), key=lambda name: -scores[name])
    return [name for name in ranked if scores[name] >= best * WORTH_SHOWING][:MOST_FOUND]


def _nearness(word: str, head: list[str], body: list[str]) -> float:
    """Return how near a typed word comes to a text: less for what is only mentioned, 0 for not at all."""
    if near := process.extractOne(word, head, scorer=fuzz.ratio, score_cutoff=NEAR_ENOUGH):
        return near[1]
    if any(_same_stem(word, other) for other in head):
        return NEAR_ENOUGH
    if near := process.extractOne(word, body, scorer=fuzz.ratio, score_cutoff=NEAR_MENTION):
        return near[1] * MENTION_COUNTS
    return 0.0


def _same_stem(one: str, other: str) -> bool:
    """Return whether two words differ in their ending only ("breathing", "breathe")."""
    pairs = zip(one, other, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return shared >= STEM and max(len(one), len(other)) - shared <= ENDING


def _words(text: str) -> list[str]:
    return [word for word in utils.default_process(text).split() if len(word) >= SHORTEST_WORD]


async def topic(services: Services, chat_id: int, name: str) -> Reply:
    """Show the tips of one topic that fit this person."""
    if instead := await _in_place(services, chat_id):
        return instead
    content, at, _ = await _gated(services, chat_id)
    tips = [tip for tip in fitting_tips(content, at) if name in content.tips[tip].topics]
    if not tips:
        return Reply(edit=_topics(content, at))
    rows = _tip_rows(content, tips)
    back = (Button(content.words.plain("button_back"), "tp:menu"),)
    text = content.words.say("topic_head", topic=content.words.say(f"topic_{name}"))
    return Reply(edit=Message(text, (*rows, back)))


async def back_to_menu(services: Services, chat_id: int) -> Reply:
    """Show the topics in place."""
    if instead := await _in_place(services, chat_id):
        return instead
    content, at, _ = await _gated(services, chat_id)
    return Reply(edit=_topics(content, at))


async def tip(services: Services, chat_id: int, name: str) -> Reply:
    """Show one tip, or what stands in for it when it would be wrong for this person."""
    if instead := await _in_place(services, chat_id):
        return instead
    content, at, _ = await _gated(services, chat_id)
    shown = fitting(content, name, at) if name in content.tips else None
    if shown is None:
        return Reply(messages=(Message(content.words.say("tip_withheld")),))
    return Reply(messages=(Message(card(content, shown)),))


async def one_that_fits(services: Services, chat_id: int) -> Reply:
    """Show one tip that fits tonight, another each night."""
    if instead := await _in_place(services, chat_id):
        return instead
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
    parts.append(_footing(content, words.say(f"evidence_{shape.evidence}"), shape.sources, shape.review))
    return Html("\n\n".join(parts))


def _footing(content: Content, evidence: Html, sources: tuple[str, ...], review: Review) -> Html:
    words = content.words
    titles = words.list([content.sources[key].title for key in sources], style="unit")
    state = words.say("not_reviewed")
    if review.is_reviewed and review.reviewed_on:
        state = words.say("reviewed_by", name=review.reviewer, date=words.date(review.reviewed_on))
    lines = (evidence, words.say("footing", sources=titles, review=state))
    return Html("<i>" + "\n".join(line for line in lines if line) + "</i>")


async def causes(services: Services, chat_id: int, search: str = "") -> Reply:
    """Answer /causes: every cause as a card, or those a typed word finds."""
    if instead := await _in_place(services, chat_id, urgent_too=False):
        return instead
    content, _, _ = await _gated(services, chat_id)
    words = content.words
    every = sorted(content.causes, key=lambda cause: content.causes[cause].order)
    if not search.strip():
        return Reply(messages=(Message(words.say("causes_menu"), _cause_rows(content, every)),))
    names = _nearest(search, _cause_texts(content))
    text = words.say("found" if names else "nothing_found", search=search.strip()[:SEARCH_SHOWN])
    return Reply(messages=(Message(text, _cause_rows(content, names or every)),))


async def cause(services: Services, chat_id: int, name: str) -> Reply:
    """Show one cause card; it never says that the reader has it, nor what helps while something is grave."""
    if instead := await _in_place(services, chat_id, urgent_too=False):
        return instead
    content, _, _ = await _gated(services, chat_id)
    if name not in content.causes:
        return old_button(content)
    words, card_words, shape = content.words, content.cause_words[name], content.causes[name]
    helps = Html(card_words.helps)
    if not await _helps_now(services, chat_id):
        helps = words.say("cause_helps_later")
    text = words.say(
        "cause_card",
        title=Html(card_words.title),
        feels=Html(card_words.feels),
        clues=Html(card_words.clues),
        helps=helps,
        harms=Html(card_words.harms),
        see_someone=Html(card_words.see_someone),
        footing=_footing(content, Html(""), shape.sources, shape.review),
    )
    return Reply(messages=(Message(text),))
