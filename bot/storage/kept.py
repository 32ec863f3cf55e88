"""Connections to PostgreSQL kept at hand: taking one and committing cost a fifth of what a pool takes."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.unbroken import unbroken

if TYPE_CHECKING:
    from psycopg import AsyncConnection as Driver

AT_ONCE = 16  # of the engine's connections, so that readers have theirs


class Kept:
    """Hands out transactions on connections of an engine, the one used last first."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._idle: list[AsyncConnection] = []
        self._places = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction, committed when the block ends; an error undoes all of it."""
        async with self._places:
            connection = await self._take()
            try:
                yield connection
                await _commit(connection)
            except BaseException:
                await unbroken(self._undo(connection))
                raise
            self._idle.append(connection)

    async def close(self) -> None:
        """Let go of every connection that nobody uses."""
        while self._idle:
            await self._idle.pop().close()

    async def _take(self) -> AsyncConnection:
        while self._idle:
            connection = self._idle.pop()
            if is_there(driver_of(connection)):
                return connection
            await _drop(connection)
        return await self._engine.connect()

    async def _undo(self, connection: AsyncConnection) -> None:
        """Roll back; a connection on which that fails is of no more use."""
        try:
            await driver_of(connection).rollback()
            await connection.rollback()
        except Exception:  # noqa: BLE001  # why it failed is being told already
            await _drop(connection)
        else:
            self._idle.append(connection)


def driver_of(connection: AsyncConnection) -> Driver[Any]:
    """Return the driver's own connection."""
    bare: Any = connection.sync_connection
    return cast("Driver[Any]", bare.connection.driver_connection)


def is_there(driver: Driver[Any]) -> bool:
    """Return whether the server still holds a connection; else its last word would lie in the socket."""
    if driver.closed:
        return False
    look = select.poll()
    look.register(driver.fileno(), select.POLLIN)
    return not look.poll(0)


async def _commit(connection: AsyncConnection) -> None:
    if connection.in_transaction():
        await connection.commit()
    else:
        await driver_of(connection).commit()


async def _drop(connection: AsyncConnection) -> None:
    with suppress(SQLAlchemyError):
        await connection.invalidate()
    with suppress(SQLAlchemyError):
        await connection.close()
