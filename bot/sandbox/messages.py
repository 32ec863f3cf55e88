"""One message as the Bot API shows it, with what only the chat page knows; and the answers to presses."""

import itertools
from dataclasses import dataclass, field

from bot.sandbox.refusals import Json


@dataclass(slots=True)
class Message:
    """One message: what the Bot API shows of it, and what only the chat page knows."""

    body: Json
    html: str = ""
    silent: bool = False
    edits: int = 0
    reactions: list[str] = field(default_factory=list)
    reply_keyboard: Json | None = None

    @property
    def id(self) -> int:
        """The message_id."""
        return int(self.body["message_id"])

    @property
    def chat_id(self) -> int:
        """The chat it stands in."""
        return int(self.body["chat"]["id"])

    @property
    def text(self) -> str:
        """The plain text or caption, empty for neither."""
        return str(self.body.get("text") or self.body.get("caption") or "")

    @property
    def entities(self) -> list[Json]:
        """The formatting of the text or caption."""
        return list(self.body.get("entities") or self.body.get("caption_entities") or [])

    @property
    def from_bot(self) -> bool:
        """Whether the bot wrote it."""
        return bool(self.body["from"]["is_bot"])

    @property
    def edited(self) -> bool:
        """Whether its words or picture were changed after sending."""
        return self.edits > 0

    @property
    def keyboard(self) -> list[list[Json]]:
        """The inline keyboard, row by row."""
        return list(self.body.get("reply_markup", {}).get("inline_keyboard", []))

    @property
    def buttons(self) -> list[str]:
        """The labels of the inline keyboard."""
        return [button["text"] for row in self.keyboard for button in row]

    @property
    def photo(self) -> str | None:
        """The file_id of the largest size of its picture."""
        return str(self.body["photo"][-1]["file_id"]) if self.body.get("photo") else None

    @property
    def document(self) -> Json | None:
        """The document it carries."""
        found: Json | None = self.body.get("document")
        return found

    def button(self, data_or_label: str) -> Json | None:
        """Return the inline button with this callback data or label."""
        buttons = [button for row in self.keyboard for button in row]
        by_data = (button for button in buttons if button.get("callback_data") == data_or_label)
        by_label = (button for button in buttons if button["text"] == data_or_label)
        return next(itertools.chain(by_data, by_label), None)


@dataclass(frozen=True, slots=True)
class Toast:
    """The bot's answer to a pressed button."""

    query_id: str
    text: str
    alert: bool
    url: str | None
    seen_at: int
