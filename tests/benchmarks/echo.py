"""The peer bot: bare python-telegram-bot as its first example has it; a press is answered, nothing saved."""

from __future__ import annotations

import os
from typing import Any

from telegram import Update
from telegram.ext import Application, CallbackQueryHandler


async def pressed(update: Update, _: Any) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer()
    await query.edit_message_text(f"You chose {query.data}")


def main() -> None:
    root = os.environ["BOT_API_URL"]
    application = Application.builder().token(os.environ["BOT_TOKEN"]).base_url(f"{root}/bot").build()
    application.add_handler(CallbackQueryHandler(pressed))
    application.run_polling()


if __name__ == "__main__":
    main()
