"""People, groups, and every message between them and the bot."""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.changes import Changes
from bot.sandbox.journal import Journal
from bot.sandbox.messages import Message, Toast
from bot.sandbox.refusals import Json

FIRST_PERSON = 700001
KEPT_TOASTS = 200


@dataclass(slots=True)
class Chat:
    """One chat, private or group, with its messages."""

    about: Json
    user: Json | None = None
    started: bool = False
    blocked: bool = False
    pinned: int | None = None
    reply_keyboard: Json | None = None
    members: list[int] = field(default_factory=list)
    menu_button: Json | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)
    answers: deque[Toast] = field(default_factory=lambda: deque(maxlen=KEPT_TOASTS))
    action: tuple[str, int] = ("", 0)

    @property
    def id(self) -> int:
        """The chat id: a group's is negative."""
        return int(self.about["id"])

    @property
    def private(self) -> bool:
        """Whether it is a chat with one person."""
        return bool(self.about["type"] == "private")

    def since(self, cursor: int) -> Iterator[int]:
        """Yield the ids of messages changed or deleted after *cursor*, oldest change first."""
        newest = itertools.takewhile(lambda item: item[1] > cursor, reversed(self.changed.items()))
        yield from reversed([message_id for message_id, _ in newest])


_REMEMBERED = ("about", "user", "started", "blocked", "pinned", "reply_keyboard", "members", "menu_button")


class Chats:
    """All chats, each change counted and written down."""

    def __init__(self, journal: Journal, changes: Changes, first_message: int) -> None:
        self.all: dict[int, Chat] = {}
        self.next_message = first_message
        self._next_person = FIRST_PERSON
        self._journal = journal
        self._changes = changes

    def free_id(self) -> int:
        """Return an id no person has had."""
        while self._next_person in self.all:
            self._next_person += 1
        return self._next_person

    def free_group_id(self) -> int:
        """Return an id no group has had."""
        return min([-FIRST_PERSON + 1, *self.all]) - 1

    def take_id(self) -> int:
        """Return the next message_id."""
        self.next_message += 1
        return self.next_message - 1

    def keep(self, chat: Chat) -> None:
        """Write down what is known of a chat beside its messages."""
        self.all[chat.id] = chat
        self._journal.write("chat", **_chat_record(chat))
        self._changes.bump(chat.id)

    def put(self, chat: Chat, message: Message) -> None:
        """Write down a new or changed message."""
        chat.messages[message.id] = message
        self._touch(chat, message.id)
        self._journal.write("message", **_message_record(message))

    def drop(self, chat: Chat, message_id: int) -> None:
        """Delete a message for everybody."""
        del chat.messages[message_id]
        self._touch(chat, message_id)
        self._journal.write("gone", chat=chat.id, id=message_id)

    def show(self, chat: Chat, toast: Toast) -> None:
        """Show the answer to a pressed button to the person of this chat."""
        chat.answers.append(toast)
        self._changes.bump(chat.id)

    def _touch(self, chat: Chat, message_id: int) -> None:
        # The newest change stands last, so that reading what changed never walks all messages.
        chat.changed.pop(message_id, None)
        chat.changed[message_id] = self._changes.bump(chat.id)

    def recall(self, record: Json) -> None:
        """Take one chat or message back from the journal."""
        kind = record.pop("is")
        if kind == "chat":
            known = self.all.get(record["about"]["id"])
            if known is None:
                self.all[record["about"]["id"]] = Chat(**record)
            else:
                for name, value in record.items():
                    setattr(known, name, value)
        elif kind == "message":
            message = Message(**record)
            chat = self.all[message.chat_id]
            chat.messages[message.id] = message
            chat.changed[message.id] = self._changes.cursor
            self.next_message = max(self.next_message, message.id + 1)
        else:
            self.all[record["chat"]].messages.pop(record["id"], None)

    def records(self) -> Iterator[Json]:
        """Yield all chats and messages as journal records."""
        for chat in self.all.values():
            yield {"is": "chat", **_chat_record(chat)}
            for message in chat.messages.values():
                yield {"is": "message", **_message_record(message)}


def _chat_record(chat: Chat) -> dict[str, Any]:
    return {name: getattr(chat, name) for name in _REMEMBERED}


def _message_record(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__slots__}
