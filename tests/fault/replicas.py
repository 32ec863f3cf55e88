"""Three replicas on one PostgreSQL behind a small proxy, as `compose.scale.yaml` runs them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import signal
from collections.abc import Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.sandbox import Sandbox
from bot.storage.database import Database
from tests.fault.process import BotProcess

COUNT = 3
TAKES = aiohttp.ClientTimeout(total=1.5)  # a replica that is slower than this is passed over


class Replica(BotProcess):
    """One of them; `pid` names it in leases."""

    module = ("tests.fault.replica",)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def told(self, kind: str) -> int:
        """Return how many sendings of a kind this replica has told."""
        lines = [line for line in self.log.splitlines() if "sending told" in line]
        return sum(re.search(rf"\bkind\W+{kind}\b", line) is not None for line in lines)

    def pause(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def is_ready(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=TAKES) as session,
                session.get(f"http://{self.listen}/readyz") as answer,
            ):
                return answer.status == 200
        return False


class Replicas:
    """The stand-in, the proxy it pushes to, and the replicas behind it."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.database_url = database_url
        self.telegram = Sandbox()
        self.database = Database(database_url)
        self.served: list[Replica] = []  # who took which update, in order
        self.all: list[Replica] = []
        self._settings = settings
        self._turn = itertools.count()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession

    async def open(self) -> None:
        """Start everything but the replicas."""
        await self.database.open()
        api_url = await self.telegram.start()
        application = web.Application()
        application.add_routes([web.post("/telegram", self._forward)])
        self._session = aiohttp.ClientSession(timeout=TAKES)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        proxy = f"http://127.0.0.1:{self._runner.addresses[0][1]}/telegram"
        for number in range(COUNT):
            folder = self.folder / f"replica{number}"
            folder.mkdir()
            settings = {
                "DATABASE_URL": self.database_url,
                "WEBHOOK_URL": proxy,
                "LOG_FORMAT": "json",
                **self._settings,
            }
            self.all.append(Replica(folder, api_url, **settings))

    async def start(self) -> None:
        """Start the replicas, and wait until they are ready."""
        for replica in self.all:
            await replica.start()
        await self.until_ready()

    async def until_ready(self) -> None:
        async with asyncio.timeout(60):
            for replica in self.all:
                while not await replica.is_ready():
                    assert replica.runs, replica.log
                    await asyncio.sleep(0.1)

    async def close(self) -> None:
        for replica in self.all:
            await replica.kill()
        if self._runner is not None:
            await self._session.close()
            await self._runner.cleanup()
        await self.telegram.stop()
        await self.database.close()

    async def leader(self) -> Replica:
        """Return the one that is elected to send bulk."""
        async with asyncio.timeout(10):
            while True:
                async with self.database.transaction() as store:
                    holder = await store.lease_holder("sender")
                for replica in self.all:
                    if holder and holder.split(":")[1] == str(replica.pid):
                        return replica
                await asyncio.sleep(0.1)

    async def until(self, found: Callable[[], bool], patience: float = 15) -> None:
        async with asyncio.timeout(patience):
            while not found():
                await self.telegram.changed(self.telegram.world.changes.cursor, 0.1)

    async def _forward(self, request: web.Request) -> web.Response:
        """Hand an update to the next replica in turn; one that does not take it is passed over."""
        body = await request.read()
        for _ in self.all:
            replica = self.all[next(self._turn) % len(self.all)]
            headers = {
                name: value for name, value in request.headers.items() if name.startswith("X-Telegram")
            }
            try:
                async with self._session.post(
                    f"http://{replica.listen}/telegram", data=body, headers=headers
                ) as answer:
                    if answer.status == 200:
                        self.served.append(replica)
                    if answer.status < 500:
                        return web.Response(status=answer.status)
            except (aiohttp.ClientError, TimeoutError):
                continue
        return web.Response(status=502)
