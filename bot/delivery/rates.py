"""How fast messages may go out: one limit for the token, those who wait first, a pace per chat."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.tally import Tally

LOOK = 0.05  # seconds between two looks while somebody waits
CLUMP = 0.01  # seconds' worth of turns that are given together, at least
IDLE_CHATS = 1024  # chats remembered before the idle ones are forgotten
TRY_AGAIN = 30.0  # seconds, at most, after which one message tries whether everybody still has to wait
TRIED_BY = 5.0  # seconds after which a try that has not ended holds up no other
SAFETY, REPLY, BULK = range(3)  # the lines, in the order in which they are served

RESERVED_PART, RESERVED_MOST = 1 / 15, 20.0  # of the turns of a second: for replies and safety words alone


def reserved(rate: float) -> float:
    """Return how many of *rate* turns a second bulk leaves alone, so that who waits need not."""
    return min(rate * RESERVED_PART, RESERVED_MOST)


@dataclass(order=True)
class _Turn:
    """Somebody waiting: from when the chat may take it, and the order of arrival."""

    ripe_at: float
    number: int
    chat_id: int | None = field(compare=False)
    line: int = field(compare=False)
    granted: asyncio.Future[None] = field(compare=False)


class _Second:
    """Room for `most` messages in any one second, wherever on the way Telegram counts them.

    A message takes its room with its turn and leaves it a second after its answer, so it counts on both sides
    of the moment at which it arrives.
    """

    def __init__(self, rate: float, length: float | None = None) -> None:
        self.most = max(1, int(rate))
        self.length = length or max(1.0, 1 / rate)
        self.on_their_way = 0
        self.answered: deque[float] = deque()

    def free_in(self, now: float) -> float:
        """Return the seconds until there is room, as far as that is known."""
        while self.answered and self.answered[0] <= now - self.length:
            self.answered.popleft()
        if self.on_their_way + len(self.answered) < self.most:
            return 0.0
        return self.answered[0] + self.length - now if self.answered else LOOK


class _Pace:
    """Turns that flow in at `rate` a second and pile up to those of a tenth of a second and *more*."""

    def __init__(self, rate: float, now: float, more: float = 0.0) -> None:
        self.rate = rate
        self.most = max(1.0, rate / 10 + more)
        self.left = self.most
        self.at = now

    def free_in(self, now: float) -> float:
        """Return the seconds until there is a turn."""
        self.left = min(self.most, self.left + max(0.0, now - self.at) * self.rate)
        self.at = now
        # A hair below one, for what adding fractions loses.
        return 0.0 if self.left >= 1 - 1e-9 else (1 - self.left) / self.rate


class SendBudget:
    """Lets *rate* messages through in any one second, evenly and in order, and one a second per chat.

    Bulk leaves *reserve* turns of each second to replies and safety words, which so have one at once; beyond
    them a reply has the next. But bulk has *bulk_share* turns a second (a quarter of a small rate) however
    much is being answered, so that neither starves. `per_chat` 0 sets no pace per chat. Whoever has had a
    turn says `answered` when its call has ended, or `give_back` when there was none, for the same chat.

    Telegram does not say whether it asks one chat to wait or everybody. Once two chats are told so at a time,
    all wait. But safety words try one at a time, and after TRY_AGAIN seconds at most so does anything else;
    one that arrives then ends the waiting.
    """

    def __init__(
        self,
        rate: float,
        bulk_share: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        per_chat: float = 1.0,
        burst: int = 3,
        reserve: float | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._tally = tally or Tally()
        self._clock = clock
        self._sleep = sleep
        self._gap = 1 / per_chat if per_chat else 0.0
        self._slack = self._gap * (burst - 1)
        self._second = _Second(rate)
        reserve = reserved(rate) if reserve is None else reserve
        self._pace = _Pace(rate, clock(), more=reserve)
        for_bulk = rate - reserve
        self._bulk_second = _Second(for_bulk, self._second.length)
        self._bulk_pace = _Pace(for_bulk, clock())
        self._bulk_patience = 1 / min(bulk_share, rate / 4)  # seconds after which bulk goes before replies
        self._bulk_at = clock()
        self._chats: dict[int, float] = {}  # when a chat's pace is used up to
        self._paused: dict[int, float] = {}
        self._paused_until = self._safety_at = self._others_at = clock()  # a pause, and who may try from when
        self._trying: _Turn | None = None
        self._tried_by = clock()
        self._unripe: list[_Turn] = []
        self._ripe: tuple[deque[_Turn], ...] = (deque(), deque(), deque())
        self._waiting = 0
        self._numbers = itertools.count()
        self._pump: asyncio.Task[None] | None = None

    async def wait(self, chat_id: int | None, bulk: bool = False, safety: bool = False) -> None:
        """Return when one message may go to the chat; None as a chat keeps to the overall rate only.

        *safety* words wait for no pace and no pause of their chat.
        """
        now = self._clock()
        line = SAFETY if safety else BULK if bulk else REPLY
        ripe_at = now if safety else self._reserve(chat_id, now)
        turn = _Turn(ripe_at, next(self._numbers), chat_id, line, asyncio.Future())
        if not any(self._ripe[: line + 1]) and turn.ripe_at <= now and self._take(turn, now):
            return
        heapq.heappush(self._unripe, turn)
        self._waiting += 1
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._serve(), name="send budget")
        try:
            await turn.granted
        except asyncio.CancelledError:
            if turn.granted.done() and not turn.granted.cancelled():
                self.give_back(bulk, chat_id)
            raise
        finally:
            self._waiting -= 1

    def answered(self, bulk: bool = False, chat_id: int | None = None, arrived: bool = False) -> None:
        """Note that a call has ended, its message *arrived* or not: it counts for one more second."""
        now = self._clock()
        for second in (self._second, self._bulk_second) if bulk else (self._second,):
            second.on_their_way -= 1
            second.answered.append(now)
        tried = self._end_of_try(chat_id)
        if tried is not None and arrived and tried.line != SAFETY:
            self._paused_until = now

    def give_back(self, bulk: bool = False, chat_id: int | None = None) -> None:
        """Give back a turn that no message came of."""
        self._second.on_their_way -= 1
        self._pace.left += 1
        if bulk:
            self._bulk_second.on_their_way -= 1
            self._bulk_pace.left += 1
        self._end_of_try(chat_id)

    def refused(self, seconds: float, chat_id: int) -> None:
        """Note that Telegram asked to wait: the chat does, and once a second chat is told so, everybody."""
        self._tally.asked_to_wait += 1
        self._tally.wait_seconds += seconds
        now = self._clock()
        says_it_of_all = self._paused.get(chat_id, now) <= now and not self._is_busy(chat_id, now)
        if says_it_of_all and any(until > now for until in self._paused.values()):
            self._pause_everybody(seconds, chat_id, now)
        self._forget_idle()
        self._paused[chat_id] = max(self._paused.get(chat_id, now), now + seconds)

    def _pause_everybody(self, seconds: float, chat_id: int, now: float) -> None:
        again = now + min(seconds, TRY_AGAIN)
        if now < self._paused_until and self._end_of_try(chat_id) is not None:
            self._safety_at = again
        self._others_at = max(self._others_at, again)
        self._paused_until = max(self._paused_until, now + seconds)

    def _is_busy(self, chat_id: int, now: float) -> bool:
        """Return whether a chat has so much sent to it that Telegram may well mean this chat alone."""
        return self._chats.get(chat_id, now) > now + self._gap

    def _end_of_try(self, chat_id: int | None) -> _Turn | None:
        """Let the next one try, and return the one that did, if it was to this chat."""
        tried = self._trying
        if tried is None or tried.chat_id != chat_id:
            return None
        self._trying = None
        return tried

    def _reserve(self, chat_id: int | None, now: float) -> float:
        if chat_id is None or not self._gap:
            return now
        if len(self._chats) >= IDLE_CHATS:
            self._forget_idle()
        used = self._chats.get(chat_id, now)
        ripe_at = max(now, used - self._slack)
        self._chats[chat_id] = max(used, ripe_at) + self._gap
        return ripe_at

    def _forget_idle(self) -> None:
        now = self._clock()
        self._chats = {chat_id: used for chat_id, used in self._chats.items() if used > now}
        self._paused = {chat_id: until for chat_id, until in self._paused.items() if until > now}

    def _take(self, turn: _Turn, now: float) -> bool:
        """Take a permit if there is one for this turn now."""
        bulk = turn.line == BULK
        if now < self._held_until(turn.line) or now < self._pause_of(turn) or self._free_in(now, bulk) > 0:
            return False
        if bulk:
            self._bulk_at = now
            self._bulk_pace.left -= 1
            self._bulk_second.on_their_way += 1
        self._pace.left -= 1
        self._second.on_their_way += 1
        if now < self._paused_until:
            self._trying, self._tried_by = turn, now + TRIED_BY
        return True

    def _held_until(self, line: int) -> float:
        """Return until when a pause of everybody, or one who tries what has become of it, holds a line up."""
        tries_at = self._safety_at if line == SAFETY else self._others_at
        if self._trying is not None:
            tries_at = max(tries_at, self._tried_by)
        return min(self._paused_until, tries_at)

    def _free_in(self, now: float, bulk: bool) -> float:
        free_in = max(self._pace.free_in(now), self._second.free_in(now))
        if not bulk:
            return free_in
        return max(free_in, self._bulk_pace.free_in(now), self._bulk_second.free_in(now))

    def _pause_of(self, turn: _Turn) -> float:
        if turn.chat_id is None or turn.line == SAFETY:
            return 0.0
        return self._paused.get(turn.chat_id, 0.0)

    async def _serve(self) -> None:
        while self._waiting:
            now = self._clock()
            self._sort(now)
            while (turn := self._next(now)) is not None and self._take(turn, now):
                self._ripe[turn.line].popleft()
                turn.granted.set_result(None)
            await self._sleep(self._until_next(now))
        self._unripe.clear()
        for line in self._ripe:
            line.clear()

    def _sort(self, now: float) -> None:
        """Move those whose chat is ready into the lines."""
        while self._unripe and self._unripe[0].ripe_at <= now:
            turn = heapq.heappop(self._unripe)
            if turn.granted.done():
                continue
            if (until := self._pause_of(turn)) > now:
                turn.ripe_at = until
                heapq.heappush(self._unripe, turn)
            else:
                self._ripe[turn.line].append(turn)

    def _next(self, now: float) -> _Turn | None:
        """Return whose turn it is: safety's, then a reply's, unless bulk has waited out its patience."""
        bulk_first = now - self._bulk_at >= self._bulk_patience
        for line in (SAFETY, BULK, REPLY) if bulk_first else (SAFETY, REPLY, BULK):
            turn = self._head(line, now)
            if turn is not None and not (line == BULK and self._free_in(now, True) > 0):
                return turn
        return None

    def _head(self, number: int, now: float) -> _Turn | None:
        line = self._ripe[number]
        while line:
            turn = line[0]
            if turn.granted.done():
                line.popleft()
            elif (until := self._pause_of(turn)) > now:
                line.popleft()
                turn.ripe_at = until
                heapq.heappush(self._unripe, turn)
            else:
                return turn
        return None

    def _until_next(self, now: float) -> float:
        free_in = [
            max(self._free_in(now, line == BULK), self._held_until(line) - now, CLUMP)
            for line, turns in enumerate(self._ripe)
            if turns
        ]
        if free_in:
            return min(LOOK, *free_in)
        return min(LOOK, max(CLUMP, self._unripe[0].ripe_at - now)) if self._unripe else 0.0
