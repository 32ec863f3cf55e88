"""Writes that come together are made together, and none is lost or answered early."""

from __future__ import annotations

import asyncio

import pytest

from bot.storage.rounds import Rounds


class Disk:
    """Something slow that takes lists."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.free = asyncio.Event()

    async def write(self, items: list[int]) -> int:
        self.rounds.append(items)
        await self.free.wait()
        if 13 in items:
            raise OSError("full")
        return len(items)


async def test_who_comes_alone_is_served_at_once_and_who_comes_meanwhile_shares_the_next_round() -> None:
    disk = Disk()
    rounds = Rounds(disk.write)
    first = asyncio.create_task(rounds.join(1))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(rounds.join(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0.01)
    assert (disk.rounds, first.done()) == ([[1]], False)
    disk.free.set()
    assert [await first, *await asyncio.gather(*others)] == [1, 3, 3, 3]
    assert disk.rounds == [[1], [2, 3, 4]]


async def test_a_round_that_fails_fails_for_all_of_it_and_for_no_other() -> None:
    disk = Disk()
    disk.free.set()
    rounds = Rounds(disk.write)
    together = await asyncio.gather(rounds.join(12), rounds.join(13), return_exceptions=True)
    assert [type(each) for each in together] == [OSError, OSError]
    assert await rounds.join(14) == 1


async def test_who_gives_up_takes_nobodys_round_away() -> None:
    disk = Disk()
    rounds = Rounds(disk.write)
    patient, hasty = (asyncio.create_task(rounds.join(number)) for number in (1, 2))
    await asyncio.sleep(0.01)
    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    disk.free.set()
    assert await patient == 2
