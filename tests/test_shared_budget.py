"""Replicas that share one send budget keep it together."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from bot.delivery.rates import SendBudget
from bot.delivery.shared_budget import SharedBudget
from bot.storage.database import Database
from tests.servers import fresh_database


def real() -> datetime:
    return datetime.now(UTC)


async def replicas(url: str, count: int, rate: float) -> list[SharedBudget]:
    databases = [Database(url) for _ in range(count)]
    for database in databases:
        await database.open()
    return [SharedBudget(SendBudget(1000, per_chat=0), one, rate, real) for one in databases]


async def test_three_replicas_together_keep_the_rate_of_one_token(postgres_url: str) -> None:
    with fresh_database(postgres_url) as url:
        budgets = await replicas(url, 3, rate=50)
        sent: list[float] = []

        async def send(budget: SharedBudget) -> None:
            for at in range(30):
                await budget.wait(at, bulk=False)
                sent.append(time.monotonic())
                budget.answered()

        await asyncio.gather(*(send(budget) for budget in budgets))
        sent.sort()
        worst = max(sum(1 for at in sent if begin <= at < begin + 1) for begin in sent)
        assert len(sent) == 90
        assert worst <= 50 + 3 * 2  # the rate, and a batch in hand at each replica
        for budget in budgets:
            await budget._database.close()


async def test_bulk_stands_back_while_people_wait(postgres_url: str) -> None:
    with fresh_database(postgres_url) as url:
        (budget,) = await replicas(url, 1, rate=20)
        order: list[str] = []

        async def send(kind: str, count: int) -> None:
            for _ in range(count):
                await budget.wait(None, bulk=kind == "bulk")
                order.append(kind)
                budget.answered(bulk=kind == "bulk")

        await asyncio.gather(*(send("bulk", 1) for _ in range(20)), *(send("reply", 1) for _ in range(10)))
        assert order.index("reply") < 8
        assert order[:22].count("reply") == 10
        await budget._database.close()


async def test_a_clock_that_is_put_back_silences_nobody(postgres_url: str) -> None:
    with fresh_database(postgres_url) as url:
        database = Database(url)
        await database.open()
        wrong = timedelta(hours=1)

        def clock() -> datetime:
            return real() + wrong

        budget = SharedBudget(SendBudget(1000, per_chat=0), database, 100, clock)
        await budget.wait(1)  # its turns are fetched together with others
        budget.answered()
        wrong = timedelta(0)
        for bulk in (False, True):
            async with asyncio.timeout(5):
                await budget.wait(1, bulk=bulk)
            budget.answered(bulk=bulk)
        await database.close()
