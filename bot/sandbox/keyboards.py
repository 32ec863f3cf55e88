"""Buttons under a message or in place of the keyboard, held to Telegram's rules."""

import re
from typing import Any

from bot.sandbox.refusals import Json, bad

MOST_BUTTONS = 100
MOST_IN_A_ROW = 8
LONGEST_MARKUP = 10 * 1024
_STYLES = {None, "danger", "primary", "success"}
_INLINE_ACTIONS = {
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay",
}  # fmt: skip
_KINDS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")


def check_markup(markup: Json, *, private: bool, inline_only: bool = False) -> Json:
    """Return the markup without empty rows, or refuse it as Telegram would."""
    if not markup:
        return {}
    kind = next((name for name in _KINDS if name in markup), None)
    if kind is None:
        raise bad("object expected as reply markup")
    if inline_only and kind != "inline_keyboard":
        raise bad("inline keyboard expected")
    if kind in {"remove_keyboard", "force_reply"}:
        return markup
    rows = _rows(markup[kind])
    for button in (button for row in rows for button in row):
        if kind == "inline_keyboard":
            _check_inline(button)
        else:
            _check_reply(button, private=private)
    return {**markup, kind: rows} if rows else {}


def _rows(given: Any) -> list[list[Json]]:
    """Return the rows that hold a button."""
    if not isinstance(given, list) or not all(isinstance(row, list) for row in given):
        raise bad("keyboard must be an Array of Array of buttons")
    rows = [[_read(button) for button in row] for row in given if row]
    if sum(map(len, rows)) > MOST_BUTTONS or len(str(rows)) > LONGEST_MARKUP:
        raise bad("REPLY_MARKUP_TOO_LONG")
    if any(len(row) > MOST_IN_A_ROW for row in rows):
        raise bad("too many buttons in a row")
    return rows


def _read(button: Any) -> Json:
    read = {"text": button} if isinstance(button, str) else button
    if not isinstance(read, dict):
        raise bad("can't parse keyboard button: object expected")
    if not isinstance(read.get("text"), str) or not read["text"].strip():
        raise bad("can't parse keyboard button: field text must be non-empty")
    if read.get("style") not in _STYLES:
        raise bad("can't parse keyboard button: unknown style")
    return read


def _check_inline(button: Json) -> None:
    actions = _INLINE_ACTIONS & button.keys()
    if not actions:
        raise bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        )
    if len(actions) > 1:
        raise bad("can't parse inline keyboard button: exactly one action expected")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button and not re.match(r"(https?|tg)://\S+\Z", str(button["url"])):
        raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def _check_reply(button: Json, *, private: bool) -> None:
    if not private and (button.get("request_location") or button.get("request_contact")):
        raise bad("location and contact can be requested in private chats only")
