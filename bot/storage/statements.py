"""What all parts of the store share: how a statement runs and how a row becomes a value."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Insert,
    RowMapping,
    Table,
    Update,
    delete,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.prepared import MadeT, Prepared, Question
from bot.storage.server import Server, Work

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ShapeT = TypeVar("ShapeT", bound="DataclassInstance")
PRUNED_AT_ONCE = 1000  # rows looked at in one transaction: a few hundredths of a second


class Statements:
    """Runs statements on the connection of one transaction; an answer is known until something changes."""

    def __init__(self, connection: AsyncConnection | Connection, writes: bool) -> None:
        self._connection = connection
        self._writes = writes
        self._known: dict[tuple[Any, ...], list[Any]] = {}  # by question and what was given
        self._driver: sqlite3.Connection | None = None
        if isinstance(connection, Connection):  # a file of our own answers at once: nothing to wait for
            self._driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        else:
            self._server = Server(connection, holds=writes)

    async def _ask(self, question: Question[MadeT], **given: object) -> list[MadeT]:
        """Return what is made of each row of an answer."""
        key = (question, *given.values())
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = await self._answers(question, given)
        return [*known]

    async def _answers(self, question: Question[MadeT], given: dict[str, object]) -> list[MadeT]:
        if self._driver is not None:
            return question.answers(self._driver, given)
        return (await self._server.answers([(question, given)]))[0]

    async def _look_ahead(self, *asked: tuple[Question[Any], Mapping[str, object]]) -> None:
        """Learn for one trip to the server what will be asked one by one."""
        for (question, given), answer in zip(asked, await self._server.answers(asked), strict=True):
            self._known[question, *given.values()] = answer

    async def _first(self, question: Question[MadeT], **given: object) -> MadeT | None:
        """Return what is made of the first row, or None."""
        return next(iter(await self._ask(question, **given)), None)

    async def _do(self, change: Prepared, **given: object) -> int:
        """Change rows and return how many."""
        return (await self._do_all([(change, given)]))[0]

    async def _do_all(self, changes: Sequence[Work]) -> list[int]:
        """Make changes in order, for one trip where there are trips, and return how many rows each met."""
        for change, _ in changes:
            self._unlearn(change.statement)
        if self._driver is not None:
            return [change.put(self._driver, given).rowcount for change, given in changes]
        return [cursor.rowcount for cursor in await self._server.put(changes)]

    def _unlearn(self, change: Executable) -> None:
        """Drop the answers that a change may make untrue; what a deletion takes along nobody knows."""
        table = change.table if isinstance(change, Insert | Update) else None
        for key in [key for key in self._known if table is None or table in key[0].tables]:
            del self._known[key]

    async def _do_each(self, change: Prepared, rows: Sequence[Mapping[str, object]]) -> int:
        """Make a change once for each of several rows and return how many were changed in all."""
        if self._driver is None:
            return sum(await self._do_all([(change, row) for row in rows]))
        self._unlearn(change.statement)
        return change.put_all(self._driver, rows).rowcount

    async def _changed(self, change: Question[MadeT], **given: object) -> list[MadeT]:
        """Change rows and return what is made of each."""
        self._unlearn(change.statement)
        return await self._answers(change, given)

    async def _returned(self, change: Prepared, **given: object) -> list[Any]:
        """Change rows and return the key of each."""
        return await self._add(change, [given])

    async def _add(self, insert: Prepared, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        """Insert rows and return the key of each that was not there before."""
        self._unlearn(insert.statement)
        if self._driver is not None:
            return [key for row in rows for (key,) in insert.put(self._driver, row).fetchall()]
        cursors = await self._server.put([(insert, row) for row in rows])
        return [key for cursor in cursors for (key,) in await cursor.fetchall()]

    async def _run(self, statement: Executable) -> CursorResult[Any]:
        if not statement.is_select:
            self._unlearn(statement)
        return await self._execute(statement)

    async def _execute(
        self,
        statement: Executable,
        given: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None,
    ) -> CursorResult[Any]:
        if isinstance(self._connection, Connection):
            return self._connection.execute(statement, given)
        return await self._connection.execute(statement, given)

    async def _one(self, statement: Executable) -> RowMapping | None:
        return (await self._run(statement)).mappings().first()

    async def _all(self, statement: Executable) -> Sequence[RowMapping]:
        return (await self._run(statement)).mappings().all()

    async def _prune(
        self, number: Column[Any], old: ColumnElement[bool], after: int, most: int
    ) -> tuple[int, int | None]:
        """Delete the old ones among the next *most* rows; return how many, and the last row looked at."""
        some = select(number).where(number > after).order_by(number).limit(most).subquery()
        last = (await self._run(select(func.max(some.c[number.name])))).scalar_one()
        if last is None:
            return 0, None
        gone = await self._run(delete(number.table).where(number > after, number <= last, old))
        return gone.rowcount, int(last)

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        return postgresql.insert(table) if self._driver is None else sqlite.insert(table)


def made(shape: type[ShapeT], row: Mapping[Any, Any]) -> ShapeT:
    """Return a row as a value of one of our shapes."""
    return shape(**{field.name: row[field.name] for field in fields(shape)})


def checked(table: Table, values: Mapping[str, object], fixed: frozenset[str]) -> dict[str, object]:
    """Return *values* when each names a column that may change; TypeError otherwise."""
    wrong = sorted(set(values) - (set(table.c.keys()) - fixed))
    if wrong:
        raise TypeError(f"{table.name} has nothing to change called {', '.join(wrong)}")
    return dict(values)
