"""Sends messages with a button through one client and prints how fast: `senders KIND URL COUNT IN_FLIGHT`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Send = Callable[[int], Awaitable[Any]]
TEXT = "Good evening. Drink a glass of water, stretch each calf for thirty seconds, and wind down."


async def measure(send: Send, count: int, in_flight: int) -> None:
    """Send a few to warm up, then *count* with so many in flight."""
    lost = 0

    async def some(numbers: Any) -> None:
        nonlocal lost
        for number in numbers:
            try:
                await send(number)
            except Exception:  # noqa: BLE001  # what the client could not do is counted
                lost += 1

    async def all_of(total: int) -> None:
        numbers = iter(range(1, total + 1))
        await asyncio.gather(*(some(numbers) for _ in range(in_flight)))

    await all_of(min(count, in_flight))
    lost, began, used = 0, time.monotonic(), time.process_time()
    await all_of(count)
    seconds, cpu = time.monotonic() - began, time.process_time() - used
    print(json.dumps({"rate": (count - lost) / seconds, "cpu_ms": cpu / count * 1000, "lost": lost}))


async def ours(url: str, count: int, in_flight: int) -> None:
    from bot.messages import Button, Message  # noqa: PLC0415  # only one client is loaded
    from content.words import Html  # noqa: PLC0415
    from handlers.messenger import TelegramMessenger  # noqa: PLC0415
    from handlers.transport import make_bot  # noqa: PLC0415

    message = Message(Html(TEXT), ((Button("Done", "ev:261121:did:drink"),),))
    async with make_bot(os.environ["BOT_TOKEN"], url) as bot:
        messenger = TelegramMessenger(bot, Path())
        await measure(lambda number: messenger.send(number, message), count, in_flight)


async def ptb(url: str, count: int, in_flight: int) -> None:
    from telegram import InlineKeyboardButton, InlineKeyboardMarkup  # noqa: PLC0415
    from telegram.ext import ExtBot  # noqa: PLC0415

    rows = InlineKeyboardMarkup([[InlineKeyboardButton("Done", callback_data="ev:261121:did:drink")]])
    async with ExtBot(os.environ["BOT_TOKEN"], base_url=f"{url}/bot") as bot:
        await measure(
            lambda number: bot.send_message(number, TEXT, parse_mode="HTML", reply_markup=rows),
            count,
            in_flight,
        )


async def aiogram(url: str, count: int, in_flight: int) -> None:
    from aiogram import Bot  # type: ignore[import-not-found]  # noqa: PLC0415
    from aiogram.client.session.aiohttp import AiohttpSession  # type: ignore[import-not-found]  # noqa: PLC0415
    from aiogram.client.telegram import TelegramAPIServer  # type: ignore[import-not-found]  # noqa: PLC0415
    from aiogram.types import (  # type: ignore[import-not-found]  # noqa: PLC0415
        InlineKeyboardButton,
        InlineKeyboardMarkup,
    )

    session = AiohttpSession(api=TelegramAPIServer.from_base(url), limit=256)
    rows = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="Done", callback_data="ev:261121:did:drink")]]
    )
    async with Bot(os.environ["BOT_TOKEN"], session=session) as bot:
        await measure(
            lambda number: bot.send_message(number, TEXT, parse_mode="HTML", reply_markup=rows),
            count,
            in_flight,
        )


if __name__ == "__main__":
    _, kind, address, messages, flight = sys.argv
    asyncio.run({"ours": ours, "ptb": ptb, "aiogram": aiogram}[kind](address, int(messages), int(flight)))
