"""Updates pushed by Telegram: checked by their secret, kept before they are confirmed, then answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import app
from bot.config import ConfigError, load_config
from bot.operations.probe import ask_health
from bot.sandbox import Fault
from bot.storage.errors import StorageError
from tests.conversation import TOKEN, Conversation
from tests.fault.process import free_port


@pytest.fixture(params=["sqlite", "postgres"])
async def pushed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Conversation]:
    """A bot that is pushed to, on each database."""
    url = request.getfixturevalue("postgres_database") if request.param == "postgres" else None
    async with talk_at(tmp_path, url) as talk:
        yield talk


def talk_at(folder: Path, url: str | None = None) -> Conversation:
    listen = f"127.0.0.1:{free_port()}"
    return Conversation(folder, url, LISTEN=listen, WEBHOOK_URL=f"http://{listen}/telegram")


async def post(talk: Conversation, body: bytes, secret: str | None = None, path: str = "/telegram") -> int:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://{talk.settings['LISTEN']}{path}", data=body, headers=headers) as answer,
    ):
        return answer.status


def update(number: int, text: str = "/help") -> bytes:
    person = {"id": 77, "is_bot": False, "first_name": "Eve"}
    message: dict[str, Any] = {
        "message_id": number, "date": 1, "chat": {"id": 77, "type": "private", "first_name": "Eve"},
        "from": person, "text": text,
    }  # fmt: skip
    return json.dumps({"update_id": number, "message": message}).encode()


async def eventually(true: Callable[[], bool]) -> None:
    for _ in range(2000):  # the waits after a failure are of seconds
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true")


async def told(talk: Conversation) -> None:
    """Return when the stand-in knows where to push."""
    while not talk.telegram.world.profile.get("webhook"):
        before = talk.telegram.world.changes.cursor
        assert await talk.telegram.changed(before, 0.05) is not None


async def test_a_conversation_works_when_it_is_pushed(pushed: Conversation) -> None:
    ada = await pushed.patient("Ada")
    assert "You are all set" in "".join(ada.heard)
    assert not pushed.telegram.asked("getUpdates")


async def test_without_the_secret_nothing_is_taken(pushed: Conversation) -> None:
    await told(pushed)
    assert await post(pushed, update(5)) == 403
    assert await post(pushed, update(5), "wrong") == 403
    assert await post(pushed, update(5), "wr\u00f6ng") == 403
    async with pushed.store() as store:
        assert await store.undone_updates() == []


async def test_a_secret_that_is_no_text_is_refused_like_any_other(tmp_path: Path) -> None:
    async with talk_at(tmp_path) as talk:
        host, _, port = talk.settings["LISTEN"].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
            b"X-Telegram-Bot-Api-Secret-Token: \xff\xfe\r\n\r\n{}"
        )
        assert (await reader.readline()).split()[1] == b"403"
        writer.close()


async def test_it_is_not_ready_when_telegram_takes_the_address_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "REMIND", 0.05)
    async with talk_at(tmp_path) as talk:
        await told(talk)
        talk.telegram.faults.add(Fault("status", method="setWebhook", status=502, times=None))
        await eventually(lambda: bool(talk.telegram.faults.struck))
        await asyncio.sleep(0.2)
        began = talk.app.vital._clock
        talk.app.vital._clock = lambda: began() + 130
        talk.app.vital.beat()
        await talk.app._sign_of_life()
        assert (talk.app.vital.is_alive, talk.app.vital.is_ready) == (True, False)
        talk.telegram.faults.clear()
        await eventually(lambda: talk.app.vital.is_ready)


async def test_with_the_secret_it_is_kept_once_before_it_is_confirmed(
    pushed: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told(pushed)
    secret = pushed.telegram.world.profile.get("webhook")["secret"]
    kept = pushed.app._inbox.keep

    async def broken(*_: object) -> list[int]:
        raise StorageError("the disk is full")

    monkeypatch.setattr(pushed.app._inbox, "keep", broken)
    assert await post(pushed, update(5), secret) == 500  # so it comes again
    monkeypatch.setattr(pushed.app._inbox, "keep", kept)
    eve = pushed.telegram.person("Eve", chat_id=77)
    eve.chat.started = True
    assert await post(pushed, update(5), secret) == 200
    await pushed.settled()
    heard = len(eve.heard)
    assert heard
    assert await post(pushed, update(5), secret) == 200
    await pushed.settled()
    assert len(eve.heard) == heard


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"update_id": "x"}'])
async def test_what_is_no_update_is_refused(pushed: Conversation, body: bytes) -> None:
    await told(pushed)
    secret = pushed.telegram.world.profile.get("webhook")["secret"]
    assert await post(pushed, body, secret) == 400


async def test_other_paths_are_not_there(tmp_path: Path) -> None:
    async with talk_at(tmp_path) as talk:
        await told(talk)
        assert await post(talk, update(5), "any", path="/") == 404
        assert await post(talk, update(5), "any", path="/healthz") == 405
        assert await post(talk, update(5), "any", path="/metrics") == 405


async def test_health_and_readiness_are_green_while_nothing_is_polled(tmp_path: Path) -> None:
    async with talk_at(tmp_path) as talk:
        await told(talk)
        await asyncio.sleep(0.1)
        began = talk.app.vital._clock
        talk.app.vital._clock = lambda: began() + 130  # nobody has written for two minutes
        talk.app.vital.beat()
        await talk.app._sign_of_life()
        async with aiohttp.ClientSession() as session:
            for path in ("/healthz", "/readyz"):
                async with session.get(f"http://{talk.settings['LISTEN']}{path}") as answer:
                    assert answer.status == 200, path
        assert await asyncio.to_thread(ask_health, talk.settings["LISTEN"]) == 0


async def test_what_a_failing_database_left_undone_is_done_at_the_next_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with talk_at(tmp_path) as talk:
        await told(talk)
        done = talk.app._inbox.done

        async def broken(_: int) -> None:
            raise StorageError("the disk is full")

        monkeypatch.setattr(talk.app._inbox, "done", broken)
        ada = talk.telegram.person("Ada")
        await ada.start()
        await ada.wait("Before we start")
        await asyncio.sleep(0.05)
        monkeypatch.setattr(talk.app._inbox, "done", done)
        await talk.app._sign_of_life()
        await talk.settled()


async def test_back_to_polling_loses_nothing(tmp_path: Path) -> None:
    async with talk_at(tmp_path) as talk:
        await told(talk)
        ada = await talk.newcomer()
        await talk.app.stop()
        await ada.send("/help")
        await asyncio.sleep(0.2)
        del talk.settings["WEBHOOK_URL"]
        await talk.wake_up()
        await talk.settled()
        assert talk.telegram.asked("getUpdates")
        assert any("/urgent" in words for words in ada.heard)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", ""])
def test_a_path_that_belongs_to_somebody_else_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="WEBHOOK_URL"):
        load_config({"BOT_TOKEN": TOKEN, "WEBHOOK_URL": f"https://legs.example{path}"}, env_file=None)
