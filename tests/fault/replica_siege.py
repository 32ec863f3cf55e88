"""The same siege for three replicas on PostgreSQL: some are killed, some stopped past their leases."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from tests.fault.replica import QUICK
from tests.fault.replicas import Replica, Replicas
from tests.fault.siege import CALM_SECONDS, Counts, Plan, Siege

PAUSE = QUICK.sending + QUICK.tick + 1  # seconds: every lease has ended, and another replica has looked


class ReplicaSiege(Siege):
    """One run; a life is one replica killed, or in every third one stopped instead and resumed."""

    def __init__(self, folder: Path, plan: Plan, database_url: str) -> None:
        super().__init__(folder, plan)
        self._url = database_url
        self.paused = 0
        self.house = Replicas(folder, database_url, SEND_RATE=str(plan.rate))
        self.telegram = self.house.telegram
        self._database = self.house.database

    async def run(self) -> Counts:
        self._first_update = self.telegram.world.updates.next_id
        try:
            await self.house.open()
            await self._settle_in()
            await self.house.database.open()  # which settling in has closed
            async with self._database.transaction() as store:
                await store.set_meta("clock.offset", str(self._offset.total_seconds()))
            await self.house.start()
            for life in range(self.plan.kills):
                await self._life(life)
            await self._last_life()
            self._count()
        finally:
            await self.house.close()
        return self.counts

    async def _life(self, life: int) -> None:
        async with self._database.transaction() as store:
            await self._owe_share(store, life)
        victim = self.chance.choice(self.house.all)
        if life % 3 == 0:
            victim = await self.house.leader() if self.chance.random() < 0.5 else victim
        await self._act_for(self.chance.uniform(0.2, self.plan.longest_life))
        if life % 3 == 2:
            await self._pause(victim)
        else:
            await victim.kill()
            self.counts.kills += 1
            await self._act_for(self.chance.uniform(0.0, 2.0))
            await victim.start()
        await self._act_for(1.0)

    async def _pause(self, victim: Replica) -> None:
        if not victim.runs:
            return
        victim.pause()
        self.paused += 1
        await self._act_for(PAUSE)
        victim.resume()

    async def _act_for(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while loop.time() < ends:
            await asyncio.sleep(0.1)
            await self._people_act()

    async def _last_life(self) -> None:
        self.telegram.faults.clear()
        await self.house.until_ready()
        loop = asyncio.get_running_loop()
        ends = loop.time() + CALM_SECONDS
        while loop.time() < ends:
            await asyncio.sleep(1.0)
            if not self.telegram.world.updates.pending and not self._owed():
                break
        for replica in self.house.all:
            await replica.terminate()

    def told_by(self) -> Counter[str]:
        """Return how many prompts each replica has told."""
        return Counter({replica.folder.name: replica.told("prompt") for replica in self.house.all})

    def _stored(self, moment: datetime) -> object:
        return moment.astimezone(UTC)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url.replace("+psycopg", "")) as connection:
            return connection.execute(query.replace("?", "%s").encode(), values).fetchall()
