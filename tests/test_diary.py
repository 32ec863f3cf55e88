"""The diary: fourteen nights readable on a phone, in which an unknown night is never a good one."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from bot.model import Origin
from tests.conversation import Conversation, Person
from tests.known import pardon_captions, patient_of, tonight

WIDTH = 80  # about two lines of a phone with large letters


async def diary(talk: Conversation, person: Person) -> str:
    return (await talk.say(person, "/diary"))[-1].text


async def keep(talk: Conversation, person: Person, nights_ago: int, **answers: Any) -> None:
    """Write one night's answers as if they had been tapped."""
    patient = await patient_of(talk, person)
    night = await tonight(talk, person) - timedelta(days=nights_ago)
    async with talk.app.database.transaction() as store:
        before = await store.open_checkin(patient.id, night, Origin.BACKFILLED, "test", talk.now)
        after = replace(before, **answers)
        await store.save_checkin(patient.id, before, after, talk.now, Origin.BACKFILLED)


async def test_a_newcomer_is_told_when_it_begins(talk: Conversation) -> None:
    ada = await talk.patient()
    assert "There is nothing yet" in await diary(talk, ada)


async def test_an_unknown_night_is_never_good(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.later(days=20)
    await keep(
        talk, ada, 1, pain=7, feeling=("cramp",), side="left", awake="over_60", signs={"leg_swollen": "yes"}
    )
    await keep(talk, ada, 2, pain=0)
    await keep(talk, ada, 3)
    text = await diary(talk, ada)
    assert text.count(": not filled in") == 12, "eleven without a row, and one opened and never answered"
    assert text.count("no trouble") == 1
    assert "7 of 10 ⚠️" in text
    assert "1 of 2 nights with trouble" in text
    assert "unknown, not good" in text


async def test_fourteen_nights_newest_first_and_narrow(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.later(days=30)
    for back in range(1, 20):
        await keep(
            talk,
            ada,
            back,
            pain=10,
            feeling=("cramp", "shooting"),
            side="both",
            awake="woke_3",
            signs={"fever": "yes"},
        )
    text = await diary(talk, ada)
    assert text.count("10 of 10") == 14
    newest = (
        talk.app.services.content("en")
        .in_region("GB")
        .words.day(await tonight(talk, ada) - timedelta(days=1))
    )
    assert text.splitlines()[2].startswith(newest)
    assert max(len(line) for line in text.splitlines()[:-1]) <= WIDTH, max(text.splitlines()[:-1], key=len)
    assert len(text) <= 4096


async def test_what_was_done_and_noted_stands_with_its_night(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(20, 30))
    await talk.press(ada, "☐ Stretch")
    await talk.press(ada, "☐ Wind down")
    await talk.say(ada, "/cramp")
    await talk.press(ada, "It let go. Note it down")
    assert "1 cramp noted" in await diary(talk, ada), "a cramp is there at once"
    await talk.until(time(9, 0))
    text = await diary(talk, ada)
    assert "1 cramp noted · done: Stretch, Wind down" in text
    pardon_captions(talk)


async def test_it_leads_to_filling_in_a_night(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/diary")
    await talk.press(ada, "Fill in or correct a night", "Which night?")


async def test_before_the_start_it_says_what_to_do(talk: Conversation) -> None:
    eve = talk.telegram.person("Eve")
    assert "/start" in await diary(talk, eve)
