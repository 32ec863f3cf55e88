"""Everyday words: a cramp in the dark, thanks and greetings, and what is said of a weekend or the weather."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.model import Facts
from bot.rules.hearing import listen
from bot.rules.reading import read
from content.loader import load
from content.schema import Level
from tests.conversation import Conversation, Person
from tests.known import patient_of

CONTENT = load()
LIST = "What worries you?"
HELPS = "slowly pull your foot up"
UNSURE = "I am not sure what you mean"


async def planned(talk: Conversation, person: Person) -> list[int]:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return [sending.id for sending in await store.waiting(patient.id)]


async def nights(talk: Conversation, person: Person) -> int:
    patient = await patient_of(talk, person)
    async with talk.store() as store:
        return len(await store.diary(patient.id, talk.now.date() - timedelta(days=9), talk.now.date()))


# --- a cramp in the dark ---------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["i had a cramp just now", "cramp now help", "help, cramp!!", "SOS CRAMP"])
async def test_a_cramp_at_three_is_met_by_what_helps_and_no_list(talk: Conversation, typed: str) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    said = await talk.say(ada, typed)
    assert [HELPS in one.text for one in said] == [True]
    assert said[0].buttons[:2] == ["It let go. Note it down", "It will not let go"]
    assert len(said[0].buttons) <= 3


async def test_a_cry_with_a_cramp_keeps_one_way_to_the_warning_signs(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    said = await talk.say(ada, "cramp now help")
    assert said[0].buttons[-1] == "Something else worries me"
    await talk.press(ada, "Something else worries me", LIST)


async def test_a_cramp_and_a_call_for_an_ambulance_keep_the_list(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    said = await talk.say(ada, "cramp, call an ambulance")
    assert any(LIST in one.text for one in said)


async def test_a_cry_for_help_with_a_cramp_by_day_is_met_by_what_helps(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(15, 0))
    said = await talk.say(ada, "help cramp")
    assert HELPS in said[0].text


# --- thanks and greetings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("thank you", "You are welcome"),
        ("thanks!! 🙏", "You are welcome"),
        ("ok", "All right"),
        ("👍🏻", "All right"),
        ("good night", "Good night"),
        ("ok thanks, good night", "Good night"),
        ("hello", "Hello"),
        ("how are you?", "Hello"),
        ("bye for now", "Bye for now"),
    ],
)
async def test_a_courtesy_is_met_in_kind_and_plans_nothing(
    talk: Conversation, typed: str, answer: str
) -> None:
    ada = await talk.patient()
    before = await planned(talk, ada)
    said = await talk.say(ada, typed)
    assert [one.text.startswith(answer) for one in said] == [True]
    assert not said[0].buttons
    assert await planned(talk, ada) == before
    assert await nights(talk, ada) == 0


async def test_a_courtesy_at_an_open_check_in_is_met_in_kind(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(8, 31))
    await talk.press(ada, "4", None)
    said = await talk.say(ada, "thank you")
    assert [UNSURE in one.text for one in said] == [False]


async def test_thanks_do_not_hide_an_exact_question(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "i cant stand on my leg")
    said = await talk.say(ada, "thanks")
    assert "I am not sure" in said[-1].buttons or "Not sure" in said[-1].buttons


@pytest.mark.parametrize(
    "text",
    [
        "thanks but my chest hurts",
        "hello help",
        "ok 🆘",
        "thanks 😭",
        "good night and thank you for all, I will not need you tomorrow",
        "no",
        "thank you for everything, goodbye",
    ],
)
def test_what_says_more_is_no_courtesy(text: str) -> None:
    assert read(text, CONTENT.phrases).courtesy == ""


# --- despair in everyday words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "cant go on with these cramps",
        "i can't go on with this pain",
        "cant go on this way",
        "i cant go on with these legs every night",
        "i can't stand the thought of living like this",
        "i cannot bear the thought of tomorrow",
        "I want to die, these cramps",
    ],
)
def test_despair_is_no_figure_of_speech(text: str) -> None:
    assert level(text) >= Level.URGENT
    assert {one.rule for one in listen(CONTENT, text, Facts()).own.raised} & {"E23", "U22"}


# --- a hard calf -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["calf locked solid, jumpd out of bed", "calf went rock hard with cramp, let go in a minute"]
)
def test_a_cramp_in_lively_words_is_no_clot(text: str) -> None:
    heard = listen(CONTENT, text, Facts())
    assert not heard.is_grave


@pytest.mark.parametrize(
    "text",
    [
        "calf went rock hard with cramp yesterday and it is still hard",
        "cramp in my left calf, now it is hard, swollen and warm",
        "woke up with my calf rock hard",
        "calf hard, different from my usual cramp",
        "crampy pain in left calf and its hard",
        "no cramp but my calf is rock hard",
    ],
)
def test_a_calf_that_stays_hard_or_swells_is_raised_or_asked(text: str) -> None:
    heard = listen(CONTENT, text, Facts())
    assert "U1" in {*(one.rule for one in heard.own.raised), *heard.own.asks}


# --- lively words ----------------------------------------------------------------------------------------


def level(text: str) -> Level:
    heard = listen(CONTENT, text, Facts())
    return max((one.level for one in (*heard.own.raised, *heard.own.lower)), default=Level.NONE)


@pytest.mark.parametrize(
    "text",
    [
        "oh the cramp, thought it would finish me off, killing me it was",
        "leg in a spasm and it is absolutely killing me here",
        "we can not wait for saturday and the wedding at last",
    ],
)
def test_lively_words_alone_raise_nothing_at_once(text: str) -> None:
    assert level(text) < Level.URGENT
