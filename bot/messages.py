"""What can be said to a patient, and the one port through which it is carried."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol


class Style(enum.StrEnum):
    """How a button is coloured where the client can."""

    PLAIN = ""
    GOOD = "success"
    MAIN = "primary"
    GRAVE = "danger"


@dataclass(frozen=True)
class Button:
    """One inline button; `press` is 1-64 bytes and means the same for ever."""

    text: str
    press: str
    style: Style = Style.PLAIN


Rows = tuple[tuple[Button, ...], ...]


def in_rows(buttons: Sequence[Button], columns: int) -> Rows:
    """Return buttons in rows of so many; the last row may be shorter."""
    return tuple(tuple(buttons[at : at + columns]) for at in range(0, len(buttons), columns))


@dataclass(frozen=True)
class Message:
    """One message: safe markup (b, i, u, code), inline buttons, with or without a sound.

    What `sounds` does so at night too: cards and whatever stands in for one.
    `figure` names a picture of the content, shown above the text as its caption.
    `keyboard` is one of "", "location" (offer to share the place) or "remove".
    """

    text: str
    rows: Rows = ()
    silent: bool = False
    figure: str = ""
    keyboard: str = ""
    keyboard_text: str = ""
    sounds: bool = False

    def quiet(self) -> Message:
        """Return the same message without a sound, unless it sounds at night too."""
        return self if self.sounds else replace(self, silent=True)


@dataclass(frozen=True)
class Contact:
    """A number that can be called with one tap."""

    name: str
    number: str
    silent: bool = False

    def quiet(self) -> Contact:
        """Return the same number without a sound."""
        return replace(self, silent=True)


Outgoing = Message | Contact


@dataclass(frozen=True)
class Here:
    """What a reply to somebody who is there must mind."""

    owes_safety: bool = False  # safety words wait, and go first
    is_quiet: bool = False  # it makes no sound


@dataclass(frozen=True)
class Reply:
    """What an update leads to: a change of the pressed message, a short notice, and new messages.

    `edit` replaces the pressed message, `refresh` another one that no longer reads true (its id first).
    """

    messages: tuple[Outgoing, ...] = ()
    edit: Message | None = None
    notice: str = ""
    alert: bool = False  # the notice must be closed by hand
    refresh: tuple[int, Message] | None = None
    here: Here | None = None  # what must be minded, where the flow looked already

    def quiet(self) -> Reply:
        """Return the same reply without a sound, but for what sounds at night too."""
        messages = tuple(message.quiet() for message in self.messages)
        return replace(self, messages=messages, edit=self.edit.quiet() if self.edit else None)

    def __add__(self, other: Reply) -> Reply:
        """Return both replies in order; the first edit and notice win."""
        return Reply(
            messages=self.messages + other.messages,
            edit=self.edit or other.edit,
            notice=self.notice or other.notice,
            alert=self.alert or other.alert,
            refresh=self.refresh or other.refresh,
        )


class Fate(enum.StrEnum):
    """What is known of a message whose sending failed."""

    NOT_SENT = "not_sent"  # it never reached Telegram: safe to send again
    UNKNOWN = "unknown"  # it may have been delivered
    REFUSED = "refused"  # Telegram will never take it
    BLOCKED = "blocked"  # the person blocked the bot or is gone
    WAIT = "wait"  # too many: wait `retry_after` seconds


class DeliveryError(Exception):
    """A message could not be carried; `fate` says whether it may have arrived."""

    def __init__(self, fate: Fate, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.fate = fate
        self.reason = reason
        self.retry_after = retry_after


class Messenger(Protocol):
    """Carries messages to chats; every method raises DeliveryError."""

    async def send(self, chat_id: int, message: Outgoing) -> int:
        """Send one message and return its id."""

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Change a message in place; one that already reads so is left as it is."""

    async def answer(self, press_id: str, notice: str = "", alert: bool = False) -> None:
        """End the waiting mark on a pressed button, with a short notice if there is one."""
