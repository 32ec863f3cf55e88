"""The transport carries requests over real sockets, tells what became of them, and never names the token."""

from __future__ import annotations

import asyncio
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.messages import Fate
from bot.operations.logs import HELD
from bot.sandbox import Fault, Sandbox
from handlers.transport import (
    AiohttpRequest,
    QuietBot,
    delivery_error,
    fate_of,
    make_bot,
    reason_of,
    seconds_of,
)

SECRET = "AAexample-example-example-example-1"
TOKEN = f"123456789:{SECRET}"
Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
FINE = {"ok": True, "result": {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "x"}}


class Peer:
    """A server on the loopback that does as it is told."""

    def __init__(self) -> None:
        self.behave: Behaviour = self.fine
        self.url = ""

    async def fine(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(FINE)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        return await self.behave(request)

    def answers(self, status: int, body: str) -> None:
        async def behave(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=body, content_type="application/json")

        self.behave = behave


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", peer.serve)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield peer
    await runner.cleanup()


@pytest_asyncio.fixture
async def bot(peer: Peer) -> AsyncIterator[QuietBot]:
    async for each in opened(peer.url):
        yield each


@pytest.fixture(autouse=True)
def hear_everything(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The loudest level, but for the loggers that the product holds back; not a trace of the token."""
    caplog.set_level(logging.DEBUG)
    for name in HELD:
        caplog.set_level(logging.WARNING, logger=name)
    yield
    assert SECRET not in caplog.text


async def opened(url: str) -> AsyncIterator[QuietBot]:
    bot = make_bot(TOKEN, url)
    for request in bot._request:
        await request.initialize()
    yield bot
    for request in bot._request:
        await request.shutdown()


async def failure(bot: QuietBot, read_timeout: float = 5) -> TelegramError:
    with pytest.raises(TelegramError) as failed:
        await bot.send_message(7, "my left calf is burning", read_timeout=read_timeout)
    whole = "".join(traceback.format_exception(failed.value)) + repr(failed.value.__cause__)
    assert SECRET not in whole
    assert "calf" not in reason_of(failed.value)
    return failed.value


async def test_a_message_comes_through(bot: QuietBot) -> None:
    assert (await bot.send_message(7, "hello")).message_id == 5


async def test_words_arrive_as_they_were_written(bot: QuietBot, peer: Peer) -> None:
    arrived: dict[str, str] = {}

    async def behave(request: web.Request) -> web.StreamResponse:
        arrived.update({name: str(value) for name, value in (await request.post()).items()})
        return web.json_response(FINE)

    peer.behave = behave
    words = "5+5=10 % & “7/10”;\nleft=calf #1 é 🙂 <b>x</b>"
    await bot.call("sendMessage", {"chat_id": 7, "text": words, "silent": True, "rows": ["ä"], "none": None})
    assert arrived == {"chat_id": "7", "text": words, "silent": "true", "rows": '["\\u00e4"]'}


async def test_a_file_keeps_its_name_and_its_words(bot: QuietBot, peer: Peer) -> None:
    seen: dict[str, object] = {}

    async def behave(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["document"]
        assert isinstance(file, web.FileField)
        seen.update(
            name=file.filename, content=file.file.read(), kind=file.content_type, caption=form["caption"]
        )
        return web.json_response(FINE)

    peer.behave = behave
    await bot.send_document(7, b"%PDF", filename="Отчёт.pdf", caption="Ночь „1“")
    assert seen == {
        "name": "Отчёт.pdf", "content": b"%PDF", "kind": "application/pdf", "caption": "Ночь „1“",
    }  # fmt: skip


async def test_a_server_that_hangs_may_have_got_it(bot: QuietBot, peer: Peer) -> None:
    async def behave(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    peer.behave = behave
    error = await failure(bot, read_timeout=0.2)
    assert isinstance(error, TimedOut)
    assert fate_of(error) is Fate.UNKNOWN


async def test_a_closed_connection_may_have_got_it(bot: QuietBot, peer: Peer) -> None:
    async def behave(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    peer.behave = behave
    error = await failure(bot)
    assert type(error) is NetworkError
    assert (fate_of(error), reason_of(error)) == (Fate.UNKNOWN, "NetworkError: ServerDisconnectedError")


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize("body", ['{"ok":false,"error_code":500,"description":"oh"}', "<html>oh"])
async def test_a_broken_server_may_have_got_it(bot: QuietBot, peer: Peer, status: int, body: str) -> None:
    peer.answers(status, body)
    assert fate_of(await failure(bot)) is Fate.UNKNOWN


@pytest.mark.parametrize("body", ["", "<html>my left calf", "[]", "{}", '{"ok":true}', '"\xff'])
async def test_garbage_may_mean_anything_and_is_not_logged(
    bot: QuietBot, peer: Peer, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    peer.answers(200, body)
    assert fate_of(await failure(bot)) is Fate.UNKNOWN
    assert "calf" not in caplog.text


async def test_an_answer_that_is_not_http(bot: QuietBot, caplog: pytest.LogCaptureFixture) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"calf calf calf\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        async for bot_there in opened(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
            assert fate_of(await failure(bot_there)) is Fate.UNKNOWN


async def test_a_redirect_is_not_followed(bot: QuietBot, peer: Peer) -> None:
    asked = []

    async def behave(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    peer.behave = behave
    await failure(bot)
    assert len(asked) == 1


async def test_nobody_there_means_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async for bot in opened(f"http://127.0.0.1:{port}"):
        error = await failure(bot)
        assert type(error) is NetworkError
        assert fate_of(error) is Fate.NOT_SENT


async def test_no_connection_free_means_not_sent(peer: Peer) -> None:
    async def behave(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(1)
        return web.json_response(FINE)

    peer.behave = behave
    request = AiohttpRequest(connections=1, connect_timeout=0.1, pool_timeout=0.1)
    bot = QuietBot(TOKEN, base_url=f"{peer.url}/bot", request=request)
    await request.initialize()
    first = asyncio.create_task(bot.send_message(7, "first"))
    await asyncio.sleep(0.05)
    error = await failure(bot)
    assert isinstance(error, TimedOut)
    assert fate_of(error) is Fate.NOT_SENT
    assert (await first).message_id == 5
    await request.shutdown()


async def test_a_proxy_of_the_environment_is_used(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = []

    async def behave(request: web.Request) -> web.StreamResponse:
        hosts.append(request.headers["Host"])
        return web.json_response(FINE)

    peer.behave = behave
    monkeypatch.setenv("http_proxy", peer.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async for bot in opened("http://telegram.invalid"):
        await bot.send_message(7, "hello")
    assert hosts == ["telegram.invalid"]


async def test_the_bots_own_words_do_not_hold_the_token(bot: QuietBot) -> None:
    assert SECRET not in f"{bot!r} {bot}"


@pytest.mark.parametrize(
    ("error", "fate", "reason"),
    [
        (RetryAfter(3), Fate.WAIT, "RetryAfter"),
        (Forbidden("Forbidden: bot was blocked by the user"), Fate.BLOCKED, "bot was blocked by the user"),
        (BadRequest("Bad Request: chat not found"), Fate.BLOCKED, "chat not found"),
        (BadRequest("Bad Request: user is deactivated"), Fate.BLOCKED, "user is deactivated"),
        (BadRequest('Can\'t parse entities: unsupported tag "calf"'), Fate.REFUSED, "can't parse entities"),
        (BadRequest("Something about my calf"), Fate.REFUSED, "BadRequest"),
        (ChatMigrated(-100), Fate.REFUSED, "ChatMigrated"),
        (NetworkError("Bad Gateway"), Fate.UNKNOWN, "NetworkError"),
        (TelegramError("Invalid server response"), Fate.UNKNOWN, "TelegramError"),
    ],
)
def test_every_error_has_its_fate(error: TelegramError, fate: Fate, reason: str) -> None:
    failed = delivery_error(error)
    assert failed.fate is fate
    assert failed.reason.endswith(reason)


@pytest.mark.parametrize(
    "error", [InvalidToken(), Conflict("Conflict: terminated by other getUpdates request")]
)
def test_a_token_that_is_no_use_stops_the_bot(error: TelegramError) -> None:
    with pytest.raises(type(error)):
        fate_of(error)


@pytest.mark.filterwarnings("ignore:Deprecated since version")
def test_the_wait_is_in_seconds_in_either_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    assert seconds_of(RetryAfter(timedelta(seconds=3))) == 3.0
    monkeypatch.setenv("PTB_TIMEDELTA", "0")
    assert seconds_of(RetryAfter(3)) == 3.0


async def test_the_stand_in_is_understood_in_all_its_moods() -> None:
    sandbox = Sandbox()
    url = await sandbox.start()
    person = sandbox.person()
    moods = {
        "retry_after": Fate.WAIT,
        "status": Fate.UNKNOWN,
        "garbage": Fate.UNKNOWN,
        "close": Fate.UNKNOWN,
        "hang": Fate.UNKNOWN,
    }
    async for bot in opened(url):
        for kind, fate in moods.items():
            sandbox.faults.add(Fault(kind, "sendMessage", seconds=2))  # type: ignore[arg-type]
            with pytest.raises(TelegramError) as failed:
                await bot.send_message(person.id, "hello", read_timeout=0.3)
            assert (kind, fate_of(failed.value)) == (kind, fate)
    await sandbox.stop()
