"""The bot writes: messages, pictures, documents, contacts and places."""

from dataclasses import dataclass, field

from bot.sandbox import limits
from bot.sandbox.chats import Chat
from bot.sandbox.entities import read_html, trimmed, with_found
from bot.sandbox.files import Kept, Upload, check_upload
from bot.sandbox.keyboards import check_markup
from bot.sandbox.messages import Message
from bot.sandbox.refusals import Json, bad, forbidden
from bot.sandbox.world import World

_ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


@dataclass(slots=True)
class Call:
    """One request of the bot: the method, its parameters in their types, and its files."""

    method: str
    given: Json
    uploads: dict[str, Upload] = field(default_factory=dict)


def reach(world: World, call: Call) -> Chat:
    """Return the chat a call is meant for, or refuse as Telegram would."""
    chat_id = call.given.get("chat_id")
    if isinstance(chat_id, str):
        raise bad("chat not found")
    chat = world.chats.all.get(chat_id or 0)
    if chat is None and not world.validate and chat_id is not None:
        # In the bare mode every chat is one that began.
        user = {"id": chat_id, "is_bot": False, "first_name": "Somebody"}
        chat = Chat({"id": chat_id, "type": "private", "first_name": "Somebody"}, user, started=True)
        world.chats.keep(chat)
    if chat is None or (chat.private and not chat.started):
        raise bad("chat not found")
    if chat.blocked:
        private = "bot was blocked by the user"
        raise forbidden(private if chat.private else "bot was kicked from the group chat")
    return chat


def formatted(world: World, call: Call, name: str = "text") -> tuple[str, list[Json]]:
    """Return the plain text and entities of a call's text or caption."""
    source = call.given.get(name, "")
    if not world.validate:
        return source, []
    mode = call.given.get("parse_mode", "")
    if mode.lower() == "html":
        text, entities = read_html(source)
    elif mode:
        raise bad(f"the sandbox reads parse_mode HTML only, not {mode!r}")
    else:
        given = call.given.get("entities" if name == "text" else "caption_entities", [])
        text, entities = trimmed(source, given)
    if name == "text":
        if not text:
            raise bad("message text is empty")
        limits.check_length(text, limits.LONGEST_TEXT, "message is too long")
    else:
        limits.check_length(text, limits.LONGEST_CAPTION, "message caption is too long")
    return text, with_found(text, entities)


def as_body(text: str, entities: list[Json], name: str = "text") -> Json:
    """Return text and entities as a message carries them."""
    entities_name = "entities" if name == "text" else "caption_entities"
    return ({name: text} if text else {}) | ({entities_name: entities} if entities else {})


def send_message(world: World, call: Call) -> Json:
    """Send a text."""
    chat = reach(world, call)
    body = as_body(*formatted(world, call))
    if call.given.get("link_preview_options"):
        body["link_preview_options"] = call.given["link_preview_options"]
    return deliver(world, chat, call, body, call.given.get("text", ""))


def send_photo(world: World, call: Call) -> Json:
    """Send a picture."""
    return _send_file(world, call, "photo")


def send_document(world: World, call: Call) -> Json:
    """Send a file."""
    return _send_file(world, call, "document")


def _send_file(world: World, call: Call, kind: str) -> Json:
    chat = reach(world, call)
    caption = as_body(*formatted(world, call, "caption"), "caption")
    kept = take_file(world, call, kind, call.given.get(kind))
    body = file_body(kept, kind) | caption
    if call.given.get("show_caption_above_media"):
        body["show_caption_above_media"] = True
    return deliver(world, chat, call, body, call.given.get("caption", ""))


def take_file(world: World, call: Call, kind: str, named: str | None) -> Kept:
    """Return the file of a call: uploaded with it, or known by its id."""
    upload = call.uploads.get(kind)
    if named and named.startswith("attach://"):
        upload = call.uploads.get(named.removeprefix("attach://"))
    elif named:
        known = world.files.find(named)
        if known is None:
            fetched = named.startswith(("http://", "https://"))
            raise bad("failed to get HTTP URL content" if fetched else "wrong file identifier specified")
        return known
    if upload is None:
        raise bad(f"there is no {kind} in the request")
    if world.validate:
        check_upload(upload, kind + "s")
    return world.files.keep(upload, kind + "s")


def file_body(kept: Kept, kind: str) -> Json:
    """Return a picture or document as a message carries it."""
    about: Json = {"file_id": kept.id, "file_unique_id": kept.id[-12:], "file_size": kept.size}
    if kind == "photo":
        return {"photo": [about | {"width": kept.width, "height": kept.height}]}
    return {"document": about | {"file_name": kept.name, "mime_type": kept.mime}}


def send_contact(world: World, call: Call) -> Json:
    """Send a card with a number to call."""
    chat = reach(world, call)
    names = ("phone_number", "first_name", "last_name", "vcard")
    contact = {name: call.given[name] for name in names if call.given.get(name)}
    if not contact.get("first_name", "x").strip() or not contact.get("phone_number"):
        raise bad("PHONE_NUMBER_INVALID" if not contact.get("phone_number") else "first_name is empty")
    return deliver(world, chat, call, {"contact": contact})


def send_location(world: World, call: Call) -> Json:
    """Send a place."""
    chat = reach(world, call)
    place = {name: call.given.get(name, 0.0) for name in ("latitude", "longitude")}
    if abs(place["latitude"]) > 90 or abs(place["longitude"]) > 180:
        raise bad("wrong latitude or longitude")
    return deliver(world, chat, call, {"location": place})


def send_chat_action(world: World, call: Call) -> bool:
    """Show that the bot is busy."""
    chat = reach(world, call)
    if call.given.get("action") not in _ACTIONS:
        raise bad("wrong parameter action in request")
    chat.action = (call.given["action"], world.changes.bump(chat.id))
    return True


def deliver(world: World, chat: Chat, call: Call, content: Json, html: str = "") -> Json:
    """Put a message of the bot into a chat."""
    markup = call.given.get("reply_markup") or {}
    if world.validate:
        markup = check_markup(markup, private=chat.private)
    replied = _replied(chat, call)
    world.rates.spend(chat.id)
    body: Json = {
        "message_id": world.chats.take_id(), "from": world.bot, "chat": chat.about, "date": world.stamp(),
        **replied, **content,
    }  # fmt: skip
    if "inline_keyboard" in markup:
        body["reply_markup"] = markup
    if call.given.get("protect_content"):
        body["has_protected_content"] = True
    silent = bool(call.given.get("disable_notification"))
    message = Message(body, html, silent)
    if markup and "inline_keyboard" not in markup:
        message.reply_keyboard = markup
        chat.reply_keyboard = None if markup.get("remove_keyboard") else markup
        world.chats.keep(chat)
    chat.action = ("", 0)
    world.chats.put(chat, message)
    return body


def _replied(chat: Chat, call: Call) -> Json:
    wanted = call.given.get("reply_parameters")
    if not wanted:
        return {}
    original = chat.messages.get(int(wanted.get("message_id", 0)))
    if original is None:
        if wanted.get("allow_sending_without_reply"):
            return {}
        raise bad("message to be replied not found")
    without = {name: value for name, value in original.body.items() if name != "reply_to_message"}
    return {"reply_to_message": without}
