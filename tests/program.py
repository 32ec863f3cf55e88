"""Runs the bot on its chat page as a program of its own, reached over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0  # seconds
Json = dict[str, Any]


class Program:
    """One running copy and its chat page."""

    def __init__(self, process: asyncio.subprocess.Process, root: str, web: aiohttp.ClientSession) -> None:
        self.process = process
        self.root = root
        self._web = web

    async def page(self) -> tuple[int, str]:
        async with self._web.get(f"{self.root}/") as answer:
            return answer.status, await answer.text()

    async def ask(self, path: str, asked: Json | None = None) -> Json:
        call = (
            self._web.get(self.root + path) if asked is None else self._web.post(self.root + path, json=asked)
        )
        async with call as answer:
            assert answer.status == 200, await answer.text()
            said: Json = await answer.json()
            return said

    async def newcomer(self) -> int:
        person = await self.ask("/sandbox/people", {"first_name": "Ada"})
        await self.ask(f"/sandbox/chats/{person['id']}/start", {})
        return int(person["id"])

    async def messages(self, chat: int) -> list[Json]:
        return list((await self.ask(f"/sandbox/chats/{chat}"))["messages"])

    async def button(self, chat: int, wanted: str) -> tuple[Json, Json]:
        """Wait until a message offers a button with this label, or with data that begins so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for message in reversed(await self.messages(chat)):
                    for button in (button for row in message["keyboard"] for button in row):
                        if button["text"] == wanted or button["callback_data"].startswith(wanted):
                            return message, button
                await asyncio.sleep(0.05)

    async def press(self, chat: int, wanted: str) -> None:
        message, button = await self.button(chat, wanted)
        asked = {"message": message["id"], "data_or_label": button["callback_data"]}
        await self.ask(f"/sandbox/chats/{chat}/press", asked)

    async def hear(self, chat: int, words: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                if any(words in message["text"] for message in await self.messages(chat)):
                    return
                await asyncio.sleep(0.05)

    async def enrol(self, chat: int) -> None:
        for data in ("yes:", "country:GB", "prompt:2030", "checkin:0730", "profile:later"):
            await self.press(chat, f"en:{data}")
        await self.hear(chat, "You are all set")

    async def jump(self, target: str) -> None:
        await self.ask("/sandbox/clock", {"target": target})

    async def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        async with asyncio.timeout(10):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Program]:
    """Run the program in a folder until the block ends; it must say at which address."""
    process = await start(folder, **settings)
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address is not None, line
        async with aiohttp.ClientSession() as web:
            yield Program(process, address[0], web)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def start(folder: Path, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOT_", "DATABASE_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        "--sandbox",
        *(arguments or ("--port", "0")),
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
