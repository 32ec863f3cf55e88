"""Statements that every press needs: built once, for SQLite compiled once and put straight to its driver.

Through all of SQLAlchemy a small one takes ten times as long as in SQLite itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    Dialect,
    Insert,
    Select,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import TypeDecorator

from bot.storage.columns import Convert, from_file, to_file

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MadeT = TypeVar("MadeT")
DIALECT = sqlite.dialect(paramstyle="qmark")
Parameter = tuple[str | None, Convert | None, object]
Statement = Select[Any] | Insert | Update | Delete


class Prepared:
    """A statement whose parameters are given by name when it runs: `bindparam`s, and columns to be written.

    `file_statement` is the same for SQLite where its words differ; the parameter *whose* names the patient.
    """

    def __init__(
        self,
        statement: Statement,
        written: Collection[str] = (),
        file_statement: Statement | None = None,
        whose: str = "patient_id",
    ) -> None:
        self.statement = statement
        self.whose = whose
        self.written = written
        self._file_statement = statement if file_statement is None else file_statement

    def put(self, driver: sqlite3.Connection, given: Mapping[str, object]) -> sqlite3.Cursor:
        """Run it on SQLite's own driver."""
        text, parameters = self._compiled
        return driver.execute(text, _values(parameters, given))

    def put_all(self, driver: sqlite3.Connection, rows: Iterable[Mapping[str, object]]) -> sqlite3.Cursor:
        """Run it once for each row, in one go."""
        text, parameters = self._compiled
        return driver.executemany(text, [_values(parameters, given) for given in rows])

    @cached_property
    def _compiled(self) -> tuple[str, list[Parameter]]:
        """The text, and for each place in it a parameter's name and conversion, or a fixed value."""
        compiled = self._file_statement.compile(dialect=DIALECT, column_keys=[*self.written] or None)
        parameters: list[Parameter] = []
        for name in compiled.positiontup or ():
            bound = compiled.binds[name]
            convert = to_file(bound.type, DIALECT)
            if bound.required:
                parameters.append((name, convert, None))
            else:
                parameters.append((None, None, convert(bound.value) if convert else bound.value))
        return compiled.string, parameters


class Question(Prepared, Generic[MadeT]):
    """A question and what is made of each row of its answer, from its columns in their order.

    With *holds*, a writing transaction holds the rows until its end; SQLite has one writer anyhow. A change
    that returns rows is a question too; `file_query` is the same for SQLite where its words differ. What was
    made of the last *keeps* different rows is kept: a diary is read with each press, and its nights stay.
    """

    def __init__(
        self,
        made: Callable[..., MadeT],
        query: Select[Any] | Update,
        holds: bool = False,
        file_query: Select[Any] | Update | None = None,
        keeps: int = 0,
    ) -> None:
        super().__init__(query, file_statement=file_query)
        self.made = made
        self.keeps = keeps
        self.held: Statement = query
        if holds and isinstance(query, Select):
            self.held = query.with_for_update(key_share=True)
        self.columns: list[Any] = [*query.exported_columns]
        self.tables = frozenset(one for one in iterate(query) if isinstance(one, Table))

    def answers(self, driver: sqlite3.Connection, given: Mapping[str, object]) -> list[MadeT]:
        """Return what is made of each row, read by SQLite's own driver."""
        return [*map(self._make, self.put(driver, given))]

    def making(self, converts: Sequence[Convert | None]) -> Callable[[tuple[Any, ...]], MadeT]:
        """Return what makes a value of a row, given what each column of a driver's needs to be ours."""
        converted = [(place, convert) for place, convert in enumerate(converts) if convert is not None]

        def make(row: tuple[Any, ...]) -> MadeT:
            values = list(row)
            for place, convert in converted:
                values[place] = convert(values[place])
            return self.made(*values)

        return cast("Callable[[tuple[Any, ...]], MadeT]", lru_cache(self.keeps)(make)) if self.keeps else make

    @cached_property
    def _make(self) -> Callable[[tuple[Any, ...]], MadeT]:
        return self.making([from_file(column.type, DIALECT) for column in self.columns])


def _values(parameters: list[Parameter], given: Mapping[str, object]) -> list[object]:
    return [
        fixed if name is None else given[name] if convert is None else convert(given[name])
        for name, convert, fixed in parameters
    ]


def upsert(
    table: Table,
    key: tuple[str, ...],
    changed: tuple[str, ...],
    once: tuple[str, ...] = (),
    where: ColumnElement[bool] | None = None,
) -> Prepared:
    """Return the statement that adds a row or changes the one there is.

    What is set *once* stays as it was; with *where*, only a row for which it holds is changed. With nothing
    to be *changed*, the row there is stays.
    """

    def on(insert: Callable[[Table], Any]) -> Any:
        into = insert(table)
        if not changed:
            return into.on_conflict_do_nothing(index_elements=key)
        set_ = {name: into.excluded[name] for name in changed}
        return into.on_conflict_do_update(index_elements=key, set_=set_, where=where)

    return Prepared(
        on(postgresql.insert).execution_options(preserve_rowcount=True),
        (*key, *changed, *once),
        on(sqlite.insert),
    )


class _Numbers(TypeDecorator[Sequence[int]]):
    """Several ids as one parameter, where there are no arrays."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> str:  # noqa: ARG002
        """Return the numbers as JSON."""
        return json.dumps([*(value or ())])


def listed_for_server(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that a column is one of the ids given as one parameter, for PostgreSQL."""
    return column == any_(bindparam(name, type_=ARRAY(BigInteger), required=True))


def listed_for_file(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the same condition for SQLite."""
    listed = func.json_each(bindparam(name, type_=_Numbers, required=True)).table_valued("value")
    return column.in_(select(listed.c.value))


def columns_of(shape: type[DataclassInstance], table: Table) -> list[Column[Any]]:
    """Return the columns that the fields of a shape are made of, in their order."""
    return [table.c[field.name] for field in fields(shape)]
