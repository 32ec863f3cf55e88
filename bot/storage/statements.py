"""What all parts of the store share: how a statement runs and how a row becomes a value."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Executable, RowMapping, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.prepared import MadeT, Prepared, Question

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ShapeT = TypeVar("ShapeT", bound="DataclassInstance")
Given = Mapping[str, object] | Sequence[Mapping[str, object]] | None


class Statements:
    """Runs statements on the connection of one transaction; an answer is known until something changes."""

    def __init__(self, connection: AsyncConnection | Connection, writes: bool) -> None:
        self._connection = connection
        self._writes = writes
        self._known: dict[tuple[object, ...], list[Any]] = {}
        self._driver: sqlite3.Connection | None = None
        if isinstance(connection, Connection):  # a file of our own answers at once: nothing to wait for
            self._driver = cast("sqlite3.Connection", connection.connection.driver_connection)

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
        statement = question.held if self._writes else question.statement
        return [question.made(*row) for row in await self._execute(statement, given)]

    async def _first(self, question: Question[MadeT], **given: object) -> MadeT | None:
        """Return what is made of the first row, or None."""
        return next(iter(await self._ask(question, **given)), None)

    async def _do(self, change: Prepared, **given: object) -> int:
        """Change rows and return how many."""
        self._known.clear()
        if self._driver is not None:
            return change.put(self._driver, given).rowcount
        return (await self._execute(change.statement, given)).rowcount

    async def _do_each(self, change: Prepared, rows: Sequence[Mapping[str, object]]) -> int:
        """Make a change once for each of several rows and return how many were changed in all."""
        self._known.clear()
        if self._driver is None:
            return (await self._execute(change.statement, rows)).rowcount
        return change.put_all(self._driver, rows).rowcount

    async def _changed(self, change: Question[MadeT], **given: object) -> list[MadeT]:
        """Change rows and return what is made of each."""
        self._known.clear()
        return await self._answers(change, given)

    async def _returned(self, change: Prepared, **given: object) -> list[Any]:
        """Change rows and return the key of each."""
        self._known.clear()
        if self._driver is not None:
            return [key for (key,) in change.put(self._driver, given).fetchall()]
        return [*(await self._execute(change.statement, given)).scalars()]

    async def _add(self, insert: Prepared, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        """Insert rows and return the key of each that was not there before."""
        self._known.clear()
        if self._driver is not None:
            return [key for row in rows for (key,) in insert.put(self._driver, row).fetchall()]
        return [*(await self._execute(insert.statement, rows)).scalars()]

    async def _run(self, statement: Executable) -> CursorResult[Any]:
        if not statement.is_select:
            self._known.clear()
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
