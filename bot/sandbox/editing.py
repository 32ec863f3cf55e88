"""The bot changes what is there: edits, deletes, reacts, pins, answers pressed buttons."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.sandbox import limits
from bot.sandbox.chats import Chat
from bot.sandbox.keyboards import check_markup
from bot.sandbox.messages import Message, Toast
from bot.sandbox.refusals import Json, bad
from bot.sandbox.sending import Call, as_body, file_body, formatted, reach, take_file
from bot.sandbox.world import World

DELETABLE_FOR = timedelta(hours=48)
_UNCHANGED = (
    "message is not modified: specified new message content and reply markup "
    "are exactly the same as a current content and reply markup of the message"
)
_WORDS = ("text", "entities", "caption", "caption_entities")
_REACTION_WORDS = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 "
    "⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 "
    "🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"
)
_REACTIONS = set(_REACTION_WORDS.split())


def edit_text(world: World, call: Call) -> Json:
    """Replace the text of a message."""
    chat, message = _editable(world, call)
    if "text" not in message.body:
        raise bad("there is no text in the message to edit")
    return _change(
        world, chat, message, call, content=as_body(*formatted(world, call)), html=call.given.get("text", "")
    )


def edit_caption(world: World, call: Call) -> Json:
    """Replace the caption of a picture or document."""
    chat, message = _editable(world, call)
    if not {"photo", "document"} & message.body.keys():
        raise bad("there is no caption in the message to edit")
    caption = as_body(*formatted(world, call, "caption"), "caption")
    return _change(world, chat, message, call, content=caption, html=call.given.get("caption", ""))


def edit_media(world: World, call: Call) -> Json:
    """Replace the picture or document of a message."""
    chat, message = _editable(world, call)
    media = call.given.get("media", {})
    kind = media.get("type")
    if kind not in {"photo", "document"}:
        raise bad("the sandbox replaces photos and documents only")
    if "text" not in message.body and not {"photo", "document"} & message.body.keys():
        raise bad("message can't be edited")
    kept = take_file(world, call, kind, media.get("media"))
    words = replace(call, given={**call.given, **media})
    body = file_body(kept, kind) | as_body(*formatted(world, words, "caption"), "caption")
    return _change(world, chat, message, call, content=body, html=media.get("caption", ""))


def edit_markup(world: World, call: Call) -> Json:
    """Replace the keyboard under a message."""
    chat, message = _editable(world, call)
    markup = _markup(world, chat, call)
    if markup == message.body.get("reply_markup", {}):
        raise bad(_UNCHANGED)
    body = {**message.body, "edit_date": world.stamp(), "reply_markup": markup}
    if not markup:
        del body["reply_markup"]
    world.chats.put(chat, replace(message, body=body))
    return body


def _editable(world: World, call: Call) -> tuple[Chat, Message]:
    chat = reach(world, call)
    message = chat.messages.get(call.given.get("message_id", 0))
    if message is None:
        raise bad("message to edit not found")
    if not message.from_bot:
        raise bad("message can't be edited")
    return chat, message


def _markup(world: World, chat: Chat, call: Call) -> Json:
    markup: Json = call.given.get("reply_markup") or {}
    if not world.validate:
        return markup
    markup = check_markup(markup, private=chat.private, inline_only=True)
    return markup if markup.get("inline_keyboard") else {}


def _change(world: World, chat: Chat, message: Message, call: Call, *, content: Json, html: str) -> Json:
    markup = _markup(world, chat, call)
    old = message.body
    if _without_dates(old, content, markup) == old and world.validate:
        raise bad(_UNCHANGED)
    body = _without_dates(old, content, markup) | {"edit_date": world.stamp()}
    world.chats.put(chat, replace(message, body=body, html=html, edits=message.edits + 1))
    return body


def _without_dates(old: Json, content: Json, markup: Json) -> Json:
    dropped = {*_WORDS, "reply_markup"}
    if {"photo", "document"} & content.keys():
        dropped |= {"photo", "document"}
    kept = {name: value for name, value in old.items() if name not in dropped}
    return kept | content | ({"reply_markup": markup} if markup else {})


def delete_message(world: World, call: Call) -> bool:
    """Delete one message for everybody."""
    chat = reach(world, call)
    message = chat.messages.get(call.given.get("message_id", 0))
    if message is None:
        raise bad("message to delete not found")
    if world.validate and world.age(message) > DELETABLE_FOR:
        raise bad("message can't be deleted for everyone")
    world.chats.drop(chat, message.id)
    return True


def delete_messages(world: World, call: Call) -> bool:
    """Delete several messages, passing over those that are gone."""
    chat = reach(world, call)
    ids = call.given.get("message_ids", [])
    if not 1 <= len(ids) <= 100:
        raise bad("wrong number of message identifiers specified")
    for message_id in ids:
        message = chat.messages.get(int(message_id))
        if message is not None and world.age(message) <= DELETABLE_FOR:
            world.chats.drop(chat, message.id)
    return True


def answer_query(world: World, call: Call) -> bool:
    """Answer a pressed button, once."""
    query = world.queries.get(call.given.get("callback_query_id", ""))
    if query is None or query.answered:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    text = call.given.get("text", "")
    limits.check_length(text, limits.LONGEST_ANSWER, "MESSAGE_TOO_LONG")
    world.remember(replace(query, answered=True))
    chat = world.own_chat(query.user_id)
    if chat is not None:
        alert = bool(call.given.get("show_alert"))
        seen_at = world.changes.cursor + 1
        world.chats.show(chat, Toast(query.id, text, alert, call.given.get("url"), seen_at))
    return True


def react(world: World, call: Call) -> bool:
    """Set the bot's reaction to a message."""
    chat = reach(world, call)
    message = chat.messages.get(call.given.get("message_id", 0))
    if message is None:
        raise bad("message to react not found")
    reactions: list[Any] = call.given.get("reaction", [])
    if len(reactions) > 1:
        raise bad("REACTIONS_TOO_MANY")
    emojis = [str(reaction.get("emoji", "")) for reaction in reactions if isinstance(reaction, dict)]
    if len(emojis) != len(reactions) or not {emoji.rstrip("\ufe0f") for emoji in emojis} <= _REACTIONS:
        raise bad("REACTION_INVALID")
    world.chats.put(chat, replace(message, reactions=emojis))
    return True


def pin(world: World, call: Call) -> bool:
    """Pin a message to the top of its chat."""
    chat = reach(world, call)
    if call.given.get("message_id") not in chat.messages:
        raise bad("message to pin not found")
    chat.pinned = call.given["message_id"]
    world.chats.keep(chat)
    return True


def unpin(world: World, call: Call) -> bool:
    """Take the pinned message down."""
    chat = reach(world, call)
    if chat.pinned is None or call.given.get("message_id", chat.pinned) != chat.pinned:
        raise bad("message to unpin not found")
    chat.pinned = None
    world.chats.keep(chat)
    return True
