"""Who may come in: closed by default, by links that are used up, expire or are revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.flows import access
from tests.conversation import Conversation, Person
from tests.known import assert_only_update_ids, kept, patient_of, patient_or_none


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[Conversation]:
    async with Conversation(tmp_path, ACCESS="invite") as conversation:
        yield conversation
        refused = [one for one in conversation.telegram.complaints if "message is not modified" not in one]
        assert not refused, refused


async def link(talk: Conversation, uses: int = 1, days: int = 30) -> str:
    async with talk.app.database.transaction() as store:
        return await access.new_invite(store, "for Ada", uses, days, talk.clock.now())


async def introduced(talk: Conversation, code: str, name: str = "Ada") -> Person:
    person = talk.telegram.person(name)
    await person.start(code)
    await talk.settled()
    return person


async def press_agree(talk: Conversation, person: Person, code: str) -> None:
    await person.press(person.last, f"en:yes:{code}", stale=True)
    await talk.settled()


async def test_nobody_comes_in_without_a_link(closed: Conversation) -> None:
    ada = await introduced(closed, "")
    assert "This bot is private" in ada.last.text
    assert "112" in ada.last.text
    await press_agree(closed, ada, "")
    assert await patient_or_none(closed, ada) is None


async def test_a_stranger_in_danger_gets_the_number_all_the_same(closed: Conversation) -> None:
    ada = await introduced(closed, "")
    said = await closed.say(ada, "I have chest pain and can't breathe")
    assert any("112" in message.text for message in said)


@pytest.mark.parametrize("code", ["guessed", "x" * 64, "ünïcödé", "'; DROP TABLE invite; --", "two words"])
async def test_a_guessed_code_opens_nothing(closed: Conversation, code: str) -> None:
    ada = await introduced(closed, code)
    assert "not valid" in ada.last.text
    assert await patient_or_none(closed, ada) is None


async def test_the_first_invite_opens_the_door(closed: Conversation) -> None:
    code = closed.app.first_invite
    assert code
    ada = await introduced(closed, code)
    await closed.press(ada, f"en:yes:{code}", "Which country")
    assert (await patient_of(closed, ada)).step == "country"
    await closed.restart()
    assert closed.app.first_invite is None, "it is made once"


async def test_a_link_is_used_up_by_agreeing_not_by_looking(closed: Conversation) -> None:
    code = await link(closed)
    for name in ("Ada", "Bela"):
        assert "Before we start" in (await introduced(closed, code, name)).last.text
    cato = await introduced(closed, code, "Cato")
    await closed.press(cato, f"en:yes:{code}", "Which country")
    dora = await introduced(closed, code, "Dora")
    assert "used up" in dora.last.text


async def test_two_people_with_one_last_use(closed: Conversation) -> None:
    code = await link(closed)
    ada, bela = await introduced(closed, code), await introduced(closed, code, "Bela")
    await closed.press(ada, f"en:yes:{code}", "Which country")
    await closed.press(bela, f"en:yes:{code}", "not valid, or has been used up")
    assert await patient_or_none(closed, bela) is None
    assert ada.last.text != bela.last.text


async def test_agreeing_twice_uses_one(closed: Conversation) -> None:
    code = await link(closed, uses=2)
    ada = await introduced(closed, code)
    message = ada.last
    await ada.press(message, f"en:yes:{code}")
    await ada.press(message, f"en:yes:{code}", stale=True)
    await closed.settled()
    async with closed.store() as store:
        assert [invite.used for invite in await store.invites() if invite.label == "for Ada"] == [1]


async def test_a_link_expires(closed: Conversation) -> None:
    code = await link(closed, days=2)
    closed.clock.offset += timedelta(days=3)
    ada = await introduced(closed, code)
    assert "not valid" in ada.last.text


async def test_a_link_is_revoked_between_looking_and_agreeing(closed: Conversation) -> None:
    code = await link(closed)
    ada = await introduced(closed, code)
    async with closed.app.database.transaction() as store:
        (invite,) = [one for one in await store.invites() if one.label == "for Ada"]
        assert await store.revoke_invite(invite.id, closed.clock.now())
        assert "revoked" in access.describe((await store.invites())[-1], closed.clock.now())
    await closed.press(ada, f"en:yes:{code}", "not valid")
    assert await patient_or_none(closed, ada) is None


async def test_who_is_in_needs_no_link_to_come_back(closed: Conversation) -> None:
    code = await link(closed)
    ada = await introduced(closed, code)
    await closed.press(ada, f"en:yes:{code}")
    said = await closed.say(ada, "/start")
    assert "Everything you told me is still here" in said[0].text


async def test_codes_are_kept_as_hashes_only(closed: Conversation) -> None:
    code = await link(closed)
    assert code not in str(kept(closed))


async def test_open_access_lets_anybody_in(talk: Conversation) -> None:
    ada = await introduced(talk, "whatever ünïcödé payload that nobody made")
    assert "Before we start" in ada.last.text
    assert talk.app.first_invite is None
    assert_only_update_ids(talk)
    await talk.press(ada, "en:yes:", "Which country")
