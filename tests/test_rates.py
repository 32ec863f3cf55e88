"""Messages keep to the token's pace and to each chat's, and neither replies nor bulk starve."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time

import pytest

from bot.delivery.rates import IDLE_CHATS, TRIED_BY, TRY_AGAIN, SendBudget


class Clock:
    """A clock that moves to the next sleeper's moment when everybody else is waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waking: asyncio.Future[None] = asyncio.Future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), waking))
        await waking

    async def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            for _ in range(6):
                await asyncio.sleep(0)
            if not self._sleepers or self._sleepers[0][0] > until:
                self.now = until
                return
            self.now, _, waking = heapq.heappop(self._sleepers)
            if not waking.done():
                waking.set_result(None)


class Sent:
    """Messages on their way: each arrives somewhere in the time that it takes until its answer is there."""

    def __init__(self, clock: Clock, budget: SendBudget, longest: float = 0.0) -> None:
        self.clock = clock
        self.budget = budget
        self.longest = longest
        self.chance = random.Random(7)
        self.moments: list[tuple[float, int | None, bool]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.floods: dict[int, float] = {}  # chats that are told to wait, and how many seconds
        self.refused: list[tuple[float, int]] = []

    def send(self, chat_id: int | None, bulk: bool = False, safety: bool = False) -> None:
        self.tasks.append(asyncio.create_task(self._send(chat_id, bulk, safety)))

    async def _send(self, chat_id: int | None, bulk: bool, safety: bool) -> None:
        await self.budget.wait(chat_id, bulk, safety)
        arrived = False
        try:
            await self._pass_time()
            if chat_id in self.floods:
                self.refused.append((self.clock.now - 1000.0, chat_id))
                self.budget.refused(self.floods[chat_id], chat_id)
                return
            self.moments.append((self.clock.now - 1000.0, chat_id, bulk))
            await self._pass_time()
            arrived = True
        finally:
            self.budget.answered(bulk, chat_id, arrived)

    async def _pass_time(self) -> None:
        if self.longest:
            await self.clock.sleep(self.chance.uniform(0, self.longest / 2))

    def count(self, until: float, bulk: bool | None = None) -> int:
        return sum(at <= until and (bulk is None or kind == bulk) for at, _, kind in self.moments)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.clock.run(1)


def start(rate: float, per_chat: float = 1.0, longest: float = 0.0) -> tuple[Clock, Sent]:
    clock = Clock()
    budget = SendBudget(rate, clock=clock, sleep=clock.sleep, per_chat=per_chat)
    return clock, Sent(clock, budget, longest)


@pytest.mark.parametrize("longest", [0.0, 0.4])
@pytest.mark.parametrize("rate", [1, 2.5, 30, 200])
async def test_no_second_holds_more_than_the_rate_and_it_is_used(rate: float, longest: float) -> None:
    clock, sent = start(rate, longest=longest)
    due = int(rate) * 5
    for chat_id in range(due):
        sent.send(chat_id)
    await clock.run(4 + 5 * longest + 1)
    moments = sorted(at for at, _, _ in sent.moments)
    assert len(moments) == due
    for begin in moments:
        assert sum(begin <= at < begin + 1 - 1e-6 for at in moments) <= rate
    await sent.end()


async def test_bulk_takes_what_nobody_waits_for_and_a_reply_the_next_turn() -> None:
    clock, sent = start(30)
    for chat_id in range(300):
        sent.send(chat_id, bulk=True)
    await clock.run(4)
    assert 107 <= sent.count(4) <= 112
    for chat_id in range(1000, 1005):
        sent.send(chat_id)
    await clock.run(0.05)
    assert sent.count(9, bulk=False) >= 2
    await clock.run(0.2)
    assert sent.count(9, bulk=False) == 5
    await sent.end()


@pytest.mark.parametrize("longest", [0.0, 0.4])
@pytest.mark.parametrize(("rate", "left"), [(30, 2), (300, 20), (1000, 20)])
async def test_bulk_leaves_turns_to_replies_which_have_them_at_once(
    rate: float, left: int, longest: float
) -> None:
    clock, sent = start(rate, longest=longest)
    for chat_id in range(int(rate) * 4):
        sent.send(chat_id, bulk=True)
    await clock.run(2)
    for _ in range(3):
        asked: list[float] = []

        async def ask(chat_id: int, asked: list[float] = asked) -> None:
            began = clock.now
            await sent.budget.wait(chat_id)
            asked.append(clock.now - began)
            sent.budget.answered()

        people = [asyncio.create_task(ask(10_000 + chat_id)) for chat_id in range(left)]
        await clock.run(1.1)
        await asyncio.gather(*people)
        assert max(asked) == 0
    await sent.end()


async def test_a_turn_given_back_is_somebody_elses() -> None:
    clock, sent = start(1)
    await sent.budget.wait(7)
    sent.send(8)
    await clock.run(5)
    assert not sent.moments
    sent.budget.give_back()
    await clock.run(0.1)
    assert [chat_id for _, chat_id, _ in sent.moments] == [8]
    await sent.end()


async def test_replies_do_not_starve_bulk() -> None:
    clock, sent = start(30)
    for chat_id in range(400):
        sent.send(chat_id)
    for chat_id in range(1000, 1100):
        sent.send(chat_id, bulk=True)
    await clock.run(6)
    assert sent.count(6, bulk=True) >= 25
    assert sent.count(6, bulk=False) >= 120
    await sent.end()


async def test_one_chat_gets_three_at_once_then_one_a_second_in_order() -> None:
    clock, sent = start(30)
    for _ in range(6):
        sent.send(7)
    await clock.run(0.01)
    assert sent.count(1) == 3
    sent.send(8)
    await clock.run(0.1)
    assert sent.count(1) == 4
    await clock.run(3)
    assert [round(at) for at, chat_id, _ in sent.moments if chat_id == 7] == [0, 0, 0, 1, 2, 3]
    await sent.end()


async def test_a_chats_pace_can_be_left_out() -> None:
    clock, sent = start(100, per_chat=0)
    for _ in range(10):
        sent.send(7)
    await clock.run(0.1)
    assert sent.count(1) == 10
    await sent.end()


async def test_a_paused_chat_waits_alone_and_everybody_after_a_second_refusal() -> None:
    clock, sent = start(30)
    sent.budget.refused(10, 7)
    sent.send(7)
    sent.send(8)
    await clock.run(1)
    assert [chat_id for _, chat_id, _ in sent.moments] == [8]
    sent.budget.refused(3, 9)
    sent.send(10)
    await clock.run(2.9)
    assert len(sent.moments) == 1
    await clock.run(0.3)
    assert [chat_id for _, chat_id, _ in sent.moments] == [8, 10]
    await clock.run(6)
    assert [chat_id for _, chat_id, _ in sent.moments] == [8, 10, 7]
    await sent.end()


async def test_two_flooded_chats_hold_up_no_safety_word_to_others() -> None:
    clock, sent = start(30, longest=0.1)
    sent.budget.refused(3600, 7)
    sent.budget.refused(3600, 9)
    for chat_id in range(100, 110):
        sent.send(chat_id)
        sent.send(chat_id, safety=True)
    await clock.run(2)
    assert [chat_id for _, chat_id, _ in sent.moments] == [*range(100, 110)]
    await sent.end()


async def test_safety_words_try_one_at_a_time_while_everybody_waits() -> None:
    clock, sent = start(30, longest=0.4)
    sent.budget.refused(20, 7)
    sent.budget.refused(20, 9)
    for chat_id in range(100, 106):
        sent.send(chat_id, safety=True)
    for _ in range(100):
        await clock.run(0.02)
        assert sent.budget._second.on_their_way <= 1
    assert len(sent.moments) == 6
    await sent.end()


async def test_a_safety_word_that_is_told_to_wait_is_believed_for_half_a_minute_at_most() -> None:
    clock, sent = start(30)
    sent.floods = dict.fromkeys(range(100, 200), 300.0)  # this time it is everybody
    for chat_id in (100, 101):
        sent.send(chat_id)
    await clock.run(1)
    for chat_id in range(102, 200):
        sent.send(chat_id, safety=True)
    await clock.run(TRY_AGAIN * 3 + 1)
    assert len(sent.refused) == 2 + 4
    sent.floods.clear()
    await clock.run(TRY_AGAIN + 10)
    assert len(sent.moments) == 94
    await sent.end()


async def test_a_safety_word_to_a_flooded_chat_says_nothing_of_the_others() -> None:
    clock, sent = start(30)
    sent.floods = {7: 300.0, 9: 300.0}
    sent.send(7)
    sent.send(9)
    await clock.run(1)
    for chat_id in (7, 9, 10):
        sent.send(chat_id, safety=True)
    await clock.run(1)
    assert [chat_id for _, chat_id, _ in sent.moments] == [10]
    await sent.end()


async def test_everybodys_wait_ends_with_the_first_message_that_arrives_after_a_try() -> None:
    clock, sent = start(30)
    sent.budget.refused(3600, 7)
    sent.budget.refused(3600, 9)
    for chat_id in range(100, 120):
        sent.send(chat_id, bulk=chat_id % 2 == 0)
    await clock.run(TRY_AGAIN - 1)
    assert not sent.moments
    await clock.run(3)
    assert len(sent.moments) == 20
    await sent.end()


async def test_a_try_that_does_not_end_holds_up_no_other() -> None:
    clock, sent = start(30)
    sent.budget.refused(3600, 7)
    sent.budget.refused(3600, 9)
    await sent.budget.wait(10, safety=True)
    sent.send(11, safety=True)
    await clock.run(TRIED_BY - 1)
    assert not sent.moments
    await clock.run(2)
    assert [chat_id for _, chat_id, _ in sent.moments] == [11]
    await sent.end()


async def test_chats_with_much_sent_to_them_make_nobody_else_wait() -> None:
    clock, sent = start(30)
    for chat_id in (7, 9):
        for _ in range(4):
            sent.send(chat_id)
    await clock.run(0.2)
    sent.budget.refused(3600, 7)
    sent.budget.refused(3600, 9)
    sent.send(10)
    await clock.run(0.2)
    assert (10, False) in [(chat_id, bulk) for _, chat_id, bulk in sent.moments]
    await sent.end()


async def test_one_who_gives_up_waiting_costs_nobody_a_turn() -> None:
    clock, sent = start(1)
    for chat_id in range(4):
        sent.send(chat_id)
    await clock.run(0.5)
    sent.tasks[1].cancel()
    await clock.run(1)
    assert [chat_id for _, chat_id, _ in sent.moments] == [0, 2]
    await sent.end()


async def test_idle_chats_are_forgotten() -> None:
    clock, sent = start(1000)
    for _ in range(5):
        for chat_id in range(IDLE_CHATS):
            sent.send(clock.now.__hash__() + chat_id)
        await clock.run(10)
    assert len(sent.budget._chats) <= IDLE_CHATS
    await sent.end()


async def test_the_real_clock_does_as_well() -> None:
    budget = SendBudget(200, per_chat=0)

    async def send(number: int) -> None:
        await budget.wait(number, bulk=number % 2 == 0)
        budget.answered()

    began = time.monotonic()
    await asyncio.gather(*(send(number) for number in range(100)))
    assert 0.3 < time.monotonic() - began < 2
