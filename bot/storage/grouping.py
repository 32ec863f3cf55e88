"""SQLite's one writer, shared fairly: transactions that arrive together are committed together.

Each takes its turn on one connection, inside a savepoint; the last in line commits for all. None
returns before its commit, and a commit that fails fails them all.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiosqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.errors import StorageError
from bot.storage.unbroken import unbroken

MOST_IN_A_GROUP = 32
LONGEST_GROUP_SECONDS = 0.05


@dataclass(eq=False)
class Group:
    """Transactions that share one commit; `settled` holds what went wrong, or None."""

    connection: AsyncConnection
    driver: aiosqlite.Connection  # savepoints go straight to it, which doubles the rate
    opened: float
    settled: asyncio.Future[BaseException | None]
    members: int = 0
    broken: BaseException | None = None


class Writer:
    """Hands out turns on the one writing connection, in the order of arrival."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._group: Group | None = None
        self._taken = False
        self._holder: asyncio.Task[object] | None = None
        self._line: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, alone: bool = False) -> AsyncIterator[AsyncConnection]:
        """Hand out the connection; the end of the block returns when its writes are on disk.

        `alone` goes to the head of the line and commits at once, whoever else waits.
        """
        await self._take(alone)
        try:
            self._holder = asyncio.current_task()
            group = await unbroken(self._open_group())
            async with self._part(group):
                yield group.connection
        finally:
            self._holder = None
            await unbroken(self._end_turn(alone))
        wrong = await asyncio.shield(group.settled)
        if wrong is not None:
            raise StorageError("the database could not keep what was written") from wrong

    async def close(self) -> None:
        """Wait for the transactions that are under way, then let go of the connection."""
        await self._take(first=False)
        await unbroken(self._end_turn(alone=True))
        await self._engine.dispose()

    async def _take(self, first: bool) -> None:
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("a transaction was begun inside a transaction: it would wait for itself")
        if not self._taken:
            self._taken = True
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if first:
            self._line.appendleft(ticket)
        else:
            self._line.append(ticket)
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.cancelled():
                with suppress(ValueError):  # whoever let the next in has passed over it already
                    self._line.remove(ticket)
            else:  # it was our turn already: pass it on
                await unbroken(self._end_turn(alone=False))
            raise

    async def _open_group(self) -> Group:
        if self._group is None:
            loop = asyncio.get_running_loop()
            connection = await self._engine.connect()
            try:
                await connection.begin()
            except BaseException:
                await connection.close()
                raise
            driver: Any = (await connection.get_raw_connection()).driver_connection
            self._group = Group(connection, driver, loop.time(), loop.create_future())
        return self._group

    @asynccontextmanager
    async def _part(self, group: Group) -> AsyncIterator[None]:
        """Keep a body's writes, or take back its own and nobody else's."""
        # The first needs no savepoint: if it fails, the group is nothing but itself.
        savepoint = await unbroken(_savepoint(group)) if group.members else ""
        try:
            yield
        except BaseException as error:
            if savepoint:
                await unbroken(_take_back(group, savepoint))
            else:
                group.broken = error
            raise
        group.members += 1
        if savepoint:
            await unbroken(_release(group, savepoint))

    async def _end_turn(self, alone: bool) -> None:
        """Commit when the group is due, then let the next in."""
        try:
            group = self._group
            if group is not None and (alone or group.broken is not None or self._is_due(group)):
                self._group = None
                await _settle(group)
        finally:
            self._pass_on()

    def _is_due(self, group: Group) -> bool:
        age = asyncio.get_running_loop().time() - group.opened
        someone_waits = any(not ticket.done() for ticket in self._line)
        return not someone_waits or group.members >= MOST_IN_A_GROUP or age > LONGEST_GROUP_SECONDS

    def _pass_on(self) -> None:
        while self._line:
            ticket = self._line.popleft()
            if not ticket.done():
                ticket.set_result(None)
                return
        self._taken = False


async def _savepoint(group: Group) -> str:
    name = f"part_{group.members}"
    await group.driver.execute(f"SAVEPOINT {name}")
    return name


async def _release(group: Group, name: str) -> None:
    try:
        await group.driver.execute(f"RELEASE {name}")
    except sqlite3.Error as error:
        group.broken = error


async def _take_back(group: Group, name: str) -> None:
    """Undo one part; if even that fails, SQLite has undone the whole group on its own."""
    try:
        await group.driver.execute(f"ROLLBACK TO {name}")
        await group.driver.execute(f"RELEASE {name}")
    except sqlite3.Error as error:
        group.broken = error


async def _settle(group: Group) -> None:
    """Commit or roll back, and tell every member which it was."""
    try:
        if group.broken is None:
            await _commit(group)
    except SQLAlchemyError as error:
        group.broken = error
    finally:
        await _let_go(group)
        group.settled.set_result(group.broken)


async def _commit(group: Group) -> None:
    if not group.driver.in_transaction:  # a full disk makes SQLite undo everything by itself
        group.broken = StorageError("SQLite undid a transaction on its own")
        return
    await group.connection.commit()


async def _let_go(group: Group) -> None:
    try:
        if group.broken is not None:
            await group.connection.rollback()
        await group.connection.close()
    except SQLAlchemyError as error:
        group.broken = group.broken or error
        await group.connection.invalidate()
