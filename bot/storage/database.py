"""One database, SQLite or PostgreSQL: opened in the right shape, written to in whole transactions."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.company import Company
from bot.storage.engines import postgres_engine, sqlite_reader, sqlite_writer
from bot.storage.errors import StorageError
from bot.storage.grouping import Writer
from bot.storage.kept import Kept
from bot.storage.migrating import migrate
from bot.storage.places import Place, make_room, place_of
from bot.storage.server import driver_error
from bot.storage.store import Store

__all__ = ["Database", "StorageError"]

log = logging.getLogger(__name__)


class Database:
    """Hands out stores, each good for one transaction."""

    def __init__(self, url: str) -> None:
        """Take the operator's URL; one that cannot be read raises StorageError."""
        self._place: Place = place_of(url)
        self._shared: AsyncEngine | None = None  # PostgreSQL
        self._kept: Kept | None = None  # PostgreSQL
        self._readers: Engine | None = None  # SQLite
        self._writer: Writer | None = None  # SQLite
        self._refusals = _Refusals((SQLAlchemyError, sqlite3.Error))

    @property
    def is_shared(self) -> bool:
        """Return whether several replicas may work on it."""
        return self._place.file is None

    def size(self) -> int | None:
        """Return the bytes of SQLite's files; None for a server. OSError when they cannot be seen."""
        if self._place.file is None:
            return None
        log_file = self._place.file.with_name(f"{self._place.file.name}-wal")
        return self._place.file.stat().st_size + (log_file.stat().st_size if log_file.exists() else 0)

    async def open(self, whole: bool = False) -> None:
        """Make, migrate and check the database; StorageError says in one line what to do.

        With *whole* even a large file is looked over for damage, which takes seconds for each gigabyte.
        """
        if self._place.file is not None:
            make_room(self._place.file)
        try:
            await migrate(self._place, whole)
        except (SQLAlchemyError, OSError) as error:
            raise _cannot_open(self._place, error) from None
        if self._place.file is None:
            self._shared = postgres_engine(self._place)
            self._kept = Kept(self._shared)
            self._refusals = _Refusals((SQLAlchemyError, driver_error()))
        else:
            self._readers = sqlite_reader(self._place)
            self._writer = Writer(sqlite_writer(self._place))
        log.info("database.opened")

    async def close(self) -> None:
        """Wait for the transactions under way, then close every connection."""
        if self._writer is not None:
            await self._writer.close()
        if self._readers is not None:
            self._readers.dispose()
        if self._kept is not None:
            await self._kept.close()
        if self._shared is not None:
            await self._shared.dispose()
        self._writer = self._readers = self._shared = self._kept = None

    @asynccontextmanager
    async def transaction(self, alone: bool = False) -> AsyncIterator[Store]:
        """Write in one transaction, on disk when the block has ended; an error undoes all of it.

        On SQLite, transactions that arrive together share a commit; `alone` waits for no one's.
        When a block is cancelled, its writes are undone; when only the commit is, they may be kept.
        """
        with self._refusals:
            async with self._writing(alone) as connection:
                yield Store(connection, writes=True)

    @asynccontextmanager
    async def company(self, alone: bool = False) -> AsyncIterator[Company]:
        """Write in one transaction, as `transaction` does, what concerns many patients."""
        with self._refusals:
            async with self._writing(alone) as connection:
                store = Company(connection, writes=True)
                yield store
                await store.catch_up()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Store]:
        """Read one consistent state; writing in it raises StorageError."""
        with self._refusals:
            if self._readers is not None:
                with self._readers.begin() as file:
                    yield Store(file, writes=False)
                return
            reader = self._server().execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            async with reader.begin() as connection:
                yield Store(connection, writes=False)

    def _writing(self, alone: bool) -> AbstractAsyncContextManager[AsyncConnection | Connection]:
        if self._writer is not None:
            return self._writer.turn(alone)
        if self._kept is None:
            raise StorageError("the database is not open")
        return self._kept.begin()

    def _server(self) -> AsyncEngine:
        if self._shared is None:
            raise StorageError("the database is not open")
        return self._shared


class _Refusals:
    """Says that a statement failed without what it was about: nobody's answers may reach a log."""

    def __init__(self, kinds: tuple[type[Exception], ...]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, self._kinds):
            raise StorageError(f"the database refused: {_what(error)}") from None


def _what(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return f"{type(cause).__name__} {code or ''}".strip()


def _cannot_open(place: Place, error: Exception) -> StorageError:
    if place.file is None:
        return StorageError(
            f"PostgreSQL cannot be opened ({_what(error)}): check DATABASE_URL and the server"
        )
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    if "not a database" in said or "malformed" in said:
        return StorageError(f"{place.file} is damaged or no database: put a backup in its place")
    if "locked" in said:
        return StorageError(f"{place.file} is in use: stop the other program that writes to it")
    return StorageError(
        f"{place.file} cannot be opened ({_what(error)}): check the disk and the file's owner"
    )
