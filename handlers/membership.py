"""Blocked and back again; groups are declined politely."""

from __future__ import annotations

from telegram import ChatMember, Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop, ChatMemberHandler, TypeHandler

from bot.flows import presence
from bot.messages import DeliveryError, Message
from handlers.bridge import Application, Bridge, Context, asked_of

GONE = (ChatMember.BANNED, ChatMember.LEFT)


class NotPrivate(TypeHandler[Update, Context, None]):
    """Takes whatever happens in a group or a channel."""

    def check_update(self, update: object) -> bool:
        """Return whether an update's chat is known and not private."""
        chat = update.effective_chat if isinstance(update, Update) else None
        return chat is not None and chat.type != ChatType.PRIVATE


def register(application: Application, bridge: Bridge) -> None:
    """Register what belongs to being there or not; before all else, so that groups get no further."""

    async def changed(update: Update, context: Context) -> None:
        change = update.my_chat_member
        if change is None or change.chat.type != ChatType.PRIVATE:
            return
        if change.new_chat_member.status in GONE:
            await presence.blocked(bridge.services, change.chat.id)
        else:
            await presence.back(bridge.services, change.chat.id)

    async def only_private(update: Update, context: Context) -> None:
        await bridge.answered(update)
        left = update.my_chat_member and update.my_chat_member.new_chat_member.status in GONE
        if not left:
            await _decline(bridge, context, update)
        raise ApplicationHandlerStop

    application.add_handler(NotPrivate(Update, only_private), group=-1)
    application.add_handler(ChatMemberHandler(changed, ChatMemberHandler.MY_CHAT_MEMBER))


async def _decline(bridge: Bridge, context: Context, update: Update) -> None:
    """Say once that this is a private matter, and leave."""
    asked = asked_of(update, "")
    words = bridge.services.content(asked.language).words
    try:
        await bridge.send(asked.chat_id, Message(words.say("group", link=bridge.services.bot_link)))
        await context.bot.leave_chat(asked.chat_id)
    except (DeliveryError, TelegramError):
        return
