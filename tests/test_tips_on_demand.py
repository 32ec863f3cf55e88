"""Tips and causes on demand: by topic, by a typed word, one that fits tonight; gated like everything."""

from __future__ import annotations

from datetime import time

import pytest

from tests.conversation import Conversation, Person, buttons, heard
from tests.known import CLOT, answer_profile

REVIEWED = range(1, 24)


async def titles(talk: Conversation, person: Person) -> set[str]:
    """Open every topic and return the titles behind them."""
    found: set[str] = set()
    await talk.say(person, "/tips")
    for topic in [data for data in buttons(person) if data.startswith("tp:topic:")]:
        await talk.press(person, topic)
        found |= {label for data, label in buttons(person).items() if data.startswith("tp:tip:")}
        await talk.press(person, "‹ Back", "Pick a topic")
    return found


async def search(talk: Conversation, person: Person, words: str, command: str = "tips") -> list[str]:
    """Search and return the labels of what was found."""
    said = await talk.say(person, f"/{command} {words}")
    return said[-1].buttons


async def test_all_tips_are_reached_by_a_healthy_person(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    content = talk.app.services.content("en")
    table = {content.tip_words[name].title for name, tip in content.tips.items() if tip.number in REVIEWED}
    assert len(table) == 23
    assert await titles(talk, ada) == table


async def test_each_tip_shows_evidence_source_and_review(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    content = talk.app.services.content("en")
    page = (await talk.say(ada, "/tips"))[-1]
    for name, tip in content.tips.items():
        if tip.number not in REVIEWED:
            continue
        await ada.press(page, f"tp:tip:{name}", stale=True)
        await talk.settled()
        card = ada.last.text
        assert card.startswith(content.tip_words[name].title)
        assert "Evidence: " in card
        assert f"From: {content.sources[tip.sources[0]].title}" in card
        assert "Not yet reviewed by a clinician." in card
        assert "\n\n\n" not in card
        assert len(card) <= 4096


async def test_every_cause_is_a_card_that_never_says_you_have_it(talk: Conversation) -> None:
    ada = await talk.patient()
    page = (await talk.say(ada, "/causes"))[-1]
    content = talk.app.services.content("en")
    assert len(page.buttons) == len(content.causes)
    for name, words in content.cause_words.items():
        await talk.press(ada, f"ca:{name}", words.title)
        card = ada.last.text
        assert all(part in card for part in ("How it feels", "Clues", "What helps", "What harms", "From: "))
        assert "When to see someone" in card
        assert len(card) <= 4096
        assert "\n\n\n" not in card
        assert "you have " + words.title.lower() not in card.lower()


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("pillow", "Find an easier position"),
        ("pilow", "Find an easier position"),
        ("magnesum", "Minerals and vitamins: best left alone"),
        ("quinnine", "No quinine or tonic water for cramps"),
        ("strech", "Stretch calves and thighs at bedtime"),
        ("cofee", "Check caffeine and alcohol"),
        ("my stockings please", "Compression stockings: after a check and a fitting"),
        ("BREATHING", "Breathe slowly"),
    ],
)
async def test_a_typed_word_finds_its_tip_with_typing_errors(
    talk: Conversation, typed: str, title: str
) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    found = await search(talk, ada, typed)
    assert title in found
    assert len(found) <= 12


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("charley horse", "Night cramps"),
        ("restles", "Restless legs"),
        ("DVT", "A blood clot in the leg"),
        ("varicous", "Tired veins and varicose veins"),
        ("pinched nerve", "A pinched nerve in the leg"),
    ],
)
async def test_a_typed_word_finds_its_cause(talk: Conversation, typed: str, title: str) -> None:
    ada = await talk.patient()
    assert title in (await search(talk, ada, typed, "causes"))[:3]


async def test_nothing_found_says_so_and_offers_the_rest(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "/tips xylophone <b>")
    assert "I have nothing on “xylophone <b>”" in said[-1].text
    assert "Stretching" in said[-1].buttons
    said = await talk.say(ada, "/causes xylophone")
    assert "I have nothing on" in said[-1].text
    assert "Night cramps" in said[-1].buttons
    assert (await talk.say(ada, "/tips " + "x" * 3000))[-1].text


async def test_a_fluid_limit_finds_its_own_tip_and_never_drink_more(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada, yes=["fluid_limit"])
    assert "Drink to thirst" not in await titles(talk, ada)
    found = await search(talk, ada, "drink")
    assert "Drink to thirst" not in found
    assert "Keep to the amount your team gave you" in found
    page = ada.last
    await ada.press(page, "tp:tip:drink_to_thirst", stale=True)
    await talk.settled()
    assert ada.last.text.startswith("Keep to the amount your team gave you")


async def test_an_arterial_clue_hides_raising_warmth_and_stockings(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada, yes=["artery_disease"])
    shown = await titles(talk, ada)
    hidden = {"Rest with your legs up", "Use gentle warmth", "Cool a sore muscle"}
    assert shown.isdisjoint(hidden | {"Compression stockings: after a check and a fitting"})
    assert "Lie comfortably, without raising the legs" in shown
    for typed in ("raise legs up", "warmth", "stockings"):
        assert hidden.isdisjoint(await search(talk, ada, typed))


async def test_an_unknown_profile_gets_the_safest(talk: Conversation) -> None:
    ada = await talk.patient()
    shown = await titles(talk, ada)
    assert "Stretch sitting on the bed" in shown
    assert "What painkillers can and cannot do" not in shown
    assert "Keep to the amount your team gave you" not in shown, "nobody told of a limit"


async def test_a_suspected_clot_withholds_with_a_word(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    page = (await talk.say(ada, "/tips"))[-1]
    await talk.say(ada, CLOT)
    await talk.until(time(8, 30))
    await ada.press(page, "tp:tip:calf_stretch", stale=True)
    await talk.settled()
    assert "I do not show this tip now" in ada.last.text
    assert not any("tretch" in title for title in await titles(talk, ada))


async def test_one_that_fits_stays_for_the_night_and_changes_with_it(talk: Conversation) -> None:
    ada = await talk.patient()
    shown = set()
    for _ in range(4):
        page = (await talk.say(ada, "/tips"))[-1]
        await ada.press(page, "tp:fits")
        await talk.settled()
        shown.add(ada.last.text)
        await talk.later(days=1)
    assert len(shown) >= 3


async def test_old_and_odd_buttons_are_answered(talk: Conversation) -> None:
    ada = await talk.patient()
    page = (await talk.say(ada, "/tips"))[-1]
    for data in ("tp:tip:nothing", "tp:topic:nothing", "ca:nothing", "tp", "ca"):
        await ada.press(page, data, stale=True)
        await talk.settled()
    assert "Something went wrong" not in heard(ada)


async def test_button_texts_are_whole_and_data_short(talk: Conversation) -> None:
    content = talk.app.services.content("en")
    named = {f"tp:tip:{name}": words.title for name, words in content.tip_words.items()}
    named |= {f"ca:{name}": words.title for name, words in content.cause_words.items()}
    assert all(len(data.encode()) <= 64 for data in named)
    assert max(map(len, named.values())) <= 60


@pytest.mark.parametrize("words", ["I want to kill myself", "can't breathe"])
async def test_no_tip_is_shown_in_despair_or_in_an_emergency(talk: Conversation, words: str) -> None:
    ada = await talk.patient()
    menu = (await talk.say(ada, "/tips"))[-1]
    await talk.say(ada, words)
    for asked in ("/tips", "/tips pillow"):
        said = await talk.say(ada, asked)
        assert "999" in said[-1].text
        assert not [label for label in said[-1].buttons if label.startswith("✨")]
    before = len(ada.heard)
    await ada.press(menu, "tp:fits")
    await talk.settled()
    assert ["Evidence" in text for text in ada.heard[before:]] == [False]


async def test_what_is_urgent_stops_all_tips_until_the_next_morning(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    await talk.say(ada, CLOT)
    for asked in ("/tips", "/tips pillow"):
        said = await talk.say(ada, asked)
        assert "Be seen today" in said[-1].text
        assert said[-1].buttons == ["📞 Call 999"], asked
    assert "No stretching for now" in (await talk.say(ada, "/stretch"))[-1].text
    await talk.until(time(8, 30))
    assert "Pick a topic" in (await talk.say(ada, "/tips"))[-1].text


async def test_despair_is_not_sent_to_stretch(talk: Conversation) -> None:
    ada = await talk.patient()
    await answer_profile(talk, ada)
    await talk.say(ada, "I want to kill myself")
    assert "No stretching for now" in (await talk.say(ada, "/stretch"))[-1].text


async def test_a_cause_says_nothing_of_what_helps_while_something_is_urgent(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/causes")
    await talk.press(ada, "ca:cramps", "Night cramps")
    assert "draw the foot up" in ada.last.text
    await talk.say(ada, CLOT)
    await talk.say(ada, "/causes")
    await talk.press(ada, "ca:cramps", "Night cramps")
    assert "draw the foot up" not in ada.last.text
    assert "First be seen about what you told me" in ada.last.text


async def test_no_cause_is_shown_in_an_emergency(talk: Conversation) -> None:
    ada = await talk.patient()
    page = (await talk.say(ada, "/causes"))[-1]
    await talk.say(ada, "can't breathe")
    assert "999" in (await talk.say(ada, "/causes"))[-1].text
    await ada.press(page, "ca:cramps", stale=True)
    await talk.settled()
    assert "draw the foot up" not in ada.last.text
