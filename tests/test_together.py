"""What many ask for at about the same time is done in one go, and nobody pays for another's error."""

from __future__ import annotations

import asyncio

import pytest

from bot.delivery.together import MOST, Together


class Work:
    """Doubles numbers and remembers what it was handed; it cannot stand a 13."""

    def __init__(self) -> None:
        self.handed: list[list[int]] = []

    async def __call__(self, numbers: list[int]) -> list[int]:
        self.handed.append(numbers)
        await asyncio.sleep(0.01)
        if 13 in numbers:
            raise ValueError("thirteen")
        return [number * 2 for number in numbers]


async def test_what_comes_together_is_done_in_one_go_and_the_rest_after_it() -> None:
    work = Work()
    together = Together(work)
    answers = await asyncio.gather(*map(together.do, range(100, MOST + 103)))
    assert answers == [number * 2 for number in range(100, MOST + 103)]
    assert [len(numbers) for numbers in work.handed] == [MOST, 3]


async def test_what_comes_while_one_go_is_under_way_is_the_next() -> None:
    work = Work()
    together = Together(work)
    first = asyncio.create_task(together.do(1))
    await asyncio.sleep(0.005)
    assert [*await asyncio.gather(first, together.do(2), together.do(3))] == [2, 4, 6]
    assert work.handed == [[1], [2, 3]]


async def test_some_are_waited_for_and_nobody_longer_than_said() -> None:
    work = Work()
    together = Together(work, seconds=0.05)
    first = asyncio.create_task(together.do(1))
    await asyncio.sleep(0.01)
    assert [*await asyncio.wait_for(asyncio.gather(first, together.do(2)), 2)] == [2, 4]
    assert work.handed == [[1, 2]]


async def test_one_that_spoils_it_for_all_fails_alone() -> None:
    together = Together(Work())
    got = await asyncio.gather(*map(together.do, (12, 13, 14)), return_exceptions=True)
    assert (got[0], got[2]) == (24, 28)
    assert isinstance(got[1], ValueError)


async def test_one_who_does_not_wait_any_longer_costs_the_others_nothing() -> None:
    work = Work()
    together = Together(work)
    impatient = asyncio.create_task(together.do(1))
    other = asyncio.create_task(together.do(2))
    await asyncio.sleep(0.005)
    impatient.cancel()
    assert await other == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient
