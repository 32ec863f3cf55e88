"""A bare Bot API server that checks nothing, for one process of its own: what is measured is the bot, not it.

It says its address on standard output. `/first_poll` answers when a bot polled first, or said where to push
(monotonic clock, s); `/press?count=..&rate=..&people=..&data=..` presses so many buttons, each of another
message, and answers how long each took until its message was edited (ms); `/slow?ms=..` makes every answer
take so long; `/sent` answers when each message came since it was last asked (monotonic clock, s).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATIENCE = 60.0  # seconds for the last press to be dealt with
PUSHES = 40  # connections, as many as Telegram uses unless told otherwise
MESSAGE = {
    "message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"},
    "from": {"id": 1, "is_bot": True, "first_name": "B"}, "text": "x",
}  # fmt: skip
ANSWERS: dict[str, object] = {
    "getMe": {"id": 1, "is_bot": True, "first_name": "B", "username": "bench_bot"},
    "sendMessage": MESSAGE,
    "editMessageText": MESSAGE,
}


class World:
    """What is waiting to be fetched, and when what happened."""

    def __init__(self) -> None:
        self.pending: dict[int, dict[str, Any]] = {}
        self.next_id = time.time_ns() // 1_000_000  # ids of an earlier peer are in the bot's inbox already
        self.first_poll: float | None = None
        self.pressed: dict[int, float] = {}
        self.took: dict[int, float] = {}
        self.arrived = asyncio.Event()
        self.edit_came = asyncio.Event()
        self.sent: list[float] = []
        self.slow = 0.0
        self.hook = ""
        self.secret = ""
        self.to_push: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.pushing: list[asyncio.Task[None]] = []

    def push_to(self, body: bytes) -> None:
        """Push from now on what was polled before."""
        self.hook, self.secret = field(body, "url"), field(body, "secret_token")
        if self.first_poll is None:
            self.first_poll = time.monotonic()
        if not self.pushing:
            self.pushing = [asyncio.ensure_future(self.push()) for _ in range(PUSHES)]

    async def push(self) -> None:
        """Bring one update after the other over one kept connection."""
        while True:
            update = await self.to_push.get()
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self.bring_all(update)

    async def bring_all(self, update: dict[str, Any]) -> None:
        url = urlsplit(self.hook)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        try:
            while True:
                body = json.dumps(update).encode()
                head = (
                    f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
                    f"X-Telegram-Bot-Api-Secret-Token: {self.secret}\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
                if length:
                    await reader.readexactly(int(length[1]))
                update = await self.to_push.get()
        finally:
            writer.close()

    async def updates(self, given: dict[str, list[str]]) -> list[dict[str, Any]]:
        if self.first_poll is None:
            self.first_poll = time.monotonic()
        before = int(given.get("offset", ["0"])[0])
        self.pending = {number: update for number, update in self.pending.items() if number >= before}
        if not self.pending:
            self.arrived.clear()
            try:
                await asyncio.wait_for(self.arrived.wait(), float(given.get("timeout", ["0"])[0]))
            except TimeoutError:
                return []
        return list(self.pending.values())[:100]

    def edited(self, body: bytes) -> None:
        message_id = int(field(body, "message_id") or 0)
        if message_id in self.pressed:
            self.took.setdefault(message_id, (time.monotonic() - self.pressed[message_id]) * 1000)
            self.edit_came.set()

    async def dealt_with(self, count: int) -> None:
        while len(self.took) < count:
            self.edit_came.clear()
            await self.edit_came.wait()

    async def press(self, count: int, rate: float, people: int, data: list[str]) -> list[float]:
        self.pressed.clear()
        self.took.clear()
        began = time.monotonic()
        for number in range(count):
            if (ahead := began + number / rate - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
            person = {"id": 1 + number % people, "is_bot": False, "first_name": "P", "language_code": "en"}
            chat = {"id": person["id"], "type": "private", "first_name": "P"}
            message = {**MESSAGE, "message_id": 1000 + number, "chat": chat}
            query = {
                "id": str(number), "from": person, "chat_instance": "1", "message": message,
                "data": data[number // people % len(data)],
            }  # fmt: skip
            self.pressed[1000 + number] = time.monotonic()
            update: dict[str, Any] = {"update_id": self.next_id, "callback_query": query}
            self.next_id += 1
            if self.hook:
                self.to_push.put_nowait(update)
                continue
            self.pending[update["update_id"]] = update
            self.arrived.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.dealt_with(count), PATIENCE)
        return list(self.took.values())


class Connection(asyncio.Protocol):
    """One kept connection; requests on it are answered in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rest = b""
        self.transport: asyncio.Transport
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while True:
            head, end, rest = self.rest.partition(b"\r\n\r\n")
            if not end:
                return
            found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            length = int(found[1]) if found else 0
            if re.search(rb"transfer-encoding: *chunked", head, re.IGNORECASE):
                ends = rest.find(
                    b"0\r\n\r\n"
                )  # as the clients here write it, in pieces that hold no such end
                if ends < 0:
                    return
                length = ends + 5
            if len(rest) < length:
                return
            body, self.rest = rest[:length], rest[length:]
            self.take(head.split(b" ", 2)[1].decode(), body)

    def take(self, path: str, body: bytes) -> None:
        method = urlsplit(path).path.rsplit("/", 1)[-1]
        world = self.world
        if method in ("getUpdates", "press"):
            self.task = asyncio.ensure_future(self.later(method, path, body))
            return
        answer: object = {"ok": True, "result": ANSWERS.get(method, True)}
        if method == "editMessageText":
            world.edited(body)
        elif method == "sendMessage":
            world.sent.append(time.monotonic())
        elif method == "setWebhook":
            world.push_to(body)
        elif method == "first_poll":
            answer = world.first_poll
        elif method == "slow":
            world.slow = float(parse_qs(urlsplit(path).query)["ms"][0]) / 1000
        elif method == "sent":
            answer, world.sent = world.sent, []
        if world.slow and method in ("sendMessage", "editMessageText", "answerCallbackQuery"):
            asyncio.get_running_loop().call_later(world.slow, self.say, answer)
        else:
            self.say(answer)

    def connection_lost(self, _: Exception | None) -> None:
        if self.task is not None:
            self.task.cancel()

    async def later(self, method: str, path: str, body: bytes) -> None:
        if method == "getUpdates":
            given = {name: [field(body, name) or "0"] for name in ("offset", "timeout")}
            self.say({"ok": True, "result": await self.world.updates(given)})
            return
        given = parse_qs(urlsplit(path).query)
        self.say(
            await self.world.press(
                int(given["count"][0]), float(given["rate"][0]), int(given["people"][0]), given["data"]
            )
        )

    def say(self, answer: object) -> None:
        text = json.dumps(answer, separators=(",", ":")).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + text)


def field(body: bytes, name: str) -> str:
    """Return one field of a body, JSON or a form in either encoding; empty when it is not there."""
    if body.startswith(b"{"):
        return str(json.loads(body).get(name, ""))
    if body.startswith(b"--"):
        found = re.search(rb'name="' + name.encode() + rb'"[^\r]*\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)', body)
        return found[1].decode() if found else ""
    return parse_qs(body.decode()).get(name, [""])[0]


async def serve() -> None:
    world = World()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(world), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(serve())
