"""People in front of the bot: what they write, press, send and block, and what they see."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, overload

from bot.sandbox import acts, groups, samples
from bot.sandbox.chats import Chat
from bot.sandbox.files import Upload
from bot.sandbox.groups import Group
from bot.sandbox.messages import Message, Toast
from bot.sandbox.refusals import Json
from bot.sandbox.world import World

T = TypeVar("T")


class Person:
    """One person and their private chat with the bot."""

    def __init__(self, world: World, chat: Chat) -> None:
        self._world = world
        self.chat = chat
        self.id = chat.id
        self._mark = world.changes.cursor

    @property
    def user(self) -> Json:
        """The person as the Bot API shows them."""
        return self.chat.user or {}

    @property
    def messages(self) -> list[Message]:
        """Everything in the chat, oldest first."""
        return list(self.chat.messages.values())

    @property
    def last(self) -> Message:
        """The bot's newest message."""
        newest = (message for message in reversed(self.chat.messages.values()) if message.from_bot)
        found = next(newest, None)
        if found is None:
            raise LookupError("the bot has said nothing yet")
        return found

    @property
    def heard(self) -> list[str]:
        """The texts of the bot's messages, oldest first."""
        return [message.text for message in self.chat.messages.values() if message.from_bot]

    @property
    def toasts(self) -> list[Toast]:
        """The words shown on pressing buttons, oldest first."""
        return [toast for toast in self.chat.answers if toast.text]

    def mark(self) -> None:
        """Look from here on at newer messages only, as every act does by itself."""
        self._mark = self._world.changes.cursor

    def since(self) -> list[Message]:
        """Return the bot's messages that are new or changed since the person's last act."""
        ids = self.chat.since(self._mark)
        found = [self.chat.messages[message_id] for message_id in ids if message_id in self.chat.messages]
        return [message for message in found if message.from_bot]

    @overload
    async def wait(self, predicate: str, timeout: float = 5) -> Message: ...
    @overload
    async def wait(self, predicate: "Callable[[Person], T]", timeout: float = 5) -> T: ...
    async def wait(self, predicate: "str | Callable[[Person], T]", timeout: float = 5) -> "Message | T":
        """Return a new message of the bot with these words in it, or the truth *predicate* finds."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    cursor = self._world.changes.cursor
                    found = self._hear(predicate) if isinstance(predicate, str) else predicate(self)
                    if found:
                        return found
                    await self._world.changes.wait(cursor, self.id)
        except TimeoutError:
            name = self.user.get("first_name")
            raise TimeoutError(f"{name} waited in vain; the bot's last words: {self.heard[-5:]}") from None

    def _hear(self, words: str) -> Message | None:
        return next((message for message in self.since() if words in message.text), None)

    async def send(self, text: str, *, reply_to: int | None = None, group: Group | None = None) -> Message:
        """Write a text, or a command."""
        return self._write(acts.words(text), reply_to=reply_to, group=group)

    async def start(self, payload: str = "") -> Message:
        """Press Start, or open an invite link."""
        return await self.send(f"/start {payload}")

    async def edit(self, message_id: int, text: str) -> Message:
        """Change one's own message."""
        self.mark()
        return acts.rewrite(self._world, self.chat, message_id, text)

    async def press(
        self, message: Message | int, data_or_label: str, *, stale: bool = False, group: Group | None = None
    ) -> str:
        """Press an inline button and return the query's id; *stale* presses what a slow phone still shows."""
        chat = group.chat if group else self.chat
        message_id = message if isinstance(message, int) else message.id
        known = chat.messages.get(message_id)
        button = known.button(data_or_label) if known else None
        if button is None and not stale:
            shown = known.buttons if known else "no message"
            raise LookupError(f"no button {data_or_label!r} to press; shown: {shown}")
        data = button.get("callback_data") if button else data_or_label
        if data is None:
            raise LookupError(f"{data_or_label!r} opens a link and tells the bot nothing")
        self.mark()
        return acts.press(self._world, self.user, chat, message_id, data)

    async def tap(self, label: str, *, lat: float = 52.52, lon: float = 13.405) -> Message:
        """Tap a key of the bot's reply keyboard."""
        rows = (self.chat.reply_keyboard or {}).get("keyboard", [])
        key = next((key for row in rows for key in row if key["text"] == label), None)
        if key is None:
            raise LookupError(f"no key {label!r} on the keyboard")
        if key.get("request_location"):
            return await self.share_location(lat, lon)
        return await (self.share_contact() if key.get("request_contact") else self.send(label))

    async def share_location(self, lat: float, lon: float) -> Message:
        """Send a place."""
        return self._write({"location": {"latitude": lat, "longitude": lon}})

    async def share_contact(self, phone: str = "+4915112345678", first_name: str = "") -> Message:
        """Send one's own number, or somebody's."""
        own = {"user_id": self.id} if not first_name else {}
        name = first_name or self.user["first_name"]
        return self._write({"contact": {"phone_number": phone, "first_name": name, **own}})

    async def send_photo(self, upload: Upload | None = None, caption: str = "") -> Message:
        """Send a picture."""
        kept = self._world.files.keep(upload or samples.PHOTO, "photos")
        return self._write(samples.photo(kept) | ({"caption": caption} if caption else {}))

    async def send_voice(self, seconds: int = 3) -> Message:
        """Send a spoken message."""
        return self._write(samples.voice(self._world.files.keep(samples.VOICE, "voice"), seconds))

    async def send_sticker(self, emoji: str = "🙂") -> Message:
        """Send a sticker."""
        return self._write(samples.sticker(self._world.files.keep(samples.STICKER, "stickers"), emoji))

    async def send_document(self, upload: Upload | None = None, caption: str = "") -> Message:
        """Send a file."""
        kept = self._world.files.keep(upload or samples.DOCUMENT, "documents")
        return self._write(samples.document(kept) | ({"caption": caption} if caption else {}))

    async def send_video(self) -> Message:
        """Send a film."""
        return self._write(samples.video(self._world.files.keep(samples.VIDEO, "videos")))

    async def block(self) -> None:
        """Block the bot."""
        await self._set_blocked(blocked=True)

    async def unblock(self) -> None:
        """Let the bot write again."""
        await self._set_blocked(blocked=False)

    async def _set_blocked(self, *, blocked: bool) -> None:
        self.mark()
        if self.chat.blocked == blocked:
            return
        self.chat.blocked = blocked
        self._world.chats.keep(self.chat)
        old, new = ("member", "kicked") if blocked else ("kicked", "member")
        acts.member_changed(self._world, self.chat, self.user, old, new)

    async def clear(self) -> None:
        """Delete the whole chat for both sides; the bot is not told."""
        for message_id in list(self.chat.messages):
            self._world.chats.drop(self.chat, message_id)
        self.chat.reply_keyboard = None
        self._world.chats.keep(self.chat)

    async def delete(self, message_id: int) -> None:
        """Delete one message for both sides; the bot is not told."""
        self._world.chats.drop(self.chat, message_id)

    async def add_bot(self, title: str = "Family") -> Group:
        """Make a group and add the bot to it."""
        return groups.found(self._world, self.user, title)

    async def remove_bot(self, group: Group) -> None:
        """Throw the bot out of a group."""
        groups.throw_out(self._world, self.user, group)

    def _write(self, content: Json, *, reply_to: int | None = None, group: Group | None = None) -> Message:
        self.mark()
        if group is None and (self.chat.reply_keyboard or {}).get("one_time_keyboard"):
            self.chat.reply_keyboard = None
        chat = group.chat if group else self.chat
        return acts.write(self._world, chat, self.user, content, reply_to=reply_to)
