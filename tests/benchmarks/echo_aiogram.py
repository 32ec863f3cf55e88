"""The other peer bot: bare aiogram as its first example has it; a press is answered, nothing saved."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from aiogram import Bot, Dispatcher  # type: ignore[import-not-found]  # only `make bench` installs it
from aiogram.client.session.aiohttp import AiohttpSession  # type: ignore[import-not-found]
from aiogram.client.telegram import TelegramAPIServer  # type: ignore[import-not-found]
from aiogram.webhook.aiohttp_server import SimpleRequestHandler  # type: ignore[import-not-found]
from aiohttp import web


async def pressed(query: Any) -> None:
    await query.answer()
    await query.message.edit_text(f"You chose {query.data}")


async def main() -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["BOT_API_URL"]))
    bot = Bot(os.environ["BOT_TOKEN"], session=session)
    dispatcher = Dispatcher()
    dispatcher.callback_query.register(pressed)
    port = os.environ.get("HOOK_PORT")
    if not port:
        await dispatcher.start_polling(bot)
        return
    served = web.Application()
    SimpleRequestHandler(dispatcher=dispatcher, bot=bot).register(served, path="/telegram")
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    await bot.set_webhook(f"http://127.0.0.1:{port}/telegram")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
