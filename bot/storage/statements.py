"""What all parts of the store share: how a statement runs and how a row becomes a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, RowMapping, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ShapeT = TypeVar("ShapeT", bound="DataclassInstance")


class Statements:
    """Runs statements on the connection of one transaction."""

    def __init__(self, connection: AsyncConnection | Connection, writes: bool) -> None:
        self._connection = connection
        self._writes = writes

    async def _run(self, statement: Executable) -> CursorResult[Any]:
        if isinstance(self._connection, Connection):  # a file of our own, nothing to wait for
            return self._connection.execute(statement)
        return await self._connection.execute(statement)

    async def _one(self, statement: Executable) -> RowMapping | None:
        return (await self._run(statement)).mappings().first()

    async def _all(self, statement: Executable) -> Sequence[RowMapping]:
        return (await self._run(statement)).mappings().all()

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        is_file = isinstance(self._connection, Connection)
        return sqlite.insert(table) if is_file else postgresql.insert(table)

    def _for_change(self, query: Select[Any]) -> Select[Any]:
        """Hold the rows until the end of a writing transaction; SQLite has one writer anyhow."""
        return query.with_for_update(key_share=True) if self._writes else query


def made(shape: type[ShapeT], row: Mapping[Any, Any]) -> ShapeT:
    """Return a row as a value of one of our shapes."""
    return shape(**{field.name: row[field.name] for field in fields(shape)})


def checked(table: Table, values: Mapping[str, object], fixed: frozenset[str]) -> dict[str, object]:
    """Return *values* when each names a column that may change; TypeError otherwise."""
    wrong = sorted(set(values) - (set(table.c.keys()) - fixed))
    if wrong:
        raise TypeError(f"{table.name} has nothing to change called {', '.join(wrong)}")
    return dict(values)
