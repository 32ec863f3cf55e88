"""Carries messages to Telegram; a failure says whether the message may have arrived, never what it said."""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

import resvg_py
from telegram import InputMediaPhoto
from telegram import Message as Sent
from telegram.constants import MessageLimit, ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.messages import Button, Contact, DeliveryError, Fate, Message, Outgoing, Rows
from handlers.transport import QuietBot, delivery_error, form

WIDTH = 1000  # pixels of a figure: sharp on a phone, small to upload
NO_PREVIEW = {"is_disabled": True}
Markup = Mapping[str, object]  # as it goes over the wire
AnswerT = TypeVar("AnswerT")
log = logging.getLogger(__name__)


class Budget(Protocol):
    """How fast messages may go out."""

    async def wait(self, chat_id: int | None, bulk: bool = False, safety: bool = False) -> None:
        """Return when one more may go."""

    def answered(self, bulk: bool = False, chat_id: int | None = None, arrived: bool = False) -> None:
        """Note that the call of a turn has ended."""

    def give_back(self, bulk: bool = False, chat_id: int | None = None) -> None:
        """Give back a turn that no call came of."""

    def refused(self, seconds: float, chat_id: int) -> None:
        """Note that Telegram asked to wait."""


class Figures:
    """The content's pictures, drawn once, and what Telegram calls them once it has them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawn: dict[str, bytes] = {}
        self._known: dict[str, str] = {}

    async def photo(self, code: str) -> str | bytes | None:
        """Return Telegram's own id of a figure, or else its PNG; None when there is no such figure."""
        if code in self._known:
            return self._known[code]
        if code not in self._drawn:
            drawn = await asyncio.to_thread(self._draw, code)
            if drawn is None:
                return None
            self._drawn[code] = drawn
        return self._drawn[code]

    def remember(self, code: str, sent: object) -> None:
        """Note under which id Telegram keeps a figure that was sent."""
        if isinstance(sent, Sent) and sent.photo:
            self._known[code] = sent.photo[-1].file_id

    def forget(self, code: str) -> bool:
        """Drop Telegram's id; say whether there was one, so that sending the PNG may help."""
        return self._known.pop(code, None) is not None

    def _draw(self, code: str) -> bytes | None:
        path = self._folder / f"{code}.svg"
        if not re.fullmatch(r"[a-z0-9_-]+", code) or not path.is_file():
            return None
        try:
            return resvg_py.svg_to_bytes(
                svg_string=path.read_text(encoding="utf-8"), width=WIDTH, background="white"
            )
        except (OSError, ValueError):
            return None


class TelegramMessenger:
    """The Messenger on a Telegram bot.

    With a *budget* every message waits for its turn; `in_bulk()` is the same messenger on the share of bulk,
    `in_earnest()` the one for safety words, which keep to the overall rate but to no pace of their chat.
    What goes in bulk above the free limit is *paid* for if the operator chose so; nothing else hangs on it.
    A token that is refused (401, 404, 409) is no fate of a message: InvalidToken or Conflict is raised then.
    """

    def __init__(
        self, bot: QuietBot, figures: Path, budget: Budget | None = None, paid: bool = False
    ) -> None:
        self._bot = bot
        self._paid = paid
        self._figures = Figures(figures)
        self._budget = budget
        self._bulk = False
        self._safety = False
        self._turns: dict[int, int] = {}  # taken ahead, by chat

    def in_bulk(self) -> TelegramMessenger:
        """Return a messenger whose messages yield to those for people who wait."""
        return self._like_this(bulk=True, safety=False)

    def in_earnest(self) -> TelegramMessenger:
        """Return a messenger whose messages wait for no other message to the same chat."""
        return self._like_this(bulk=False, safety=True)

    def _like_this(self, bulk: bool, safety: bool) -> TelegramMessenger:
        other = TelegramMessenger(self._bot, Path(), self._budget, self._paid)
        other._figures, other._bulk, other._safety = self._figures, bulk, safety
        return other

    @asynccontextmanager
    async def turn(self, chat_id: int) -> AsyncIterator[None]:
        """Begin when one more may go to the chat; within, its next message does not wait again."""
        await self._wait(chat_id)
        self._turns[chat_id] = self._turns.get(chat_id, 0) + 1
        try:
            yield
        finally:
            if self._take_turn(chat_id) and self._budget is not None:
                self._budget.give_back(self._bulk, chat_id)

    async def send(self, chat_id: int, message: Outgoing) -> int:
        """Send one message and return its id; raises DeliveryError."""
        if isinstance(message, Contact):
            return await self._send_contact(chat_id, message)
        if message.figure and (photo := await self._photo(message.figure)) is not None:
            return await self._send_figure(chat_id, message, photo)
        return await self._send_text(chat_id, message)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Change a message in place; one that already reads so is left as it is; raises DeliveryError."""
        photo = await self._photo(message.figure) if message.figure else None
        try:
            if photo is None:
                await self._edit_text(chat_id, message_id, message)
            else:
                await self._edit_figure(chat_id, message_id, message, photo)
        except DeliveryError as error:
            if "message is not modified" not in error.reason:
                raise

    async def answer(self, press_id: str, notice: str = "", alert: bool = False) -> None:
        """End the waiting mark on a pressed button; one pressed too long ago is past helping."""
        try:
            await self._bot.call(
                "answerCallbackQuery",
                {"callback_query_id": press_id, "text": notice[:200] or None, "show_alert": alert or None},
            )
        except (BadRequest, Forbidden):
            return
        except TelegramError as error:
            raise delivery_error(error) from error

    async def _send_contact(self, chat_id: int, contact: Contact) -> int:
        fields = {
            "chat_id": chat_id,
            "phone_number": contact.number,
            "first_name": contact.name,
            "disable_notification": contact.silent or None,
        }
        return await self._carry(chat_id, lambda: self._bot.call("sendContact", fields), _id_of)

    async def _send_text(self, chat_id: int, message: Message) -> int:
        beside = _beside_words(message.rows, message.keyboard, message.keyboard_text, message.silent)

        async def call(text: str, mode: str | None) -> object:
            fields = {"chat_id": chat_id, "text": text, "parse_mode": mode}
            if self._is_paid_for:
                fields["allow_paid_broadcast"] = True
            return await self._bot.call("sendMessage", fields, beside)

        return await self._carry(chat_id, lambda: _with_markup(call, message.text), _id_of)

    async def _send_figure(self, chat_id: int, message: Message, photo: str | bytes) -> int:
        if not fits_caption(message.text):
            await self._send_photo(chat_id, Message("", silent=True, figure=message.figure), photo)
            return await self._send_text(chat_id, message)
        try:
            return await self._send_photo(chat_id, message, photo)
        except DeliveryError as error:
            if error.fate is not Fate.REFUSED:
                raise
        # The words matter more than the picture.
        log.warning("figure refused", extra={"figure": message.figure})
        return await self._send_text(chat_id, message)

    async def _send_photo(self, chat_id: int, message: Message, photo: str | bytes) -> int:
        async def call(text: str, mode: str | None) -> object:
            sent = await self._bot.send_photo(
                chat_id,
                photo,
                caption=text or None,
                parse_mode=mode,
                disable_notification=message.silent,
                filename=f"{message.figure}.png",
                api_kwargs=_given(_markup(message.rows, message.keyboard, message.keyboard_text)),
                allow_paid_broadcast=self._is_paid_for or None,
            )
            self._figures.remember(message.figure, sent)
            return {"message_id": sent.message_id}

        try:
            return await self._carry(chat_id, lambda: _with_markup(call, message.text), _id_of)
        except DeliveryError as error:
            if error.fate is not Fate.REFUSED or not self._figures.forget(message.figure):
                raise
        return await self._send_photo(chat_id, message, await self._photo(message.figure) or b"")

    async def _edit_text(self, chat_id: int, message_id: int, message: Message) -> None:
        of_message = {"chat_id": chat_id, "message_id": message_id}

        async def text_of(text: str, mode: str | None) -> object:
            fields = {**of_message, "text": text, "parse_mode": mode}
            return await self._bot.call("editMessageText", fields, _beside_words(message.rows))

        async def caption_of(text: str, mode: str | None) -> object:
            words = {"caption": text, "parse_mode": mode, "reply_markup": _inline(message.rows)}
            return await self._bot.call("editMessageCaption", {**of_message, **words})

        try:
            await self._carry(chat_id, lambda: _with_markup(text_of, message.text), _nothing, paced=False)
        except DeliveryError as error:
            # A picture keeps its place, and only its words change.
            if "no text in the message" not in error.reason:
                raise
            await self._carry(chat_id, lambda: _with_markup(caption_of, message.text), _nothing, paced=False)

    async def _edit_figure(self, chat_id: int, message_id: int, message: Message, photo: str | bytes) -> None:
        if not fits_caption(message.text):
            raise DeliveryError(Fate.REFUSED, "the words are too long for a picture")

        async def call(text: str, mode: str | None) -> object:
            media = InputMediaPhoto(photo, caption=text, parse_mode=mode, filename=f"{message.figure}.png")
            sent = await self._bot.edit_message_media(
                media, chat_id, message_id, api_kwargs=_given(_inline(message.rows))
            )
            self._figures.remember(message.figure, sent)
            return sent

        await self._carry(chat_id, lambda: _with_markup(call, message.text), _nothing, paced=False)

    async def _carry(
        self,
        chat_id: int,
        call: Callable[[], Awaitable[object]],
        read: Callable[[object], AnswerT],
        paced: bool = True,
    ) -> AnswerT:
        """Wait for a turn, make one call and read its answer; raises DeliveryError."""
        of = chat_id if paced else None
        if not self._take_turn(chat_id):
            await self._wait(of)
        arrived = False
        try:
            answer = read(await call())
            arrived = True
        except TelegramError as error:
            failure = delivery_error(error)
            if failure.fate is Fate.WAIT and self._budget is not None:
                self._budget.refused(failure.retry_after, chat_id)
            raise failure from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The server answered, but not as a Bot API does.
            raise DeliveryError(Fate.UNKNOWN, f"odd answer: {type(error).__name__}") from error
        finally:
            if self._budget is not None:
                self._budget.answered(self._bulk, of, arrived)
        return answer

    @property
    def _is_paid_for(self) -> bool:
        return self._bulk and self._paid

    def _take_turn(self, chat_id: int) -> bool:
        """Use up a turn taken ahead, if there is one."""
        left = self._turns.pop(chat_id, 0)
        if left > 1:
            self._turns[chat_id] = left - 1
        return left > 0

    async def _wait(self, chat_id: int | None) -> None:
        if self._budget is not None:
            await self._budget.wait(chat_id, self._bulk, self._safety)

    async def _photo(self, code: str) -> str | bytes | None:
        photo = await self._figures.photo(code)
        if photo is None:
            log.warning("figure missing", extra={"figure": code})
        return photo


def fits_caption(text: str) -> bool:
    """Return whether a text can stand under a picture, counted as Telegram counts."""
    return len(plain(text).encode("utf-16-le")) // 2 <= MessageLimit.CAPTION_LENGTH


def plain(text: str) -> str:
    """Return a text without its markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", text))


async def _with_markup(call: Callable[[str, str | None], Awaitable[object]], text: str) -> object:
    """Make a call with markup and, should the markup be refused, with the bare words."""
    try:
        return await call(text, ParseMode.HTML)
    except BadRequest as error:
        if "can't parse entities" not in str(error).lower():
            raise
    log.error("markup refused")
    return await call(plain(text), None)


@lru_cache(256)
def _beside_words(rows: Rows, keyboard: str = "", keyboard_text: str = "", silent: bool = False) -> bytes:
    """Return a message's fields but its words and its place: many have the same buttons on one day."""
    return form(
        {
            "reply_markup": _markup(rows, keyboard, keyboard_text),
            "disable_notification": silent or None,
            "link_preview_options": NO_PREVIEW,
        }
    )


def _markup(rows: Rows, keyboard: str, keyboard_text: str) -> Markup | None:
    """Return the buttons; a message has one set of them, and inline ones go before a keyboard."""
    if rows:
        return _inline(rows)
    if keyboard == "location":
        button = {"text": keyboard_text, "request_location": True}
        return {"keyboard": [[button]], "resize_keyboard": True, "one_time_keyboard": True}
    if keyboard == "remove":
        return {"remove_keyboard": True}
    return None


def _inline(rows: Rows) -> Markup | None:
    return {"inline_keyboard": [[_button(each) for each in row] for row in rows]} if rows else None


def _button(button: Button) -> Markup:
    shown = {"text": button.text, "callback_data": button.press}
    return {**shown, "style": button.style.value} if button.style.value else shown


def _given(markup: Markup | None) -> dict[str, object] | None:
    """Return the markup as the library takes what it does not build itself."""
    return {"reply_markup": markup} if markup else None


def _id_of(sent: object) -> int:
    if not isinstance(sent, Mapping):
        raise TypeError("no message")
    return int(sent["message_id"])


def _nothing(_: object) -> None:
    return None
