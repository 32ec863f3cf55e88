"""A cursor for SQLite that goes to its connection's thread once a statement; the driver's goes four times.

Each trip costs several times what a small statement does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite


class OneTripCursor:
    """What SQLAlchemy asks of a driver's cursor; all rows are fetched on the trip that runs the statement."""

    def __init__(self, driver: aiosqlite.Connection) -> None:
        self._driver = driver
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        """Return itself: nothing is opened before the first statement."""
        return self

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> None:
        """Run a statement and fetch what it returns."""
        await self._go("execute", statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Iterable[Any]]) -> None:
        """Run a statement for each of many parameters."""
        await self._go("executemany", statement, parameters)

    async def fetchall(self) -> list[Any]:
        """Return what was fetched."""
        return self._rows

    async def close(self) -> None:
        """Do nothing: the statement was closed on its trip."""

    async def _go(self, method: str, statement: str, parameters: Iterable[Any]) -> None:
        def trip() -> tuple[Any, int, int | None, list[Any]]:
            cursor: sqlite3.Cursor = getattr(self._driver._conn, method)(statement, parameters)  # noqa: SLF001
            try:
                rows = cursor.fetchall() if cursor.description else []
                return cursor.description, cursor.rowcount, cursor.lastrowid, rows
            finally:
                cursor.close()

        # The driver has no public way to do several things at once.
        run: Callable[[Callable[[], Any]], Awaitable[Any]] = self._driver._execute  # noqa: SLF001
        self.description, self.rowcount, self.lastrowid, self._rows = await run(trip)


def use_one_trip(driver: Any) -> None:
    """Make a connection of the driver hand out such cursors."""
    driver.cursor = lambda: OneTripCursor(driver)
