"""What the chat page is told: messages, chats, the bot and the clock, as plain values."""

from dataclasses import asdict

from bot.sandbox.chats import Chat
from bot.sandbox.messages import Message
from bot.sandbox.refusals import Json
from bot.sandbox.world import World

_AS_THEY_ARE = ("contact", "location", "voice", "sticker", "video", "new_chat_members", "left_chat_member")


def message_view(message: Message) -> Json:
    """Return one message as the page draws it."""
    body = message.body
    view: Json = {
        "id": message.id, "chat": message.chat_id, "from": body["from"]["id"], "from_bot": message.from_bot,
        "name": body["from"]["first_name"], "date": body["date"], "text": message.text,
        "entities": message.entities, "html": message.html, "keyboard": message.keyboard,
        "silent": message.silent, "edited": message.edited, "edits": message.edits,
        "reactions": message.reactions, "protected": bool(body.get("has_protected_content")),
    }  # fmt: skip
    view |= {name: body[name] for name in _AS_THEY_ARE if name in body}
    if message.photo:
        size = body["photo"][-1]
        view["photo"] = {"url": _url(size), "width": size["width"], "height": size["height"]}
    if message.document:
        about = message.document
        view["document"] = {"url": _url(about), "name": about["file_name"], "size": about["file_size"]}
    if "reply_to_message" in body:
        original = Message(body["reply_to_message"])
        name = original.body["from"]["first_name"]
        view["reply"] = {"id": original.id, "name": name, "text": original.text}
    return view


def _url(about: Json) -> str:
    return f"/sandbox/files/{about['file_id']}"


def chat_view(chat: Chat) -> Json:
    """Return what stands around a chat's messages."""
    return {
        "id": chat.id, "private": chat.private, "started": chat.started, "blocked": chat.blocked,
        "title": chat.about.get("title") or chat.about.get("first_name", ""), "user": chat.user,
        "pinned": chat.pinned, "reply_keyboard": chat.reply_keyboard, "action": list(chat.action),
    }  # fmt: skip


def bot_view(world: World, chat: Chat) -> Json:
    """Return how the bot introduces itself to the person of this chat."""
    language = str((chat.user or {}).get("language_code", ""))[:2]
    kind = "all_private_chats" if chat.private else "all_group_chats"
    commands = world.profile.best("commands", language, (f"chat:{chat.id}", kind, ""))
    return {
        "name": world.profile.best("name", language) or world.bot["first_name"],
        "username": world.bot["username"],
        "description": world.profile.best("description", language) or "",
        "short_description": world.profile.best("short_description", language) or "",
        "commands": commands or [],
    }  # fmt: skip


def clock_view(world: World) -> Json:
    """Return the bot's date and time, and whether a visitor may move it."""
    return {"now": world.now().isoformat(), "movable": world.clock is not None}


def changes_view(world: World, chat: Chat, run: str, after: int) -> Json:
    """Return what changed in a chat after a cursor, or all of it to whom the cursor means nothing."""
    reset = run != world.run or after <= 0
    ids = list(chat.messages) if reset else list(chat.since(after))
    found = [chat.messages[message_id] for message_id in ids if message_id in chat.messages]
    return {
        "run": world.run, "cursor": world.changes.cursor, "reset": reset,
        "messages": [message_view(message) for message in found],
        "gone": [message_id for message_id in ids if message_id not in chat.messages],
        "answers": [] if reset else [asdict(toast) for toast in chat.answers if toast.seen_at > after],
        "chat": chat_view(chat), "bot": bot_view(world, chat), "clock": clock_view(world),
        "people": [chat_view(other) for other in world.chats.all.values()][:100],
    }  # fmt: skip
