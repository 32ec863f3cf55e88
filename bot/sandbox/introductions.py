"""The bot introduces itself: name, descriptions, command menu, menu button."""

from collections.abc import Callable

from bot.sandbox import limits
from bot.sandbox.profile import scope_name
from bot.sandbox.refusals import Json, bad
from bot.sandbox.sending import Call, reach
from bot.sandbox.world import World

_LONGEST = {"name": 64, "description": 512, "short_description": 120}
_SCOPES = {
    "default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat",
    "chat_administrators", "chat_member",
}  # fmt: skip
Method = Callable[[World, Call], object]


def get_me(world: World, _call: Call) -> Json:
    """Return who the bot is."""
    name = world.profile.get("name") or world.bot["first_name"]
    return {
        **world.bot, "first_name": name, "can_join_groups": True, "can_read_all_group_messages": False,
        "supports_inline_queries": False, "can_connect_to_business": False, "has_main_web_app": False,
    }  # fmt: skip


def setter(what: str) -> Method:
    """Return the method that sets the bot's name or a description."""

    def put(world: World, call: Call) -> bool:
        text = call.given.get(what, "")
        if len(text) > _LONGEST[what]:
            raise bad(f"{what} is too long")
        world.profile.put(what, text, _language(call))
        world.changes.bump()
        return True

    return put


def getter(what: str) -> Method:
    """Return the method that tells the bot's name or a description."""

    def get(world: World, call: Call) -> Json:
        found = world.profile.get(what, _language(call))
        fallback = world.bot["first_name"] if what == "name" else ""
        return {what: found or fallback}

    return get


def set_commands(world: World, call: Call) -> bool:
    """Set the command menu of a scope and language."""
    commands = call.given.get("commands", [])
    limits.check_commands(commands)
    world.profile.put("commands", commands, _language(call), _scope(call))
    world.changes.bump()
    return True


def get_commands(world: World, call: Call) -> list[Json]:
    """Return the command menu of exactly this scope and language."""
    return world.profile.get("commands", _language(call), _scope(call)) or []


def delete_commands(world: World, call: Call) -> bool:
    """Forget the command menu of a scope and language."""
    world.profile.put("commands", None, _language(call), _scope(call))
    world.changes.bump()
    return True


def set_menu_button(world: World, call: Call) -> bool:
    """Set the menu button of one chat or of all."""
    button = call.given.get("menu_button") or {"type": "default"}
    if button.get("type") not in {"commands", "web_app", "default"}:
        raise bad("MENU_BUTTON_INVALID")
    if "chat_id" in call.given:
        chat = reach(world, call)
        chat.menu_button = button
        world.chats.keep(chat)
    else:
        world.profile.put("menu_button", button)
        world.changes.bump()
    return True


def get_menu_button(world: World, call: Call) -> Json:
    """Return the menu button of one chat or of all."""
    own = reach(world, call).menu_button if "chat_id" in call.given else None
    return own or world.profile.get("menu_button") or {"type": "default"}


def get_chat(world: World, call: Call) -> Json:
    """Return what a bot may know of a chat."""
    chat = reach(world, call)
    gifts = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    about = {
        **chat.about, "accent_color_id": 0, "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, True),
    }  # fmt: skip
    if chat.pinned in chat.messages:
        about["pinned_message"] = chat.messages[chat.pinned].body
    return about


def leave_chat(world: World, call: Call) -> bool:
    """Leave a group."""
    chat = reach(world, call)
    if chat.private:
        raise bad("can't leave a private chat")
    chat.blocked = True
    world.chats.keep(chat)
    return True


def get_file(world: World, call: Call) -> Json:
    """Return where a file can be fetched."""
    kept = world.files.find(call.given.get("file_id", ""))
    if kept is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    if kept.size > 20 * 1024 * 1024:
        raise bad("file is too big")
    return {
        "file_id": kept.id, "file_unique_id": kept.id[-12:], "file_size": kept.size, "file_path": kept.path,
    }  # fmt: skip


def _language(call: Call) -> str:
    language = str(call.given.get("language_code", ""))
    if language and not (len(language) == 2 and language.isascii() and language.islower()):
        raise bad("invalid language code specified")
    return language


def _scope(call: Call) -> str:
    scope = call.given.get("scope")
    if scope and scope.get("type") not in _SCOPES:
        raise bad("can't parse BotCommandScope: unsupported type specified")
    return scope_name(scope)
