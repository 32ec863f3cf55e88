"""A bare Bot API server that checks nothing, for one process of its own: what is measured is the bot, not it.

It says its address on standard output. `/first_poll` answers when a bot polled first (monotonic clock, s);
`/press?count=..&rate=..&first=..&data=..` presses so many buttons, each of another message, and answers how
long each took until its message was edited (ms).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATIENCE = 20.0  # seconds for the last press to be dealt with
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
        self.next_id = int(time.time())
        self.first_poll: float | None = None
        self.pressed: dict[int, float] = {}
        self.took: dict[int, float] = {}
        self.arrived = asyncio.Event()
        self.edit_came = asyncio.Event()

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

    def edited(self, given: dict[str, list[str]]) -> None:
        message_id = int(given["message_id"][0])
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
            await asyncio.sleep(began + number / rate - time.monotonic())
            person = {"id": 1 + number % people, "is_bot": False, "first_name": "P", "language_code": "en"}
            chat = {"id": person["id"], "type": "private", "first_name": "P"}
            message = {**MESSAGE, "message_id": 1000 + number, "chat": chat}
            query = {
                "id": str(number), "from": person, "chat_instance": "1", "message": message,
                "data": data[number // people % len(data)],
            }  # fmt: skip
            self.pressed[1000 + number] = time.monotonic()
            self.pending[self.next_id] = {"update_id": self.next_id, "callback_query": query}
            self.next_id += 1
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
        head, end, rest = self.rest.partition(b"\r\n\r\n")
        if not end:
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if len(rest) < length:
            return
        body, self.rest = rest[:length], rest[length:]
        path = head.split(b" ", 2)[1].decode()
        method = urlsplit(path).path.rsplit("/", 1)[-1]
        if method in ("getUpdates", "press"):
            self.task = asyncio.ensure_future(self.later(method, path, body))
            return
        if method == "editMessageText":
            self.world.edited(parse_qs(body.decode()))
        self.say(
            self.world.first_poll
            if method == "first_poll"
            else {"ok": True, "result": ANSWERS.get(method, True)}
        )

    def connection_lost(self, _: Exception | None) -> None:
        if self.task is not None:
            self.task.cancel()

    async def later(self, method: str, path: str, body: bytes) -> None:
        if method == "getUpdates":
            self.say({"ok": True, "result": await self.world.updates(parse_qs(body.decode()))})
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
        self.transport.write(head.encode() + text)


async def serve() -> None:
    world = World()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(world), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(serve())
