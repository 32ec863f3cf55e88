"""Takes updates in: kept before Telegram is told so, one chat's in order, again after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from telegram import Bot, Chat, Update, User
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application, BaseUpdateProcessor

from bot.messages import DeliveryError, Fate
from bot.tally import Tally
from handlers.transport import QuietBot, reason_of, seconds_of

if TYPE_CHECKING:
    from telegram import CallbackQuery

KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
LONG_POLL = 30  # seconds
TRIES = 3
MAYBE_TRIES = 10  # of a reply that may have arrived each time: a minute or two of a server that fails
MOST_OPEN = 1000  # updates being handled before no more are fetched
MOST_OF_A_CHAT = 50  # of them: what else a chat sends waits in the inbox, and takes no place from the others
MOST_CHATS = 1_000_000  # the library's own bound, which counts those who wait: out of the way
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds
CONFLICT_EVERY = 60.0  # seconds between two lines about another poller

IN_ASCII = json.JSONEncoder(separators=(",", ":"))  # half a character could not be kept otherwise

Row = tuple[int, int | None, str]  # update id, chat id, the update as JSON
AnyApplication = Application[Any, Any, Any, Any, Any, Any]
Carry = Callable[[object, Awaitable[Any]], Awaitable[None]]
log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a message stands."""

    chat: Chat
    message_id: int


class Query(NamedTuple):
    """Of a pressed button no more than is used: the library's own takes four times as long to make."""

    id: str
    from_user: User
    data: str | None
    message: Place


class Press(Update):
    """A pressed button, of whose message nothing is known but where it stands."""

    __slots__ = ()
    # The library's guard, passed thirty times, takes longer than all the rest.
    __setattr__ = object.__setattr__  # type: ignore[assignment]  # only its type says more

    @property
    def effective_message(self) -> None:
        """Return None: the library would warn each time a handler of words looks for some."""


class Inbox(Protocol):
    """Where updates are kept from arrival until their reply is out."""

    async def keep(self, rows: Sequence[Row]) -> list[int]:
        """Keep those not known yet, committed on return; return their ids."""

    async def undone(self, chats: Collection[int]) -> list[Row]:
        """Return what is kept and not done, and nobody else's; oldest first.

        Of *chats* also what this process has kept itself and left for later.
        """

    async def done(self, update_id: int) -> None:
        """Note that an update needs nothing more."""

    async def failed(self, update_id: int) -> int:
        """Count a failed try and return how many there were."""


class TokenRefused(Exception):
    """Telegram does not know this token: nothing can work until the operator changes it."""

    def __init__(self) -> None:
        super().__init__("the Bot API refuses the token: check BOT_TOKEN (or BOT_TOKEN_FILE) and BOT_API_URL")


class Failures:
    """Which updates' handlers failed, as the error handler notes them: the library keeps it to itself."""

    def __init__(self) -> None:
        self._noted: dict[int, BaseException | None] = {}

    def note(self, update: object, error: BaseException | None = None) -> None:
        """Note that a handler of this update failed, and why."""
        if isinstance(update, Update):
            self._noted.setdefault(update.update_id, error)

    def take(self, update_id: int) -> tuple[bool, BaseException | None]:
        """Return whether one failed since last asked, and why."""
        failed = update_id in self._noted
        return failed, self._noted.pop(update_id, None)


class ChatOrder(BaseUpdateProcessor):
    """Handles one chat's updates in order and different chats' side by side, *at_once* at most.

    Those who wait behind their own chat take no place from the others.
    """

    def __init__(self, at_once: int = 64) -> None:
        super().__init__(MOST_CHATS)
        self.places = asyncio.Semaphore(at_once)
        self.carry: Carry = self._run
        self._turns: dict[int, asyncio.Lock] = {}
        self._waiting: dict[int, int] = {}

    @contextlib.asynccontextmanager
    async def alone(self, chat_id: int | None) -> AsyncIterator[None]:
        """Hold a chat for oneself, after those who asked before; not to be asked again while holding it."""
        if chat_id is None:
            yield
            return
        turn = self._turns.setdefault(chat_id, asyncio.Lock())
        self._waiting[chat_id] = self._waiting.get(chat_id, 0) + 1
        try:
            async with turn:
                yield
        finally:
            self._waiting[chat_id] -= 1
            if not self._waiting[chat_id]:
                del self._turns[chat_id], self._waiting[chat_id]

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Run the handlers when it is the chat's turn."""
        try:
            async with self.alone(chat_of(update)):
                await self.carry(update, coroutine)
        finally:
            if isinstance(coroutine, Coroutine):
                coroutine.close()  # it may never have begun

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""

    async def _run(self, _: object, coroutine: Awaitable[Any]) -> None:
        async with self.places:
            await coroutine


class Intake:
    """The one path of every update, polled or pushed: kept, handled in turn, tried again, done.

    *give_up* says sorry to the chat after TRIES failures (MAYBE_TRIES of a reply whose fate nobody knows). A
    failure to send for want of a network, or because Telegram asked to wait, is no failure of the update: it
    is tried until it works or the bot stops.
    """

    def __init__(
        self,
        application: AnyApplication,
        order: ChatOrder,
        inbox: Inbox,
        failures: Failures,
        give_up: Callable[[Update], Awaitable[None]],
        tally: Tally | None = None,
    ) -> None:
        self._application = application
        self._order = order
        self._inbox = inbox
        self._failures = failures
        self._give_up = give_up
        self._tally = tally or Tally()
        self._open: dict[int, int | None] = {}  # their chats by their ids
        self._coming: set[int] = set()  # kept for us, and waiting for room
        self._answered: set[int] = set()  # of which only the end could not be noted
        self._of_chat: Counter[int | None] = Counter()  # open ones
        self._left: set[int] = set()  # chats of which some are left in the inbox for now
        self._queueing = asyncio.Lock()
        self._taking_up = asyncio.Lock()
        self._closed_one = asyncio.Event()
        self._stopping = asyncio.Event()
        self._strays = False  # rows in the inbox that are not open
        order.carry = self._carry

    @property
    def open(self) -> frozenset[int]:
        """Return the ids of the updates that are this process's to deal with."""
        return frozenset(self._open) | self._coming | self._answered

    @property
    def left(self) -> frozenset[int]:
        """Return the chats that have more open than they may: what is left of them is ours as well."""
        return frozenset(self._left)

    async def take_in(self, raws: Sequence[dict[str, Any]]) -> None:
        """Keep updates as they came over the wire and have the new ones handled; raises as the inbox does."""
        rows = [_row(raw) for raw in raws]
        try:
            with self._taking({row[0] for row in rows}):
                new = set(await self._inbox.keep(rows))
                self._tally.updates_kept += len(new)
                kept = [(row, raw) for row, raw in zip(rows, raws, strict=True) if row[0] in new]
                async with self._queueing:
                    await self._queue_all(kept)
        except BaseException:
            self._strays = True  # some may be kept and not queued
            raise
        self._strays |= len(new) < len(rows)  # one sent again may be a stray, passed over as coming
        log.debug("updates kept", extra={"new": len(new), "known": len(rows) - len(new)})

    async def take_up(self) -> None:
        """Have what was left undone handled, oldest first; what was answered is only noted as done."""
        async with self._taking_up:
            self._strays = False
            try:
                for update_id in [*self._answered]:
                    await self._done(update_id)
                    self._answered.discard(update_id)
                async with self._queueing:  # what comes meanwhile stays behind what was left
                    queued = await self._queue_left()
            except BaseException:
                self._strays = True
                raise
        if queued:
            log.info("updates taken up again", extra={"count": queued})

    async def mend(self) -> None:
        """Take up rows whose end could not be noted, if there are any."""
        if self._strays:
            await self.take_up()

    async def room(self) -> None:
        """Return when there is room for more."""
        while len(self._open) >= MOST_OPEN:
            self._closed_one.clear()
            await self._closed_one.wait()

    def stop(self) -> None:
        """Try nothing again from now on; what is undone waits for the next start."""
        self._stopping.set()

    async def _queue_left(self) -> int:
        left = self.left
        undone = await self._inbox.undone(left)
        ours = self.open
        strays = [(row, None) for row in undone if row[0] not in ours]
        self._left.clear()
        try:
            with self._taking({row[0] for row, _ in strays}):
                return await self._queue_all(strays)
        except BaseException:
            self._left |= left
            raise

    @contextlib.contextmanager
    def _taking(self, ids: set[int]) -> Iterator[None]:
        """Have updates that are being kept, or wait for room, be ours."""
        self._coming |= ids
        try:
            yield
        finally:
            self._coming -= ids

    async def _queue_all(self, kept: Sequence[tuple[Row, dict[str, Any] | None]]) -> int:
        """Queue kept updates in their order, return how many; a chat that has many open leaves the rest."""
        return sum([await self._queue(row, raw) for row, raw in kept])

    async def _queue(self, row: Row, raw: dict[str, Any] | None) -> bool:
        update_id, chat_id, text = row
        if update_id in self._open:
            return False
        if chat_id is not None and (chat_id in self._left or self._of_chat[chat_id] >= MOST_OF_A_CHAT):
            self._left.add(chat_id)  # what comes after it stays behind it
            self._strays = True
            return False
        await self.room()
        try:
            update = _understood(raw or json.loads(text), self._application.bot)
        except Exception:  # whatever is wrong with one must not hold up the others
            log.exception("update not understood", extra={"update": update_id})
            await self._done(update_id)
            self._tally.updates_given_up += 1
            return False
        self._open[update_id] = chat_id
        self._of_chat[chat_id] += 1
        await self._application.update_queue.put(update)
        return True

    async def _carry(self, update: object, coroutine: Awaitable[Any]) -> None:
        if not isinstance(update, Update):
            await coroutine
            return
        try:
            await self._try(update, coroutine)
        except Exception:
            self._strays = True
            log.exception("update left undone", extra={"update": update.update_id})
        finally:
            self._close(update.update_id)

    def _close(self, update_id: int) -> None:
        chat_id = self._open.pop(update_id, None)
        self._of_chat[chat_id] -= 1
        if self._of_chat[chat_id] <= 0:
            del self._of_chat[chat_id]
            if chat_id in self._left and not self._stopping.is_set():
                self._application.create_task(self.mend())  # the next poll may be half a minute away
        self._closed_one.set()

    async def _try(self, update: Update, coroutine: Awaitable[Any]) -> None:
        outages = tries = 0
        while True:
            async with self._order.places:
                await coroutine
            failed, error = self._failures.take(update.update_id)
            if not failed:
                break
            if _is_outage(error):
                outages += 1
            else:
                # The inbox counts across restarts, and knows nothing of an update that is gone.
                outages, tries = 0, max(tries + 1, await self._inbox.failed(update.update_id))
            if tries >= (MAYBE_TRIES if _is_maybe(error) else TRIES):
                await self._apologise(update, tries)
                break
            if await self._stopped_within(_wait_for(error, outages or tries)):
                return
            coroutine = self._application.process_update(update)
        self._answered.add(update.update_id)  # should it not be noted, the reply is not given again
        await self._done(update.update_id)
        self._answered.discard(update.update_id)

    async def _done(self, update_id: int) -> None:
        await self._inbox.done(update_id)
        self._tally.updates_done += 1

    async def _apologise(self, update: Update, tries: int) -> None:
        log.error("update given up", extra={"update": update.update_id, "tries": tries})
        self._tally.updates_given_up += 1
        try:
            await self._give_up(update)
        except (DeliveryError, TelegramError):
            log.warning("apology not delivered", extra={"update": update.update_id})

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()


class InboxPolling:
    """Fetches updates by long polling; Telegram forgets them only after they are kept here.

    `last_poll_at` is the moment of the last answer on the monotonic clock (s); *polled* is called when what
    it brought is kept.
    """

    def __init__(
        self,
        bot: QuietBot,
        intake: Intake,
        polled: Callable[[], None] = lambda: None,
        long_poll: int = LONG_POLL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bot = bot
        self._intake = intake
        self._polled = polled
        self._long_poll = long_poll
        self._clock = clock
        self._offset: int | None = None
        self._failed = 0
        self._conflict_at = -CONFLICT_EVERY
        self.last_poll_at: float | None = None

    async def run(self) -> None:
        """Poll until cancelled, which takes effect at once; raises TokenRefused."""
        for step in (self._leave_webhook, self._intake.take_up):
            while not await self._attempt(step):
                pass
        while True:
            await self._attempt(self._poll)

    async def _leave_webhook(self) -> None:
        await self._bot.delete_webhook(drop_pending_updates=False)

    async def _poll(self) -> None:
        await self._intake.mend()
        await self._intake.room()
        raws = await self._bot.raw_updates(self._offset, self._long_poll, KINDS)
        self.last_poll_at = self._clock()
        if raws:
            await self._intake.take_in(raws)
            self._offset = max(int(raw["update_id"]) for raw in raws) + 1
        else:
            self._offset = None  # ids may begin anew: an old offset would confirm unseen ones
        self._polled()

    async def _attempt(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Do one step; after a failure wait, longer each time, and return False."""
        try:
            await step()
        except InvalidToken:
            raise TokenRefused from None
        except Conflict:
            self._say_conflict()
            await asyncio.sleep(random.uniform(3, 6))  # noqa: S311  # no secret
        except TelegramError as error:
            self._failed += 1
            log.warning("polling failed", extra={"reason": reason_of(error), "times": self._failed})
            await asyncio.sleep(max(seconds_of(error), pause_after(self._failed)))
        except Exception:
            self._failed += 1
            log.exception("updates not kept", extra={"times": self._failed})
            await asyncio.sleep(pause_after(self._failed))
        else:
            self._failed = 0
            return True
        return False

    def _say_conflict(self) -> None:
        now = self._clock()
        if now - self._conflict_at >= CONFLICT_EVERY:
            self._conflict_at = now
            log.error("another copy of the bot is polling with the same token: stop one")


def chat_of(update: object) -> int | None:
    """Return the chat an update belongs to; a person's private chat has the person's id."""
    if not isinstance(update, Update):
        return None
    chat, person = update.effective_chat, update.effective_user
    return chat.id if chat else person.id if person else None


def pause_after(times: int) -> float:
    """Return the seconds to wait after so many failures in a row: doubling, with jitter, 1 to 30."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(times, 10))
    return random.uniform(FIRST_PAUSE, longest)  # noqa: S311  # no secret


def _row(raw: dict[str, Any]) -> Row:
    kind = next((kind for kind in KINDS if kind in raw), "")
    part = raw.get(kind) or {}
    place = part.get("chat") or (part.get("message") or {}).get("chat") or part.get("from") or {}
    return int(raw["update_id"]), place.get("id"), IN_ASCII.encode(raw)


def _understood(raw: dict[str, Any], bot: Bot) -> Update | None:
    """Return the library's update; of a press no more than is used."""
    press = raw.get("callback_query") or {}
    message = press.get("message")
    if not message:
        return Update.de_json(raw, bot)
    chat, person = message["chat"], press["from"]
    whose = _person(person["id"], person["first_name"], person["is_bot"], person.get("language_code"))
    place = Place(_chat(chat["id"], chat["type"]), message["message_id"])
    query = Query(press["id"], whose, press.get("data"), place)
    return Press(int(raw["update_id"]), callback_query=cast("CallbackQuery", query))


@lru_cache(1024)  # one who presses does so several times, and the library takes its time over each
def _person(person_id: int, first_name: str, is_bot: bool, language: str | None) -> User:
    return User(person_id, first_name, is_bot, language_code=language)


@lru_cache(1024)
def _chat(chat_id: int, kind: str) -> Chat:
    return Chat(chat_id, kind)


def _is_outage(error: BaseException | None) -> bool:
    return isinstance(error, InvalidToken) or (
        isinstance(error, DeliveryError) and error.fate in (Fate.NOT_SENT, Fate.WAIT)
    )


def _is_maybe(error: BaseException | None) -> bool:
    return isinstance(error, DeliveryError) and error.fate is Fate.UNKNOWN


def _wait_for(error: BaseException | None, times: int) -> float:
    if isinstance(error, DeliveryError) and error.retry_after:
        return error.retry_after
    # Where the reply failed, not what made it, Telegram may need a moment.
    needs_time = isinstance(error, DeliveryError) or _is_outage(error)
    return pause_after(times) if needs_time else 0.2 * times
