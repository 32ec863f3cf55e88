"""What Telegram accepts: each method's parameters, their types, and how long a thing may be."""

import json
import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.refusals import Json, Refused, bad

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LONGEST_ANSWER = 200
MOST_COMMANDS = 100

# A name may end in a type (text when none is given) and in "!" when Telegram requires it.
_SENDING = (
    "business_connection_id chat_id:chat! message_thread_id:int direct_messages_topic_id:int "
    "disable_notification:bool protect_content:bool allow_paid_broadcast:bool message_effect_id "
    "suggested_post_parameters:dict reply_parameters:dict reply_markup:dict "
)
_EDITING = (
    "business_connection_id chat_id:chat! message_id:int! inline_message_id reply_markup:dict parse_mode "
)
_CAPTION = "caption parse_mode caption_entities:list show_caption_above_media:bool "
_POINTING = "business_connection_id chat_id:chat! "
_METHODS = {
    "getMe": "",
    "logOut": "",
    "close": "",
    "getUpdates": "offset:int limit:int timeout:int allowed_updates:list",
    "setWebhook": "url certificate:file ip_address max_connections:int allowed_updates:list "
    "drop_pending_updates:bool secret_token",
    "deleteWebhook": "drop_pending_updates:bool",
    "getWebhookInfo": "",
    "sendMessage": _SENDING + "text! parse_mode entities:list link_preview_options:dict",
    "sendPhoto": _SENDING + _CAPTION + "photo:file! has_spoiler:bool",
    "sendDocument": _SENDING + _CAPTION + "document:file! thumbnail:file disable_content_type_detection:bool",
    "sendContact": _SENDING + "phone_number! first_name! last_name vcard",
    "sendLocation": _SENDING + "latitude:float! longitude:float! horizontal_accuracy:float live_period:int "
    "heading:int proximity_alert_radius:int",
    "sendChatAction": _POINTING + "message_thread_id:int action!",
    "editMessageText": _EDITING + "text! entities:list link_preview_options:dict",
    "editMessageCaption": _EDITING + "caption caption_entities:list show_caption_above_media:bool",
    "editMessageMedia": _EDITING + "media:dict!",
    "editMessageReplyMarkup": _EDITING,
    "deleteMessage": "chat_id:chat! message_id:int!",
    "deleteMessages": "chat_id:chat! message_ids:list!",
    "answerCallbackQuery": "callback_query_id! text show_alert:bool url cache_time:int",
    "setMessageReaction": "chat_id:chat! message_id:int! reaction:list is_big:bool",
    "setMyCommands": "commands:list! scope:dict language_code",
    "getMyCommands": "scope:dict language_code",
    "deleteMyCommands": "scope:dict language_code",
    "setMyDescription": "description language_code",
    "getMyDescription": "language_code",
    "setMyShortDescription": "short_description language_code",
    "getMyShortDescription": "language_code",
    "setMyName": "name language_code",
    "getMyName": "language_code",
    "setChatMenuButton": "chat_id:int menu_button:dict",
    "getChatMenuButton": "chat_id:int",
    "getChat": "chat_id:chat!",
    "leaveChat": "chat_id:chat!",
    "getFile": "file_id!",
    "pinChatMessage": _POINTING + "message_id:int! disable_notification:bool",
    "unpinChatMessage": _POINTING + "message_id:int",
}


def _whole(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError(value)
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "1", "yes", "false", "0", "no", ""}:
        return str(value).lower() in {"true", "1", "yes"}
    raise TypeError(value)


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise TypeError(value)
    return str(value)


def _nested(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        found = json.loads(value) if isinstance(value, str) else value
        if not isinstance(found, kind):
            raise TypeError(value)
        return found

    return read


def _chat(value: Any) -> int | str:
    return str(value) if isinstance(value, str) and value.startswith("@") else _whole(value)


_TYPES: dict[str, Callable[[Any], Any]] = {
    "int": _whole, "float": _number, "bool": _flag, "": _text, "file": _text, "chat": _chat,
    "list": _nested(list), "dict": _nested(dict),
}  # fmt: skip
_TABLE = {
    method: {
        name: (kind.rstrip("!"), word.endswith("!"))
        for word in words.split()
        for name, _, kind in [word.rstrip("!").partition(":")]
    }
    for method, words in _METHODS.items()
}


def read_parameters(method: str, given: Json, uploads: Json, *, validate: bool) -> tuple[Json, list[str]]:
    """Return the parameters in their types, and the names Telegram does not know."""
    table = _TABLE.get(method)
    if table is None:
        raise Refused(404, "Not Found: method not found")
    read: Json = {}
    for name, (kind, required) in table.items():
        value = given.get(name)
        if value is None:
            if required and validate and name not in uploads:
                raise bad(_missing(name))
            continue
        try:
            read[name] = _TYPES[kind](value)
        except (TypeError, ValueError):
            raise bad(f"can't parse {name}: {kind or 'text'} expected") from None
    return read, [name for name in given if name not in table]


def _missing(name: str) -> str:
    if name == "text":
        return "message text is empty"
    return f"{name} is empty" if name == "chat_id" else f"parameter {name} is required"


def check_commands(commands: list[Any]) -> None:
    """Refuse a command menu Telegram would refuse."""
    if len(commands) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not isinstance(command, dict) or not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command"))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")


def check_length(text: str, longest: int, reason: str) -> None:
    """Refuse a text that is too long once its formatting is read."""
    # Telegram counts characters here, not the UTF-16 units of the offsets.
    if len(text) > longest:
        raise bad(reason)
