"""The peer bot: bare python-telegram-bot as its first example has it; a press is answered, nothing saved.

With HOOK_PORT it is pushed to, by the library's example for a web server of one's own, here aiohttp.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from aiohttp import web
from telegram import Update
from telegram.ext import Application, CallbackQueryHandler


async def pressed(update: Update, _: Any) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer()
    await query.edit_message_text(f"You chose {query.data}")


async def be_pushed_to(application: Application[Any, Any, Any, Any, Any, Any], port: int) -> None:
    async def take(request: web.Request) -> web.Response:
        update = Update.de_json(await request.json(), application.bot)
        await application.update_queue.put(update)
        return web.Response()

    served = web.Application()
    served.add_routes([web.post("/telegram", take)])
    runner = web.AppRunner(served, access_log=None)
    async with application:
        await application.start()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await application.bot.set_webhook(f"http://127.0.0.1:{port}/telegram")
        await asyncio.Event().wait()


def main() -> None:
    root = os.environ["BOT_API_URL"]
    builder = Application.builder().token(os.environ["BOT_TOKEN"]).base_url(f"{root}/bot")
    port = os.environ.get("HOOK_PORT")
    application = builder.updater(None).build() if port else builder.build()
    application.add_handler(CallbackQueryHandler(pressed))
    if port:
        asyncio.run(be_pushed_to(application, int(port)))
    else:
        application.run_polling()


if __name__ == "__main__":
    main()
