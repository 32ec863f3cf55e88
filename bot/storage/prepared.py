"""Statements that every press needs: built once, for SQLite compiled once and put straight to its driver.

Through all of SQLAlchemy a small one takes ten times as long as in SQLite itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Delete, Insert, Select, Table, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.visitors import iterate

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MadeT = TypeVar("MadeT")
DIALECT = sqlite.dialect(paramstyle="qmark")
Convert = Callable[[Any], Any]
Statement = Select[Any] | Insert | Update | Delete


class Prepared:
    """A statement whose parameters are given by name when it runs: `bindparam`s, and columns to be written.

    `file_statement` is the same for SQLite where its words differ.
    """

    def __init__(
        self, statement: Statement, written: Collection[str] = (), file_statement: Statement | None = None
    ) -> None:
        self.statement = statement
        self.written = written
        self._file_statement = statement if file_statement is None else file_statement

    def put(self, driver: sqlite3.Connection, given: Mapping[str, object]) -> sqlite3.Cursor:
        """Run it on SQLite's own driver."""
        text, parameters = self._compiled
        values = [
            fixed if name is None else given[name] if convert is None else convert(given[name])
            for name, convert, fixed in parameters
        ]
        return driver.execute(text, values)

    @cached_property
    def _compiled(self) -> tuple[str, list[tuple[str | None, Convert | None, object]]]:
        """The text, and for each place in it a parameter's name and conversion, or a fixed value."""
        compiled = self._file_statement.compile(dialect=DIALECT, column_keys=[*self.written] or None)
        parameters: list[tuple[str | None, Convert | None, object]] = []
        for name in compiled.positiontup or ():
            bound = compiled.binds[name]
            convert = bound.type.dialect_impl(DIALECT).bind_processor(DIALECT)
            if bound.required:
                parameters.append((name, convert, None))
            else:
                parameters.append((None, None, convert(bound.value) if convert else bound.value))
        return compiled.string, parameters


class Question(Prepared, Generic[MadeT]):
    """A question and what is made of each row of its answer, from its columns in their order.

    With *holds*, a writing transaction holds the rows until its end; SQLite has one writer anyhow.
    """

    def __init__(self, made: Callable[..., MadeT], query: Select[Any], holds: bool = False) -> None:
        super().__init__(query)
        self.made = made
        self.held = query.with_for_update(key_share=True) if holds else query
        self.columns = [*query.selected_columns]
        self.tables = frozenset(one for one in iterate(query) if isinstance(one, Table))

    def answers(self, driver: sqlite3.Connection, given: Mapping[str, object]) -> list[MadeT]:
        """Return what is made of each row, read by SQLite's own driver."""
        converted, made = self._converted, self.made
        found = []
        for row in self.put(driver, given):
            values = list(row)
            for place, convert in converted:
                values[place] = convert(values[place])
            found.append(made(*values))
        return found

    @cached_property
    def _converted(self) -> list[tuple[int, Convert]]:
        """The places in a row whose values SQLite keeps in another shape."""
        types = [column.type.dialect_impl(DIALECT) for column in self.columns]
        converts = [one.result_processor(DIALECT, None) for one in types]
        return [(place, convert) for place, convert in enumerate(converts) if convert is not None]


def upsert(
    table: Table,
    key: tuple[str, ...],
    changed: tuple[str, ...],
    once: tuple[str, ...] = (),
    where: ColumnElement[bool] | None = None,
) -> Prepared:
    """Return the statement that adds a row or changes the one there is.

    What is set *once* stays as it was; with *where*, only a row for which it holds is changed.
    """

    def on(insert: Callable[[Table], Any]) -> Any:
        into = insert(table)
        set_ = {name: into.excluded[name] for name in changed}
        return into.on_conflict_do_update(index_elements=key, set_=set_, where=where)

    return Prepared(
        on(postgresql.insert).execution_options(preserve_rowcount=True),
        (*key, *changed, *once),
        on(sqlite.insert),
    )


def columns_of(shape: type[DataclassInstance], table: Table) -> list[Column[Any]]:
    """Return the columns that the fields of a shape are made of, in their order."""
    return [table.c[field.name] for field in fields(shape)]
