"""SQLite's one writer, shared fairly: transactions that arrive together are committed together.

Each takes its turn on one connection, inside a savepoint; the last in line commits for all. None
returns before its commit, and a commit that fails fails them all. Statements run where they are asked
for; only the commit, which waits for the disk, has a thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.storage.errors import StorageError
from bot.storage.unbroken import unbroken

MOST_IN_A_GROUP = 32
LONGEST_GROUP_SECONDS = 0.05
PATIENCE_SECONDS = 5.0  # for another program that writes
PAUSE_SECONDS = 0.01


@dataclass(eq=False)
class Group:
    """Transactions that share one commit; `settled` holds what went wrong, or None."""

    connection: Connection
    driver: sqlite3.Connection  # savepoints go straight to it, which doubles the rate
    opened: float
    settled: asyncio.Future[BaseException | None]
    members: int = 0
    broken: BaseException | None = None


class Writer:
    """Hands out turns on the one writing connection, in the order of arrival."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None  # kept: the pool takes as long as three statements
        self._disk = ThreadPoolExecutor(1, "commit")
        self._group: Group | None = None
        self._taken = False
        self._closed = False
        self._holder: asyncio.Task[object] | None = None
        self._line: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, alone: bool = False) -> AsyncIterator[Connection]:
        """Hand out the connection; the end of the block returns when its writes are on disk.

        `alone` goes to the head of the line and commits at once, whoever else waits.
        """
        await self._take(alone)
        try:
            if self._closed:
                raise StorageError("the database is not open")
            self._holder = asyncio.current_task()
            group = self._group or await self._open_group()
            with _Part(group) as connection:
                yield connection
        finally:
            self._holder = None
            await self._end_turn(alone)
        wrong = await asyncio.shield(group.settled)
        if wrong is not None:
            raise StorageError("the database could not keep what was written") from wrong

    async def close(self) -> None:
        """Wait for the transactions that are under way, then let go of the connection."""
        await self._take(first=False)
        self._closed = True
        await self._end_turn(alone=True)
        self._disk.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

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
                await self._end_turn(alone=False)
            raise

    async def _open_group(self) -> Group:
        loop = asyncio.get_running_loop()
        connection = self._connection or self._engine.connect()
        self._connection = None
        try:
            await self._begin(connection)
        except BaseException:
            connection.close()
            raise
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        self._group = Group(connection, driver, loop.time(), loop.create_future())
        return self._group

    async def _begin(self, connection: Connection) -> None:
        """Begin to write, waiting without holding anybody up while another program does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                connection.begin()
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or loop.time() > deadline:
                    raise
                connection.rollback()
            else:
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _end_turn(self, alone: bool) -> None:
        """Commit when the group is due, then let the next in."""
        group = self._group
        if group is None or not (alone or group.broken is not None or self._is_due(group)):
            self._pass_on()
            return
        self._group = None
        try:
            await unbroken(self._settle(group))
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

    async def _settle(self, group: Group) -> None:
        """Commit or roll back, and tell every member which it was."""
        try:
            if group.broken is None:
                await asyncio.get_running_loop().run_in_executor(self._disk, _commit, group)
        except BaseException as error:
            group.broken = error  # whatever it was: nobody may take it for kept
            if not isinstance(error, Exception):
                raise
        finally:
            self._connection = _let_go(group)
            group.settled.set_result(group.broken)


class _Part:
    """Keeps a body's writes, or takes back its own and nobody else's."""

    def __init__(self, group: Group) -> None:
        self._group = group
        # The first needs no savepoint: if it fails, the group is nothing but itself.
        self._savepoint = f"part_{group.members}" if group.members else ""

    def __enter__(self) -> Connection:
        _check_whole(self._group)
        if self._savepoint:
            self._group.driver.execute(f"SAVEPOINT {self._savepoint}")
        return self._group.connection

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            self._group.members += 1
            if self._savepoint:
                _end_part(self._group, f"RELEASE {self._savepoint}")
        elif self._savepoint:
            _end_part(self._group, f"ROLLBACK TO {self._savepoint}", f"RELEASE {self._savepoint}")
        else:
            self._group.broken = error


def _end_part(group: Group, *statements: str) -> None:
    """End one part; if even that fails, SQLite has undone the whole group on its own."""
    try:
        for statement in statements:
            group.driver.execute(statement)
    except sqlite3.Error as error:
        group.broken = error


def _check_whole(group: Group) -> None:
    """Raise StorageError when SQLite has undone everything by itself, as a full disk makes it."""
    if not group.driver.in_transaction:
        group.broken = StorageError("SQLite undid a transaction on its own")
        raise group.broken


def _commit(group: Group) -> None:
    _check_whole(group)
    group.connection.commit()


def _let_go(group: Group) -> Connection | None:
    """Return the connection for the next group; after a failure there is a new one."""
    if group.broken is None:
        return group.connection
    try:
        group.connection.rollback()
        group.connection.close()
    except SQLAlchemyError:
        group.connection.invalidate()
    return None
