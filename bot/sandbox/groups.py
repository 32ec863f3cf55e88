"""Group chats: founded by a person, joined and left by the bot."""

from bot.sandbox import acts
from bot.sandbox.chats import Chat
from bot.sandbox.messages import Message
from bot.sandbox.refusals import Json
from bot.sandbox.world import World


class Group:
    """A group chat with the bot in it."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.id = chat.id

    @property
    def messages(self) -> list[Message]:
        """Everything said in the group, oldest first."""
        return list(self.chat.messages.values())


def found(world: World, user: Json, title: str) -> Group:
    """Make a group with the bot in it."""
    about = {"id": world.chats.free_group_id(), "type": "group", "title": title}
    chat = Chat(about, started=True, members=[int(user["id"])])
    world.chats.keep(chat)
    acts.member_changed(world, chat, user, "left", "member")
    acts.write(world, chat, user, {"new_chat_members": [world.bot]}, service=True)
    return Group(chat)


def throw_out(world: World, user: Json, group: Group) -> None:
    """Remove the bot from a group."""
    group.chat.blocked = True
    world.chats.keep(group.chat)
    acts.member_changed(world, group.chat, user, "member", "kicked")
