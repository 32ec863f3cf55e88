"""What people do, as the updates a bot gets to see."""

import re
import secrets
from dataclasses import replace

from bot.sandbox.chats import Chat
from bot.sandbox.entities import with_found
from bot.sandbox.messages import Message
from bot.sandbox.refusals import Json
from bot.sandbox.world import Query, World

LONGEST_TYPED = 4096


def write(
    world: World,
    chat: Chat,
    user: Json,
    content: Json,
    *,
    reply_to: int | None = None,
    service: bool = False,
) -> Message:
    """Put a person's message into a chat and tell the bot, if it may hear it."""
    if chat.blocked:
        raise ValueError("the bot is blocked here: unblock it first")
    body: Json = {
        "message_id": world.chats.take_id(), "from": user, "chat": chat.about, "date": world.stamp(),
        **content,
    }  # fmt: skip
    if reply_to in chat.messages:
        original = chat.messages[reply_to].body
        body["reply_to_message"] = {
            key: value for key, value in original.items() if key != "reply_to_message"
        }
    if chat.private and not chat.started:
        chat.started = True
        world.chats.keep(chat)
    message = Message(body, html=content.get("text", ""))
    world.chats.put(chat, message)
    if service or _heard(world, chat, body):
        world.updates.add("message", body)
    return message


def _heard(world: World, chat: Chat, body: Json) -> bool:
    """Return whether a bot in privacy mode hears this message."""
    if chat.private or body.get("reply_to_message", {}).get("from", {}).get("is_bot"):
        return True
    text, name = body.get("text", ""), world.bot["username"]
    command = re.match(r"/\w+(?:@(\w+))?", text)
    return bool(command and command[1] in {None, name}) or f"@{name}" in text


def words(text: str) -> Json:
    """Return typed text as a message carries it, with what Telegram finds in it."""
    plain = text.strip()
    if not plain:
        raise ValueError("nothing is written")
    if len(plain) > LONGEST_TYPED:
        raise ValueError(f"longer than {LONGEST_TYPED} characters")
    found = with_found(plain, [])
    return {"text": plain} | ({"entities": found} if found else {})


def rewrite(world: World, chat: Chat, message_id: int, text: str) -> Message:
    """Change a person's own message."""
    message = chat.messages[message_id]
    if message.from_bot:
        raise ValueError("only one's own messages can be edited")
    if "text" not in message.body:
        raise ValueError("only texts can be edited")
    old = {key: value for key, value in message.body.items() if key != "entities"}
    body = old | words(text) | {"edit_date": world.stamp()}
    changed = replace(message, body=body, html=body["text"], edits=message.edits + 1)
    world.chats.put(chat, changed)
    if _heard(world, chat, body):
        world.updates.add("edited_message", body)
    return changed


def press(world: World, user: Json, chat: Chat, message_id: int, data: str) -> str:
    """Press an inline button and return the query's id; a message may be gone from a slow phone's view."""
    message = chat.messages.get(message_id)
    gone = {"chat": chat.about, "message_id": message_id, "date": 0}
    query = Query(str(secrets.randbits(62)), int(user["id"]), message_id)
    world.remember(query)
    content = {
        "id": query.id, "from": user, "chat_instance": str(abs(chat.id) * 7919), "data": data,
        "message": message.body if message else gone,
    }  # fmt: skip
    world.updates.add("callback_query", content)
    return query.id


def member_changed(world: World, chat: Chat, user: Json, old: str, new: str) -> None:
    """Tell the bot that it was blocked, let in or thrown out."""

    def member(status: str) -> Json:
        return {"user": world.bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})

    world.updates.add(
        "my_chat_member",
        {
            "chat": chat.about, "from": user, "date": world.stamp(),
            "old_chat_member": member(old), "new_chat_member": member(new),
        },
    )  # fmt: skip
