"""Every method of the Bot API that the stand-in knows, by name."""

from collections.abc import Callable

from bot.sandbox import editing, introductions, sending
from bot.sandbox.limits import read_parameters
from bot.sandbox.refusals import Json, Refused, bad
from bot.sandbox.sending import Call
from bot.sandbox.webhook import Webhook, set_webhook
from bot.sandbox.world import World

LONGEST_POLL = 50


def _yes(_world: World, _call: Call) -> bool:
    return True


_METHODS: dict[str, Callable[[World, Call], object]] = {
    "getMe": introductions.get_me,
    "logOut": _yes,
    "close": _yes,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendDocument": sending.send_document,
    "sendContact": sending.send_contact,
    "sendLocation": sending.send_location,
    "sendChatAction": sending.send_chat_action,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageMedia": editing.edit_media,
    "editMessageReplyMarkup": editing.edit_markup,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "answerCallbackQuery": editing.answer_query,
    "setMessageReaction": editing.react,
    "pinChatMessage": editing.pin,
    "unpinChatMessage": editing.unpin,
    "setMyCommands": introductions.set_commands,
    "getMyCommands": introductions.get_commands,
    "deleteMyCommands": introductions.delete_commands,
    "setMyDescription": introductions.setter("description"),
    "getMyDescription": introductions.getter("description"),
    "setMyShortDescription": introductions.setter("short_description"),
    "getMyShortDescription": introductions.getter("short_description"),
    "setMyName": introductions.setter("name"),
    "getMyName": introductions.getter("name"),
    "setChatMenuButton": introductions.set_menu_button,
    "getChatMenuButton": introductions.get_menu_button,
    "getChat": introductions.get_chat,
    "leaveChat": introductions.leave_chat,
    "getFile": introductions.get_file,
}
_HOOKS = {"setWebhook", "deleteWebhook"}
# Telegram does not mind how a method's name is capitalised.
_NAMES = {name.lower(): name for name in (*_METHODS, *_HOOKS, "getUpdates", "getWebhookInfo")}


class Methods:
    """Carries out calls on one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.webhook = Webhook(world, self.carry_out_reply)

    async def carry_out(self, call: Call) -> tuple[object, list[str]]:
        """Return a call's result, and the parameters Telegram would not know."""
        name = _NAMES.get(call.method.lower(), call.method)
        given, strange = read_parameters(name, call.given, call.uploads, validate=self.world.validate)
        read = Call(name, given, call.uploads)
        if name == "getUpdates":
            return await self._get_updates(read), strange
        if name == "getWebhookInfo":
            return self.webhook.described(), strange
        if name in _HOOKS:
            done = set_webhook(self.world, read)
            self.webhook.follow()
            return done, strange
        return _METHODS[name](self.world, read), strange

    async def carry_out_reply(self, method: str, given: Json) -> object:
        """Carry out a call that came as the answer to a webhook."""
        try:
            return await self.carry_out(Call(method, given))
        except Refused as refused:
            return refused.body()

    async def _get_updates(self, call: Call) -> list[Json]:
        if self.world.profile.get("webhook"):
            raise Refused(
                409, "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )  # fmt: skip
        limit, seconds = call.given.get("limit", 100), call.given.get("timeout", 0)
        if seconds < 0:
            raise bad("timeout must be non-negative")
        self.world.updates.allow(call.given.get("allowed_updates"))
        offset = call.given.get("offset", 0)
        return await self.world.updates.read(offset, max(1, min(limit, 100)), min(seconds, LONGEST_POLL))
