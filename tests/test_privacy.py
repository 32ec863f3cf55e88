"""Stopping, erasing, and what is kept."""

from __future__ import annotations

import asyncio
import re
from datetime import time, timedelta

import pytest

from bot.model import Kind
from tests.conversation import Conversation, Person, buttons, heard, newest_with
from tests.known import assert_only_update_ids, kept, patient_of, patient_or_none, planned


async def lived(talk: Conversation) -> Person:
    """Return somebody with something in nearly every table."""
    ada = await talk.patient()
    await talk.say(ada, "/profile")
    await talk.press(ada, "pr:o:diabetes:show")
    await talk.press(ada, "pr:o:diabetes:yes")
    await talk.until(time(20, 30))
    await talk.until(time(8, 30))
    await talk.say(ada, "7/10, left calf, woke twice, stretching helped")
    await talk.say(ada, "/cramp")
    await talk.say(ada, "my left leg is swollen, hot and red")
    return ada


async def erase(talk: Conversation, person: Person) -> None:
    """Erase a person and wait for the receipt: the update goes with the rest, so only it tells the end."""
    await talk.say(person, "/erase")
    await person.press(person.last, "er:yes")
    await person.wait("Everything is deleted.")
    await talk.settled()


async def test_stop_stops_at_once_and_deletes_nothing(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "/stop")
    assert "I send nothing more" in said[0].text
    count = len(ada.messages)
    for _ in range(3):
        await talk.later(hours=24)
    assert len(ada.messages) == count
    assert await planned(talk, ada) == {}
    assert (await patient_of(talk, ada)).consent_at is not None


async def test_after_stop_danger_is_still_answered(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/stop")
    await talk.say(ada, "I have chest pain and can't breathe")
    await ada.wait("999")


async def test_stop_twice_and_settings_say_so(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/stop")
    first = (await patient_of(talk, ada)).stopped_at
    await talk.say(ada, "/stop")
    assert (await patient_of(talk, ada)).stopped_at == first
    said = await talk.say(ada, "/settings")
    assert "Stopped. I send nothing." in said[0].text
    await talk.press(ada, "Go on now")
    assert Kind.PROMPT in await planned(talk, ada)


@pytest.mark.parametrize("paused", [False, True])
async def test_start_after_stop_begins_again(talk: Conversation, paused: bool) -> None:
    ada = await talk.patient()
    if paused:
        await talk.say(ada, "/settings")
        await talk.press(ada, "se:page:pause")
        await talk.press(ada, "se:pause:2026-11-27")
    await talk.say(ada, "/stop")
    await talk.later(hours=30)
    said = await talk.say(ada, "/start")
    assert "I have started again; nothing was lost." in said[0].text
    assert "Evening message:" in said[0].text
    due = await planned(talk, ada)
    assert due[Kind.PROMPT] - talk.now < timedelta(hours=24)
    assert (await patient_of(talk, ada)).paused_until is None


async def test_erase_asks_once_and_can_be_declined(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "/erase")
    assert "Delete everything?" in said[0].text
    await talk.press(ada, "er:no", "Nothing was deleted.")
    assert await patient_or_none(talk, ada) is not None


async def test_erase_leaves_nothing_in_any_table_but_a_receipt(talk: Conversation) -> None:
    ada = await lived(talk)
    assert {"checkin", "escalation", "profile_answer", "sending", "consent"} <= set(kept(talk))
    bela = await talk.patient("Bela")
    await erase(talk, ada)
    code = re.search(r"Receipt: (\w+)", ada.last.text)
    assert code is not None
    found = kept(talk)
    (receipt,) = found["receipt"]
    assert receipt["code"] == code[1]
    other = (await patient_of(talk, bela)).id
    assert [row["chat_id"] for row in found["patient"]] == [bela.id]
    for rows in found.values():
        assert all(row.get("patient_id", other) == other for row in rows)
    assert str(ada.id) not in str(found)
    await talk.later(hours=48)
    assert "Everything is deleted." in ada.last.text, "nothing was sent since"


async def test_old_buttons_after_an_erasure_create_nobody(talk: Conversation) -> None:
    ada = await talk.newcomer()
    first = ada.last
    await talk.say(ada, "/start")
    seen = {"en:yes:", "en:no", "en:privacy", *buttons(ada)}
    for data in ("en:yes:", "en:country:GB", "en:prompt:2030", "en:checkin:0830", "en:profile:now"):
        await talk.press(ada, data)
        seen |= set(buttons(ada))
    for command in (
        "/settings",
        "/profile",
        "/cramp",
        "/tips",
        "/urgent",
        "/night",
        "/erase",
        "/stretch",
        "/causes",
    ):
        await talk.say(ada, command)
        seen |= set(buttons(ada)) if ada.last.keyboard else set()
    await talk.later(seconds=2)
    await erase(talk, ada)
    assert len(seen) > 60
    for data in sorted(seen - {"er:yes"}):
        await ada.press(first, data, stale=True)
    await talk.settled()
    assert_only_update_ids(talk)
    assert all(query.answered for query in talk.telegram.world.queries.values())
    assert "Something went wrong" not in heard(ada)
    assert "This button is from before" in str(ada.toasts)
    talk.telegram.complaints.clear()  # a text was pressed as if it were a picture, and the other way round


async def test_who_was_erased_may_begin_anew(talk: Conversation) -> None:
    ada = await talk.patient()
    await erase(talk, ada)
    await talk.later(seconds=2)
    ada.mark()
    await ada.start()
    await ada.wait("Before we start")
    await talk.press(ada, "en:yes::1", "Which country")
    assert await patient_or_none(talk, ada) is not None


@pytest.mark.parametrize("command", ["/diary", "/night", "/next", "/settings", "/profile", "/appointment"])
async def test_who_was_erased_hears_that_nothing_is_stored(talk: Conversation, command: str) -> None:
    ada = await talk.patient()
    await erase(talk, ada)
    said = await talk.say(ada, command)
    assert said[0].text == "I have nothing stored about you. Send /start to begin."


async def test_erase_pressed_twice_says_so(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/erase")
    message = newest_with(ada, "er:yes")
    await ada.press(message, "er:yes")
    await ada.press(message, "er:yes", stale=True)
    await ada.wait(lambda who: bool(who.toasts))
    assert "nothing stored about you" in ada.toasts[-1].text
    assert len(kept(talk)["receipt"]) == 1


@pytest.mark.parametrize("command", ["/stop", "/erase"])
async def test_there_is_nothing_to_stop_or_erase_of_a_stranger(talk: Conversation, command: str) -> None:
    ada = await talk.newcomer()
    said = await talk.say(ada, command)
    assert "nothing stored about you" in said[0].text
    assert_only_update_ids(talk)


async def test_privacy_says_what_is_kept_where_and_how_it_ends(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "/privacy")
    for words in ("What I keep", "What I do not keep", "not end-to-end encrypted", "/stop", "/erase"):
        assert words in said[0].text


async def test_help_lists_every_command_with_the_number(talk: Conversation) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, "/help")
    for _ in range(100):
        if talk.telegram.asked("setMyCommands"):
            break
        await asyncio.sleep(0.02)
    for name in re.findall(
        r'"command": ?"(\w+)"', str(talk.telegram.asked("setMyCommands")[0].params["commands"])
    ):
        assert f"/{name}:" in said[0].text
    assert "999" in said[0].text


async def test_nothing_a_patient_types_is_kept_as_words(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "my xylophone hurts 6/10 in the left calf")
    await talk.say(ada, "/tips xylophone")
    assert "xylophone" not in str(kept(talk))
